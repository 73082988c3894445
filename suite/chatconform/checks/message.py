"""The message: that it says something, and nothing of what goes on in the model. Its members' types are clauses."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from chatconform.checks.check import SHOULD, chats, check
from chatconform.checks.choices import NEEDS, has_body
from chatconform.model import Finding, Reason
from chatconform.wire.fold import Choice
from chatconform.wire.transcript import Transcript


def _ended_well(choice: Choice) -> bool:
    return bool(choice.finishes) and choice.finishes[-1].value == "stop"


def _messages(transcript: Transcript) -> int | Reason:
    return sum(map(_ended_well, transcript.facts.choices.values())) or Reason.OTHER_BRANCH


@check(
    "message.content.nonempty",
    level=SHOULD,
    over=chats,
    examines=_messages,
    needs=(
        "choices.finish_reason.present",
        "choices.item.type",
        "choices.message.present",
        "choices.message.type",
        "choices.delta.present",
        "choices.delta.type",
    ),
    cites="MSG-03",
)
def content_nonempty(transcript: Transcript) -> Iterator[Finding]:
    """A message that finishes with stop says something.

    Breaks: users see an empty reply, and health checks flap, though the answer counts as a success.
    Fix: where reasoning used up the tokens, finish with length; else send the text.
    """
    for choice in transcript.facts.choices.values():
        if _ended_well(choice) and not choice.says_something:
            yield transcript.finding(choice.where, "content, a refusal or a tool call", "an empty message")


def texts(transcript: Transcript) -> int | Reason:
    """Count the choices that hold text."""
    return len([choice for choice in transcript.facts.choices.values() if choice.content]) or Reason.OTHER_BRANCH


_THOUGHTS = ("<think>", "<thinking>", "<seed:think>", "◁think▷", "[THINK]", "<|START_THINKING|>")
_TAGS = ("<think", "</think", *_THOUGHTS[2:])
_CHANNELS = re.compile(r"(?:analysis|commentary)(?!\s).*?assistantfinal", re.DOTALL)
"""How thoughts and answer stand in one text where a channel's tokens were left out and its name was not."""
_CLOSED = re.compile(r"(?:[.!?…。]|\A|\n)</think>(?=\S|\n)")
"""The end of thoughts, right behind a sentence or on a line of its own; what explains the tag has a space before it."""
_MARKERS = (
    "<|im_end|>", "<|im_start|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_text|>", "<|endoftext|>",
    "<|end_of_turn|>", "<end_of_turn>", "<｜end▁of▁sentence｜>", "<|return|>", "<|call|>", "<|user|>",
    "<|observation|>", "<eos>", "</s>", "[/INST]",
)  # fmt: skip
"""Tokens by which templates end a turn."""
_OPENERS = (
    "<|im_start|>", "<|start_header_id|>", "<|channel|>", "<|start|>", "<|assistant|>", "<start_of_turn>",
    "<|begin_of_text|>", "<｜begin▁of▁sentence｜>", "[/INST]",
)  # fmt: skip
"""Tokens by which templates begin a turn, or a part of one."""
_AMID = re.compile(
    r"(?:<\|(?:im_end|eot_id|eom_id|end|end_of_text|endoftext|end_of_turn|return)\|>|<end_of_turn>|"
    r"<｜end▁of▁sentence｜>)(?P<next>\s*<(?:\|(?:im_start|start_header_id|start|user|assistant|system)\||start_of_turn)>)?|"
    r"</s>\s*(?:<s>\s*)?(?P<asks>\[INST\])"
)
"""A token that ends a turn, and what begins the next one where that follows."""
_BEGUN = ("<|im_start|>", "<|start_header_id|>", "<|start|>", "<start_of_turn>", "<|user|>", "[INST]")
"""Where one of these stands before, the text shows a template from its beginning."""
_ENDS = (".", "!", "?", "…", "。")
_SUBJECTS = ("token", "Token", "template", "Template", "ChatML", "chatml", "prompt format", "stop sequence")
"""Words in the messages of a request whose answer may well show a template."""
_REPLACEMENT = ("\ufffd", "FFFD", "fffd")
"""How a request speaks of U+FFFD."""
MOST_PLACES = 100
"""How many places of a token in one text are looked at, each with all that stands before it."""
_AT_AN_END = 16
"""How many pieces of a text are joined to see its beginning or its end."""


