"""When an answer came: times and spans of time in microseconds, from the reads that were recorded."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from chatconform.exhibits import Timeline
from chatconform.wire.excerpts import Excerpts
from chatconform.wire.transcript import Transcript

STROKES = 120
"""How many moments of a stream a timeline tells apart."""


def timings(transcript: Transcript) -> dict[str, int]:
    """Return what the reads say of time; nothing where none were recorded.

    `headers`, `first_read`, `last_read`, `first_event` and `last_event` count from when the request was sent.
    `longest_pause` is the longest time without a byte between the header fields and the last read, and
    `after_last_event` the time from the last event to the last read.
    """
    response = transcript.exchange.response
    if response is None or not response.reads:
        return {}
    times = [time for time, _ in response.reads]
    arrivals = transcript.arrivals()
    begun = [] if response.headers_after is None else [response.headers_after]
    found = {"first_read": times[0], "last_read": times[-1]}
    found |= {"headers": begun[0]} if begun else {}
    found |= {"longest_pause": max((later - time for time, later in pairwise([*begun, *times])), default=0)}
    if arrivals:
        after = times[-1] - arrivals[-1]
        found |= {"first_event": arrivals[0], "last_event": arrivals[-1], "after_last_event": after}
    return found


def timeline(transcript: Transcript) -> Timeline | None:
    """Return when the events of a stream were whole; None where no reads were recorded, or no event came."""
    arrivals = transcript.arrivals()
    if not arrivals:
        return None
    moments = sorted(Counter(arrivals).items())
    step = -(-len(moments) // STROKES)
    runs = (moments[begin : begin + step] for begin in range(0, len(moments), step))
    events = tuple((run[0][0], sum(count for _, count in run)) for run in runs)
    ends = (sentinel.span[1] for sentinel in transcript.sentinels)
    done = next((Excerpts(transcript).read_at(end) for end in ends), None)
    return Timeline(events, done)
