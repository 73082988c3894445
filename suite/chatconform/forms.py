"""The forms of a report that other tools read: which are written, where to, and that they can be."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from chatconform.model import InputError, Place, Results
from chatconform.recordings import disk
from chatconform.recordings.sources import ENDINGS
from chatconform.report import badge, junit, location, sarif, summary
from chatconform.rollup import Gated

STANDARD_OUTPUT = Path("-")
_LEAST = 4_096
"""Bytes that a summary has even where others have filled the file: room for the sentence that decides."""


@dataclass(frozen=True, slots=True)
class Forms:
    """Where each form goes; None: it is not written."""

    junit: Path | None = None
    sarif: Path | None = None
    badge: Path | None = None
    markdown: Path | None = None
    summary: Path | None = None

    def named(self) -> Iterator[tuple[str, Path]]:
        """Yield the option and the path of each form that is written."""
        for field in fields(self):
            path = getattr(self, field.name)
            if path is not None:
                yield f"--{field.name}", path


def require_writable(forms: Forms, place: Place) -> None:
    """Raise `InputError`, at `place` or the file, before there is anything to write.

    It is raised where a file cannot be written, is a folder, or something else that a file cannot replace. A link is
    such a thing: `/dev/stdout` is one, and in its place there would be a file.
    """
    for option, path in forms.named():
        if path == STANDARD_OUTPUT:
            continue
        try:
            _require_file(option, path, place)
            disk.require_writable(path)
        except OSError as error:
            raise InputError(place, f"{option} {path}: {error.strerror}", "Name another file.") from None


def _require_file(option: str, path: Path, place: Place) -> None:
    """Raise `InputError` where no file can replace what is there, and `OSError` where it cannot be looked at."""
    if path.is_dir():
        if option != "--badge":
            raise InputError(place, f"{option} {path}: this is a folder", "Name a file.")
    elif path.exists() and not path.is_file():
        raise InputError(place, f"{option} {path}: this is no regular file", "Name a file.")
    elif path.is_symlink() and not (option == "--summary" and path.exists()):
        raise InputError(place, f"{option} {path}: this is a link", "Name the file that it leads to.")


def require_room(forms: Forms, place: Place, providers: Sequence[str], others: Iterable[Path]) -> None:
    """Raise `InputError` where a form has no place of its own.

    So it is where the badges of several providers are to go into one file, where a file stands for two forms, and
    where it is among the others of a run: those that it reads or writes, and what a folder of them would be read as.
    """
    if forms.badge is not None and _is_one_file(forms.badge) and len(providers) != 1:
        problem = f"one file has no room for the badges of {len(providers)} providers"
        raise InputError(Place(str(forms.badge)), problem, "Name a folder.")
    taken = {_real(path): "another file of this run" for path in others}
    files = [(option, path, _real(path)) for option, path in _files(forms, providers)]
    above = {folder for path in (*taken, *(target for *_, target in files)) for folder in path.parents}
    folders = [path for path in taken if _is_folder(path)]
    for option, path, target in files:
        if target in taken:
            raise InputError(place, f"{option} {path}: this is {taken[target]} too", "Name another file.")
        if target in above:
            raise InputError(place, f"{option} {path}: other files go into a folder of this name", "Name another file.")
        if target.name.endswith(ENDINGS) and any(target.is_relative_to(folder) for folder in folders):
            problem = f"{option} {path}: this would be read as an exchange of the recording that it is in"
            raise InputError(place, problem, "Name a file elsewhere.")
        taken[target] = option


def _real(path: Path) -> Path:
    """Return where a path leads; of one that leads nowhere, such as a link to itself, where it stands."""
    try:
        return path.resolve()
    except (OSError, RuntimeError):
        return path.absolute()


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _files(forms: Forms, providers: Sequence[str]) -> Iterator[tuple[str, Path]]:
    """Yield the option and the path of each file; in a folder of badges that is one a provider."""
    for option, path in forms.named():
        if option == "--badge" and not _is_one_file(path):
            yield from ((option, path / badge.file_name(provider)) for provider in providers)
        else:
            yield option, path


def _is_one_file(path: Path) -> bool:
    return path == STANDARD_OUTPUT or (path.suffix == ".json" and not path.is_dir())


def write(results: Results, gated: Gated, forms: Forms) -> None:
    """Write the forms that are asked for. Raises `InputError`.

    Each file is replaced whole, readable by its owner alone, for findings quote header fields; a badge, which says
    a word, is readable by all. A summary is added to what its file holds, for other commands of a job write there too.
    Places are told from the top of the repository in which the command runs.
    """
    repository = location.repository(Path.cwd())
    if forms.junit is not None:
        _write(forms.junit, junit.render(results, gated, repository))
    if forms.sarif is not None:
        _write(forms.sarif, sarif.render(results, gated, repository))
    if forms.markdown is not None:
        _write(forms.markdown, summary.render(results).encode())
    if forms.badge is not None:
        _write_badges(results, forms.badge)
    if forms.summary is not None:
        _add_summary(results, forms.summary)


def _write(path: Path, data: bytes) -> None:
    if path == STANDARD_OUTPUT:
        _print(data)
        return
    disk.make(path.parent)
    disk.write_private({path: data})


def _print(data: bytes) -> None:
    sys.stdout.buffer.write(data)
    sys.stdout.buffer.flush()


def _write_badges(results: Results, path: Path) -> None:
    """A file a provider in a folder; one file, where its name says so."""
    for provider in results.providers:
        data = badge.render(provider)
        if path == STANDARD_OUTPUT:
            _print(data)
        else:
            disk.write_whole(path if _is_one_file(path) else path / badge.file_name(provider.id), data)


def _add_summary(results: Results, path: Path) -> None:
    """Add the summary to what a file holds; nothing where that leaves it no room, for then nobody would see either."""
    if path == STANDARD_OUTPUT:
        _print(summary.render(results, summary.MOST_BYTES).encode())
        return
    held = path.stat().st_size if path.is_file() else 0
    room = min(max(summary.MOST_BYTES - held, _LEAST), summary.LIMIT - held - 1)
    if text := summary.render(results, room):
        disk.add(path, text.encode())
