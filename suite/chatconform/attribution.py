"""Whose a change is. Today's suite judges the old recording again: where it says of the old bytes something else than
was said then, the suite changed; where it says of the new bytes something else than of the old, the provider did.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path, PurePath

from chatconform import diff, judging, resources, rules
from chatconform.checks import all_checks, all_comparisons
from chatconform.contracts import contract as contracts
from chatconform.diff import By
from chatconform.exhibits import ContractDigest
from chatconform.model import Change, Exchange, ExchangeSummary, Origin, Outcome, Results, Verdict
from chatconform.recordings import store

_LONGEST_TAIL = 12
_SHIPPED = resources.path("recordings")


@dataclass(frozen=True, slots=True)
class Baseline:
    """Results to compare with, what they are called, and the folders in which their recordings are looked for."""

    name: str
    results: Results
    folders: tuple[Path, ...] = ()


def beside(file: Path, recordings: Path | None) -> tuple[Path, ...]:
    """Return where the recordings of a results file are looked for: where it is said, beside the file, from here."""
    return (*([recordings] if recordings else []), file.parent, Path())


def compare(baseline: Baseline, new: Results) -> tuple[Change, ...]:
    """The changes since a baseline, each with who changed, sorted by verdict key.

    What was not asked for on one side, by its patterns of checks and scenarios, has neither appeared nor vanished.
    """
    old = baseline.results
    before, after = _narrowed(old.verdicts, new), _narrowed(new.verdicts, old)
    compared = {name: _Compared(name, old, new) for name in {verdict.provider for verdict in (*before, *after)}}
    wanted = (summary for each in compared.values() for summary in each.to_judge_again())
    for exchange in recorded(wanted, baseline.folders):
        compared[exchange.provider].found.append(exchange)
    found = (change for name, each in compared.items() for change in each.changes(_of(name, before), _of(name, after)))
    owned = map(_owned, found)
    return tuple(sorted(owned, key=lambda change: (change.provider, change.contract, change.check, change.exchange)))


def _owned(change: Change) -> Change:
    """Give to chance what it may have done: a check passed and failed that the same endpoint passes and fails."""
    check = all_checks().get(change.check)
    is_there = {change.before, change.after} == {Outcome.PASS, Outcome.FAIL} and change.by != By.SUITE
    return replace(change, by=By.CHANCE) if check and check.by_chance and is_there else change


def _of(provider: str, verdicts: Iterable[Verdict]) -> list[Verdict]:
    return [verdict for verdict in verdicts if verdict.provider == provider]


def _narrowed(verdicts: Iterable[Verdict], other: Results) -> list[Verdict]:
    """Return the verdicts that the patterns of another judging leave, of exchanges that it has or would have taken."""
    checks, scenarios = _patterns(other, "checks"), _patterns(other, "scenarios")
    judged = {(each.provider, each.id) for each in other.exchanges}
    return [
        verdict
        for verdict in verdicts
        if _is_taken(verdict.check, checks)
        and ((verdict.provider, verdict.exchange) in judged or _is_taken(verdict.exchange, scenarios))
    ]


def _patterns(results: Results, name: str) -> list[str]:
    selected = results.run.get("selected")
    patterns = selected.get(name) if isinstance(selected, dict) else None
    return [pattern for pattern in patterns if isinstance(pattern, str)] if isinstance(patterns, list) else []


def _is_taken(name: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


@dataclass
class _Compared:
    """One provider in two judgings."""

    provider: str
    old_results: Results
    new_results: Results
    found: list[Exchange] = field(default_factory=list)
    """The old exchanges that today's suite can judge again."""
    doings: dict[tuple[str, bool], By | None] = field(default_factory=dict)
    """Who changed, by exchange, for what is said of it alone and for what is said of it beside others."""
    comparisons: Collection[str] = field(default_factory=all_comparisons)

    @cached_property
    def old(self) -> Mapping[str, ExchangeSummary]:
        """The old exchanges by id."""
        return _exchanges(self.old_results, self.provider)

    @cached_property
    def new(self) -> Mapping[str, ExchangeSummary]:
        """The new exchanges by id."""
        return _exchanges(self.new_results, self.provider)

    @cached_property
    def is_same_plan(self) -> bool:
        """Whether the same exchanges stand on both sides, so that what is said of several is said of the same."""
        return _judged_ids(self.old) == _judged_ids(self.new)

    @cached_property
    def is_same_recording(self) -> bool:
        """Whether not only the ids but all bytes are the same."""
        return self.is_same_plan and all(self.has_same_bytes(name) for name in _judged_ids(self.old))

    @cached_property
    def is_same_rules(self) -> bool:
        """Whether both were judged by the same rules, and under the same document or none."""
        old, new = self.old_results.run.get("rules"), self.new_results.run.get("rules")
        return old is not None and (old, self.own(self.old_results)) == (new, self.own(self.new_results))

    @cached_property
    def found_ids(self) -> set[str]:
        """The ids of the old exchanges that were found."""
        return {exchange.id for exchange in self.found}

    def own(self, results: Results) -> tuple[str | None, ContractDigest | None]:
        """Return the name and the digest of the contract of the provider's own document."""
        name = next((each.endpoint.contract for each in results.providers if each.id == self.provider), None)
        return name, results.contracts.get(name) if name else None

    def has_same_bytes(self, exchange: str) -> bool:
        """Whether an exchange of both sides is the same record, byte by byte."""
        return self.old[exchange].sha256 == self.new[exchange].sha256 != ""

    def changes(self, before: Iterable[Verdict], after: Iterable[Verdict]) -> Iterator[Change]:
        """Yield what changed, and by whom: in two steps where today's suite judged the old bytes again."""
        names = _patterns(self.old_results, "checks"), _patterns(self.new_results, "checks")
        judged = judging.judge(self.found, self.own(self.new_results)[0]) if self.found else ()
        again = (verdict for verdict in judged if all(_is_taken(verdict.check, each) for each in names))
        old, between, new = map(self.parted, (before, again, after))
        for by in By:
            yield from diff.between(old[by], new[by], by)
        yield from diff.between(old[None], between[None], By.SUITE)
        yield from diff.between(between[None], new[None], By.PROVIDER)

    def parted(self, verdicts: Iterable[Verdict]) -> Mapping[By | None, list[Verdict]]:
        """Return the verdicts by who changed where they differ; None: those that were ruled on again."""
        found: dict[By | None, list[Verdict]] = {by: [] for by in (None, *By)}
        for verdict in verdicts:
            of_several = verdict.check in self.comparisons or verdict.check.startswith("request.")
            key = (verdict.exchange, of_several)
            if key not in self.doings:
                self.doings[key] = self.doing(*key)
            found[self.doings[key]].append(verdict)
        return found

    def doing(self, exchange: str, of_several: bool) -> By | None:  # noqa: FBT001  a fact of the verdict
        """Return who changed where a verdict differs; None where the old exchange was judged again, which tells."""
        if exchange not in self.old or exchange not in self.new:
            return By.SUITE if self.is_asked_now(exchange) else By.UNATTRIBUTED
        if of_several and not self.is_same_plan:
            return By.UNATTRIBUTED
        if self.is_same_recording if of_several else self.has_same_bytes(exchange):
            return By.SUITE
        if self.is_same_rules:
            return By.PROVIDER
        is_judged = _judged_ids(self.old) <= self.found_ids if of_several else exchange in self.found_ids
        return None if is_judged else By.UNATTRIBUTED

    def is_asked_now(self, exchange: str) -> bool:
        """Whether the suite asks today for what it did not know of when the old results were made."""
        if not self.old or self.is_same_rules or exchange not in self.new:
            return False
        if self.new[exchange].origin is not Origin.LIVE:
            return False
        left_out = self.old_results.run.get("left_out")
        told = left_out.get(self.provider) if isinstance(left_out, dict) else None
        known = {diff.scenario_of(name) for name in (*self.old, *(told if isinstance(told, dict) else ()))}
        return diff.scenario_of(exchange) not in known

    def to_judge_again(self) -> Iterator[ExchangeSummary]:
        """Yield the old exchanges that tell who changed: none where that is known, or another suite judged the new."""
        if self.is_same_recording or self.is_same_rules or self.new_results.run.get("rules") != rules.digest():
            return
        name, digest = self.own(self.new_results)
        if name is None or (name in contracts.names() and contracts.digest(name) == digest):
            yield from (summary for exchange, summary in self.old.items() if exchange in self.new)


