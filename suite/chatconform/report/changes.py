"""What changed since a baseline, and by whom, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from chatconform.diff import NOBODYS, By, Kind
from chatconform.model import Change, Level, Outcome, Results
from chatconform.report.visible import line

_SHOWN = 10
_NAMED = 3
_LEVELS = (Level.MUST, Level.SHOULD, Level.MAY)
WORDS = {
    By.PROVIDER: "the provider changed",
    By.SUITE: "the suite changed",
    By.UNATTRIBUTED: "unattributed",
    By.CHANCE: "it comes and goes",
}
WHY = {
    By.PROVIDER: "The same rules judge the new answer otherwise than the old one.",
    By.SUITE: "Today's rules judge the old answer as they do the new one, or ask for it for the first time: "
    "no regression.",
    By.UNATTRIBUTED: "The exchange stands on one side alone, or the old record is not where it was judged "
    "(--recordings DIR says where it is): it counts as the provider's.",
    By.CHANCE: "Whether these show depends on when an answer is made: no regression.",
}
_KINDS = (Kind.BROKE, Kind.APPEARED, Kind.RAISED, Kind.LOWERED, Kind.FIXED, Kind.NEWLY_UNPROVEN, Kind.VANISHED)


@dataclass(frozen=True, slots=True)
class Told:
    """Changes of one check that are alike but for the exchanges: the first of them, and in which they are."""

    change: Change
    exchanges: tuple[str, ...]

    @property
    def is_loud(self) -> bool:
        """Whether something fails now, or is mended."""
        return self.change.after is Outcome.FAIL or self.change.kind == Kind.FIXED

    def __str__(self) -> str:
        """Return them in a line, without what they are and whose doing."""
        change = self.change
        names = " ".join(line(name, 200) for name in (change.provider, change.contract, change.check))
        arrow = f"{change.before or 'absent'} -> {change.after or 'absent'}"
        named = ", ".join(line(name, 200) for name in self.exchanges[:_NAMED])
        more = f" and {len(self.exchanges) - _NAMED:,} more" if len(self.exchanges) > _NAMED else ""
        return f"{names} ({change.level}): {arrow} in {named}{more}"


def told(changes: Sequence[Change]) -> list[Told]:
    """Return changes that are alike as one, the worst first: what fails now, what is newly unproven, what is fixed."""
    alike: dict[tuple[object, ...], list[Change]] = {}
    for each in changes:
        key = (each.by, each.kind, each.provider, each.contract, each.check, each.level, each.before, each.after)
        alike.setdefault(key, []).append(each)
    groups = (Told(those[0], tuple(each.exchange for each in those)) for those in alike.values())
    return sorted(groups, key=lambda group: _weight(group.change))


def _weight(change: Change) -> tuple[int, int]:
    """Return how far down a change belongs. What fails, and then what failed, goes before what only passes."""
    if change.after is Outcome.FAIL:
        first = 0 if change.level is not Level.MAY else 2
    elif change.kind == Kind.NEWLY_UNPROVEN:
        first = 1
    else:
        first = 3 if change.before is Outcome.FAIL else 4
    return first, _LEVELS.index(change.level)


def since(results: Results) -> str:
    """Return in a sentence whether anything got worse since the baseline; empty where there is none.

    Worse is a must or a should that fails now and did not, and is neither waived, nor the suite's doing, nor chance's.
    """
    if results.baseline is None:
        return ""
    waived = {verdict.key for verdict in results.verdicts if verdict.waiver}
    own = [each for each in results.changes if each.by not in NOBODYS]
    worse = {
        (each.provider, each.contract, each.check)
        for each in own
        if each.after is Outcome.FAIL and each.level is not Level.MAY
        and (each.provider, each.contract, each.check, each.exchange) not in waived
    }  # fmt: skip
    if worse:
        return f"Since the baseline {len(worse):,} {'check' if len(worse) == 1 else 'checks'} got worse."
    lost = Counter(each.kind for each in own if each.level is Level.MUST and each.kind in _LOST)
    said = " and ".join(
        f"{number:,} {'verdict on a must is' if number == 1 else 'verdicts on musts are'} {_LOST[Kind(kind)]}"
        for kind, number in sorted(lost.items())
    )
    return f"Since the baseline nothing got worse{f', but {said}' if said else ''}."


_LOST = {Kind.NEWLY_UNPROVEN: "newly unproven", Kind.VANISHED: "gone"}


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
        failing = told([each for each in found if each.after is Outcome.FAIL and each.level is not Level.MAY])
        yield from (f"  {each.change.kind}: {each}" for each in failing[:_SHOWN])
        if len(failing) > _SHOWN:
            yield f"  and {len(failing) - _SHOWN:,} more that fail"
