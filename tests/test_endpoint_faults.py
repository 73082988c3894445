"""Named faults and misbehaviours at work in the reference endpoint."""

from __future__ import annotations

import base64
import gzip
import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import pytest

from chatconform import judging
from chatconform.model import Exchange, JsonObject, Origin, Outcome, Request
from chatconform.reference import rewrite
from chatconform.reference.endpoint import Endpoint, names
from chatconform.reference.faults import all_faults
from chatconform.reference.fitting import broken, wire_faults
from chatconform.reference.good import GOOD, RECORDED_AT, contract_of
from chatconform.reference.house import House
from chatconform.reference.misbehaviour import all_misbehaviours, misbehaving
from chatconform.reference.received import Received
from chatconform.reference.refusals import CONTEXT, WRONG_KEY, Door
from chatconform.reference.sockets import all_socket_faults
from endpoint_client import CLOCK, KEY, WEATHER, accused, answer_of, message_of, post, said

CITIES = "What is the weather in Zürich and in 東京?"
COUNT = "Count from 1 to 40, with commas."
URL = "http://127.0.0.1/v1"
_NOON = 1_795_176_000.0


def house(contract: str | None = None) -> House:
    return House(Door(contract), lambda: _NOON)


def request(
    body: Any, key: str | None = KEY, method: str = "POST", path: str = "/chat/completions", **named: str
) -> Received:
    headers = [("Content-Type", "application/json"), *((name.replace("_", "-"), each) for name, each in named.items())]
    if key is not None:
        headers.append(("Authorization", f"Bearer {key}"))
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Received(Request(method, URL + path, tuple(headers), content if method == "POST" else None))


def like(good: Exchange) -> Received:
    """Return a request that asks as a good exchange does, and is answered in its shape."""
    if good.id.startswith("models"):
        return request(None, method="GET", path="/models")
    if good.id == "error.malformed":
        return request(b'{"messages":[')
    if good.id == "error":
        return request(said("Hello"), key=None)
    body = good.request.body
    assert isinstance(body, dict)
    trace = {name.replace("-", "_"): value for name, value in good.request.headers if name == "X-Trace-ID"}
    return request({**body, **_telling(good, body)}, **trace)


def _telling(good: Exchange, body: JsonObject) -> JsonObject:
    weather: JsonObject = {**WEATHER["function"], "name": "weather"}  # type: ignore[dict-item]
    wants_calls = b'"tool_calls":[{' in rewrite.body_of(good) or b'"function_call":{' in rewrite.body_of(good)
    asked = CITIES if wants_calls else "Repeat exactly: Zürich, 東京 and Reykjavík 🙂"
    told: JsonObject = {"messages": [{"role": "user", "content": asked}]}
    declared: JsonObject = {"tools": [{"type": "function", "function": weather}], "functions": [weather]}
    if good.id == "stream.long":
        told = {"messages": [{"role": "user", "content": COUNT}]}
    return {**told, **{name: value for name, value in declared.items() if name in body}}


def failures(exchange: Exchange, received: Received, contract: str | None) -> set[str]:
    """Return what an answer is accused of, as the exchange that a run would record."""
    body = received.document.value if received.document.readable else received.raw
    asked = replace(received.request, body=body or None)
    recorded = replace(exchange, request=asked, origin=Origin.LIVE, recorded_at=RECORDED_AT)
    found = judging.judge([recorded], contract)
    return {each.check for each in found if each.outcome in (Outcome.FAIL, Outcome.ERROR)}


OF_LIMITS = {name for name, fault in wire_faults().items() if fault.of == "error.limit"}
ABSENT = {
    "clause:message.annotations.type@openai.chunk.delta",
    "clause:message.audio.type",
    "clause:message.audio.type@openai.chunk.delta",
    "clause:message.function_call.type",
    "clause:stream.obfuscation.type",
}
"""Faults of members and words that the endpoint's answers do not have."""
OTHERWISE = {
    "stream.content.again",
    "structured.content.cut_stream",
    "structured.content.fenced_stream",
    "tools.choice.ignored_stream",
    "usage.cached_tokens.more",
}
"""Faults that write words and counts of the good exchange into an answer that says something else."""


@pytest.mark.parametrize("name", sorted(set(wire_faults()) - OF_LIMITS - ABSENT))
def test_a_named_fault_breaks_an_answer_like_the_one_it_is_of(name: str) -> None:
    fault = wire_faults()[name]
    received, contract = like(GOOD[fault.of]), contract_of(GOOD[fault.of])
    good = house(contract).answer(received)
    bad = broken(fault, received, good)
    stated = {each.rpartition("/")[2] for each in fault.change.fails}
    assert bad != good
    assert name in OTHERWISE or not stated or stated & failures(bad, received, contract)


