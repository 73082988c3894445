"""A card: one check that a provider fails, with all that its vendor needs to see it, to mend it and to try again."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from chatconform.diff import Kind
from chatconform.exhibits import DeviationText, Evidence
from chatconform.exhibits import Line as Bytes
from chatconform.model import OPENAI, Change, CheckText, ExchangeSummary, Finding, Origin, OwnDocument, Results, Verdict
from chatconform.report import board
from chatconform.report.board import Entry, Row
from chatconform.report.html import ticket

EXCHANGES = 3
"""How many exchanges of a card are shown with their bytes; the others are named."""

NAMED = 40
"""How many of the others are named."""

FINDINGS = 3
"""How many findings of an exchange are shown."""


@dataclass(frozen=True, slots=True)
class Shown:
    """One line of bytes. `gap` are the bytes that are left out before it; `caret` marks a place between two bytes."""

    line: Bytes
    gap: int
    caret: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """One finding with its bytes. `is_cut` says that the body begins before them; `rest` are the bytes behind them."""

    finding: Finding
    where: tuple[str, ...]
    arrived: int | None
    lines: tuple[Shown, ...]
    is_cut: bool
    rest: int
    at_end: bool

    @property
    def has_times(self) -> bool:
        """Whether it is known of any line when it was read."""
        return any(shown.line.arrived is not None for shown in self.lines)

    @property
    def has_events(self) -> bool:
        """Whether any line belongs to an event."""
        return any(shown.line.event is not None for shown in self.lines)


@dataclass(frozen=True, slots=True)
class Exhibit:
    """One exchange in which the check fails."""

    verdict: Verdict
    exchange: ExchangeSummary | None
    seen: tuple[Seen, ...]
    more: int


@dataclass(frozen=True, slots=True)
class Card:
    """All that is said of one failing check."""

    entry: Entry
    anchor: str
    text: CheckText
    says: str
    rule: str
    known: tuple[DeviationText, ...]
    explain: str | None
    is_printed: bool
    own: str | None
    own_says: str | None
    promised: bool
    extent: str
    exhibits: tuple[Exhibit, ...]
    others: tuple[str, ...]
    more: int
    change: Change | None
    again: str | None
    curl: str | None
    ticket: str


def card(
    results: Results, row: Row, entry: Entry, exchanges: Mapping[str, ExchangeSummary], changes: Iterable[Change]
) -> Card:
    """The card of one failing check; `changes` are those of its provider."""
    text, failed = board.text_of(results, entry.check), board.failing(entry)
    exhibits = tuple(_exhibit(verdict, exchanges.get(verdict.exchange)) for verdict in failed[:EXCHANGES])
    others = tuple(verdict.exchange for verdict in failed[EXCHANGES : EXCHANGES + NAMED])
    document = row.document or ""
    own = entry.own_document and board.own_document_sentence(entry.own_document, text.sources.get(document, ""))
    promised = entry.own_document is OwnDocument.PROMISES
    first = exchanges.get(failed[0].exchange)
    again, curl = board.command(row.provider, entry.check, first), ticket.curl(first)
    return Card(
        entry=entry,
        anchor=board.anchor(entry.contract, entry.check),
        text=text,
        says=text.under(entry.contract),
        rule=board.ruled_by(text, entry.contract),
        known=board.known(results, text),
        explain=f"chatconform explain {entry.check}" if re.fullmatch(r"[a-z0-9_.]{3,80}", entry.check) else None,
        is_printed=first is not None and first.origin is Origin.DOCUMENT,
        own=own,
        own_says=text.under(document) if promised and document in text.sources else None,
        promised=promised or entry.contract != OPENAI,
        extent=board.extent(entry),
        exhibits=exhibits,
        others=others,
        more=len(failed) - len(exhibits) - len(others),
        change=_change(changes, entry),
        again=again,
        curl=curl,
        ticket=ticket.ticket(results, row, entry, first, again=again, curl=curl),
    )


def _change(changes: Iterable[Change], entry: Entry) -> Change | None:
    """What changed in a check since the baseline: what broke, before anything else."""
    found = [each for each in changes if (each.contract, each.check) == (entry.contract, entry.check)]
    return min(found, key=lambda each: each.kind != Kind.BROKE, default=None)


def _exhibit(verdict: Verdict, exchange: ExchangeSummary | None) -> Exhibit:
    seen = tuple(_seen(finding) for finding in verdict.findings[:FINDINGS])
    return Exhibit(verdict, exchange, seen, max(verdict.found, len(verdict.findings)) - len(seen))


def _seen(finding: Finding) -> Seen:
    evidence = finding.evidence
    if evidence is None or not evidence.lines:
        return Seen(finding, board.where(finding), None, (), is_cut=False, rest=0, at_end=False)
    end = evidence.lines[-1].bytes[1]
    return Seen(
        finding=finding,
        where=board.where(finding),
        arrived=arrived(finding),
        lines=tuple(_lines(finding, evidence)),
        is_cut=evidence.lines[0].bytes[0] > 0,
        rest=evidence.size - end,
        at_end=finding.bytes == (evidence.size, evidence.size) and end == evidence.size,
    )


def arrived(finding: Finding) -> int | None:
    """When the place of a finding was read, in microseconds since the request was sent; None where nobody knows."""
    lines = finding.evidence.lines if finding.evidence else ()
    marked = [line.arrived for line in lines if line.text[1]]
    return marked[0] if marked else lines[-1].arrived if lines else None


def _lines(finding: Finding, evidence: Evidence) -> Iterator[Shown]:
    end = evidence.lines[0].bytes[0]
    place = finding.bytes or (0, 0)
    caret = place[0] if place[0] == place[1] < evidence.size else None
    for line in evidence.lines:
        here = caret is not None and line.bytes[0] <= caret < line.bytes[1]
        yield Shown(line, line.bytes[0] - end, here)
        end = line.bytes[1]
