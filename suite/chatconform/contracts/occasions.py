"""Occasions: the values of a request that put a clause of its schema to the test, each by itself.

A value has a documented type, is listed, stands exactly at an end of a range, or is as long as may be. What lies in
the middle of a range tests nothing but the type.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass

from chatconform.contracts.schema import Schema
from chatconform.model import JsonObject, JsonValue, Level

_LENGTHS = ("minLength", "maxLength", "minItems", "maxItems")
_BOUNDS = ("minimum", "maximum")
ENDS = frozenset({*_BOUNDS, *_LENGTHS})
"""The keywords that bound a value."""
FAR_ENDS = frozenset({"minimum", "maximum", "maxLength", "maxItems"})
"""The ends that ordinary requests seldom stand at; nearly every list has one item."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """A value that tests one clause. `member` is the member of the body that holds it; `what` tells it from others."""

    clause: str
    keyword: str
    member: str
    what: str

    @property
    def is_of_type(self) -> bool:
        """Whether only the value's type is tested: every other occasion of the same value says more."""
        return self.keyword in ("type", "required")


def occasions(schema: Schema, body: JsonObject) -> Iterator[Occasion]:
    """Yield each occasion that a request gives, the same one as often as it gives it."""
    yield from _of(schema.document, schema.document, body, "")


def _of(root: JsonObject, schema: JsonObject, value: JsonValue, member: str) -> Iterator[Occasion]:
    schema = _resolved(root, schema)
    notes = schema.get("x-clauses")
    for keyword, note in (notes if isinstance(notes, dict) else {}).items():
        if not isinstance(note, dict):
            continue
        if keyword == "required":
            yield from _present(note, value, member)
        elif (what := _tested(keyword, schema.get(keyword), value)) is not None:
            yield Occasion(str(note["id"]), keyword, member, what)
    yield from _within(root, schema, value, member)


def _within(root: JsonObject, schema: JsonObject, value: JsonValue, member: str) -> Iterator[Occasion]:
    properties, items = schema.get("properties"), schema.get("items")
    if isinstance(value, dict) and isinstance(properties, dict):
        for name, inner in properties.items():
            if name in value and isinstance(inner, dict):
                yield from _of(root, inner, value[name], member or name)
    elif isinstance(value, list) and isinstance(items, dict):
        for item in value:
            yield from _of(root, items, item, member)


def _resolved(root: JsonObject, schema: JsonObject) -> JsonObject:
    reference = schema.get("$ref")
    found: JsonValue = root
    for step in reference.removeprefix("#/").split("/") if isinstance(reference, str) else ():
        found = found.get(step) if isinstance(found, dict) else None
    return found if isinstance(reference, str) and isinstance(found, dict) else schema


def _present(note: JsonObject, value: JsonValue, member: str) -> Iterator[Occasion]:
    for name, each in note.items():
        if isinstance(value, dict) and name in value and isinstance(each, dict):
            yield Occasion(str(each["id"]), "required", member or name, "present")


def _tested(keyword: str, stated: JsonValue, value: JsonValue) -> str | None:
    """Say what of a value tests a keyword; None where nothing does."""
    if keyword == "type":
        return _documented_type(stated, value)
    if keyword in ("enum", "const"):
        listed = stated if keyword == "enum" and isinstance(stated, list) else [stated]
        return next((json.dumps(value, sort_keys=True) for each in listed if _same(each, value)), None)
    if keyword in _LENGTHS:
        counted = str if keyword.endswith("Length") else list
        at_end = isinstance(value, counted) and len(value) == stated
    else:
        at_end = keyword in _BOUNDS and _same(stated, value)
    return "at the end" if at_end else None


def _same(stated: JsonValue, value: JsonValue) -> bool:
    """Whether two values are equal as JSON has it: true is not 1, and 2.0 is 2."""
    return stated == value and isinstance(stated, bool) == isinstance(value, bool)


def _documented_type(stated: JsonValue, value: JsonValue) -> str | None:
    types = {str(name) for name in stated} if isinstance(stated, list) else {str(stated)}
    return next((name for name in _names(value) if name in types), None)


def _names(value: JsonValue) -> tuple[str, ...]:
    """Return the names that JSON Schema has for the type of a value, the narrowest first."""
    if value is None:
        return ("null",)
    if isinstance(value, bool):
        return ("boolean",)
    if isinstance(value, int | float):
        return ("integer", "number") if isinstance(value, int) else ("number",)
    return ("string",) if isinstance(value, str) else ("array",) if isinstance(value, list) else ("object",)


def strays(schema: Schema, body: JsonObject) -> Iterator[tuple[str, Level]]:
    """Yield the members of a body that the schema does not know, or whose value breaks it, at the level of the clause.

    A member that is null asks for nothing, so it is not looked at.
    """
    asked: JsonObject = {name: value for name, value in body.items() if value is not None}
    for violation in schema.examine(asked).violations:
        if violation.path:
            yield str(violation.path[0]), violation.clause.level if violation.clause else Level.MUST
        elif violation.keyword == "additionalProperties":
            yield from ((name, Level.MUST) for name in sorted(asked.keys() - known(schema)))


def known(schema: Schema) -> frozenset[str]:
    """Return the members of a body that a schema has."""
    properties = schema.document.get("properties")
    return frozenset(properties) if isinstance(properties, dict) else frozenset()
