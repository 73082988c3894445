"""Media types and content codings."""

import gzip
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconform.wire.media import Decoded, MediaType, codings, decode, header, media_type

TYPES = [
    ("application/json", MediaType("application/json")),
    ("Application/JSON", MediaType("application/json")),
    ("  text/event-stream\t", MediaType("text/event-stream")),
    ("text/event-stream;charset=UTF-8", MediaType("text/event-stream", {"charset": "UTF-8"})),
    (
        "text/event-stream ; Charset=utf-8 ; q=1",
        MediaType("text/event-stream", {"charset": "utf-8", "q": "1"}),
    ),
    ('text/plain; charset="utf-8"', MediaType("text/plain", {"charset": "utf-8"})),
    ('text/plain; a="x;b=c"; d=e', MediaType("text/plain", {"a": "x;b=c", "d": "e"})),
    (r'text/plain; a="say \"hi\" \\"', MediaType("text/plain", {"a": 'say "hi" \\'})),
    ('text/plain; a=""', MediaType("text/plain", {"a": ""})),
    ("text/plain; a=", MediaType("text/plain", {"a": ""})),
    ("text/plain; charset='utf-8'", MediaType("text/plain", {"charset": "'utf-8'"})),
    ('text/plain; charset="utf-8', MediaType("text/plain", {"charset": "utf-8"})),
    ("text/plain;", MediaType("text/plain")),
    ("text/plain;;charset=utf-8", MediaType("text/plain", {"charset": "utf-8"})),
    ("text/plain; flag; charset=utf-8", MediaType("text/plain", {"charset": "utf-8"})),
    ("text/plain; charset=utf-8; charset=latin1", MediaType("text/plain", {"charset": "utf-8"})),
    ("application/json, text/html", MediaType("application/json")),
    ("application/vnd.acme.v1+json", MediaType("application/vnd.acme.v1+json")),
    ("", None),
    (" ", None),
    ("json", None),
    ("/json", None),
    ("application/", None),
    ("application / json", None),
    ("application/json utf-8", None),
    ("application/json:charset=utf-8", None),
    ("charset=utf-8", None),
    ("; application/json", None),
]


@pytest.mark.parametrize("value, expected", TYPES)
def test_a_media_type_is_read_as_rfc_9110_writes_it(value, expected):
    assert expected == media_type(value)


KINDS = [
    ("application/json", (True, False)),
    ("application/problem+json", (True, False)),
    ("text/json", (False, False)),
    ("application/jsonl", (False, False)),
    ("application/x-ndjson", (False, False)),
    ("TEXT/Event-Stream;charset=utf-8", (False, True)),
    ("text/event-streams", (False, False)),
]


@pytest.mark.parametrize("value, expected", KINDS)
def test_json_and_event_streams_are_known_by_their_essence(value, expected):
    found = media_type(value)
    assert expected == (found.is_json, found.is_event_stream)


@given(st.text())
def test_any_text_is_a_media_type_or_none(value):
    found = media_type(value)
    assert found is None or "/" in found.essence


FIELDS = (("Content-Type", "a/b"), ("content-TYPE", "c/d"), ("X", "1"))


@pytest.mark.parametrize(
    "headers, name, expected",
    [
        (FIELDS, "content-type", "a/b, c/d"),
        (FIELDS, "x", "1"),
        (FIELDS, "y", None),
        (None, "x", None),
        ((), "x", None),
    ],
)
def test_a_field_is_found_in_any_case_and_repeated_ones_are_joined(headers, name, expected):
    assert expected == header(headers, name)


CODINGS = [
    ((), ()),
    ((("Content-Encoding", "gzip"),), ("gzip",)),
    ((("content-encoding", " GZip ,\tdeflate, "),), ("gzip", "deflate")),
    ((("Content-Encoding", "gzip"), ("Content-Encoding", "br")), ("gzip", "br")),
    ((("Content-Encoding", "identity"),), ()),
    ((("Content-Encoding", "Identity, gzip"),), ("gzip",)),
    ((("Content-Encoding", ""),), ()),
    ((("Transfer-Encoding", "gzip"),), ()),
    (None, ()),
]


@pytest.mark.parametrize("headers, expected", CODINGS)
def test_content_codings_stand_in_the_order_of_application(headers, expected):
    assert expected == codings(headers)


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


TEXT = bytes(range(256)) * 200
GZIP = gzip.compress(TEXT, mtime=0)

