"""Reports in Markdown: index.md for all providers, and one page a provider. Same results, same text."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from chatconform.exhibits import Habit, HabitText
from chatconform.model import (
    OPENAI,
    Change,
    ExchangeSummary,
    Finding,
    Level,
    Outcome,
    Reason,
    Results,
    Tally,
    Verdict,
)
from chatconform.report import board, changes, visible
from chatconform.report.board import Entry, Mark, Row
from chatconform.report.broken import Broken, broken
from chatconform.report.headline import headline
from chatconform.report.tables import cell, identifier, joined, prose, section, table
from chatconform.rollup import proven

_FINDINGS_SHOWN = 5
_EXCHANGES_SHOWN = 20
_RECORDS_SHOWN = 200
_NAMES_SHOWN = 12
_CHANGED_SHOWN = 3
_CITES_SHOWN = 5


def index(results: Results) -> str:
    """index.md: the sentence that decides, the board, what breaks, the matrix, and how it was measured."""
    rows = board.rows(results)
    sections = (
        [f"# {prose(headline(results))}"],
        document_only_note(results),
        _board(rows),
        _breaks(results, rows),
        _changes(results),
        _problems(results),
        _matrix(rows),
        measured(results),
    )
    return joined(sections)


def provider(results: Results, provider_id: str) -> str:
    """A provider's page: the conclusion, the counts, every failure with its bytes, and all the rest.

    Raises KeyError where the results have no such provider.
    """
    row = board.row(results, provider_id)
    exchanges = board.exchanges_of(results, provider_id)
    sections = (
        _opening(results, row),
        _counts(row),
        _errors(row),
        _failures(results, row, exchanges),
        _unproven(row),
        _passed(row),
        _habits(results, exchanges),
        _exchanges(exchanges),
    )
    return joined(sections)


def _link(text: str, row: Row, fragment: str = "") -> str:
    return f"[{text}]({board.page(row.provider.id)}{fragment})"


def _card_link(text: str, row: Row, entry: Entry) -> str:
    return _link(text, row, f"#{board.anchor(entry.contract, entry.check)}")


def _name(row: Row) -> str:
    return cell(visible.line(row.provider.id, 60))


def document_only_note(results: Results) -> Iterator[str]:
    """A paragraph where a provider was judged on nothing but what its document prints."""
    count = sum(board.is_document_only(results, item.id) for item in results.providers)
    if count:
        were = "was" if count == 1 else "were"
        yield (
            f"{board.plural(count, 'provider')} {were} judged on the examples that their own documents print, "
            "not on the live endpoint: they can convict, and they acquit no endpoint."
        )


def _board(rows: Sequence[Row]) -> Iterator[str]:
    head = ("Provider", "Conclusion", "Own document", "OpenAI")
    return section("The board", table(head, (_board_row(row) for row in rows)))


def _board_row(row: Row) -> tuple[str, ...]:
    return (
        _link(_name(row), row),
        f"**{row.provider.conclusion.value}**",
        musts_cell(row, openai=False),
        musts_cell(row, openai=True),
    )


def musts_cell(row: Row, *, openai: bool) -> str:
    """The musts of OpenAI's contract, or of the own document, in the words of the board."""
    musts = board.musts(row.provider, openai=openai)
    if musts is None:
        return "–"
    waived = f", {musts.waived} waived" if musts.waived else ""
    verified = f"{musts.verified} of {musts.total} musts verified"
    return f"{verified}, {musts.failing} failing{waived}, {musts.unproven} unproven"


def _breaks(results: Results, rows: Sequence[Row]) -> Iterator[str]:
    """Failures of musts by check."""
    head = ("Check", "What does not hold", "What it breaks", "Providers")
    musts = (each for each in broken(results, rows) if each.mark is Mark.FAIL)
    return section("What breaks, worst first", table(head, (_break_row(results, each) for each in musts)))


def _break_row(results: Results, it: Broken) -> tuple[str, ...]:
    text = board.text_of(results, it.check)
    names = (
        _card_link(_name(row), row, entry) + ("" if entry.contract == OPENAI else " (own document)")
        for row, entry in it.found
    )
    return (identifier(it.check), prose(text.says), prose(text.breaks), ", ".join(names))


def _matrix(rows: Sequence[Row]) -> Iterator[str]:
    """Every check that was judged against every provider, a table for each group."""
    cells: dict[str, dict[str, list[str]]] = {}
    for row in rows:
        for entry in row.entries:
            cells.setdefault(entry.check, {}).setdefault(row.provider.id, []).append(_mark(row, entry))
    return section("Every check, every provider", _matrix_tables(rows, cells))


