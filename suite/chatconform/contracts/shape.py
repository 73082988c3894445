"""Shapes: what of a JSON value can make a difference to a schema.

Two values of one shape keep and break the same clauses, and are examined the same number of times: they have the
same keys and types, their numbers stand alike to every bound that a schema names, their strings are equal where a
schema names the string, and alike empty or not where it does not. So each shape is judged once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator

from chatconform.contracts.schema import subschemas
from chatconform.model import JsonObject, JsonValue, SuiteError

_OTHER_TEXT = "\x00text"
_TRUE, _FALSE = "\x00true", "\x00false"
_FRACTION = 1 << 16
"""What tells the classes of floats from those of integers."""


class Alphabet:
    """The strings and the bounds that schemas name."""

    def __init__(self, schemas: Iterable[JsonObject]) -> None:
        """Read the schemas. Raises `SuiteError` for a length that this notion of shape does not see."""
        strings: set[str] = set()
        bounds: set[int | float] = set()
        for schema in (inner for document in schemas for inner in _walk(document)):
            named = [schema.get("const"), *_list(schema.get("enum"))]
            strings.update(value for value in named if isinstance(value, str))
            numbers = [*named, schema.get("minimum"), schema.get("maximum")]
            bounds.update(value for value in numbers if isinstance(value, int | float) and not isinstance(value, bool))
            if schema.get("minLength", 1) != 1:
                raise SuiteError("a shape tells empty strings from others, and no other lengths apart")
        self.strings = frozenset(strings)
        self.bounds = sorted(bounds)

    def shape(self, value: JsonValue) -> Hashable:
        """Return the shape of a value."""
        kind = type(value)
        if kind is str:
            return value if value in self.strings or not value else _OTHER_TEXT  # type: ignore[return-value]
        if kind is dict:
            shape = self.shape
            return ("{", *(part for key, member in value.items() for part in (key, shape(member))))  # type: ignore[union-attr]
        if kind is list:
            return ("[", *map(self.shape, value))  # type: ignore[arg-type]
        if kind is int:
            return bisect_left(self.bounds, value) + bisect_right(self.bounds, value)  # type: ignore[type-var]
        if kind is float:
            return bisect_left(self.bounds, value) + bisect_right(self.bounds, value) + _FRACTION  # type: ignore[type-var]
        return None if value is None else _TRUE if value else _FALSE


def _walk(schema: JsonObject) -> Iterator[JsonObject]:
    yield schema
    for _, inner in subschemas(schema):
        yield from _walk(inner)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
