"""An assessment: exchanges of providers in, results out. What the command line and pytest have in common."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TypedDict

from chatconform import (
    __version__,
    attribution,
    deviations,
    gate,
    judging,
    resources,
    rules,
    summaries,
    waivers,
)
from chatconform.attribution import Baseline
from chatconform.checks import described
from chatconform.contracts import contract as contracts
from chatconform.exhibits import DeviationText, Endpoint, HabitText
from chatconform.model import (
    OPENAI,
    CheckText,
    Clause,
    Exchange,
    ExchangeSummary,
    JsonValue,
    Origin,
    Outcome,
    Place,
    Problem,
    Provider,
    ProviderResult,
    Results,
    Verdict,
)
from chatconform.recordings import store
from chatconform.recordings.sources import Unreadable
from chatconform.wire import habits

_BREAKS = {
    "type": "clients that decode into typed structures raise, or drop the whole answer.",
    "present": "clients that read the member raise, or go on with nothing in its place.",
    "value": "clients that go by the value skip the object, or refuse it.",
    "values": "clients that map the value to an enumeration raise, or take the answer for something else.",
    "minimum": "whatever is computed from the number is wrong.",
    "maximum": "whatever is computed from the number is wrong.",
    "nonempty": "clients that use the value find nothing by it.",
    "key": "hand-written clients that read the key raise.",
    "request": "requests that keep to what is documented are refused.",
}
_FIXES = {
    "type": "send the value in the type that the rule names.",
    "present": "send the member.",
    "value": "send exactly that value.",
    "values": "map other values to one of these before the answer leaves.",
    "minimum": "send a number within the range.",
    "maximum": "send a number within the range.",
    "nonempty": "send a value that is not empty.",
    "key": "send the key, null until there is a value.",
    "request": "take what is documented, or document what is taken.",
}


@dataclass(frozen=True, slots=True)
class Subject:
    """A provider, the exchanges it is judged on, and where they come from in a sentence.

    `problems` are those of its files. `is_part`: its plan was cut short, so that it can be convicted and not acquitted.
    """

    provider: Provider
    exchanges: tuple[Exchange, ...]
    source: str
    problems: tuple[Problem, ...] = ()
    is_part: bool = False


@dataclass(frozen=True, slots=True)
class Selection:
    """Which checks and scenarios are judged: shell patterns, all where there is none.

    `only` names (provider, contract, check) one by one: what a test runner was told to run.
    """

    checks: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    only: frozenset[tuple[str, str, str]] | None = None

    def takes_verdict(self, verdict: Verdict) -> bool:
        """Whether a verdict is asked for."""
        if self.only is not None and verdict.key[:3] not in self.only:
            return False
        return not self.checks or any(fnmatchcase(verdict.check, pattern) for pattern in self.checks)

    def takes(self, exchange: Exchange) -> bool:
        """Whether an exchange is judged, by its id or its scenario."""
        names = (exchange.id, exchange.scenario or exchange.id)
        return not self.scenarios or any(fnmatchcase(name, pattern) for pattern in self.scenarios for name in names)

    def facts(self) -> dict[str, JsonValue]:
        """Return what the results say of it, so that others know what was not asked for; nothing where all was."""
        patterns = {"checks": self.checks, "scenarios": self.scenarios}
        given: JsonValue = {name: list[JsonValue](each) for name, each in patterns.items() if each}
        return {"selected": given} if given else {}


def recorded_all(chosen: Iterable[Provider], beside: Path) -> tuple[list[Subject], list[Problem]]:
    """Return providers with their recordings, and what of these could not be read."""
    found = [recorded(provider, beside) for provider in chosen]
    return [subject for subject, _ in found], [problem for _, problems in found for problem in problems]


def recorded(provider: Provider, beside: Path) -> tuple[Subject, list[Problem]]:
    """Return a provider with its recordings: those beside providers.yaml, else the shipped ones."""
    name, folder = f"recordings/{provider.id}", recording_of(provider, beside)
    if folder is None:
        return Subject(provider, (), f"no recording: there is no {name}"), []
    exchanges, problems = readable(store.read([folder]))
    named = tuple(
        replace(each, provider=provider.id, file=f"{name}/{Path(each.file).relative_to(folder).as_posix()}")
        for each in exchanges
    )
    return Subject(provider, named, source_of(named)), problems


def recording_of(provider: Provider, beside: Path) -> Path | None:
    """Return the folder of a provider's recordings: beside providers.yaml, else the shipped ones; None: nowhere."""
    name = f"recordings/{provider.id}"
    folders = (beside / name, resources.path(name))
    return next((folder for folder in folders if folder.is_dir()), None)


