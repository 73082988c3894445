"""A run in one piece of Markdown, for a job's summary or a comment: what decides first, then what is worst.

GitHub drops the whole summary of a step where it is longer than 1 MiB, so the text can be cut: between two rows or
two findings, with a note of what is left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from chatconform.model import ExchangeSummary, Outcome, Results
from chatconform.report import board, markdown, visible
from chatconform.report.board import Entry, Mark, Row
from chatconform.report.broken import broken
from chatconform.report.headline import headline
from chatconform.report.tables import cell, identifier

LIMIT = 1024 * 1024
"""GitHub drops all that a step has written where it is longer than this."""
MOST_BYTES = 900 * 1024
"""The longest summary: other commands of the step may write to it as well."""
_EXCHANGES_SHOWN = 3
_NOTE = 2_000
"""Bytes that are kept free for the note of what is left out: it counts at most a dozen kinds."""


@dataclass(frozen=True, slots=True)
class _Piece:
    """What is never cut in two. `what` is its kind, for the note; None for a heading, of which nobody needs to know."""

    text: str
    what: str | None = None


def render(results: Results, most: int | None = None) -> str:
    """Return the Markdown, of at most that many bytes; None: all of it.

    Where it does not fit it ends with a note of what is left out, and a limit that has no room for that note gives
    an empty text.
    """
    pieces = list(_pieces(results))
    if most is None or sum(map(_size, pieces)) <= most:
        return _joined(pieces)
    room, kept = most - _NOTE, 0
    for kept, piece in enumerate(pieces):  # noqa: B007  the count outlives the loop
        room -= _size(piece)
        if room < 0:
            break
    return _joined([*_without_heads(pieces[:kept]), _note(pieces[kept:], most)]) if most > _NOTE else ""


def _size(piece: _Piece) -> int:
    return len(piece.text.encode()) + 1


def _joined(pieces: Iterable[_Piece]) -> str:
    return "".join(f"{piece.text}\n" for piece in pieces)


def _without_heads(pieces: Sequence[_Piece]) -> Sequence[_Piece]:
    """The pieces up to the last one that is more than a heading."""
    last = max((number for number, piece in enumerate(pieces, 1) if piece.what), default=1)
    return pieces[:last]


def _note(left_out: Iterable[_Piece], most: int) -> _Piece:
    count = Counter(piece.what for piece in left_out if piece.what)
    said = ", ".join(board.plural(number, what) for what, number in count.items())
    whole = "results.json and the report's pages have all of it."
    return _Piece(f"\n**Cut here, at {most:,} bytes. Left out: {said}.** {whole}")


def _pieces(results: Results) -> Iterator[_Piece]:
    rows = board.rows(results)
    yield _Piece(f"# {visible.prose(headline(results))}")
    yield from (_Piece(f"\n{said}") for said in markdown.document_only_note(results))
    head = ("Provider", "Conclusion", "Own document's musts", "OpenAI's musts")
    yield from _table("The board", head, (_board_row(row) for row in rows), "row of the board")
    yield from _problems(results)
    yield from _changes(results, failing=True)
    yield from _bugs(rows)
    yield from _failures(results, rows)
    yield from _unproven(rows)
    yield from _changes(results, failing=False)
    yield _Piece("\n" + "\n".join(markdown.measured(results)), "part on how it was measured")


def _table(title: str, head: Sequence[str], rows: Iterable[Sequence[str]], what: str) -> Iterator[_Piece]:
    """A heading and a table, row by row; nothing at all where there is no row."""
    for number, row in enumerate(rows):
        if not number:
            yield _Piece(f"\n## {title}\n\n| {' | '.join(head)} |\n|{' --- |' * len(head)}")
        yield _Piece(f"| {' | '.join(row)} |", what)


def _name(row: Row) -> str:
    return cell(visible.line(row.provider.id, 60))


def _board_row(row: Row) -> tuple[str, ...]:
    musts = (markdown.musts_cell(row, openai=openai) for openai in (False, True))
    return (_name(row), f"**{row.provider.conclusion.value}**", *musts)


def _problems(results: Results) -> Iterator[_Piece]:
    ordered = sorted(results.problems, key=lambda item: (item.place, item.problem, item.remedy))
    rows = ((identifier(item.place), cell(item.problem), cell(item.remedy)) for item in ordered)
    yield from _table("Problems", ("Where", "Problem", "What to do"), rows, "problem")


def _changes(results: Results, *, failing: bool) -> Iterator[_Piece]:
    """What changed since the baseline and fails now, or all other changes: those can be many, and come last."""
    if results.baseline is None:
        return
    changed = tuple(change for change in results.changes if (change.after is Outcome.FAIL) is failing)
    title = f"{'Newly failing' if failing else 'Other changes'} since {cell(results.baseline)}"
    if failing and not changed:
        yield _Piece(f"\n## {title}\n\nNothing.")
    yield from _table(title, markdown.CHANGE_HEAD, markdown.change_rows(changed), "change")


def _bugs(rows: Iterable[Row]) -> Iterator[_Piece]:
    found = ((_name(row), identifier(entry.check)) for row in rows for entry in row.marked(Mark.ERROR))
    yield from _table("Bugs of the suite", ("Provider", "Check"), found, "bug of the suite")


def _failures(results: Results, rows: Sequence[Row]) -> Iterator[_Piece]:
    """A card for every failing check of every provider: musts first, what is waived last."""
    exchanges = {row.provider.id: board.exchanges_of(results, row.provider.id) for row in rows}
    for mark, worst_first in groupby(broken(results, rows), key=lambda each: each.mark):
        yield _Piece(f"\n## {_TITLES[mark]}")
        for row, entry in (found for each in worst_first for found in each.found):
            yield _Piece(_card(results, row, entry, exchanges[row.provider.id]), f"{mark} finding")


_TITLES = {
    Mark.FAIL: "What breaks a must",
    Mark.WARN: "What breaks a should",
    Mark.INFO: "What breaks a may",
    Mark.WAIVED: "What is waived",
}


def _card(results: Results, row: Row, entry: Entry, exchanges: Mapping[str, ExchangeSummary]) -> str:
    failed = board.failing(entry)
    again = board.command(row.provider, entry.check, exchanges.get(failed[0].exchange))
    lines = [f"\n### {entry.mark} {identifier(entry.check)}: {_name(row)}\n", *markdown.rule(results, row, entry)]
    lines += [f"- **Again:** {visible.code(again)}"] if again else []
    lines.append(f"- **In:** {board.extent(entry)}")
    for verdict in failed[:_EXCHANGES_SHOWN]:
        lines += markdown.evidence(verdict, exchanges.get(verdict.exchange))
    more = len(failed) - _EXCHANGES_SHOWN
    return "\n".join([*lines, *([f"- and {board.plural(more, 'more exchange')}"] if more > 0 else [])])


def _unproven(rows: Iterable[Row]) -> Iterator[_Piece]:
    found = (
        (_name(row), identifier(entry.check), cell(board.contract_name(entry.contract)), entry.rolled.level.value,
         ", ".join(sorted({str(verdict.reason) for verdict in entry.rolled.verdicts if verdict.reason})))
        for row in rows
        for entry in row.marked(Mark.UNPROVEN)
    )  # fmt: skip
    yield from _table("Unproven", ("Provider", "Check", "Contract", "Level", "Why"), found, "unproven check")
