"""Where a secret stands in bytes: in each form in which an endpoint may echo it, and split over events or members."""

from __future__ import annotations

import json
import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from chatconform.model import JsonValue, Span
from chatconform.recordings.forms import Forms
from chatconform.wire import sse, strict_json

_UNITS = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|\\u....|\\.|[\xc0-\xff][\x80-\xbf]*|.", re.DOTALL)
_TOKEN = re.compile(rb'("(?:[^"\\]|\\.)*+"|[0-9]+)[ \t\r\n]*(:)?|[\[\]{},]', re.DOTALL)
_STAR = str(ord("*")).encode()
_LETTERS, _NUMBER, _IN_LINE = re.compile(rb"[A-Za-z]"), re.compile(rb"[0-9]+"), re.compile(rb"[^\r\n]")
_Place = tuple[str | int, ...]


class Found(NamedTuple):
    """The half-open range of bytes that holds a secret or a part of one, and as many bytes to be written instead."""

    start: int
    end: int
    instead: bytes


def whole(forms: Forms, data: bytes) -> Iterator[Found]:
    """Yield each secret that stands in the bytes as they are. Lines keep their ends, and a list its numbers."""
    for start, end in forms.find(data):
        text = data[start:end]
        is_list = b"," in text and not _LETTERS.search(text)
        yield Found(start, end, _NUMBER.sub(_another, text) if is_list else _IN_LINE.sub(b"*", text))


def _another(number: re.Match[bytes]) -> bytes:
    return _STAR.rjust(len(number[0]))


def _starred(start: int, end: int) -> Found:
    return Found(start, end, b"*" * (end - start))


@dataclass(frozen=True, slots=True)
class _Piece:
    """A string of an event, or a number that stands for a byte: its `path`, or the `start` of its text as it stands."""

    text: bytes
    event: int
    path: _Place = ()
    start: int | None = None


def split(forms: Forms, body: bytes) -> Iterator[Found]:
    """Yield the parts of secrets that only joining shows: of like strings of successive events or members.

    Strings are alike that have the same path; in a list the member `index` tells apart, else nothing does. The
    numbers of a list are bytes, as in logprobs.
    """
    events = _events(body)
    alike: dict[_Place, list[_Piece]] = {}
    reader = _Reader()
    for number, (data, _) in enumerate(events):
        for group, piece in reader.read(data, number):
            alike.setdefault(group, []).append(piece)
    literals = cache(lambda event: _literals(events[event][0]))
    for pieces in alike.values():
        for piece, part in _parts(forms, pieces):
            data, spans = events[piece.event]
            if piece.start is None:
                found = _raw(data, literals(piece.event)[piece.path], piece, part)
            else:
                found = _starred(piece.start + part[0], piece.start + part[1])
            yield Found(_in_body(spans, found.start), _in_body(spans, found.end - 1) + 1, found.instead)


class _Reader:
    """Reads the strings of successive events. One that repeats the last but for one string is not parsed again."""

    def __init__(self) -> None:
        self._last = self._before = self._after = b""
        self._group: _Place | None = None

    def read(self, data: bytes, event: int) -> Iterable[tuple[_Place, _Piece]]:
        """Return the strings of an event, each with what it is alike by; those that repeat are left out."""
        text = self._changed(data)
        if text is not None and self._group is not None:
            return [(self._group, _Piece(text, event, start=len(self._before)))]
        read = list(_pieces(data, event))
        self._learn(data, {piece.path: group for group, piece in read})
        self._last = data
        return read

    def _changed(self, data: bytes) -> bytes | None:
        """Return the one text that is new, which holds no escape; None where there may be more that is."""
        if not (data.startswith(self._before) and data.endswith(self._after)):
            return None
        text = data[len(self._before) : len(data) - len(self._after)]
        around = len(self._before) + len(self._after)
        return None if len(data) < around or b'"' in text or b"\\" in text else text

    def _learn(self, data: bytes, groups: Mapping[_Place, _Place]) -> None:
        """Find the one string in which an event differs from the one before it."""
        shared = _shared(self._last, data)
        start, end = data.rfind(b'"', 0, shared) + 1, data.find(b'"', shared)
        self._group, self._before, self._after = None, data[:start], data[end:]
        if 0 < start <= end and self._changed(self._last) is not None and self._changed(data) is not None:
            path = next((path for path, span in _literals(data).items() if span == (start - 1, end + 1)), None)
            self._group = groups.get(path) if path else None


