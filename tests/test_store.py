"""Exchange format 1: what is read, what is written, and what is said of a file that is none."""

import copy
import gzip
import io
import json
import os
import resource
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chatconform import resources
from chatconform.model import Exchange, InputError, Origin, Place, Request, Response
from chatconform.recordings import store
from chatconform.recordings.disk import write_whole
from chatconform.recordings.sources import MAX_LINE, Unreadable
from chatconform.recordings.store import (
    FORMAT,
    dump,
    load,
    path_of,
    read,
    save,
    to_json,
)

LEAST = {"format": FORMAT, "request": {}, "response": None}
FULL = {
    "format": FORMAT,
    "id": "stream.usage",
    "provider": "acme",
    "scenario": "stream.usage",
    "sample": 1,
    "attempt": 2,
    "origin": "live",
    "recorded_at": "2026-11-20T12:00:00Z",
    "model": "small",
    "note": "a note",
    "source": {"file": "x", "line": 1},
    "request": {
        "method": "POST",
        "url": "https://api.acme.example/v1/chat/completions",
        "headers": [["Content-Type", "application/json"]],
        "body": {"messages": [], "stream": True},
        "x-request": 1,
    },
    "response": {
        "http_version": "1.1",
        "status": 200,
        "headers": [["Content-Type", "text/event-stream"], ["X", "1"], ["x", "2"]],
        "headers_after": 311000,
        "body": ["data: {}\n", "\n", "data: [DONE]\n", "\n"],
        "reads": [[412000, 10], [437000, 14]],
        "x-response": None,
    },
    "end": "timeout",
    "redacted": [{"at": "/response/body", "bytes": [0, 4]}],
    "x-top": [1, {"a": None}],
}


def read_file(folder, content, name="x.json"):
    path = folder / name
    path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
    return list(read([path]))


def only(items):
    (item,) = items
    return item


def changed(record, path, value):
    record = copy.deepcopy(record)
    *parents, last = path
    inner = record
    for step in parents:
        inner = inner[step]
    inner[last] = value
    return record


def test_an_exchange_is_all_that_its_file_says(tmp_path):
    content = json.dumps(FULL).encode()
    exchange = only(read_file(tmp_path, content))
    expected = Exchange(
        id="stream.usage",
        provider="acme",
        request=Request(
            method="POST",
            url="https://api.acme.example/v1/chat/completions",
            headers=(("Content-Type", "application/json"),),
            body={"messages": [], "stream": True},
            extra={"x-request": 1},
        ),
        response=Response(
            status=200,
            headers=(("Content-Type", "text/event-stream"), ("X", "1"), ("x", "2")),
            body=b"data: {}\n\ndata: [DONE]\n\n",
            http_version="1.1",
            headers_after=311000,
            reads=((412000, 10), (437000, 14)),
            extra={"x-response": None},
        ),
        scenario="stream.usage",
        sample=1,
        attempt=2,
        origin=Origin.LIVE,
        recorded_at="2026-11-20T12:00:00Z",
        model="small",
        note="a note",
        source={"file": "x", "line": 1},
        end="timeout",
        redacted=({"at": "/response/body", "bytes": [0, 4]},),
        extra={"x-top": [1, {"a": None}]},
        file=str(tmp_path / "x.json"),
        sha256=exchange.sha256,
    )
    assert expected == exchange


def test_only_format_request_and_response_are_required(tmp_path):
    exchange = only(read_file(tmp_path, LEAST))
    expected = Exchange("x", "", Request("", ""), None, file=exchange.file, sha256=exchange.sha256)
    assert expected == exchange


def test_null_is_the_same_as_absent(tmp_path):
    keys = ("id", "provider", "scenario", "sample", "attempt", "origin", "recorded_at", "model", "note", "source",
            "end", "redacted")  # fmt: skip
    members = dict.fromkeys(("method", "url", "headers", "body", "body_base64"))
    answer = dict.fromkeys(("http_version", "headers", "headers_after", "body", "body_base64", "reads"))
    record = {**LEAST, **dict.fromkeys(keys), "request": members, "response": {"status": 200, **answer}}
    exchange = only(read_file(tmp_path, record))
    expected = Exchange("x", "", Request("", ""), Response(200), file=exchange.file, sha256=exchange.sha256)
    assert expected == exchange


