"""The roll-up: one outcome per provider, contract and check, made of the verdicts of all its exchanges.

Counts, conclusions, exit codes and reports are made of what is decided here, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from chatconform.model import Level, Outcome, Verdict

CheckKey: TypeAlias = tuple[str, str, str]
"""Provider, contract, check."""

_WORST_FIRST = (Outcome.ERROR, Outcome.FAIL, Outcome.PASS, Outcome.UNPROVEN, Outcome.NOT_APPLICABLE)
_STRICTEST_FIRST = (Level.MUST, Level.SHOULD, Level.MAY)


@dataclass(frozen=True, slots=True)
class Rolled:
    """What one check came to, over all exchanges of one provider under one contract.

    `level` is the strictest of the verdicts that decided the outcome; where some failures are waived and some
    are not, those that are not decide. `waived` says that every failure is waived. `examined` counts targets.
    """

    outcome: Outcome
    level: Level
    waived: bool
    examined: int
    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True, slots=True)
class Gated:
    """What the gate decided of a run, for reports that print it: from where on it fails, the code it ends with, and
    the checks because of which that is 1."""

    fail_on: str
    code: int
    failing: frozenset[CheckKey]


def roll_up(verdicts: Iterable[Verdict]) -> dict[CheckKey, Rolled]:
    """Each check's outcome: error if any, else fail, else pass, else unproven, else not-applicable.

    The keys are (provider, contract, check), sorted; the verdicts of each are sorted by exchange.
    """
    groups: dict[CheckKey, list[Verdict]] = {}
    for verdict in sorted(verdicts, key=lambda verdict: verdict.key):
        groups.setdefault(verdict.key[:3], []).append(verdict)
    return {key: _rolled(tuple(group)) for key, group in groups.items()}


def proven(verdict: Verdict) -> Outcome:
    """The outcome of one verdict, where a pass that examined nothing is unproven."""
    if verdict.outcome is Outcome.PASS and verdict.examined == 0:
        return Outcome.UNPROVEN
    return verdict.outcome


def strictest(levels: Iterable[Level]) -> Level:
    """The level that binds most. Raises ValueError where there is none."""
    return min(levels, key=_STRICTEST_FIRST.index)


def _rolled(verdicts: tuple[Verdict, ...]) -> Rolled:
    outcome = min((proven(verdict) for verdict in verdicts), key=_WORST_FIRST.index)
    deciding = [verdict for verdict in verdicts if proven(verdict) is outcome]
    open_ones = [verdict for verdict in deciding if verdict.waiver is None]
    return Rolled(
        outcome=outcome,
        level=strictest(verdict.level for verdict in open_ones or deciding),
        waived=outcome is Outcome.FAIL and not open_ones,
        examined=sum(verdict.examined for verdict in verdicts),
        verdicts=verdicts,
    )
