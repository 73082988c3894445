"""Faults of structured output: the answer is no JSON, or not the JSON that its schema describes."""

from __future__ import annotations

import json

from chatconform.model import Exchange, JsonObject, JsonValue
from chatconform.reference import rewrite
from chatconform.reference.faults.fault import fault
from chatconform.reference.rewrite import Path
from chatconform.wire import structured

_CONTENT: Path = ("choices", 0, "message", "content")
_DELTA: Path = ("choices", 0, "delta", "content")


def _said(exchange: Exchange, text: str) -> Exchange:
    return rewrite.member(exchange, 0, _CONTENT, text)


def _streamed(exchange: Exchange, first: str, last: str) -> Exchange:
    """Replace the first and the last piece of the text of a stream."""
    return rewrite.member(rewrite.member(exchange, 1, _DELTA, first), 3, _DELTA, last)


def _sent(exchange: Exchange, schema: JsonObject) -> Exchange:
    """Replace the schema that was sent."""
    body = exchange.request.body
    changed = rewrite.put(body if isinstance(body, dict) else {}, ("response_format", "json_schema", "schema"), schema)
    assert isinstance(changed, dict)
    return rewrite.asked(exchange, response_format=changed["response_format"])


@fault(
    "structured.content.fenced",
    of="answer.json",
    fails=("structured.content.unfenced",),
    unproven={"structured.content.unfenced": ("structured.content.json",)},
)
def fenced(exchange: Exchange) -> Exchange:
    """The JSON that was asked for stands in a Markdown fence."""
    return _said(exchange, '```json\n{"city": "Zürich"}\n```')


@fault(
    "structured.content.fenced_stream",
    of="stream.schema",
    fails=("structured.content.unfenced",),
    unproven={"structured.content.unfenced": ("structured.content.json", "structured.schema.followed")},
)
def fenced_stream(exchange: Exchange) -> Exchange:
    """The JSON of a stream stands in a Markdown fence without a language."""
    return _streamed(exchange, '```\n{"city":', '"visitors":3}\n```\n')


@fault("structured.content.prose", of="answer.json", fails=("structured.content.json",))
def prose(exchange: Exchange) -> Exchange:
    """A request for a JSON object is answered in prose."""
    return _said(exchange, "The city is Zürich.")


@fault(
    "structured.content.introduced",
    of="answer.schema",
    fails=("structured.content.json",),
    unproven={"structured.content.json": ("structured.schema.strict",)},
)
def introduced(exchange: Exchange) -> Exchange:
    """A sentence stands before the JSON."""
    return _said(exchange, 'Here it is: {"city":"Zürich","visitors":3}')


@fault("structured.content.array", of="answer.json", fails=("structured.content.json",))
def array(exchange: Exchange) -> Exchange:
    """A request for a JSON object is answered by an array."""
    return _said(exchange, '["Zürich"]')


@fault("structured.content.nan", of="answer.json", fails=("structured.content.json",))
def not_a_number(exchange: Exchange) -> Exchange:
    """A number of the object is NaN, which is no JSON."""
    return _said(exchange, '{"visitors":NaN}')


@fault(
    "structured.content.cut",
    of="answer.schema",
    fails=("structured.content.whole",),
    unproven={"structured.content.whole": ("structured.content.json", "structured.schema.strict")},
)
def cut(exchange: Exchange) -> Exchange:
    """The JSON ends within a string, and finish_reason is stop."""
    return _said(exchange, '{"city":"Zür')


@fault(
    "structured.content.cut_stream",
    of="stream.schema",
    fails=("structured.content.whole",),
    unproven={"structured.content.whole": ("structured.content.json", "structured.schema.followed")},
)
def cut_stream(exchange: Exchange) -> Exchange:
    """The JSON of a stream lacks its last brace, and finish_reason is stop."""
    return _streamed(exchange, '{"city":', '"visitors":3')


@fault(
    "structured.content.beyond",
    of="answer.schema",
    unproven={
        "budget": ("structured.content.unfenced", "structured.content.whole"),
        "structured.content.unfenced": ("structured.content.json", "structured.schema.strict"),
    },
)
def beyond(exchange: Exchange) -> Exchange:
    """The JSON is longer than the suite reads, which proves nothing."""
    return _said(exchange, json.dumps({"city": "Z" * structured.MAX_TEXT, "visitors": 3}))


@fault(
    "structured.content.deep",
    of="answer.schema",
    unproven={"budget": ("structured.content.json",), "structured.content.json": ("structured.schema.strict",)},
)
def deep(exchange: Exchange) -> Exchange:
    """The JSON is nested deeper than the suite reads, which proves nothing."""
    return _said(exchange, "[" * 70 + "]" * 70)


@fault("structured.schema.extra", of="answer.schema", fails=("structured.schema.strict",))
def extra(exchange: Exchange) -> Exchange:
    """The JSON has a member that its strict schema excludes."""
    return _said(exchange, '{"city":"Zürich","visitors":3,"country":"CH"}')


@fault("structured.schema.lacking", of="stream.schema", fails=("structured.schema.followed",))
def lacking(exchange: Exchange) -> Exchange:
    """The JSON of a stream lacks a member that its schema requires."""
    return rewrite.member(_streamed(exchange, '{"city":', "}"), 2, _DELTA, '"Zürich"')


@fault("structured.schema.negative", of="answer.schema", fails=("structured.schema.strict",))
def negative(exchange: Exchange) -> Exchange:
    """A number of the JSON is below the minimum of its schema."""
    return _said(exchange, '{"city":"Zürich","visitors":-1}')


_UNDECIDED = {"nothing-to-examine": ("structured.schema.strict",)}


@fault("structured.schema.pattern", of="answer.schema", unproven=_UNDECIDED)
def pattern(exchange: Exchange) -> Exchange:
    """The schema that was sent has a pattern, whose work has no bound."""
    member: JsonValue = {"type": "string", "pattern": "^(a+)+$"}
    return _sent(exchange, {"type": "object", "properties": {"city": member}})


@fault("structured.schema.elsewhere", of="answer.schema", unproven=_UNDECIDED)
def elsewhere(exchange: Exchange) -> Exchange:
    """The schema that was sent refers to another document, which is not fetched."""
    return _sent(exchange, {"$ref": "https://schemas.example.com/city.json"})


@fault("structured.schema.dangling", of="answer.schema", unproven=_UNDECIDED)
def dangling(exchange: Exchange) -> Exchange:
    """The schema that was sent refers to a definition that it does not have."""
    return _sent(exchange, {"$ref": "#/$defs/city"})


@fault("structured.schema.endless", of="answer.schema", unproven=_UNDECIDED)
def endless(exchange: Exchange) -> Exchange:
    """The schema that was sent refers to itself without end."""
    return _sent(exchange, {"anyOf": [{"$ref": "#"}, {"type": "object"}]})


@fault("structured.schema.doubling", of="answer.schema", unproven=_UNDECIDED)
def doubling(exchange: Exchange) -> Exchange:
    """The schema that was sent doubles the work with each of its thirty definitions."""
    steps: JsonObject = {
        f"d{number}": {"allOf": [{"$ref": f"#/$defs/d{number + 1}"}, {"$ref": f"#/$defs/d{number + 1}"}]}
        for number in range(30)
    }
    return _sent(exchange, {"$ref": "#/$defs/d0", "$defs": {**steps, "d30": {"type": "object"}}})


@fault("structured.schema.invalid", of="answer.schema", unproven=_UNDECIDED)
def invalid(exchange: Exchange) -> Exchange:
    """What was sent is no JSON Schema."""
    return _sent(exchange, {"type": "text"})
