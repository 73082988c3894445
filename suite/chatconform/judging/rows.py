"""Rows: what is ruled on one exchange, as numbers. A row is made into verdicts only when somebody reads it.

The quick way takes the exchanges in which nothing is wrong: every check that the request selects finds nothing, no
prerequisite is open, no shape breaks a clause. Whatever is not so goes before the bench. Where findings are only
counted, the quick way also takes what breaks something that nothing else waits for. Tests hold the two ways against
each other on every good exchange, fault, variation and capture.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cache
from operator import mul
from typing import NamedTuple, TypeAlias

from chatconform.checks import all_checks
from chatconform.checks.check import Examines, Predicate
from chatconform.contracts.contract import Contract, alphabet
from chatconform.contracts.schema import Groups, Schema
from chatconform.judging.bench import CLAUSE_NEEDS, KIND_OF, SCHEMA_OF, unasked
from chatconform.model import OPENAI, Clause, Level, Outcome, Reason, Verdict
from chatconform.wire.asked import Asked
from chatconform.wire.transcript import Kind, Transcript

Result: TypeAlias = int | Reason
"""How many targets a check examined without a finding, or why there was none."""


class Clauses(NamedTuple):
    """What clauses say of payloads of certain shapes.

    `unexamined` are those that no payload has a place for; `counts` are the others, by how often each examined each
    shape, and `broken` says how often each shape breaks some of them. The counts are to be multiplied by how many
    payloads of each shape there are.
    """

    unexamined: Mapping[str, Reason]
    counts: Groups = ()
    broken: Mapping[str, tuple[int, ...]] = {}


class Row(NamedTuple):
    """What is ruled on one exchange under one contract. `failed` says how many findings some of the checks had."""

    transcript: Transcript | None
    contract: Contract | None
    checked: Mapping[str, Result]
    clauses: Clauses
    made: tuple[Verdict, ...] = ()
    failed: Mapping[str, int] = {}

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Row:
        """Return the row of verdicts that the bench made."""
        return cls(None, None, {}, Clauses({}), tuple(verdicts))

    @property
    def sizes(self) -> list[int]:
        """How many payloads of each shape there are, as the counts of clauses are to be multiplied by."""
        return [group.count for group in self.transcript.facts.groups] if self.transcript else []

    @property
    def examined(self) -> Mapping[str, Result]:
        """How many targets each clause examined."""
        sizes = self.sizes
        sums = ((sum(map(mul, counts, sizes)), clauses) for counts, clauses in self.clauses.counts)
        return {**self.clauses.unexamined, **{clause: total for total, clauses in sums for clause in clauses}}

    @property
    def results(self) -> Mapping[str, Result]:
        """What each check and clause that stands under the contract came to."""
        stand = self.checked.keys() - document_only() if self.contract and self.contract.id == OPENAI else self.checked
        return {**{check: self.checked[check] for check in stand}, **self.examined}

    @property
    def is_clean(self) -> bool:
        """Whether no check found anything."""
        return not (self.made or self.failed or self.clauses.broken)

    def verdicts(self) -> Iterator[Verdict]:
        """Yield the verdicts, in the order of the checks' ids."""
        if self.transcript is None or self.contract is None:
            yield from self.made
            return
        exchange = self.transcript.exchange
        level_of = levels(self.contract, self.transcript.kind)
        for check, result in sorted(self.results.items()):
            reason = result if isinstance(result, Reason) else None
            yield Verdict(
                provider=exchange.provider,
                contract=self.contract.id,
                check=check,
                level=level_of[check],
                exchange=exchange.id,
                outcome=reason.outcome if reason else Outcome.PASS,
                examined=result if isinstance(result, int) else 0,
                reason=reason,
            )


_OPEN = frozenset(reason for reason in Reason if reason.outcome is Outcome.UNPROVEN and reason is not Reason.RECORDER)
"""What keeps those waiting who need the check."""

Shapes: TypeAlias = tuple[int, ...]
"""The shapes of an answer's payloads, one for each group of payloads of one structure."""

_MAX_REMEMBERED = 4096
_REMEMBERED: dict[Hashable, Clauses] = {}
"""What the clauses came to, by all that they depend on."""


class _Step(NamedTuple):
    """A check, and whether another one waits for it."""

    id: str
    predicate: Predicate
    is_needed: bool


class _Selection(NamedTuple):
    """Checks that the same question to the request, or the same thing in the answer, selects, by their targets."""

    asks: Callable[[Asked], bool] | None
    came: Callable[[Transcript], bool] | None
    targets: dict[Examines, list[_Step]]


def quick(transcript: Transcript, openai: Contract, own: Contract | None) -> tuple[Row, ...] | None:
    """Return the rows of an exchange in which nothing is wrong; None where the bench has to look.

    Where the transcript is terse, what is wrong is counted, unless something waits for it.
    """
    asked = transcript.asked
    if not asked.known or transcript.kind is not KIND_OF.get(asked.target) or not transcript.facts.groups:
        return None
    failed: dict[str, int] = {}
    results = _checked(transcript, failed)
    if results is None:
        return None
    shapes = tuple([alphabet().number(group.value) for group in transcript.facts.groups])
    row = Row(transcript, openai, results, _clauses(transcript, openai, shapes), failed=failed)
    rows = (row,) if own is None else (row, _by_document(transcript, own, shapes, row))
    for each in rows:
        if each.clauses.broken and not (transcript.terse and _needed().isdisjoint(each.clauses.broken)):
            return None
    return rows