def _matrix_tables(rows: Sequence[Row], cells: Mapping[str, Mapping[str, list[str]]]) -> Iterator[str]:
    if cells:
        yield (
            "FAIL breaks a must, WARN a should, INFO a may. A pass says how many targets it examined. "
            "What begins with *own* is judged by the provider's own document, the rest by OpenAI's contract. "
            "– was not asked, or the answer lawfully gave no occasion."
        )
    for name in sorted({board.group(check) for check in cells}):
        yield from ("", f"### {cell(name)}", "")
        checks = [check for check in sorted(cells) if board.group(check) == name]
        head = ("Check", *(_link(_name(row), row) for row in rows))
        yield from table(
            head,
            (
                (identifier(check), *(" · ".join(cells[check].get(row.provider.id, ["–"])) for row in rows))
                for check in checks
            ),
        )


def _mark(row: Row, entry: Entry) -> str:
    word = f"pass {entry.rolled.examined:,}" if entry.mark is Mark.PASS else entry.mark.value
    if entry.rolled.outcome is Outcome.FAIL:
        loud = word if entry.mark is Mark.WAIVED else f"**{word}**"
        word = _card_link(loud, row, entry)
    return word if entry.contract == OPENAI else f"*own* {word}"


def _problems(results: Results) -> Iterator[str]:
    ordered = sorted(results.problems, key=lambda item: (item.place, item.problem, item.remedy))
    head = ("Where", "Problem", "What to do")
    return section(
        "Problems",
        table(head, ((identifier(item.place), cell(item.problem), cell(item.remedy)) for item in ordered)),
    )


def _changes(results: Results) -> Iterator[str]:
    if results.baseline is None:
        return
    yield from (f"## Since {cell(results.baseline)}", "")
    if not results.changes:
        yield "Nothing changed."
    for by, items in changes.by_whom(results.changes):
        yield f"- {changes.WORDS[by]}: {changes.counts(items)}. {changes.WHY[by]}"
    yield ""
    yield from table(CHANGE_HEAD, change_rows(results.changes))


CHANGE_HEAD = ("Change", "By", "Provider", "Contract", "Check", "Level", "Before", "After", "Exchanges")


def change_rows(changed: Sequence[Change]) -> Iterator[tuple[str, ...]]:
    """Changes as rows of a table: by whom, the worst first, a row for the exchanges of a check that changed alike."""
    for told in (each for _, found in changes.by_whom(changed) for each in changes.told(found)):
        item, more = told.change, len(told.exchanges) - _CHANGED_SHOWN
        yield (
            cell(item.kind),
            cell(item.by),
            cell(item.provider),
            cell(board.contract_name(item.contract)),
            identifier(item.check),
            item.level.value,
            item.before.value if item.before else "–",
            item.after.value if item.after else "–",
            ", ".join(map(identifier, told.exchanges[:_CHANGED_SHOWN])) + (f" and {more:,} more" if more > 0 else ""),
        )


def measured(results: Results) -> Iterator[str]:
    """How it was measured: the facts of the run, and what each provider was judged on."""
    facts = [
        f"- {cell(key)}: {visible.code(visible.line(_fact(results.run[key]), 300))}"
        for key in sorted(results.run)
        if key not in ("left_out", "rules")
    ]
    sources = [
        f"- {cell(item.id)}: {cell(item.source)} ({_origins(results, item.id)})"
        for item in sorted(results.providers, key=lambda item: item.id)
    ]
    return section("How it was measured", facts + sources + _left_out(results))


def _left_out(results: Results) -> list[str]:
    """What a live run did not ask, by the reason."""
    return [
        f"- {cell(item.provider)} was not asked for {', '.join(map(identifier, item.scenarios))}: {cell(item.why)}"
        for item in board.left_out(results)
    ]


def _fact(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, sort_keys=True)


def _origins(results: Results, provider: str) -> str:
    count = Counter(item.origin.value for item in results.exchanges if item.provider == provider)
    if not count:
        return "no exchange"
    return ", ".join(f"{board.plural(count[origin], 'exchange')} of origin {origin}" for origin in sorted(count))


def _opening(results: Results, row: Row) -> Iterator[str]:
    yield f"# {_name(row)}: {row.provider.conclusion.value}"
    yield from ("", visible.markdown(board.sentence(row.provider)))
    if board.is_document_only(results, row.provider.id):
        yield ""
        yield (
            "**These exchanges are the printed examples of the provider's own document, not answers of its "
            "live endpoint. They can convict; nothing here acquits the endpoint.**"
        )
    yield from ("", f"Judged on: {cell(row.provider.source)}. [All providers](index.md)")


