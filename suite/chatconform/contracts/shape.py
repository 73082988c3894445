"""Shapes: what of a JSON value can make a difference to a schema.

Two values of one shape keep and break the same clauses, and are examined the same number of times: they have the
same keys and types, their numbers stand alike to every bound that a schema names, their strings are equal where a
schema names the string, and alike empty or not where it does not. So each shape is judged once.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Hashable, Iterable, Iterator
from itertools import count

from chatconform.contracts.schema import MAX_SHAPES, subschemas
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
        self._texts = {"": "", **{text: text for text in strings}}
        self._bounds = sorted(bounds)
        self._numbers: dict[Hashable, int] = {}
        self._unused = count()

    def number(self, value: JsonValue) -> int:
        """Return the number of a value's shape, which no other shape has; the numbers of many are remembered."""
        shape = self.shape(value)
        found = self._numbers.get(shape)
        if found is None:
            if len(self._numbers) >= MAX_SHAPES:
                self._numbers.clear()
            found = self._numbers[shape] = next(self._unused)
        return found

    def shape(self, value: JsonValue) -> Hashable:
        """Return the shape of a value: an object's is its names, then its members' shapes."""
        if isinstance(value, dict):
            parts: list[Hashable] = ["{", *value]
            members: Iterable[JsonValue] = value.values()
        elif isinstance(value, list):
            parts, members = ["["], value
        else:
            return self._scalar(value)
        texts = self._texts
        for member in members:
            kind = type(member)
            if kind is str:
                parts.append(texts.get(member, _OTHER_TEXT))  # type: ignore[arg-type]
            elif kind is dict or kind is list:
                parts.append(self.shape(member))
            else:
                parts.append(None if member is None else self._scalar(member))  # type: ignore[arg-type]
        return tuple(parts)

    def _scalar(self, value: str | float | None) -> Hashable:
        if isinstance(value, str):
            return self._texts.get(value, _OTHER_TEXT)
        if value is None or isinstance(value, bool):
            return None if value is None else _TRUE if value else _FALSE
        place = bisect_left(self._bounds, value) + bisect_right(self._bounds, value)
        return place if isinstance(value, int) else place + _FRACTION


def _walk(schema: JsonObject) -> Iterator[JsonObject]:
    yield schema
    for _, inner in subschemas(schema):
        yield from _walk(inner)


def _list(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []
