"""The report on a terminal: the sentence that decides, bars that read without colour, and what is broken.

Nothing that a provider sent is printed but through `visible.line` and as plain `Text`, never as markup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from chatconform.model import OPENAI, CheckText, Conclusion, Finding, ProviderResult, Results
from chatconform.report import board, changes
from chatconform.report.board import Entry, Mark, Row
from chatconform.report.headline import headline
from chatconform.report.visible import line
from chatconform.rollup import Rolled

_PROVIDERS_IN_FULL = 5
_PROBLEMS_SHOWN = 10
_FINDINGS_SHOWN = 3
_BAR = 24
_INDENT = 2
_LABEL = 10
_TEXT = 1_000
_OWN = "own doc"

_CELLS = {
    Mark.PASS: ("█", "green"),
    Mark.INFO: ("░", "cyan"),
    Mark.WARN: ("▒", "yellow"),
    Mark.FAIL: ("×", "red"),
    Mark.WAIVED: ("w", "magenta"),
    Mark.UNPROVEN: ("?", "bright_black"),
    Mark.ERROR: ("!", "bold red"),
}
_WORDS = {
    Mark.FAIL: "fail",
    Mark.WARN: "warn",
    Mark.INFO: "info",
    Mark.WAIVED: "waived",
    Mark.UNPROVEN: "unproven",
    Mark.ERROR: "error",
}
_CONCLUSIONS = {
    Conclusion.VOID: "bold red",
    Conclusion.DEVIATES: "bold red",
    Conclusion.INCONCLUSIVE: "bold yellow",
    Conclusion.CONFORMS_WITH_WAIVERS: "bold green",
    Conclusion.CONFORMS: "bold green",
}


def render(results: Results, console: Console, report_path: str) -> None:
    """Print the report; the last lines are the conclusions with their numbers, and the report's path.

    An empty path, where no report was written, is not printed.
    """
    rows = board.rows(results)
    _print(console, Text(headline(results), style="bold"))
    groups = sorted({board.group(check) for check in _checks(results, rows)})
    if groups:
        _print(
            console,
            _legend(),
        )
    for row in rows[:_PROVIDERS_IN_FULL]:
        _provider(results, row, groups, console)
    if len(rows) > _PROVIDERS_IN_FULL:
        _line(console)
        _print(console, Text(f"{board.plural(len(rows) - _PROVIDERS_IN_FULL, 'more provider')}: in the table"))
    if rows:
        _closing_table(rows, console)
    _problems(results, console)
    _changes(results, console)
    _last_lines(results, console, report_path)


def _checks(results: Results, rows: Iterable[Row]) -> set[str]:
    return {*results.checks, *(entry.check for row in rows for entry in row.entries)}


def _print(console: Console, text: Text, indent: int = 0) -> None:
    """Print text wrapped at the width of the console, every line indented, without blanks at its end."""
    for part in text.wrap(console, max(console.width - indent, _BAR)):
        part.rstrip()
        console.print(Text(" " * indent) + part, soft_wrap=True)


def _line(console: Console) -> None:
    console.print()


def _field(console: Console, label: str, text: Text, width: int = _LABEL) -> None:
    """Print a label and what belongs to it, wrapped beside it."""
    head = Text(label.ljust(width), style="bright_black")
    room = max(console.width - _INDENT - width, _BAR)
    for number, part in enumerate(text.wrap(console, room)):
        part.rstrip()
        console.print(Text(" " * _INDENT) + (Text(" " * width) if number else head) + part, soft_wrap=True)


def _legend() -> Text:
    """What the cells of a bar mean."""
    signs = "  ".join(f"{sign} {mark.value.lower()}" for mark, (sign, _) in _CELLS.items())
    return Text(f"{signs}  · none", style="bright_black")


def _provider(results: Results, row: Row, groups: Sequence[str], console: Console) -> None:
    _line(console)
    name = Text(line(row.provider.id, 60), style="bold")
    _print(console, name + "  " + _conclusion(row.provider))
    _print(console, Text(line(board.sentence(row.provider), 400)), _INDENT)
    _bars(row, groups, console)
    counted = _counted(results, row)
    for entries in counted.values():
        _failure(results, row, entries, console)
    _rest(row, counted, console)


def _conclusion(provider: ProviderResult) -> Text:
    return Text(provider.conclusion.value, style=_CONCLUSIONS[provider.conclusion])


def _bars(row: Row, groups: Sequence[str], console: Console) -> None:
    """A bar for each group of OpenAI's contract, and one for the provider's own document."""
    width = max(len(name) for name in (*map(_group_name, groups), _OWN)) + 1
    own = tuple(entry for entry in row.entries if entry.contract != OPENAI)
    openai = tuple(entry for entry in row.entries if entry.contract == OPENAI)
    for group in groups:
        marks = board.count_marks(tuple(entry for entry in openai if board.group(entry.check) == group))
        _field(console, _group_name(group), bar(marks), width)
    if row.document:
        _field(console, _OWN, bar(board.count_marks(own)), width)


def _group_name(group: str) -> str:
    return line(group, 16)


def bar(marks: Counter[Mark]) -> Text:
    """24 cells, at least one for every mark that occurs, and the counts in words."""
    total = marks.total()
    if not total:
        return Text("·" * _BAR + " nothing judged", style="bright_black")
    drawn = Text()
    for mark, cells in _shares(marks):
        sign, style = _CELLS[mark]
        drawn.append(sign * cells, style)
    counts = " · ".join(f"{marks[mark]:,} {word}" for mark, word in _WORDS.items() if marks[mark])
    drawn.append(f" {marks[Mark.PASS]:,} of {total:,} pass")
    return drawn.append(f" · {counts}" if counts else "")


def _shares(marks: Counter[Mark]) -> Iterator[tuple[Mark, int]]:
    """How many cells each mark gets: one, and the others by largest remainder."""
    present = [mark for mark in _CELLS if marks[mark]]
    free, total = _BAR - len(present), marks.total()
    whole = {mark: free * marks[mark] // total for mark in present}
    by_remainder = sorted(present, key=lambda mark: -(free * marks[mark] % total))
    rounded_up = by_remainder[: free - sum(whole.values())]
    return ((mark, 1 + whole[mark] + (mark in rounded_up)) for mark in present)


def _counted(results: Results, row: Row) -> dict[str, list[Entry]]:
    """The checks whose failure counts for the exit code, worst first, each with its failures under every contract.

    Those are the musts that are not waived, and the shoulds where the run fails on them.
    """
    marks = (Mark.FAIL, Mark.WARN) if results.run.get("fail_on") == "should" else (Mark.FAIL,)
    musts = {entry.check for mark in marks for entry in row.marked(mark)}
    found: dict[str, list[Entry]] = {}
    for entry in row.failures:
        if entry.check in musts:
            found.setdefault(entry.check, []).append(entry)
    return found


def _failure(results: Results, row: Row, entries: Sequence[Entry], console: Console) -> None:
    """A check that fails, in full; `entries` are its failures under every contract, worst first."""
    worst = entries[0]
    verdict = board.failing(worst)[0]
    _line(console)
    _print(console, Text.assemble((f"× {line(worst.check, 80)}", "bold red"), "  ", _levels(entries)))
    for label, said in _failure_fields(results, row, worst):
        if said:
            _field(console, label, Text(line(said, 400)))
    exchange = board.exchanges_of(results, row.provider.id).get(verdict.exchange)
    again = board.command(row.provider, worst.check, exchange)
    if again:
        console.print(Text(f"{' ' * _INDENT}{'again':{_LABEL}}{again}", style="cyan"), soft_wrap=True)


def _failure_fields(results: Results, row: Row, entry: Entry) -> Iterator[tuple[str, str]]:
    """Label and text, in the order they are printed: the fact, the first finding, the sources, the fix."""
    text = board.text_of(results, entry.check)
    first, *others = board.failing(entry)
    more = " and others" if others else ""
    yield ("broken", text.under(entry.contract))
    yield ("breaks", text.breaks)
    yield ("hurts", board.impact(text))
    yield ("in", f"{board.extent(entry)}: {line(first.exchange, 80)}{more}")
    for finding in first.findings[:1]:
        yield from _finding_fields(finding)
    yield ("source", text.sources.get(entry.contract, ""))
    if entry.own_document:
        source = text.sources.get(row.document or "", "")
        yield (_OWN, board.own_document_sentence(entry.own_document, source))
    yield ("fix", text.fix)


def failure(rolled: Rolled, text: CheckText) -> str:
    """Return a failing check as plain text, for a test runner: the fact, every finding, the source, the fix.

    Texts of a contract are shown and cut like what a provider sent, for a contract may be anybody's.
    """
    failed = [verdict for verdict in rolled.verdicts if verdict.findings]
    contract = rolled.verdicts[0].contract
    lines = [
        f"{line(text.id, 80)}  {rolled.level.upper()} {line(board.contract_name(contract), 60)}",
        f"  {line(text.under(contract), _TEXT)}",
    ]
    for verdict in failed:
        for finding in verdict.findings[:_FINDINGS_SHOWN]:
            lines.append(f"  in {line(verdict.exchange, 80)}")
            lines += [f"    {label:{_LABEL}}{said}" for label, said in _finding_fields(finding) if said]
        more = verdict.found - len(verdict.findings[:_FINDINGS_SHOWN])
        lines += [f"  and {board.plural(more, 'more finding')} in {line(verdict.exchange, 80)}"] if more > 0 else []
    source = text.sources.get(contract, "")
    notes = (("breaks", text.breaks), ("hurts", board.impact(text)), ("source", source), ("fix", text.fix))
    return "\n".join([*lines, *(f"  {label:{_LABEL}}{line(said, _TEXT)}" for label, said in notes if said)])


def _finding_fields(finding: Finding) -> Iterator[tuple[str, str]]:
    yield ("got", line(finding.got, 200))
    yield ("wanted", line(finding.want, 200))
    yield ("at", " · ".join((*board.where(finding), line(finding.at or "", 80))).strip(" ·"))
    yield ("bytes", line(finding.excerpt or "", 200))


def _levels(entries: Iterable[Entry]) -> str:
    return ", ".join(
        f"{entry.rolled.level.value.upper()} {line(board.contract_name(entry.contract), 60)}" for entry in entries
    )


def _rest(row: Row, shown: Container[str], console: Console) -> None:
    """How many failures are not printed in full."""
    marks = board.count_marks(tuple(entry for entry in row.entries if entry.check not in shown))
    kinds = (Mark.ERROR, Mark.WARN, Mark.INFO, Mark.WAIVED)
    counts = [f"{marks[mark]:,} {_WORDS[mark]}" for mark in kinds if marks[mark]]
    if counts:
        _line(console)
        _print(console, Text(f"not shown here, in the report: {' · '.join(counts)}"), _INDENT)


def _closing_table(rows: Iterable[Row], console: Console) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("provider", "conclusion"):
        table.add_column(title, overflow="fold")
    for title in ("own document's musts", "OpenAI's musts"):
        table.add_column(title, justify="right")
    for row in rows:
        table.add_row(
            Text(line(row.provider.id, 40)),
            _conclusion(row.provider),
            _musts(row.provider, openai=False),
            _musts(row.provider, openai=True),
        )
    _line(console)
    console.print(table)


def _musts(provider: ProviderResult, *, openai: bool) -> Text:
    musts = board.musts(provider, openai=openai)
    if musts is None:
        return Text("–")
    failing = f", {musts.failing:,} fail" if musts.failing else ""
    return Text(f"{musts.verified:,} of {musts.total:,}{failing}")


def _problems(results: Results, console: Console) -> None:
    ordered = sorted(results.problems, key=lambda item: (item.place, item.problem, item.remedy))
    for problem in ordered[:_PROBLEMS_SHOWN]:
        _line(console)
        _print(console, Text(f"problem: {line(problem.place, 200)}: {line(problem.problem, 300)}"))
        _print(console, Text(line(problem.remedy, 300)), _INDENT)
    if len(ordered) > _PROBLEMS_SHOWN:
        _print(console, Text(f"and {board.plural(len(ordered) - _PROBLEMS_SHOWN, 'more problem')}"))


def _changes(results: Results, console: Console) -> None:
    if results.baseline is None:
        return
    counts = changes.counts(results.changes) or "nothing changed"
    _line(console)
    _print(console, Text(f"since {line(results.baseline, 100)}: {counts}"))
    for each in changes.lines(results.changes):
        _print(console, Text(each.lstrip()), _INDENT * (2 if each.startswith(" ") else 1))


def _last_lines(results: Results, console: Console, report_path: str) -> None:
    words = [
        Text(f"{conclusion.value} {count:,}", style=_CONCLUSIONS[conclusion])
        for conclusion, count in board.conclusions(results)
    ]
    _line(console)
    _print(console, Text(" · ").join(words) if words else Text("nothing judged", style="bold yellow"))
    if report_path:
        console.print(Text(f"report: {line(report_path, 400)}"), soft_wrap=True)
