"""What the clients were measured to do with every fault: measured.json, which `chatconform clients --fault` makes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from chatconform.clients.cases import Case
from chatconform.clients.losses import AS_SENT, CRASHED, FINE, HUNG, NOT_ASKED, NOTICED
from chatconform.clients.reading import Outcome

FILE: Final = Path(__file__).with_name("measured.json")
FORMAT: Final = "chatconform.clients/1"
HARMLESS: Final = (FINE, NOTICED, AS_SENT, NOT_ASKED)
"""Words for a client that did right, that read nothing, or that handed over what the bytes say: then they are wrong."""


@dataclass(frozen=True, slots=True)
class Row:
    """One fault: the digest of its bytes, and what each client did with them, by the catalogue's key."""

    digest: str
    did: Mapping[str, Outcome]


@dataclass(frozen=True, slots=True)
class Measured:
    """The day, the version of the package that each way of reading belongs to, and the faults by name."""

    day: str
    versions: Mapping[str, str]
    rows: Mapping[str, Row]


def of(
    day: str, versions: Mapping[str, str], cases: Mapping[str, Case], did: Mapping[str, Mapping[str, Outcome]]
) -> Measured:
    """Return what was measured on a day."""
    return Measured(day, versions, {name: Row(cases[name].digest, each) for name, each in did.items()})


def dumped(measured: Measured) -> str:
    """Return it as JSON, a line for each fault."""
    rows = ",\n".join(
        f"  {json.dumps(name)}: {json.dumps({'digest': row.digest, **row.did})}"
        for name, row in sorted(measured.rows.items())
    )
    head = f'"format": "{FORMAT}",\n "day": "{measured.day}",\n "clients": {json.dumps(dict(measured.versions))}'
    return f'{{{head},\n "faults": {{\n{rows}\n }}}}\n'


@cache
def stored() -> Measured:
    """Return what was measured last."""
    found = json.loads(FILE.read_text(encoding="utf-8"))
    return Measured(
        found["day"],
        found["clients"],
        {
            name: Row(row["digest"], {way: tuple(did) for way, did in row.items() if way != "digest"})
            for name, row in found["faults"].items()
        },
    )


def stale(measured: Measured, cases: Mapping[str, Case]) -> dict[str, str]:
    """Return by fault why what was measured is not of today's bytes."""
    now = {name: case.digest for name, case in cases.items()}
    gone = dict.fromkeys(measured.rows.keys() - now.keys(), "is no fault any more")
    new = dict.fromkeys(now.keys() - measured.rows.keys(), "was not measured")
    both = now.keys() & measured.rows.keys()
    return {**gone, **new, **{name: "has other bytes" for name in both if measured.rows[name].digest != now[name]}}


def damage(did: Outcome) -> str | None:
    """Return what the catalogue calls it: `raises` (hangs, crashes), `wrong`, or None where the client does no harm."""
    if any(word in (HUNG, CRASHED) or word.startswith("raised ") for word in did):
        return "raises"
    return "wrong" if any(word not in HARMLESS for word in did) else None