def _counts(row: Row) -> Iterator[str]:
    counts = row.provider.counts
    order = sorted(counts, key=lambda contract: (contract == OPENAI, contract))
    head = ("Contract", "Level", "Passed", "Failed", "Waived", "Unproven", "Not applicable", "Error")
    return section(
        "Counts",
        table(
            head,
            (
                (cell(board.contract_name(contract)), level.value, *_tally(counts[contract][level]))
                for contract in order
                for level in Level
                if level in counts[contract]
            ),
        ),
    )


def _tally(tally: Tally) -> Iterator[str]:
    numbers = (tally.passed, tally.failed, tally.waived, tally.unproven, tally.not_applicable, tally.error)
    return (f"{number:,}" for number in numbers)


def _errors(row: Row) -> Iterator[str]:
    """The suite's own bugs: because of them the provider is void."""
    return section(
        "Bugs of the suite",
        (
            f"- {identifier(entry.check)} ({cell(board.contract_name(entry.contract))})"
            f" on {identifier(verdict.exchange)}"
            + "".join(f": {cell(finding.got)}" for finding in verdict.findings[:1])
            for entry in row.marked(Mark.ERROR)
            for verdict in entry.rolled.verdicts
            if verdict.outcome is Outcome.ERROR
        ),
    )


def _failures(results: Results, row: Row, exchanges: Mapping[str, ExchangeSummary]) -> Iterator[str]:
    """A card for every failing check: musts first, what is waived last."""
    return section("What fails", (line for entry in row.failures for line in _card(results, row, entry, exchanges)))


def _card(results: Results, row: Row, entry: Entry, exchanges: Mapping[str, ExchangeSummary]) -> Iterator[str]:
    yield f'<a id="{board.anchor(entry.contract, entry.check)}"></a>'
    yield from ("", f"### {entry.mark.value} {identifier(entry.check)}", "")
    yield from rule(results, row, entry)
    failed = board.failing(entry)
    again = board.command(row.provider, entry.check, exchanges.get(failed[0].exchange))
    if again:
        yield f"- **Again:** {visible.code(again)}"
    yield f"- **In:** {board.extent(entry)}"
    for verdict in failed[:_EXCHANGES_SHOWN]:
        yield from evidence(verdict, exchanges.get(verdict.exchange))
    if len(failed) > _EXCHANGES_SHOWN:
        yield f"- and {board.plural(len(failed) - _EXCHANGES_SHOWN, 'more exchange')}"
    yield ""


def rule(results: Results, row: Row, entry: Entry) -> Iterator[str]:
    """The rule that was broken: the fact, its contract, what breaks, the fix and the sources."""
    text = board.text_of(results, entry.check)
    level = entry.rolled.level.value
    yield f"- **Does not hold:** {prose(text.under(entry.contract))}"
    yield f"- **Contract:** {cell(board.contract_name(entry.contract))}, {level}"
    for label, said in (
        ("Breaks", text.breaks),
        ("Hurts", board.impact(text)),
        ("Fix", text.fix),
        ("Source", board.ruled_by(text, entry.contract)),
    ):
        if said:
            yield f"- **{label}:** {prose(said)}"
    for each in board.known(results, text):
        cites = "".join(f", {cell(cite)}" for cite in each.cites[:_CITES_SHOWN])
        yield f"- **Seen elsewhere:** {prose(each.says)} {identifier(each.id)}{cites}"
    if entry.own_document:
        source = text.sources.get(row.document or "", "")
        yield f"- **Own document:** {cell(board.own_document_sentence(entry.own_document, source))}"


def evidence(verdict: Verdict, exchange: ExchangeSummary | None) -> Iterator[str]:
    """What one exchange shows: where it is, whether it is waived, and its first findings."""
    file = f" in {visible.code(visible.line(exchange.file, 200))}" if exchange else ""
    yield f"- {identifier(verdict.exchange)}{file}{_waived(verdict)}"
    for finding in verdict.findings[:_FINDINGS_SHOWN]:
        yield from _finding(finding)
    more = max(verdict.found, len(verdict.findings)) - len(verdict.findings[:_FINDINGS_SHOWN])
    if more:
        yield f"  - and {more:,} more"


def _waived(verdict: Verdict) -> str:
    waiver = verdict.waiver
    if waiver is None:
        return ""
    link = f" ({cell(waiver.link)})" if waiver.link else ""
    return f", **waived** until {cell(waiver.until)}: {cell(waiver.reason)}{link}"