def _checked(transcript: Transcript, failed: dict[str, int]) -> dict[str, Result] | None:
    """Ask every check that the request selects; None as soon as one is wrong, or open, that another waits for.

    One that finds something, for which none waits, is noted where the transcript is terse; else it is None as well.
    """
    results: dict[str, Result] = {}
    terse = transcript.terse
    try:
        asked = transcript.asked
        for asks, came, targets in _selections(transcript.kind):
            if asks is not None and not asks(asked) and not (came is not None and came(transcript)):
                continue
            for examines, steps in targets.items():
                result = examines(transcript) or Reason.NOTHING_TO_EXAMINE
                is_count = result.__class__ is int
                for check, predicate, is_needed in steps:
                    if is_count:
                        for _ in predicate(transcript):
                            if is_needed or not terse:
                                return None
                            failed[check] = failed.get(check, 0) + 1
                    elif is_needed and result in _OPEN:
                        return None
                    results[check] = result
    except Exception:  # noqa: BLE001  the bench runs it again, and says whose error it is
        return None
    return results


@cache
def document_only() -> frozenset[str]:
    """Return the checks that stand only under a document that promises them."""
    return frozenset(check.id for check in all_checks().values() if check.level is None)


@cache
def _needed() -> frozenset[str]:
    """Return the checks and clauses that others wait for."""
    return frozenset(need for check in all_checks().values() for need in check.needs) | frozenset(CLAUSE_NEEDS.values())


@cache
def _selections(kind: Kind) -> tuple[_Selection, ...]:
    """Return the checks over proper answers of a kind, by what selects them and by what counts their targets."""
    found: dict[tuple[object, object], _Selection] = {}
    for check in all_checks().values():
        if kind in check.kinds:
            selection = found.setdefault((check.asks, check.came), _Selection(check.asks, check.came, {}))
            steps = selection.targets.setdefault(check.examines, [])
            steps.append(_Step(check.id, check.predicate, check.id in _needed()))
    return tuple(found.values())


def _clauses(transcript: Transcript, contract: Contract, shapes: Shapes) -> Clauses:
    """Return what the clauses come to."""
    schema = contract.schemas.get(SCHEMA_OF[transcript.kind])
    if schema is None:
        return Clauses({})
    asked = transcript.asked
    circumstances = tuple([asked.body.get(key) in values for key, values in schema.circumstances])
    key = (schema, unasked(asked), circumstances, shapes)
    if key not in _REMEMBERED:
        if len(_REMEMBERED) >= _MAX_REMEMBERED:
            _REMEMBERED.clear()
        _REMEMBERED[key] = _examined(transcript, schema, shapes)
    return _REMEMBERED[key]


def _examined(transcript: Transcript, schema: Schema, shapes: Shapes) -> Clauses:
    selected = _selected(schema, transcript.asked)
    sums = schema.sums(shapes, [group.value for group in transcript.facts.groups])
    left_out = {clause.id for clause in schema.clauses.values() if not _stands(clause, transcript.asked)}
    counts = tuple((count, tuple(name for name in names if name not in left_out)) for count, names in sums.counts)
    examined = {name for _, names in counts for name in names}
    unexamined = {clause: Reason.OTHER_BRANCH for clause in selected if clause not in examined}
    return Clauses(unexamined, counts, {name: each for name, each in sums.broken.items() if name not in left_out})


def _selected(schema: Schema | None, asked: Asked) -> tuple[str, ...]:
    """Return the clauses that a request selects: those on what it asks for, under circumstances that are its own."""
    left_out, clauses = unasked(asked), schema.clauses.values() if schema else ()
    return tuple(each.id for each in clauses if _stands(each, asked) and each.id.partition(".")[0] not in left_out)


def _stands(clause: Clause, asked: Asked) -> bool:
    return all(asked.body.get(key) in values for key, values in clause.when.items())


def _by_document(transcript: Transcript, own: Contract, shapes: Shapes, openai: Row) -> Row:
    """Return the row under a provider's document: its clauses, and what its promises came to."""
    promised = {check: openai.checked[check] for check in own.promises if check in openai.checked}
    if not own.covers(transcript.asked.body):
        selected = _selected(own.schemas.get(SCHEMA_OF[transcript.kind]), transcript.asked)
        outside = dict.fromkeys((*promised, *selected), Reason.REQUEST_OUTSIDE_DOCUMENT)
        return Row(transcript, own, outside, Clauses({}))
    failed = {check: openai.failed[check] for check in promised if check in openai.failed}
    return Row(transcript, own, promised, _clauses(transcript, own, shapes), failed=failed)


@cache
def levels(contract: Contract, kind: Kind) -> Mapping[str, Level]:
    """Return the levels of what may be ruled on an answer of a kind under a contract."""
    schema = contract.schemas.get(SCHEMA_OF[kind])
    of_checks = {check.id: check.level for check in all_checks().values() if check.level is not None}
    of_promises = {check: clause.level for check, clause in contract.promises.items()}
    of_clauses = {check: clause.level for check, clause in schema.clauses.items()} if schema else {}
    return {**of_checks, **of_promises, **of_clauses}
