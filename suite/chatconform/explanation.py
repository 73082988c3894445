"""All that there is to say of one check or clause: gathered once, for `chatconform explain` and for docs/checks.md."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache

from chatconform import assessment, deviations, judging
from chatconform.checks import described
from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract
from chatconform.deviations import Deviation
from chatconform.judging.bench import CLAUSE_NEEDS, SCHEMA_OF
from chatconform.model import OPENAI, CheckText, Clause, Exchange, Level, Outcome, Verdict


@dataclass(frozen=True, slots=True)
class Rule:
    """A check under one contract: the level, the sentence, the source, and when it stands at all."""

    contract: str
    level: Level
    says: str
    source: str
    when: str


@dataclass(frozen=True, slots=True)
class Example:
    """A fault of a check: its id, what is then wrong on the wire, and the bytes that it changes, before and after."""

    fault: str
    says: str
    passes: str
    fails: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """A check with its rules, its prerequisites, the deviations that it cites, and an example where a fault breaks it.

    `raises` and `wrong` name the measured clients with their versions.
    """

    text: CheckText
    rules: tuple[Rule, ...]
    needs: tuple[str, ...]
    cited: tuple[Deviation, ...]
    raises: tuple[str, ...]
    wrong: tuple[str, ...]
    example: Example | None

    @property
    def hurts(self) -> tuple[tuple[str, str], ...]:
        """Whom it hurts, by what happens to them; one line without names where nobody is known to mind."""
        return _hurts(self.raises, self.wrong, is_measured=self.text.measured)


@cache
def explained(check: str) -> Explanation:
    """Return what there is to say of a check or clause that exists. Its example is judged, so each is made once."""
    read = all_contracts()
    text = assessment.text(check, read)
    cited = tuple(deviations.load()[each] for each in _cites(check, read) if each in deviations.load())
    return Explanation(
        text=text,
        rules=tuple(_rule(name, text, read[name]) for name in text.levels),
        needs=tuple(dict.fromkeys(_needs(check, read))),
        cited=cited,
        raises=_with_versions(text.raises),
        wrong=_with_versions(text.wrong),
        example=_example(check),
    )


def hurt(entry: Deviation) -> tuple[tuple[str, str], ...]:
    """Return whom a deviation hurts, by what happens to them, as `Explanation.hurts` does."""
    impact = deviations.impact([entry.id])
    return _hurts(_with_versions(impact.raises), _with_versions(impact.wrong), is_measured=entry.measured)


def _hurts(raises: tuple[str, ...], wrong: tuple[str, ...], *, is_measured: bool) -> tuple[tuple[str, str], ...]:
    lists = (("raises in", raises), ("silently wrong in", wrong))
    named = tuple((label, ", ".join(clients)) for label, clients in lists if clients)
    return named or ((("no measured client minds" if is_measured else "not measured"), ""),)


@cache
def all_contracts() -> Mapping[str, Contract]:
    """Return every contract by name, OpenAI's first."""
    return {name: contracts.load(name) for name in sorted(contracts.names(), key=lambda name: (name != OPENAI, name))}


@cache
def citing() -> Mapping[str, tuple[str, ...]]:
    """Return by entry of the catalogue the ids of the checks and clauses that cite it, sorted."""
    read = all_contracts()
    clauses = (clause for contract in read.values() for clause in (*contract.clauses, *contract.requests))
    ids = {*described(), *clauses}
    found: dict[str, list[str]] = {}
    for check in sorted(ids):
        for each in _cites(check, read):
            found.setdefault(each, []).append(check)
    return {each: tuple(checks) for each, checks in found.items() if each in deviations.load()}


def _cites(check: str, read: Mapping[str, Contract]) -> tuple[str, ...]:
    """Return every source that a check and the clauses of its id cite, each once."""
    registered = described().get(check)
    clauses = [clause for contract in read.values() if (clause := contract.clause(check))]
    own = registered.cites if registered else ()
    return tuple(dict.fromkeys([*own, *(cite for clause in clauses for cite in clause.cites)]))


def _rule(name: str, text: CheckText, contract: Contract) -> Rule:
    clause = contract.clause(text.id)
    basis = f" ({clause.basis})" if clause and clause.basis else ""
    return Rule(name, text.levels[name], text.under(name), f"{text.sources[name]}{basis}", _when(clause))


def _when(clause: Clause | None) -> str:
    """Say of which requests a clause speaks, where it does not speak of all."""
    if clause is None:
        return ""
    return " and ".join(f"{key} is {' or '.join(map(str, values))}" for key, values in clause.when.items())


def _needs(check: str, read: Mapping[str, Contract]) -> Iterator[str]:
    """Yield what has to hold first: of a clause, what is asked of the message that it is about."""
    registered = described().get(check)
    if registered is not None:
        yield from registered.needs
        return
    for contract in read.values():
        for kind, need in CLAUSE_NEEDS.items():
            schema = contract.schemas.get(SCHEMA_OF[kind])
            if schema is not None and check in schema.clauses:
                yield need


def _with_versions(names: tuple[str, ...]) -> tuple[str, ...]:
    versions = {client.name: client.version for client in deviations.catalogue().clients.values()}
    return tuple(f"{name} {versions[name]}" for name in names)


def _example(check: str) -> Example | None:
    from chatconform.reference.faults import example
    from chatconform.reference.run_example import example as example_of_run

    found = example(check) or example_of_run(check, _accusing)
    lines = [line.strip().partition(" ")[2].strip() for line in found]
    if not lines:
        return None
    _, fault, passes, fails = lines
    name, _, says = fault.partition(": ")
    return Example(name, says, passes, fails)


def _accusing(run: Iterable[Exchange], contract: str | None) -> Iterator[Verdict]:
    return (verdict for verdict in judging.compare(run, contract) if verdict.outcome is Outcome.FAIL)
