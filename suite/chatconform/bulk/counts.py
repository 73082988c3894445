"""Counts: what judging many exchanges comes to, whatever their number. Counts of parts add up to those of the whole.

Every exchange is judged by itself. What exchanges of one run show together is in no counts, and no two lines are told
apart or taken for one by their ids: a line is an exchange. What is kept is bounded: the counts of `MAX_PROVIDERS`
providers, `MAX_EXAMPLES` examples of each outcome of a check, `MAX_UNREAD` of the lines that could not be read. Which
ones does not depend on how the lines were parted, nor on the order in which the parts are added.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias, TypeVar

from chatconform.model import Finding, JsonObject, JsonValue, Level, Origin, Outcome, Place, Reason, Verdict

Name = TypeVar("Name")

MAX_PROVIDERS: Final = 1_000
"""How many providers are counted each by itself: the first by name. The others are counted together."""
OTHERS: Final = "(other providers)"
"""What those are called that are counted together."""
MAX_EXAMPLES: Final = 3
"""How many exchanges are named for each outcome of a check that asks for it: the first by file and line."""
NAMED: Final = frozenset({Outcome.FAIL, Outcome.ERROR, Outcome.UNPROVEN})
"""The outcomes that exchanges are named for."""
MAX_UNREAD: Final = 20
"""How many of the lines that could not be read are named: the first by file and line."""


class CheckKey(NamedTuple):
    """What verdicts of one provider are counted by.

    `exchange` is "" but where a waiver names the exchange: its verdicts are counted apart, so that the waiver
    reaches them and no others.
    """

    contract: str
    check: str
    level: Level
    exchange: str = ""


@dataclass(frozen=True, slots=True)
class Example:
    """One verdict that was counted: which exchange, where it stands, and what was found there first, or why nothing."""

    place: Place
    exchange: str
    reason: Reason | None = None
    because: str | None = None
    finding: Finding | None = None

    @property
    def rank(self) -> tuple[str, int, str, str]:
        """What examples are chosen by; where it is equal, the examples are."""
        return (self.place.file, self.place.line or 0, self.exchange, repr(self))


@dataclass(frozen=True, slots=True)
class Unread:
    """A line or a file that holds no exchange, and why."""

    place: Place
    problem: str
    remedy: str

    @property
    def rank(self) -> tuple[str, int, int, str]:
        """What the lines that are named are chosen by."""
        return (self.place.file, self.place.line or 0, self.place.column or 0, self.problem)


Examples: TypeAlias = Mapping[Outcome, tuple[Example, ...]]


@dataclass(frozen=True, slots=True)
class CheckCount:
    """How the verdicts of one key came out.

    `examined` counts targets, `found` findings, `outcomes` and `reasons` verdicts; `examples` are of the outcomes fail,
    error and unproven.
    """

    outcomes: Mapping[Outcome, int]
    examined: int = 0
    found: int = 0
    reasons: Mapping[Reason, int] = field(default_factory=dict)
    examples: Examples = field(default_factory=dict)

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle the members alone: there are some hundreds of these for each provider of a batch."""
        return CheckCount, (self.outcomes, self.examined, self.found, self.reasons, self.examples)

    def __add__(self, other: CheckCount) -> CheckCount:
        return CheckCount(
            added(self.outcomes, other.outcomes),
            self.examined + other.examined,
            self.found + other.found,
            added(self.reasons, other.reasons),
            _joined(self.examples, other.examples),
        )


@dataclass(frozen=True, slots=True)
class ProviderCount:
    """What the exchanges of one provider came to: how many of each origin there were, and each check."""

    origins: Mapping[Origin, int] = field(default_factory=dict)
    checks: Mapping[CheckKey, CheckCount] = field(default_factory=dict)

    @property
    def exchanges(self) -> int:
        """How many exchanges were judged."""
        return sum(self.origins.values())

    def __add__(self, other: ProviderCount) -> ProviderCount:
        checks = dict(self.checks)
        for key, count in other.checks.items():
            before = checks.get(key)
            checks[key] = count if before is None else before + count
        return ProviderCount(added(self.origins, other.origins), checks)


