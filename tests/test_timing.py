"""What the reads of an exchange say of time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.wire import transcript
from chatconform.wire.timing import timings

STREAM = GOOD["stream"]
"""Six events, each one read, from 210 ms on and 20 ms apart; the header fields come after 200 ms."""


def timed(*reads: tuple[int, int], headers_after: int | None = 200_000) -> dict[str, int]:
    response = replace(rewrite.response_of(STREAM), reads=reads, headers_after=headers_after)
    return timings(transcript.read(replace(STREAM, response=response)))


def test_a_stream_has_times_of_its_header_its_reads_and_its_events() -> None:
    expected = {
        "headers": 200_000, "first_read": 210_000, "last_read": 310_000, "first_event": 210_000,
        "last_event": 310_000, "longest_pause": 20_000, "after_last_event": 0,
    }  # fmt: skip
    assert expected == timings(transcript.read(STREAM))


def test_an_answer_in_one_piece_has_no_events() -> None:
    expected = {"headers": 200_000, "first_read": 210_000, "last_read": 210_000, "longest_pause": 10_000}
    assert expected == timings(transcript.read(GOOD["answer"]))


@pytest.mark.parametrize("reads", [None, ()])
def test_without_reads_there_are_no_times(reads: tuple[tuple[int, int], ...] | None) -> None:
    response = replace(rewrite.response_of(STREAM), reads=reads)
    assert {} == timings(transcript.read(replace(STREAM, response=response)))


def test_an_exchange_without_a_response_has_no_times() -> None:
    assert {} == timings(transcript.read(replace(STREAM, response=None)))


def test_the_longest_pause_is_the_longest_time_without_a_byte() -> None:
    size = len(rewrite.body_of(STREAM))
    assert 700_000 == timed((300_000, 10), (1_000_000, size - 10))["longest_pause"]


def test_the_wait_for_the_first_byte_after_the_header_is_a_pause() -> None:
    assert 800_000 == timed((1_000_000, len(rewrite.body_of(STREAM))))["longest_pause"]


def test_where_the_time_of_the_header_is_not_known_one_read_has_no_pause() -> None:
    found = timed((1_000_000, len(rewrite.body_of(STREAM))), headers_after=None)
    assert (0, False) == (found["longest_pause"], "headers" in found)


def test_what_comes_after_the_last_event_is_timed_from_it() -> None:
    body = rewrite.body_of(STREAM) + b": bye\n"
    response = replace(rewrite.response_of(STREAM), body=body, reads=((210_000, len(body) - 6), (910_000, 6)))
    assert 700_000 == timings(transcript.read(replace(STREAM, response=response)))["after_last_event"]