def test_a_request_that_is_null_is_an_absent_request(tmp_path):
    assert Request("", "") == only(read_file(tmp_path, {**LEAST, "request": None})).request


def test_headers_that_are_absent_are_told_from_none_at_all(tmp_path):
    absent = only(read_file(tmp_path, {**LEAST, "response": {"status": 200}}))
    empty = only(read_file(tmp_path, {**LEAST, "response": {"status": 200, "headers": []}}))
    assert (None, ()) == (absent.response.headers, empty.response.headers)


@pytest.mark.parametrize("written, expected", [("post", "POST"), ("Get", "GET"), ("POST", "POST")])
def test_the_method_is_upper_cased(tmp_path, written, expected):
    assert expected == only(read_file(tmp_path, changed(FULL, ("request", "method"), written))).request.method


REQUEST_BODIES = [
    ({"body": {"a": 1}}, {"a": 1}),
    ({"body": [1]}, [1]),
    ({"body": '{"a": 1'}, b'{"a": 1'),
    ({"body": ""}, b""),
    ({"body_base64": "/w=="}, b"\xff"),
    ({"body_base64": ""}, b""),
    ({"body": None, "body_base64": "/w=="}, b"\xff"),
    ({"body": {"a": 1}, "body_base64": None}, {"a": 1}),
    ({"body": 0}, 0),
    ({}, None),
]


@pytest.mark.parametrize("members, expected", REQUEST_BODIES)
def test_a_request_body_is_a_json_value_or_exact_bytes(tmp_path, members, expected):
    assert expected == only(read_file(tmp_path, {**LEAST, "request": members})).request.body


RESPONSE_BODIES = [
    ({"body": "é\n"}, "é\n".encode()),
    ({"body": ["a\n", "b", "", "c\r\n"]}, b"a\nbc\r\n"),
    ({"body": []}, b""),
    ({"body": ""}, b""),
    ({"body_base64": "/w=="}, b"\xff"),
    ({"body": None, "body_base64": "/w=="}, b"\xff"),
    ({}, b""),
]


@pytest.mark.parametrize("members, expected", RESPONSE_BODIES)
def test_a_response_body_is_the_exact_bytes(tmp_path, members, expected):
    record = {**LEAST, "response": {"status": 200, **members}}
    assert expected == only(read_file(tmp_path, record)).response.body


ENDS = ["complete", "truncated", "reset", "timeout", "malformed", "unreachable:dns", "limit:body_mib", "limit:x:y"]


@pytest.mark.parametrize("end", ENDS)
def test_an_end_is_a_word_or_a_word_with_its_detail(tmp_path, end):
    assert end == only(read_file(tmp_path, {**LEAST, "end": end})).end


def test_a_byte_order_mark_before_an_exchange_is_ignored(tmp_path):
    assert "x" == only(read_file(tmp_path, b"\xef\xbb\xbf" + json.dumps(LEAST).encode())).id


