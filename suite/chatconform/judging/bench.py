"""The bench: one transcript before one contract, ruling by ruling. The only place that catches what a check throws."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from itertools import islice

from chatconform.checks import Check, all_checks
from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract, alphabet
from chatconform.contracts.schema import ABSENT, Examination, Violation
from chatconform.model import (
    OPENAI,
    Clause,
    Finding,
    Level,
    Outcome,
    Reason,
    Verdict,
)
from chatconform.wire.asked import Asked, Credential, Target, credential
from chatconform.wire.fold import Where
from chatconform.wire.transcript import Kind, Transcript, shown

MAX_FINDINGS = 20
"""How many findings a verdict keeps; `found` counts them all."""

_REFUSALS = (400, 404, 413, 415, 422)
_BARS = (401, 403)
SCHEMA_OF = {
    Kind.ANSWER: contracts.Kind.RESPONSE,
    Kind.STREAM: contracts.Kind.CHUNK,
    Kind.ERROR: contracts.Kind.ERROR,
    Kind.MODELS: contracts.Kind.MODELS,
}
KIND_OF = {Target.ANSWER: Kind.ANSWER, Target.STREAM: Kind.STREAM, Target.MODELS: Kind.MODELS}
CLAUSE_NEEDS = {
    Kind.ANSWER: "http.status.error",
    Kind.STREAM: "sse.event.separated",
    Kind.ERROR: "errors.body.json",
    Kind.MODELS: "json.body.object",
}
"""What has to be in order before an answer of a kind is held against a schema."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """An outcome without its names. `because` is the check that a prerequisite failed in."""

    outcome: Outcome
    examined: int = 0
    reason: Reason | None = None
    because: str | None = None
    findings: tuple[Finding, ...] = ()
    found: int = 0


def _no(reason: Reason, because: str | None = None) -> Ruling:
    return Ruling(reason.outcome, reason=reason, because=because)


class _Examined:
    """What the payloads of an answer come to, by clause: targets examined, violations found, and the first of these."""

    def __init__(self) -> None:
        self.payloads = 0
        self.counts: Counter[str] = Counter()
        self.found: Counter[str] = Counter()
        self.first: dict[str, list[Violation]] = {}

    def lacks(self, examination: Examination) -> bool:
        """Whether its violations are to be told, so that the values in them have to be the payload's own."""
        return any(self.found[each.clause.id] < MAX_FINDINGS for each in examination.violations if each.clause)

    def add_alike(self, examination: Examination, times: int) -> None:
        """Add what was found in a payload as often as there are payloads of its shape; nobody asks where."""
        self.payloads += times
        for clause, count in examination.counts.items():
            self.counts[clause] += count * times
        for each in examination.violations:
            if each.clause:
                self.found[each.clause.id] += times

    def add(self, number: int, examination: Examination) -> None:
        """Add what was found in a payload."""
        self.payloads += 1
        self.counts.update(examination.counts)
        for each in examination.violations:
            if each.clause:
                self.found[each.clause.id] += 1
                if self.found[each.clause.id] <= MAX_FINDINGS:
                    located = replace(each, path=(number, *each.path))
                    self.first.setdefault(each.clause.id, []).append(located)


