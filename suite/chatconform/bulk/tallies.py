"""Tallies: the verdicts on the exchanges of one provider, while they are being counted.

Of an exchange in which nothing is wrong no verdict is made. The numbers of its row are added up, and those of the
clauses only once for all exchanges of the same shapes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from operator import add, mul
from typing import TypeAlias

from chatconform import judging
from chatconform.bulk.counts import MAX_EXAMPLES, NAMED, CheckCount, CheckKey, Example, ProviderCount
from chatconform.contracts.contract import Contract
from chatconform.judging import rows
from chatconform.judging.bench import Bench
from chatconform.judging.rows import Clauses, Row
from chatconform.model import OPENAI, Exchange, Finding, Level, Origin, Outcome, Place, Reason, Verdict
from chatconform.rollup import proven
from chatconform.wire import transcript as transcripts
from chatconform.wire.transcript import Kind

Named: TypeAlias = dict[CheckKey, dict[Outcome, int]]

_MAX_SUMS = 4096
"""How many different sets of clauses are added up apart before they are gathered."""


@dataclass(slots=True)
class _Tally:
    """The verdicts of one key; those that passed are counted apart, as nearly all do.

    `named` says for how many exchanges of each outcome the key was named, now and before. `times` counts those with the
    same `reason` in a row; more of them are to be named where it `is_wanted`.
    """

    named: dict[Outcome, int]
    passed: int = 0
    examined: int = 0
    found: int = 0
    reason: Reason | None = None
    times: int = 0
    is_wanted: bool = False
    outcomes: dict[Outcome, int] = field(default_factory=dict)
    reasons: dict[Reason, int] = field(default_factory=dict)
    examples: dict[Outcome, list[Example]] = field(default_factory=dict)

    def lacks(self, outcome: Outcome) -> bool:
        """Whether one more verdict of an outcome is to be named."""
        return outcome in NAMED and self.named.get(outcome, 0) < MAX_EXAMPLES

    def open(self, reason: Reason, example: Example) -> None:
        """Count a verdict for which there was nothing to rule on."""
        self.settle()
        self.reason, self.times = reason, 1
        self.name(reason.outcome, example)
        self.is_wanted = self.lacks(reason.outcome)

    def settle(self) -> None:
        """Put those that had the same reason in a row where their counts are."""
        if self.reason is not None:
            self.unproven(self.reason, self.times)
            self.reason = None

    def unproven(self, reason: Reason, times: int) -> None:
        """Count verdicts for which there was nothing to rule on."""
        self.came_to(reason.outcome, times)
        self.reasons[reason] = self.reasons.get(reason, 0) + times

    def came_to(self, outcome: Outcome, times: int) -> None:
        """Count verdicts of an outcome."""
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + times

    def name(self, outcome: Outcome, example: Example) -> None:
        """Name the exchange of a verdict, where there is room for one more."""
        if self.lacks(outcome):
            self.named[outcome] = self.named.get(outcome, 0) + 1
            self.examples.setdefault(outcome, []).append(example)

    def count(self) -> CheckCount:
        """Return what was counted."""
        self.settle()
        self.came_to(Outcome.PASS, self.passed)
        self.passed = 0
        outcomes = {outcome: times for outcome, times in self.outcomes.items() if times}
        examples = {outcome: tuple(found) for outcome, found in self.examples.items()}
        return CheckCount(outcomes, self.examined, self.found, dict(self.reasons), examples)


@dataclass(slots=True)
class _Sum:
    """Exchanges whose payloads are of the same shapes: how many, and how many payloads of each shape in all of them."""

    clauses: Clauses
    sizes: list[int]
    exchanges: int = 0


class _Rows:
    """The rows of one contract and one kind of answer, in which nothing is wrong that another check waits for."""

    def __init__(self, contract: Contract, kind: Kind, tally: Callable[[str, Level], _Tally]) -> None:
        self._levels = rows.levels(contract, kind)
        self._apart = rows.document_only() if contract.id == OPENAI else frozenset()
        self._tally = tally
        self._checks: dict[str, _Tally] = {}
        self._sums: dict[int, _Sum] = {}

    def add(self, row: Row, exchange: str, place: Place) -> None:
        """Add a row."""
        for check, result in row.checked.items():
            if check in self._apart:
                continue
            tally = self._checks.get(check) or self._of(check)
            if isinstance(result, int):
                tally.passed += 1
                tally.examined += result
            elif result is tally.reason and not tally.is_wanted:
                tally.times += 1
            else:
                tally.open(result, Example(place, exchange, result))
        for check, found in row.failed.items():
            if check not in self._apart:
                self._fail(check, 1, found)
        if row.clauses.counts or row.clauses.unexamined:
            self._add_clauses(row)

    def _fail(self, check: str, exchanges: int, found: int) -> None:
        """Count as failed what was counted as passed."""
        tally = self._of(check)
        tally.passed -= exchanges
        tally.came_to(Outcome.FAIL, exchanges)
        tally.found += found

    def lacking(self, row: Row) -> list[str]:
        """Return what failed in a row and is to be named."""
        failed = (*(check for check in row.failed if check not in self._apart), *row.clauses.broken)
        return [check for check in failed if self._of(check).lacks(Outcome.FAIL)]

    def name(self, check: str, example: Example) -> None:
        """Name an exchange in which a check failed."""
        self._of(check).name(Outcome.FAIL, example)

    def _add_clauses(self, row: Row) -> None:
        sizes = row.sizes
        found = self._sums.get(id(row.clauses))
        if found is None:
            if len(self._sums) >= _MAX_SUMS:
                self.gather()
            found = self._sums[id(row.clauses)] = _Sum(row.clauses, [0] * len(sizes))
        found.exchanges += 1
        found.sizes = [*map(add, found.sizes, sizes)]

    def gather(self) -> None:
        """Put the sums of the clauses where their counts are."""
        for each in self._sums.values():
            for counts, clauses in each.clauses.counts:
                examined = sum(map(mul, counts, each.sizes))
                for clause in clauses:
                    tally = self._of(clause)
                    tally.passed += each.exchanges
                    tally.examined += examined
            for clause, found in each.clauses.broken.items():
                self._fail(clause, each.exchanges, sum(map(mul, found, each.sizes)))
            for clause, reason in each.clauses.unexamined.items():
                self._of(clause).unproven(reason, each.exchanges)
        self._sums.clear()

    def _of(self, check: str) -> _Tally:
        found = self._checks.get(check)
        if found is None:
            found = self._checks[check] = self._tally(check, self._levels[check])
        return found


class Tallies:
    """The exchanges of one provider. `named` says how many were named for each key and outcome, now and before."""

    def __init__(self, named: Named) -> None:
        """Begin with nothing."""
        self._named = named
        self._origins: Counter[Origin] = Counter()
        self._tallies: dict[CheckKey, _Tally] = {}
        self._rows: dict[tuple[str, Kind, str], _Rows] = {}

    def add(self, exchange: Exchange, own: Contract | None, place: Place, named: str) -> None:
        """Judge an exchange, and count what comes of it; `named` where its verdicts are counted apart, else ""."""
        self._origins[exchange.origin] += 1
        explain = _Explaining(exchange, own)
        for row in judging.rule_tersely(exchange, own):
            if row.contract is not None and row.transcript is not None:
                rows_ = self._of_kind(row.contract, row.transcript.kind, named)
                rows_.add(row, exchange.id, place)
                for check in rows_.lacking(row) if not row.is_clean else ():
                    rows_.name(check, Example(place, exchange.id, finding=explain.first(row.contract.id, check)))
            for verdict in row.made:
                self._verdict(verdict, place, named, explain)

    def _of_kind(self, contract: Contract, kind: Kind, named: str) -> _Rows:
        key = (contract.id, kind, named)
        if key not in self._rows:
            self._rows[key] = _Rows(
                contract, kind, lambda check, level: self._tally(CheckKey(contract.id, check, level, named))
            )
        return self._rows[key]

    def _tally(self, key: CheckKey) -> _Tally:
        found = self._tallies.get(key)
        if found is None:
            found = self._tallies[key] = _Tally(self._named.setdefault(key, {}))
        return found

    def _verdict(self, verdict: Verdict, place: Place, named: str, explain: _Explaining) -> None:
        """Count a verdict. Only one that is going to be named is explained, which takes its time."""
        tally = self._tally(CheckKey(verdict.contract, verdict.check, verdict.level, named))
        outcome = proven(verdict)
        tally.came_to(outcome, 1)
        tally.examined += verdict.examined
        tally.found += verdict.found
        if verdict.reason is not None:
            tally.reasons[verdict.reason] = tally.reasons.get(verdict.reason, 0) + 1
        if tally.lacks(outcome):
            finding = explain.first(verdict.contract, verdict.check) if verdict.found else None
            tally.name(outcome, Example(place, verdict.exchange, verdict.reason, verdict.because, finding))

    def count(self) -> ProviderCount:
        """Return what was counted."""
        for each in self._rows.values():
            each.gather()
        return ProviderCount(dict(self._origins), {key: each.count() for key, each in self._tallies.items()})


class _Explaining:
    """Reads an exchange once more, and says at length what a check found, when somebody asks."""

    def __init__(self, exchange: Exchange, own: Contract | None) -> None:
        self._exchange, self._own = exchange, own

    @cached_property
    def _benches(self) -> Mapping[str, Bench]:
        return judging.benches(transcripts.read(self._exchange), self._own)

    def first(self, contract: str, check: str) -> Finding:
        """Return the first finding of a check that found something."""
        ruling = self._benches[contract].ruling(check)
        assert ruling is not None
        return ruling.findings[0]