@check(
    "message.content.thoughts",
    level=SHOULD,
    over=chats,
    asks=lambda asked: bool(asked.body) and not asked.wants_raw_thoughts,
    examines=texts,
    needs=NEEDS,
    cites="MSG-04",
)
def content_thoughts(transcript: Transcript) -> Iterator[Finding]:
    """The text does not begin with the model's reasoning, between tags or after the name of its channel.

    Breaks: users read the model's thoughts as the answer, and what parses the answer fails on them.
    Fix: send reasoning in reasoning_content, and the answer alone in content.
    """
    for choice in transcript.facts.choices.values():
        start = "".join(choice.content[:_AT_AN_END]).lstrip()
        text = choice.text
        leaks = start.startswith(_THOUGHTS) or _only_closes(text) or _CHANNELS.match(text)
        if leaks and not any(map(transcript.asked.mentions, _TAGS)):
            yield transcript.finding(choice.where, "the answer alone in content", start[:80])


def _only_closes(text: str) -> bool:
    """Whether a tag closes thoughts that none opened, as where the template opens them; quoted code is none."""
    closed = _CLOSED.search(text) if "</think>" in text else None
    before = text[: closed.start()] if closed else ""
    return closed is not None and "<think" not in before and not is_quoted(before)


def is_quoted(before: str) -> bool:
    """Whether what follows a text is code: in a Markdown fence, between backticks, or on an indented line."""
    line = before.rpartition("\n")[2]
    return before.count("```") % 2 == 1 or line.count("`") % 2 == 1 or line.startswith(("    ", "\t"))


@check(
    "message.content.markers",
    level=SHOULD,
    over=chats,
    asks=has_body,
    examines=texts,
    needs=NEEDS,
    cites="MSG-07",
)
def content_markers(transcript: Transcript) -> Iterator[Finding]:
    """The text neither begins nor ends with a token of the model's own template, and none ends a turn amid it.

    Breaks: users see garbage, and it goes back to the model as text in the next turn.
    Fix: leave special tokens out when tokens become text.
    """
    for choice in transcript.facts.choices.values():
        text = choice.text.strip()
        leak = _at_an_end(text) or _amid(text)
        if leak and not _is_meant(transcript, leak):
            yield transcript.finding(choice.where, "a text without special tokens", leak)


def _at_an_end(text: str) -> str | None:
    """Return the end or the beginning of a text where it is a special token that closes nothing opened before."""
    if text.endswith(_MARKERS):
        marker = next(each for each in _MARKERS if text.endswith(each))
        return None if _is_shown(text.removesuffix(marker), marker) else f"…{text[-40:]}"
    return f"{text[:40]}…" if text.startswith(_OPENERS) else None


def _is_shown(before: str, token: str) -> bool:
    """Whether a token after a text is quoted, ends a template that the text shows, or closes its own markup."""
    closes = token.startswith("</s>") and "<s" in before
    is_cited = before.rpartition("\n")[2].count('"') % 2 == 1
    return closes or is_cited or is_quoted(before) or any(opener in before for opener in _BEGUN)


def _amid(text: str) -> str | None:
    """Return a text's part where it runs on past the token that ends a turn; quoted code and templates are none.

    The token stands right behind a word, or the next turn begins right behind the token.
    """
    for found in islice(_AMID.finditer(text), MOST_PLACES) if "<" in text else ():
        before = text[: found.start()]
        if _is_shown(before, found.group()):
            return None
        if found["next"] or found["asks"] or before[-1:].isalnum() or before.endswith(_ENDS):
            return f"…{text[max(0, found.start() - 30) : found.end() + 30]}…"
    return None


def _is_meant(transcript: Transcript, leak: str) -> bool:
    """Whether the request speaks of the token, with its brackets or without, or of what such tokens are for."""
    asked = transcript.asked
    tokens = [token for token in (*_MARKERS, *_OPENERS) if token in leak]
    named = [name for name in (token.strip("<|｜>") for token in tokens) if "_" in name or "▁" in name]
    return any(map(asked.mentions, tokens)) or any(map(asked.says, (*named, *_SUBJECTS)))


@check(
    "message.content.characters",
    level=SHOULD,
    over=chats,
    asks=has_body,
    examines=texts,
    needs=NEEDS,
    cites="TRN-09",
)
def content_characters(transcript: Transcript) -> Iterator[Finding]:
    """The text holds no U+FFFD, which stands for a character that was cut.

    Breaks: emoji, and writing beyond ASCII, come out as �, and nothing brings them back.
    Fix: hold bytes back until a character is whole, before they become text.
    """
    for choice in transcript.facts.choices.values():
        text = choice.text
        at = text.find("\ufffd")
        if at >= 0 and not _is_cut_off(choice, text) and not any(map(transcript.asked.mentions, _REPLACEMENT)):
            yield transcript.finding(choice.where, "whole characters", f"…{text[max(0, at - 30) : at + 30]}…")


def _is_cut_off(choice: Choice, text: str) -> bool:
    """Whether the limit cut the last character, and no other."""
    return choice.is_cut and "\ufffd" not in text.rstrip("\ufffd")
