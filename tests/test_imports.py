"""What curl printed: read into an exchange, written without the secrets."""

import base64
import contextlib
import gzip
import json
import os
import zlib
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconform.model import Exchange, InputError, Origin, Place, Request, Response
from chatconform.recordings.imports import MAX_BYTES, MAX_HEADERS, import_file, parse_curl
from chatconform.recordings.store import load
from chatconform.wire.transcript import Kind, read

ASKED = {"model": "small", "messages": [{"role": "user", "content": "Hello"}]}
URL = "https://api.acme.example/v1/chat/completions"


def parsed(data, request=None, url=URL):
    return parse_curl(data, request, identifier="x", provider="acme", url=url, source="answer.txt")


def refusal(data):
    with pytest.raises(InputError) as caught:
        parsed(data)
    return caught.value


def test_what_curl_printed_is_an_exchange():
    printed = (
        b"HTTP/1.1 200 OK\r\n"
        b"Content-Type: application/json\r\n"
        b"content-length:   999  \r\n"
        b"Transfer-Encoding: chunked\r\n"
        b"X-Empty:\r\n"
        b"X-Twice: 1\r\n"
        b"x-twice: a:b\r\n"
        b"\r\n"
        b'{"id": "a"}\r\n'
    )
    headers = (
        ("Content-Type", "application/json"),
        ("content-length", "999"),
        ("Transfer-Encoding", "chunked"),
        ("X-Empty", ""),
        ("X-Twice", "1"),
        ("x-twice", "a:b"),
    )
    expected = Exchange(
        id="x",
        provider="acme",
        request=Request("POST", URL, (), ASKED),
        response=Response(200, headers, b'{"id": "a"}\r\n', "1.1"),
        origin=Origin.IMPORTED,
        source="answer.txt",
    )
    assert expected == parsed(printed, ASKED)


STATUS_LINES = [
    (b"HTTP/1.1 200 OK", ("1.1", 200)),
    (b"HTTP/1.0 404 Not Found", ("1.0", 404)),
    (b"HTTP/2 200 ", ("2", 200)),
    (b"HTTP/2 429", ("2", 429)),
    (b"HTTP/3 503 ", ("3", 503)),
    (b"HTTP/1.1 200", ("1.1", 200)),
    (b"HTTP/1.1 200 \xc3\xa9\xff", ("1.1", 200)),
    (b"HTTP/1.1 999 Blocked", ("1.1", 999)),
]


@pytest.mark.parametrize("line", [b"\r\n", b"\n"])
@pytest.mark.parametrize("status_line, expected", STATUS_LINES)
def test_the_status_line_tells_version_and_status(status_line, expected, line):
    response = parsed(status_line + line + b"A: b" + line + line + b"body").response
    assert (*expected, (("A", "b"),), b"body") == (
        response.http_version,
        response.status,
        response.headers,
        response.body,
    )


def test_lines_of_the_header_may_end_differently():
    assert (("A", "1"), ("B", "2")) == parsed(b"HTTP/1.1 200 OK\nA: 1\r\nB: 2\n\r\n").response.headers


FIELD_LINES = [
    (b"X: a\r\n\tb\r\n  c\r\n", (("X", "a b c"),)),
    (b"X:\r\n a\r\n", (("X", "a"),)),
    (b"X: \xe9\xff\r\n", (("X", "éÿ"),)),
    (b"X : a\r\n", (("X", "a"),)),
    (b"X: a\rb\r\n", (("X", "a\rb"),)),
    (b"X: \x0b\r\n", (("X", "\x0b"),)),
    (b"", ()),
]


@pytest.mark.parametrize("lines, expected", FIELD_LINES)
def test_a_field_value_is_read_byte_for_byte_and_folded_lines_are_joined(lines, expected):
    assert expected == parsed(b"HTTP/1.1 200 OK\r\n" + lines + b"\r\n").response.headers


