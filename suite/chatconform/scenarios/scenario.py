"""A scenario: one thing asked of a provider. They stand in the YAML files beside this module.

Shape, and the meaning of each member: schemas/chatconform/scenario.schema.json.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any, Final

from chatconform import resources
from chatconform.model import Headers, InputError, JsonObject, Place
from chatconform.scenarios.ask import Key
from chatconform.strict_yaml import Document, among, load, pointer, violations

FILES: Final = ("answers", "streams", "tools", "structured", "documents", "errors", "models")
"""The files, in the order in which their scenarios are sent; where the room ends, the last ones are left out."""
CAPS: Final = ("max_tokens", "max_completion_tokens")
"""The names that the ceiling on output tokens has."""

_FOLDER = Path(__file__).parent
_SCHEMA = "schemas/chatconform/scenario.schema.json"
_EVERYWHERE = ("model", "messages", *CAPS)
_PLAIN = ("raw", "padding", "model", "method", "path", "costly", "behavioural", "refused", "apart")


@dataclass(frozen=True, slots=True)
class Scenario:
    """One thing asked. `request` is the body without model and cap; `raw` is a text that stands in its place.

    `cap` counts tokens, `padding` words before the prompt. `own` are the members that differ from the scenario
    that this one is `like`. `model` is None for the provider's own, `without` names members that the body lacks.
    `contracts` is empty where every provider is asked.
    """

    id: str
    says: str
    request: JsonObject = field(default_factory=dict)
    uses: tuple[str, ...] = ()
    like: str | None = None
    own: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    raw: str | None = None
    cap: int | None = None
    padding: int = 0
    model: str | None = None
    method: str = "POST"
    path: str = "/chat/completions"
    headers: Headers = ()
    key: Key = Key.PRESENT
    contracts: tuple[str, ...] = ()
    costly: bool = False
    behavioural: bool = False
    refused: bool = False
    apart: bool = False

    @property
    def is_question(self) -> bool:
        """Whether it asks for an answer that a lawful endpoint may give."""
        return self.method == "POST" and not self.refused


@cache
def all_scenarios() -> Mapping[str, Scenario]:
    """Return the packaged scenarios by id, in the order in which they are sent. Raises `InputError` as `parse` does."""
    documents = [load((_FOLDER / f"{name}.yaml").read_bytes(), f"{name}.yaml") for name in FILES]
    return {scenario.id: scenario for scenario in parse(documents)}


def parse(documents: Sequence[Document]) -> tuple[Scenario, ...]:
    """Return the scenarios of files that belong together. Raises `InputError` for the first problem of a file."""
    schema = json.loads(resources.read_text(_SCHEMA))
    for document in documents:
        _refuse_first(violations(document, schema, {}))
    entries: dict[str, _Entry] = {}
    for document in documents:
        _refuse_first(_repeated(document, entries))
        entries |= {entry.id: entry for entry in _entries(document)}
    known = {name: entry.resolve(entries, ()) for name, entry in entries.items()}
    _refuse_first(problem for name, entry in entries.items() for problem in entry.contradictions(known[name]))
    return tuple(known.values())


def _refuse_first(problems: Iterator[InputError]) -> None:
    first = min(problems, key=lambda error: (error.place.line or 0, error.place.column or 0), default=None)
    if first is not None:
        raise first


@dataclass(frozen=True, slots=True)
class _Entry:
    """A scenario as it is written."""

    document: Document
    index: int

    @property
    def value(self) -> dict[str, Any]:
        content: Any = self.document.value
        entry: dict[str, Any] = content["scenarios"][self.index]
        return entry

    @property
    def id(self) -> str:
        return str(self.value["id"])

    def place(self, *steps: str | int) -> Place:
        return self.document.place(pointer(["scenarios", self.index, *steps]))

    def resolve(self, entries: Mapping[str, _Entry], below: tuple[str, ...]) -> Scenario:
        """Return the scenario with what it has from the one that it is like. Raises `InputError` for a wrong name."""
        like = self.value.get("like")
        if like is None:
            return self._over(Scenario(self.id, ""))
        if like in below or like == self.id:
            problem = f"like leads back to {like}"
            raise InputError(self.place("like"), problem, "Write the members out in one of the two.")
        if like not in entries:
            raise InputError(self.place("like"), "there is no such scenario", among(like, entries))
        other = entries[like].resolve(entries, (*below, self.id))
        return self._over(replace(other, costly=False, behavioural=False, refused=False, apart=False, contracts=()))

    def _over(self, other: Scenario) -> Scenario:
        entry = self.value
        own, without = entry.get("request", {}), tuple(entry.get("without", other.without))
        request = {name: value for name, value in {**other.request, **own}.items() if name not in without}
        written: dict[str, Any] = {name: entry[name] for name in _PLAIN if name in entry}
        return replace(
            other,
            id=entry["id"],
            says=entry["says"],
            request=request,
            uses=tuple(entry.get("uses", ())),
            like=entry.get("like"),
            own=tuple(own),
            without=without,
            cap=entry.get("cap", None if set(own) & set(CAPS) else other.cap),
            headers=tuple(entry["headers"].items()) if "headers" in entry else other.headers,
            key=Key(entry.get("key", other.key)),
            contracts=tuple(entry.get("contracts", ())),
            **written,
        )

    def contradictions(self, scenario: Scenario) -> Iterator[InputError]:
        """What is wrong with a scenario that has the right shape."""
        used = set(scenario.request) - set(_EVERYWHERE)
        if used != set(scenario.uses):
            problem = f"uses does not name what the body of {scenario.id} holds"
            yield InputError(self.place("uses"), problem, f"Write uses: [{', '.join(sorted(used))}].")
        if scenario.cap is not None and set(scenario.request) & set(CAPS):
            problem, remedy = f"{scenario.id} has a cap twice", "Write cap, or one of its names in request."
            yield InputError(self.place("cap"), problem, remedy)
        if scenario.raw is not None and scenario.request:
            problem, remedy = f"{scenario.id} has raw beside request", "Keep one of the two."
            yield InputError(self.place("raw"), problem, remedy)
        if scenario.apart and (scenario.like is None or not scenario.own):
            problem = f"apart says that {scenario.id} adds members, and it adds none to another scenario"
            yield InputError(self.place("apart"), problem, "Write like and request, or take apart out.")


def _entries(document: Document) -> list[_Entry]:
    content: Any = document.value
    return [_Entry(document, index) for index in range(len(content["scenarios"]))]


def _repeated(document: Document, before: Mapping[str, _Entry]) -> Iterator[InputError]:
    places = {name: entry.place("id") for name, entry in before.items()}
    for entry in _entries(document):
        if entry.id in places:
            problem, remedy = f"the id {entry.id} stands twice", f"Choose another id; {places[entry.id]} has this one."
            yield InputError(entry.place("id"), problem, remedy)
        places.setdefault(entry.id, entry.place("id"))
