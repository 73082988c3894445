"""Log probabilities: that they come where they were asked for. Their members' types are clauses of the schemas."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, SHOULD, chats, check
from chatconform.checks.choices import NEEDS
from chatconform.checks.message import texts
from chatconform.model import Finding, JsonObject, Reason
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Choice, Where
from chatconform.wire.transcript import Transcript

_LISTED = (*NEEDS, "logprobs.object.type", "logprobs.content.type")
_SPELT = (*_LISTED, "logprobs.item.type", "logprobs.bytes.type")

MOST_RANKED = 20
"""The highest top_logprobs that there is; 0 is the lowest."""


def _wants_logprobs(asked: Asked) -> bool:
    return asked.logprobs


def _is_owed_logprobs(asked: Asked) -> bool:
    """Whether they are asked for in a way that there is: a request for -1 of the likeliest tokens is owed a refusal."""
    ranked = asked.body.get("top_logprobs")
    return asked.logprobs and (ranked is None or (type(ranked) is int and 0 <= ranked <= MOST_RANKED))


def _tokens(choice: Choice) -> Iterator[tuple[Where, JsonObject]]:
    """Yield the tokens of a choice's text, each with its place."""
    for seen in choice.logprobs:
        listed = seen.value.get("content") if isinstance(seen.value, dict) else None
        for number, token in enumerate(listed if isinstance(listed, list) else ()):
            if isinstance(token, dict):
                yield Where(seen.where.payload, (*seen.where.path, "content", number)), token


@check(
    "logprobs.content.present",
    level=MUST,
    over=chats,
    asks=_is_owed_logprobs,
    examines=texts,
    needs=_LISTED,
    cites=("OpenAI API reference", "PRM-09"),
)
def content_present(transcript: Transcript) -> Iterator[Finding]:
    """Text that was asked for with logprobs: true comes with logprobs.content.

    Breaks: scores and confidences are missing without a word; the shape of the older API is read as nothing.
    Fix: send logprobs.content, one entry a token, or refuse logprobs with a 400 that names it.
    """
    for choice in transcript.facts.choices.values():
        if choice.content and next(_tokens(choice), None) is None:
            got = (
                f"logprobs with {', '.join(_members(choice)) or 'nothing in it'}" if choice.logprobs else "no logprobs"
            )
            yield transcript.finding(choice.where, "logprobs.content with the tokens of the text", got)


def _members(choice: Choice) -> list[str]:
    value = choice.logprobs[0].value
    return list(value) if isinstance(value, dict) else []


def _ranked(transcript: Transcript) -> int | Reason:
    choices = transcript.facts.choices.values()
    return sum(1 for choice in choices for _ in _tokens(choice)) or Reason.OTHER_BRANCH


@check(
    "logprobs.top_logprobs.count",
    level=SHOULD,
    over=chats,
    asks=lambda asked: asked.logprobs and asked.top_logprobs is not None,
    examines=_ranked,
    needs=_LISTED,
    cites=("OpenAI API reference", "PRM-09"),
)
def top_count(transcript: Transcript) -> Iterator[Finding]:
    """A token has no more top_logprobs than were asked for.

    Breaks: tables with a column for each rank overflow.
    Fix: send at most top_logprobs entries a token; fewer are lawful.
    """
    most = transcript.asked.top_logprobs or 0
    for choice in transcript.facts.choices.values():
        for where, token in _tokens(choice):
            ranked = token.get("top_logprobs")
            if isinstance(ranked, list) and len(ranked) > most:
                place = Where(where.payload, (*where.path, "top_logprobs"))
                yield transcript.finding(place, f"at most {most} entries", f"{len(ranked)} entries")


def _bytes(choice: Choice) -> bytes | None:
    """Return the bytes of a choice's tokens in a row; None where a token does not give them."""
    joined = bytearray()
    for _, token in _tokens(choice):
        given = token.get("bytes")
        if not isinstance(given, list) or not all(type(each) is int and 0 <= each <= 255 for each in given):
            return None
        joined.extend(each for each in given if isinstance(each, int))
    return bytes(joined) or None


def _joinable(transcript: Transcript) -> int | Reason:
    """A text that holds U+FFFD is not the one that the tokens spell."""
    choices = [choice for choice in transcript.facts.choices.values() if choice.content]
    spelt = [choice for choice in choices if _bytes(choice) and "\ufffd" not in "".join(choice.content)]
    return len(spelt) or Reason.OTHER_BRANCH


@check(
    "logprobs.content.joined",
    level=SHOULD,
    over=chats,
    asks=_wants_logprobs,
    examines=_joinable,
    needs=_SPELT,
    cites=("OpenAI API reference", "PRM-09"),
)
def content_joined(transcript: Transcript) -> Iterator[Finding]:
    """The bytes of the tokens in logprobs.content spell the text.

    Breaks: scores are laid beside the wrong words.
    Fix: send an entry for every token of the text, with the token's own bytes.
    """
    for choice in transcript.facts.choices.values():
        text, spelt = "".join(choice.content), _bytes(choice)
        if text and spelt and "\ufffd" not in text and text.encode("utf-8", "replace") not in spelt:
            got = spelt.decode("utf-8", "backslashreplace")[:80]
            yield transcript.finding(choice.where, f"tokens that spell {text[:80]!r}", repr(got))