TYPED = b"Content-Type: text/plain\r\n"
BEFORE = [
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 100 Continue\n\n",
    b"HTTP/2 103 \r\nlink: </x>\r\n\r\n",
    b"HTTP/1.1 200 Connection established\r\n\r\n",
    b"HTTP/1.1 200 Connection established\r\nVia: proxy\r\nContent-Length: 0\r\n\r\n",
    b"HTTP/1.1 301 Moved\r\nLocation: /y\r\nContent-Length: 9\r\n" + TYPED + b"\r\n",
    b"HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 9\r\n\r\n",
    b"HTTP/1.1 401 Unauthorized\r\n" + TYPED + b"\r\n",
    b"HTTP/1.1 200 Connection established\r\n\r\nHTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\n\r\n",
]


@pytest.mark.parametrize("before", BEFORE)
def test_the_last_header_is_the_answers(before):
    response = parsed(before + b"HTTP/2 201 \r\nA: b\r\n\r\nbody").response
    assert Response(201, (("A", "b"),), b"body", "2") == response


ANSWERS = [
    b"HTTP/1.1 200 OK\r\n" + TYPED + b"\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Length: 19\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"HTTP/1.1 500 Oops\r\n\r\n",
]


@pytest.mark.parametrize("header", ANSWERS)
def test_a_body_that_begins_like_a_header_stays_a_body(header):
    assert b"HTTP/1.1 200 OK\r\n\r\n" == parsed(header + b"HTTP/1.1 200 OK\r\n\r\n").response.body


@given(st.binary())
def test_the_body_is_kept_byte_for_byte(body):
    assert body == parsed(b"HTTP/1.1 200 OK\r\n" + TYPED + b"\r\n" + body).response.body


@given(st.binary() | st.binary().map(b"HTTP/1.1 200 OK\r\n".__add__))
def test_any_bytes_are_an_exchange_or_refused(data):
    with contextlib.suppress(InputError):
        assert 200 <= parsed(data).response.status <= 999


REQUESTS = [
    (ASKED, ("POST", ASKED)),
    ([], ("POST", [])),
    ("text", ("POST", b'"text"')),
    (None, ("GET", None)),
]


@pytest.mark.parametrize("request_, expected", REQUESTS)
def test_the_request_is_a_post_of_its_json_or_a_get_without(request_, expected):
    request = parsed(b"HTTP/1.1 200 OK\r\n\r\n", request_).request
    assert (*expected, ()) == (request.method, request.body, request.headers)


def test_an_address_that_is_not_known_is_empty():
    assert "" == parsed(b"HTTP/1.1 200 OK\r\n\r\n", url=None).request.url


