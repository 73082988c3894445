"""When the events of streams come: whether something between the model and the client holds them back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

from chatconform.checks.check import SHOULD, check, streams
from chatconform.checks.comparison import Compared, beside, comparison
from chatconform.checks.http import is_held
from chatconform.checks.recording import Recorded, Recording, Standing
from chatconform.model import Finding, Reason
from chatconform.wire import media
from chatconform.wire.asked import Target
from chatconform.wire.transcript import Transcript

MANY: Final = 20
"""How many events a stream has before the times of their arrival say something."""
LATE: Final = 500_000
"""Microseconds: events that begin to come that late, and then all at once, have been held back."""
INSTANT: Final = 5_000
"""Microseconds: reads that are less apart come at one instant."""


def _events(each: Recorded) -> int:
    stream = each.transcript.stream
    return len(stream.events) if stream else 0


def _is_timed(each: Recorded) -> bool:
    response = each.exchange.response
    return response is not None and bool(response.reads)


def _long_streams(recording: Recording) -> Iterator[Compared]:
    """Select the first long stream of a run beside all others, those first whose reads were recorded."""
    streams = [each for each in recording.chats if each.asked.target is Target.STREAM and _is_answered(each)]
    found = sorted((each for each in streams if _events(each) >= MANY), key=_is_timed, reverse=True)
    if found:
        yield beside(recording, found[0], tuple(found[1:]))


def _is_answered(each: Recorded) -> bool:
    """Whether a stream came that may be long; its fields are counted first, as that costs less than reading it."""
    response = each.exchange.response
    may_be_long = response is not None and (response.body.count(b"data") >= MANY or media.codings(response.headers))
    return bool(may_be_long) and each.standing is Standing.ACCEPTED


def _timed(compared: Compared) -> tuple[Recorded, ...]:
    return tuple(filter(_is_timed, (compared.subject, *compared.others)))


@comparison(
    "sse.delivery.progressive",
    level=SHOULD,
    pairs=_long_streams,
    examines=lambda compared: len(_timed(compared)) or Reason.NO_READS,
    needs="sse.stream.events",
    cites=("TRN-07", "SSS-08"),
    alone=True,
)
def delivery_progressive(compared: Compared) -> Iterator[Finding]:
    """The events of streams come as they are made, not in every stream all at once at the end.

    Breaks: users see nothing until the answer is done, and long answers run into timeouts.
    Fix: flush after every event; switch off buffering, and compression without flushing, in every proxy.
    """
    if all(map(_is_held_back, _timed(compared))):
        stream = compared.subject.transcript
        got = " and ".join(f"{time / 1_000_000:.3f} s" for time in _first_instants(compared.subject))
        end = len(stream.body)
        yield stream.spot((end, end), f"all {_events(compared.subject)} events at {got}", "events as they are made")


def _is_held_back(each: Recorded) -> bool:
    """Whether all events came late, and in one or two instants."""
    times = _first_instants(each)
    return len(times) < 3 and times[0] >= LATE


def _first_instants(each: Recorded) -> list[int]:
    """Return the beginnings of at most three instants in which events came."""
    return list(islice(_instants(_from_first_event(each)), 3))


def _from_first_event(each: Recorded) -> Iterator[int]:
    """Yield the times of the reads from the one on that completes the first event; of a coded body, all of them."""
    stream, response = each.transcript, each.exchange.response
    assert response is not None
    assert stream.stream is not None
    missing = stream.stream.events[0].end if len(response.body) == len(stream.body) else 0
    for time, count in response.reads or ():
        missing -= count
        if missing <= 0:
            yield time


def _instants(times: Iterable[int]) -> Iterator[int]:
    """Yield the beginning of each instant."""
    last = None
    for time in times:
        if last is None or time - last >= INSTANT:
            last = time
            yield time


def _ended(stream: Transcript) -> int | Reason:
    """Count the [DONE]s of an answer that ended, or was waited for in vain; one that is never dispatched is none."""
    if stream.ended_early and not is_held(stream):
        return Reason.OTHER_BRANCH
    return sum(sentinel.event is not None for sentinel in stream.sentinels) or Reason.NOTHING_TO_EXAMINE


@check("sse.done.closed", level=SHOULD, over=streams, examines=_ended, needs="sse.done.present", cites="TRN-10")
def done_closed(stream: Transcript) -> Iterator[Finding]:
    """The answer ends with `data: [DONE]`: the connection is not held open after it.

    Breaks: clients that read to the end of the body wait for as long as the server does, and connections run out.
    Fix: end the body, with the last chunk of the transfer coding, as soon as [DONE] is sent.
    """
    if is_held(stream):
        end = len(stream.body)
        got = f"nothing more; the exchange ended as: {stream.exchange.end}"
        yield stream.spot((end, end), got, "the end of the body")
