"""A value that keeps a JSON Schema: the arguments of a tool call, and answers in JSON.

Of anyOf and oneOf the first branch is taken; of `if` nothing is. What a schema leaves open is short and fixed.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Final

from chatconform.model import JsonObject, JsonValue

_DEEPEST: Final = 12
"""Levels below which only what is required is made: a schema may refer to itself."""
_MOST: Final = 2_000
"""Subschemas that are looked at: beyond them the values are null."""
_LONGEST: Final = 1_000
"""Items of an array, members of an object and characters of a text at most, whatever the schema asks for."""
_FORMATS: Final = {
    "date-time": "2026-11-20T12:00:00Z", "date": "2026-11-20", "time": "12:00:00Z", "duration": "PT5M",
    "email": "reader@example.com", "hostname": "example.com", "ipv4": "192.0.2.1", "ipv6": "2001:db8::1",
    "uri": "https://example.com/", "uuid": "00000000-0000-4000-8000-000000000000",
}  # fmt: skip
_CANDIDATES: Final = (
    "A", "a", "1", "AB", "ab", "AB1", "ABC", "abc", "123", "2026-11-20", "12:00", "CH", "EUR", "de-CH", "ABCD", "1234",
    "12345", "abc-123", "ABC-123", "ABC-1234", "AB-1234", "A-1", "a_b", "#aabbcc", "1.0.0", "+41445550100",
)  # fmt: skip
"""Texts that are tried against a pattern."""
_FALLBACK: Final = "text"
_GREATEST: Final = 1e15
"""Bounds beyond this are no bounds that anybody means."""


class Maker:
    """Makes values that keep the subschemas of one schema; texts that are free take their words in turn."""

    def __init__(self, root: JsonObject, words: Sequence[str]) -> None:
        self._root = root
        self._words = list(words) or [_FALLBACK]
        self._next = 0
        self._left = _MOST

    def value(self, schema: JsonValue, depth: int = 0) -> JsonValue:
        """Return a value that keeps the schema; null where there is none."""
        found = self._resolved(schema)
        if "const" in found:
            return found["const"]
        listed = found.get("enum")
        if isinstance(listed, list) and listed:
            return next((each for each in listed if each is not None), listed[0])
        return self._of_type(_type(found), found, depth)

    def _resolved(self, schema: JsonValue, steps: int = 0) -> JsonObject:
        """Return a schema with its references, its allOf and the first of its branches written out."""
        self._left -= 1
        if not isinstance(schema, dict) or steps > _DEEPEST or self._left < 0:
            return {"type": "null"} if self._left < 0 else {}
        merged = {key: value for key, value in schema.items() if key not in ("$ref", "allOf", "anyOf", "oneOf")}
        inner: list[JsonValue] = [self._referred(schema["$ref"])] if isinstance(schema.get("$ref"), str) else []
        every = schema.get("allOf")
        inner += every if isinstance(every, list) else []
        branches = next((each for each in map(schema.get, ("anyOf", "oneOf")) if isinstance(each, list) and each), [])
        inner += branches[:1]
        for each in inner:
            merged = _merged(merged, self._resolved(each, steps + 1))
        return merged

    def _referred(self, reference: JsonValue) -> JsonValue:
        """Return what a reference within the schema names (RFC 6901); null for any other."""
        value: JsonValue = self._root
        for step in str(reference).removeprefix("#").split("/")[1:]:
            name = step.replace("~1", "/").replace("~0", "~")
            value = value.get(name) if isinstance(value, dict) else None
        return value

    def _of_type(self, kind: JsonValue, schema: JsonObject, depth: int) -> JsonValue:
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, depth)
        if kind in ("integer", "number"):
            return _number(schema, is_whole=kind == "integer")
        if kind == "boolean":
            return True
        return None if kind == "null" else self._text(schema)

    def _object(self, schema: JsonObject, depth: int) -> JsonObject:
        properties = schema.get("properties")
        known = properties if isinstance(properties, dict) else {}
        required = schema.get("required")
        needed = [name for name in required if isinstance(name, str)] if isinstance(required, list) else []
        named = [name for name in known if depth < _DEEPEST or name in needed]
        if depth > 2 * _DEEPEST:
            return {}
        made = {name: self.value(known.get(name), depth + 1) for name in dict.fromkeys([*named, *needed])}
        least, extra = _whole(schema.get("minProperties"), 0), schema.get("additionalProperties")
        for number in range(len(made), min(least, _LONGEST)):
            made[f"member_{number}"] = self.value(extra, depth + 1) if isinstance(extra, dict) else number
        return made

    def _array(self, schema: JsonObject, depth: int) -> list[JsonValue]:
        prefix = schema.get("prefixItems")
        first = prefix if isinstance(prefix, list) else []
        least = _whole(schema.get("minItems"), 0 if depth >= _DEEPEST else max(1, len(first)))
        length = min(max(least, len(first)), _whole(schema.get("maxItems"), max(least, len(first))))
        if depth > 2 * _DEEPEST or length < 1:
            return []
        length = min(length, _LONGEST)
        made = [self._item([*first, schema.get("items")], number, depth) for number in range(length)]
        are_alike = schema.get("uniqueItems") and made.count(made[0]) > 1
        return [_apart(item, number) for number, item in enumerate(made)] if are_alike else made

    def _item(self, schemas: Sequence[JsonValue], number: int, depth: int) -> JsonValue:
        """Return an item; where the values of an enum are listed each takes the next, so that they differ."""
        schema = self._resolved(schemas[min(number, len(schemas) - 1)])
        listed = schema.get("enum")
        if isinstance(listed, list) and listed:
            return listed[number % len(listed)]
        return self.value(schema, depth + 1)

    def _text(self, schema: JsonObject) -> str:
        pattern, least = schema.get("pattern"), _whole(schema.get("minLength"), 0)
        most = _whole(schema.get("maxLength"), max(least, 200))
        if isinstance(pattern, str):
            return _matching(pattern, least, most)
        if schema.get("format") in _FORMATS:
            return _FORMATS[str(schema["format"])]
        word = self._words[self._next % len(self._words)]
        self._next += 1
        return word.ljust(min(least, _LONGEST), ".")[: max(most, 0)]


def _apart(item: JsonValue, number: int) -> JsonValue:
    """Return an item that differs from the others of its array: the number that it has there tells it apart."""
    return item + number if isinstance(item, int) and not isinstance(item, bool) else item


def _merged(one: JsonObject, other: JsonObject) -> JsonObject:
    """Return what two schemas ask for together; of a keyword that both have the first one's counts."""
    both = {**other, **one}
    for keyword in ("properties", "required"):
        first, second = one.get(keyword), other.get(keyword)
        if isinstance(first, dict) and isinstance(second, dict):
            both[keyword] = {**second, **first}
        elif isinstance(first, list) and isinstance(second, list):
            both[keyword] = [*first, *(each for each in second if each not in first)]
    return both


