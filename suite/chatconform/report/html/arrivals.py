"""How the text of streams arrives: one stroke for the events that were whole at one moment, on a scale of time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from chatconform.model import ExchangeSummary

_STEPS = (1, 2, 5)
_TICKS = 6


@dataclass(frozen=True, slots=True)
class Stroke:
    """Events that were whole at one moment: where it stands in hundredths of the width, and how tall it is."""

    x: str
    top: int


@dataclass(frozen=True, slots=True)
class Arrival:
    """One stream. `done` is where [DONE] stands, None where it never came; `end` is where the last byte does."""

    exchange: ExchangeSummary
    strokes: tuple[Stroke, ...]
    done: str | None
    end: str
    first: int
    last: int
    events: int
    moments: int

    @property
    def is_cut(self) -> bool:
        """Whether the exchange ended in another way than HTTP says."""
        return self.exchange.end != "complete"


@dataclass(frozen=True, slots=True)
class Tick:
    """A time on the scale."""

    x: str
    says: str


@dataclass(frozen=True, slots=True)
class Arrivals:
    """Streams on one scale of time."""

    streams: tuple[Arrival, ...]
    ticks: tuple[Tick, ...]


def drawn(exchanges: Iterable[ExchangeSummary]) -> Arrivals | None:
    """The streams among exchanges, on one scale; None where none was timed."""
    timed = [each for each in exchanges if each.received.timeline]
    if not timed:
        return None
    longest = max(_last(each) for each in timed) or 1
    step = _step(longest)
    ticks = (Tick(_place(at, longest), _says(at)) for at in range(0, longest + 1, step))
    return Arrivals(tuple(_arrival(each, longest) for each in timed), tuple(ticks))


def alike(groups: Sequence[Sequence[ExchangeSummary]]) -> list[ExchangeSummary]:
    """One stream of each group: of the scenario that most groups have, else of the most events."""
    streams = [[each for each in group if each.received.timeline] for group in groups]
    asked = Counter(name for group in streams for name in {_name(each) for each in group})
    events = Counter[str]()
    for each in (each for group in streams for each in group):
        events[_name(each)] += _count(each)
    common = max(asked, key=lambda name: (asked[name], events[name], name), default="")
    return [max(group, key=lambda each: (_name(each) == common, _count(each), each.id)) for group in streams if group]


def _name(exchange: ExchangeSummary) -> str:
    return exchange.sent.scenario or exchange.id


def _count(exchange: ExchangeSummary) -> int:
    return sum(count for _, count in exchange.received.timeline.events) if exchange.received.timeline else 0


def _last(exchange: ExchangeSummary) -> int:
    """When the last byte of a stream came."""
    timeline = exchange.received.timeline
    assert timeline is not None
    return max(exchange.timings.get("last_read", 0), timeline.done or 0, *(time for time, _ in timeline.events))


def _arrival(exchange: ExchangeSummary, longest: int) -> Arrival:
    timeline = exchange.received.timeline
    assert timeline is not None
    strokes = tuple(Stroke(_place(time, longest), _top(count)) for time, count in timeline.events)
    return Arrival(
        exchange=exchange,
        strokes=strokes,
        done=None if timeline.done is None else _place(timeline.done, longest),
        end=_place(_last(exchange), longest),
        first=timeline.events[0][0],
        last=timeline.events[-1][0],
        events=_count(exchange),
        moments=len(timeline.events),
    )


def _top(count: int) -> int:
    """The top of a stroke, in pixels from above: the more events at one moment, the taller it is."""
    return max(3, 11 - 2 * (count - 1).bit_length())


def _place(time: int, longest: int) -> str:
    """Where a time stands: from 1 to 98 hundredths of the width, so that no sign is cut."""
    return f"{1 + 97 * time / longest:.2f}"


def _step(longest: int) -> int:
    """The distance of ticks, in microseconds: 1, 2 or 5 times a power of ten."""
    power = 1
    while True:
        for step in _STEPS:
            if longest <= step * power * _TICKS:
                return step * power
        power *= 10


def _says(time: int) -> str:
    """A time of the scale in words."""
    if time == 0:
        return "0"
    return f"{time / 1_000_000:g} s" if time >= 1_000_000 else f"{time / 1000:g} ms"
