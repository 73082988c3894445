"""The members around the choices: id, created, model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from chatconform.checks.check import SHOULD, chats, check, streams
from chatconform.model import Finding, Origin, Reason
from chatconform.wire.fold import Seen, Where
from chatconform.wire.transcript import Transcript

DAY = 86_400
"""Seconds by which clocks may differ, time zones and days of queueing included."""


def _objects(transcript: Transcript) -> int | Reason:
    return transcript.facts.count or Reason.NOTHING_TO_EXAMINE


def _created(transcript: Transcript) -> int | Reason:
    """Count the timestamps. A recorder that masks ids masks created as well: 0 beside such an id is its mark."""
    seen = _timestamps(transcript)
    masked = transcript.exchange.origin is Origin.IMPORTED and any(
        "REDACTED" in str(each.value) for each in transcript.facts.ids
    )
    if masked and all(each.value == 0 for each in seen):
        return Reason.RECORDER
    return transcript.facts.with_created if seen else Reason.NOTHING_TO_EXAMINE


def _timestamps(transcript: Transcript) -> list[Seen]:
    return [
        seen for seen in transcript.facts.created if isinstance(seen.value, int) and not isinstance(seen.value, bool)
    ]


@check(
    "envelope.created.present",
    level=SHOULD,
    over=chats,
    examines=_objects,
    needs=("http.status.error", "sse.event.separated"),
    cites=("OpenAI API reference", "ENV-10"),
)
def created_present(transcript: Transcript) -> Iterator[Finding]:
    """created is there, and not null.

    Breaks: logs and audits have no time to go by; strict decoders raise.
    Fix: send the time of creation in every answer and in every chunk.
    """
    for number in transcript.facts.without_created:
        yield transcript.finding(Where(number, ("created",)), "a Unix time in seconds", "no created")


@check(
    "envelope.created.seconds",
    level=SHOULD,
    over=chats,
    examines=_created,
    needs=("http.status.error", "sse.event.separated"),
    cites=("OpenAI API reference", "ENV-08", "ENV-10"),
)
def created_seconds(transcript: Transcript) -> Iterator[Finding]:
    """created is the time of the answer, in seconds since 1970.

    Breaks: milliseconds are out of range for .NET's clock; 0 and constants put every answer at the same time.
    Fix: send whole seconds of Unix time.
    """
    low, high = _window(transcript.exchange.recorded_at)
    for seen in _timestamps(transcript):
        assert isinstance(seen.value, int)
        if not low <= seen.value <= high:
            yield transcript.finding(seen.where, f"from {low} to {high}")


def _window(recorded_at: str | None) -> tuple[int, int]:
    """Return the seconds that are believed: a day around the recording, else ten digits."""
    try:
        moment = datetime.fromisoformat(recorded_at) if recorded_at else None
    except ValueError:
        moment = None
    if moment is None:
        return 1_000_000_000, 9_999_999_999
    seconds = int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    return seconds - DAY, seconds + DAY


@check(
    "stream.model.present",
    level=SHOULD,
    over=streams,
    examines=_objects,
    needs="sse.event.separated",
    cites=("OpenAI API reference", "ENV-12"),
)
def chunk_model_present(stream: Transcript) -> Iterator[Finding]:
    """Every chunk names its model.

    Breaks: whoever accounts by model cannot; no client that was measured minds.
    Fix: copy the model's name to every chunk.
    """
    for number in stream.facts.without_model:
        yield stream.finding(Where(number, ("model",)), "the model's name", "no model")


def _ids(stream: Transcript) -> int | Reason:
    return stream.facts.with_id or Reason.NOTHING_TO_EXAMINE


def _all_created(stream: Transcript) -> int | Reason:
    return stream.facts.with_created or Reason.NOTHING_TO_EXAMINE


@check(
    "stream.id.constant",
    level=SHOULD,
    over=streams,
    examines=_ids,
    needs="sse.event.separated",
    cites=("OpenAI API reference", "ENV-03"),
)
def id_constant(stream: Transcript) -> Iterator[Finding]:
    """All chunks of a stream have the same id.

    Breaks: clients that gather chunks by id split one answer into several.
    Fix: make the id once, when the stream begins.
    """
    for seen in stream.facts.ids[1:]:
        yield stream.finding(seen.where, f"{stream.facts.ids[0].value}, as in the first chunk")


@check(
    "stream.created.constant",
    level=SHOULD,
    over=streams,
    examines=_all_created,
    needs="sse.event.separated",
    cites=("OpenAI API reference", "ENV-11"),
    by_chance=True,
)
def created_constant(stream: Transcript) -> Iterator[Finding]:
    """All chunks of a stream have the same created.

    Breaks: no client that was measured minds; OpenAI's reference says that the timestamp is the same.
    Fix: take the time once, when the stream begins.
    """
    for seen in stream.facts.created[1:]:
        yield stream.finding(seen.where, f"{stream.facts.created[0].value}, as in the first chunk")
