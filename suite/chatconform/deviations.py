"""The catalogue: deviations that were seen in the wild, and what they do to the clients that were measured.

It stands in catalogue.yaml. Shape, and the meaning of each member: schemas/chatconform/catalogue.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

import yaml

from chatconform import resources
from chatconform.model import InputError
from chatconform.strict_yaml import Document, among, pointer, violations
from chatconform.strict_yaml import load as load_yaml

_FILE = Path(__file__).with_name("catalogue.yaml")
_SCHEMA = "schemas/chatconform/catalogue.schema.json"


class Damage(StrEnum):
    """The worst that a deviation does: clients raise, hang or lose the turn; go on with what is not so; neither."""

    BREAKS = "breaks"
    WRONG = "wrong"
    COSMETIC = "cosmetic"


@dataclass(frozen=True, slots=True)
class Client:
    """A client library that was measured: the name that reports print, and the version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Deviation:
    """What is on the wire, what comes of it, and who says so.

    `raises` and `wrong` hold keys of `Catalogue.clients`; a client may stand in both, for two cases of the deviation.
    Both are empty where the deviation was not `measured`.
    """

    id: str
    group: str
    says: str
    breaks: str
    cites: tuple[str, ...]
    damage: Damage
    raises: tuple[str, ...]
    wrong: tuple[str, ...]
    measured: bool


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The clients by key, and the deviations by id, both in the order of the file."""

    clients: Mapping[str, Client]
    deviations: Mapping[str, Deviation]


@dataclass(frozen=True, slots=True)
class Impact:
    """The names of the clients that raise, and of those that return something wrong and never raise. Sorted."""

    raises: tuple[str, ...]
    wrong: tuple[str, ...]


_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def load() -> Mapping[str, Deviation]:
    """Return the deviations of the packaged catalogue by id."""
    return catalogue().deviations


@cache
def catalogue() -> Catalogue:
    """Return the packaged catalogue, read once. That it is as `parse` demands is tested, not asked at every start."""
    return _catalogue(yaml.load(_FILE.read_bytes(), Loader=_LOADER))  # noqa: S506  a safe loader, in C where there is one


def impact(ids: Iterable[str]) -> Impact:
    """Return whom these deviations hurt, all together; ids that are not in the catalogue are ignored."""
    known = load()
    entries = [known[each] for each in ids if each in known]
    raises = {client for entry in entries for client in entry.raises}
    wrong = {client for entry in entries for client in entry.wrong}
    return Impact(_names(raises), _names(wrong - raises))


def _names(keys: Iterable[str]) -> tuple[str, ...]:
    clients = catalogue().clients
    return tuple(sorted(clients[key].name for key in keys))


def parse(content: bytes, file: str) -> Catalogue:
    """Read a catalogue; `file` is its name in messages. Raises InputError for the first problem by line."""
    document = load_yaml(content, file)
    schema = json.loads(resources.read_text(_SCHEMA))
    problems = list(violations(document, schema, {})) or list(_contradictions(document))
    if problems:
        raise min(problems, key=lambda error: (error.place.line or 0, error.place.column or 0))
    return _catalogue(document.value)


def _catalogue(value: Any) -> Catalogue:  # noqa: ANN401
    clients = {key: Client(**client) for key, client in value["clients"].items()}
    deviations = {entry["id"]: _deviation(entry) for entry in value["entries"]}
    return Catalogue(MappingProxyType(clients), MappingProxyType(deviations))


def _deviation(entry: Mapping[str, Any]) -> Deviation:
    lists = {name: tuple(entry[name]) for name in ("cites", "raises", "wrong")}
    return Deviation(**{**entry, **lists, "damage": Damage(entry["damage"])})


def _contradictions(document: Document) -> Iterator[InputError]:
    """What is wrong with a catalogue that has the right shape."""
    value: Any = document.value
    lines: dict[str, int | None] = {}
    for index, entry in enumerate(value["entries"]):
        place = document.place(pointer(["entries", index, "id"]))
        if entry["id"] in lines:
            remedy = f"Take the next number of the group; line {lines[entry['id']]} has this one."
            yield InputError(place, f"the id {entry['id']} stands twice", remedy)
        lines.setdefault(entry["id"], place.line)
        for name in ("raises", "wrong"):
            yield from _strangers(document, ["entries", index, name], entry[name], value["clients"])
        if not entry["measured"] and (entry["raises"] or entry["wrong"]):
            problem = f"{entry['id']} names clients, and says that it was not measured"
            yield InputError(place, problem, "Empty raises and wrong, or write measured: true.")


def _strangers(
    document: Document, at: list[str | int], named: list[str], known: Collection[str]
) -> Iterator[InputError]:
    for index, client in enumerate(named):
        if client not in known:
            yield InputError(document.place(pointer([*at, index])), "no such client", among(client, known))
