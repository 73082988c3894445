"""The musts of a contract as a bar: quiet where they pass, loud where they fail; widths are SVG attributes."""

from __future__ import annotations

from dataclasses import dataclass

from chatconform.report.board import Mark, Musts

_LEAST = 0.02
"""The least share of a bar, so that one of a thousand can be seen."""


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of a bar, in hundredths of its width."""

    mark: Mark
    start: str
    width: str


def segments(musts: Musts) -> tuple[Segment, ...]:
    """The parts of the bar: failing first, then what is waived, passes, what is unproven."""
    counts = (
        (Mark.ERROR, musts.error),
        (Mark.FAIL, musts.failing),
        (Mark.WAIVED, musts.waived),
        (Mark.PASS, musts.verified),
        (Mark.UNPROVEN, musts.unproven),
    )
    widths = {mark: max(_LEAST, count / musts.total) for mark, count in counts if count}
    drawn, start = [], 0.0
    for mark, width in widths.items():
        share = 100 * width / sum(widths.values())
        drawn.append(Segment(mark, f"{start:.2f}", f"{share:.2f}"))
        start += share
    return tuple(drawn)
