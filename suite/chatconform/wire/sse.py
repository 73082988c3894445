"""The event stream of WHATWG HTML 9.2.5-9.2.6, read from bytes: events, offsets, and what it threw away.

Offsets count the bytes of the content-decoded body from 0 and include the byte order mark. No input raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from chatconform.model import Span
from chatconform.wire.events import DATA, Event, Events, plain_span

BOM = b"\xef\xbb\xbf"
"""The byte order mark, which is dropped once, at the start of the body."""

ILL_FORMED_KEPT = 1_000
"""How many ill-formed byte sequences of one body are kept."""

RETRY_DIGITS = 4_300
"""The longest `retry` value that is kept, in digits: Python reads no longer number."""

_SEQUENCE = re.compile(
    rb"[\xC2-\xDF][\x80-\xBF]|\xE0[\xA0-\xBF][\x80-\xBF]|[\xE1-\xEC\xEE\xEF][\x80-\xBF]{2}"
    rb"|\xED[\x80-\x9F][\x80-\xBF]|\xF0[\x90-\xBF][\x80-\xBF]{2}|[\xF1-\xF3][\x80-\xBF]{3}"
    rb"|\xF4[\x80-\x8F][\x80-\xBF]{2}"
    rb"|(\xE0[\xA0-\xBF]?|[\xE1-\xEC\xEE\xEF][\x80-\xBF]?|\xED[\x80-\x9F]?|\xF0(?:[\x90-\xBF][\x80-\xBF]?)?"
    rb"|[\xF1-\xF3][\x80-\xBF]{0,2}|\xF4(?:[\x80-\x8F][\x80-\xBF]?)?|[\x80-\xFF])"
)


class LineEnding(StrEnum):
    """The three line ends of an event stream; there are no others."""

    LF = "lf"
    CRLF = "crlf"
    CR = "cr"


@dataclass(frozen=True, slots=True)
class Block:
    """A block closed by a blank line that dispatched nothing: it had `fields`, in order, but no data."""

    start: int
    end: int
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Comment:
    """A line that starts with a colon, without its line end."""

    start: int
    end: int


@dataclass(frozen=True, slots=True)
class UnknownField:
    """A field that is not data, event, id or retry; [start, end) is its line without its line end."""

    name: bytes
    value: bytes
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tail:
    """What the end of the body discarded, from the first line of its last block to the end of the body.

    `fields` names the fields other than data, in order; both they and `data_spans` include a last line
    that no line end closed (`unterminated_line`).
    """

    start: int
    end: int
    data_spans: tuple[Span, ...]
    fields: tuple[str, ...]
    unterminated_line: bool


@dataclass(frozen=True, slots=True)
class EventStream:
    """A body read whole.

    `retries` are the accepted reconnection times in milliseconds. `tail` is None where nothing but comments
    was discarded. `blank_after_id` are the blank lines that dispatch nothing while a last event id is set.
    `invalid_utf8` are the maximal subparts of ill-formed sequences (Unicode 3.9), at most ILL_FORMED_KEPT.
    """

    events: Events
    blocks: tuple[Block, ...]
    comments: tuple[Comment, ...]
    unknown_fields: tuple[UnknownField, ...]
    retries: tuple[int, ...]
    line_endings: frozenset[LineEnding]
    bom: bool
    tail: Tail | None
    blank_after_id: tuple[Span, ...]
    invalid_utf8: tuple[Span, ...]


def decode(body: bytes) -> EventStream:
    """Read a whole body."""
    decoder = Decoder()
    decoder.take(body)
    return decoder.close()


def ill_formed_utf8(text: bytes, offset: int = 0) -> Iterator[Span]:
    """Yield where `text`, which stands at `offset`, is no UTF-8: maximal subparts (Unicode 3.9), in order."""
    if text.isascii():
        return
    try:
        text.decode()
    except UnicodeDecodeError:
        for match in _SEQUENCE.finditer(text):
            if match[1]:
                yield offset + match.start(), offset + match.end()


def _line_endings(lines: bytes) -> set[LineEnding]:
    """Return which line ends occur in whole lines."""
    if b"\r" not in lines:
        return {LineEnding.LF}
    both = lines.count(b"\r\n")
    found = {
        LineEnding.CRLF: both,
        LineEnding.LF: lines.count(b"\n") - both,
        LineEnding.CR: lines.count(b"\r") - both,
    }
    return {ending for ending, count in found.items() if count}


def _text(value: bytes) -> str:
    return value.decode("utf-8", "replace")


def _field(line: bytes) -> tuple[bytes, bytes]:
    """Split a line that is no comment into its field's name and value, less one space."""
    name, _, value = line.partition(b":")
    return name, value.removeprefix(b" ")


