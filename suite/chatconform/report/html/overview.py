"""What index.html shows, made of results: the board, what breaks, what changed, how it was measured."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from chatconform.diff import NOBODYS, By, Kind
from chatconform.model import OPENAI, Change, CheckText, ExchangeSummary, Origin, Outcome, OwnDocument, Problem, Results
from chatconform.report import board
from chatconform.report.board import Entry, Mark, Musts, NotAsked, Row
from chatconform.report.broken import broken
from chatconform.report.changes import WHY, WORDS, Told, by_whom, told
from chatconform.report.headline import headline, is_answered, why
from chatconform.report.html import arrivals
from chatconform.report.html.arrivals import Arrivals
from chatconform.report.html.bars import Segment, segments
from chatconform.report.html.matrix import Matrix, matrix

BREAKS = 8
"""How many broken checks are shown at once; the others unfold."""

MOST = 200
"""How many rows of any list are shown at all."""


_FACTS = {
    "fail_on": "Fails from",
    "interrupted": "Interrupted",
    "mode": "Exchanges",
    "rules": "Digest of the rules",
    "selected": "Asked for alone",
    "suite": "chatconform",
}
"""How the facts of a run are called; another is called by its key."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The musts of one contract: counts, and their bar."""

    musts: Musts
    bar: tuple[Segment, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """One provider on the board."""

    row: Row
    page: str
    own: Standing | None
    openai: Standing | None
    asked: str
    evidence: str
    why: str
    where: tuple[tuple[str, int], ...]
    broke: int
    fixed: int
    lost: int
    gone: int
    suites: int


@dataclass(frozen=True, slots=True)
class Hit:
    """A provider that breaks a check: where its card is, by which contract, and whether that is its own word.

    `new`: it did not in the baseline, and neither the suite nor chance changed that.
    """

    name: str
    link: str
    own: bool
    promised: bool
    new: bool


@dataclass(frozen=True, slots=True)
class Break:
    """A check that somebody breaks, with whom it hurts. `says` is the rule in the words of the first hit's contract."""

    check: str
    says: str
    text: CheckText
    mark: Mark
    hits: tuple[Hit, ...]
    more: int
    providers: int


@dataclass(frozen=True, slots=True)
class Changed:
    """What changed since the baseline by one and the same doing: whose it is, and why that is said.

    What broke and what is fixed is `loud`; `quiet` is what can no longer be proven, appeared or vanished.
    """

    whose: str
    why: str
    loud: tuple[Told, ...]
    quiet: tuple[Told, ...]


@dataclass(frozen=True, slots=True)
class Measured:
    """What one provider was judged on."""

    row: Row
    requests: int
    streams: int
    prompt_tokens: int
    completion_tokens: int
    scenarios: int
    unproven: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """All that index.html shows."""

    results: Results
    headline: str
    recorded: str
    places: tuple[Place, ...]
    breaks: tuple[Break, ...]
    lesser: tuple[Break, ...]
    arrivals: Arrivals | None
    matrix: Matrix
    changes: tuple[Changed, ...]
    problems: tuple[Problem, ...]
    measured: tuple[Measured, ...]
    left_out: tuple[NotAsked, ...]
    facts: tuple[tuple[str, str], ...]
    document_only: int


def view(results: Results) -> Overview:
    """What index.html shows of results."""
    rows = board.rows(results)
    exchanges = grouped(results.exchanges)
    timed = arrivals.alike([exchanges.get(row.provider.id, []) for row in rows[:MOST]])
    breaks = tuple(_breaks(results, rows))
    return Overview(
        results=results,
        headline=headline(results),
        recorded=recorded(results.exchanges),
        places=tuple(_place(results, row, exchanges.get(row.provider.id, [])) for row in rows),
        breaks=tuple(each for each in breaks if each.mark is Mark.FAIL),
        lesser=tuple(each for each in breaks if each.mark is not Mark.FAIL),
        arrivals=arrivals.drawn(timed),
        matrix=matrix(results, rows),
        changes=tuple(changed(results.changes)),
        problems=tuple(sorted(results.problems, key=lambda each: (each.place, each.problem, each.remedy))),
        measured=tuple(measured(row, exchanges.get(row.provider.id, [])) for row in rows),
        left_out=tuple(board.left_out(results)),
        facts=tuple(_facts(results)),
        document_only=sum(board.is_document_only(results, row.provider.id) for row in rows),
    )


def changed(changes: Sequence[Change]) -> Iterator[Changed]:
    """Yield what changed by who changed it, a line for the exchanges of a check that changed alike, the worst first."""
    for by, found in by_whom(changes):
        lines = told(found)
        loud = tuple(each for each in lines if each.is_loud)
        yield Changed(WORDS[by], WHY[by], loud, tuple(each for each in lines if not each.is_loud))


def grouped(exchanges: Sequence[ExchangeSummary]) -> Mapping[str, list[ExchangeSummary]]:
    """The exchanges of each provider, in the order of their ids."""
    found: dict[str, list[ExchangeSummary]] = {}
    for each in sorted(exchanges, key=lambda each: each.id):
        found.setdefault(each.provider, []).append(each)
    return found


def standing(row: Row, *, openai: bool) -> Standing | None:
    """The musts of OpenAI's contract, or of the own document; None where it was not judged by that."""
    musts = board.musts(row.provider, openai=openai)
    return None if musts is None else Standing(musts, segments(musts) if musts.total else ())


def asked_model(row: Row, exchanges: Sequence[ExchangeSummary]) -> str:
    """The model that was asked for: as configured, else the one that most requests name."""
    named = Counter(each.sent.model for each in exchanges if each.sent.model)
    return row.provider.endpoint.model or next((name for name, _ in named.most_common(1) if name), "")


def evidence(exchanges: Sequence[ExchangeSummary]) -> str:
    """How many exchanges there are, of which origin, and whether any was answered."""
    if not exchanges:
        return "no exchange"
    count = Counter(each.origin for each in exchanges)
    if set(count) == {Origin.DOCUMENT}:
        return board.plural(len(exchanges), "printed example")
    said = ", ".join(f"{count[origin]:,} {origin}" for origin in sorted(count))
    answered = "" if is_answered(exchanges) else ", none answered"
    return f"{said} {'exchange' if len(exchanges) == 1 else 'exchanges'}{answered}"


def recorded(exchanges: Iterable[ExchangeSummary]) -> str:
    """The day on which exchanges were recorded, or the first and the last; empty where nobody knows."""
    days = sorted({each.sent.recorded_at[:10] for each in exchanges if each.sent.recorded_at})
    return " to ".join(dict.fromkeys((days[0], days[-1]))) if days else ""


def _place(results: Results, row: Row, exchanges: Sequence[ExchangeSummary]) -> Place:
    changes = [each for each in results.changes if each.provider == row.provider.id]
    own = [each.change for each in told([each for each in changes if each.by not in NOBODYS])]
    groups = Counter(board.group(check) for check in {entry.check for entry in row.marked(Mark.FAIL)})
    return Place(
        row=row,
        page=board.page(row.provider.id, ".html"),
        own=standing(row, openai=False),
        openai=standing(row, openai=True),
        asked=asked_model(row, exchanges),
        evidence=evidence(exchanges),
        why=why(results, row.provider),
        where=tuple(sorted(groups.items(), key=lambda item: (-item[1], item[0]))),
        broke=sum(each.after is Outcome.FAIL for each in own),
        fixed=sum(each.kind == Kind.FIXED for each in own),
        lost=sum(each.kind == Kind.NEWLY_UNPROVEN for each in own),
        gone=sum(each.kind == Kind.VANISHED for each in own),
        suites=len(told([each for each in changes if each.by == By.SUITE])),
    )


def _breaks(results: Results, rows: Sequence[Row]) -> Iterator[Break]:
    """Yield what fails and is not waived, worst first."""
    own = (each for each in results.changes if each.by not in NOBODYS and each.before is not Outcome.FAIL)
    broke = {(each.provider, each.contract, each.check) for each in own if each.after is Outcome.FAIL}
    for each in broken(results, rows):
        if each.mark is not Mark.WAIVED:
            hits = tuple(_hit(row, entry, broke) for row, entry in each.found[:MOST])
            text = board.text_of(results, each.check)
            says, more = text.under(each.found[0][1].contract), len(each.found) - len(hits)
            yield Break(each.check, says, text, each.mark, hits, more, each.providers)


def _hit(row: Row, entry: Entry, broke: Container[tuple[str, str, str]]) -> Hit:
    anchor = board.anchor(entry.contract, entry.check)
    promised = entry.own_document is OwnDocument.PROMISES
    link = f"{board.page(row.provider.id, '.html')}#{anchor}"
    is_new = (row.provider.id, entry.contract, entry.check) in broke
    return Hit(row.provider.id, link, entry.contract != OPENAI, promised, is_new)


def measured(row: Row, exchanges: Sequence[ExchangeSummary]) -> Measured:
    """What one provider was judged on, in numbers."""
    reasons = Counter(
        verdict.reason.value
        for entry in row.marked(Mark.UNPROVEN)
        for verdict in entry.rolled.verdicts[:1]
        if verdict.reason
    )
    return Measured(
        row=row,
        requests=len(exchanges),
        streams=sum(each.received.timeline is not None for each in exchanges),
        prompt_tokens=sum(each.received.prompt_tokens or 0 for each in exchanges),
        completion_tokens=sum(each.received.completion_tokens or 0 for each in exchanges),
        scenarios=len({each.sent.scenario or each.id for each in exchanges}),
        unproven=tuple(sorted(reasons.items())),
    )


def _facts(results: Results) -> Iterator[tuple[str, str]]:
    """Yield the facts of the run."""
    for key in sorted(results.run):
        if key != "left_out":
            value = results.run[key]
            said = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)
            yield _FACTS.get(key, key), said
