"""The forms of a report that other tools read: which are written, where to, and that they can be."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path

from chatconform.model import InputError, Place, Results
from chatconform.recordings import disk
from chatconform.report import badge, junit, sarif, summary
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


def require_writable(forms: Forms, place: Place, *taken: Path) -> None:
    """Raise `InputError`, at `place` or the file, before there is anything to write.

    It is raised where a file cannot be written, is a folder, stands for two forms, or is among those that are `taken`.
    """
    seen = {path.resolve(): "another file of this run" for path in taken}
    for option, path in forms.named():
        if path.resolve() in seen:
            raise InputError(place, f"{option} {path}: this is {seen[path.resolve()]} too", "Name another file.")
        seen[path.resolve()] = option
        if path == STANDARD_OUTPUT:
            continue
        if option != "--badge" and path.is_dir():
            raise InputError(place, f"{option} {path}: this is a folder", "Name a file.")
        disk.require_writable(path)


def require_room(forms: Forms, providers: int) -> None:
    """Raise `InputError` where the badges of several providers are to go into one file."""
    if forms.badge is not None and _is_one_file(forms.badge) and providers != 1:
        problem = f"one file has no room for the badges of {providers} providers"
        raise InputError(Place(str(forms.badge)), problem, "Name a folder.")


def _is_one_file(path: Path) -> bool:
    return path == STANDARD_OUTPUT or (path.suffix == ".json" and not path.is_dir())


def write(results: Results, gated: Gated, forms: Forms) -> None:
    """Write the forms that are asked for. Raises `InputError`.

    Each file is replaced whole, readable by its owner alone, for findings quote header fields; a badge, which says
    a word, is readable by all. A summary is added to what its file holds, for other commands of a job write there too.
    """
    if forms.junit is not None:
        _write(forms.junit, junit.render(results, gated))
    if forms.sarif is not None:
        _write(forms.sarif, sarif.render(results, gated))
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
            disk.write_whole(path if _is_one_file(path) else path / badge.file_name(provider), data)


def _add_summary(results: Results, path: Path) -> None:
    if path == STANDARD_OUTPUT:
        _print(summary.render(results, summary.MOST_BYTES).encode())
        return
    held = path.stat().st_size if path.is_file() else 0
    text = summary.render(results, max(summary.MOST_BYTES - held, _LEAST))
    disk.add(path, text.encode())
