"""The event-stream decoder: vectors, cuts, offsets, and a second decoder."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconform.wire import sse
from chatconform.wire.sse import Block, Comment, Decoder, EventStream, LineEnding, Tail, UnknownField, decode
from sse_oracle import interpret

VECTORS = yaml.safe_load(Path(__file__).with_name("data").joinpath("sse_vectors.yaml").read_text("utf-8"))

FRAGMENTS = (
    b"data: {}\n\n",
    b"data: {}\r\n\r\n",
    b"\n\ndata: ",
    b"data: ",
    b"data:",
    b"data",
    b"event: e",
    b"event",
    b"id: 7",
    b"id:",
    b"id: \0",
    b"retry: 50",
    b"retry: x",
    b"unknown: y",
    b": comment",
    b":",
    b" ",
    b"\n",
    b"\r",
    b"\r\n",
    b"\n\n",
    b"\r\n\r\n",
    b"\0",
    b"\xef\xbb\xbf",
    b"\xff",
    b"\xe2\x80",
    b"\xe2\x80\xa8",
    b"\x0b",
    b"\xc2\x85",
    b"x",
)

bodies = st.lists(st.sampled_from(FRAGMENTS), max_size=40).map(b"".join)
streams = st.lists(st.sampled_from(FRAGMENTS[:4] + FRAGMENTS[14:22]), max_size=40).map(b"".join)
unlimited = settings(database=None)


def in_pieces(body: bytes, size: int) -> list[bytes]:
    return [body[start : start + size] for start in range(0, len(body), size)]


def read_pieces(pieces: list[bytes]) -> EventStream:
    decoder = Decoder()
    for piece in pieces:
        decoder.feed(piece)
    return decoder.close()


def cut_every_way(body: bytes) -> Iterator[list[bytes]]:
    yield [body]
    yield from (in_pieces(body, size) for size in (1, 2, 3))
    yield from ([body[:cut], body[cut:]] for cut in range(len(body) + 1))


def joined(text: Any) -> str:
    """The text of a vector: a string, a run, or a list of these."""
    if isinstance(text, list):
        return "".join(map(joined, text))
    return str(text["repeat"] * text["times"] if isinstance(text, dict) else text)


def wanted_of(vector: dict[str, Any]) -> dict[str, Any]:
    events = vector.get("events", [])
    return {
        "events": [(event.get("type", "message"), event["data"], event.get("id", "")) for event in events],
        "comments": [joined(comment) for comment in vector.get("comments", [])],
        "retries": vector.get("retries", []),
        "blocks": vector.get("blocks", []),
        "unknown": vector.get("unknown", []),
        "tail": vector.get("tail"),
        "bom": vector.get("bom", False),
    }


def facts_of(body: bytes, stream: EventStream) -> dict[str, Any]:
    return {
        "events": [(event.type, event.text, event.last_event_id) for event in stream.events],
        "comments": [body[each.start + 1 : each.end].decode("utf-8", "replace") for each in stream.comments],
        "retries": list(stream.retries),
        "blocks": [list(block.fields) for block in stream.blocks],
        "unknown": [field.name.decode("utf-8", "replace") for field in stream.unknown_fields],
        "tail": tail_of(body, stream.tail),
        "bom": stream.bom,
    }


def tail_of(body: bytes, tail: Tail | None) -> dict[str, list[str]] | None:
    if tail is None:
        return None
    found = {
        "fields": list(tail.fields),
        "data": [body[start:end].decode("utf-8", "replace") for start, end in tail.data_spans],
    }
    return {name: values for name, values in found.items() if values}


def body_of(vector: dict[str, Any]) -> bytes:
    return joined(vector["bytes"]).encode("latin-1")


def blocks_of(stream: EventStream) -> list[tuple[int, int]]:
    """Where the blocks stand, those that dispatched and those that did not, in order."""
    dispatched = [(event.start, event.end) for event in stream.events]
    return sorted(dispatched + [(block.start, block.end) for block in stream.blocks])


def public_vectors() -> list[Any]:
    """The vectors of Web Platform Tests and LaunchDarkly, where the material is."""
    file = Path(os.environ.get("CHATCONFORM_MATERIAL", "absent"), "sse", "vectors.json")
    if not file.is_file():
        return [pytest.param(None, marks=pytest.mark.skip(reason="material: absent"), id="absent")]
    return [pytest.param(vector, id=vector["id"]) for vector in json.loads(file.read_bytes())["vectors"]]


own_vectors = pytest.mark.parametrize("vector", [pytest.param(each, id=each["id"]) for each in VECTORS])
material = pytest.mark.parametrize("vector", public_vectors())


def test_every_vector_has_an_id_of_its_own() -> None:
    assert len({vector["id"] for vector in VECTORS}) == len(VECTORS)


@own_vectors
def test_a_vector_is_read_as_the_standard_says(vector: dict[str, Any]) -> None:
    body = body_of(vector)
    assert wanted_of(vector) == facts_of(body, decode(body))


@own_vectors
def test_a_vector_is_read_alike_however_it_is_cut(vector: dict[str, Any]) -> None:
    body = body_of(vector)
    whole = decode(body)
    assert not [pieces for pieces in cut_every_way(body) if read_pieces(pieces) != whole]


@own_vectors
def test_the_second_decoder_reads_a_vector_alike(vector: dict[str, Any]) -> None:
    oracle = interpret(body_of(vector))
    wanted = wanted_of(vector)
    assert [wanted[name] for name in ("events", "comments", "retries", "blocks", "unknown", "bom")] == [
        oracle.events,
        oracle.comments,
        oracle.retries,
        oracle.blocks,
        oracle.unknown,
        oracle.bom,
    ]


@material
def test_a_public_vector_is_read_as_it_says(vector: dict[str, Any]) -> None:
    body = base64.b64decode(vector["bytes_b64"])
    stream = decode(body)
    facts = facts_of(body, stream)
    assert vector["expect"] == {
        "events": [{"type": kind, "data": data, "id": id_} for kind, data, id_ in facts["events"]],
        "comments": facts["comments"],
        "retry": facts["retries"],
        "discarded_tail": stream.tail is not None,
        "utf8_valid": not stream.invalid_utf8,
        "bom": stream.bom,
    }


@material
def test_a_public_vector_is_read_alike_however_it_is_cut(vector: dict[str, Any]) -> None:
    body = base64.b64decode(vector["bytes_b64"])
    whole = decode(body)
    assert not [pieces for pieces in cut_every_way(body) if read_pieces(pieces) != whole]


@unlimited
@given(bodies)
def test_the_second_decoder_reads_any_body_alike(body: bytes) -> None:
    stream, oracle = decode(body), interpret(body)
    facts = facts_of(body, stream)
    assert asdict(oracle) | {
        "events": facts["events"],
        "comments": facts["comments"],
        "unknown": facts["unknown"],
        "retries": facts["retries"],
        "blocks": facts["blocks"],
        "blanks_after_id": len(stream.blank_after_id),
        "endings": {str(ending) for ending in stream.line_endings},
        "bom": stream.bom,
        "discarded": stream.tail is not None,
    } == asdict(oracle)


@unlimited
@given(bodies, st.integers(1, 20))
def test_any_body_is_read_alike_in_pieces_of_any_size(body: bytes, size: int) -> None:
    assert decode(body) == read_pieces(in_pieces(body, size))


@unlimited
@given(streams)
def test_the_path_for_plain_events_reads_as_the_path_for_lines(body: bytes) -> None:
    assert read_pieces(in_pieces(body, 1)) == decode(body)


@unlimited
@given(bodies)
def test_the_spans_of_an_event_hold_its_data(body: bytes) -> None:
    for event in decode(body).events:
        assert event.data == b"\n".join(body[start:end] for start, end in event.data_spans)


@unlimited
@given(bodies)
def test_a_data_value_stands_after_the_name_of_its_field(body: bytes) -> None:
    for event in decode(body).events:
        for start, _ in event.data_spans:
            assert body[:start].endswith((b"data", b"data:", b"data: "))


@unlimited
@given(bodies)
def test_events_blocks_and_tail_stand_in_order_and_apart(body: bytes) -> None:
    stream = decode(body)
    ranges = blocks_of(stream)
    ranges += [(stream.tail.start, stream.tail.end)] if stream.tail else []
    edges = [edge for each in ranges for edge in each]
    assert edges == sorted(edges)
    assert all(start < end <= len(body) for start, end in ranges)


@unlimited
@given(bodies)
def test_a_comment_stands_whole_inside_one_block_or_outside_all(body: bytes) -> None:
    stream = decode(body)
    for comment in stream.comments:
        assert body[comment.start] == ord(":")
        for start, end in blocks_of(stream):
            assert (start <= comment.start and comment.end < end) or comment.end < start or end <= comment.start


@unlimited
@given(bodies)
def test_a_block_that_is_cut_out_reads_as_it_did(body: bytes) -> None:
    for event in decode(body).events:
        [again] = decode(b"\n" + body[event.start : event.end]).events
        assert (event.type, event.data) == (again.type, again.data)


@unlimited
@given(bodies)
def test_a_data_line_in_the_tail_can_be_reached(body: bytes) -> None:
    text = body + b"\n\ndata: first\ndata: second"
    tail = decode(text).tail
    assert tail is not None
    first, second = tail.data_spans
    assert text.endswith(b"data: first\ndata: second")
    assert (len(text) - 18, len(text) - 13, len(text) - 6, len(text)) == (*first, *second)


def test_an_event_knows_its_block_and_its_values() -> None:
    body = b"\xef\xbb\xbf: c\nevent: e\ndata:a\r\ndata\r\ndata: bc\n\r\ndata: d\n\n"
    wanted = [
        (1, 3, 41, (21, 38), ((21, 22), (28, 28), (36, 38))),
        (2, 41, 50, (47, 48), ((47, 48),)),
    ]
    assert wanted == [(e.number, e.start, e.end, e.span, e.data_spans) for e in decode(body).events]


def test_data_stays_undecoded() -> None:
    data = b"\xff\xe2\x80\xa6"
    [event] = decode(b"data: " + data + b"\n\n").events
    assert data == event.data


def test_the_text_of_an_event_shows_what_is_no_utf8() -> None:
    [event] = decode(b"data: \xff\xe2\x80\xa6\n\n").events
    assert event.text == "\ufffd…"


def test_a_block_without_data_is_kept_with_its_fields() -> None:
    stream = decode(b"data: 1\n\n: c\nretry: 9\nid\nx: y\n\n\n")
    assert (Block(9, 31, ("retry", "id", "x")),) == stream.blocks


def test_a_comment_is_kept_without_its_line_end() -> None:
    assert (Comment(0, 1), Comment(3, 6)) == decode(b":\r\n: x\r\r").comments


def test_an_unknown_field_is_kept_with_its_value() -> None:
    assert (UnknownField(b"Data", b"x:y", 1, 10),) == decode(b"\nData: x:y\n\n").unknown_fields


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"data: 1", set()),
        (b"data: 1\n", {LineEnding.LF}),
        (b"data: 1\r\n", {LineEnding.CRLF}),
        (b"data: 1\r", {LineEnding.CR}),
        (b"\r\r\n", {LineEnding.CR, LineEnding.CRLF}),
        (b"\n\r", {LineEnding.LF, LineEnding.CR}),
        (b"\r\n\n\r", {LineEnding.LF, LineEnding.CRLF, LineEnding.CR}),
    ],
)
def test_the_line_ends_are_known(body: bytes, wanted: set[LineEnding]) -> None:
    assert wanted == decode(body).line_endings == read_pieces(in_pieces(body, 1)).line_endings


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"", None),
        (b"data: 1\n\n", None),
        (b"data: 1\n\n: c\n", None),
        (b"data: 1\n\n: c", None),
        (b"data: 1\n\ndata: 2\n", Tail(9, 17, ((15, 16),), (), unterminated_line=False)),
        (b"data: 1\n\ndata: 2", Tail(9, 16, ((15, 16),), (), unterminated_line=True)),
        (b"data: 1\n\n: c\nid: 2\nevent", Tail(9, 24, (), ("id", "event"), unterminated_line=True)),
        (b"data: 1\n: c", Tail(0, 11, ((6, 7),), (), unterminated_line=True)),
        (b"\xef\xbb\xbfdata: 1\r", Tail(3, 11, ((9, 10),), (), unterminated_line=False)),
        (b"\xef\xbb\xbfdata", Tail(3, 7, ((7, 7),), (), unterminated_line=True)),
    ],
)
def test_the_tail_is_what_the_end_discarded(body: bytes, wanted: Tail | None) -> None:
    assert wanted == decode(body).tail


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"\n\n", ()),
        (b"id: 1\ndata: x\n\n", ()),
        (b"id: 1\ndata: x\n\n\n\r\n", ((15, 16), (16, 18))),
        (b"id: 1\ndata: x\n\n: c\n\n", ((19, 20),)),
        (b"id: 1\n\n", ((6, 7),)),
        (b"id: 1\ndata: x\n\nid\n\n\n", ()),
    ],
)
def test_blank_lines_that_dispatch_nothing_after_an_id_are_known(
    body: bytes, wanted: tuple[tuple[int, int], ...]
) -> None:
    assert wanted == decode(body).blank_after_id


@pytest.mark.parametrize(
    ("body", "wanted"),
    [
        (b"data: \xe2\x80\xa6\xf0\x9f\x98\x80\n\n", ()),
        (b"data: \xff\xfe\n\n", ((6, 7), (7, 8))),
        (b"data: \xe2\x80\n\n", ((6, 8),)),
        (b"data: \xf0\x9f\x98x\n\n", ((6, 9),)),
        (b"data: \xed\xa0\x80\n\n", ((6, 7), (7, 8), (8, 9))),
        (b"data: \xc0\xaf\n\n", ((6, 7), (7, 8))),
        (b"data: \xf4\x90\x80\x80\n\n", ((6, 7), (7, 8), (8, 9), (9, 10))),
        (b": \x80\n", ((2, 3),)),
        (b"\n\nda\xe2", ((4, 5),)),
        (b"\xef\xbb\xbf\xff", ((3, 4),)),
    ],
)
def test_ill_formed_utf8_is_found_anywhere(body: bytes, wanted: tuple[tuple[int, int], ...]) -> None:
    assert wanted == decode(body).invalid_utf8 == read_pieces(in_pieces(body, 1)).invalid_utf8


def test_the_first_thousand_ill_formed_sequences_are_kept() -> None:
    body = b"\xff" * 600 + b"\n" + b"\xff" * 600
    wanted = tuple((at, at + 1) for at in range(sse.ILL_FORMED_KEPT + 1) if at != 600)
    assert wanted == decode(body).invalid_utf8


@unlimited
@given(st.binary(max_size=60))
def test_ill_formed_sequences_are_those_that_decoding_replaces(text: bytes) -> None:
    parts, end = [], 0
    for start, stop in sse.ill_formed_utf8(text):
        parts += [text[end:start].decode(), "\ufffd"]
        end = stop
    assert text.decode("utf-8", "replace") == "".join([*parts, text[end:].decode()])


def test_a_retry_of_more_digits_than_a_number_has_is_left_out() -> None:
    body = b"retry: " + b"9" * (sse.RETRY_DIGITS + 1) + b"\nretry: " + b"0" * sse.RETRY_DIGITS + b"\n\n"
    wanted = (0,)
    assert wanted == decode(body).retries


def test_an_event_is_returned_by_the_piece_that_completes_it() -> None:
    decoder = Decoder()
    pieces = [b"data: 1\n", b"\nda", b"", b"ta: 2\r\n\r\ndata: 3\n\ndata: 4", b"\n"]
    wanted = [[], [b"1"], [], [b"2", b"3"], []]
    assert wanted == [[event.data for event in decoder.feed(piece)] for piece in pieces]


def test_a_return_at_the_end_of_a_piece_waits_for_its_line_feed() -> None:
    decoder = Decoder()
    wanted: list[list[int]] = [[], [9], [20]]
    pieces = (b"data: 1\r\r", b"data: 2\r\n\r", b"\n")
    assert wanted == [[event.end for event in decoder.feed(piece)] for piece in pieces]


def test_a_return_at_the_end_of_the_body_ends_its_line() -> None:
    wanted = [(b"1", 9)]
    assert wanted == [(event.data, event.end) for event in decode(b"data: 1\r\r").events]