def _finding(finding: Finding) -> Iterator[str]:
    pointer = (f"at {visible.code(visible.line(finding.at, 120))}",) if finding.at else ()
    place = ", ".join((*board.where(finding), *pointer)) or "in the answer"
    yield f"  - {place}: got {cell(finding.got)}; wanted {cell(finding.want)}"
    if finding.excerpt is not None:
        yield f"    <br>{visible.code(visible.line(finding.excerpt, 400))}"


def _unproven(row: Row) -> Iterator[str]:
    """What could not be judged, by reason, with the check that had to hold first."""
    groups: dict[Reason, list[str]] = {}
    for entry in row.marked(Mark.UNPROVEN):
        for reason, verdicts in board.by_reason(entry).items():
            groups.setdefault(reason, []).append(_unproven_line(entry, verdicts))
    return section("Unproven", _unproven_groups(groups))


def _unproven_groups(groups: Mapping[Reason, Sequence[str]]) -> Iterator[str]:
    for reason in sorted(groups):
        yield from (f"### {reason.value}", "", board.REASONS[reason], "", *groups[reason], "")


def _unproven_line(entry: Entry, verdicts: Sequence[Verdict]) -> str:
    first = sorted({verdict.because for verdict in verdicts if verdict.because})
    because = f", needs {', '.join(identifier(check) for check in first)}" if first else ""
    what = f"{cell(board.contract_name(entry.contract))}, {entry.rolled.level.value}"
    return f"- {identifier(entry.check)} ({what}){because}: {board.plural(len(verdicts), 'exchange')}"


def _passed(row: Row) -> Iterator[str]:
    head = ("Check", "Contract", "Level", "Targets examined", "Exchanges")
    passes = (
        (
            identifier(entry.check),
            cell(board.contract_name(entry.contract)),
            entry.rolled.level.value,
            f"{entry.rolled.examined:,}",
            f"{sum(proven(verdict) is Outcome.PASS for verdict in entry.rolled.verdicts):,}",
        )
        for entry in row.marked(Mark.PASS)
    )
    return section("Passed", table(head, passes))


def _habits(results: Results, exchanges: Mapping[str, ExchangeSummary]) -> Iterator[str]:
    """What is lawful in the answers and worth knowing, each thing once."""
    seen: dict[str, list[tuple[ExchangeSummary, Habit]]] = {}
    for exchange in exchanges.values():
        for habit in exchange.habits:
            seen.setdefault(habit.id, []).append((exchange, habit))
    head = ("What is seen", "Where", "Whom it hurts")
    rows = (_habit_row(results, habit, seen[habit]) for habit in sorted(seen))
    return section("Habits: lawful, and worth knowing", table(head, rows))


def _habit_row(results: Results, habit: str, seen: Sequence[tuple[ExchangeSummary, Habit]]) -> tuple[str, ...]:
    text = results.habits[habit]
    names = list(dict.fromkeys(name for _, each in seen for name in each.names))[:_NAMES_SHOWN]
    exchange, first = seen[0]
    at = "" if first.first is None else f" at byte {first.first:,}"
    times = f"{sum(each.count for _, each in seen):,} in {board.plural(len(seen), 'exchange')}"
    return (
        prose(text.says) + (f" {', '.join(map(identifier, names))}" if names else ""),
        f"{times}, first in {identifier(exchange.id)}{at}",
        _hurt(text),
    )


def _hurt(text: HabitText) -> str:
    """Whom a habit hurts, and what its entry in the catalogue says of the measured clients."""
    if text.entry is None:
        return prose(text.hurts)
    said = (text.hurts, board.impact(text))
    return f"{'; '.join(prose(each.removesuffix('.')) for each in said)} ({cell(text.entry)})."


def _exchanges(exchanges: Mapping[str, ExchangeSummary]) -> Iterator[str]:
    shown = list(exchanges.values())[:_RECORDS_SHOWN]
    head = ("Exchange", "Request", "Answer", "Origin", "Times", "File", "SHA-256", "Remark")
    lines = list(table(head, (_exchange_row(item) for item in shown)))
    if len(exchanges) > len(shown):
        lines += ["", f"and {board.plural(len(exchanges) - len(shown), 'more exchange')}"]
    return section("The exchanges", lines)


def _exchange_row(item: ExchangeSummary) -> tuple[str, ...]:
    status = "no status line" if item.status is None else str(item.status)
    return (
        identifier(item.id),
        identifier(item.request),
        f"{status}, {cell(item.end)}",
        item.origin.value,
        "; ".join(f"{cell(name)} {item.timings[name]:,} µs" for name in sorted(item.timings)) or "–",
        visible.code(visible.line(item.file, 200)),
        identifier(item.sha256[:16]),
        cell(item.note or "–"),
    )
