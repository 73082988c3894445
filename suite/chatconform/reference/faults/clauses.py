"""Faults that are made from the schemas themselves: every clause of a contract, broken once where it stands.

Each breaks one value of one good exchange: a wrong type, a member left out, a value outside an enum, a number
below or above its bound, something empty. What follows besides is stated by hand in `derived.py`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Final, TypeAlias

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Contract, Kind
from chatconform.contracts.schema import clause_notes, subschemas
from chatconform.model import OPENAI, Exchange, JsonObject, JsonValue, SuiteError
from chatconform.reference import rewrite
from chatconform.reference.faults.derived import consequence
from chatconform.reference.faults.fault import Fault
from chatconform.reference.good import DOCUMENTED, GOOD, contract_of
from chatconform.reference.rewrite import Path

Places: TypeAlias = Mapping[Path, Sequence[tuple[int, Path, JsonValue]]]
"""By place of a schema the values that come to it: the number of the JSON object, the path in it, the value."""
_SAMPLES: Final[dict[str, JsonValue]] = {"string": "wrong", "integer": 7, "array": [], "object": {}}
"""Values to put in the place of another type's, the first that the clause excludes."""


@dataclass(frozen=True, slots=True)
class Target:
    """A clause at one place of a schema."""

    contract: str
    kind: Kind
    place: Path
    keyword: str
    id: str
    schema: JsonObject

    @property
    def qualifier(self) -> str:
        """What tells this place from others of the same clause: contract, message and definition."""
        definition = self.place[1:2] if self.place[:1] == ("$defs",) else ()
        return ".".join(map(str, (self.contract, self.kind, *definition)))


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a schema's place is in a good exchange: the JSON object's number, and the path in it."""

    exchange: Exchange
    number: int
    path: Path


def faults() -> Iterator[Fault]:
    """Yield `clause:<id>` for every clause, and `clause:<id>@<message>` for the other places where it stands."""
    known: set[str] = set()
    for name in (OPENAI, *DOCUMENTED):
        contract = contracts.load(name)
        for target in _targets(contract):
            plain = f"clause:{target.id}"
            identifier = plain if plain not in known else f"{plain}@{target.qualifier}"
            known.add(identifier)
            spot = _spot(target)
            yield Fault(
                identifier, spot.exchange.id, _says(target), partial(_broken, target),
                consequence(target.id, target.qualifier),
            )  # fmt: skip


def _targets(contract: Contract) -> Iterator[Target]:
    for kind, schema in contract.schemas.items():
        if kind is Kind.REQUEST:
            continue
        for place, keyword, note in clause_notes(schema.document):
            at = rewrite.value_at(schema.document, place)
            assert isinstance(at, dict)
            yield Target(contract.id, kind, place, keyword, str(note["id"]), at)


def _spot(target: Target) -> Spot:
    """Return the middle place in the good exchange that has the most of them, so that the others stay examined."""
    found = [list(_spots(target, exchange)) for exchange in GOOD.values() if _is_of(target, exchange)]
    most = max(found, key=len)
    if not most:
        raise SuiteError(f"clause {target.id} of {target.qualifier}: no good exchange comes to it")
    return _middle(most)


def _middle(spots: list[Spot]) -> Spot:
    return spots[len(spots) // 2]


def _is_of(target: Target, exchange: Exchange) -> bool:
    if target.contract not in (OPENAI, contract_of(exchange)):
        return False
    return target.kind is _kind(exchange)


def _kind(exchange: Exchange) -> Kind:
    group = exchange.id.partition(".")[0]
    if group in ("error", "models"):
        return Kind(group)
    return Kind.CHUNK if rewrite.is_stream(exchange) else Kind.RESPONSE


def _spots(target: Target, exchange: Exchange) -> Iterator[Spot]:
    kind = (target.contract, target.kind)
    is_good = GOOD.get(exchange.id) is exchange
    places = _places_in_good(*kind, exchange.id) if is_good else _places(*kind, exchange)
    for number, path, instance in places.get(target.place, ()):
        if _applies(target, instance):
            yield Spot(exchange, number, path)


@cache
def _places_in_good(contract: str, kind: Kind, name: str) -> Places:
    return _places(contract, kind, GOOD[name])


def _places(contract: str, kind: Kind, exchange: Exchange) -> Places:
    root = contracts.load(contract).schemas[kind].document
    found: dict[Path, list[tuple[int, Path, JsonValue]]] = {}
    for number, value in enumerate(rewrite.messages(exchange)):
        for place, path, instance in _walk(root, root, (), value, ()):
            found.setdefault(place, []).append((number, path, instance))
    return found


def _applies(target: Target, instance: JsonValue) -> bool:
    """Whether an instance can break the keyword: a member that is there, a value that is not null already."""
    keyword, _, name = target.keyword.partition("/")
    if keyword == "required":
        return isinstance(instance, dict) and name in instance
    return keyword == "type" or instance is not None


def _walk(
    root: JsonObject, schema: JsonObject, place: Path, value: JsonValue, path: Path
) -> Iterator[tuple[Path, Path, JsonValue]]:
    """Yield each place of a schema that a value comes to, with the path of that value and the value."""
    reference = schema.get("$ref")
    if isinstance(reference, str):
        place = tuple(reference.removeprefix("#/").split("/"))
        target = rewrite.value_at(root, place)
        assert isinstance(target, dict)
        schema = target
    yield place, path, value
    for steps, inner in subschemas(schema):
        below = (*place, *steps)
        if steps[0] == "properties" and isinstance(value, dict) and steps[1] in value:
            yield from _walk(root, inner, below, value[steps[1]], (*path, steps[1]))
        elif steps[0] == "items" and isinstance(value, list):
            for number, item in enumerate(value):
                yield from _walk(root, inner, below, item, (*path, number))


def _broken(target: Target, exchange: Exchange) -> Exchange:
    """Return the exchange with the clause broken at its middle place. Raises `IndexError` where it has none."""
    spot = _middle(list(_spots(target, exchange)))
    keyword, _, name = target.keyword.partition("/")
    if keyword == "required":
        return rewrite.no_member(exchange, spot.number, (*spot.path, name))
    return rewrite.member(exchange, spot.number, spot.path, _wrong(keyword, target.schema))


def _wrong(keyword: str, schema: JsonObject) -> JsonValue:
    """Return a value that breaks a keyword, and none of the others beside it."""
    bound = schema.get(keyword)
    if keyword in ("minimum", "maximum"):
        assert isinstance(bound, int)
        return bound - 1 if keyword == "minimum" else bound + 1
    if keyword == "type":
        allowed = bound if isinstance(bound, list) else [bound]
        excluded = {*allowed, *(["integer"] if "number" in allowed else [])}
        return next(value for name, value in _SAMPLES.items() if name not in excluded)
    others: dict[str, JsonValue] = {"const": "unheard-of", "enum": "unheard-of", "minLength": "", "minItems": []}
    return others[keyword]


def _says(target: Target) -> str:
    keyword, _, name = target.keyword.partition("/")
    if keyword == "required":
        return f"The member {name} is left out where {target.id} asks for it."
    what = {
        "type": "a value of another type", "const": "another value", "enum": "a value that is not listed",
        "minimum": "a number below the bound", "maximum": "a number above the bound",
        "minLength": "an empty string", "minItems": "an empty array",
    }[keyword]  # fmt: skip
    return f"{what[0].upper()}{what[1:]} stands where {target.id} speaks."
