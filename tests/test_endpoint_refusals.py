"""The reference endpoint refuses as OpenAI does: by status, with an error object of four keys, naming the parameter."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from chatconform.model import Exchange, InputError
from chatconform.reference.endpoint import Endpoint
from chatconform.reference.refusals import CONTEXT, MAX_BODY, WRONG_KEY
from endpoint_client import KEY, WEATHER, accused, answer_of, exchanged, get, post, said

HI = "Hello"
ROLE = {"model": "m", "messages": [{"role": "pirate", "content": HI}]}
NAMED = {"type": "function", "function": {"name": "other"}}
PART = "messages[0].content[0]"
REFUSED: dict[str, tuple[Any, int, str | None]] = {
    "no JSON": (b'{"messages":[{"role":"user"', 400, None),
    "an array": (b"[]", 400, None),
    "an empty body": (b"", 400, None),
    "a constant that is no JSON": (b'{"model":"m","messages":[],"seed":NaN}', 400, None),
    "half a surrogate": (b'{"model":"\\ud800","messages":[]}', 400, None),
    "deep nesting": (b'{"model":"m","messages":' + b"[" * 99 + b"]" * 99 + b"}", 400, None),
    "no model": ({"messages": said(HI)["messages"]}, 400, "model"),
    "an empty model": (said(HI, model=""), 400, "model"),
    "a model that is a number": (said(HI, model=7), 400, "model"),
    "an unknown model": (said(HI, model="chatconform-no-such-model"), 404, "model"),
    "no messages": ({"model": "m"}, 400, "messages"),
    "empty messages": ({"model": "m", "messages": []}, 400, "messages"),
    "messages that are a string": ({"model": "m", "messages": HI}, 400, "messages"),
    "a message that is a string": ({"model": "m", "messages": [HI]}, 400, "messages[0]"),
    "a message without a role": ({"model": "m", "messages": [{"content": HI}]}, 400, "messages[0].role"),
    "an unknown role": (ROLE, 400, "messages[0].role"),
    "a temperature above its range": (said(HI, temperature=2.1), 400, "temperature"),
    "a temperature below its range": (said(HI, temperature=-0.1), 400, "temperature"),
    "a temperature that is a string": (said(HI, temperature="hot"), 400, "temperature"),
    "a temperature that is true": (said(HI, temperature=True), 400, "temperature"),
    "top_p above its range": (said(HI, top_p=1.5), 400, "top_p"),
    "n of none": (said(HI, n=0), 400, "n"),
    "n with a fraction": (said(HI, n=1.5), 400, "n"),
    "a cap of none": (said(HI, max_tokens=0), 400, "max_tokens"),
    "five stop strings": (said(HI, stop=list("abcde")), 400, "stop"),
    "a stop string that is a number": (said(HI, stop=["a", 1]), 400, "stop[1]"),
    "too many top_logprobs": (said(HI, logprobs=True, top_logprobs=21), 400, "top_logprobs"),
    "an unknown effort": (said(HI, reasoning_effort="utmost"), 400, "reasoning_effort"),
    "an unknown format": (said(HI, response_format={"type": "yaml"}), 400, "response_format.type"),
    "a stream that is a string": (said(HI, stream="yes"), 400, "stream"),
    "an unknown tool_choice": (said(HI, tools=[WEATHER], tool_choice="sometimes"), 400, "tool_choice"),
    "a tool_choice of what is not declared": (said(HI, tools=[WEATHER], tool_choice=NAMED), 400, "tool_choice"),
    "a part of no type": ({"model": "m", "messages": [{"role": "user", "content": [{"text": HI}]}]}, 400, PART),
    "a part that is a string": ({"model": "m", "messages": [{"role": "user", "content": [HI]}]}, 400, PART),
    "a prompt beyond the context window": (said("sea " * (CONTEXT + 1)), 400, "messages"),
}
OF_DOCUMENTS = (
    ("tkhub", said(HI, tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "weather"}})),
    ("tkhub", said(HI, reasoning_effort="minimal")),
    ("tooken", said(HI, budget_limit="much")),
    ("tooken", said(HI, route_strategy={"cost_weight": "much"})),
    ("xmsmartlink", said(HI, tool_choice="sometimes")),
)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Endpoint(key=KEY).running() as base_url:
        yield base_url


def refusal(exchange: Exchange) -> tuple[int, str | None]:
    """Return the status and the param of an error answer, which has to have its four keys."""
    assert exchange.response is not None
    error = answer_of(exchange)["error"]
    assert ["message", "type", "param", "code"] == list(error)
    return exchange.response.status, error["param"]


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_wrong_is_refused_and_named(url: str, name: str) -> None:
    body, status, param = REFUSED[name]
    exchange = post(url, body)
    assert ((status, param), []) == (refusal(exchange), accused(exchange))


@pytest.mark.parametrize("contract, body", OF_DOCUMENTS)
def test_what_a_document_excludes_is_refused_under_it(contract: str, body: Any) -> None:
    with Endpoint(contract).running() as base_url:
        assert 400 == refusal(post(base_url, body))[0]


@pytest.mark.parametrize("key", [None, WRONG_KEY, "another-key-of-a-test-0000"])
def test_a_key_that_is_absent_or_wrong_is_refused_with_a_challenge(url: str, key: str | None) -> None:
    for exchange in (post(url, said(HI), key), get(f"{url}/models", key)):
        assert exchange.response is not None
        challenge = dict(exchange.response.headers or ())["WWW-Authenticate"]
        assert (401, 'Bearer realm="reference"') == (exchange.response.status, challenge)


@pytest.mark.parametrize("key, status", [(None, 401), (WRONG_KEY, 401), ("any-other-key-of-a-test", 200)])
def test_without_a_right_key_any_but_the_wrong_one_is_let_in(key: str | None, status: int) -> None:
    with Endpoint().running() as base_url:
        response = post(base_url, said(HI), key).response
    assert response is not None
    assert status == response.status


@pytest.mark.parametrize(
    "method, path, status, allow",
    [
        ("GET", "/chat/completions", 405, "POST"),
        ("DELETE", "/models", 405, "GET, HEAD"),
        ("POST", "/models", 405, "GET, HEAD"),
        ("POST", "/completions", 404, None),
        ("GET", "", 404, None),
        ("GET", "/models/no-such-model", 404, None),
    ],
)
def test_paths_and_methods_that_are_not_there(url: str, method: str, path: str, status: int, allow: str | None) -> None:
    response = exchanged(method, f"{url}{path}", KEY, b"", {}).response
    assert response is not None
    assert (status, allow) == (response.status, dict(response.headers or ()).get("Allow"))


def test_a_body_that_is_too_long_is_refused(url: str) -> None:
    assert (413, None) == refusal(post(url, b" " * (MAX_BODY + 1)))


def test_a_media_type_other_than_json_is_refused(url: str) -> None:
    assert (415, None) == refusal(post(url, said(HI), Content_Type="text/plain"))


def test_a_model_that_is_given_is_known_and_listed() -> None:
    with Endpoint(models=("unknown-house-1",)).running() as base_url:
        response = post(base_url, said(HI, model="unknown-house-1")).response
        listed = [each["id"] for each in answer_of(get(f"{base_url}/models"))["data"]]
    assert response is not None
    assert (200, ["reference-1", "reference-2", "unknown-house-1"]) == (response.status, listed)


def test_a_parameter_that_no_contract_knows_is_ignored(url: str) -> None:
    response = post(url, said(HI, house_rules=True)).response
    assert response is not None
    assert 200 == response.status


@pytest.mark.parametrize("arguments", [{"contract": "nobody"}, {"faults": ["sse.done.mising"]}])
def test_what_is_not_there_cannot_be_served(arguments: Any) -> None:
    with pytest.raises(InputError):
        Endpoint(**arguments)


def test_a_misspelt_fault_is_answered_with_the_nearest_name() -> None:
    with pytest.raises(InputError) as raised:
        Endpoint(faults=["sse.done.mising"])
    assert raised.value.remedy.startswith("Did you mean sse.done.missing?")
