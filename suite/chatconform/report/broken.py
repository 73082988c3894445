"""What providers break, worst first: the one order in which every form of report tells it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from chatconform.model import Results
from chatconform.report import board
from chatconform.report.board import Entry, Mark, Row


@dataclass(frozen=True, slots=True)
class Broken:
    """A check that fails with one mark, and everybody who fails it so."""

    check: str
    mark: Mark
    found: tuple[tuple[Row, Entry], ...]

    @property
    def providers(self) -> int:
        """How many providers those are: one that fails under two contracts is one."""
        return len({row.provider.id for row, _ in self.found})


def broken(results: Results, rows: Iterable[Row]) -> tuple[Broken, ...]:
    """What fails, by mark, by the harm that it does, by how many providers fail it, and by name."""
    found: dict[tuple[str, Mark], list[tuple[Row, Entry]]] = {}
    for row in rows:
        for entry in row.failures:
            found.setdefault((entry.check, entry.mark), []).append((row, entry))
    marks = list(Mark)

    def order(it: Broken) -> tuple[int, tuple[int, bool], int, str]:
        return marks.index(it.mark), board.harm(board.text_of(results, it.check)), -it.providers, it.check

    return tuple(sorted((Broken(*key, tuple(each)) for key, each in found.items()), key=order))
