"""A second reading of an event stream: what openai-python makes of its bytes.

Measured with 3.52.0, 2.54.0 and 1.109.1, which are alike. Where they leave WHATWG HTML 9.2.6: every line is
decoded as UTF-8 strictly; a byte order mark is kept, so that the first line's field is unknown; and a blank
line dispatches unless event, data, last id and retry are all unset, so that a block without data, or any
further blank line after an id, dispatches empty data. The client stops at the first data that starts with
`[DONE]`, and raises on other data that is no JSON, or an object with a truthy `error`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from enum import StrEnum

from chatconform.model import Span
from chatconform.wire.sse import decode


class Ended(StrEnum):
    """How the client stopped reading."""

    DONE = "done"
    END_OF_BODY = "end-of-body"
    RAISED = "raised"


@dataclass(frozen=True, slots=True)
class Reading:
    """What the client's user gets.

    `payloads` are where the data of each yielded chunk stands, from its first data value to its last.
    `raised` names the exception; `raised_at` is the offset of the data that it rests on, of the blank line
    that dispatched empty data, or of the first byte that is no UTF-8. `lost` is the data that WHATWG HTML
    9.2.6 dispatches and this client never yields, but for the `[DONE]` at which it stopped.
    """

    payloads: tuple[Span, ...]
    ended: Ended
    raised: str | None
    raised_at: int | None
    lost: tuple[Span, ...]


def read(body: bytes) -> Reading:
    """Read a whole body as the client does, parsing every payload. No input raises."""
    payloads: list[Span] = []
    end = _read_to_end(body, payloads)
    taken = {*payloads, end.span} if end.ended is Ended.DONE else set(payloads)
    return Reading(
        payloads=tuple(payloads),
        ended=end.ended,
        raised=end.raised,
        raised_at=end.span[0] if end.raised else None,
        lost=tuple(event.span for event in decode(body).events if event.span not in taken),
    )


@dataclass(frozen=True, slots=True)
class _End:
    """Where the client stopped, and upon which exception."""

    ended: Ended
    span: Span
    raised: str | None = None


def _read_to_end(body: bytes, payloads: list[Span]) -> _End:
    """Append the span of every payload that is yielded, and return the end."""
    block = _Block()
    start = 0
    for terminated in body.splitlines(keepends=True):
        raw = terminated.rstrip(b"\r\n")
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            return _End(Ended.RAISED, (start + error.start, start + error.end), type(error).__name__)
        if line:
            block.take(line, start + len(raw))
        elif block.dispatches:
            span = block.span or (start, start)
            if end := _end_at("\n".join(block.data), span):
                return end
            payloads.append(span)
            block = _Block(last_event_id=block.last_event_id)
        start += len(terminated)
    return _End(Ended.END_OF_BODY, (start, start))


def _end_at(data: str, span: Span) -> _End | None:
    """Return the end that the data of an event makes, or None where it is a payload."""
    if data.startswith("[DONE]"):
        return _End(Ended.DONE, span)
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as error:
        return _End(Ended.RAISED, span, type(error).__name__)
    if isinstance(value, dict) and value.get("error"):
        return _End(Ended.RAISED, span, "APIError")
    return None


@dataclass(slots=True)
class _Block:
    """What the client remembers between two blank lines; the last event id it remembers for ever."""

    event: str = ""
    data: list[str] = field(default_factory=list)
    last_event_id: str = ""
    retry: int | None = None
    span: Span | None = None

    @property
    def dispatches(self) -> bool:
        """Whether a blank line dispatches: something is set."""
        return bool(self.event or self.data or self.last_event_id) or self.retry is not None

    def take(self, line: str, end: int) -> None:
        """Take in one line, which stops at byte `end`."""
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if name == "data":
            self.data.append(value)
            start = end - len(value.encode())
            self.span = (self.span[0] if self.span else start, end)
        elif name == "event":
            self.event = value
        elif name == "id" and "\0" not in value:
            self.last_event_id = value
        elif name == "retry":
            self.retry = _integer(value, self.retry)


def _integer(value: str, otherwise: int | None) -> int | None:
    """Return `value` as Python reads an integer, else `otherwise`."""
    try:
        return int(value)
    except ValueError:
        return otherwise
