"""Recorded traffic in batches of whole lines, as bytes: what is read here is not looked at but for its line feeds.

Files come by name and each one once, so that which lines come first does not hang on how they were named. Which lines
there are does not hang on the size of a batch: of packed data the same bytes are read, up to the same one.
"""

from __future__ import annotations

import os
import stat
import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from io import BufferedReader, BytesIO
from itertools import chain
from pathlib import Path
from typing import Final, TypeAlias

from chatconform.bulk.counts import Counts, Unread
from chatconform.model import Place
from chatconform.recordings import sources
from chatconform.recordings.sources import FREE, MAX_LINE, MAX_RATIO, Unreadable

STDIN: Final = "-"
BATCH: Final = 4 * 1024 * 1024
"""About how many bytes of lines are counted at a time; at most `MAX_LINE`."""
PIECE: Final = 256 * 1024
"""About how many bytes of lines are kept in one piece: the room of larger ones is not given back when they are gone."""
_MAX_PIECES = 500
_READ = 64 * 1024
_INFLATED = 1024 * 1024
_GZIP = b"\x1f\x8b"
_WINDOW = zlib.MAX_WBITS | 16


@dataclass(frozen=True, slots=True)
class Piece:
    """Whole lines of one source, from the one numbered `first` on; `is_file` where it is a file of one exchange."""

    source: str
    first: int
    data: bytes
    is_file: bool = False

    @property
    def lines(self) -> Iterator[bytes]:
        """The lines, one by one, with their line feeds."""
        return iter((self.data,)) if self.is_file else iter(BytesIO(self.data))

    def halves(self) -> tuple[Piece, Piece] | None:
        """Return the first and the second half of the lines; None where there is but one."""
        middle = self.data.find(b"\n", len(self.data) // 2, len(self.data) - 1) + 1
        middle = middle or self.data.rfind(b"\n", 0, len(self.data) // 2) + 1
        if self.is_file or not middle:
            return None
        before, after = self.data[:middle], self.data[middle:]
        return Piece(self.source, self.first, before), Piece(self.source, self.first + _ends(before), after)


@dataclass(frozen=True, slots=True)
class Batch:
    """Pieces that are judged together; what could not be read on the way to them; how many bytes of files were read."""

    pieces: tuple[Piece, ...]
    unread: Counts
    read: int


Source: TypeAlias = Path | Unreadable | str
"""A file to read, what is in its place, or standard input."""


def listed(paths: Iterable[str | Path]) -> list[Source]:
    """Return the files that paths and folders name, by name and each of them once."""
    found: dict[str, Source] = {}
    for given in paths:
        if str(given) == STDIN:
            found[STDIN] = STDIN
        elif Path(given).is_dir():
            files = list(sources.files(Path(given)))
            found.update((_name(each), each) for each in files or [_nothing_in(str(given))])
        else:
            found[str(given)] = Path(given)
    return [found[name] for name in sorted(found)]


def _nothing_in(folder: str) -> Unreadable:
    return Unreadable(Place(folder), "holds no recorded exchange", "name a folder with .json or .jsonl files in it")


def _name(source: Path | Unreadable) -> str:
    return str(source) if isinstance(source, Path) else source.place.file


def size(files: Iterable[Source]) -> int | None:
    """Return how many bytes the files have, as far as they are there; None where one of them has no known end."""
    total = 0
    for each in files:
        if isinstance(each, Unreadable):
            continue
        try:
            status = each.stat() if isinstance(each, Path) else None
        except OSError:
            continue
        if status is None or not stat.S_ISREG(status.st_mode):
            return None
        total += status.st_size
    return total


def batches(files: Sequence[Source], stdin: BufferedReader, least: int = BATCH) -> Iterator[Batch]:
    """Yield the lines of files in batches of at least so many bytes, but for the last one. Never raises for a file."""
    pieces: list[Piece] = []
    unread, pending, read = Counts(), 0, 0
    for item, taken in _read(files, stdin, min(least, PIECE)):
        read += taken
        if isinstance(item, Counts):
            unread += item
        else:
            pieces.append(item)
            pending += len(item.data)
        if pending >= least or len(pieces) >= _MAX_PIECES or unread.unread >= _MAX_PIECES:
            yield Batch(tuple(pieces), unread, read)
            pieces, unread, pending, read = [], Counts(), 0, 0
    if pieces or unread.unread or read:
        yield Batch(tuple(pieces), unread, read)


def unreadable(error: Unreadable, lines: int = 0) -> Counts:
    """Return what is counted for a line or a file that cannot be read."""
    return Counts(lines=lines, unread=1, first_unread=(Unread(error.place, error.problem, error.remedy),))


def _read(files: Sequence[Source], stdin: BufferedReader, least: int) -> Iterator[tuple[Piece | Counts, int]]:
    """Yield pieces and what cannot be read, each with how many bytes of files were read since the last."""
    for source in files:
        if isinstance(source, Unreadable):
            yield unreadable(source), 0
            continue
        name = str(source)
        try:
            if isinstance(source, str):
                yield from _Lines(stdin, name, least).read()
            elif name.endswith(".json"):
                data = sources.whole(source)
                yield Piece(name, 1, data, is_file=True), len(data)
            else:
                with source.open("rb") as file:
                    yield from _Lines(file, name, least).read()
        except Unreadable as error:
            yield unreadable(error), 0
        except FileNotFoundError:
            yield unreadable(Unreadable(Place(name), "no such file or folder", "name a recording that exists")), 0
        except OSError as error:
            problem = f"cannot be read: {error.strerror}"
            yield unreadable(Unreadable(Place(name), problem, "check the file, then judge again")), 0


class _Stopped(Exception):  # noqa: N818
    """Why a file is not read further."""

    def __init__(self, problem: str, remedy: str) -> None:
        super().__init__(problem)
        self.problem, self.remedy = problem, remedy


class _Lines:
    """The lines of one file, in pieces. A line that is too long is passed over, and never kept whole."""

    def __init__(self, file: BufferedReader, name: str, least: int) -> None:
        self._file, self._name, self._least = file, name, least
        self._number = 1
        self._parts: list[bytes] = []
        self._pending = self._taken = 0
        self._has_whole = self._is_rest = False

    def read(self) -> Iterator[tuple[Piece | Counts, int]]:
        """Yield pieces of at least so many bytes; the last may be shorter. What is cut off is no line."""
        try:
            for data in _unpacked(self._raw(), os.fstat(self._file.fileno()).st_size):
                for start in range(0, len(data), self._least):
                    yield from self._take(data[start : start + self._least])
        except (_Stopped, OSError) as error:
            yield from self._flush(end=False)
            yield self._stopped(error), self._count()
            return
        yield from self._flush(end=True)
        if self._number == 1:
            problem = Unreadable(Place(self._name), "holds no exchange", "one JSON object a line is expected")
            yield unreadable(problem), self._count()

    def _raw(self) -> Iterator[bytes]:
        while data := self._file.read1(_READ):
            self._taken += len(data)
            yield data

    def _take(self, data: bytes) -> Iterator[tuple[Piece | Counts, int]]:
        if self._is_rest:
            end = data.find(b"\n") + 1
            if not end:
                return
            self._is_rest, data = False, data[end:]
        self._parts.append(data)
        self._pending += len(data)
        self._has_whole |= b"\n" in data
        if (self._has_whole and self._pending >= self._least) or self._pending > MAX_LINE:
            yield from self._flush(end=False)

    def _flush(self, *, end: bool) -> Iterator[tuple[Piece | Counts, int]]:
        """Yield the whole lines that are pending, and keep what is left; at the end nothing is."""
        data = b"".join(self._parts)
        self._parts = []
        cut = len(data) if end else data.rfind(b"\n") + 1
        lines, rest = data[:cut], data[cut:]
        del data
        first = lines.find(b"\n") + 1 or len(lines)
        if first > MAX_LINE:
            yield self._too_long()
            lines = lines[first:]
        if lines:
            yield Piece(self._name, self._number, lines), self._count()
            self._number += _ends(lines) + (not lines.endswith(b"\n"))
        if len(rest) > MAX_LINE:
            yield self._too_long()
            self._is_rest, rest = True, b""
        self._parts, self._pending, self._has_whole = [rest], len(rest), False

    def _too_long(self) -> tuple[Counts, int]:
        place = Place(self._name, self._number)
        self._number += 1
        error = Unreadable(place, f"is longer than {MAX_LINE} bytes", "split the recording")
        return unreadable(error, lines=1), self._count()

    def _stopped(self, error: _Stopped | OSError) -> Counts:
        if isinstance(error, OSError):
            error = _Stopped(f"cannot be read: {error.strerror}", "check the file, then judge again")
        return unreadable(Unreadable(Place(self._name, self._number), error.problem, error.remedy))

    def _count(self) -> int:
        """Return how many bytes of the file were read since the last time."""
        taken, self._taken = self._taken, 0
        return taken


def _ends(lines: bytes) -> int:
    """Count line feeds. Lines are long, and `bytes.find` passes over a line twenty times as fast as `bytes.count`."""
    count = at = 0
    while at := lines.find(b"\n", at) + 1:
        count += 1
    return count


def _unpacked(raw: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield the content of a file, through gzip where it begins as such. Raises `_Stopped`, and what reading raises."""
    start = b""
    for data in raw:
        start += data
        if len(start) >= len(_GZIP):
            break
    whole = chain((start,) if start else (), raw)
    yield from _gunzipped(whole, size) if start.startswith(_GZIP) else whole


def _gunzipped(packed: Iterator[bytes], size: int) -> Iterator[bytes]:
    """Yield what gzip members unpack to, as much of it as a packed file of this size may unpack to."""
    member = zlib.decompressobj(_WINDOW)
    given = found = 0
    for data in packed:
        given += len(data)
        left = data
        while left:
            if member.eof:
                left = left.lstrip(b"\0")
                member = zlib.decompressobj(_WINDOW) if left else member
                continue
            piece = _inflated(member, left)
            left = member.unused_data if member.eof else member.unconsumed_tail
            room = max(FREE, MAX_RATIO * max(size, given)) - found
            found += len(piece)
            yield piece[:room]
            if len(piece) > room:
                problem = f"unpacks to more than {MAX_RATIO} times its size: no more of it is read"
                raise _Stopped(problem, "unpack it with gunzip, and judge what comes of it")
    if not member.eof:
        yield member.flush()
        raise _Stopped("ends before its gzip stream does", "copy or record it again")


def _inflated(member: zlib._Decompress, data: bytes) -> bytes:
    try:
        return member.decompress(data, _INFLATED)
    except zlib.error:
        raise _Stopped("holds damaged gzip data", "copy or record it again") from None
