"""The message: that it says something, and nothing of what goes on in the model. Its members' types are clauses."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import SHOULD, chats, check
from chatconform.checks.choices import NEEDS
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
    return sum(bool(choice.content) for choice in transcript.facts.choices.values()) or Reason.OTHER_BRANCH


_THOUGHTS = ("<think>", "<thinking>")
_TAGS = ("<think", "</think")
_MARKERS = (
    "<|im_end|>", "<|im_start|>", "<|eot_id|>", "<|eom_id|>", "<|end|>", "<|end_of_text|>", "<|endoftext|>",
    "<|end_of_turn|>", "<end_of_turn>", "<｜end▁of▁sentence｜>", "</s>",
)  # fmt: skip
"""Tokens by which templates end a turn."""
_OPENERS = ("<|im_start|>", "<|start_header_id|>", "<|channel|>", "<|start|>")
"""Tokens by which templates begin a turn, or a part of one."""
_REPLACEMENT = ("\ufffd", "FFFD", "fffd")
"""How a request speaks of U+FFFD."""
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
    """The text does not begin with reasoning between think tags.

    Breaks: users read the model's thoughts as the answer, and what parses the answer fails on them.
    Fix: send reasoning in reasoning_content, and the answer alone in content.
    """
    for choice in transcript.facts.choices.values():
        start = "".join(choice.content[:_AT_AN_END]).lstrip()
        leaks = start.startswith(_THOUGHTS) or _only_closes("".join(choice.content))
        if leaks and not any(map(transcript.asked.mentions, _TAGS)):
            yield transcript.finding(choice.where, "the answer alone in content", start[:80])


def _only_closes(text: str) -> bool:
    """Whether a line closes thoughts that no tag opened, as where the template opens them; quoted code is none."""
    before, closed, _ = text.partition("\n</think>\n")
    return bool(closed) and "<think" not in before and "```" not in before


@check(
    "message.content.markers",
    level=SHOULD,
    over=chats,
    asks=lambda asked: bool(asked.body),
    examines=texts,
    needs=NEEDS,
    cites="MSG-07",
)
def content_markers(transcript: Transcript) -> Iterator[Finding]:
    """The text neither begins nor ends with a token of the model's own template.

    Breaks: users see garbage, and it goes back to the model as text in the next turn.
    Fix: leave special tokens out when tokens become text.
    """
    for choice in transcript.facts.choices.values():
        end = "".join(choice.content[-_AT_AN_END:]).rstrip()
        if end.endswith(_MARKERS) and not _is_meant(transcript, choice, end):
            yield transcript.finding(choice.where, "a text without special tokens", f"…{end[-40:]}")
            continue
        start = "".join(choice.content[:_AT_AN_END]).lstrip()
        if start.startswith(_OPENERS) and not any(map(transcript.asked.mentions, _OPENERS)):
            yield transcript.finding(choice.where, "a text without special tokens", f"{start[:40]}…")


def _is_meant(transcript: Transcript, choice: Choice, end: str) -> bool:
    """Whether the request speaks of the token, or it closes an element of markup that the text opened."""
    marker = next(each for each in _MARKERS if end.endswith(each))
    return transcript.asked.mentions(marker) or (marker == "</s>" and "<s" in "".join(choice.content))


@check(
    "message.content.characters",
    level=SHOULD,
    over=chats,
    asks=lambda asked: bool(asked.body),
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
        text = "".join(choice.content)
        at = text.find("\ufffd")
        if at >= 0 and not _is_cut_off(choice, text) and not any(map(transcript.asked.mentions, _REPLACEMENT)):
            yield transcript.finding(choice.where, "whole characters", f"…{text[max(0, at - 30) : at + 30]}…")


def _is_cut_off(choice: Choice, text: str) -> bool:
    """Whether the limit cut the last character, and no other."""
    return choice.is_cut and "\ufffd" not in text.rstrip("\ufffd")