class Bench:
    """One transcript before one contract. Rulings are made once and remembered, prerequisites first."""

    def __init__(self, transcript: Transcript, contract: Contract, openai: Bench | None) -> None:
        self.transcript = transcript
        self.contract = contract
        self.openai = openai
        self.rulings: dict[str, Ruling | None] = {}
        self.clauses = self._selected_clauses()

    def verdicts(self) -> Iterator[Verdict]:
        """Yield a verdict for every check and clause that the request selects."""
        exchange = self.transcript.exchange
        for check, level in self._levels().items():
            ruling = self.ruling(check)
            if ruling is not None:
                yield Verdict(
                    provider=exchange.provider,
                    contract=self.contract.id,
                    check=check,
                    level=level,
                    exchange=exchange.id,
                    outcome=ruling.outcome,
                    examined=ruling.examined,
                    reason=ruling.reason,
                    because=ruling.because,
                    findings=ruling.findings,
                    found=ruling.found,
                )

    def promises(self, check: str) -> bool:
        """Whether this document says the same of this kind of answer, and to requests that it covers."""
        return (check in self.clauses or check in self.contract.promises) and self._outside is None

    def _levels(self) -> Mapping[str, Level]:
        """Return the checks and clauses that may stand for this exchange, in order, with their levels."""
        levels = {check: clause.level for check, clause in {**self.contract.promises, **self.clauses}.items()}
        if self.openai is None:
            levels |= {check.id: check.level for check in all_checks().values() if check.level is not None}
        return dict(sorted(levels.items()))

    def ruling(self, check: str) -> Ruling | None:
        """Return what is ruled on a check; None where the request does not select it."""
        if check not in self.rulings:
            self.rulings[check] = None
            self.rulings[check] = self._rule(check)
        return self.rulings[check]

    def _rule(self, check: str) -> Ruling | None:
        if check in self.contract.clauses:
            return self._rule_clause(self.clauses[check]) if check in self.clauses else None
        if self.openai is None:
            return self._rule_check(all_checks()[check])
        ruling = self.openai.ruling(check)
        return None if ruling is None else self._outside or ruling

    @cached_property
    def _outside(self) -> Ruling | None:
        """A document binds only 2xx answers to requests that stay inside its request schema."""
        if not self.transcript.asked.known:
            return _no(Reason.NO_REQUEST)
        if not self.contract.covers(self.transcript.asked.body):
            return _no(Reason.REQUEST_OUTSIDE_DOCUMENT)
        return None

    def _rule_check(self, check: Check) -> Ruling | None:
        transcript = self.transcript
        if not check.over(transcript):
            return None
        selected = check.selects(transcript)
        if transcript.asked.known and not selected:
            return None
        unanswered = self._unanswered
        if unanswered and not (check.of_any_status and transcript.kind is Kind.ERROR):
            return unanswered
        if not selected:
            return _no(Reason.NO_REQUEST)
        return self._missing(check.needs) or _ask(check, transcript)

    @cached_property
    def _unanswered(self) -> Ruling | None:
        """Say why there is no proper answer to judge; None where there is one."""
        transcript = self.transcript
        if transcript.kind is Kind.NOTHING:
            return self._nothing()
        if transcript.kind is Kind.ERROR:
            return self._error()
        if transcript.kind is not Kind.OTHER:
            return None
        if transcript.asked.is_elsewhere:
            return _no(Reason.REQUEST_OUTSIDE_DOCUMENT)
        return _no(Reason.PREREQUISITE, f"status {transcript.status}")

    def _nothing(self) -> Ruling:
        """Say what it means for an answer that nothing came: to a request that may be refused, none had to."""
        if self._may_be_refused():
            return _no(Reason.REQUEST_OUTSIDE_DOCUMENT)
        is_ours = self.transcript.exchange.end.startswith("limit:")
        return _no(Reason.BUDGET if is_ours else Reason.NETWORK)

    def _may_be_refused(self) -> bool:
        """Whether a request is one that OpenAI's reference does not allow, or that goes to a path that it has not."""
        asked = self.transcript.asked
        return asked.is_elsewhere or (asked.known and not contracts.load(OPENAI).covers(asked.body))

    def _error(self) -> Ruling:
        """Say what an error means for what belongs to an answer.

        A request that OpenAI's reference does not allow, or without the right key, gives no occasion for one.
        """
        transcript = self.transcript
        if transcript.status == 429:
            return _no(Reason.RATE_LIMITED)
        if self._may_be_refused():
            return _no(Reason.REQUEST_OUTSIDE_DOCUMENT)
        if transcript.status in _BARS and credential(transcript.exchange.request) is not Credential.RIGHT:
            return _no(Reason.REFUSED_TYPED)
        value = transcript.document.object if transcript.document else None
        typed = transcript.status in _REFUSALS and value is not None and bool(value.get("error"))
        return _no(Reason.REFUSED_TYPED) if typed else _no(Reason.PREREQUISITE, f"status {transcript.status}")

    def _missing(self, needs: Iterable[str]) -> Ruling | None:
        """Return the first prerequisite that this exchange selects and that did not pass."""
        bench = self.openai or self
        for need in needs:
            ruling = bench.ruling(need)
            if ruling is None or ruling.outcome in (Outcome.PASS, Outcome.NOT_APPLICABLE):
                continue
            if ruling.reason is Reason.RECORDER:
                continue
            return _no(Reason.PREREQUISITE, ruling.because if ruling.reason is Reason.PREREQUISITE else need)
        return None

    def _selected_clauses(self) -> Mapping[str, Clause]:
        """Return the clauses on what was asked for, and on an error where one came: those whose `when` holds."""
        asked = self.transcript.asked
        kinds = {
            KIND_OF.get(asked.target),
            self.transcript.kind if self.transcript.kind is Kind.ERROR else None,
        }
        schemas = [self.contract.schemas.get(SCHEMA_OF[kind]) for kind in Kind if kind in kinds]
        return {
            clause.id: clause
            for schema in schemas
            if schema
            for clause in schema.clauses.values()
            if not asked.known or all(asked.body.get(key) in values for key, values in clause.when.items())
        }

    def _rule_clause(self, clause: Clause) -> Ruling | None:
        ruling = self._rule_selected(clause)
        unasked = not self._asks_for(clause) and not ruling.examined
        return None if unasked else ruling

    def _asks_for(self, clause: Clause) -> bool:
        """Whether the request asks for what a clause is about: without tools there is no verdict on tool calls.

        What comes without being asked for is judged all the same.
        """
        return clause.id.partition(".")[0] not in self._unasked

    @cached_property
    def _unasked(self) -> frozenset[str]:
        return unasked(self.transcript.asked)

    def _rule_selected(self, clause: Clause) -> Ruling:
        kind = self.transcript.kind
        is_about_errors = clause.id in _error_clauses()
        unanswered = None if is_about_errors and kind is Kind.ERROR else self._unanswered
        outside = self._outside if self.openai is not None else None
        refused = unanswered or outside
        if refused:
            return refused
        if clause.when and not self.transcript.asked.known:
            return _no(Reason.NO_REQUEST)
        return self._missing((CLAUSE_NEEDS[kind],)) or self._examined(clause)

    def _examined(self, clause: Clause) -> Ruling:
        count = self.examination.counts.get(clause.id, 0)
        found = self.examination.found.get(clause.id, 0)
        if found:
            findings = tuple(map(self._finding, self.examination.first.get(clause.id, ())))
            return Ruling(Outcome.FAIL, count, findings=findings, found=found)
        if count:
            return Ruling(Outcome.PASS, count)
        return _no(Reason.OTHER_BRANCH if self.examination.payloads else Reason.NOTHING_TO_EXAMINE)

    @cached_property
    def examination(self) -> _Examined:
        """Hold every payload of the answer against the contract's schema, once; where nobody reads on, every shape."""
        schema = self.contract.schemas.get(SCHEMA_OF[self.transcript.kind])
        examined = _Examined()
        if self.transcript.terse and self.transcript.kind is Kind.STREAM:
            for group in self.transcript.facts.groups if schema else ():
                assert schema is not None
                alike = schema.examine_shape(alphabet().number(group.value), group.value)
                examined.add_alike(alike, group.count)
            return examined
        for number, value in self.transcript.objects() if schema else ():
            assert schema is not None
            alike = schema.examine_shape(alphabet().number(value), value)
            tells = not self.transcript.terse and examined.lacks(alike)
            examined.add(number, schema.examine(value) if tells else alike)
        return examined

    def _finding(self, violation: Violation) -> Finding:
        number, *path = violation.path
        assert isinstance(number, int)
        got = "nothing" if violation.got is ABSENT else shown(violation.got)  # type: ignore[arg-type]
        return self.transcript.finding(Where(number, tuple(path)), violation.want, got)


