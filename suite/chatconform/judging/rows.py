"""Rows: what is ruled on one exchange, as numbers. A row is made into verdicts only when somebody reads it.

The quick way takes the exchanges in which nothing is wrong: every check that the request selects finds nothing, no
prerequisite is open, no shape breaks a clause. Whatever is not so goes before the bench. Tests hold the two ways
against each other on every good exchange, fault, variation and capture.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from operator import mul
from typing import NamedTuple, TypeAlias

from chatconform.checks import all_checks
from chatconform.checks.check import Examines, Predicate
from chatconform.contracts.contract import Contract, alphabet, load
from chatconform.judging.bench import CLAUSE_NEEDS, KIND_OF, SCHEMA_OF
from chatconform.model import OPENAI, Clause, Level, Outcome, Reason, Verdict
from chatconform.wire.asked import Asked
from chatconform.wire.transcript import Kind, Transcript

Result: TypeAlias = int | Reason
"""How many targets a check examined without a finding, or why there was none."""


@dataclass(frozen=True, slots=True)
class Row:
    """What is ruled on one exchange under one contract."""

    transcript: Transcript | None
    contract: Contract | None
    checked: Mapping[str, Result]
    examined: Mapping[str, Result]
    made: tuple[Verdict, ...] = ()

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Row:
        """Return the row of verdicts that the bench made."""
        return cls(None, None, {}, {}, tuple(verdicts))

    @property
    def results(self) -> Mapping[str, Result]:
        """What each check and clause that stands under the contract came to."""
        stand = self.checked.keys() - _document_only() if self.contract and self.contract.id == OPENAI else self.checked
        return {**{check: self.checked[check] for check in stand}, **self.examined}

    @property
    def is_clean(self) -> bool:
        """Whether no check found anything."""
        return not self.made

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdicts, in the order of the checks' ids."""
        if self.transcript is None or self.contract is None:
            yield from self.made
            return
        exchange = self.transcript.exchange
        levels = _levels(self.contract, self.transcript.kind)
        for check, result in sorted(self.results.items()):
            reason = result if isinstance(result, Reason) else None
            yield Verdict(
                provider=exchange.provider,
                contract=self.contract.id,
                check=check,
                level=levels[check],
                exchange=exchange.id,
                outcome=reason.outcome if reason else Outcome.PASS,
                examined=result if isinstance(result, int) else 0,
                reason=reason,
            )


_OPEN = frozenset(reason for reason in Reason if reason.outcome is Outcome.UNPROVEN and reason is not Reason.RECORDER)
"""What keeps those waiting who need the check."""

Shapes: TypeAlias = tuple[Hashable, ...]
"""The shapes of an answer's payloads, one for each group of payloads of one structure."""


class _Step(NamedTuple):
    """What is asked of a check, and whether another one waits for it."""

    id: str
    examines: Examines
    predicate: Predicate
    is_needed: bool


class _Selection(NamedTuple):
    """Checks that the same question to the request, or the same thing in the answer, selects."""

    asks: Callable[[Asked], bool] | None
    came: Callable[[Transcript], bool] | None
    steps: tuple[_Step, ...]


def quick(transcript: Transcript, openai: Contract, own: Contract | None) -> tuple[Row, ...] | None:
    """Return the rows of an exchange in which nothing is wrong; None where the bench has to look."""
    asked = transcript.asked
    if not asked.known or transcript.kind is not KIND_OF.get(asked.target) or not transcript.facts.groups:
        return None
    results = _checked(transcript)
    shape = alphabet().shape
    shapes = tuple(shape(group.value) for group in transcript.facts.groups)
    counts = None if results is None else _clauses(transcript, openai, shapes)
    if results is None or counts is None:
        return None
    row = Row(transcript, openai, results, counts)
    if own is None:
        return (row,)
    of_document = _by_document(transcript, own, shapes, results)
    return None if of_document is None else (row, of_document)


def _checked(transcript: Transcript) -> dict[str, Result] | None:
    """Ask every check that the request selects; None as soon as one finds something or a needed one is open."""
    results: dict[str, Result] = {}
    try:
        asked = transcript.asked
        for asks, came, steps in _selections(transcript.kind):
            if asks is not None and not asks(asked) and not (came is not None and came(transcript)):
                continue
            for check, examines, predicate, is_needed in steps:
                result = examines(transcript) or Reason.NOTHING_TO_EXAMINE
                if result.__class__ is int:
                    for _ in predicate(transcript):
                        return None
                elif is_needed and result in _OPEN:
                    return None
                results[check] = result
    except Exception:  # noqa: BLE001  the bench runs it again, and says whose error it is
        return None
    return results