UNDONE = [
    (TEXT, (), TEXT),
    (GZIP, ("gzip",), TEXT),
    (GZIP, ("x-gzip",), TEXT),
    (GZIP + GZIP + gzip.compress(b"end", mtime=0), ("gzip",), TEXT + TEXT + b"end"),
    (gzip.compress(b"", mtime=0) * 2 + GZIP, ("gzip",), TEXT),
    (gzip.compress(b"", mtime=0), ("gzip",), b""),
    (zlib.compress(TEXT), ("deflate",), TEXT),
    (raw_deflate(TEXT), ("deflate",), TEXT),
    (gzip.compress(zlib.compress(TEXT), mtime=0), ("deflate", "gzip"), TEXT),
    (gzip.compress(GZIP, mtime=0), ("gzip", "gzip"), TEXT),
    (b"", ("gzip",), b""),
    (b"", ("deflate", "gzip"), b""),
]


@pytest.mark.parametrize("body, names, expected", UNDONE)
def test_codings_are_undone_from_the_last_to_the_first(body, names, expected):
    assert Decoded(expected) == decode(body, names)


@given(st.binary(), st.lists(st.sampled_from(["gzip", "x-gzip", "deflate"]), max_size=3))
def test_what_was_coded_is_decoded_to_the_same_bytes(data, names):
    body = data
    for name in names:
        body = zlib.compress(body) if name == "deflate" else gzip.compress(body, mtime=0)
    assert Decoded(data) == decode(body, tuple(names))


CEILINGS = [
    (GZIP, ("gzip",), len(TEXT), Decoded(TEXT)),
    (GZIP, ("gzip",), len(TEXT) - 1, Decoded(TEXT[:-1], limit=True)),
    (GZIP, ("gzip",), 10, Decoded(TEXT[:10], limit=True)),
    (GZIP, ("gzip",), 0, Decoded(b"", limit=True)),
    (GZIP + GZIP, ("gzip",), len(TEXT), Decoded(TEXT, limit=True)),
    (zlib.compress(TEXT), ("deflate",), 10, Decoded(TEXT[:10], limit=True)),
    (raw_deflate(TEXT), ("deflate",), 10, Decoded(TEXT[:10], limit=True)),
    (gzip.compress(b"\0" * 10_000_000, mtime=0), ("gzip",), 1000, Decoded(bytes(1000), limit=True)),
]


@pytest.mark.parametrize("body, names, ceiling, expected", CEILINGS)
def test_no_more_is_decoded_than_the_ceiling(body, names, ceiling, expected):
    assert expected == decode(body, names, ceiling)


def test_the_ceiling_holds_for_what_an_inner_coding_decodes_to():
    inner = gzip.compress(bytes(10_000_000))
    assert Decoded(inner[:100], limit=True) == decode(gzip.compress(inner, mtime=0), ("gzip", "gzip"), 100)


@pytest.mark.parametrize("body, name", [(GZIP, "gzip"), (zlib.compress(TEXT), "deflate")])
def test_a_truncated_body_is_a_fault_and_what_came_is_kept(body, name):
    decoded = decode(body[:-9], (name,))
    assert "the coded body ends before its coding does" == decoded.fault
    assert TEXT.startswith(decoded.body)
    assert decoded.body


def test_a_second_gzip_member_may_be_what_is_truncated():
    assert Decoded(TEXT, "the coded body ends before its coding does") == decode(GZIP + GZIP[:5], ("gzip",))


GARBAGE = [(b"{}", "gzip"), (b"\x1f\x8bno", "gzip"), (b'{"a":1}', "deflate"), (b"\xff" * 9, "deflate")]


@pytest.mark.parametrize("body, name", GARBAGE)
def test_a_body_that_was_never_coded_is_a_fault(body, name):
    decoded = decode(body, (name,))
    assert (b"", True, False) == (
        decoded.body,
        decoded.fault.startswith("the content coding does not decode: "),
        decoded.limit,
    )


def test_what_follows_the_last_gzip_member_is_a_fault():
    decoded = decode(GZIP + b"tail", ("gzip",))
    assert TEXT == decoded.body
    assert decoded.fault.startswith("the content coding does not decode: ")


def test_a_wrong_checksum_is_a_fault():
    assert decode(GZIP[:-8] + bytes(8), ("gzip",)).fault is not None


@pytest.mark.parametrize("name", ["br", "zstd", "compress", "rot13"])
def test_a_coding_that_is_not_known_is_a_fault(name):
    expected = Decoded(b"", f"the content coding {name} is not one that this suite can undo")
    assert expected == decode(b"abc", (name,))


@given(st.binary(), st.sampled_from(["gzip", "deflate"]))
def test_any_bytes_decode_to_at_most_the_ceiling(body, name):
    assert len(decode(body, (name,), 100).body) <= 100
