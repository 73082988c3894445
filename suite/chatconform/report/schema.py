"""The published schema of results.json, as a test that says yes or no some twenty times as quickly as jsonschema.

It knows the keywords of that schema and no others, and is exactly as strict: where it says no, jsonschema finds the
words. To both a number with a fraction is no integer, 3.0 included.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from types import NoneType
from typing import Any, TypeAlias

from jsonschema import Draft202012Validator, validators

from chatconform import resources
from chatconform.model import JsonValue, SuiteError

Test: TypeAlias = Callable[[Any], bool]

_TYPES = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "null": NoneType}
_OBJECT = ("properties", "additionalProperties", "required")
_ARRAY = ("items", "minItems", "maxItems")
_TEXT = ("minLength", "maxLength")
_IF = ("if", "then", "else")
_SAYING = ("$schema", "$id", "$defs", "title", "description")
_ENDLESS = 2**63


@cache
def keeps() -> Test:
    """Return the test that says whether a JSON value keeps to the schema."""
    return Tests(_document()).of(_document())


@cache
def validator() -> Any:  # noqa: ANN401
    """Return what says why a JSON value does not keep to the schema."""
    checker = Draft202012Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
    strict = validators.extend(Draft202012Validator, type_checker=checker)  # type: ignore[no-untyped-call]
    return strict(_document())


@cache
def _document() -> Any:  # noqa: ANN401
    return json.loads(resources.read_text("schemas/chatconform/results.schema.json"))


class Tests:
    """Tests for the schemas of one document, whose `$ref` lead to its `$defs` and not round in a circle."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        self._definitions = document.get("$defs", {})

    def of(self, schema: Mapping[str, Any]) -> Test:
        """Return the test for a schema. Raises `SuiteError` for a keyword that it does not know."""
        tests = tuple(self._made(schema))
        if len(tests) == 1:
            return tests[0]
        return lambda value: all(test(value) for test in tests)

    def _made(self, schema: Mapping[str, Any]) -> list[Test]:
        """The tests of a schema's keywords; keywords that belong together are one."""
        rest = [name for name in schema if name not in _SAYING]
        tests = []
        for names, make in _TOGETHER.items():
            if any(name in names for name in rest):
                tests.append(make(self, schema))
                rest = [name for name in rest if name not in names]
        if rest:
            raise SuiteError(f"the schema of results has {rest[0]}, and its test does not know that keyword")
        return tests

    def type(self, schema: Mapping[str, Any]) -> Test:
        """Whether a value has one of the types."""
        named = schema["type"]
        types = tuple(_TYPES[name] for name in ([named] if isinstance(named, str) else named))
        whole = frozenset(types)
        return lambda value: type(value) in whole or (isinstance(value, dict) and dict in types)

    def one_of(self, schema: Mapping[str, Any]) -> Test:
        """Whether a value is one of the strings, or null, that an enumeration has."""
        allowed = schema["enum"] if "enum" in schema else [schema["const"]]
        if not all(value is None or isinstance(value, str) for value in allowed):
            raise SuiteError("the test for the schema of results tells strings and null apart, and no other values")
        return lambda value: (value is None or isinstance(value, str)) and value in allowed

    def object(self, schema: Mapping[str, Any]) -> Test:
        """Whether an object has what is required and each member keeps to its schema; so does what is no object."""
        named = {name: self.of(inner) for name, inner in schema.get("properties", {}).items()}
        others, required = schema.get("additionalProperties", {}), frozenset(schema.get("required", ()))
        other = self.of(others) if others is not False else lambda _: False

        def test(value: JsonValue) -> bool:
            if not isinstance(value, dict):
                return True
            return required <= value.keys() and all(named.get(name, other)(each) for name, each in value.items())

        return test

    def array(self, schema: Mapping[str, Any]) -> Test:
        """Whether an array is as long as it may be and each item keeps to its schema; so does what is no array."""
        item = self.of(schema.get("items", {}))
        least, most = schema.get("minItems", 0), schema.get("maxItems", _ENDLESS)
        return lambda value: not isinstance(value, list) or (least <= len(value) <= most and all(map(item, value)))

    def text(self, schema: Mapping[str, Any]) -> Test:
        """Whether a string is as long as it may be."""
        least, most = schema.get("minLength", 0), schema.get("maxLength", _ENDLESS)
        return lambda value: not isinstance(value, str) or least <= len(value) <= most

    def minimum(self, schema: Mapping[str, Any]) -> Test:
        """Whether a number is large enough."""
        least = schema["minimum"]
        return lambda value: isinstance(value, bool) or not isinstance(value, int | float) or value >= least

    def any_of(self, schema: Mapping[str, Any]) -> Test:
        """Whether a value keeps to any of several schemas."""
        tests = self._each(schema["anyOf"])
        return lambda value: any(test(value) for test in tests)

    def all_of(self, schema: Mapping[str, Any]) -> Test:
        """Whether a value keeps to all of several schemas."""
        tests = self._each(schema["allOf"])
        return lambda value: all(test(value) for test in tests)

    def condition(self, schema: Mapping[str, Any]) -> Test:
        """Whether a value keeps to the schema that its case asks for."""
        case, then, otherwise = (self.of(schema.get(name, {})) for name in _IF)
        return lambda value: then(value) if case(value) else otherwise(value)

    def definition(self, schema: Mapping[str, Any]) -> Test:
        """Whether a value keeps to a definition."""
        return self.of(self._definitions[schema["$ref"].removeprefix("#/$defs/")])

    def _each(self, schemas: Sequence[Mapping[str, Any]]) -> tuple[Test, ...]:
        return tuple(map(self.of, schemas))


_TOGETHER: Mapping[tuple[str, ...], Callable[[Tests, Mapping[str, Any]], Test]] = {
    ("type",): Tests.type,
    ("enum", "const"): Tests.one_of,
    ("$ref",): Tests.definition,
    ("minimum",): Tests.minimum,
    _TEXT: Tests.text,
    _ARRAY: Tests.array,
    _OBJECT: Tests.object,
    ("anyOf",): Tests.any_of,
    _IF: Tests.condition,
    ("allOf",): Tests.all_of,
}
