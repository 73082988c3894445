"""What is concluded from counts: by the roll-up, the waivers and the gate, of one verdict for each outcome."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import NamedTuple

from chatconform import gate, waivers
from chatconform.bulk import form
from chatconform.bulk.counts import CheckKey, Counts
from chatconform.model import JsonObject, Origin, Problem, Provider, ProviderResult, Results
from chatconform.report import results


@dataclass(frozen=True, slots=True)
class Conclusion:
    """Counts, what they come to for each provider, and what is wrong with the input.

    `waived` are the keys whose every failure is waived. `interrupted`: not all of the input was read.
    """

    counts: Counts
    providers: tuple[ProviderResult, ...]
    problems: tuple[Problem, ...]
    waived: frozenset[tuple[str, CheckKey]]
    fail_on: gate.FailOn
    interrupted: bool = False

    @property
    def exit_code(self) -> gate.ExitCode:
        """The code that the command ends with."""
        if self.interrupted:
            return gate.ExitCode.INTERRUPTED
        return gate.exit_code(Results({}, self.providers, {}, (), (), self.problems), self.fail_on)


class Selection(NamedTuple):
    """Which checks and scenarios are asked for, as shell patterns; all where there is none."""

    checks: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()


def conclude(
    counts: Counts,
    providers: Mapping[str, Provider],
    selection: Selection,
    today: date,
    fail_on: gate.FailOn,
    *,
    interrupted: bool = False,
) -> Conclusion:
    """Conclude on every provider."""
    asked = _of_checks(counts, selection.checks)
    known = {name: providers[name].waivers for name in asked.providers if name in providers}
    applied = waivers.apply(asked.verdicts(), known, today)
    concluded = []
    for name, count in sorted(asked.providers.items()):
        own = [verdict for verdict in applied.verdicts if verdict.provider == name]
        result = gate.conclude(own, count.origins.keys() == {Origin.DOCUMENT})
        concluded.append(ProviderResult(name, *result, source=_source(count.origins)))
    waived = frozenset(
        (verdict.provider, CheckKey(verdict.contract, verdict.check, verdict.level, verdict.exchange))
        for verdict in applied.verdicts
        if verdict.waiver is not None
    )
    idle = () if interrupted else _idle(counts, selection.scenarios)
    problems = (*_unread(asked), *idle, *applied.problems)
    return Conclusion(asked, tuple(concluded), problems, waived, fail_on, interrupted)


def _of_checks(counts: Counts, patterns: Sequence[str]) -> Counts:
    """Return the counts of the checks that some pattern names; of all where there is none."""
    if not patterns:
        return counts
    providers = {
        name: replace(
            provider,
            checks={
                key: count
                for key, count in provider.checks.items()
                if any(fnmatchcase(key.check, pattern) for pattern in patterns)
            },
        )
        for name, provider in counts.providers.items()
    }
    return replace(counts, providers=providers)


def _source(origins: Iterable[Origin]) -> str:
    return " and ".join(f"{origin} exchanges" for origin in sorted(origins))


def _unread(counts: Counts) -> Iterable[Problem]:
    for each in counts.first_unread:
        yield Problem(str(each.place), each.problem, each.remedy)


def _idle(counts: Counts, scenarios: Iterable[str]) -> Iterable[Problem]:
    """Yield a problem for each pattern that took none of the exchanges, where there are some."""
    for pattern in scenarios if counts.exchanges + counts.others else ():
        if not counts.taken.get(pattern):
            problem = f"--scenario {pattern} names no exchange"
            yield Problem("command line", problem, "name the id or the scenario of an exchange")


_CONCLUDED = ("id", "conclusion", "sentence", "counts", "source")
"""What is said of a provider; endpoints and places are those of a run."""


def to_json(conclusion: Conclusion, suite: str) -> JsonObject:
    """Return the counts with what is concluded from them by a version of the suite, in format 1."""
    return {
        **form.to_json(conclusion.counts),
        "run": {"suite": suite, "mode": "counted", "fail_on": conclusion.fail_on.value},
        "interrupted": conclusion.interrupted,
        "conclusions": [
            {name: results.plain(getattr(provider, name)) for name in _CONCLUDED} for provider in conclusion.providers
        ],
        "waived": [
            {"provider": provider, "contract": key.contract, "check": key.check, "exchange": key.exchange or None}
            for provider, key in sorted(conclusion.waived)
        ],
        "problems": [results.plain(problem) for problem in conclusion.problems],
    }


def dump(conclusion: Conclusion, suite: str) -> bytes:
    """Return the bytes of counts.json: UTF-8, characters without a shape as JSON escapes, a line feed at the end."""
    return results.encode(to_json(conclusion, suite))
