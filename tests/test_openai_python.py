"""The reading of openai-python, from what was measured."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconform.wire.openai_python import Ended, Reading, read
from chatconform.wire.sse import decode

DONE = b"data: [DONE]\n\n"

blocks = st.sampled_from(
    (
        b'data: {"a": 1}\n\n',
        b'data:{"a":\r\ndata: "\xe2\x80\xa8"}\r\n\r\n',
        b"event: e\rdata: 2\r\r",
        b"id: 7\ndata: 3\n\n",
        b"id\ndata: 4\n\n",
        b"retry: 1_0\ndata: 5\n\n",
        b": comment\ndata: 6\n\n",
        b": comment\n\n",
        b": \xff\n\n",
        b"event: f\n\n",
        b"event:\n\n",
        b"\xef\xbb\xbfdata: 7\n\n",
        b"\n",
    )
)


def yielded(body: bytes) -> list[bytes]:
    return [body[start:end] for start, end in read(body).payloads]


def test_a_good_stream_is_read_to_its_done() -> None:
    body = b'data: {"a": 1}\n\ndata: {}\n\n' + DONE
    assert Reading(((6, 14), (22, 24)), Ended.DONE, None, None, ()) == read(body)


def test_a_stream_without_done_is_read_to_its_end() -> None:
    assert Reading(((6, 8),), Ended.END_OF_BODY, None, None, ()) == read(b"data: {}\n\n")


@pytest.mark.parametrize("body", [b"", b"<html></html>\n", b'{"choices": []}', b": ping\n\n"])
def test_a_body_without_events_is_an_empty_success(body: bytes) -> None:
    assert Reading((), Ended.END_OF_BODY, None, None, ()) == read(body)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n", b"\r"])
def test_all_three_line_ends_are_read(line_end: bytes) -> None:
    body = line_end.join((b"data: {}", b"", b"data: [", b"data: 1]", b"", b""))
    assert [b"{}", b"[" + line_end + b"data: 1]"] == yielded(body)


@pytest.mark.parametrize("separator", ["\u2028", "\u2029", "\x85"])
def test_nothing_else_ends_a_line(separator: str) -> None:
    payload = f'"a{separator}b"'.encode()
    assert [payload] == yielded(b"data: " + payload + b"\n\n")


def test_a_byte_order_mark_loses_the_first_event() -> None:
    body = b"\xef\xbb\xbfdata: 1\n\ndata: 2\n\n" + DONE
    assert Reading(((18, 19),), Ended.DONE, None, None, ((9, 10),)) == read(body)


def test_a_byte_order_mark_loses_the_first_of_several_data_lines() -> None:
    body = b"\xef\xbb\xbfdata: 1\ndata: 2\n\n"
    assert Reading(((17, 18),), Ended.END_OF_BODY, None, None, ((9, 18),)) == read(body)


def test_ill_formed_utf8_raises_where_it_stands() -> None:
    body = b"data: 1\n\ndata: 2\xff\n\ndata: 3\n\n"
    assert Reading(((6, 7),), Ended.RAISED, "UnicodeDecodeError", 16, ((15, 17), (25, 26))) == read(body)


def test_ill_formed_utf8_raises_in_a_comment_too() -> None:
    body = b": \xe2\x80\n\n"
    assert Reading((), Ended.RAISED, "UnicodeDecodeError", 2, ()) == read(body)


def test_ill_formed_utf8_after_done_is_never_read() -> None:
    assert Ended.DONE is read(DONE + b"data: \xff\n\n").ended


@pytest.mark.parametrize(
    ("block", "blank"),
    [
        (b"retry: 3000\n\n", 12),
        (b"retry: 0\n\n", 9),
        (b"event: ping\n\n", 12),
        (b"id: 7\n\n", 6),
        (b": c\nretry: 1\n\n", 13),
    ],
)
def test_a_block_without_data_raises_at_its_blank_line(block: bytes, blank: int) -> None:
    data = (len(block) + 6, len(block) + 7)
    assert Reading((), Ended.RAISED, "JSONDecodeError", blank, (data,)) == read(block + b"data: 1\n\n" + DONE[:6])


@pytest.mark.parametrize("blank", [b"\n", b"\r\n", b": keep-alive\n\n"])
def test_a_further_blank_line_after_an_id_raises(blank: bytes) -> None:
    begin = b"id: 7\ndata: 1\n\n" + blank
    reading = read(begin + b"data: 2\n\n")
    at = len(begin) - len(blank.removeprefix(b": keep-alive\n"))
    lost = (len(begin) + 6, len(begin) + 7)
    assert Reading(((12, 13),), Ended.RAISED, "JSONDecodeError", at, (lost,)) == reading


@pytest.mark.parametrize(
    "block",
    [
        b"id\n\n",
        b"id:\n\n",
        b"id: \0\n\n",
        b"event:\n\n",
        b"retry: soon\n\n",
        b"x: y\n\n",
        b"\n\n",
        b": c\n\n",
    ],
)
def test_a_block_that_sets_nothing_dispatches_nothing(block: bytes) -> None:
    wanted = [b"1"]
    assert wanted == yielded(block + b"data: 1\n\n")


def test_an_empty_id_makes_further_blank_lines_harmless() -> None:
    wanted = [b"1", b"2", b"3"]
    assert wanted == yielded(b"id: 7\ndata: 1\n\nid:\ndata: 2\n\n\n\ndata: 3\n\n")


@pytest.mark.parametrize("data", [b"[DONE]", b"[DONE] ", b"[DONE]x", b"[DONE]\ndata: more"])
def test_data_that_starts_with_done_ends_the_stream(data: bytes) -> None:
    body = b"data: " + data + b"\n\n"
    assert Reading((), Ended.DONE, None, None, ()) == read(body)


@pytest.mark.parametrize("data", [b" [DONE]", b'"[DONE]"x', b"[done]", b"DONE", b": ping", b"data: {}", b"", b"{"])
def test_data_that_is_no_json_raises(data: bytes) -> None:
    body = b"data: " + data + b"\n\n"
    assert Reading((), Ended.RAISED, "JSONDecodeError", 6, (decode(body).events[0].span,)) == read(body)


@pytest.mark.parametrize(
    ("data", "name"), [(b"[" * 100_000, "RecursionError"), (b"1" * 5_000, "ValueError")], ids=["deep", "long"]
)
def test_json_beyond_what_python_reads_raises(data: bytes, name: str) -> None:
    reading = read(b"data: " + data + b"\n\n")
    assert (Ended.RAISED, name, 6) == (reading.ended, reading.raised, reading.raised_at)


@pytest.mark.parametrize("error", [b'{"message": "no"}', b'"no"', b"1", b"[0]"])
def test_a_truthy_error_raises(error: bytes) -> None:
    body = b'data: 1\n\ndata: {"error": ' + error + b"}\n\n" + DONE
    span = decode(body).events[1].span
    done = decode(body).events[2].span
    assert Reading(((6, 7),), Ended.RAISED, "APIError", 15, (span, done)) == read(body)


@pytest.mark.parametrize(
    "data", [b'{"error": null}', b'{"error": ""}', b'{"error": {}}', b'["error"]', b'{"object": "error"}']
)
def test_other_errors_are_payloads(data: bytes) -> None:
    assert [data] == yielded(b"data: " + data + b"\n\n")


def test_an_error_event_without_an_error_key_is_a_payload() -> None:
    wanted = [b'{"message": "no"}']
    assert wanted == yielded(b'event: error\ndata: {"message": "no"}\n\n')


def test_what_follows_done_is_lost() -> None:
    body = DONE + b"data: 1\n\n"
    assert Reading((), Ended.DONE, None, None, ((20, 21),)) == read(body)


def test_what_no_blank_line_follows_is_dropped() -> None:
    assert Reading(((6, 7),), Ended.END_OF_BODY, None, None, ()) == read(b"data: 1\n\ndata: 2\n")


@settings(database=None)
@given(st.lists(blocks, max_size=12).map(b"".join))
def test_it_yields_what_the_standard_dispatches_where_the_decoder_shows_no_reason_against(
    body: bytes,
) -> None:
    stream = decode(body)
    if not (stream.bom or stream.blocks or stream.blank_after_id or stream.invalid_utf8):
        spans = tuple(event.span for event in stream.events)
        assert Reading(spans, Ended.END_OF_BODY, None, None, ()) == read(body)


@pytest.mark.parametrize(
    "stray, harm",
    [
        (b"retry: 1000\n\n", "only retry; openai-python raises JSONDecodeError at byte"),
        (b"\xef\xbb\xbf", "EF BB BF; openai-python loses 1 of the events"),
    ],
)
def test_a_finding_says_what_the_client_does_with_the_bytes(stray, harm):
    from chatconform.judging import judge
    from chatconform.reference.good import GOOD

    good = GOOD["stream"]
    broken = replace(good, response=replace(good.response, body=stray + good.response.body))
    (finding,) = [finding for verdict in judge([broken]) for finding in verdict.findings]

    assert finding.got.startswith(harm)


def test_what_stands_after_done_harms_nobody():
    from chatconform.judging import judge
    from chatconform.reference.good import GOOD

    good = GOOD["stream"]
    longer = replace(good, response=replace(good.response, body=good.response.body + b"retry: 1000\n\n"))

    assert [] == [verdict.check for verdict in judge([longer]) if verdict.findings]
