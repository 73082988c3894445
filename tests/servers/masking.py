"""What may differ between two recordings of one server: ids, clocks, ports, and what hangs on them."""

from __future__ import annotations

import difflib
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

MASKS: Final = (
    (re.compile(r'"id":"(?:chatcmpl-)?[A-Za-z0-9]{24,}"'), '"id":"…"'),
    (re.compile(r'"created":\d+'), '"created":0'),
    (re.compile(r'"timings":\{[^}]*\}'), '"timings":{}'),
    (re.compile(r'"cached_tokens":\d+'), '"cached_tokens":0'),
)
"""Ids of answers and of calls, the clock, how long it took, and how much of the prompt a slot still had."""
RANGE: Final = re.compile(r"\[\{.*?\}\](?=\")")
"""Where the gateway prints the ends of a range, from a hash map whose order changes from run to run."""
UNSTEADY: Final = frozenset(("date", "x-request-id", "content-length"))
"""Header fields that follow from a clock, an id, or the digits of how long it took."""


def masked(exchange: dict[str, Any]) -> str:
    """Return an exchange without what may differ, as indented JSON."""
    exchange["recorded_at"] = None
    exchange["request"]["url"] = re.sub(r":\d+/", "/", exchange["request"]["url"])
    response = exchange["response"]
    if response is not None:
        response["headers"] = [pair for pair in response["headers"] if pair[0].lower() not in UNSTEADY]
        response["headers_after"] = response["reads"] = None
        body = response["body"]
        response["body"] = _masked_body(body if isinstance(body, str) else "".join(body)).splitlines()
    return json.dumps(exchange, ensure_ascii=False, indent=1)


def _masked_body(body: str) -> str:
    for pattern, mask in MASKS:
        body = pattern.sub(mask, body)
    return RANGE.sub(lambda found: "".join(sorted(found[0])), body)


def changed(old: Path, new: Path) -> Iterator[str]:
    """Yield the names of the exchanges that differ between two recordings after masking, or are in one alone."""
    for name in sorted({file.name for folder in (old, new) for file in folder.glob("*.json")}):
        if _lines(old / name) != _lines(new / name):
            yield name


def differences(old: Path, new: Path) -> Iterator[str]:
    """Yield the lines of a unified diff of two recordings after masking; none where they are the same."""
    for name in changed(old, new):
        before, after = _lines(old / name), _lines(new / name)
        yield from difflib.unified_diff(before, after, f"old/{name}", f"new/{name}", lineterm="", n=1)


def _lines(file: Path) -> list[str]:
    return masked(json.loads(file.read_text(encoding="utf-8"))).splitlines() if file.exists() else []
