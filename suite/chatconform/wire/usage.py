"""The counts of a usage object, read once for all the checks that compare them."""

from __future__ import annotations

from typing import NamedTuple

from chatconform.model import JsonValue

PLACES = {
    "prompt": ("prompt_tokens",),
    "completion": ("completion_tokens",),
    "total": ("total_tokens",),
    "reasoning": ("completion_tokens_details", "reasoning_tokens"),
    "cached": ("prompt_tokens_details", "cached_tokens"),
}
"""Where each count stands in a usage object."""


class Usage(NamedTuple):
    """The counts of a usage object. Those that are no whole numbers are not `known`, and 0 stands for them."""

    known: frozenset[str]
    prompt: int = 0
    completion: int = 0
    total: int = 0
    reasoning: int = 0
    cached: int = 0


def read(value: JsonValue) -> Usage:
    """Return the counts of a usage object."""
    found = {name: count for name, path in PLACES.items() if (count := _count(value, path)) is not None}
    return Usage(frozenset(found), **found)


def _count(value: JsonValue, path: tuple[str, ...]) -> int | None:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, int) and not isinstance(value, bool) else None