@pytest.mark.parametrize("name", sorted(OF_LIMITS))
def test_a_fault_of_a_limit_breaks_a_429(name: str) -> None:
    limited = misbehaving(house(), house().answer, all_misbehaviours()["limits.forever"])(request(said(COUNT)))
    assert limited != broken(wire_faults()[name], request(said(COUNT)), limited)


@pytest.mark.parametrize("name", sorted(ABSENT))
def test_an_answer_without_the_place_of_a_fault_stays_good(name: str) -> None:
    received = like(GOOD[wire_faults()[name].of])
    good = house().answer(received)
    assert good == broken(wire_faults()[name], received, good)


def test_a_fault_of_a_stream_leaves_an_answer_in_one_piece_alone() -> None:
    received = request(said(COUNT))
    good = house().answer(received)
    assert good == broken(wire_faults()["sse.done.missing"], received, good)


def test_what_is_wrong_with_a_recording_is_no_fault_of_an_endpoint() -> None:
    gone = set(all_faults()) - set(names())
    assert {"recorder.request.missing", "http.status.over_budget", "sse.delivery.burst"} < gone


def test_every_fault_has_a_name_of_its_own_and_a_sentence() -> None:
    kinds = (wire_faults(), all_misbehaviours(), all_socket_faults())
    assert sum(map(len, kinds)) == len(names())
    assert all(says.endswith(".") for says in names().values())


def test_several_faults_are_at_work_at_once() -> None:
    with Endpoint(faults=["sse.done.missing", "http.media_type.json_stream", "n.ignored"]).running() as base_url:
        found = accused(post(base_url, said(COUNT, stream=True, n=2)))
    assert {"openai/sse.done.present", "openai/http.media_type.event_stream", "openai/choices.count.n"} <= set(found)


def test_the_ids_of_calls_stay_the_endpoints_own_after_a_fault() -> None:
    received = request(said(CITIES, tools=[WEATHER]))
    bad = broken(wire_faults()["tools.name.undeclared"], received, house().answer(received))
    assert message_of(house().answer(received))["tool_calls"][1]["id"] == message_of(bad)["tool_calls"][1]["id"]


