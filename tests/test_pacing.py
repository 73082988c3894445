"""When the next request goes, what it may cost, and what is asked for again; by a clock that the test moves."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from chatconform.capture.pacing import Budget, Pace, quota_is_gone, retry_after
from chatconform.model import Response

NOW = datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC)


def test_requests_and_tokens_are_taken_until_a_ceiling_is_reached():
    budget = Budget(requests=2, output_tokens=100)
    assert [None, None, "requests"] == [budget.debit(tokens) for tokens in (60, 40, 0)]


def test_what_does_not_fit_takes_nothing():
    budget = Budget(requests=9, output_tokens=100)
    assert [None, "output_tokens", None] == [budget.debit(tokens) for tokens in (60, 41, 40)]
    assert Budget(requests=7, output_tokens=0) == budget


def sent_at(pace: Pace, moments: int) -> list[float]:
    """Return when requests go that are ready at moment 0 and wait as long as they are told to."""
    now, sent = 0.0, []
    for _ in range(moments):
        while (wait := pace.wait(now)) > 0:
            now += wait
        sent.append(now)
    return sent


def test_no_minute_holds_more_requests_than_may_go():
    assert [0, 0, 0, 60, 60, 60, 120] == sent_at(Pace(3), 7)


def test_the_minute_begins_with_the_oldest_request_that_counts():
    pace = Pace(2)
    waits = [pace.wait(now) for now in (0, 50, 55, 60, 61, 110)]
    assert [0, 0, 5, 0, 49, 0] == waits


def test_a_pace_of_less_than_one_a_minute_is_one():
    assert [0, 60] == sent_at(Pace(0.5), 2)


def test_nothing_goes_while_a_hold_lasts():
    pace = Pace(30)
    pace.hold(10)
    pace.hold(4)
    assert ([7, 0], [True, False]) == ([pace.wait(3), pace.wait(10)], [pace.is_held(3), pace.is_held(10)])


def test_a_hold_does_not_shorten_the_minute():
    pace = Pace(1)
    assert 0 == pace.wait(0)
    pace.hold(10)
    assert 50 == pace.wait(10)


def answered(status: int, value: str | None = None, body: bytes = b"") -> Response:
    return Response(status, () if value is None else (("retry-after", value),), body)


RETRY_AFTER = {
    "absent": (None, 1),
    "zero": ("0", 0),
    "seconds": ("7", 7),
    "part of a second": ("0.5", 0.5),
    "white space": (" 7 ", 7),
    "the ceiling": ("30", 30),
    "beyond the ceiling": ("31", None),
    "a year": ("31536000", None),
    "digits without end": ("9" * 5000, None),
    "a date": ("Fri, 20 Nov 2026 12:00:09 GMT", 9),
    "a date in the old form": ("Friday, 20-Nov-26 12:00:09 GMT", 9),
    "a date that is past": ("Fri, 20 Nov 2026 11:00:00 GMT", 0),
    "a date far off": ("Fri, 20 Nov 2099 12:00:00 GMT", None),
    "a date with an offset": ("Fri, 20 Nov 2026 14:00:09 +0200", 9),
    "a date without one": ("Fri, 20 Nov 2026 12:00:09", 9),
    "negative": ("-5", 1),
    "a word": ("soon", 1),
    "no number": ("nan", 1),
    "empty": ("", 1),
    "a date that is none": ("Fri, 99 Nov 2026 12:00:00 GMT", 1),
    "a year that is none": ("Fri, 20 Nov 99999 12:00:00 GMT", 1),
    "two of them": ("1, 2", 1),
    "other digits": ("٣", 1),
}


@pytest.mark.parametrize("value, expected", RETRY_AFTER.values(), ids=RETRY_AFTER)
def test_a_wait_is_what_retry_after_says_within_reason(value, expected):
    assert expected == retry_after(answered(429, value), 0, NOW)


STATUSES = [(200, None), (400, None), (401, None), (408, None), (429, 1), (500, None), (502, None), (503, 1)]


@pytest.mark.parametrize("status, expected", STATUSES)
def test_only_429_and_503_are_asked_again(status, expected):
    assert expected == retry_after(answered(status), 0, NOW)


def test_a_request_is_asked_again_twice_at_most_and_later_each_time():
    assert [1, 2, None] == [retry_after(answered(429), retries, NOW) for retries in range(3)]


def test_what_was_not_answered_is_not_asked_again():
    assert retry_after(None, 0, NOW) is None


QUOTAS = {
    "by code": (b'{"error": {"code": "insufficient_quota", "type": "x"}}', True),
    "by type": (b'{"error": {"type": "insufficient_quota"}}', True),
    "rate limit": (b'{"error": {"code": "rate_limit_exceeded"}}', False),
    "in a message": (b'{"error": {"message": "insufficient_quota"}}', False),
    "no object": (b'{"error": "insufficient_quota"}', False),
    "no JSON": (b"insufficient_quota", False),
    "a list": (b"[]", False),
    "nothing": (b"", False),
}


@pytest.mark.parametrize("body, gone", QUOTAS.values(), ids=QUOTAS)
def test_a_quota_that_is_gone_is_not_waited_for(body, gone):
    response = answered(429, "1", body)
    assert (gone, None if gone else 1) == (quota_is_gone(response), retry_after(response, 0, NOW))


def test_retries_have_a_ceiling_of_their_own_and_then_take_from_the_requests():
    budget = Budget(requests=1, output_tokens=0, retries=1)
    assert [True, True, False] == [budget.debit_retry() for _ in range(3)]
