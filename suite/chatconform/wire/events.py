"""The events of a stream (WHATWG HTML 9.2.6): one of them, and all of them in their order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple, overload

from chatconform.model import Span

DATA = b"data: "
"""How the one line of nearly every event begins."""

_new = tuple.__new__  # makes an Event in half the time of calling the class


class Event(NamedTuple):
    """A dispatched event, numbered from 1; [start, end) is its block, from its first line to its blank line.

    `data` is its data lines joined by LF, undecoded. `lines` is () where its only data value follows `data: `
    at the start of its block, as nearly all do, else what `data_spans` gives.
    """

    number: int
    type: str
    data: bytes
    last_event_id: str
    start: int
    end: int
    lines: tuple[Span, ...] = ()

    @property
    def data_spans(self) -> tuple[Span, ...]:
        """Where the value of each data line stands in the body."""
        return self.lines or (plain_span(self.start, self.data),)

    @property
    def text(self) -> str:
        """The data decoded as UTF-8, with U+FFFD for each ill-formed sequence."""
        return self.data.decode("utf-8", "replace")

    @property
    def span(self) -> Span:
        """From the start of the first data value to the end of the last."""
        spans = self.data_spans
        return spans[0][0], spans[-1][1]


def plain_span(block_start: int, data: bytes) -> Span:
    """Where `data` stands if it follows `data: ` at the start of its block."""
    start = block_start + len(DATA)
    return start, start + len(data)


class Events(Sequence[Event]):
    """The events of a stream. Plain ones are kept as their data alone: they are made when somebody reads one.

    `data` are the data of each event. An event is plain where it is a message in one line that begins with
    `data: `; plain ones come in runs without anything between them. `others` are the events that stand in no
    run, by their index.
    """

    __slots__ = ("_made", "_runs", "data", "others")

    def __init__(self) -> None:
        self.data: list[bytes] = []
        self.others: dict[int, Event] = {}
        self._runs: dict[int, tuple[int, int, str]] = {}
        self._made: tuple[Event, ...] | None = None

    def add(self, event: Event) -> None:
        """Add an event that stands in no run."""
        self.others[len(self.data)] = event
        self.data.append(event.data)
        self._made = None

    def add_run(self, data: Sequence[bytes], start: int, blank: int, last_event_id: str) -> None:
        """Add plain events, the first of which begins at `start`; each line's end and blank line are `blank` bytes."""
        self._runs[len(self.data)] = start, len(DATA) + blank, last_event_id
        self.data += data
        self._made = None

    @property
    def are_messages(self) -> bool:
        """Whether no event has a type of its own."""
        return all(event.type == "message" for event in self.others.values())

    def type(self, index: int) -> str:
        """Return the type of an event."""
        event = self.others.get(index)
        return event.type if event else "message"

    @overload
    def __getitem__(self, index: int) -> Event: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Event, ...]: ...
    def __getitem__(self, index: int | slice) -> Event | tuple[Event, ...]:
        """Return an event, or several."""
        found = self.others.get(index) if isinstance(index, int) else None
        return found or self._all()[index]

    def __iter__(self) -> Iterator[Event]:
        """Yield every event."""
        return iter(self._all())

    def __len__(self) -> int:
        """Return how many there are."""
        return len(self.data)

    def __eq__(self, other: object) -> bool:
        """Whether two streams have the same events, however they were kept."""
        return self._all() == other._all() if isinstance(other, Events) else NotImplemented

    def __hash__(self) -> int:
        """Return what is the same for the same events."""
        return hash(self._all())

    def span(self, index: int) -> Span:
        """Return where the data of an event stand, without making those before it."""
        event = self.others.get(index)
        if event is not None:
            return event.span
        first = max(begins for begins in self._runs if begins <= index)
        start, around, _ = self._runs[first]
        return plain_span(start + sum(map(len, self.data[first:index])) + around * (index - first), self.data[index])

    def after(self, index: int) -> tuple[Event, ...]:
        """Return the events from one on that begins a run, or stands in none."""
        return tuple(self._make(index))

    def _all(self) -> tuple[Event, ...]:
        if self._made is None:
            self._made = tuple(self._make(0))
        return self._made

    def _make(self, first: int) -> Iterator[Event]:
        end, around, last_event_id = 0, 0, ""
        for index, data in enumerate(self.data[first:], first):
            event = self.others.get(index)
            if event is None:
                start, around, last_event_id = self._runs.get(index, (end, around, last_event_id))
                end = start + len(data) + around
                event = _new(Event, (index + 1, "message", data, last_event_id, start, end, ()))
            yield event
