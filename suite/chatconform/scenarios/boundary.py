"""The edges of what a request schema allows: for each constraint the values just within it, and one just beyond."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeAlias

from chatconform.contracts.schema import subschemas
from chatconform.model import JsonObject, JsonValue

Path: TypeAlias = tuple[str, ...]
"""Steps from the body to a value; `ITEM` stands for any item of a list."""

ITEM: Final = "[]"
WORD: Final = "chatconform"
"""A string that is no value of any enumeration, no number and no truth value."""


class Absent:
    """Stands for a member that is taken out."""


ABSENT: Final = Absent()
Value: TypeAlias = "JsonValue | Absent"


class Kind(IntEnum):
    """What an edge is an edge of, in the order of worth."""

    LOW = 1
    HIGH = 2
    VALUES = 3
    PRESENCE = 4
    TYPE = 5


@dataclass(frozen=True, slots=True)
class Edge:
    """One constraint: `clause` is its id, `within` are values that keep it, `beyond` is one that breaks it."""

    clause: str
    path: Path
    keyword: str
    limit: JsonValue
    within: tuple[JsonValue, ...]
    beyond: Value

    @property
    def parameter(self) -> str:
        """The member of the body in which the constraint stands; empty for the body itself."""
        return self.path[0] if self.path else ""

    @property
    def depth(self) -> int:
        """How deep within a parameter it stands: 0 for the parameter and its items."""
        return sum(step != ITEM for step in self.path[1:])

    @property
    def kind(self) -> Kind:
        """What it is an edge of."""
        return _KINDS[self.keyword]

    def keeps(self, value: JsonValue, within: JsonValue) -> bool:
        """Whether a value of a request shows the constraint as well as one of those in `within` does."""
        if self.kind is Kind.TYPE:
            return _type_of(value) == _type_of(within)
        if self.keyword in _SIZES:
            return isinstance(value, str | list) and type(value) is type(within) and len(value) == self.limit
        return value == within


_KINDS: Final[Mapping[str, Kind]] = {
    "minimum": Kind.LOW,
    "minItems": Kind.LOW,
    "minLength": Kind.LOW,
    "maximum": Kind.HIGH,
    "maxItems": Kind.HIGH,
    "maxLength": Kind.HIGH,
    "enum": Kind.VALUES,
    "const": Kind.VALUES,
    "required": Kind.PRESENCE,
    "type": Kind.TYPE,
}
_SIZES: Final = ("minItems", "maxItems", "minLength", "maxLength")


def edges(schema: JsonObject) -> Iterator[Edge]:
    """Yield the edges of a request schema, each parameter's together, in the order of the schema."""
    yield from _edges(schema, ())


def _edges(schema: JsonObject, path: Path) -> Iterator[Edge]:
    clauses = schema.get("x-clauses")
    for keyword, note in (clauses if isinstance(clauses, dict) else {}).items():
        if keyword == "required" and isinstance(note, dict):
            for name, each in note.items():
                yield Edge(_id(each), (*path, name), keyword, name, (), ABSENT)
        elif keyword in _AT:
            within, beyond = _AT[keyword](schema, schema[keyword])
            yield Edge(_id(note), path, keyword, schema[keyword], within, beyond)
    for steps, inner in subschemas(schema):
        yield from _edges(inner, (*path, ITEM if steps == ("items",) else steps[-1]))


def _id(note: JsonValue) -> str:
    return str(note["id"]) if isinstance(note, dict) else ""


_Ends: TypeAlias = "tuple[tuple[JsonValue, ...], Value]"


def _minimum(schema: JsonObject, limit: JsonValue) -> _Ends:
    return (limit,), _moved(schema, limit, -1)


def _maximum(schema: JsonObject, limit: JsonValue) -> _Ends:
    return (limit,), _moved(schema, limit, 1)


def _moved(schema: JsonObject, limit: JsonValue, sign: int) -> JsonValue:
    """Return a number beyond a limit: by 1 where whole numbers are wanted, else by a tenth."""
    number = limit if isinstance(limit, int | float) else 0
    return number + sign if "integer" in _types(schema) else round(number + sign * 0.1, 6)


def _fewest(schema: JsonObject, limit: JsonValue) -> _Ends:
    return (_sized(schema, limit),), _sized(schema, limit, -1)


def _most(schema: JsonObject, limit: JsonValue) -> _Ends:
    return (_sized(schema, limit),), _sized(schema, limit, 1)


def _sized(schema: JsonObject, limit: JsonValue, more: int = 0) -> JsonValue:
    """Return a list of different items, or a string, of so many."""
    count = max(0, (limit if isinstance(limit, int) else 0) + more)
    if "array" not in _types(schema):
        return (WORD * count)[:count]
    items = schema.get("items")
    item = sample(items) if isinstance(items, dict) else WORD
    return [f"{item}{number}" if isinstance(item, str) else item for number in range(count)]


def _values(_: JsonObject, listed: JsonValue) -> _Ends:
    values = tuple(value for value in (listed if isinstance(listed, list) else [listed]) if value is not None)
    return values, WORD


def _of_type(schema: JsonObject, _: JsonValue) -> _Ends:
    """Return a value of each type but null, and a value of another type."""
    types = _types(schema)
    within = tuple(sample({**schema, "type": name}) for name in types if name != "null")
    return within, 5 if "string" in types else WORD


_AT: Final[Mapping[str, Callable[[JsonObject, JsonValue], _Ends]]] = {
    "minimum": _minimum,
    "maximum": _maximum,
    "minItems": _fewest,
    "maxItems": _most,
    "minLength": _fewest,
    "maxLength": _most,
    "enum": _values,
    "const": _values,
    "type": _of_type,
}


def sample(schema: JsonObject) -> JsonValue:
    """Return a value that a schema allows, of the first type that it names: the default where there is one."""
    name = next((name for name in _types(schema) if name != "null"), "string")
    default, listed = schema.get("default"), schema.get("enum")
    if isinstance(listed, list):
        return next((value for value in listed if _type_of(value) == name), listed[0])
    if "default" in schema and _type_of(default) == name:
        return default
    items, least, most = schema.get("items"), schema.get("minimum"), schema.get("maximum")
    made: Mapping[str, Callable[[], JsonValue]] = {
        "boolean": lambda: False,
        "integer": lambda: _between(least, most),
        "number": lambda: _between(least, most),
        "array": lambda: [sample(items)] if isinstance(items, dict) else [],
        "object": lambda: _with_members(schema),
    }
    return made.get(name, lambda: WORD)()


def _between(least: JsonValue, most: JsonValue) -> int | float:
    number: int | float = 1
    number = max(number, least) if isinstance(least, int | float) else number
    return min(number, most) if isinstance(most, int | float) else number


def _with_members(schema: JsonObject) -> JsonObject:
    """Return an object with the members that it has to have."""
    properties, required = schema.get("properties"), schema.get("required")
    known = properties if isinstance(properties, dict) else {}
    wanted = {str(name): known.get(str(name)) for name in (required if isinstance(required, list) else [])}
    return {name: sample(inner) if isinstance(inner, dict) else WORD for name, inner in wanted.items()}


def _types(schema: JsonObject) -> tuple[str, ...]:
    named = schema.get("type", ())
    return tuple(str(name) for name in named) if isinstance(named, list | tuple) else (str(named),)


def _type_of(value: JsonValue) -> str:
    names: Mapping[type, str] = {
        type(None): "null", bool: "boolean", int: "number", float: "number", str: "string", list: "array",
    }  # fmt: skip
    return names.get(type(value), "object")
