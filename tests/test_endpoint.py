"""The reference endpoint answers well: whatever is asked, under every contract, no rule is broken."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest

from chatconform.model import Request
from chatconform.reference.endpoint import Endpoint
from chatconform.reference.house import House
from chatconform.reference.received import Received
from chatconform.reference.refusals import Door
from endpoint_client import (
    CLOCK,
    WEATHER,
    accused,
    answer_of,
    chunks_of,
    exchanged,
    get,
    message_of,
    post,
    said,
    text_of,
)

CONTRACTS = ("openai", "tooken", "tkhub", "costrouter", "toapis", "xmsmartlink")
COUNT = "Count from 1 to 40, with commas, and write nothing else."
CITIES = "What is the weather in Zürich and in 東京? Ask the tool for each city."
ECHO = "Repeat exactly: Zürich, Ελλάδα, 東京, नमस्ते, שלום, 👩🏽‍🚀 and “ça va” 100 €"
STREAM = {"stream": True}
USAGE = {"stream": True, "stream_options": {"include_usage": True}}
SCHEMA = {
    "type": "object",
    "properties": {
        "name": {"type": "string"},
        "country": {"enum": ["CH", "JP"]},
        "rivers": {"type": "array", "items": {"type": "string"}, "minItems": 2},
        "place": {"$ref": "#/$defs/place"},
        "kind": {"const": "city"},
    },
    "required": ["name", "country", "rivers", "place", "kind"],
    "additionalProperties": False,
    "$defs": {"place": {"type": "object", "properties": {"north": {"type": "number"}}, "required": ["north"]}},
}
STRICT = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": SCHEMA}}
NAMED = {"type": "function", "function": {"name": "clock"}}
ALLOWED = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": [CLOCK]}}
CALLED = [
    {"role": "user", "content": CITIES},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city":"Zürich"}'}}
        ],
    },
    {"role": "tool", "tool_call_id": "call_1", "content": "snow"},
]
PARTS = [
    {"type": "text", "text": COUNT},
    {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
    {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
]
FUNCTION = WEATHER["function"]
ASKED: dict[str, dict[str, Any]] = {
    "plain": said(COUNT),
    "streamed": said(COUNT, **STREAM),
    "usage": said(COUNT, **USAGE),
    "prose": said("Tell me something.", **STREAM),
    "older cap": said(COUNT, max_tokens=16),
    "newer cap": said(COUNT, max_completion_tokens=16, **STREAM),
    "both caps": said(COUNT, max_tokens=160, max_completion_tokens=16),
    "cap of one": said(COUNT, max_tokens=1),
    "stop": said(COUNT, stop="9"),
    "stops in a stream": said(COUNT, stop=["20", "9"], **STREAM),
    "n": said("Tell me something.", n=3),
    "n in a stream": said("Tell me something.", n=2, **USAGE),
    "auto": said(CITIES, tools=[WEATHER, CLOCK], tool_choice="auto"),
    "auto, streamed": said(CITIES, tools=[WEATHER, CLOCK], **USAGE),
    "auto without need": said("Tell me something.", tools=[WEATHER, CLOCK]),
    "required": said("Tell me something.", tools=[WEATHER], tool_choice="required"),
    "named": said(CITIES, tools=[WEATHER, CLOCK], tool_choice=NAMED),
    "named, streamed": said(CITIES, tools=[WEATHER, CLOCK], tool_choice=NAMED, **STREAM),
    "allowed": said(CITIES, tools=[WEATHER, CLOCK], tool_choice=ALLOWED, **STREAM),
    "none": said(CITIES, tools=[WEATHER], tool_choice="none"),
    "serial": said(CITIES, tools=[WEATHER], parallel_tool_calls=False),
    "no arguments": said("What time is it? Ask the clock.", tools=[CLOCK], **STREAM),
    "cut call": said(CITIES, tools=[WEATHER], tool_choice="required", max_tokens=6),
    "result": {"model": "m", "messages": CALLED, "tools": [WEATHER]},
    "custom tool": said("Draw it.", tools=[{"type": "custom", "custom": {"name": "draw"}}], tool_choice="required"),
    "function": said(CITIES, functions=[FUNCTION], function_call={"name": "get_weather"}),
    "function, streamed": said(CITIES, functions=[FUNCTION], **STREAM),
    "json_object": said("Answer in JSON with the members name and country.", response_format={"type": "json_object"}),
    "json_schema": said("Zürich as JSON.", response_format=STRICT, **STREAM),
    "cut json": said("Zürich as JSON.", response_format=STRICT, max_tokens=5),
    "logprobs": said(COUNT, logprobs=True, top_logprobs=3),
    "logprobs, streamed": said(COUNT, logprobs=True, top_logprobs=0, **STREAM),
    "developer": {"model": "m", "messages": [{"role": "developer", "content": "Be brief."}, *CALLED[:1]]},
    "parts": {"model": "m", "messages": [{"role": "user", "content": PARTS}]},
    "echo": said(ECHO, **STREAM),
    "effort": said(COUNT, reasoning_effort="high", **USAGE),
    "effort within a cap": said(COUNT, reasoning_effort="high", max_completion_tokens=8),
    "speech": said(COUNT, modalities=["text", "audio"], audio={"voice": "alloy", "format": "wav"}),
    "alias": {**said(COUNT), "model": "auto"},
    "alias, streamed": {**said(COUNT, route_strategy={"cost_weight": 0.5}, budget_limit=0), "model": "auto-fast"},
    "nulls": said(COUNT, temperature=None, top_p=None, n=None, stop=None, stream=None, max_tokens=None),
}


@pytest.fixture(scope="module", params=CONTRACTS)
def served(request: pytest.FixtureRequest) -> Iterator[tuple[str, str]]:
    contract = request.param
    with Endpoint(contract).running() as base_url:
        yield contract, base_url


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Endpoint().running() as base_url:
        yield base_url


@pytest.mark.parametrize("name", ASKED)
def test_no_rule_is_broken_under_any_contract(served: tuple[str, str], name: str) -> None:
    contract, base_url = served
    exchange = post(base_url, ASKED[name], X_Trace_ID="trace-1")
    assert [] == accused(exchange, contract)


@pytest.mark.parametrize("name", [name for name in ASKED if name not in ("speech", "effort", "cut json")])
def test_every_request_is_answered_under_openai(url: str, name: str) -> None:
    response = post(url, ASKED[name]).response
    assert response is not None
    assert (200, "application/json" if not ASKED[name].get("stream") else "text/event-stream; charset=utf-8") == (
        response.status,
        dict(response.headers or ())["Content-Type"],
    )


def test_the_list_of_models_breaks_no_rule(served: tuple[str, str]) -> None:
    contract, base_url = served
    assert [] == accused(get(f"{base_url}/models/"), contract)


def test_a_model_is_named_by_its_path(url: str) -> None:
    assert "reference-2" == answer_of(get(f"{url}/models/reference-2"))["id"]


def test_the_text_ends_before_the_first_stop_string(url: str) -> None:
    told = answer_of(post(url, ASKED["stop"]))["choices"][0]
    assert ("1, 2, 3, 4, 5, 6, 7, 8, ", "stop") == (told["message"]["content"], told["finish_reason"])


@pytest.mark.parametrize("name, finish", [("older cap", "length"), ("both caps", "length"), ("plain", "stop")])
def test_finish_reason_is_length_only_where_the_cap_cut(url: str, name: str, finish: str) -> None:
    assert finish == answer_of(post(url, ASKED[name]))["choices"][0]["finish_reason"]


def test_a_text_of_just_as_many_tokens_as_the_cap_is_whole(url: str) -> None:
    length = answer_of(post(url, said(COUNT)))["usage"]["completion_tokens"]
    assert "stop" == answer_of(post(url, said(COUNT, max_tokens=length)))["choices"][0]["finish_reason"]


def test_max_completion_tokens_wins_over_max_tokens(url: str) -> None:
    assert 16 == answer_of(post(url, ASKED["both caps"]))["usage"]["completion_tokens"]


def test_a_stream_begins_with_the_role_and_has_a_chunk_for_each_token(url: str) -> None:
    chunks = chunks_of(post(url, ASKED["usage"]))
    deltas = [chunk["choices"][0]["delta"] for chunk in chunks if chunk["choices"]]
    assert ({"role": "assistant", "content": "", "refusal": None}, {}, []) == (
        deltas[0], deltas[-1], chunks[-1]["choices"],
    )  # fmt: skip
    assert chunks[-1]["usage"]["completion_tokens"] == len(deltas) - 2


def test_a_stream_says_what_the_plain_answer_says(url: str) -> None:
    assert message_of(post(url, said("Tell me.")))["content"] == text_of(post(url, said("Tell me.", **STREAM)))


def test_a_prompt_costs_the_same_streamed_or_not(url: str) -> None:
    plain = answer_of(post(url, said(COUNT)))["usage"]
    assert plain == chunks_of(post(url, said(COUNT, **USAGE)))[-1]["usage"]


def test_a_longer_prompt_costs_more(url: str) -> None:
    short, long = (answer_of(post(url, said(text)))["usage"]["prompt_tokens"] for text in ("Hello", "Hello, you there"))
    assert short < long


def test_what_is_to_be_repeated_comes_back_to_the_letter(url: str) -> None:
    assert ECHO.removeprefix("Repeat exactly: ") == text_of(post(url, ASKED["echo"]))


def test_two_cities_are_two_calls(url: str) -> None:
    calls = message_of(post(url, ASKED["auto"]))["tool_calls"]
    assert [{"city": "Zürich"}, {"city": "東京"}] == [json.loads(call["function"]["arguments"]) for call in calls]


@pytest.mark.parametrize(
    "name, called",
    [
        ("auto without need", []),
        ("required", ["get_weather"]),
        ("named", ["clock"]),
        ("none", []),
        ("serial", ["get_weather"]),
        ("result", []),
    ],
)
def test_tool_choice_decides_what_is_called(url: str, name: str, called: list[str]) -> None:
    calls = message_of(post(url, ASKED[name])).get("tool_calls", [])
    assert called == [call["function"]["name"] for call in calls]


def test_the_result_of_a_tool_is_answered_with_text_about_it(url: str) -> None:
    assert "snow" in message_of(post(url, ASKED["result"]))["content"]


def test_a_call_that_the_cap_cuts_finishes_with_length(url: str) -> None:
    choice = answer_of(post(url, ASKED["cut call"]))["choices"][0]
    assert ("length", '{"cit') == (
        choice["finish_reason"], choice["message"]["tool_calls"][0]["function"]["arguments"][:5],
    )  # fmt: skip


def test_json_has_the_members_that_were_asked_for(url: str) -> None:
    assert {"name", "country"} == set(json.loads(message_of(post(url, ASKED["json_object"]))["content"]))


def test_reasoning_is_counted_in_the_answer(url: str) -> None:
    usage = chunks_of(post(url, ASKED["effort"]))[-1]["usage"]
    plain = chunks_of(post(url, ASKED["usage"]))[-1]["usage"]
    assert (32, plain["completion_tokens"] + 32) == (
        usage["completion_tokens_details"]["reasoning_tokens"], usage["completion_tokens"],
    )  # fmt: skip


def test_reasoning_is_shown_where_the_document_shows_it() -> None:
    with Endpoint("tkhub").running() as base_url:
        assert message_of(post(base_url, said(COUNT, reasoning_effort="low")))["reasoning_content"]


def test_an_alias_is_resolved_to_a_model_and_shown() -> None:
    with Endpoint("tooken").running() as base_url:
        answer = answer_of(post(base_url, ASKED["alias"]))
    assert ("reference-1", "reference-1") == (answer["model"], answer["platform"]["routed_model"])


def test_a_budget_is_kept() -> None:
    with Endpoint("tooken").running() as base_url:
        answer = answer_of(post(base_url, ASKED["alias, streamed"]))
    assert 0 == answer["platform"]["credits_consumed"]


def test_a_trace_id_is_echoed_where_the_document_has_it() -> None:
    with Endpoint("xmsmartlink").running() as base_url:
        response = post(base_url, said(COUNT), X_Trace_ID="trace-7").response
    assert response is not None
    assert "trace-7" == dict(response.headers or ())["X-Trace-ID"]


def test_speech_comes_with_its_text(url: str) -> None:
    message = message_of(post(url, said(COUNT, modalities=["text", "audio"], audio={"voice": "a", "format": "wav"})))
    assert message["content"] == message["audio"]["transcript"]
    assert base64.b64decode(message["audio"]["data"])


def test_the_same_requests_get_the_same_bytes_in_two_runs() -> None:
    def run() -> list[Any]:
        with Endpoint("tooken", clock=lambda: 1_795_176_000.0).running() as base_url:
            answers = (post(base_url, ASKED[name]).response for name in ("plain", "plain", "usage", "auto", "n"))
            return [(each.headers, each.body) for each in answers if each]

    assert run() == run()


def test_equal_requests_get_ids_of_their_own(url: str) -> None:
    assert answer_of(post(url, said(COUNT)))["id"] != answer_of(post(url, said(COUNT)))["id"]


def test_the_reads_of_a_good_answer_are_its_events() -> None:
    received = Received(exchanged_request())
    response = House(Door()).answer(received).response
    assert response is not None
    assert response.body.count(b"\n\n") == len(response.reads or ())


def exchanged_request() -> Request:
    headers = (("Authorization", "Bearer fake-key"), ("Content-Type", "application/json"))
    return Request("POST", "http://127.0.0.1/v1/chat/completions", headers, json.dumps(ASKED["streamed"]).encode())


def test_head_gets_the_header_of_the_list_alone(url: str) -> None:
    response = exchanged("HEAD", f"{url}/models", "fake-key", b"", {}).response
    assert response is not None
    assert (200, b"") == (response.status, response.body)