def unasked(asked: Asked) -> frozenset[str]:
    """Return the groups of clauses that are about what a request does not ask for."""
    groups = {"tools": asked.has_tools, "functions": asked.has_functions, "logprobs": asked.logprobs}
    return frozenset([group for group, is_asked in groups.items() if not is_asked])


def _ask(check: Check, transcript: Transcript) -> Ruling:
    """Run a check. What it throws is the suite's own error, never the provider's."""
    try:
        examined = check.examines(transcript)
        if isinstance(examined, Reason):
            return _no(examined)
        findings = tuple(islice(check.predicate(transcript), MAX_FINDINGS + 1))
        found = len(findings)
        if found > MAX_FINDINGS:
            found = sum(1 for _ in check.predicate(replace(transcript, terse=True)))
    except Exception as error:  # noqa: BLE001  the bench alone catches what a check throws
        return Ruling(Outcome.ERROR, findings=(Finding(f"{type(error).__name__}: {error}", "no exception"),), found=1)
    if findings:
        return Ruling(Outcome.FAIL, examined, findings=findings[:MAX_FINDINGS], found=found)
    return Ruling(Outcome.PASS, examined) if examined else _no(Reason.NOTHING_TO_EXAMINE)


@cache
def _error_clauses() -> frozenset[str]:
    return frozenset(contracts.load(OPENAI).schemas[contracts.Kind.ERROR].clauses)
