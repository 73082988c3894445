"""What was measured, counted by entry of the catalogue: whom its faults hurt, how often, and one example."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from chatconform import deviations
from chatconform.clients import claims
from chatconform.clients.cases import cases
from chatconform.clients.losses import AS_SENT
from chatconform.clients.measured import Measured, damage
from chatconform.clients.reading import Outcome
from chatconform.deviations import Deviation


class Effect(StrEnum):
    """What a fault comes to with a client, the worst first. To hang or to crash is to raise."""

    RAISES = "raises"
    WRONG = "wrong"
    AS_SENT = "as sent"
    FINE = "fine"


@dataclass(frozen=True, slots=True)
class Example:
    """A fault, a client, and what it did."""

    fault: str
    way: str
    did: Outcome


@dataclass(frozen=True, slots=True)
class Line:
    """An entry of the catalogue, how many faults show it, what they come to with each client, and one that hurts."""

    entry: Deviation
    faults: int
    counts: Mapping[str, Counter[Effect]]
    example: Example | None


def effect(did: Outcome) -> Effect:
    """Return what a client did, as one word."""
    found = damage(did)
    return Effect(found) if found else Effect.AS_SENT if AS_SENT in did else Effect.FINE


def by_client(measured: Measured) -> dict[str, Counter[Effect]]:
    """Return what all faults of the answer come to with each client."""
    return _counts(measured, measured.rows.keys() - of_connections(measured))


def by_entry(measured: Measured) -> Iterator[Line]:
    """Yield each entry that faults show, in the catalogue's order. A fault counts for each entry that is cited."""
    for entry in deviations.load().values():
        names = [name for name in measured.rows if entry in claims.cited(name)]
        if names:
            yield Line(entry, len(names), _counts(measured, names), _worst(measured, names))


def of_connections(measured: Measured) -> list[str]:
    """Return the faults of the socket: the answer is good, its way is not, and to raise may well be right."""
    return [name for name in measured.rows if cases()[name].socket]


def of_no_entry(measured: Measured) -> list[str]:
    """Return the other faults that hurt a client, and that no entry of the catalogue is about."""
    return [
        name
        for name, row in measured.rows.items()
        if not cases()[name].socket and not claims.cited(name) and any(map(damage, row.did.values()))
    ]


def _counts(measured: Measured, names: Collection[str]) -> dict[str, Counter[Effect]]:
    rows = [measured.rows[name].did for name in names]
    return {way: Counter(effect(did[way]) for did in rows if way in did) for way in measured.versions}


def _worst(measured: Measured, names: list[str]) -> Example | None:
    told = [Example(name, way, did) for name in names for way, did in measured.rows[name].did.items() if damage(did)]
    return min(told, key=lambda each: list(Effect).index(effect(each.did)), default=None)
