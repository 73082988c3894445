"""Proof: what the named faults and the lawful variations come to when they are judged, beside what they state."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from chatconform.judging import compare, judge, known_checks
from chatconform.model import OPENAI, Exchange, Level, Outcome, Verdict
from chatconform.reference.faults import Fault, all_faults
from chatconform.reference.good import GOOD, contract_of
from chatconform.reference.rehearsal import Run, rehearsal
from chatconform.reference.run_clauses import all_run_faults
from chatconform.reference.runs import RunFault
from chatconform.reference.variations import VARIATIONS
from chatconform.rollup import Rolled, roll_up

Ruled = Mapping[str, Verdict]
"""The verdicts on an exchange: `openai/sse.done.last` -> the verdict."""


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault, judged: the rules that fail because of it, what it leaves unproven by reason, and whether that is all.

    `as_stated`: the outcomes are those that its statement says, every other one being that of the good exchange.
    """

    fault: Fault | RunFault
    fails: tuple[str, ...]
    unproven: Mapping[str, int]
    as_stated: bool

    @property
    def is_deviation(self) -> bool:
        """Whether something is wrong on the wire, and not only unrecorded, refused or beyond a limit."""
        return bool(self.fault.change.fails)

    @property
    def group(self) -> str:
        """The kind of fault: the first part of its id, or that it was made from a clause."""
        return "one clause broken" if self.fault.id.startswith("clause:") else self.fault.id.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Reworded:
    """A lawful variation of one good exchange, judged: what it is accused of, by level."""

    id: str
    of: str
    accused: Mapping[str, Level]


@cache
def planted() -> tuple[Planted, ...]:
    """Return every fault, judged, in the order of their ids."""
    faults, of_runs = all_faults(), all_run_faults()
    exchanges = tuple(_planted(faults[name]) for name in sorted(faults))
    return (*exchanges, *(_planted_run(of_runs[name]) for name in sorted(of_runs)))


@cache
def reworded() -> tuple[Reworded, ...]:
    """Return every variation of every good exchange that it is one of, judged."""
    rows = ((variation, good) for variation in VARIATIONS.values() for good in variation.of)
    return tuple(Reworded(each.id, good, _accused(each.rewords(GOOD[good]))) for each, good in rows)


def broken_by() -> Mapping[str, tuple[str, ...]]:
    """Return by check or clause the faults that break it; those written by hand come first."""
    found: dict[str, list[str]] = {check: [] for check in sorted(known_checks())}
    for each in sorted(planted(), key=lambda each: (each.fault.id.startswith("clause:"), each.fault.id)):
        for check in dict.fromkeys(rule.partition("/")[2] for rule in each.fails):
            found[check].append(each.fault.id)
    return {check: tuple(faults) for check, faults in found.items()}


def _planted(fault: Fault) -> Planted:
    good, ruled = _of_good(fault.of), _ruled(fault.breaks(GOOD[fault.of]))
    failing = tuple(sorted(_failing(ruled).keys() - _failing(good).keys()))
    stated = fault.change.expected({key: _word(each) for key, each in good.items()}, known_checks())
    return Planted(fault, failing, dict(_unproven(good, ruled)), stated == {key: _word(ruled[key]) for key in ruled})


def _planted_run(fault: RunFault) -> Planted:
    good, ruled = of_good_run(fault), outcomes(fault.breaks(fault.makes()), fault.contract)
    failing = tuple(sorted(key for key, word in ruled.items() if word == Outcome.FAIL and good.get(key) != word))
    unproven = Counter(
        word.partition(": ")[2]
        for key, word in ruled.items()
        if word.startswith(Outcome.UNPROVEN) and not good.get(key, "").startswith(Outcome.UNPROVEN)
    )
    stated = fault.change.expected(good, known_checks())
    about = [key for key in {*stated, *ruled} if fnmatchcase(key.partition("/")[2], fault.about)]
    return Planted(fault, failing, dict(sorted(unproven.items())), all(stated.get(k) == ruled.get(k) for k in about))


def of_good_run(fault: RunFault) -> Mapping[str, str]:
    """Return what comparing says of the good run that a fault is of; of a whole run it is asked once."""
    is_whole = fault.makes() is rehearsal(fault.contract)
    return _of_rehearsal(fault.contract) if is_whole else outcomes(fault.makes(), fault.contract)


@cache
def _of_rehearsal(contract: str | None) -> Mapping[str, str]:
    return outcomes(rehearsal(contract), contract)


def outcomes(run: Run, contract: str | None) -> dict[str, str]:
    """Return what comparing says of a run: `openai/pairs.id.distinct` -> the outcome, with its reason."""
    rolled = roll_up(compare(run, contract))
    return {f"{key[1]}/{key[2]}": _rolled_word(each) for key, each in rolled.items()}


def _rolled_word(rolled: Rolled) -> str:
    deciding = (verdict for verdict in rolled.verdicts if verdict.outcome is rolled.outcome)
    reasons = sorted({str(verdict.reason) for verdict in deciding if verdict.reason})
    return ": ".join([str(rolled.outcome), *reasons[:1]])


def _accused(exchange: Exchange) -> Mapping[str, Level]:
    return {key: verdict.level for key, verdict in _failing(_ruled(exchange)).items()}


def _ruled(exchange: Exchange) -> dict[str, Verdict]:
    return {f"{each.contract}/{each.check}": each for each in judge([exchange], contract_of(exchange))}


@cache
def _of_good(name: str) -> Ruled:
    return _ruled(GOOD[name])


def _failing(ruled: Ruled) -> dict[str, Verdict]:
    return {key: verdict for key, verdict in ruled.items() if verdict.outcome is Outcome.FAIL}


def _word(verdict: Verdict) -> str:
    """Return an outcome with what explains it, as faults state it."""
    because = verdict.because or verdict.reason
    return f"{verdict.outcome}: {because}" if because else str(verdict.outcome)


def _unproven(good: Ruled, ruled: Ruled) -> Iterator[tuple[str, int]]:
    """Count what is newly unproven, by the check that had to hold first or the reason."""
    counts = Counter(
        verdict.because or str(verdict.reason)
        for key, verdict in ruled.items()
        if verdict.outcome is Outcome.UNPROVEN and (key not in good or good[key].outcome is not Outcome.UNPROVEN)
    )
    yield from sorted(counts.items())


def shown(rule: str) -> str:
    """Return a rule as a table shows it: the contract only where it is a provider's own document."""
    contract, _, check = rule.partition("/")
    return check if contract == OPENAI else rule
