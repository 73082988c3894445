"""Every check against every provider: a row a check, by group; what fails is loud, what passes says how much it saw."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from chatconform.diff import NOBODYS
from chatconform.model import OPENAI, Change, Outcome, Results
from chatconform.report import board, visible
from chatconform.report.board import Entry, Mark, Row

COLUMNS = 50
"""How many providers stand side by side; the others have their pages."""

NARROW = 6
"""With more providers than this the columns are narrow."""

_LOUD = (Mark.ERROR, Mark.FAIL, Mark.WARN, Mark.INFO, Mark.WAIVED)
_ARROWS = {"broke": "▼", "fixed": "▲"}


@dataclass(frozen=True, slots=True)
class Sign:
    """What one check came to for one provider under one contract. `link` leads to its card, where it has one."""

    mark: Mark
    own: bool
    examined: int
    says: str
    label: str
    link: str | None
    arrow: str


@dataclass(frozen=True, slots=True)
class Line:
    """One check and what it came to for every provider: OpenAI's contract, then the own document."""

    check: str
    says: str
    cells: tuple[tuple[Sign, ...], ...]
    is_failing: bool
    differs: bool
    changed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """The checks whose ids begin alike."""

    name: str
    lines: tuple[Line, ...]

    @property
    def failing(self) -> int:
        """How many of its checks some provider fails."""
        return sum(line.is_failing for line in self.lines)


@dataclass(frozen=True, slots=True)
class Matrix:
    """The groups, the providers that stand in the columns, and how many do not.

    `has_own` says whether any of them was judged by its own document.
    """

    rows: tuple[Row, ...]
    groups: tuple[Group, ...]
    more: int
    has_own: bool

    @property
    def checks(self) -> int:
        """How many checks there are."""
        return sum(len(group.lines) for group in self.groups)

    @property
    def is_narrow(self) -> bool:
        """Whether there are so many providers that only signs fit."""
        return len(self.rows) > NARROW


def matrix(results: Results, rows: Sequence[Row]) -> Matrix:
    """The matrix of what was judged."""
    changed = {(each.provider, each.contract, each.check): each for each in reversed(results.changes)}
    checks = {check for _, _, check in changed}
    shown = tuple(rows[:COLUMNS])
    found: dict[str, dict[str, list[Entry]]] = {}
    for row in shown:
        for entry in row.entries:
            found.setdefault(entry.check, {}).setdefault(row.provider.id, []).append(entry)
    groups: dict[str, list[Line]] = {}
    for check in sorted(found):
        line = _line(board.text_of(results, check).says, check, shown, found[check], changed)
        groups.setdefault(board.group(check), []).append(replace(line, changed=check in checks))
    return Matrix(
        rows=shown,
        groups=tuple(Group(name, tuple(lines)) for name, lines in groups.items()),
        more=len(rows) - len(shown),
        has_own=any(entry.contract != OPENAI for row in shown for entry in row.entries),
    )


def _line(
    says: str,
    check: str,
    rows: Sequence[Row],
    entries: Mapping[str, Sequence[Entry]],
    changed: Mapping[tuple[str, str, str], Change],
) -> Line:
    cells = tuple(tuple(_signs(row, entries.get(row.provider.id, ()), changed)) for row in rows)
    decided: dict[bool, set[Mark]] = {}
    for sign in (sign for cell in cells for sign in cell if sign.mark is not Mark.UNPROVEN):
        decided.setdefault(sign.own, set()).add(sign.mark)
    return Line(
        check=check,
        says=says,
        cells=cells,
        is_failing=any(sign.mark in _LOUD for cell in cells for sign in cell),
        differs=any(len(marks) > 1 for marks in decided.values()),
    )


def _signs(row: Row, entries: Sequence[Entry], changed: Mapping[tuple[str, str, str], Change]) -> Iterator[Sign]:
    for entry in sorted(entries, key=lambda entry: entry.contract != OPENAI):
        change = changed.get((row.provider.id, entry.contract, entry.check))
        is_own = entry.contract != OPENAI
        says = ("own document: " if is_own else "") + _says(entry)
        page = f"{board.page(row.provider.id, '.html')}#{board.anchor(entry.contract, entry.check)}"
        yield Sign(
            mark=entry.mark,
            own=is_own,
            examined=entry.rolled.examined,
            says=says,
            label=visible.line(f"{says}: {entry.check}, {row.provider.id}", 200),
            link=page if entry.rolled.outcome is Outcome.FAIL else None,
            arrow=_ARROWS.get(change.kind, "") if change and change.by not in NOBODYS else "",
        )


def _says(entry: Entry) -> str:
    """What a sign means, in words."""
    if entry.mark is Mark.PASS:
        return f"pass, {entry.rolled.examined:,} examined"
    if entry.mark is Mark.UNPROVEN:
        reasons = {verdict.reason.value for verdict in entry.rolled.verdicts if verdict.reason}
        return ", ".join(["unproven", *sorted(reasons)])
    return entry.mark.value
