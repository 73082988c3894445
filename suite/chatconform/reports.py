"""Writing a report's files, whole or not at all, and showing its summary on a terminal."""

from __future__ import annotations

import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from chatconform import __version__, gate
from chatconform.model import InputError, Place, Results
from chatconform.recordings import disk
from chatconform.report import board, html, markdown, terminal
from chatconform.report.results import NEXT_STEP, dump, load
from chatconform.report.visible import line


def read(path: Path) -> Results:
    """Read results.json. Raises `InputError` where it cannot be read, is no results file, or contradicts itself."""
    results = load(path)
    found = gate.contradiction(results, __version__)
    if found is not None:
        raise InputError(Place(str(path)), f"{line(found[0], 200)}: {line(found[1], 400)}", NEXT_STEP)
    return results


def write(results: Results, folder: Path) -> Path:
    """Write results.json and, in HTML and in Markdown, an index and one page a provider, all of them or none.

    Returns the path of index.html.

    Their owner alone can read them (mode 0600), for findings quote header fields. Raises `InputError`.
    """
    files = {"results.json": dump(results)}
    for form, suffix in ((markdown, ".md"), (html, ".html")):
        for provider in results.providers:
            files[board.page(provider.id, suffix)] = form.provider(results, provider.id).encode("utf-8")
        files[f"index{suffix}"] = form.index(results).encode("utf-8")
    disk.make(folder)
    disk.write_private({folder / name: data for name, data in files.items()})
    return folder / "index.html"


def files(folder: Path, providers: Iterable[str]) -> Iterator[Path]:
    """Yield the paths of all that `write` writes of these providers."""
    yield folder / "results.json"
    for suffix in (".md", ".html"):
        yield folder / f"index{suffix}"
        yield from (folder / board.page(provider, suffix) for provider in providers)


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the command line what a reader that has gone away means."""
        raise BrokenPipeError


def show(results: Results, index: Path | None) -> None:
    """Print the summary to standard output. What the terminal's encoding cannot show becomes a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    terminal.render(results, _Console(highlight=False), str(index) if index else "")
