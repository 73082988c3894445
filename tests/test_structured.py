"""Structured answers: what a text is, and how it is held against somebody else's schema within bounds."""

from __future__ import annotations

import json
import socket
import time

import pytest

from chatconform.judging import judge
from chatconform.model import Exchange, Outcome
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.wire import structured
from chatconform.wire.structured import held, read

TEXTS = {
    '{"a":1}': "json",
    ' \n{"a":1}\n': "json",
    "[1]": "json",
    "null": "json",
    '"```json"': "json",
    '{"a":NaN}': "neither",
    "The answer is 3.": "neither",
    'Sure: {"a":1}': "neither",
    '{"a":1} {"b":2}': "neither",
    '{"a":1}}': "neither",
    "{'a': 1}": "neither",
    '{"a" 1}': "neither",
    '```json\n{"a":1}\n```': "fenced",
    "```\n[1]\n```\n": "fenced",
    '  ```json5 {"a":1}```': "fenced",
    '```json\n{"a":1}': "fenced",
    "```json\nThe answer\n```": "neither",
    "```": "neither",
    '{"a"': "cut",
    '{"a":': "cut",
    '{"a":tru': "cut",
    '{"a":"b': "cut",
    '{"a":"b\\': "cut",
    '{"a":-': "cut",
    '{"a":[1,2,': "cut",
    "{": "cut",
    "tru": "neither",
}


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_json_or_fenced_or_cut_or_neither(text):
    reading = read(text)
    word = {(True, False, False): "json", (False, True, False): "fenced", (False, False, True): "cut"}

    assert TEXTS[text] == word.get((reading.is_json, reading.is_fenced, reading.is_cut), "neither")


CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
PLAIN = "http://json-schema.org/draft-07/schema#"


@pytest.mark.parametrize(
    "schema, text, found",
    [
        (CITY, '{"name":"Bern"}', []),
        (CITY, "{}", [("", "'name' is a required property")]),
        (CITY, '{"name":3}', [("/name", 'type: "string"')]),
        ({"$schema": PLAIN, **CITY}, '{"name":3}', [("/name", 'type: "string"')]),
        ({"$id": "https://example.com/city", **CITY}, '{"name":"Bern"}', []),
        ({"$defs": {"x": CITY}, "$ref": "#/$defs/x"}, "{}", [("", "'name' is a required property")]),
        ({"type": "string", "format": "date"}, '"no date"', []),
        ({"type": "integer", "multipleOf": 2}, "4.0", []),
        ({"properties": {"pattern": {"type": "string"}, "nullable": {}}}, '{"pattern":"("}', []),
        ({"enum": ["a", "b"]}, '"c"', [("", 'enum: ["a", "b"]')]),
        ({}, "[1,{}]", []),
    ],
)
def test_the_json_of_a_text_is_held_against_the_schema_that_was_sent(schema, text, found):
    assert [(each.at, each.want) for each in held(schema, text)] == found


UNDECIDED = {
    "no schema": {"type": "text"},
    "a pattern": {"properties": {"a": {"pattern": "^(a+)+$"}}},
    "patterns of names": {"patternProperties": {"^(a+)+$": {}}},
    "another document": {"$ref": "https://schemas.example.com/a.json"},
    "a file": {"properties": {"a": {"$ref": "file:///etc/passwd"}}},
    "no such definition": {"$ref": "#/$defs/a"},
    "itself": {"$ref": "#"},
    "another dialect": {"$schema": "http://json-schema.org/draft-04/schema#"},
    "a dialect that is no text": {"$schema": {}},
    "a bad identifier": {"$id": "http://["},
    "a fraction": {"multipleOf": 0.01},
    "OpenAPI's null": {"type": "string", "nullable": True},
    "a long one": {"description": "x" * structured.MAX_SCHEMA},
}


@pytest.mark.parametrize("name", UNDECIDED)
def test_a_schema_that_cannot_be_decided_on_is_not(name):
    assert held(UNDECIDED[name], "{}") is None


def test_nothing_is_fetched(monkeypatch):
    def connect(*_arguments, **_options):
        raise AssertionError("somebody opened a socket")

    monkeypatch.setattr(socket, "socket", connect)
    monkeypatch.setattr(socket, "create_connection", connect)
    inner = {"$id": "https://schemas.example.com/inner", "$ref": "#/$defs/there"}

    assert held({"properties": {"a": inner}}, '{"a":1}') is None


HOSTILE = {
    "unique items": ({"uniqueItems": True}, json.dumps([{"a": number} for number in range(10_000)])),
    "doubling": (
        {"$ref": "#/$defs/d0", "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}},
        "{}",
    ),
    "many values": ({"items": {"type": "integer"}}, json.dumps([1] * 80_000)),
    "a long list of values": (
        {"items": {"enum": [f"v{number}" for number in range(4_000)]}},
        '["x","x","x","x","x","x","x","x","x","x","x","x","x"]',
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_too_much_work_is_given_up_soon(name):
    schema, text = HOSTILE[name]
    start = time.process_time()

    assert held(schema, text) is None
    assert time.process_time() - start < 5


def test_at_most_twenty_violations_are_kept():
    assert len(held({"items": {"type": "string"}}, json.dumps([1] * 100))) == 20


def said(exchange: Exchange, text: str) -> Exchange:
    return rewrite.member(exchange, 0, ("choices", 0, "message", "content"), text)


def test_a_finding_says_where_in_the_json_and_what_the_schema_wants():
    broken = said(GOOD["answer.schema"], '{"city":"Bern","visitors":-3}')
    (failed,) = (verdict for verdict in judge([broken]) if verdict.outcome is Outcome.FAIL)
    (finding,) = failed.findings

    assert (failed.check, finding.at) == ("structured.schema.strict", "/choices/0")
    assert (finding.got, finding.want) == ("/visitors: -3", "minimum: 0")


def test_what_nests_too_deep_is_not_decided_and_breaks_nothing():
    tree = {"type": "object", "properties": {"c": {"type": "array", "items": {"$ref": "#"}}}}
    text = "{}"
    for _ in range(30):
        text = f'{{"c": [{text}]}}'
    deep = {"type": "string"}
    for _ in range(20):
        deep = {"type": "object", "properties": {"a": deep}}

    assert (structured.held(tree, text), structured.held(deep, "{}")) == (None, None)
