"""Coverage: for each entry of the catalogue the checks that decide it, or the habit it is, or why neither can be.

What no check cites stands in coverage.yaml. Shape: schemas/chatconform/coverage.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any

from chatconform import deviations, resources
from chatconform.deviations import Deviation
from chatconform.explanation import citing
from chatconform.judging import known_checks
from chatconform.model import InputError
from chatconform.strict_yaml import Document, among, load, pointer, violations
from chatconform.wire.habits import TEXTS

_FILE = Path(__file__).with_name("coverage.yaml")
_SCHEMA = "schemas/chatconform/coverage.schema.json"


class Standing(StrEnum):
    """What becomes of a deviation: exactly one of three."""

    CHECKED = "checked"
    HABIT = "habit"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Covered:
    """One entry of the catalogue: `checks` decide it, or it is a `habit`, or it is `undecided`, and why."""

    entry: Deviation
    checks: tuple[str, ...] = ()
    habit: str | None = None
    undecided: str | None = None

    @property
    def standing(self) -> Standing:
        """Which of the three it is."""
        if self.checks:
            return Standing.CHECKED
        return Standing.HABIT if self.habit else Standing.UNDECIDED


@cache
def coverage() -> Mapping[str, Covered]:
    """Return every entry of the catalogue. Raises InputError for what coverage.yaml leaves out or has no place for."""
    return parse(_FILE.read_bytes(), _FILE.name, citing())


def parse(content: bytes, file: str, cited: Mapping[str, tuple[str, ...]]) -> dict[str, Covered]:
    """Read a coverage file; `cited` names the checks of the entries that it may not name. Raises InputError."""
    document = load(content, file)
    problems = list(violations(document, json.loads(resources.read_text(_SCHEMA)), {})) or list(
        _contradictions(document, cited)
    )
    if problems:
        raise min(problems, key=lambda error: (error.place.line or 0, error.place.column or 0))
    value: Any = document.value
    return {each: _covered(entry, cited, value["entries"]) for each, entry in deviations.load().items()}


def _covered(entry: Deviation, cited: Mapping[str, tuple[str, ...]], instead: Mapping[str, Any]) -> Covered:
    if entry.id in cited:
        return Covered(entry, cited[entry.id])
    stated = instead[entry.id]
    return Covered(entry, tuple(stated.get("decided_by", ())), stated.get("habit"), stated.get("undecided"))


def _contradictions(document: Document, cited: Mapping[str, tuple[str, ...]]) -> Iterator[InputError]:
    """What is wrong with a coverage file that has the right shape."""
    value: Any = document.value
    known = deviations.load()
    for each, stated in value["entries"].items():
        place = document.key_place(pointer(["entries", each]))
        if each not in known:
            yield InputError(place, f"there is no entry {each}", among(each, known))
        elif each in cited:
            yield InputError(place, f"{each} is cited by {', '.join(cited[each])}", "Remove it here.")
        if len({"habit", "decided_by", "undecided"} & set(stated)) != 1:
            yield InputError(place, f"{each} is no single thing", "Write one of habit, decided_by and undecided.")
        if stated.get("habit", next(iter(TEXTS))) not in TEXTS:
            yield InputError(place, f"{each} names no habit", among(stated["habit"], TEXTS))
        for check in set(stated.get("decided_by", ())) - known_checks():
            yield InputError(place, f"{each} names no clause {check}", among(check, known_checks()))
    for each in sorted(known.keys() - cited.keys() - value["entries"].keys()):
        place = document.key_place(pointer(["entries"]))
        yield InputError(place, f"{each} is left out", "Say what it is: a habit, what decides it, or why nothing does.")