def readable(items: Iterable[Exchange | Unreadable]) -> tuple[list[Exchange], list[Problem]]:
    """Part the exchanges that could be read from the errors of the others."""
    exchanges: list[Exchange] = []
    problems: list[Problem] = []
    for item in items:
        if isinstance(item, Exchange):
            exchanges.append(item)
        else:
            problems.append(Problem(str(item.place), item.problem, item.remedy))
    return exchanges, problems


def source_of(exchanges: Sequence[Exchange]) -> str:
    """Say in a sentence what kind of evidence the exchanges are."""
    origins = {exchange.origin for exchange in exchanges}
    if origins == {Origin.DOCUMENT}:
        return "the examples that its document prints, not the live endpoint"
    return " and ".join(f"{origin} exchanges" for origin in sorted(origins)) or "no exchange"


@dataclass(frozen=True, slots=True)
class _Judged:
    """What came of a subject, whose exchanges are let go: they may be many and large."""

    subject: Subject
    verdicts: tuple[Verdict, ...]
    summaries: tuple[ExchangeSummary, ...]
    problems: tuple[Problem, ...]
    is_printed: bool

    @classmethod
    def of(cls, subject: Subject, selection: Selection, today: date) -> _Judged:
        provider, taken = subject.provider, _distinct(filter(selection.takes, subject.exchanges))
        applied = waivers.apply(_verdicts(taken, provider, selection), {provider.id: provider.waivers}, today)
        exchanges, shown = summaries.with_evidence(taken, applied.verdicts)
        is_printed = {exchange.origin for exchange in taken} == {Origin.DOCUMENT}
        return cls(replace(subject, exchanges=()), shown, exchanges, (*subject.problems, *applied.problems), is_printed)


def assess(
    subjects: Iterable[Subject],
    *,
    run: Mapping[str, JsonValue],
    today: date,
    selection: Selection = Selection(),
    problems: Sequence[Problem] = (),
    baseline: Baseline | None = None,
) -> Results:
    """Judge the subjects, one after the other, and conclude on each. `today` (UTC) is for waivers alone."""
    judged = [_Judged.of(subject, selection, today) for subject in subjects]
    shown = tuple(verdict for each in judged for verdict in each.verdicts)
    said = texts({verdict.check for verdict in shown}, [each.subject for each in judged])
    failing = {verdict.check for verdict in shown if verdict.outcome is Outcome.FAIL}
    exchanges = tuple(summary for each in judged for summary in each.summaries)
    asked_for = [each.subject for each in judged]
    results = Results(
        run={"suite": __version__, "rules": rules.digest(), **selection.facts(), **run},
        providers=tuple(map(_conclude, judged)),
        checks=said,
        exchanges=exchanges,
        verdicts=shown,
        problems=(*problems, *(problem for each in judged for problem in each.problems)),
        deviations=deviation_texts({each for check in failing for each in said[check].known}),
        habits=habit_texts({habit.id for exchange in exchanges for habit in exchange.habits}),
        contracts={name: contracts.digest(name) for name in _named(asked_for)},
    )
    if baseline is None:
        return results
    asked = {provider.id for provider in results.providers}
    comparable = tuple(each for each in baseline.results.verdicts if each.provider in asked)
    since = replace(baseline, results=replace(baseline.results, verdicts=comparable))
    return replace(results, baseline=baseline.name, changes=attribution.compare(since, results))


def _distinct(exchanges: Iterable[Exchange]) -> tuple[Exchange, ...]:
    """Give exchanges that share an id different ones, so that every verdict has a key of its own."""
    seen: dict[str, int] = {}
    named = []
    for exchange in exchanges:
        number = seen[exchange.id] = seen.get(exchange.id, 0) + 1
        named.append(exchange if number == 1 else replace(exchange, id=f"{exchange.id}#{number}"))
    return tuple(named)


