"""docs/hostile.md: what hostile endpoints send, and what the suite says. `make hostile` drives all and writes it."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from chatconform.report.tables import joined, table
from chatconform.report.visible import code, prose
from hostile import HOSTILE, Hostile
from hostile_run import MOST_MEMORY_MB, Said, Servers, drive

PAGE = Path(__file__).parents[1] / "docs" / "hostile.md"
_HEAD = (
    "Behaviour",
    "What is sent",
    "The exchanges end",
    "Conclusion",
    "Exit",
    "Asked: s",
    "MB",
    "Judged again: s",
    "MB",
)
_INTRO = (
    f"{len(HOSTILE)} behaviours of a hostile endpoint, each driven over a socket by `chatconform run --live` with "
    "limits of 8 MiB, 4 seconds in all and 1 second of silence; then the recording is judged again by "
    "`chatconform judge`. None may hang, end in a traceback or with exit code 4, or take more than "
    f"{MOST_MEMORY_MB} MB. Seconds and megabytes (at the peak) were measured when this page was made, two behaviours "
    "side by side."
)
_MADE = "<!-- Made by `make hostile`; edits here are lost. -->"


def promised(said: Said) -> tuple[str, ...]:
    """Return what a row of the page says that has to stay as it is: how the exchanges end, conclusion, exit code."""
    return ", ".join(map(code, said.ends)), said.conclusion, str(said.code)


def row(hostile: Hostile, said: Said) -> tuple[str, ...]:
    measured = [part for each in (said.run, said.judged) for part in (f"{each.seconds:.1f}", str(each.megabytes))]
    return (code(hostile.name), prose(hostile.sends), *promised(said), *measured)


def rows_of(page: str) -> Mapping[str, tuple[str, ...]]:
    """Return the cells of each row of a page, by the behaviour's name."""
    split = (tuple(cell.strip() for cell in line.split(" | ")) for line in page.splitlines() if line.startswith("| `"))
    return {cells[0].strip("|` "): cells for cells in split}


def main() -> None:
    """Drive every behaviour and write the page; say which went wrong."""
    with tempfile.TemporaryDirectory() as folder, Servers().running() as servers, ThreadPoolExecutor(2) as pool:

        def driven(hostile: Hostile) -> Said:
            said = drive(hostile, servers.serve(hostile), Path(folder) / hostile.name, os.environ)
            wrong = said.wrong()
            print(f"{hostile.name}: {said.conclusion}, {said.run.megabytes} MB {wrong}", file=sys.stderr, flush=True)
            return said

        found = dict(zip(HOSTILE, pool.map(driven, HOSTILE.values()), strict=True))
    rows = [row(HOSTILE[name], said) for name, said in found.items()]
    PAGE.write_text(joined((["# Hostile endpoints", "", _MADE], [_INTRO], table(_HEAD, rows))), encoding="utf-8")
    sys.exit(any(said.wrong() for said in found.values()))


if __name__ == "__main__":
    main()
