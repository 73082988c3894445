"""What changed between two judgings, by verdict key: (provider, contract, check, exchange)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import StrEnum
from typing import Final

from chatconform.model import Change, Level, Outcome, Results, Verdict

_SAMPLE = re.compile(r"\.\d+$")


class Kind(StrEnum):
    """How a verdict changed."""

    BROKE = "broke"
    FIXED = "fixed"
    NEWLY_UNPROVEN = "newly unproven"
    APPEARED = "appeared"
    VANISHED = "vanished"
    RAISED = "raised"
    LOWERED = "lowered"


class By(StrEnum):
    """Who changed: what the provider answers, or how the suite judges (its checks, its contracts, what it asks).

    By chance changes what the same provider does one time and not the next, as clocks and threads have it.
    """

    PROVIDER = "provider"
    SUITE = "suite"
    UNATTRIBUTED = "unattributed"
    CHANCE = "chance"


NOBODYS: Final = frozenset((By.SUITE, By.CHANCE))
"""Whose changes are no regression."""


def compare(old: Results, new: Results, by: By = By.UNATTRIBUTED) -> tuple[Change, ...]:
    """The changes from `old` to `new`, sorted by verdict key; the level is the new one where there is one.

    broke: not fail, then fail · fixed: fail, then pass · newly unproven: pass or fail, then unproven ·
    appeared, vanished: on one side only · raised, lowered: fails as before, at another level, which is always the
    suite's doing. A waived failure is a failure. A not-applicable verdict counts as
    absent, since results.json does not list it: results from memory and from a file compare alike.
    """
    return between(old.verdicts, new.verdicts, by)


def between(old: Iterable[Verdict], new: Iterable[Verdict], by: By) -> tuple[Change, ...]:
    """The changes from some verdicts to others, as `compare` says them; all of them are of one doing."""
    before, after = _by_key(old), _by_key(new)
    pairs = ((before.get(key), after.get(key)) for key in sorted(before.keys() | after.keys()))
    return tuple(change for old_verdict, new_verdict in pairs for change in _changes(old_verdict, new_verdict, by))


def scenario_of(exchange: str) -> str:
    """Return what an exchange of a plan was asked by: its id without the number of its attempt or its sample."""
    return _SAMPLE.sub("", exchange.partition("@")[0])


def _by_key(verdicts: Iterable[Verdict]) -> dict[tuple[str, str, str, str], Verdict]:
    return {verdict.key: verdict for verdict in verdicts if verdict.outcome is not Outcome.NOT_APPLICABLE}


def _changes(old: Verdict | None, new: Verdict | None, by: By) -> Iterator[Change]:
    before = None if old is None else old.outcome
    after = None if new is None else new.outcome
    kind, verdict = kind_of(before, after), new or old
    if kind is None and old is not None and new is not None and before is after is Outcome.FAIL:
        kind, by = _moved(old.level, new.level), By.SUITE
    if kind is not None and verdict is not None:
        yield Change(kind.value, *verdict.key, verdict.level, before, after, by.value)


def _moved(before: Level, after: Level) -> Kind | None:
    """How the level of a failure changed."""
    if before is after:
        return None
    levels = list(Level)
    return Kind.RAISED if levels.index(after) < levels.index(before) else Kind.LOWERED


def kind_of(before: Outcome | None, after: Outcome | None) -> Kind | None:
    """How an outcome changed; None where it did not, or in a way that is not told."""
    if before is None:
        return Kind.APPEARED
    if after is None:
        return Kind.VANISHED
    if after is Outcome.FAIL and before is not Outcome.FAIL:
        return Kind.BROKE
    if before is Outcome.FAIL and after is Outcome.PASS:
        return Kind.FIXED
    is_lost = after is Outcome.UNPROVEN and before in (Outcome.PASS, Outcome.FAIL)
    return Kind.NEWLY_UNPROVEN if is_lost else None
