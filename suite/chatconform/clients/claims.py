"""What the catalogue says that clients do, held against what they were measured to do with the named faults."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from chatconform import deviations
from chatconform.checks import described
from chatconform.clients.cases import cases
from chatconform.clients.losses import AS_SENT
from chatconform.clients.measured import Measured, damage
from chatconform.contracts import contract as contracts
from chatconform.deviations import Deviation
from chatconform.judging import judge
from chatconform.model import OPENAI, Exchange, Outcome
from chatconform.reference.good import contract_of

_STANDS_FOR: Final = {"choices.count.none": "ENV-18"}
"""Faults that show another entry than their failing checks cite: no choice at all is not one choice in place of two."""


@dataclass(frozen=True, slots=True)
class Untold:
    """A client was hurt by a fault, and no entry that its failing checks cite says so."""

    fault: str
    way: str
    did: tuple[str, ...]
    entries: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Unshown:
    """An entry says that a client is hurt in this way, and no fault shows it."""

    entry: str
    way: str
    damage: str


def untold(measured: Measured) -> Iterator[Untold]:
    """Yield what the catalogue does not say. Faults whose checks cite no entry have nothing to be held against."""
    for name, row in measured.rows.items():
        entries = cited(name) if any(map(damage, row.did.values())) else ()
        for way in beyond(entries, row.did):
            yield Untold(name, way, row.did[way], tuple(each.id for each in entries))


def beyond(entries: Sequence[Deviation], did: Mapping[str, tuple[str, ...]]) -> Iterator[str]:
    """Yield the clients that an answer hurt in a way that none of these entries, if there are any, says."""
    for way, words in did.items():
        found = damage(words)
        if entries and found and not any(way in _claimed(each, found) for each in entries):
            yield way


def unshown(measured: Measured) -> Iterator[Unshown]:
    """Yield what the catalogue says of a measured client, and no fault shows. As sent is wrong as well."""
    seen: dict[str, set[tuple[str, str | None]]] = defaultdict(set)
    for name, row in measured.rows.items():
        shown = {(way, "wrong" if AS_SENT in did else damage(did)) for way, did in row.did.items()}
        shown = {(way, kind) for way, kind in shown if kind}
        for entry in cited(name) if shown else ():
            seen[entry.id] |= shown
    for entry in deviations.load().values():
        for kind in ("raises", "wrong"):
            for way in _claimed(entry, kind):
                if way in measured.versions and (way, kind) not in seen[entry.id]:
                    yield Unshown(entry.id, way, kind)


def _claimed(entry: Deviation, kind: str) -> tuple[str, ...]:
    return entry.raises if kind == "raises" else entry.wrong


@cache
def cited(fault: str) -> tuple[Deviation, ...]:
    """Return the entries of the catalogue that the checks cite which a fault makes fail, or the one in their stead."""
    if fault in _STANDS_FOR:
        return (deviations.load()[_STANDS_FOR[fault]],)
    case = cases()[fault]
    return of_exchange(case.broken, contract_of(case.good))


def of_exchange(exchange: Exchange, own: str | None) -> tuple[Deviation, ...]:
    """Return the entries of the catalogue that the checks cite which an exchange fails; `own` is its own contract."""
    failed = dict.fromkeys(each.check for each in judge([exchange], own) if each.outcome is Outcome.FAIL)
    names = dict.fromkeys(cite for check in failed for cite in _cites(check, own))
    known = deviations.load()
    return tuple(known[name] for name in names if name in known)


def _cites(check: str, own: str | None) -> Iterator[str]:
    registered: Mapping[str, object] = described()
    if check in registered:
        yield from described()[check].cites
    for name in (OPENAI, *([own] if own else [])):
        clause = contracts.load(name).clause(check)
        yield from clause.cites if clause else ()
