"""The pieces that every Markdown page is made of: sections, tables, and cells that no text can break."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from chatconform.report import visible


def joined(sections: Iterable[Iterable[str]]) -> str:
    """A page of sections, a blank line between them; those without a line are left out."""
    texts = ("\n".join(section).rstrip("\n") for section in sections)
    return "\n\n".join(text for text in texts if text) + "\n"


def section(title: str, lines: Iterable[str]) -> Iterator[str]:
    """A heading and its lines; nothing at all where there is no line."""
    text = list(lines)
    if text:
        yield from (f"## {title}", "", *text)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table with its heading; nothing at all where there is no row."""
    lines = [f"| {' | '.join(row)} |" for row in rows]
    if lines:
        yield f"| {' | '.join(head)} |"
        yield f"|{' --- |' * len(head)}"
        yield from lines


def identifier(text: str) -> str:
    """An id as a code span, cut where it is long."""
    return visible.code(visible.line(text, 80))


def cell(text: str) -> str:
    """A text as it is, on one line, cut where it is long."""
    return visible.markdown(visible.line(text, 300))


def prose(text: str) -> str:
    """A sentence in which code stands between backticks, on one line, cut where it is long."""
    return visible.prose(visible.line(text, 1_000))