def _shared(one: bytes, other: bytes) -> int:
    """Return how many bytes two texts have in common at their start."""
    longest = min(len(one), len(other))
    return bisect_left(range(1, longest + 1), True, key=lambda length: one[:length] != other[:length])


def _events(body: bytes) -> list[tuple[bytes, tuple[Span, ...]]]:
    """Return the data of each event and where its lines stand, the last one's even if it is cut; else the body."""
    events = [(event.data, event.data_spans) for event in sse.decode(body + b"\n\n").events]
    return events or [(body, ((0, len(body)),))]


def _pieces(data: bytes, event: int) -> Iterator[tuple[_Place, _Piece]]:
    document = strict_json.parse(data)
    if document.fault or document.limit:
        yield (), _Piece(data, event, start=0)
        return
    for group, path, text in _strings(document.value, (), ()):
        yield group, _Piece(text, event, path)


def _strings(value: JsonValue, group: _Place, path: _Place) -> Iterator[tuple[_Place, _Place, bytes]]:
    if isinstance(value, str):
        yield group, path, value.encode("utf-8", "surrogatepass")
    elif isinstance(value, dict):
        for name, member in value.items():
            yield from _strings(member, (*group, name), (*path, name))
    elif isinstance(value, list):
        for number, member in enumerate(value):
            index = member.get("index") if isinstance(member, dict) else None
            step = index if isinstance(index, int) else "*"
            yield from _strings(member, (*group, step), (*path, number))
            if type(member) is int and 0 <= member <= 255:
                yield (*group, step), (*path, number), bytes([member])


def _parts(forms: Forms, pieces: list[_Piece]) -> Iterator[tuple[_Piece, Span]]:
    """Yield the pieces over which a secret goes, each with the half-open range of its bytes."""
    ends = list(accumulate(len(piece.text) for piece in pieces))
    for start, end in forms.find(b"".join(piece.text for piece in pieces)):
        first, last = bisect_right(ends, start), bisect_left(ends, end)
        for number in range(first, last + 1) if last > first else ():
            length = len(pieces[number].text)
            before = ends[number] - length
            if length:
                yield pieces[number], (max(start - before, 0), min(end - before, length))


def _raw(data: bytes, literal: Span, piece: _Piece, part: Span) -> Found:
    """Return where a part of a string stands in the JSON text that holds it, escapes whole; or a number."""
    start, end = literal
    if data[start : start + 1] != b'"':
        return Found(start, end, _STAR.rjust(end - start))
    units = [match.span() for match in _UNITS.finditer(data, start + 1, end - 1)]
    first, last = (len(piece.text[:offset].decode("utf-8", "surrogatepass")) for offset in part)
    return _starred(units[first][0], units[last - 1][1])


def _literals(data: bytes) -> dict[_Place, Span]:
    """Return where each string and number of a JSON text stands, by its path; of duplicate keys the last."""
    spans: dict[_Place, Span] = {}
    path: list[str | int] = []
    for token in _TOKEN.finditer(data):
        mark = token[0][:1]
        if mark in b"[{":
            path.append(0 if mark == b"[" else "")
        elif mark in b"]}":
            path.pop()
        elif mark == b",":
            path[-1] = path[-1] + 1 if isinstance(path[-1], int) else path[-1]
        elif token[2]:
            path[-1] = json.loads(token[1])
        else:
            spans[tuple(path)] = token.span(1)
    return spans


def _in_body(spans: tuple[Span, ...], offset: int) -> int:
    """Turn an offset of an event's data, whose lines are joined by one LF, into one of the body."""
    for start, end in spans:
        if offset <= end - start:
            return start + offset
        offset -= end - start + 1
    return spans[-1][1]