RUN = "run curl with -i and let it write the file: curl -i -o FILE, or curl -N -i -o FILE for a stream"
BODY = "begins with a body where the status line is expected: curl ran without -i"
NO_STATUS_LINE = "does not begin with a status line such as HTTP/1.1 200 OK"
CUT = "ends within the header: the blank line after it is missing"
NO_FIELD = "is no header field"
REFUSED = [
    (b"", 1, "is empty"),
    (b"\r\n \n", 1, "is empty"),
    (b'{"id": "a"}', 1, BODY),
    (b'\n  [{"id": "a"}]', 1, BODY),
    (b"data: {}\n\n", 1, BODY),
    (b": keep-alive\n\n", 1, BODY),
    (b"event: message\ndata: {}\n\n", 1, BODY),
    (b"<!DOCTYPE html>", 1, BODY),
    (b"<html>", 1, BODY),
    (b"< HTTP/1.1 200 OK\r\n\r\n", 1, NO_STATUS_LINE),
    (b"*   Trying 127.0.0.1:80...\n", 1, NO_STATUS_LINE),
    (b"curl: (7) Failed to connect\n", 1, NO_STATUS_LINE),
    (b"Content-Type: text/plain\r\n\r\n", 1, NO_STATUS_LINE),
    (b"\r\nHTTP/1.1 200 OK\r\n\r\n", 1, NO_STATUS_LINE),
    (b"HTTP/1.1 OK\r\n\r\n", 1, NO_STATUS_LINE),
    (b"HTTP/1.1 000 \r\n\r\n", 1, NO_STATUS_LINE),
    (b"HTTP/1.1 2000 \r\n\r\n", 1, NO_STATUS_LINE),
    (b"http/1.1 200 OK\r\n\r\n", 1, NO_STATUS_LINE),
    ("HTTP/1.1 200 OK\r\n\r\n".encode("utf-16"), 1, NO_STATUS_LINE),
    (b"\xef\xbb\xbfHTTP/1.1 200 OK\r\n\r\n", 1, NO_STATUS_LINE),
    (b"HTTP/1.1 200 OK", 1, CUT),
    (b"HTTP/1.1 200 OK\r\n", 2, CUT),
    (b"HTTP/1.1 200 OK\r\nA: b\r\nC: d", 3, CUT),
    (b"HTTP/1.1 200 OK\r\nA: b\r\n\r", 3, CUT),
    (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n", 5, CUT),
    (b'HTTP/1.1 200 OK\r\nA: b\r\n{"id": "a"}\r\n\r\n', 3, NO_FIELD),
    (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", 2, NO_FIELD),
    (b"HTTP/1.1 200 OK\r\n: b\r\n\r\n", 2, NO_FIELD),
    (b"HTTP/1.1 200 OK\r\nA B: c\r\n\r\n", 2, NO_FIELD),
    (b"HTTP/1.1 200 OK\r\n folded: a\r\n\r\n", 2, NO_FIELD),
    (b"HTTP/1.1 100 Continue\r\n\r\n", 2, "ends after the interim answer 100"),
    (b"HTTP/1.1 100 Continue\r\n\r\n{}", 2, "ends after the interim answer 100"),
]


@pytest.mark.parametrize("data, line, problem", REFUSED)
def test_what_is_no_header_is_refused_at_its_line(data, line, problem):
    error = refusal(data)
    assert (Place("answer.txt", line), problem, RUN) == (error.place, error.problem, error.remedy)


LONG = f"has no end of the header within {MAX_HEADERS} bytes"


@pytest.mark.parametrize("line", [b"A: b\r\n", b" folded\r\n", b"\r\nHTTP/1.1 100 Continue\r\n", b"x"])
def test_a_header_without_an_end_is_refused_before_it_is_read_whole(line):
    assert LONG == refusal(b"HTTP/1.1 100 Continue\r\nA: b\r\n" + line * (2 * MAX_HEADERS // len(line))).problem


SECRET = "sk-test/0123456789+abc=~"
PRINTED = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Key: %s\r\n\r\n%s"


@pytest.fixture
def importing(tmp_path):
    """Writes both files and imports them: a function of the bytes, the request and the arguments."""

    def run(data, request=b"{}", name="answer.txt", **arguments):
        (tmp_path / name).write_bytes(data)
        (tmp_path / "request.json").write_bytes(request)
        given_ = {"identifier": None, "provider": None, "url": None, "secrets": (), **arguments}
        return import_file(tmp_path / name, tmp_path / "request.json", tmp_path / "recording", **given_)

    return run


def imported(path):
    (exchange,) = load([path])
    return exchange


def test_an_imported_file_is_an_exchange_that_can_be_judged(importing, tmp_path):
    body = b'{"object": "chat.completion"}'
    request = json.dumps(ASKED).encode()
    path = importing(PRINTED % (b"1", body), request, provider="acme", url=URL)
    exchange = imported(path)
    expected = Exchange(
        id="answer",
        provider="acme",
        request=Request("POST", URL, (), ASKED),
        response=Response(200, (("Content-Type", "application/json"), ("X-Key", "1")), body, "1.1"),
        source="answer.txt",
        file=str(tmp_path / "recording" / "answer.json"),
        sha256=exchange.sha256,
    )
    assert (expected, Kind.ANSWER) == (exchange, read(exchange).kind)


@pytest.mark.parametrize(
    "name, identifier, expected",
    [
        ("stream.usage.txt", None, "stream.usage"),
        ("answer", None, "answer"),
        ("answer.txt", "stream.usage@1", "stream.usage@1"),
    ],
)
def test_the_id_is_the_one_given_or_the_files_name_without_suffix(importing, name, identifier, expected):
    path = importing(b"HTTP/2 200 \r\n\r\n", name=name, identifier=identifier)
    assert (f"{expected}.json", expected) == (path.name, imported(path).id)


@pytest.mark.parametrize("identifier", ["", ".", "..", "a/b", "../x", ".hidden", "a\0"])
def test_an_id_that_cannot_be_a_files_name_is_refused(importing, tmp_path, identifier):
    with pytest.raises(InputError) as caught:
        importing(b"HTTP/2 200 \r\n\r\n", identifier=identifier)
    assert f"{identifier!r} cannot be a file's name" == caught.value.problem
    assert not (tmp_path / "recording").exists()


def test_importing_the_same_again_changes_nothing(importing):
    path = importing(PRINTED % (b"1", b"{}"))
    before = path.stat().st_ino
    assert (path, before) == (importing(PRINTED % (b"1", b"{}")), path.stat().st_ino)


def huge(file):
    with file.open("wb") as written:
        written.truncate(1024**3)


UNUSABLE = {
    "a gigabyte": (huge, f"is longer than {MAX_BYTES} bytes"),
    "a pipe": (os.mkfifo, "is no regular file"),
    "a link to a device": (lambda file: file.symlink_to("/dev/zero"), "is no regular file"),
    "a folder": (lambda file: file.mkdir(), "cannot be read: Is a directory"),
    "a link to itself": (lambda file: file.symlink_to(file), "cannot be read: Too many levels of symbolic links"),
}


@pytest.mark.parametrize("name", ["answer.txt", "request.json"])
@pytest.mark.parametrize("make, problem", UNUSABLE.values(), ids=UNUSABLE)
def test_a_file_that_cannot_be_imported_is_one_error(make, problem, name, tmp_path):
    files = {"answer.txt": PRINTED % (b"1", b"{}"), "request.json": b"{}"}
    for other in files.keys() - {name}:
        (tmp_path / other).write_bytes(files[other])
    make(tmp_path / name)
    with pytest.raises(InputError) as caught:
        import_file(tmp_path / "answer.txt", tmp_path / "request.json", tmp_path, identifier="x", provider=None,
                    url=None, secrets=())  # fmt: skip
    assert (Place(str(tmp_path / name)), problem) == (caught.value.place, caught.value.problem)


def test_another_exchange_is_not_overwritten(importing):
    path = importing(PRINTED % (b"1", b"{}"))
    before = path.read_bytes()
    with pytest.raises(InputError) as caught:
        importing(PRINTED % (b"1", b"[]"))
    expected = f"{path}: is there already, with another exchange\n  remove it or give another id"
    assert (expected, before) == (str(caught.value), path.read_bytes())


SHOWN = [
    SECRET.encode(),
    quote(SECRET, safe="").encode(),
    b"sk-test%2f0123456789%2babc%3d~",
    json.dumps(SECRET)[1:-1].replace("/", "\\/").encode(),
    base64.b64encode(SECRET.encode()),
    base64.urlsafe_b64encode(SECRET.encode()),
]


@pytest.mark.parametrize("shown", SHOWN)
def test_a_secret_is_overwritten_by_as_many_stars_in_every_form(importing, shown):
    path = importing(PRINTED % (b"a " + shown, b'{"a": "%s", "b": "%s"}' % (shown, shown)), secrets=[SECRET])
    exchange, stars = imported(path), b"*" * len(shown)
    assert b'{"a": "%s", "b": "%s"}' % (stars, stars) == exchange.response.body
    assert ("X-Key", "a " + stars.decode()) == exchange.response.headers[1]
    length = len(shown)
    assert (
        {"at": "/response/headers/1/1", "bytes": [2, 2 + length]},
        {"at": "/response/body", "bytes": [7, 7 + length]},
        {"at": "/response/body", "bytes": [16 + length, 16 + 2 * length]},
    ) == exchange.redacted


@pytest.mark.parametrize("before", [b"", b":", b"ab", b"user:", b"Bearer "])
@pytest.mark.parametrize("after", [b"", b"x", b"xy", b" and more"])
def test_a_secret_within_a_text_in_base64_is_overwritten(importing, before, after):
    coded = base64.b64encode(before + SECRET.encode() + after)
    body = imported(importing(PRINTED % (b"1", coded), secrets=[SECRET])).response.body
    shown = base64.b64decode(body.replace(b"*", b"A"))
    assert (len(coded), 0) == (len(body), sum(SECRET[at : at + 3].encode() in shown for at in range(len(SECRET) - 2)))


def test_a_secret_in_the_url_and_the_request_is_overwritten_too(importing):
    request = json.dumps({"messages": [{"content": f"my key is {SECRET}."}], SECRET: 1}).encode()
    path = importing(b"HTTP/2 200 \r\n\r\n", request, url=f"{URL}?key={quote(SECRET, safe='')}", secrets=[SECRET])
    exchange, stars = imported(path), "*" * len(SECRET)
    assert {"messages": [{"content": f"my key is {stars}."}], stars: 1} == exchange.request.body
    assert f"{URL}?key={'*' * len(quote(SECRET, safe=''))}" == exchange.request.url
    assert "/request/body/messages/0/content" in [entry["at"] for entry in exchange.redacted]


@pytest.mark.parametrize("name, pack", [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_a_coded_body_that_holds_a_secret_is_stored_decoded_and_marked(importing, name, pack):
    plain = b'{"error": {"message": "bad key %s"}}'
    data = b"HTTP/1.1 401 No\r\nContent-Type: application/json\r\nContent-Encoding: %s\r\n\r\n%s"
    path = importing(data % (name.encode(), pack(plain % SECRET.encode())), secrets=[SECRET])
    exchange, expected = imported(path), plain % (b"*" * len(SECRET))
    redacted = (
        {"at": "/response/body", "decoded": [name], "headers": [["Content-Encoding", name]]},
        {"at": "/response/body", "bytes": [31, 31 + len(SECRET)]},
    )
    assert (expected, redacted) == (exchange.response.body, exchange.redacted)
    assert (expected, None) == (read(exchange).body, read(exchange).coding_fault)


def test_a_coded_body_without_a_secret_stays_as_it_came(importing):
    coded = gzip.compress(b"{}", mtime=0)
    path = importing(b"HTTP/2 200 \r\ncontent-encoding: gzip\r\n\r\n" + coded, secrets=[SECRET])
    assert (coded, ()) == (imported(path).response.body, imported(path).redacted)


def test_a_secret_in_a_request_that_is_a_json_string_is_overwritten(importing):
    path = importing(b"HTTP/2 200 \r\n\r\n", json.dumps(SECRET).encode(), secrets=[SECRET])
    assert b'"%s"' % (b"*" * len(SECRET)) == imported(path).request.body


def test_a_short_secret_is_overwritten_and_what_shares_its_letters_is_not(importing):
    body = b'{"key": "none", "coded": "%s", "finish_reason": "bm9u"}' % base64.b64encode(b"none")
    expected = b'{"key": "****", "coded": "********", "finish_reason": "bm9u"}'
    assert expected == imported(importing(PRINTED % (b"1", body), secrets=["none"])).response.body


def test_the_longer_of_two_secrets_is_overwritten_whole(importing):
    secrets = ["sk-0123456789abcdef", "sk-0123456789abcdef-and-more"]
    path = importing(PRINTED % (b"1", b'"%s"' % secrets[1].encode()), secrets=secrets)
    assert b'"%s"' % (b"*" * len(secrets[1])) == imported(path).response.body


@pytest.mark.parametrize("secrets", [[], [""], ["sk-0123456789abcdef"]])
def test_nothing_is_overwritten_where_no_secret_stands(importing, secrets):
    exchange = imported(importing(PRINTED % (b"1", b'{"total_tokens": 1, "key": "*"}'), secrets=secrets))
    assert (b'{"total_tokens": 1, "key": "*"}', ()) == (exchange.response.body, exchange.redacted)


@given(before=st.binary(), after=st.binary(), form=st.sampled_from(SHOWN))
def test_offsets_are_those_of_the_bytes_that_came(tmp_path_factory, before, after, form):
    folder = tmp_path_factory.mktemp("import")
    body = before + form + after
    (folder / "a.txt").write_bytes(PRINTED % (b"1", body))
    (folder / "r.json").write_bytes(b"{}")
    path = import_file(
        folder / "a.txt", folder / "r.json", folder, identifier=None, provider=None, url=None, secrets=[SECRET]
    )
    exchange = imported(path)
    kept = bytearray(exchange.response.body)
    for entry in exchange.redacted:
        start, end = entry["bytes"]
        assert b"*" * (end - start) == kept[start:end]
        kept[start:end] = body[start:end]
    assert (body, True) == (bytes(kept), form not in exchange.response.body)


REQUEST_FILES = [
    (b'{"a":\n 1', (2, 3), "is not JSON: Expecting ',' delimiter"),
    (b"", (1, 1), "is not JSON: no JSON value"),
    (b'{"a": "\xff"}', (1, 8), "is not JSON: not UTF-8"),
    (b"[" * 65, (None, None), "exceeds the limit on depth"),
    (b"1" * 4301, (None, None), "exceeds the limit on digits"),
    (b'{"a": NaN}', (None, None), "is not JSON: NaN is no value of it"),
    (b'{"a": 1, "a": 2}', (None, None), 'holds the key "a" twice in an object'),
]


@pytest.mark.parametrize("data, place, problem", REQUEST_FILES)
def test_a_request_that_is_no_strict_json_is_refused(importing, tmp_path, data, place, problem):
    with pytest.raises(InputError) as caught:
        importing(b"HTTP/2 200 \r\n\r\n", data)
    expected = (Place(str(tmp_path / "request.json"), *place), problem)
    assert expected == (caught.value.place, caught.value.problem)


def test_a_request_with_a_lone_surrogate_is_kept(importing):
    assert {"a": "\ud800"} == imported(importing(b"HTTP/2 200 \r\n\r\n", b'{"a": "\\ud800"}')).request.body


@pytest.mark.parametrize("absent", ["answer.txt", "request.json"])
def test_a_file_that_is_not_there_is_said(tmp_path, absent):
    for name in {"answer.txt", "request.json"} - {absent}:
        (tmp_path / name).write_bytes(b"HTTP/2 200 \r\n\r\n" if name == "answer.txt" else b"{}")
    with pytest.raises(InputError) as caught:
        import_file(
            tmp_path / "answer.txt",
            tmp_path / "request.json",
            tmp_path,
            identifier=None,
            provider=None,
            url=None,
            secrets=(),
        )
    expected = f"{tmp_path / absent}: cannot be read: No such file or directory\n  name a file that can be read"
    assert expected == str(caught.value)


def test_the_place_of_a_bad_file_is_its_path_and_line(importing, tmp_path):
    with pytest.raises(InputError) as caught:
        importing(b"HTTP/1.1 200 OK\r\nbad\r\n\r\n")
    assert Place(str(tmp_path / "answer.txt"), 2) == caught.value.place
