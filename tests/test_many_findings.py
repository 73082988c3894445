"""What is wrong a thousand times over is counted whole and told in twenty findings; it ends, where it once hung."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatconform import judge
from chatconform.model import Exchange, JsonObject, JsonValue, Verdict
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD

TIMES = 1_000


def models() -> Exchange:
    row: JsonObject = {"id": "reference-1", "object": "model", "created": 1_795_176_000, "owned_by": "reference"}
    return rewrite.with_body(GOOD["models"], rewrite.as_json({"object": "list", "data": [row] * (TIMES + 1)}))


def blocks() -> Exchange:
    return rewrite.inserted(GOOD["stream"], 1, *[b"id: 1"] * TIMES)


def ids() -> Exchange:
    first, second, *others = rewrite.messages(GOOD["stream"])
    more = [{**second, "id": f"chatcmpl-{number}"} for number in range(TIMES)]
    return rewrite.with_messages(GOOD["stream"], [first, *more, *({**each, "id": first["id"]} for each in others)])


def undeclared() -> Exchange:
    tools: list[JsonValue] = [{"type": "function", "function": {"name": f"tool_{number}"}} for number in range(TIMES)]
    function: JsonObject = {"name": "weather", "arguments": "{}"}
    calls: list[JsonValue] = [
        {"id": f"call_{number}", "type": "function", "function": function} for number in range(TIMES)
    ]
    told = rewrite.member(GOOD["answer.tools"], 0, ("choices", 0, "message", "tool_calls"), calls)
    return rewrite.asked(told, tools=tools)


def names() -> Exchange:
    twice = b",".join(b'"x_%d":1,"x_%d":2' % (number, number) for number in range(TIMES))
    good = GOOD["answer"]
    return rewrite.with_body(good, b"{" + twice + b"," + rewrite.body_of(good).lstrip(b"{"))


CASES = {
    "models.id.unique": models,
    "sse.block.data": blocks,
    "stream.id.constant": ids,
    "tools.name.declared": undeclared,
    "json.keys.unique": names,
}


def verdict_on(exchange: Exchange, check: str) -> Verdict:
    return next(each for each in judge([replace(exchange, provider="reference")]) if each.check == check)


@pytest.mark.parametrize("check", CASES)
def test_many_findings_are_counted_and_twenty_are_told(check: str) -> None:
    verdict = verdict_on(CASES[check](), check)

    assert (TIMES, 20) == (verdict.found, len(verdict.findings))