NAMES = st.text(st.characters(codec="utf-8", min_codepoint=32, exclude_characters="/\\\x7f"), min_size=1, max_size=40)
IDS = NAMES.filter(lambda name: not name.startswith(".") and len(name.encode()) < 200)
NUMBERS = st.integers(0, 2**53 - 1)
COUNTS = st.none() | NUMBERS
TEXTS = st.none() | st.text()
LEAVES = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
JSON = st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3))
HEADERS = st.lists(st.tuples(st.text(), st.text()), max_size=4).map(tuple)
EXTRAS = st.dictionaries(st.text().map("x-".__add__), JSON, max_size=2)
REQUESTS = st.builds(
    Request,
    method=st.text().map(str.upper),
    url=st.text(),
    headers=HEADERS,
    body=st.binary() | JSON.filter(lambda value: not isinstance(value, str)),
    extra=EXTRAS,
)
RESPONSES = st.builds(
    Response,
    status=st.integers(100, 999),
    headers=st.none() | HEADERS,
    body=st.binary() | st.text().map(str.encode) | st.text("a\r\n\u2028").map(str.encode),
    http_version=TEXTS,
    headers_after=COUNTS,
    reads=st.none() | st.lists(st.tuples(NUMBERS, NUMBERS)).map(tuple),
    extra=EXTRAS,
)
EXCHANGES = st.builds(
    Exchange,
    id=IDS,
    provider=st.text(),
    request=REQUESTS,
    response=st.none() | RESPONSES,
    scenario=TEXTS,
    sample=COUNTS,
    attempt=COUNTS,
    origin=st.sampled_from(Origin),
    recorded_at=TEXTS,
    model=TEXTS,
    note=TEXTS,
    source=JSON,
    end=st.sampled_from(ENDS),
    redacted=st.lists(JSON, max_size=2).map(tuple),
    extra=EXTRAS,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("recording")


@given(exchange=EXCHANGES)
def test_what_is_saved_is_loaded_as_it_was(folder, exchange):
    path = save(exchange, folder)
    loaded = only(load([path]))
    path.unlink()
    assert replace(exchange, file=str(path), sha256=loaded.sha256) == loaded


@given(exchange=EXCHANGES)
def test_what_is_dumped_twice_is_the_same_bytes(folder, exchange):
    path = folder / "twice.json"
    path.write_bytes(dump(exchange))
    assert dump(exchange) == dump(only(load([path])))


@given(body=st.text("ab\n\r\u2028é") | st.text())
def test_a_written_body_is_split_after_each_line_feed_and_joins_to_the_bytes(body):
    written = to_json(Exchange("x", "", Request("", ""), Response(200, body=body.encode())))["response"]["body"]
    pieces = [written] if isinstance(written, str) else written
    assert body == "".join(pieces)
    assert all(piece.endswith("\n") for piece in pieces[:-1])
    assert all("\n" not in piece[:-1] for piece in pieces)


WRITTEN_BODIES = [
    (b"", {"body": ""}),
    (b"{}", {"body": "{}"}),
    (b"a\nb", {"body": ["a\n", "b"]}),
    (b"a\n", {"body": ["a\n"]}),
    (b"a\r\n\r\n", {"body": ["a\r\n", "\r\n"]}),
    (b"a\rb", {"body": "a\rb"}),
    ("é😀".encode(), {"body": "é😀"}),
    (b"\xff\n", {"body_base64": "/wo="}),
    ("é".encode()[:1], {"body_base64": "ww=="}),
]


@pytest.mark.parametrize("body, expected", WRITTEN_BODIES)
def test_a_body_is_written_as_text_and_as_base64_where_it_is_not_utf8(body, expected):
    written = to_json(Exchange("x", "", Request("", ""), Response(200, body=body)))["response"]
    assert {"status": 200, **expected} == written


@pytest.mark.parametrize("control", [b"\0", b"\x1f"])
def test_a_long_body_of_control_characters_does_not_swell(control):
    exchange = Exchange("x", "", Request("", ""), Response(200, body=control * 2 * 1024 * 1024))
    assert len(store.dump(exchange)) < 3 * 1024 * 1024


def test_an_exact_request_body_is_written_whole():
    written = to_json(Exchange("x", "", Request("POST", "", body=b"{\n}"), None))["request"]
    assert {"method": "POST", "url": "", "headers": [], "body": "{\n}"} == written


def test_lone_surrogates_of_a_request_survive(tmp_path):
    record = b'{"format": "%s", "request": {"body": {"\\ud800": "\\udfff"}}, "response": null}' % FORMAT.encode()
    exchange = only(read_file(tmp_path, record))
    assert {"\ud800": "\udfff"} == only(load([save(exchange, tmp_path / "again")])).request.body


def test_a_file_is_pretty_printed_and_ends_with_a_line_feed(tmp_path):
    exchange = Exchange("x", "acme", Request("GET", "é"), None)
    assert (json.dumps(to_json(exchange), ensure_ascii=False, indent=1) + "\n").encode() == save(
        exchange, tmp_path
    ).read_bytes()


def test_a_folder_is_read_in_the_order_of_its_names_and_those_of_its_folders(tmp_path):
    for name in ("b.json", "a/2.json", "a/10.json", "c/deep/x.json"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(LEAST))
    (tmp_path / "lines.jsonl").write_text(json.dumps({**LEAST, "id": "line"}) + "\n")
    (tmp_path / "README.md").write_text("not read")
    assert ["10", "2", "b", "x", "line"] == [exchange.id for exchange in load([tmp_path])]


def test_paths_are_read_in_the_order_given(tmp_path):
    paths = [tmp_path / "b.json", tmp_path / "a.json"]
    for path in paths:
        path.write_text(json.dumps(LEAST))
    assert ["b", "a", "b"] == [exchange.id for exchange in load([*paths, str(paths[0])])]


IDENTIFIERS = [
    ("stream.usage@1.json", LEAST, "stream.usage@1"),
    ("x.json", {**LEAST, "id": "own"}, "own"),
    ("x.json", {**LEAST, "id": ""}, "x"),
    ("noext", LEAST, "noext"),
]


@pytest.mark.parametrize("name, record, expected", IDENTIFIERS)
def test_an_exchange_without_an_id_has_that_of_its_file(tmp_path, name, record, expected):
    assert expected == only(read_file(tmp_path, record, name)).id


LINES = b"%(least)s\n\n  \r\n%(own)s\r\n%(least)s" % {
    b"least": json.dumps(LEAST).encode(),
    b"own": json.dumps({**LEAST, "id": "own"}).encode(),
}
PACKINGS = [
    ("x.jsonl", LINES),
    ("x.jsonl.gz", gzip.compress(LINES, mtime=0)),
    ("x.jsonl.gz", LINES),
    ("x.jsonl", gzip.compress(LINES, mtime=0)),
    ("x.ndjson", LINES),
]


@pytest.mark.parametrize("name, content", PACKINGS)
def test_each_line_is_an_exchange_named_by_its_own_id_or_its_line(tmp_path, name, content):
    assert [f"{name}:1", "own", f"{name}:5"] == [item.id for item in read_file(tmp_path, content, name)]


def test_standard_input_is_read_as_lines():
    assert ["-:1", "own", "-:5"] == [item.id for item in read(["-"], io.BytesIO(LINES))]


def test_the_digest_is_that_of_the_files_bytes_and_of_the_lines(tmp_path):
    alone = only(read_file(tmp_path, LEAST))
    lines = read_file(tmp_path, json.dumps(LEAST).encode() + b"\r\n", "x.jsonl")
    assert alone.sha256 == only(lines).sha256


BAD = [
    ((), None, 1, "the exchange is not an object"),
    ((), [], 1, "the exchange is not an object"),
    (("format",), "chatconform.exchange/2", 2, "/format is not chatconform.exchange/1"),
    (("format",), None, 2, "/format is not chatconform.exchange/1"),
    (("id",), 1, 3, "/id is not a string"),
    (("provider",), {}, 4, "/provider is not a string"),
    (("scenario",), [], 5, "/scenario is not a string"),
    (("sample",), -1, 6, "/sample is no count"),
    (("sample",), "1", 6, "/sample is no count"),
    (("attempt",), True, 7, "/attempt is no count"),
    (("attempt",), 1.5, 7, "/attempt is no count"),
    (("origin",), "wire", 8, "/origin is 'wire'"),
    (("origin",), 1, 8, "/origin is not a string"),
    (("recorded_at",), 1, 9, "/recorded_at is not a string"),
    (("model",), False, 10, "/model is not a string"),
    (("note",), 0, 11, "/note is not a string"),
    (("request",), "x", 16, "/request is not an object"),
    (("request",), [], 16, "/request is not an object"),
    (("request", "method"), 1, 17, "/request/method is not a string"),
    (("request", "url"), 1, 18, "/request/url is not a string"),
    (("request", "headers"), {"a": "b"}, 19, "/request/headers/0 is no pair of a name and a value"),
    (("request", "headers"), "a", 19, "/request/headers/0 is no pair of a name and a value"),
    (("request", "headers", 0), ["a"], 20, "/request/headers/0 is no pair of a name and a value"),
    (("request", "headers", 0), ["a", 1], 20, "/request/headers/0 is no pair of a name and a value"),
    (("request", "body_base64"), "", 30, "/request/body_base64 stands beside body"),
    (("response",), "x", 31, "/response is not an object"),
    (("response",), False, 31, "/response is not an object"),
    (("response", "http_version"), 1.1, 32, "/response/http_version is not a string"),
    (("response", "status"), "200", 33, "/response/status is no status code"),
    (("response", "status"), None, 33, "/response/status is no status code"),
    (("response", "status"), True, 33, "/response/status is no status code"),
    (("response", "status"), 99, 33, "/response/status is no status code"),
    (("response", "status"), 1000, 33, "/response/status is no status code"),
    (("response", "headers", 1, 0), None, 39, "/response/headers/1 is no pair of a name and a value"),
    (("response", "headers_after"), -1, 48, "/response/headers_after is no count"),
    (("response", "headers_after"), 2**53, 48, "/response/headers_after is no count"),
    (("response", "body"), {}, 49, "/response/body is neither text nor a list of text pieces"),
    (("response", "body", 1), 1, 49, "/response/body is neither text nor a list of text pieces"),
    (("response", "body", 1), "\ud800", 49, "/response/body holds a lone surrogate, which no bytes stand for"),
    (("response", "body_base64"), "/w==", 66, "/response/body_base64 stands beside body"),
    (("response", "reads"), 1, 55, "/response/reads/0 is no pair of counts"),
    (("response", "reads", 1), [1], 60, "/response/reads/1 is no pair of counts"),
    (("response", "reads", 1), [1, -1], 60, "/response/reads/1 is no pair of counts"),
    (("response", "reads", 1), [1, True], 60, "/response/reads/1 is no pair of counts"),
    (("response", "reads", 1), [10**400, 1], 60, "/response/reads/1 is no pair of counts"),
    (("response", "reads", 1), [1, 2**53], 60, "/response/reads/1 is no pair of counts"),
    (("response", "reads", 1), [1.5, 1], 60, "/response/reads/1 is no pair of counts"),
    (("end",), "done", 67, "/end is 'done'"),
    (("end",), "", 67, "/end is ''"),
    (("end",), "limit:", 67, "/end is 'limit:'"),
    (("end",), "complete:x", 67, "/end is 'complete:x'"),
    (("redacted",), {}, 68, "/redacted is not a list"),
]


@pytest.mark.parametrize("path, value, line, problem", BAD)
def test_a_value_that_the_format_does_not_have_is_refused_at_its_line(tmp_path, path, value, line, problem):
    record = changed(FULL, path, value) if path else value
    error = only(read_file(tmp_path, json.dumps(record, indent=1).encode()))
    assert (str(tmp_path / "x.json"), line, problem) == (error.place.file, error.place.line, error.problem)


def test_results_are_told_from_exchanges(tmp_path):
    error = only(read_file(tmp_path, b'{"format": "chatconform.results/1"}'))
    assert "these are results: `chatconform report` shows them" == error.remedy


@pytest.mark.parametrize("key", ["format", "request", "response"])
def test_a_required_key_that_is_missing_is_refused(tmp_path, key):
    error = only(read_file(tmp_path, {name: value for name, value in LEAST.items() if name != key}))
    problem = "/format is not chatconform.exchange/1" if key == "format" else f"/{key} is missing"
    assert (Place(str(tmp_path / "x.json"), 1, 1), problem) == (error.place, error.problem)


BASE64 = ["/w=", "/w", "a b=", "_w==", "é", "/w==\n"]


@pytest.mark.parametrize("text", BASE64)
@pytest.mark.parametrize("part", ["request", "response"])
def test_what_is_not_base64_is_refused(tmp_path, part, text):
    record = {**LEAST, part: {"status": 200, "body_base64": text}}
    assert f"/{part}/body_base64 is not base64" == only(read_file(tmp_path, record)).problem


BAD_FILES = [
    ("x.json", b'{"format":\n "chatconform.exchange/1', (2, 2), "is not JSON: Unterminated string starting at"),
    ("x.json", b"{}\n{}", (1, 3), "is not JSON: more text after the JSON value"),
    ("x.json", b"", (1, 1), "is not JSON: no JSON value"),
    ("x.json", b'{\n"\xff"}', (2, 2), "is not JSON: not UTF-8"),
    ("x.json", b"[" * 65, (1, 1), "the exchange exceeds the limit on depth"),
    ("x.json", b'{"a": %s}' % (b"1" * 4301), (1, 1), "the exchange exceeds the limit on digits"),
    ("x.jsonl", b"\n\n{]\n", (3, 2), "is not JSON: Expecting property name enclosed in double quotes"),
    ("x.jsonl", b"", (None, None), "holds no exchange"),
    ("x.jsonl", b"\n \r\n", (None, None), "holds no exchange"),
    ("x.jsonl.gz", gzip.compress(LINES[:9] * 9, mtime=0)[:-9], (None, None), "ends before its gzip stream does"),
    ("x.jsonl.gz", b"\x1f\x8b\x08\x00no gzip", (None, None), "ends before its gzip stream does"),
    ("x.jsonl.gz", b"\x1f\x8b\x09 no gzip", (None, None), "holds damaged gzip data"),
    ("x.jsonl.gz", gzip.compress(b"", mtime=0)[:10] + b"\xff" * 9, (None, None), "holds damaged gzip data"),
    ("x.jsonl.gz", b"no gzip", (1, 1), "is not JSON: Expecting value"),
]


@pytest.mark.parametrize("name, content, place, problem", BAD_FILES)
def test_a_file_that_holds_no_exchange_is_refused_at_its_place(tmp_path, name, content, place, problem):
    error = only(read_file(tmp_path, content, name))
    assert (Place(str(tmp_path / name), *place), problem) == (error.place, error.problem)


def test_a_line_that_is_too_long_is_refused_and_the_next_is_read(tmp_path):
    path = tmp_path / "x.jsonl"
    least = json.dumps(LEAST).encode()
    path.write_bytes(least + b"\n" + b"{" * (2 * MAX_LINE + 5) + b"\n" + least)
    first, error, last = read([path])
    expected = (Place(str(path), 2), f"is longer than {MAX_LINE} bytes")
    assert ("x.jsonl:1", expected, "x.jsonl:3") == (first.id, (error.place, error.problem), last.id)


def test_a_last_line_that_is_too_long_is_all_that_is_said(tmp_path):
    path = tmp_path / "x.jsonl"
    path.write_bytes(b"{" * (MAX_LINE + 1))
    assert f"is longer than {MAX_LINE} bytes" == only(read([path])).problem


def test_what_a_gzip_file_held_before_it_was_cut_is_read(tmp_path):
    lines = b"".join(b'{"n": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(900))
    packed = gzip.compress(json.dumps(LEAST).encode() + b"\n" + lines)
    *items, error = read_file(tmp_path, packed[:-20], "x.jsonl.gz")
    assert ("x.jsonl.gz:1", "ends before its gzip stream does") == (items[0].id, error.problem)


def test_a_file_after_a_bad_one_is_still_read(tmp_path):
    for name, text in (("a.json", "{"), ("b.json", json.dumps(LEAST)), ("c.jsonl", f"[]\n{json.dumps(LEAST)}")):
        (tmp_path / name).write_text(text)
    items = list(read([tmp_path / "absent", tmp_path]))
    assert [None, None, "b", None, "c.jsonl:2"] == [getattr(item, "id", None) for item in items]


def test_load_raises_at_the_first_bad_file(tmp_path):
    (tmp_path / "a.json").write_text(json.dumps(LEAST))
    (tmp_path / "b.json").write_text("{")
    items = load([tmp_path])
    assert "a" == next(items).id
    with pytest.raises(Unreadable) as caught:
        next(items)
    assert Place(str(tmp_path / "b.json"), 1, 2) == caught.value.place


def test_a_path_that_is_not_there_is_said_with_the_remedy(tmp_path):
    path = tmp_path / "absent"
    expected = f"{path}: no such file or folder\n  name a recording that exists"
    assert expected == str(only(read([path])))


def test_an_empty_folder_is_said_with_the_remedy(tmp_path):
    (tmp_path / "notes.txt").write_text("x")
    expected = f"{tmp_path}: holds no recorded exchange\n  name a folder with .json or .jsonl files in it"
    assert expected == str(only(read([tmp_path])))


def test_a_path_below_a_file_cannot_be_read(tmp_path):
    (tmp_path / "file").write_text("x")
    assert "cannot be read: Not a directory" == only(read([tmp_path / "file" / "x.json"])).problem


def test_an_exchange_is_saved_under_its_id_in_a_folder_that_is_made(tmp_path):
    folder = tmp_path / "acme" / "run"
    assert folder / "stream.usage@1.json" == save(Exchange("stream.usage@1", "", Request("", ""), None), folder)
    assert ["stream.usage@1.json"] == [path.name for path in folder.iterdir()]


NO_FILE_NAMES = ["", ".", "..", ".hidden", "a/b", "/etc/x", "a\\b", "../x", "x/", "a\0b", "a\nb", "\x7f", "\ud800"]


@pytest.mark.parametrize("identifier", NO_FILE_NAMES)
def test_an_id_that_cannot_be_a_files_name_is_refused(tmp_path, identifier):
    with pytest.raises(InputError) as caught:
        save(Exchange(identifier, "", Request("", ""), None), tmp_path)
    assert f"{identifier!r} cannot be a file's name" == caught.value.problem
    assert [] == list(tmp_path.iterdir())


@pytest.mark.parametrize("identifier", ["a", "a.b", "x:3", "stream.usage@1", "é ü", "a..b", "-"])
def test_other_ids_are_file_names(tmp_path, identifier):
    assert tmp_path / f"{identifier}.json" == path_of(identifier, tmp_path)


CANNOT = [
    ("file/x.json", "File exists"),
    ("file/deeper/x.json", "Not a directory"),
    ("folder", "Is a directory"),
    ("n" * 300, "File name too long"),
]


@pytest.mark.parametrize("name, why", CANNOT)
def test_a_place_that_cannot_be_written_is_said_and_nothing_is_left_there(tmp_path, name, why):
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder").mkdir()
    with pytest.raises(InputError) as caught:
        write_whole(tmp_path / name, b"new")
    expected = f"{tmp_path / name}: cannot be written: {why}\n  choose a folder that can be written to"
    assert (expected, "old") == (str(caught.value), (tmp_path / "file").read_text())
    assert {"file", "folder"} == {path.name for path in tmp_path.iterdir()}


@contextmanager
def full_disk():
    """No file can grow beyond 1000 bytes: not even the one that the test runner prints to, so not for long."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_the_old_file_stays_where_writing_the_new_one_fails(tmp_path):
    exchange = Exchange("x", "", Request("", ""), Response(200, body=b"old"))
    path = save(exchange, tmp_path)
    with pytest.raises(InputError) as caught, full_disk():
        save(replace(exchange, response=Response(200, body=b"n" * 5000)), tmp_path)
    assert "cannot be written: File too large" == caught.value.problem
    assert (dump(exchange), [path]) == (path.read_bytes(), list(tmp_path.iterdir()))


def test_a_saved_file_replaces_the_old_one(tmp_path):
    exchange = Exchange("x", "", Request("", ""), None)
    for note in ("old", "new"):
        path = save(replace(exchange, note=note), tmp_path)
    assert ("new", [path]) == (only(load([path])).note, list(tmp_path.iterdir()))


SCHEMA = json.loads(resources.read_text("schemas/chatconform/exchange.schema.json"))
VALIDATOR = Draft202012Validator(SCHEMA)


def loads(folder, record):
    return isinstance(only(read_file(folder, record)), Exchange)


def test_the_published_schema_is_one():
    Draft202012Validator.check_schema(SCHEMA)


def schemas_within(schema):
    yield schema
    for key in ("properties", "$defs"):
        for inner in schema.get(key, {}).values():
            yield from schemas_within(inner)
    if "items" in schema:
        yield from schemas_within(schema["items"])


def test_the_published_schema_describes_every_key():
    named = (inner for schema in schemas_within(SCHEMA) for inner in schema.get("properties", {}).values())
    assert [] == [schema for schema in named if not schema.keys() & {"description", "$ref"}]


LOADABLE = [
    LEAST,
    FULL,
    {**LEAST, "request": None},
    {**LEAST, "end": "limit:\n"},
    {**LEAST, "unknown": {"a": [1]}},
    {**LEAST, "response": {"status": 999, "body": [], "reads": [], "headers": []}},
    *({**LEAST, "request": members} for members, _ in REQUEST_BODIES),
    *({**LEAST, "response": {"status": 200, **members}} for members, _ in RESPONSE_BODIES),
]


@pytest.mark.parametrize("record", LOADABLE)
def test_schema_and_loader_accept_alike(folder, record):
    assert (True, True) == (VALIDATOR.is_valid(record), loads(folder, record))


STRICTER = ["/response/body holds a lone surrogate, which no bytes stand for"]
"""What no JSON Schema can say: the loader alone refuses it."""


@pytest.mark.parametrize(
    "record",
    [changed(FULL, path, value) if path else value for path, value, _, problem in BAD if problem not in STRICTER]
    + [{key: value for key, value in LEAST.items() if key != absent} for absent in LEAST]
    + [{**LEAST, "response": {}}],
)
def test_schema_and_loader_refuse_alike(folder, record):
    assert (False, False) == (VALIDATOR.is_valid(record), loads(folder, record))


ON_PURPOSE = [
    changed(FULL, ("response", "body"), "\ud800"),
    changed(FULL, ("response", "body"), ["\ud83d", "\ude00"]),
    {**LEAST, "request": {"body": "\ud800"}},
    {**LEAST, "request": {"body_base64": "no base64"}},
    {**LEAST, "sample": 1.0},
    {**LEAST, "response": {"status": 200.0}},
    {**LEAST, "response": {"status": 200, "reads": [[1.0, 2]]}},
    {**LEAST, "note": "\ud800", "source": json.loads("[" * 65 + "]" * 65)},
]


@pytest.mark.parametrize("record", ON_PURPOSE)
def test_the_loader_refuses_what_json_schema_cannot_tell(folder, record):
    """Lone surrogates in a body, what is no base64, whole numbers with a fraction, nesting beyond 64."""
    assert (True, False) == (VALIDATOR.is_valid(record), loads(folder, record))


def places(value, path=()):
    yield path
    if isinstance(value, dict | list):
        for step, member in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(member, (*path, step))


NEARLY = st.sampled_from([FORMAT, "complete", "limit:x", "live", 200, 0, -1, 99, [["a", "b"]], [[1, 2]], ["a"], ""])
OTHERS = st.text(st.characters(codec="utf-8")) | st.integers() | st.just(1.5) | st.booleans() | st.none()
MUTANTS = NEARLY | st.recursive(
    OTHERS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=2)
)
PATHS = [path for path in places(FULL) if path]


@st.composite
def mutated(draw):
    """A good record with one to three values replaced, taken away or added."""
    record = copy.deepcopy(FULL)
    for _ in range(draw(st.integers(1, 3))):
        *parents, last = draw(st.sampled_from(PATHS))
        inner = record
        for step in parents:
            inner = inner[step] if isinstance(inner, dict | list) and _has(inner, step) else None
        if isinstance(inner, dict) and draw(st.booleans()):
            inner.pop(last, None)
        elif isinstance(inner, dict) or (isinstance(inner, list) and _has(inner, last)):
            inner[last] = copy.deepcopy(draw(MUTANTS))
    return record


def _has(container, step):
    return step in container if isinstance(container, dict) else isinstance(step, int) and step < len(container)


@settings(max_examples=500)
@given(record=mutated())
def test_schema_and_loader_agree_on_any_change_of_a_good_record(folder, record):
    assert VALIDATOR.is_valid(record) == loads(folder, record)


@given(exchange=EXCHANGES)
def test_whatever_is_written_satisfies_the_published_schema(exchange):
    assert [] == [error.message for error in VALIDATOR.iter_errors(to_json(exchange))]


def shipped_recordings():
    return sorted(resources.path("recordings").rglob("*.json"))


@pytest.mark.parametrize("path", shipped_recordings(), ids=lambda path: "/".join(path.parts[-3:]))
def test_a_shipped_recording_satisfies_the_published_schema(path):
    assert [] == [error.message for error in VALIDATOR.iter_errors(json.loads(path.read_text(encoding="utf-8")))]


@pytest.mark.skipif("CHATCONFORM_MATERIAL" not in os.environ, reason="CHATCONFORM_MATERIAL is not set")
def test_real_captures_satisfy_schema_and_loader():
    path = Path(os.environ["CHATCONFORM_MATERIAL"]) / "corpus" / "captures.jsonl.gz"
    valid = [VALIDATOR.is_valid(json.loads(line)) for line in gzip.decompress(path.read_bytes()).splitlines()]
    assert valid == [isinstance(item, Exchange) for item in read([path])]
    assert all(valid)
