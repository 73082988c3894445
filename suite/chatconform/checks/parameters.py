"""Parameters whose honouring one answer shows: the cap on its tokens, and the strings that stop it."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform.checks.check import MUST, chats, check
from chatconform.checks.choices import NEEDS
from chatconform.checks.message import texts
from chatconform.model import Finding, JsonObject, JsonValue, Origin, Reason
from chatconform.wire.asked import Asked
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Transcript

_USAGE = ("http.status.error", "stream.error")


def _caps(asked: Asked) -> bool:
    """Whether there is one cap: of two, `usage.cap.precedence` says which one counts."""
    both = asked.max_tokens is not None and asked.max_completion_tokens is not None
    return not both and asked.cap is not None and asked.cap > 0


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _usage(transcript: Transcript) -> JsonObject:
    value = transcript.facts.usages[-1].value if transcript.facts.usages else None
    return value if isinstance(value, dict) else {}


def _on_top(usage: JsonObject) -> int:
    """Return the tokens that some providers count above the cap: reasoning, and predictions that were rejected."""
    details = usage.get("completion_tokens_details")
    found = details if isinstance(details, dict) else {}
    return _number(found.get("reasoning_tokens")) + _number(found.get("rejected_prediction_tokens"))


def _counted(transcript: Transcript) -> int | Reason:
    """A count that may hold reasoning, and does not say how much, proves nothing."""
    usage = _usage(transcript)
    reasoned = any(choice.reasoning for choice in transcript.facts.choices.values())
    unclear = reasoned and not _on_top(usage)
    return Reason.OTHER_BRANCH if unclear or not _number(usage.get("completion_tokens")) else 1


@check(
    "parameters.cap.kept",
    level=MUST,
    over=chats,
    asks=_caps,
    examines=_counted,
    needs=_USAGE,
    cites=("OpenAI API reference", "PRM-01"),
)
def cap_kept(transcript: Transcript) -> Iterator[Finding]:
    """No more tokens come than max_tokens or max_completion_tokens allows.

    Breaks: answers run on, and cost what the caller had capped.
    Fix: pass the cap on to the model under the name that it knows.
    """
    usage, cap = _usage(transcript), transcript.asked.cap or 0
    # One more for each choice: some count the token that ends the text.
    allowed = (cap + 1) * transcript.asked.n + _on_top(usage)
    if _number(usage.get("completion_tokens")) > allowed:
        where = Where(transcript.facts.usages[-1].where.payload, ("usage", "completion_tokens"))
        yield transcript.finding(where, f"at most {cap * transcript.asked.n}")


def _stops(asked: Asked) -> bool:
    """Whether the text is to end before a string; one that goes on with the request's own text may repeat it."""
    return bool(asked.stops) and not asked.goes_on and not asked.body.get("include_stop_str_in_output")


def _stopped(transcript: Transcript) -> int | Reason:
    """Count the texts; a page that prints `<string>` for a stop string, and for the text, says nothing of either."""
    printed = transcript.exchange.origin is Origin.DOCUMENT
    if printed and any(stop.startswith("<") and stop.endswith(">") for stop in transcript.asked.stops):
        return Reason.PLACEHOLDER
    return texts(transcript)


@check(
    "parameters.stop.absent",
    level=MUST,
    over=chats,
    asks=_stops,
    examines=_stopped,
    needs=NEEDS,
    cites=("OpenAI API reference", "PRM-08"),
)
def stop_absent(transcript: Transcript) -> Iterator[Finding]:
    """No text holds a string that was sent as stop.

    Breaks: the text runs on past its end, and what parses it reads invented turns.
    Fix: end the text before the first stop string, across token borders too.
    """
    for choice in transcript.facts.choices.values():
        text = "".join(choice.content)
        for stop in transcript.asked.stops:
            if stop in text:
                yield transcript.finding(choice.where, f"a text that ends before {stop!r}", f"…{text[-40:]}")
