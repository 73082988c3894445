"""What one answer shows of its request: caps, stops, log probabilities, times and limits, at their very edges."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatconform.judging import judge
from chatconform.model import Exchange, JsonObject, Outcome
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.wire import transcript

ANSWER, SCHEMA, LONG, LIMIT = (GOOD[name] for name in ("answer", "answer.schema", "stream.long", "error.limit"))


def outcome(exchange: Exchange, check: str) -> Outcome | None:
    found = {verdict.check: verdict.outcome for verdict in judge([exchange])}
    return found.get(check)


def used(exchange: Exchange, completion: int, reasoning: int | None = None) -> Exchange:
    details: JsonObject = {} if reasoning is None else {"completion_tokens_details": {"reasoning_tokens": reasoning}}
    usage: JsonObject = {
        "prompt_tokens": 12, "completion_tokens": completion, "total_tokens": 12 + completion, **details,
    }  # fmt: skip
    return rewrite.member(exchange, 0, ("usage",), usage)


@pytest.mark.parametrize(
    "asked, completion, reasoning, expected",
    [
        ({"max_tokens": 10}, 10, None, Outcome.PASS),
        ({"max_tokens": 10}, 11, None, Outcome.PASS),
        ({"max_tokens": 10}, 12, None, Outcome.FAIL),
        ({"max_completion_tokens": 10}, 12, None, Outcome.FAIL),
        ({"max_tokens": 10}, 50, 40, Outcome.PASS),
        ({"max_tokens": 10}, 52, 40, Outcome.FAIL),
        ({"max_tokens": 10, "n": 2}, 22, None, Outcome.PASS),
        ({"max_tokens": 10, "n": 2}, 23, None, Outcome.FAIL),
        ({"max_tokens": 10, "max_completion_tokens": 5}, 50, None, None),
        ({"max_tokens": None}, 50, None, None),
        ({"max_tokens": 0}, 50, None, None),
        ({}, 50, None, None),
    ],
)
def test_a_cap_holds_for_each_choice_and_for_what_is_not_reasoning(asked, completion, reasoning, expected):
    assert outcome(used(rewrite.asked(ANSWER, **asked), completion, reasoning), "parameters.cap.kept") is expected


@pytest.mark.parametrize(
    "stop, text, expected",
    [
        ("END", "to the end", Outcome.PASS),
        ("END", "to the END", Outcome.FAIL),
        (["x", "END"], "to the END of it", Outcome.FAIL),
        ([], "to the END", None),
        ("", "to the END", None),
        (None, "to the END", None),
        ([7, "END"], "7", Outcome.PASS),
    ],
)
def test_a_text_ends_before_any_stop_string(stop, text, expected):
    asked = rewrite.asked(ANSWER, stop=stop)

    assert outcome(rewrite.member(asked, 0, ("choices", 0, "message", "content"), text), "parameters.stop.absent") is (
        expected
    )


def arriving(*times: int) -> Exchange:
    """Return the long stream in as many reads as there are times, the first of which holds all but a byte for each."""
    response = rewrite.response_of(LONG)
    counts = [len(response.body) - len(times) + 1, *[1] * (len(times) - 1)]
    return replace(LONG, response=replace(response, reads=tuple(zip(times, counts, strict=True))))


@pytest.mark.parametrize(
    "times, expected",
    [
        ((499_999,), Outcome.PASS),
        ((500_000,), Outcome.FAIL),
        ((500_000, 504_999), Outcome.FAIL),
        ((500_000, 505_000), Outcome.FAIL),
        ((500_000, 504_000, 505_000, 508_000), Outcome.FAIL),
        ((500_000, 504_000, 508_000, 512_999), Outcome.FAIL),
        ((500_000, 504_000, 508_000, 513_000), Outcome.PASS),
        ((500_000, 505_000, 510_000), Outcome.PASS),
        ((100_000, 900_000), Outcome.PASS),
    ],
)
def test_a_stream_is_held_back_where_it_comes_late_and_in_one_or_two_instants(times, expected):
    assert outcome(arriving(*times), "sse.delivery.progressive") is expected


def test_the_time_of_a_comment_before_the_first_event_is_not_the_time_of_an_event():
    commented = rewrite.inserted(LONG, 0, b": waiting")
    response = rewrite.response_of(commented)
    reads = ((100_000, 11), (200_000, 0), (9_000_000, len(response.body) - 11))

    assert (
        outcome(replace(commented, response=replace(response, reads=reads)), "sse.delivery.progressive") is Outcome.FAIL
    )


@pytest.mark.parametrize(
    "value, expected",
    [
        ("20", Outcome.PASS),
        (" 20 ", Outcome.PASS),
        ("0", Outcome.PASS),
        ("1.5", Outcome.PASS),
        ("2678400", Outcome.PASS),
        ("2678401", Outcome.FAIL),
        ("1795176020", Outcome.FAIL),
        ("-1", Outcome.FAIL),
        ("20s", Outcome.FAIL),
        ("soon", Outcome.FAIL),
        ("", Outcome.FAIL),
        ("nan", Outcome.FAIL),
        ("Fri, 20 Nov 2026 12:00:20 GMT", Outcome.PASS),
        ("Friday, 20-Nov-26 12:00:20 GMT", Outcome.PASS),
        ("Fri Nov 20 12:00:20 2026", Outcome.PASS),
        ("2026-11-20T12:00:20Z", Outcome.FAIL),
    ],
)
def test_retry_after_is_seconds_or_a_date(value, expected):
    assert outcome(rewrite.with_header(LIMIT, "Retry-After", value), "errors.retry_after.value") is expected


@pytest.mark.parametrize(
    "error, retry_after, expected",
    [
        ({"code": "insufficient_quota"}, "120", Outcome.FAIL),
        ({"type": "insufficient_quota"}, "1", Outcome.FAIL),
        ({"code": "insufficient_quota"}, "121", Outcome.PASS),
        ({"code": "insufficient_quota"}, None, Outcome.PASS),
        ({"code": None}, "1", Outcome.PASS),
    ],
)
def test_a_quota_that_is_used_up_is_not_waited_for(error, retry_after, expected):
    found = rewrite.messages(LIMIT)[0]["error"]
    assert isinstance(found, dict)
    limited = rewrite.with_messages(LIMIT, [{"error": {**found, **error}}])

    assert outcome(rewrite.with_header(limited, "Retry-After", retry_after), "errors.code.quota") is expected


@pytest.mark.parametrize(
    "body, malformed",
    [
        (b'{"messages":', True),
        (b"[]", True),
        ({"model": "m"}, True),
        ({"messages": []}, True),
        ({"messages": [{"role": "user", "content": "x"}]}, False),
        (None, False),
    ],
)
def test_a_request_that_nobody_can_answer_is_malformed(body, malformed):
    refused = GOOD["error.malformed"]
    asked = transcript.read(replace(refused, request=replace(refused.request, body=body))).asked

    assert asked.is_malformed is malformed


def test_log_probabilities_of_chunks_that_repeat_each_other_are_all_kept():
    token: JsonObject = {"token": "a", "logprob": -1, "bytes": [97], "top_logprobs": []}
    chunks = rewrite.messages(LONG)
    scored = [rewrite.put(each, ("choices", 0, "logprobs"), {"content": [token]}) for each in chunks[1:-1]]
    read = transcript.read(rewrite.with_messages(LONG, [chunks[0], *scored, chunks[-1]]))

    assert [seen.where.payload for seen in read.facts.choices[0].logprobs] == list(range(1, 61))
    assert len(read.facts.choices[0].content) == 60


@pytest.mark.parametrize("answer", ["answer", "stream"])
def test_a_stream_that_is_asked_for_by_a_string_may_come_or_not(answer: str) -> None:
    asked = rewrite.asked(GOOD[answer], stream="yes")
    assert set() == {verdict.check for verdict in judge([asked]) if verdict.outcome is Outcome.FAIL}


def test_usage_that_is_asked_for_by_a_string_may_come() -> None:
    asked = rewrite.asked(GOOD["stream.usage"], stream_options={"include_usage": "yes"})
    assert set() == {verdict.check for verdict in judge([asked]) if verdict.outcome is Outcome.FAIL}


@pytest.mark.parametrize("end", ["truncated", "limit:requests"])
def test_where_nothing_came_to_what_may_be_refused_there_was_no_occasion(end: str) -> None:
    unanswered = replace(rewrite.asked(ANSWER, temperature=3), response=None, end=end)
    assert {Outcome.NOT_APPLICABLE} == {verdict.outcome for verdict in judge([unanswered])}
