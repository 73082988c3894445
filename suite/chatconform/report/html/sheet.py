"""What a provider's page shows, made of results: the conclusion, cards, what is unproven, passes, habits, exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from chatconform.exhibits import ContractDigest, Habit, HabitText
from chatconform.model import OPENAI, ExchangeSummary, Level, Outcome, Reason, Results, Tally, Verdict
from chatconform.report import board
from chatconform.report.board import Entry, Mark, NotAsked, Row
from chatconform.report.headline import of_provider
from chatconform.report.html import arrivals, overview
from chatconform.report.html.arrivals import Arrivals
from chatconform.report.html.cards import Card, card
from chatconform.report.html.overview import Changed, Measured, Standing
from chatconform.rollup import proven

CARDS = 200
"""How many failing checks have a card; the others are named."""

EXCHANGES = 200
"""How many exchanges are listed."""

NAMES = 12
"""How many names of members or fields a habit shows."""


@dataclass(frozen=True, slots=True)
class Tried:
    """The checks of one contract: its musts, and how all of its checks came out, level by level."""

    name: str
    standing: Standing | None
    levels: tuple[tuple[Level, Tally], ...]
    digest: ContractDigest | None


@dataclass(frozen=True, slots=True)
class Open:
    """A check that could not be judged, for one reason: what had to hold first, and in how many exchanges."""

    entry: Entry
    because: tuple[str, ...]
    exchanges: int


@dataclass(frozen=True, slots=True)
class Passed:
    """A check that passed: how many targets it examined, in how many exchanges."""

    entry: Entry
    says: str
    exchanges: int


@dataclass(frozen=True, slots=True)
class Custom:
    """A habit of the provider's: lawful, and worth knowing."""

    text: HabitText
    count: int
    exchanges: int
    first: ExchangeSummary
    offset: int | None
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Sheet:
    """All that a provider's page shows."""

    results: Results
    row: Row
    headline: str
    recorded: str
    asked: str
    evidence: str
    document_only: bool
    tried: tuple[Tried, ...]
    cards: tuple[Card, ...]
    uncarded: tuple[Entry, ...]
    bugs: tuple[tuple[Entry, Verdict], ...]
    changes: tuple[Changed, ...]
    arrivals: Arrivals | None
    unproven: tuple[tuple[Reason, tuple[Open, ...]], ...]
    passed: tuple[Passed, ...]
    habits: tuple[Custom, ...]
    exchanges: tuple[ExchangeSummary, ...]
    more_exchanges: int
    left_out: tuple[NotAsked, ...]
    measured: Measured


def view(results: Results, row: Row) -> Sheet:
    """What the page of one provider shows."""
    exchanges = board.exchanges_of(results, row.provider.id)
    listed = tuple(exchanges.values())
    mine = tuple(each for each in results.changes if each.provider == row.provider.id)
    return Sheet(
        results=results,
        row=row,
        headline=of_provider(results, row.provider),
        recorded=overview.recorded(listed),
        asked=overview.asked_model(row, listed),
        evidence=overview.evidence(listed),
        document_only=board.is_document_only(results, row.provider.id),
        tried=tuple(_tried(results, row)),
        cards=tuple(card(results, row, entry, exchanges, mine) for entry in row.failures[:CARDS]),
        uncarded=row.failures[CARDS:],
        bugs=tuple(_bugs(row)),
        changes=tuple(overview.changed(mine)),
        arrivals=arrivals.drawn(listed),
        unproven=tuple(_unproven(row)),
        passed=tuple(_passed(results, row)),
        habits=tuple(_habits(results, listed)),
        exchanges=listed[:EXCHANGES],
        more_exchanges=max(0, len(listed) - EXCHANGES),
        left_out=tuple(each for each in board.left_out(results) if each.provider == row.provider.id),
        measured=overview.measured(row, listed),
    )


def _tried(results: Results, row: Row) -> Iterator[Tried]:
    """Yield the provider's own document, then OpenAI's contract."""
    for contract in sorted(row.provider.counts, key=lambda name: (name == OPENAI, name)):
        levels = row.provider.counts[contract]
        yield Tried(
            name=board.contract_name(contract),
            standing=overview.standing(row, openai=contract == OPENAI),
            levels=tuple((level, levels[level]) for level in Level if level in levels),
            digest=results.contracts.get(contract),
        )


def _bugs(row: Row) -> Iterator[tuple[Entry, Verdict]]:
    """Yield the suite's own bugs: because of them the provider is void."""
    for entry in row.marked(Mark.ERROR):
        yield from ((entry, verdict) for verdict in entry.rolled.verdicts if verdict.outcome is Outcome.ERROR)


def _unproven(row: Row) -> Iterator[tuple[Reason, tuple[Open, ...]]]:
    """Yield what could not be judged, by reason."""
    groups: dict[Reason, list[Open]] = {}
    for entry in row.marked(Mark.UNPROVEN):
        for reason, verdicts in board.by_reason(entry).items():
            because = tuple(sorted({verdict.because for verdict in verdicts if verdict.because}))
            groups.setdefault(reason, []).append(Open(entry, because, len(verdicts)))
    yield from ((reason, tuple(groups[reason])) for reason in sorted(groups))


def _passed(results: Results, row: Row) -> Iterator[Passed]:
    for entry in row.marked(Mark.PASS):
        exchanges = sum(proven(verdict) is Outcome.PASS for verdict in entry.rolled.verdicts)
        yield Passed(entry, board.text_of(results, entry.check).under(entry.contract), exchanges)


def _habits(results: Results, exchanges: Sequence[ExchangeSummary]) -> Iterator[Custom]:
    """Yield what is lawful in the answers and worth knowing, each thing once."""
    seen: dict[str, list[tuple[ExchangeSummary, Habit]]] = {}
    for exchange in exchanges:
        for habit in exchange.habits:
            seen.setdefault(habit.id, []).append((exchange, habit))
    texts: Mapping[str, HabitText] = results.habits
    for habit_id in sorted(seen):
        found = seen[habit_id]
        names = tuple(dict.fromkeys(name for _, each in found for name in each.names))[:NAMES]
        count = sum(each.count for _, each in found)
        first, habit = found[0]
        yield Custom(texts[habit_id], count, len(found), first, habit.first, names)
