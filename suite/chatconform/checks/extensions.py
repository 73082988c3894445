"""What one provider's document promises beyond OpenAI's contract. These stand only under that document."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import answers, chats, check
from chatconform.model import Finding, JsonObject, Reason
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Kind, Transcript

ALIASES = ("auto", "auto-fast", "auto-cheap")
"""The model names by which Tooken is asked to choose a model (000_3800249b69e3bcad.txt:17)."""


def _answer(transcript: Transcript) -> JsonObject:
    document = transcript.document
    return (document.object if document else None) or {}


def _routed_model(transcript: Transcript) -> object:
    platform = _answer(transcript).get("platform")
    return platform.get("routed_model") if isinstance(platform, dict) else None


def _routed(transcript: Transcript) -> int | Reason:
    return 1 if isinstance(_routed_model(transcript), str) else Reason.OTHER_BRANCH


@check(
    "extensions.routed_model.echo",
    level=None,
    over=answers,
    examines=_routed,
    needs="http.status.error",
    cites="EXT-02",
)
def routed_model_echo(answer: Transcript) -> Iterator[Finding]:
    """model is the model that platform.routed_model names.

    Breaks: nobody can tell which model answered, nor check the bill.
    Fix: copy platform.routed_model to model.
    """
    routed = _routed_model(answer)
    if _answer(answer).get("model") != routed:
        yield answer.finding(Where(0, ("model",)), f"{routed}, as in platform.routed_model")


@check(
    "extensions.model.resolved",
    level=None,
    over=answers,
    asks=lambda asked: asked.model in ALIASES,
    needs="http.status.error",
    cites="EXT-02",
)
def model_resolved(answer: Transcript) -> Iterator[Finding]:
    """An answer to an alias names the model that was chosen.

    Breaks: cost and quality cannot be attributed to a model.
    Fix: send the name of the chosen model in model.
    """
    if _answer(answer).get("model") in ALIASES:
        yield answer.finding(Where(0, ("model",)), "the name of a model, not the alias")


def _traced(transcript: Transcript) -> int | Reason:
    """An error that does not speak of the header is about something else: the key, the model, the load."""
    if transcript.kind is not Kind.ERROR or b"trace" in transcript.body.lower():
        return 1
    if transcript.status == 429:
        return Reason.RATE_LIMITED
    return Reason.NETWORK if (transcript.status or 0) >= 500 else Reason.REFUSED_TYPED


@check(
    "extensions.trace_id.accepted",
    level=None,
    over=chats,
    asks=lambda asked: asked.trace_id is not None,
    examines=_traced,
    of_any_status=True,
    cites="EXT-03",
)
def trace_id_accepted(transcript: Transcript) -> Iterator[Finding]:
    """The header X-Trace-ID of a request is not refused.

    Breaks: the documented way to follow a request up does not work.
    Fix: accept the header.
    """
    if transcript.status is not None and transcript.status >= 400:
        yield transcript.spot((0, len(transcript.body)), f"status {transcript.status}", "an answer")