def _exchanges(results: Results, provider: str) -> Mapping[str, ExchangeSummary]:
    return {each.id: each for each in results.exchanges if each.provider == provider}


def _judged_ids(exchanges: Iterable[str]) -> set[str]:
    """Return the ids without attempts before the last, which nobody judges."""
    return {name for name in exchanges if "@" not in name}


def recorded(wanted: Iterable[ExchangeSummary], folders: Sequence[Path]) -> Iterator[Exchange]:
    """Yield exchanges that reports name and whose records are still there, byte by byte, under their names in reports.

    A file is looked for in each folder by its path and by every shorter end of it, then among the shipped recordings.
    """
    files: dict[str, dict[str, list[ExchangeSummary]]] = {}
    for summary in wanted:
        files.setdefault(summary.file, {}).setdefault(summary.sha256, []).append(summary)
    for file, named in sorted(files.items()):
        for path in _candidates(file, folders):
            yield from _named(path, named)
            if not named:
                break


def _named(path: Path, wanted: dict[str, list[ExchangeSummary]]) -> Iterator[Exchange]:
    """Yield the records of a file that are wanted, which then are no more."""
    for item in store.read([path]):
        for summary in wanted.pop(item.sha256, []) if isinstance(item, Exchange) else ():
            assert isinstance(item, Exchange)
            yield replace(item, id=summary.id, provider=summary.provider, file=summary.file)


def _candidates(file: str, folders: Sequence[Path]) -> Iterator[Path]:
    """Yield the regular files that a path may mean."""
    parts = PurePath(file).parts
    tails = [PurePath(*parts[start:]) for start in range(max(0, len(parts) - _LONGEST_TAIL), len(parts))]
    paths = [
        Path(file),
        *(folder / tail for folder in folders for tail in tails),
        _SHIPPED / file.removeprefix("recordings/"),
    ]
    yield from filter(_is_regular, dict.fromkeys(paths))


def _is_regular(path: Path) -> bool:
    try:
        return path.is_file()
    except OSError:
        return False