TOOLS: dict[str, Any] = {"tools": [WEATHER, CLOCK]}
NAMED: JsonObject = {"type": "function", "function": {"name": "clock"}}
WRONG = request(said(COUNT), key=WRONG_KEY)
UNKNOWN = request(said(COUNT, model="no-such-model"))
LONG = request(said("sea " * (CONTEXT + 1)))
OUTSIDE = request(said(COUNT, temperature=3))
WRONG_TYPE = request(said(COUNT, temperature="hot"))
RESULT = request({"model": "m", "messages": [{"role": "tool", "content": "snow", "tool_call_id": "1"}]})
PARTS = request({"model": "m", "messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}]}]})
THOUGHT = request({"model": "m", "messages": [{"role": "assistant", "content": "a", "reasoning_content": "b"}]})
FORMAT: dict[str, Any] = {"response_format": {"type": "json_object"}}
STATUSES: dict[str, tuple[Received, int]] = {
    "auth.missing.accepted": (request(said(COUNT), key=None), 200),
    "auth.models.open": (request(None, None, "GET", "/models"), 200),
    "auth.wrong.accepted": (WRONG, 200),
    "auth.wrong.forbidden": (WRONG, 403),
    "auth.wrong.not_found": (WRONG, 404),
    "auth.wrong.error": (WRONG, 500),
    "echo.error": (request(said(COUNT)), 400),
    "models.unknown.accepted": (UNKNOWN, 200),
    "models.unknown.replaced": (UNKNOWN, 200),
    "models.unknown.outage": (UNKNOWN, 503),
    "models.slash.missing": (request(None, method="GET", path="/models/"), 404),
    "models.slash.error": (request(None, method="GET", path="/models/"), 500),
    "body.malformed.error": (request(b"{"), 500),
    "body.malformed.accepted": (request(b"{"), 200),
    "messages.missing.accepted": (request({"model": "m"}), 200),
    "messages.missing.error": (request({"model": "m", "messages": []}), 500),
    "model.missing.accepted": (request({"messages": [{"role": "user", "content": "Hello"}]}), 200),
    "methods.get.error": (request(None, method="GET"), 500),
    "methods.get.answered": (request(None, method="GET"), 200),
    "context.length.error": (LONG, 500),
    "context.length.accepted": (LONG, 200),
    "parameters.standard.refused": (request(said(COUNT, user="u")), 422),
    "parameters.max_completion_tokens.refused": (request(said(COUNT, max_completion_tokens=9)), 422),
    "parameters.parallel_tool_calls.refused": (request(said(COUNT, parallel_tool_calls=True)), 422),
    "parameters.logprobs.refused": (request(said(COUNT, logprobs=True)), 400),
    "parameters.response_format.refused": (request(said(COUNT, response_format={"type": "text"})), 400),
    "roles.developer.refused": (request({"model": "m", "messages": [{"role": "developer", "content": "a"}]}), 400),
    "content.parts.refused": (PARTS, 400),
    "tools.result.refused": (RESULT, 400),
    "messages.reasoning.refused": (THOUGHT, 400),
    "ranges.ends.refused": (request(said(COUNT, temperature=2)), 400),
    "ranges.ends.error": (request(said(COUNT, temperature=2)), 500),
    "ranges.outside.accepted": (OUTSIDE, 200),
    "ranges.outside.error": (OUTSIDE, 500),
    "types.wrong.accepted": (WRONG_TYPE, 200),
    "types.wrong.error": (WRONG_TYPE, 500),
    "trace_id.refused": (request(said(COUNT), X_Trace_ID="t"), 400),
    "limits.once": (request(said(COUNT)), 429),
    "limits.twice": (replace(request(said(COUNT)), seen=1), 429),
    "limits.forever": (replace(request(said(COUNT)), seen=9), 429),
    "limits.quota": (request(said(COUNT)), 429),
    "outage.once": (request(said(COUNT)), 503),
    "outage.forever": (replace(request(said(COUNT)), seen=9), 503),
    "redirect.permanent": (request(said(COUNT)), 301),
    "redirect.temporary": (request(said(COUNT)), 307),
    "echo.location": (request(said(COUNT)), 307),
}
RULES: dict[str, tuple[Received, str]] = {
    "stop.ignored": (request(said(COUNT, stop="9")), "parameters.stop.absent"),
    "stop.kept": (request(said(COUNT, stop="9")), "parameters.stop.absent"),
    "n.ignored": (request(said(COUNT, n=2)), "choices.count.n"),
    "cap.ignored": (request(said(COUNT, max_tokens=9)), "parameters.cap.kept"),
    "cap.newer_ignored": (request(said(COUNT, max_completion_tokens=9)), "parameters.cap.kept"),
    "format.ignored": (request(said(COUNT, **FORMAT)), "structured.content.json"),
    "logprobs.ignored": (request(said(COUNT, logprobs=True)), "logprobs.content.present"),
    "include_usage.ignored": (
        request(said(COUNT, stream=True, stream_options={"include_usage": True})),
        "usage.stream.requested",
    ),
    "stream.ignored": (request(said(COUNT, stream=True)), "sse.stream.events"),
    "tool_choice.required_ignored": (request(said(COUNT, tool_choice="required", **TOOLS)), "tools.choice.required"),
    "tool_choice.named_ignored": (request(said(COUNT, tool_choice=NAMED, **TOOLS)), "tools.choice.named"),
    "tool_choice.none_ignored": (request(said(COUNT, tool_choice="none", **TOOLS)), "tools.choice.none"),
    "tool_choice.other": (
        request(said(CITIES, tool_choice={**NAMED, "function": {"name": "get_weather"}}, **TOOLS)),
        "tools.choice.named",
    ),
    "tool_choice.parallel": (request(said(CITIES, parallel_tool_calls=False, **TOOLS)), "tools.calls.single"),
    "tools.stream.dropped": (
        request(said(CITIES, stream=True, tool_choice="required", **TOOLS)),
        "tools.choice.required",
    ),
    "tools.id.equal": (request(said(CITIES, **TOOLS)), "tools.id.unique"),
    "usage.cached.more": (request(said(COUNT)), "usage.cached_tokens.bounded"),
    "text.characters.replaced": (request(said("Repeat exactly: Zürich")), "message.content.characters"),
    "models.slash.page": (request(None, method="GET", path="/models/"), "json.body.valid"),
    "models.header.other": (request(None, method="GET", path="/models", X_Api_Key="k"), "models.object.present"),
}


def misbehaved(name: str, received: Received) -> Exchange:
    return misbehaving(house(), house().answer, all_misbehaviours()[name])(received)


@pytest.mark.parametrize("name", STATUSES)
def test_a_misbehaviour_answers_with_its_status(name: str) -> None:
    received, status = STATUSES[name]
    assert status == rewrite.response_of(misbehaved(name, received)).status


@pytest.mark.parametrize("name", RULES)
def test_a_misbehaviour_breaks_its_rule(name: str) -> None:
    received, rule = RULES[name]
    assert rule in failures(misbehaved(name, received), received, None)


@pytest.mark.parametrize("name", sorted({*STATUSES, *RULES}))
def test_a_misbehaviour_leaves_other_requests_alone(name: str) -> None:
    always = ("limits.", "outage.", "redirect.", "echo.", "usage.", "text.", "stop.kept")
    received = request(said("Hello"))
    assert name.startswith(always) or house().answer(received) == misbehaved(name, received)


CHANGES_ERRORS = ("auth.", "limits.", "outage.", "redirect.", "echo.")


@pytest.mark.parametrize("name", [name for name in all_misbehaviours() if not name.startswith(CHANGES_ERRORS)])
@pytest.mark.parametrize("streamed", [True, False])
def test_a_misbehaviour_leaves_a_refusal_for_want_of_a_key_alone(name: str, streamed: bool) -> None:
    received = request(said(CITIES, stream=streamed, **TOOLS), key=None)
    answers = (rewrite.response_of(each) for each in (house().answer(received), misbehaved(name, received)))
    assert 1 == len({(each.status, each.body) for each in answers})


@pytest.mark.parametrize("first", ["redirect.temporary", "echo.gzip", "stream.ignored", "limits.forever"])
@pytest.mark.parametrize("second", all_misbehaviours())
def test_two_misbehaviours_answer_together(first: str, second: str) -> None:
    inner = misbehaving(house(), house().answer, all_misbehaviours()[first])
    both = misbehaving(house(), inner, all_misbehaviours()[second])
    assert both(request(said(CITIES, stream=True, **TOOLS))).response


@pytest.mark.parametrize("name", ["limits.once", "outage.once", "limits.twice"])
def test_a_request_that_comes_again_is_answered(name: str) -> None:
    assert 200 == rewrite.response_of(misbehaved(name, replace(request(said(COUNT)), seen=2))).status


def counted(exchange: Exchange) -> Any:
    return rewrite.messages(exchange)[-1]["usage"]


def test_usage_of_a_stream_differs_from_the_plain_answer() -> None:
    streamed = request(said(COUNT, stream=True, stream_options={"include_usage": True}))
    plain, stream = (counted(misbehaved("usage.stream.differs", each)) for each in (request(said(COUNT)), streamed))
    assert plain["prompt_tokens"] < stream["prompt_tokens"]


@pytest.mark.parametrize(
    "name, member", [("usage.prompt.constant", "prompt_tokens"), ("usage.completion.constant", "completion_tokens")]
)
def test_usage_is_constant(name: str, member: str) -> None:
    short, long = (misbehaved(name, request(said(text))) for text in ("Hello", COUNT))
    assert counted(short)[member] == counted(long)[member]


def test_usage_of_the_same_prompt_grows() -> None:
    first, second = (misbehaved("usage.prompt.random", replace(request(said(COUNT)), seen=seen)) for seen in (0, 1))
    assert counted(first)["prompt_tokens"] < counted(second)["prompt_tokens"]


def test_every_answer_has_the_same_id() -> None:
    first, second = (answer_of(misbehaved("id.constant", request(said(text)))) for text in ("Hello", COUNT))
    assert first["id"] == second["id"]


def test_the_first_call_of_every_answer_has_the_same_id() -> None:
    answers = (misbehaved("tools.id.constant", request(said(text, **TOOLS))) for text in (CITIES, f"Now! {CITIES}"))
    assert ["call_0", "call_0"] == [message_of(each)["tool_calls"][0]["id"] for each in answers]


def finishes(exchange: Exchange) -> list[Any]:
    return [each["choices"][0]["finish_reason"] for each in rewrite.messages(exchange) if each["choices"]][-1:]  # type: ignore[index,call-overload]


def test_a_stream_finishes_otherwise_than_the_plain_answer() -> None:
    asked = (said(COUNT, max_tokens=9), said(COUNT, max_tokens=9, stream=True))
    plain, stream = (misbehaved("finish.stream.differs", request(each)) for each in asked)
    assert (["length"], ["stop"]) == (finishes(plain), finishes(stream))


def test_a_cut_text_is_said_to_have_stopped() -> None:
    assert ["stop"] == finishes(misbehaved("cap.silent", request(said(COUNT, max_tokens=9))))


def test_a_schema_is_not_kept() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
    wanted = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    received = request(said("Zürich as JSON.", response_format=wanted))
    assert "structured.schema.strict" in failures(misbehaved("format.schema_ignored", received), received, None)


def test_a_text_with_stop_strings_ends_too_early() -> None:
    assert "1," == message_of(misbehaved("stop.early", request(said(COUNT, stop="9"))))["content"]


def test_a_stream_names_another_model() -> None:
    assert (
        "reference-2"
        == rewrite.messages(misbehaved("model.stream.differs", request(said(COUNT, stream=True))))[0]["model"]
    )


def test_a_refusal_is_a_page_of_markup() -> None:
    assert rewrite.body_of(misbehaved("ranges.outside.unreadable", OUTSIDE)).startswith(b"<h1>")


@pytest.mark.parametrize("name", ["models.list.constant", "models.list.other"])
def test_a_list_of_models_is_another(name: str) -> None:
    received = request(None, method="GET", path="/models")
    assert rewrite.body_of(house().answer(received)) != rewrite.body_of(misbehaved(name, received))


def test_a_401_has_no_challenge() -> None:
    headers = rewrite.response_of(misbehaved("auth.challenge.missing", request(said(COUNT), key=None))).headers
    assert "WWW-Authenticate" not in dict(headers or ())


def spellings(key: str) -> dict[str, tuple[str, str]]:
    """Return for each echo the place where the key is looked for, and how it is spelt there."""
    return {
        "echo.text": ("body", key),
        "echo.error": ("body", key),
        "echo.model": ("body", f'"model":"{key}"'),
        "echo.base64": ("body", base64.b64encode(key.encode()).decode()),
        "echo.base64_inside": ("body", base64.b64encode(f"u:{key}".encode()).decode()),
        "echo.hex": ("body", key.encode().hex()),
        "echo.url": ("body", quote(key, safe="")),
        "echo.percent": ("body", "".join(f"%{byte:02X}" for byte in key.encode())),
        "echo.escaped": ("body", "".join(f"\\u{ord(each):04x}" for each in key)),
        "echo.gzip": ("gzip", key),
        "echo.header": ("X-Key", key),
        "echo.cookie": ("Set-Cookie", key),
        "echo.location": ("Location", quote(key, safe="")),
    }


@pytest.mark.parametrize("name", spellings(KEY))
def test_the_key_is_echoed_in_its_place(name: str) -> None:
    key = "fake/key+of a-test=0000"
    place, spelt = spellings(key)[name]
    with Endpoint(faults=[name]).running() as base_url:
        response = post(base_url, said(COUNT), key).response
    assert response is not None
    body = gzip.decompress(response.body) if place == "gzip" else response.body
    assert spelt in (body.decode() if place in ("body", "gzip") else dict(response.headers or ())[place])


@pytest.mark.parametrize("streamed", [True, False])
def test_the_key_is_echoed_in_the_arguments_of_a_call(streamed: bool) -> None:
    received = request(said(CITIES, stream=streamed, **TOOLS))
    assert f'{{\\"city\\": \\"{KEY}\\"}}' in rewrite.body_of(misbehaved("echo.arguments", received)).decode()


def test_the_key_is_split_over_two_events() -> None:
    exchange = misbehaved("echo.split", request(said(COUNT, stream=True)))
    texts = [each["choices"][0]["delta"].get("content") or "" for each in rewrite.messages(exchange)]  # type: ignore[index,call-overload]
    assert (True, False) == (KEY in "".join(map(str, texts)), KEY in rewrite.body_of(exchange).decode())


TRIED_BY_NAME = {
    "auth.challenge.missing",
    "cap.silent",
    "echo.arguments",
    "echo.split",
    "finish.stream.differs",
    "format.schema_ignored",
    "id.constant",
    "model.stream.differs",
    "models.list.constant",
    "models.list.other",
    "ranges.outside.unreadable",
    "stop.early",
    "tools.id.constant",
    "usage.completion.constant",
    "usage.prompt.constant",
    "usage.prompt.random",
    "usage.stream.differs",
}


def test_every_misbehaviour_is_tried_here() -> None:
    assert set(all_misbehaviours()) - {*STATUSES, *RULES, *spellings(KEY)} == TRIED_BY_NAME