def _verdicts(taken: Iterable[Exchange], provider: Provider, selection: Selection) -> Iterator[Verdict]:
    for verdict in judging.judge(taken, provider.contract):
        if selection.takes_verdict(verdict):
            yield verdict


def _conclude(judged: _Judged) -> ProviderResult:
    subject = judged.subject
    concluded = gate.conclude(judged.verdicts, judged.is_printed, is_part=subject.is_part)
    return ProviderResult(
        id=subject.provider.id,
        conclusion=concluded.conclusion,
        sentence=concluded.sentence,
        counts=concluded.counts,
        source=subject.source,
        endpoint=Endpoint(subject.provider.base_url, subject.provider.model, subject.provider.contract),
        place=_shown(subject.provider.place),
        is_part=subject.is_part,
    )


def _shown(place: Place) -> Place | None:
    """A place in a file below the folder of the run; None for any other, which is of no use on another machine."""
    return None if place.line is None or Path(place.file).is_absolute() else place


def _named(subjects: Sequence[Subject]) -> list[str]:
    """Return the names of the contracts that the subjects are judged by."""
    return sorted({OPENAI, *(subject.provider.contract for subject in subjects if subject.provider.contract)})


def texts(checks: Collection[str], subjects: Sequence[Subject]) -> dict[str, CheckText]:
    """Return what reports say of checks, under OpenAI's contract and those of the subjects."""
    read = {name: contracts.load(name) for name in _named(subjects)}
    return {check: text(check, read) for check in sorted(checks)}


def habit_texts(ids: Collection[str]) -> dict[str, HabitText]:
    """Return what reports say of habits, with the clients that their catalogue entries name."""
    named = {each: habits.TEXTS[each] for each in sorted(ids)}
    return {each: replace(text, **_impact([text.entry or ""])) for each, text in named.items()}


def deviation_texts(ids: Collection[str]) -> dict[str, DeviationText]:
    """Return what reports say of entries of the catalogue."""
    entries = (deviations.load()[each] for each in sorted(ids))
    return {entry.id: DeviationText(entry.id, entry.says, entry.cites) for entry in entries}


class _Impact(TypedDict):
    """Whom a deviation hurts; the members are those of `CheckText` and `HabitText`."""

    raises: tuple[str, ...]
    wrong: tuple[str, ...]
    measured: bool


def _impact(cites: Iterable[str]) -> _Impact:
    """Return whom the catalogue's entries among these citations hurt, all together, and whether any was measured."""
    known, cited = deviations.load(), tuple(cites)
    found = deviations.impact(cited)
    measured = any(known[each].measured for each in cited if each in known)
    return {"raises": found.raises, "wrong": found.wrong, "measured": measured}


def text(check: str, read: Mapping[str, contracts.Contract]) -> CheckText:
    """Return what a report says of one check, by contract where the contracts differ."""
    registered = described().get(check)
    clauses: dict[str, Clause] = {}
    for name, contract in read.items():
        clause = contract.clause(check)
        if clause is not None:
            clauses[name] = clause
    says = {name: clause.says for name, clause in clauses.items()}
    levels = {name: clause.level for name, clause in clauses.items()}
    sources = {name: clause.source for name, clause in clauses.items()}
    kind = "request" if check.startswith("request.") else check.rpartition(".")[2]
    cites = [*(registered.cites if registered else ()), *(cite for clause in clauses.values() for cite in clause.cites)]
    known, hurts = tuple(each for each in dict.fromkeys(cites) if each in deviations.load()), _impact(cites)
    if registered is None:
        said, breaks, fix = says.get(OPENAI) or next(iter(says.values())), _BREAKS.get(kind, ""), _FIXES.get(kind, "")
        wording = {name: sentence for name, sentence in says.items() if sentence != said}
        return CheckText(check, said, breaks, fix, levels, sources, wording, known=known, **hurts)
    if registered.level is not None and OPENAI not in clauses:
        says = {OPENAI: registered.says, **says}
        levels = {OPENAI: registered.level, **levels}
        sources = {OPENAI: ", ".join(registered.cites), **sources}
    wording = {name: sentence for name, sentence in says.items() if sentence != registered.says}
    breaks, fix = registered.breaks, registered.fix
    return CheckText(check, registered.says, breaks, fix, levels, sources, wording, known=known, **hurts)
