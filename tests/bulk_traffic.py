"""Recorded traffic for the tests of bulk judging: lines made of good exchanges and faults, and lines that hold none."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache

from chatconform.model import Exchange
from chatconform.recordings import store
from chatconform.reference.faults import all_faults
from chatconform.reference.good import DOCUMENTED, GOOD

CONTRACTS = {name: name for name in DOCUMENTED}
POISON = (
    b"{",
    b"not JSON at all",
    b'{"format": "chatconform.exchange/1"',
    b"[1]",
    b"\xff\xfe",
    b'{"format": "other/1"}',
    b"[" * 100_000,
    b'{"a": ' + b"9" * 5_000 + b"}",
)
"""Lines that hold no exchange."""


@cache
def exchanges(every: int = 9) -> tuple[Exchange, ...]:
    """Return every good exchange and some of the faults."""
    faults = [fault.breaks(GOOD[fault.of]) for _, fault in sorted(all_faults().items())]
    return (*GOOD.values(), *faults[::every])


def line(exchange: Exchange) -> bytes:
    """Return an exchange as a line, without its line feed."""
    return json.dumps(store.to_json(exchange), ensure_ascii=False).encode("utf-8", "backslashreplace")


@cache
def lines() -> tuple[bytes, ...]:
    """Return lines of exchanges, and among them some that are empty, poisoned or cut off."""
    sound = [line(each) for each in exchanges()]
    return (*sound, b"", b"  ", *POISON, sound[0][:200], *sound[:20])


def file_of(lines: Iterable[bytes]) -> bytes:
    """Return the bytes of a file of lines."""
    return b"".join(line + b"\n" for line in lines)