def _type(schema: JsonObject) -> JsonValue:
    """Return the type to make: the first that is not null, or what the keywords are about."""
    named = schema.get("type")
    if isinstance(named, list):
        return next((each for each in named if each != "null"), "null")
    if named is not None:
        return named
    about = {"properties": "object", "required": "object", "items": "array", "prefixItems": "array",
             "minimum": "number", "maximum": "number"}  # fmt: skip
    return next((kind for keyword, kind in about.items() if keyword in schema), "string")


def _whole(value: JsonValue, otherwise: int) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else otherwise


def _bound(value: JsonValue) -> int | float | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    return value if abs(value) < _GREATEST else None


def _number(schema: JsonObject, *, is_whole: bool) -> int | float:
    """Return the least number that a schema allows, or 3 or the greatest where it has no lower bound."""
    low, high = _bound(schema.get("minimum")), _bound(schema.get("maximum"))
    above, below = _bound(schema.get("exclusiveMinimum")), _bound(schema.get("exclusiveMaximum"))
    step = max(_bound(schema.get("multipleOf")) or 1, 1 / _GREATEST)
    least = low if low is not None else None if above is None else above + (step if is_whole else step / 2)
    most = high if high is not None else None if below is None else below - (step if is_whole else step / 2)
    value = least if least is not None else min(3, most) if most is not None else 3
    value = math.ceil(value / step) * step if is_whole or schema.get("multipleOf") else value
    if not is_whole and most is not None and value > most:
        value = most
    return int(value) if is_whole or value == int(value) else value


def _matching(pattern: str, least: int, most: int) -> str:
    """Return the first candidate that a pattern finds itself in; where there is none, the fixed text."""
    try:
        found = re.compile(pattern)
    except re.error:
        return _FALLBACK
    return next((each for each in _CANDIDATES if least <= len(each) <= most and found.search(each)), _FALLBACK)
