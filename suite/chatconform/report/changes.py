"""What changed since a baseline, and by whom, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from chatconform.diff import By, Kind
from chatconform.model import Change, Level, Outcome
from chatconform.report.visible import line

_SHOWN = 10
WORDS = {
    By.PROVIDER: "the provider changed",
    By.SUITE: "the suite changed, and not the provider",
    By.UNATTRIBUTED: "unattributed",
}
WHY = {
    By.PROVIDER: "The same rules judge the new answer otherwise than the old one.",
    By.SUITE: "Today's rules judge the old answer as they do the new one, or ask for it for the first time: "
    "no regression.",
    By.UNATTRIBUTED: "The exchange stands on one side alone, or the old record is not where it was judged "
    "(--recordings DIR says where it is): it counts as the provider's.",
}
_KINDS = (Kind.BROKE, Kind.APPEARED, Kind.FIXED, Kind.NEWLY_UNPROVEN, Kind.VANISHED)


def by_whom(changes: Sequence[Change]) -> Iterator[tuple[By, tuple[Change, ...]]]:
    """Yield the changes by who changed, where there are any: the provider's first."""
    for by in By:
        found = tuple(change for change in changes if change.by == by)
        if found:
            yield by, found


def counts(changes: Sequence[Change]) -> str:
    """Return how many changes there are of each kind: what broke first."""
    number = Counter(change.kind for change in changes)
    return " · ".join(f"{number[kind]:,} {kind}" for kind in _KINDS if number[kind])


def lines(changes: Sequence[Change]) -> Iterator[str]:
    """Yield who changed, with counts and why it is said, and below it every must and should that fails now."""
    for by, found in by_whom(changes):
        yield f"{WORDS[by]}: {counts(found)}. {WHY[by]}"
        failing = [each for each in found if each.after is Outcome.FAIL and each.level is not Level.MAY]
        yield from (f"  {said(change)}" for change in failing[:_SHOWN])
        if len(failing) > _SHOWN:
            yield f"  and {len(failing) - _SHOWN:,} more that fail"


def said(change: Change) -> str:
    """Return one change in a line."""
    names = (change.provider, change.contract, change.check, change.exchange)
    arrow = f"{change.before or 'absent'} -> {change.after or 'absent'}"
    return f"{change.kind}: {' '.join(line(name, 200) for name in names)} ({change.level}): {arrow}"
