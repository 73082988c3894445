"""The bytes around a finding's place, as a report shows them: line by line, with event and time of arrival."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from itertools import accumulate, pairwise

from chatconform.exhibits import Evidence, Line
from chatconform.model import Span
from chatconform.wire.transcript import Transcript

BEFORE, HEAD, FOOT, AFTER = 400, 240, 120, 160
"""How many bytes are shown before a place, of its first and its last, and after it."""

LINES = 12
"""How many lines are shown at most."""

_LINE = re.compile(rb"[^\r\n]*+[\r\n]*+", re.DOTALL)


class Excerpts:
    """What one transcript shows: where its events begin, and when its bytes were read, looked up once."""

    def __init__(self, transcript: Transcript) -> None:
        """Take a transcript. Reads count the bytes before content decoding, so a decoded body has no times."""
        response = transcript.exchange.response
        self._body = transcript.body
        self._events = [event.start for event in transcript.events]
        self._ends = [event.end for event in transcript.events]
        reads = response.reads if response and len(response.body) == len(transcript.body) else None
        self._times = [time for time, _ in reads or ()]
        self._read = list(accumulate(count for _, count in reads or ()))

    def around(self, place: Span) -> Evidence:
        """Return the bytes around a place, which is marked; of one that is long its middle is left out."""
        size = len(self._body)
        start, end = min(place[0], size), min(place[1], size)
        first, last = self._character(max(0, start - BEFORE)), self._character(min(size, end + AFTER))
        shown = [(first, last)]
        if end - start > HEAD + FOOT:
            shown = [(first, self._character(start + HEAD)), (self._character(end - FOOT), last)]
        pieces = [piece for span in shown for piece in self._lines(span)]
        pieces = _from_whole_line(pieces, start) if first else pieces
        return Evidence(tuple(self._line(piece, (start, end)) for piece in _nearest(pieces, start)), size)

    def read_at(self, end: int) -> int | None:
        """Return when the bytes before this offset were read, in microseconds; None where nobody knows."""
        if not self._times or end <= 0:
            return None
        return self._times[min(len(self._times) - 1, bisect_left(self._read, end))]

    def _line(self, piece: Span, place: Span) -> Line:
        start, end = piece
        cuts = (start, *(min(max(cut, start), end) for cut in place), end)
        before, within, after = (self._body[a:b].decode("utf-8", "backslashreplace") for a, b in pairwise(cuts))
        return Line(piece, (before, within, after), self._event(start), self.read_at(end))

    def _event(self, offset: int) -> int | None:
        number = bisect_right(self._events, offset)
        return number if number and offset < self._ends[number - 1] else None

    def _lines(self, span: Span) -> Iterator[Span]:
        """Yield each line of a range with all the line ends behind it."""
        for match in _LINE.finditer(self._body, *span):
            if match.end() > match.start():
                yield match.span()

    def _character(self, offset: int) -> int:
        """Return the offset, or that of the character it stands within: a continuation byte begins none."""
        for back in range(min(4, offset)):
            if offset - back >= len(self._body) or self._body[offset - back] & 0xC0 != 0x80:
                return offset - back
        return offset


def _from_whole_line(pieces: list[Span], start: int) -> list[Span]:
    """Leave out a first line that is cut, where a whole one stands between it and the place."""
    return pieces[1:] if len(pieces) > 2 and pieces[2][0] <= start else pieces


def _nearest(pieces: list[Span], start: int) -> list[Span]:
    """Return at most LINES of the pieces, the first of them less than half of that before the place."""
    if len(pieces) <= LINES:
        return pieces
    at = next((number for number, piece in enumerate(pieces) if piece[1] > start), len(pieces) - 1)
    begin = max(0, min(at - LINES // 3, len(pieces) - LINES))
    return pieces[begin : begin + LINES]
