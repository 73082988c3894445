"""Rows: what is ruled on one exchange, as numbers. A row is made into verdicts only when somebody reads it.

The quick way takes the exchanges in which nothing is wrong: every check that the request selects finds nothing, no
prerequisite is open, no shape breaks a clause. Whatever is not so goes before the bench. Tests hold the two ways
against each other on every good exchange, fault, variation and capture.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping
from functools import cache
from operator import mul
from typing import NamedTuple, TypeAlias

from chatconform.checks import all_checks
from chatconform.checks.check import Examines, Predicate
from chatconform.contracts.contract import Contract, alphabet
from chatconform.contracts.schema import Schema
from chatconform.judging.bench import CLAUSE_NEEDS, KIND_OF, SCHEMA_OF, unasked
from chatconform.model import OPENAI, Clause, Level, Outcome, Reason, Verdict
from chatconform.wire.asked import Asked
from chatconform.wire.transcript import Kind, Transcript

Result: TypeAlias = int | Reason
"""How many targets a check examined without a finding, or why there was none."""


class Clauses(NamedTuple):
    """What clauses say of payloads of certain shapes, none of which breaks one.

    `unexamined` are those that no payload has a place for; `counts` are the others, by how often each examined each
    shape. The counts are to be multiplied by how many payloads of each shape there are.
    """

    unexamined: Mapping[str, Result]
    counts: tuple[tuple[tuple[int, ...], tuple[str, ...]], ...] = ()


class Row(NamedTuple):
    """What is ruled on one exchange under one contract."""

    transcript: Transcript | None
    contract: Contract | None
    checked: Mapping[str, Result]
    clauses: Clauses
    made: tuple[Verdict, ...] = ()

    @classmethod
    def of(cls, verdicts: Iterable[Verdict]) -> Row:
        """Return the row of verdicts that the bench made."""
        return cls(None, None, {}, Clauses({}), tuple(verdicts))

    @property
    def examined(self) -> Mapping[str, Result]:
        """How many targets each clause examined."""
        groups = self.transcript.facts.groups if self.transcript else ()
        sizes = [group.count for group in groups]
        sums = ((sum(map(mul, counts, sizes)), clauses) for counts, clauses in self.clauses.counts)
        return {**self.clauses.unexamined, **{clause: total for total, clauses in sums for clause in clauses}}

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

Shapes: TypeAlias = tuple[int, ...]
"""The shapes of an answer's payloads, one for each group of payloads of one structure."""

_MAX_REMEMBERED = 4096
_REMEMBERED: dict[Hashable, Clauses | None] = {}
"""What the clauses came to, by all that they depend on; None where one was broken."""


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
    """Return the rows of an exchange in which nothing is wrong; None where the bench has to look."""
    asked = transcript.asked
    if not asked.known or transcript.kind is not KIND_OF.get(asked.target) or not transcript.facts.groups:
        return None
    results = _checked(transcript)
    if results is None:
        return None
    shapes = tuple([alphabet().number(group.value) for group in transcript.facts.groups])
    clauses = _clauses(transcript, openai, shapes)
    if clauses is None:
        return None
    row = Row(transcript, openai, results, clauses)
    if own is None:
        return (row,)
    of_document = _by_document(transcript, own, shapes, results)
    return None if of_document is None else (row, of_document)


def _checked(transcript: Transcript) -> dict[str, Result] | None:
    """Ask every check that the request selects; None as soon as one finds something or a needed one is open."""
    results: dict[str, Result] = {}
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
    """Return the checks over proper answers of a kind, by what selects them and by what counts their targets."""
    needed = {need for check in all_checks().values() for need in check.needs} | set(CLAUSE_NEEDS.values())
    found: dict[tuple[object, object], _Selection] = {}
    for check in all_checks().values():
        if kind in check.kinds:
            selection = found.setdefault((check.asks, check.came), _Selection(check.asks, check.came, {}))
            steps = selection.targets.setdefault(check.examines, [])
            steps.append(_Step(check.id, check.predicate, check.id in needed))
    return tuple(found.values())


def _clauses(transcript: Transcript, contract: Contract, shapes: Shapes) -> Clauses | None:
    """Return what the clauses come to; None where an answer breaks one."""
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


def _examined(transcript: Transcript, schema: Schema, shapes: Shapes) -> Clauses | None:
    selected = _selected(schema, transcript.asked)
    sums = schema.sums(shapes, [group.value for group in transcript.facts.groups])
    if any(_stands(clause, transcript.asked) for clause in sums.broken):
        return None
    left_out = {clause.id for clause in schema.clauses.values() if not _stands(clause, transcript.asked)}
    counts = tuple((count, tuple(name for name in names if name not in left_out)) for count, names in sums.counts)
    examined = {name for _, names in counts for name in names}
    unexamined = {clause: Reason.OTHER_BRANCH for clause in selected if clause not in examined}
    return Clauses(unexamined, counts)


def _selected(schema: Schema | None, asked: Asked) -> tuple[str, ...]:
    """Return the clauses that a request selects: those on what it asks for, under circumstances that are its own."""
    left_out, clauses = unasked(asked), schema.clauses.values() if schema else ()
    return tuple(each.id for each in clauses if _stands(each, asked) and each.id.partition(".")[0] not in left_out)


def _stands(clause: Clause, asked: Asked) -> bool:
    return all(asked.body.get(key) in values for key, values in clause.when.items())


def _by_document(transcript: Transcript, own: Contract, shapes: Shapes, results: Mapping[str, Result]) -> Row | None:
    """Return the row under a provider's document: its clauses, and what its promises came to."""
    promised = {check: results[check] for check in own.promises if check in results}
    if not own.covers(transcript.asked.body):
        selected = _selected(own.schemas.get(SCHEMA_OF[transcript.kind]), transcript.asked)
        outside = dict.fromkeys((*promised, *selected), Reason.REQUEST_OUTSIDE_DOCUMENT)
        return Row(transcript, own, outside, Clauses({}))
    clauses = _clauses(transcript, own, shapes)
    return None if clauses is None else Row(transcript, own, promised, clauses)


@cache
def _levels(contract: Contract, kind: Kind) -> Mapping[str, Level]:
    schema = contract.schemas.get(SCHEMA_OF[kind])
    of_checks = {check.id: check.level for check in all_checks().values() if check.level is not None}
    of_promises = {check: clause.level for check, clause in contract.promises.items()}
    of_clauses = {check: clause.level for check, clause in schema.clauses.items()} if schema else {}
    return {**of_checks, **of_promises, **of_clauses}
