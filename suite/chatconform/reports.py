"""Writing a report's files, whole or not at all, and showing its summary on a terminal."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import NoReturn

from rich.console import Console

from chatconform.model import Results
from chatconform.recordings.store import write_whole
from chatconform.report import board, markdown, terminal
from chatconform.report.results import dump


def write(results: Results, folder: Path) -> Path:
    """Write results.json, index.md and one page a provider; return the path of index.md. Raises `InputError`."""
    files = {"results.json": dump(results)}
    for provider in results.providers:
        files[board.page(provider.id)] = markdown.provider(results, provider.id).encode("utf-8")
    files["index.md"] = markdown.index(results).encode("utf-8")
    for name, data in files.items():
        write_whole(folder / name, data)
    return folder / "index.md"


class _Console(Console):
    def on_broken_pipe(self) -> NoReturn:
        """Leave it to the command line what a reader that has gone away means."""
        raise BrokenPipeError


def show(results: Results, index: Path | None) -> None:
    """Print the summary to standard output. What the terminal's encoding cannot show becomes a question mark."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="replace")
    terminal.render(results, _Console(highlight=False), str(index) if index else "")
