"""Calibration: how often each check fires on real captures, by provider. Counts alone, and nothing of a recording."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from chatconform.judging import judge, known_checks
from chatconform.model import Exchange, InputError, Level, Outcome
from chatconform.recordings import store
from chatconform.strict_yaml import among, pointer, read

_NOTES = Path(__file__).with_name("calibration_notes.yaml")
_STRICTEST_FIRST = tuple(Level)


@dataclass(frozen=True, slots=True)
class Fired:
    """One check over the captures, by provider: on how many it was decided, and on how many of these it failed."""

    check: str
    level: Level
    fires: Mapping[str, int]
    judged: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Calibration:
    """How many captures there are of each provider, and every check that was decided: musts first, then by id."""

    captures: Mapping[str, int]
    checks: tuple[Fired, ...]


def calibrate(corpus: Path) -> Calibration:
    """Judge captures against OpenAI's contract. Raises InputError where one of them cannot be read."""
    return counted(store.load(corpus))


def counted(exchanges: Iterable[Exchange]) -> Calibration:
    """Judge exchanges against OpenAI's contract, and count."""
    captures: Counter[str] = Counter()
    levels: dict[str, Level] = {}
    judged: dict[str, Counter[str]] = {}
    fires: dict[str, Counter[str]] = {}
    for exchange in exchanges:
        captures[exchange.provider] += 1
        for verdict in judge([exchange]):
            if verdict.outcome in (Outcome.PASS, Outcome.FAIL):
                levels[verdict.check] = verdict.level
                judged.setdefault(verdict.check, Counter())[exchange.provider] += 1
                fires.setdefault(verdict.check, Counter())[exchange.provider] += verdict.outcome is Outcome.FAIL
    order = sorted(judged, key=lambda check: (_STRICTEST_FIRST.index(levels[check]), check))
    return Calibration(captures, tuple(Fired(check, levels[check], +fires[check], judged[check]) for check in order))


@cache
def notes() -> Mapping[str, str]:
    """Return by check what was seen where it fires. Raises InputError for a note on a check that there is not."""
    document = read(_NOTES)
    value: Any = document.value
    for check in value:
        if check not in known_checks():
            place = document.key_place(pointer([check]))
            raise InputError(place, "no such check", among(check, known_checks()))
    return dict(value)
