"""The passing and the failing example of a check: a good exchange, and the same one after a fault of that check."""

from __future__ import annotations

from collections.abc import Iterable

from chatconform.model import Exchange
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import Fault, names
from chatconform.reference.good import GOOD, contract_of

AROUND = 24
"""How many bytes are shown on either side of what differs."""
LONGEST = 120
"""How many bytes are shown at most."""


def example(check: str, faults: Iterable[Fault]) -> list[str]:
    """Return the lines that show what a fault of a check changes on the wire; none where it has no fault.

    The fault is the first of those that break the fewest other rules.
    """
    breaking = (each for each in faults if _breaks(each, check))
    fault = min(breaking, key=lambda each: len(each.change.fails), default=None)
    if fault is None:
        return []
    good = GOOD[fault.of]
    return lines(fault.id, fault.says, good, fault.breaks(good))


def lines(fault: str, says: str, good: Exchange, broken: Exchange) -> list[str]:
    """Return the lines that show what a fault changes of an exchange: of its body, else its head, else its reads."""
    before, after = next(
        ((view(good), view(broken)) for view in (_body, _head) if view(good) != view(broken)),
        (_reads(good), _reads(broken)),
    )
    start, end = _difference(before, after)
    return [
        "",
        f"example  {fault}: {says}",
        f"  passes   {_shown(before, start, end)}",
        f"  fails    {_shown(after, start, end)}",
    ]


def _breaks(fault: Fault, check: str) -> bool:
    keys = (f"{contract}/{check}" for contract in ("openai", contract_of(GOOD[fault.of])))
    return any(names(pattern, key) for key in keys for pattern in fault.change.fails)


def _body(exchange: Exchange) -> bytes:
    return b"" if exchange.response is None else rewrite.body_of(exchange)


def _head(exchange: Exchange) -> bytes:
    """Return what stands around the body: the status, the header fields, and how the exchange ended."""
    response = exchange.response
    fields = () if response is None else (str(response.status), *map(": ".join, response.headers or ()))
    return "; ".join((*fields, f"end: {exchange.end}")).encode()


def _reads(exchange: Exchange) -> bytes:
    """Return how many reads there were, and from when to when."""
    reads = exchange.response.reads if exchange.response else None
    if not reads:
        return b"no reads"
    return f"{len(reads)} reads, the first after {reads[0][0]} us, the last after {reads[-1][0]} us".encode()


def _difference(before: bytes, after: bytes) -> tuple[int, int]:
    """Return how many bytes at the start and at the end are the same, less those that are shown all the same."""
    start = _alike(before, after)
    most = min(len(before), len(after)) - start
    end = min(most, _alike(before[::-1], after[::-1]))
    return max(0, start - AROUND), max(0, end - AROUND)


def _alike(before: bytes, after: bytes) -> int:
    """Return how many bytes two texts have in common at their start."""
    pairs = enumerate(zip(before, after, strict=False))
    return next((at for at, (one, other) in pairs if one != other), min(len(before), len(after)))


def _shown(wire: bytes, start: int, end: int) -> str:
    """Return a piece of the wire as one printable line."""
    piece = wire[start : len(wire) - end]
    cut = piece[:LONGEST].decode("utf-8", "backslashreplace") + "…" * (len(piece) > LONGEST)
    text = "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in cut)
    return "…" * (start > 0) + text or "nothing"
