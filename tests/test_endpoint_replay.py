"""The reference endpoint answers out of a recording."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from chatconform.model import Exchange, Headers, Origin, Request, Response
from chatconform.reference import delivery as deliveries
from chatconform.reference.endpoint import Endpoint
from chatconform.reference.good import GOOD
from chatconform.reference.refusals import WRONG_KEY
from chatconform.reference.replaying import BETWEEN_S
from endpoint_client import KEY, bare, get, post, said, told

JSON: Headers = (("content-TYPE", "application/json"), ("X-House", "blue"))
STREAM: Headers = (("Content-Type", "text/event-stream"), ("transfer-encoding", "chunked"))


def recorded(
    body: Any, answer: bytes, headers: Headers = JSON, key: str | None = None, end: str = "complete", **members: Any
) -> Exchange:
    authorized: Headers = () if key is None else (("Authorization", f"Bearer {key}"),)
    request = Request("POST", "https://house.example/api/v1/chat/completions", authorized, body)
    response = Response(200, headers, answer, "1.1", 1, members.get("reads"))
    return Exchange(answer.decode(), "house", request, response, origin=Origin.LIVE, end=end)


def replayed(exchanges: Sequence[Exchange], *bodies: Any, key: str | None = KEY) -> list[bytes]:
    """Return the bodies that requests get."""
    with Endpoint(replay=exchanges).running() as base_url:
        answers = [post(base_url, body, key).response for body in bodies]
    return [each.body for each in answers if each]


def test_the_equal_request_gets_its_recorded_answer() -> None:
    recording = [recorded(said("a"), b"one"), recorded(said("b"), b"two")]
    assert [b"two", b"one"] == replayed(recording, said("b"), said("a"))


def test_the_order_of_members_does_not_matter() -> None:
    body = said("a", temperature=1)
    recording = [recorded(said("b", temperature=1), b"other"), recorded(dict(reversed(body.items())), b"one")]
    assert [b"one"] == replayed(recording, body)


def test_one_and_true_are_not_equal() -> None:
    recording = [recorded(said("a", logprobs=1), b"number"), recorded(said("a", logprobs=True), b"true")]
    assert [b"true"] == replayed(recording, said("a", logprobs=True))


def test_samples_of_one_request_come_in_turn() -> None:
    recording = [recorded(said("a"), b"one"), recorded(said("a"), b"two")]
    assert [b"one", b"two", b"one"] == replayed(recording, said("a"), said("a"), said("a"))


def test_a_request_that_was_not_recorded_gets_the_answer_of_one_like_it() -> None:
    recording = [recorded(said("a", stream=True), b"stream", STREAM), recorded(said("a"), b"plain")]
    assert [b"plain", b"stream"] == replayed(recording, said("new"), said("new", stream=True))


def test_a_request_like_none_gets_a_404() -> None:
    with Endpoint(replay=[recorded(said("a"), b"one")]).running() as base_url:
        response = get(f"{base_url}/models").response
    assert response is not None
    assert 404 == response.status


@pytest.mark.parametrize("key, body", [(KEY, b"right"), (WRONG_KEY, b"wrong"), (None, b"absent")])
def test_keys_are_told_apart_where_the_recording_does(key: str | None, body: bytes) -> None:
    keys = (("****", b"right"), (WRONG_KEY, b"wrong"), (None, b"absent"))
    assert [body] == replayed([recorded(said("a"), text, key=each) for each, text in keys], said("a"), key=key)


def test_a_malformed_body_gets_what_it_got() -> None:
    recording = [recorded(said("a"), b"one"), recorded(b'{"messages":[', b"malformed")]
    assert [b"malformed"] == replayed(recording, b'{"messages":[')


def test_the_case_of_header_fields_is_kept() -> None:
    with Endpoint(replay=[recorded(said("a"), b"{}")]).running() as base_url:
        wire = told(base_url, bare(said("a")))
    assert b"\r\ncontent-TYPE: application/json\r\nX-House: blue\r\n" in wire


def test_chunks_end_where_the_recorded_reads_do() -> None:
    exchange = recorded(said("a", stream=True), b"data: 1\n\ndata: 2\n\n", STREAM, reads=((1, 4), (2, 10), (3, 4)))
    with Endpoint(replay=[exchange]).running() as base_url:
        wire = told(base_url, bare(said("a", stream=True)))
    assert wire.endswith(b"\r\n\r\n4\r\ndata\r\na\r\n: 1\n\ndata:\r\n4\r\n 2\n\n\r\n0\r\n\r\n")


def test_there_is_a_pause_between_recorded_reads() -> None:
    assert BETWEEN_S > 0.001


def test_a_recorded_end_is_repeated() -> None:
    with Endpoint(replay=[recorded(said("a"), b"{}", end="truncated")]).running() as base_url:
        assert told(base_url, bare(said("a"))).endswith(b"2\r\n{}\r\n")


def test_a_request_that_nobody_answered_is_not_answered() -> None:
    silent = replace(recorded(said("a"), b""), response=None, end="timeout")
    with Endpoint(replay=[silent]).running() as base_url:
        assert b"" == told(base_url, bare(said("a")))


def test_what_a_budget_left_out_is_passed_over() -> None:
    unsent = replace(recorded(said("a"), b"one"), response=None, end="limit:requests")
    assert [b"two"] == replayed([unsent, recorded(said("a"), b"two")], said("a"))


@pytest.mark.parametrize("name", ["stream.usage", "answer.gzip", "error.limit"])
def test_a_good_exchange_comes_back_byte_by_byte(name: str) -> None:
    good = GOOD[name]
    assert good.response is not None
    with Endpoint(replay=[good]).running() as base_url:
        response = post(base_url, good.request.body).response
    assert response is not None
    assert (good.response.status, good.response.body) == (response.status, response.body)


def test_a_status_without_a_body_has_none() -> None:
    assert [b"HTTP/1.1 204 No Content\r\n\r\n"] == [
        piece for _, piece in deliveries.of(replace(recorded({}, b"x"), response=Response(204, (), b"x"))).writes()
    ]


def test_an_answer_is_had_by_its_number_whatever_is_asked() -> None:
    endpoint = Endpoint(numbered=[recorded(said("a"), b"zero"), recorded(said("b"), b"one")])
    with endpoint.running() as base_url:
        answers = [post(f"{base_url}/{number}", said("c")).response for number in (1, 2, "x")]
    assert [(200, b"one"), 404, 404] == [
        (each.status, each.body) if each.status == 200 else each.status for each in answers if each
    ]
    assert frozenset({1}) == endpoint.asked