@cache
def _document_only() -> frozenset[str]:
    """Return the checks that stand only under a document that promises them."""
    return frozenset(check.id for check in all_checks().values() if check.level is None)


@cache
def _selections(kind: Kind) -> tuple[_Selection, ...]:
    """Return the checks over proper answers of a kind, by what selects them."""
    needed = {need for check in all_checks().values() for need in check.needs} | set(CLAUSE_NEEDS.values())
    found: dict[tuple[object, object], _Selection] = {}
    for check in all_checks().values():
        if kind in check.kinds:
            step = _Step(check.id, check.examines, check.predicate, check.id in needed)
            before = found.get((check.asks, check.came), _Selection(check.asks, check.came, ()))
            found[check.asks, check.came] = before._replace(steps=(*before.steps, step))
    return tuple(found.values())


def _clauses(transcript: Transcript, contract: Contract, shapes: Shapes) -> dict[str, Result] | None:
    """Return how many targets each clause examined; None where an answer breaks one."""
    schema = contract.schemas.get(SCHEMA_OF[transcript.kind])
    if schema is None:
        return {}
    groups, asked = transcript.facts.groups, transcript.asked
    sums = schema.sums(shapes, [group.value for group in groups])
    if any(_stands(clause, asked.body) for clause in sums.broken):
        return None
    results = dict(_selectable(contract.id, transcript.kind, asked.has_tools, asked.logprobs))
    for counts, clauses in sums.counts:
        results.update(dict.fromkeys(clauses, sum(map(mul, counts, (group.count for group in groups)))))
    return _standing(results, schema.conditional, asked.body)


@cache
def _selectable(contract: str, kind: Kind, tools: bool, logprobs: bool) -> Mapping[str, Result]:  # noqa: FBT001
    """Return the clauses that a request selects, before anything was examined."""
    schema = load(contract).schemas.get(SCHEMA_OF[kind])
    unasked = {group for group, is_asked in (("tools", tools), ("logprobs", logprobs)) if not is_asked}
    clauses = schema.clauses if schema else ()
    return {check: Reason.OTHER_BRANCH for check in clauses if check.partition(".")[0] not in unasked}


def _stands(clause: Clause, body: Mapping[str, object]) -> bool:
    return all(body.get(key) in values for key, values in clause.when.items())


def _standing(
    results: dict[str, Result], conditional: Iterable[Clause], body: Mapping[str, object]
) -> dict[str, Result]:
    """Leave out the clauses whose circumstances are not those of the request."""
    for clause in conditional:
        if not _stands(clause, body):
            results.pop(clause.id, None)
    return results


def _by_document(transcript: Transcript, own: Contract, shapes: Shapes, results: Mapping[str, Result]) -> Row | None:
    """Return the row under a provider's document: its clauses, and what its promises came to."""
    promised = {check: results[check] for check in own.promises if check in results}
    schema = own.schemas.get(SCHEMA_OF[transcript.kind])
    asked = transcript.asked
    if not own.covers(asked.body):
        selectable = dict(_selectable(own.id, transcript.kind, asked.has_tools, asked.logprobs))
        clauses = _standing(selectable, schema.conditional if schema else (), asked.body)
        outside = dict.fromkeys({**promised, **clauses}, Reason.REQUEST_OUTSIDE_DOCUMENT)
        return Row(transcript, own, outside, {})
    counts = _clauses(transcript, own, shapes)
    return None if counts is None else Row(transcript, own, promised, counts)


@cache
def _levels(contract: Contract, kind: Kind) -> Mapping[str, Level]:
    schema = contract.schemas.get(SCHEMA_OF[kind])
    of_checks = {check.id: check.level for check in all_checks().values() if check.level is not None}
    of_promises = {check: clause.level for check, clause in contract.promises.items()}
    of_clauses = {check: clause.level for check, clause in schema.clauses.items()} if schema else {}
    return {**of_checks, **of_promises, **of_clauses}