class _Pending:
    """The block that is being read; `start` is negative before its first line."""

    __slots__ = ("data", "fields", "spans", "start", "type")

    def __init__(self) -> None:
        self.start = -1
        self.type = ""
        self.data: list[bytes] = []
        self.spans: list[Span] = []
        self.fields: list[str] = []

    def event(self, number: int, last_event_id: str, end: int) -> Event:
        """Return the event that a blank line which stops at `end` dispatches."""
        data, spans = b"\n".join(self.data), tuple(self.spans)
        lines = () if spans == (plain_span(self.start, data),) else spans
        return Event(number, self.type or "message", data, last_event_id, self.start, end, lines)


class Decoder:
    """Reads a body piece by piece; the result does not depend on where the pieces were cut.

    The time is linear in the bytes, also when they come one at a time.
    """

    def __init__(self) -> None:
        self._events = Events()
        self._blocks: list[Block] = []
        self._comments: list[Comment] = []
        self._unknown_fields: list[UnknownField] = []
        self._retries: list[int] = []
        self._line_endings: set[LineEnding] = set()
        self._bom = False
        self._blank_after_id: list[Span] = []
        self._invalid_utf8: list[Span] = []
        self._offset = 0
        self._rest = bytearray()
        self._held = b""
        self._last_event_id = ""
        self._pending = _Pending()

    def feed(self, piece: bytes) -> tuple[Event, ...]:
        """Return the events that `piece` completes.

        A CR at the very end waits for the next piece, which may begin with its LF, or for `close`.
        """
        known = len(self._events)
        self.take(piece)
        return self._events.after(known)

    def take(self, piece: bytes) -> None:
        """Read the next piece as `feed` does, for whoever wants the events at the end."""
        piece = self._held + piece
        self._held = b"\r" if piece.endswith(b"\r") else b""
        self._read(piece.removesuffix(b"\r"))

    def close(self) -> EventStream:
        """Return the whole reading; the body ends here, and nothing may be fed after."""
        if self._held:
            self._read(self._held)
        return EventStream(
            tail=self._tail(),
            events=self._events,
            blocks=tuple(self._blocks),
            comments=tuple(self._comments),
            unknown_fields=tuple(self._unknown_fields),
            retries=tuple(self._retries),
            line_endings=frozenset(self._line_endings),
            bom=self._bom,
            blank_after_id=tuple(self._blank_after_id),
            invalid_utf8=tuple(self._invalid_utf8),
        )

    def _read(self, piece: bytes) -> None:
        """Read the lines that `piece` completes and keep the rest."""
        cut = max(piece.rfind(b"\n"), piece.rfind(b"\r")) + 1
        if not cut:
            self._rest += piece
            return
        lines = self._begin(bytes(self._rest) + piece[:cut])
        self._rest = bytearray(piece[cut:])
        found = _line_endings(lines)
        self._line_endings |= found
        if LineEnding.CR in found:
            self._read_lines(lines)
        else:
            self._read_blocks(lines, b"\r\n\r\n" if LineEnding.CRLF in found else b"\n\n")

    def _begin(self, text: bytes) -> bytes:
        """Drop the byte order mark where the body starts, and note what is no UTF-8."""
        if self._offset == 0 and text.startswith(BOM):
            self._bom = True
            self._offset = len(BOM)
            text = text[len(BOM) :]
        if not text.isascii():
            room = ILL_FORMED_KEPT - len(self._invalid_utf8)
            self._invalid_utf8 += islice(ill_formed_utf8(text, self._offset), room)
        return text

    def _read_blocks(self, lines: bytes, blank: bytes) -> None:
        """Read whole lines without bare CR. Between two `blank` + `data: ` stands mostly one event's data."""
        first, *others = lines.split(blank + DATA)
        if not others:
            self._read_lines(lines)
            return
        last = others.pop()
        if self._pending.start < 0 and first.startswith(DATA):
            others.insert(0, first.removeprefix(DATA))
        else:
            self._read_lines(first + blank)
        self._read_parts(others, blank)
        self._read_lines(DATA + last)

    def _read_parts(self, parts: list[bytes], blank: bytes) -> None:
        """Read what followed `data: ` at a block's start and ends with `blank`: mostly one event's data each."""
        joined = b"".join(parts)
        if b"\n" not in joined:
            self._events.add_run(parts, self._offset, len(blank), self._last_event_id)
            self._offset += len(joined) + len(parts) * (len(DATA) + len(blank))
        elif len(parts) > 1:
            for part in parts:
                self._read_parts([part], blank)
        else:
            self._read_lines(DATA + parts[0] + blank)

    def _read_lines(self, lines: bytes) -> None:
        """Read whole lines of any kind."""
        start = self._offset
        for terminated in lines.splitlines(keepends=True):
            line = terminated.rstrip(b"\r\n")
            end = start + len(terminated)
            if line:
                self._read_line(line, start)
            else:
                self._read_blank_line(start, end)
            start = end
        self._offset = start

    def _read_line(self, line: bytes, start: int) -> None:
        pending = self._pending
        if pending.start < 0:
            pending.start = start
        if line.startswith(b":"):
            self._comments.append(Comment(start, start + len(line)))
            return
        name, value = _field(line)
        end = start + len(line)
        if name == b"data":
            pending.data.append(value)
            pending.spans.append((end - len(value), end))
        else:
            pending.fields.append(_text(name))
            self._read_field(name, value, (start, end))

    def _read_field(self, name: bytes, value: bytes, line: Span) -> None:
        """Read a field that is not data."""
        if name == b"event":
            self._pending.type = _text(value)
        elif name == b"id":
            if b"\0" not in value:
                self._last_event_id = _text(value)
        elif name == b"retry":
            if value.isdigit() and len(value) <= RETRY_DIGITS:
                self._retries.append(int(value))
        else:
            self._unknown_fields.append(UnknownField(name, value, *line))

    def _read_blank_line(self, start: int, end: int) -> None:
        """Close the block that is pending; [start, end) is the blank line."""
        pending = self._pending
        if pending.spans:
            self._events.add(pending.event(len(self._events) + 1, self._last_event_id, end))
        elif self._last_event_id:
            self._blank_after_id.append((start, end))
        if pending.fields and not pending.spans:
            self._blocks.append(Block(pending.start, end, tuple(pending.fields)))
        if pending.start >= 0:
            self._pending = _Pending()

    def _tail(self) -> Tail | None:
        """What is pending when the body ends. The unterminated line takes no effect."""
        pending = self._pending
        if not self._rest and pending.start < 0:
            return None
        line = self._begin(bytes(self._rest))
        end = self._offset + len(line)
        if line and not line.startswith(b":"):
            name, value = _field(line)
            if name == b"data":
                pending.spans.append((end - len(value), end))
            else:
                pending.fields.append(_text(name))
        if not pending.spans and not pending.fields:
            return None
        start = pending.start if pending.start >= 0 else self._offset
        return Tail(start, end, tuple(pending.spans), tuple(pending.fields), bool(line))