@dataclass(frozen=True, slots=True)
class Counts:
    """What lines of recorded traffic came to. `Counts()` is what none comes to, so that `sum(parts, Counts())` works.

    `lines` are all that were read, `empty` those with nothing on them, `superseded` attempts before the last, `others`
    exchanges that were not asked for, `unread` those that hold no exchange (`first_unread` are the first of them), and
    `taken` says how many exchanges each pattern of the selection took.
    """

    lines: int = 0
    empty: int = 0
    superseded: int = 0
    others: int = 0
    unread: int = 0
    first_unread: tuple[Unread, ...] = ()
    taken: Mapping[str, int] = field(default_factory=dict)
    providers: Mapping[str, ProviderCount] = field(default_factory=dict)

    @property
    def exchanges(self) -> int:
        """How many exchanges were judged."""
        return sum(provider.exchanges for provider in self.providers.values())

    def __add__(self, other: Counts) -> Counts:
        providers = dict(self.providers)
        for name, count in other.providers.items():
            before = providers.get(name)
            providers[name] = count if before is None else before + count
        return Counts(
            self.lines + other.lines,
            self.empty + other.empty,
            self.superseded + other.superseded,
            self.others + other.others,
            self.unread + other.unread,
            first_read((*self.first_unread, *other.first_unread)),
            added(self.taken, other.taken),
            _bounded(providers),
        )

    def to_json(self) -> JsonObject:
        """Return the counts as a JSON object, in the format `chatconform.counts/1`."""
        from chatconform.bulk import form

        return form.to_json(self)

    @staticmethod
    def from_json(document: JsonValue, source: str = "counts") -> Counts:
        """Return the counts of such an object, whatever is concluded in it. Raises `InputError` for any other."""
        from chatconform.bulk import form

        return form.from_json(document, Place(source))

    def verdicts(self) -> Iterator[Verdict]:
        """Yield one verdict for each outcome of each key, which stands for all of them.

        What is concluded of a provider, and which waivers are used up, hangs on which outcomes there are and not on
        how many of each: so the roll-up, the waivers and the gate say of these what they would say of all.
        """
        for name, provider in sorted(self.providers.items()):
            for key, count in sorted(provider.checks.items()):
                for outcome in Outcome:
                    if outcome in count.outcomes:
                        examined = count.examined if outcome is Outcome.PASS else 0
                        contract, check, level, exchange = key
                        yield Verdict(name, contract, check, level, exchange, outcome, examined)


def first_examples(examples: Iterable[Example]) -> tuple[Example, ...]:
    """Return the examples that are kept of these, in their order."""
    return tuple(sorted(examples, key=lambda each: each.rank)[:MAX_EXAMPLES])


def _joined(one: Examples, other: Examples) -> Examples:
    if not (one and other):
        return one or other
    return {outcome: first_examples((*one.get(outcome, ()), *other.get(outcome, ()))) for outcome in {**one, **other}}


def first_read(unread: Iterable[Unread]) -> tuple[Unread, ...]:
    """Return the lines that are named of these, in their order."""
    return tuple(sorted(unread, key=lambda each: each.rank)[:MAX_UNREAD])


def added(one: Mapping[Name, int], other: Mapping[Name, int]) -> dict[Name, int]:
    """Return the sums of two counts, name by name."""
    total = dict(one)
    for name, number in other.items():
        total[name] = total.get(name, 0) + number
    return total


def _bounded(providers: dict[str, ProviderCount]) -> dict[str, ProviderCount]:
    """Count those together whose names come after the first `MAX_PROVIDERS`.

    Who is among the first of all is among the first of every part, so nobody's count is torn apart.
    """
    for name in sorted(providers.keys() - {OTHERS})[MAX_PROVIDERS:]:
        providers[OTHERS] = providers.get(OTHERS, ProviderCount()) + providers.pop(name)
    return providers
