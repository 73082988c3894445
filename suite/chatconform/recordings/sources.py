"""Files that others wrote, opened with bounds: on their size, on where links lead, on what packed files unpack to."""

from __future__ import annotations

import gzip
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from chatconform.model import InputError, Place

MAX_LINE = 64 * 1024 * 1024
"""The longest line of a JSON lines file, and the longest exchange file, in bytes."""
MAX_RATIO = 100
"""How many times its own size a packed file may unpack to. Recorded traffic comes to some ten times."""
FREE = 16 * 1024 * 1024
"""The bytes that any packed file may unpack to, however small it is."""
ENDINGS = (".json", ".jsonl", ".jsonl.gz", ".ndjson")
_GZIP = b"\x1f\x8b"


class Unreadable(InputError):  # noqa: N818
    """A recorded exchange that cannot be read. The other files of a recording are still judged."""


def files(folder: Path) -> Iterator[Path | Unreadable]:
    """Yield the exchange files of a folder and of its folders by name; in the place of what is none its error.

    A link is followed to a file within the folder and nowhere else. FIFOs, devices and sockets are not opened.
    """
    root = folder.resolve()
    found: list[Path | Unreadable] = []

    def unlisted(error: OSError) -> None:
        place = Place(str(error.filename))
        found.append(Unreadable(place, f"cannot be read: {error.strerror}", "check the folder, then judge again"))

    for here, folders, names in os.walk(folder, onerror=unlisted):
        links = [path for name in folders if (path := Path(here, name)).is_symlink()]
        found += (item for path in links if isinstance(item := _checked(path, root), Unreadable))
        found += (_checked(Path(here, name), root) for name in names if name.endswith(ENDINGS))
    return iter(sorted(found, key=_place))


def _place(item: Path | Unreadable) -> Path:
    return item if isinstance(item, Path) else Path(item.place.file)


def _checked(path: Path, root: Path) -> Path | Unreadable:
    try:
        target = path.resolve(strict=True)
    except (OSError, RuntimeError):
        return Unreadable(Place(str(path)), "is a link to nothing", "remove it, or put the file in its place")
    if not target.is_relative_to(root):
        remedy = "copy into the folder what it leads to, or judge that by its own path"
        return Unreadable(Place(str(path)), "is a link that leads out of the folder", remedy)
    if not (path.is_file() or path.is_dir()):
        return Unreadable(Place(str(path)), "is no regular file", "remove it from the folder")
    return path


def whole(path: Path) -> bytes:
    """Return a file's bytes. Raises `Unreadable` where there are more than `MAX_LINE`, and `OSError`."""
    with path.open("rb") as file:
        data = file.read(MAX_LINE + 1)
    if len(data) > MAX_LINE:
        raise Unreadable(Place(str(path)), f"is longer than {MAX_LINE} bytes", "split the recording")
    return data


def lines(file: BinaryIO, name: str, most: int | None) -> Iterator[tuple[int, bytes | Unreadable]]:
    """Yield every line with its number; in the place of one that is too long its error.

    After `most` bytes, as `unpacked` counts them, no more is read, which is said. Raises what reading raises.
    """
    number = count = 0
    is_rest = False
    while piece := file.readline(MAX_LINE + 1):
        count, number = count + len(piece), number + (not is_rest)
        if most is not None and count > most:
            problem = f"unpacks to more than {MAX_RATIO} times its size: no more of it is read"
            remedy = "unpack it with gunzip, and judge what comes of it"
            yield number, Unreadable(Place(name, number), problem, remedy)
            return
        if not is_rest:
            yield number, piece if len(piece) <= MAX_LINE else _too_long(name, number)
        is_rest = not piece.endswith(b"\n")


def _too_long(name: str, number: int) -> Unreadable:
    return Unreadable(Place(name, number), f"is longer than {MAX_LINE} bytes", "split the recording")


def unpacked(file: BinaryIO) -> tuple[BinaryIO, int | None]:
    """Return a file's content, through gzip where it begins as such, and how many bytes of it may be read.

    Of a packed file these are `FREE`, or `MAX_RATIO` times its size where that is more. None: all of them.
    """
    start = file.read(len(_GZIP)) if file.seekable() else b""
    if start:
        file.seek(0)
    if start != _GZIP:
        return file, None
    most = max(FREE, MAX_RATIO * os.fstat(file.fileno()).st_size)
    return gzip.open(file), most  # type: ignore[return-value]
