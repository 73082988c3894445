"""What the reference endpoint makes: values that keep a schema, tokens that join to their text, calls that fit."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chatconform.reference.answers import calls, speech, tokens
from chatconform.reference.answers.values import Maker

NODE = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}},
    "required": ["value"],
}
SCHEMAS: dict[str, Any] = {
    "nothing": {},
    "const": {"const": [1, None]},
    "enum": {"enum": [None, "b"]},
    "enum of null": {"enum": [None]},
    "two types": {"type": ["null", "integer"]},
    "null": {"type": "null"},
    "boolean": {"type": "boolean"},
    "minimum": {"type": "integer", "minimum": 7},
    "maximum": {"type": "number", "maximum": -2.5},
    "exclusive": {"type": "integer", "exclusiveMinimum": 7, "exclusiveMaximum": 9},
    "between": {"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1},
    "narrow": {"type": "number", "minimum": 0.25, "maximum": 0.5},
    "multiple": {"type": "integer", "minimum": 11, "multipleOf": 5},
    "lengths": {"type": "string", "minLength": 9, "maxLength": 12},
    "short": {"type": "string", "maxLength": 2},
    "date": {"type": "string", "format": "date", "pattern": r"^\d{4}-\d\d-\d\d$"},
    "email": {"type": "string", "format": "email"},
    "pattern": {"type": "string", "pattern": "^[A-Z]{3}-[0-9]{4}$"},
    "items": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 4},
    "no items": {"type": "array", "items": {"type": "string"}, "maxItems": 0},
    "different items": {"type": "array", "items": {"type": "integer"}, "minItems": 3, "uniqueItems": True},
    "items of an enum": {"type": "array", "items": {"enum": [1, 2, 3]}, "minItems": 3, "uniqueItems": True},
    "a prefix": {"prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
    "members": {"properties": {"a": {"type": "string"}, "b": {"type": "number"}}, "required": ["a", "c"]},
    "more members": {"type": "object", "minProperties": 2, "additionalProperties": {"type": "string"}},
    "any members": {"type": "object", "minProperties": 2},
    "a reference": {"$ref": "#/$defs/a~1b", "$defs": {"a/b": {"type": "integer", "minimum": 4}}},
    "all of": {
        "allOf": [
            {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
            {"properties": {"b": {"type": "integer"}}, "required": ["b"]},
        ]
    },
    "one of": {"oneOf": [{"type": "integer"}, {"type": "string"}]},
    "itself": {**NODE, "$defs": {"node": NODE}},
}
DOUBLING = {"$defs": {"d": {"type": "object", "properties": {name: {"$ref": "#/$defs/d"} for name in "abcdefgh"}}}}
HOSTILE: dict[str, Any] = {
    "doubling": {**DOUBLING, "$ref": "#/$defs/d"},
    "required of itself": {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    "all of itself": {"allOf": [{"$ref": "#"}, {"$ref": "#"}, {"$ref": "#"}]},
    "endless arrays": {"type": "array", "items": {"$ref": "#"}, "minItems": 9},
    "many items": {"type": "array", "minItems": 10**9},
    "many members": {"type": "object", "minProperties": 10**9},
    "many characters": {"type": "string", "minLength": 10**9},
    "a pattern that is none": {"type": "string", "pattern": "("},
    "a pattern that nothing matches": {"type": "string", "pattern": "^never$"},
    "infinite bounds": {"type": "number", "minimum": float("inf"), "maximum": float("-inf")},
    "great bounds": {"type": "integer", "minimum": 10**400},
    "tiny steps": {"type": "number", "multipleOf": 1e-320},
    "a dangling reference": {"$ref": "#/$defs/nowhere"},
    "keywords of other types": {"type": 7, "enum": {}, "required": 3, "properties": [], "allOf": 1, "$ref": 2},
}


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_value_keeps_its_schema(name: str) -> None:
    schema = SCHEMAS[name]
    assert [] == [error.message for error in Draft202012Validator(schema).iter_errors(Maker(schema, ()).value(schema))]


@pytest.mark.parametrize("name", HOSTILE)
def test_a_schema_without_a_bound_is_answered_within_bounds(name: str) -> None:
    schema = HOSTILE[name]
    assert len(json.dumps(Maker(schema, ("Zürich",)).value(schema))) < 100_000


@given(st.text())
def test_tokens_join_to_their_text(text: str) -> None:
    assert text == "".join(tokens.split(text))


@given(st.text(), st.integers(0, 50))
def test_a_cut_text_has_no_more_tokens_than_it_may(text: str, most: int) -> None:
    assert tokens.count(tokens.cut(text, most)) <= most


@given(st.integers(0, 200))
def test_reasoning_has_just_as_many_tokens_as_wanted(wanted: int) -> None:
    assert wanted == tokens.count(tokens.exactly("First the question, then the answer.", wanted))


def test_what_is_no_message_is_counted_all_the_same() -> None:
    assert tokens.of_prompt({}) < tokens.of_prompt({"messages": ["Hello"]})


@pytest.mark.parametrize(
    "asked, told",
    [
        ("Count from 3 to 1.", "3, 2, 1"),
        ("Count from 1 to 3, each on its own line.", "1\n2\n3"),
        ("Please repeat exactly this text: a  b\n c ", "a  b\n c"),
    ],
)
def test_what_is_asked_for_in_words_is_said(asked: str, told: str) -> None:
    assert told == speech.said({"messages": [{"role": "user", "content": asked}]}, 0)


def test_without_a_user_the_last_message_is_the_prompt() -> None:
    assert "Hello" == speech.prompt({"messages": [{"role": "system", "content": "Hello"}]})


def test_two_tools_that_are_asked_for_are_both_called() -> None:
    tools = [{"type": "function", "function": {"name": name}} for name in ("weather", "clock", "calendar")]
    body: Any = {"messages": [{"role": "user", "content": "What do weather and clock say?"}], "tools": tools}
    assert ["weather", "clock"] == [call.tool.name for call in calls.made(body)]
