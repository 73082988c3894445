"""One request, and every byte that comes back: how it went out, what is kept, and how it ended."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
import subprocess
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconform.capture import transport as module
from chatconform.capture.transport import (
    EVENTS,
    HEADER_BYTES,
    INTERIM_ANSWERS,
    LARGE,
    Limits,
    Message,
    Received,
    Transport,
)
from chatconform.model import InputError, SuiteError
from loopback import LIMITS, OK, Connection, Server, exchange

CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
FIVE = OK + b"Content-Length: 5\r\n\r\n"
SHORT = Limits(total_s=20, idle_s=1, body_bytes=1000)
KEY = "sk-test-0123456789abcdef"


async def reset_in_the_body(connection: Connection) -> None:
    await connection.say(FIVE + b"ab")
    await connection.pause()
    connection.reset()


async def reset_at_once(connection: Connection) -> None:
    connection.reset()


async def held_after_the_header(connection: Connection) -> None:
    await connection.say(FIVE + b"ab")
    await connection.hold()


async def silent(connection: Connection) -> None:
    await connection.hold()


ENDINGS = {
    "Content-Length": ([FIVE + b"abcde"], "complete", 200, b"abcde", None),
    "chunks": ([CHUNKED + b"2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n"], "complete", 200, b"abcde", None),
    "trailers": ([CHUNKED + b"2\r\nab\r\n0\r\nX: y\r\n\r\n"], "complete", 200, b"ab", None),
    "until it closes": ([OK + b"\r\nabcde"], "complete", 200, b"abcde", None),
    "HTTP/1.0": ([b"HTTP/1.0 200 OK\r\n\r\nabcde"], "complete", 200, b"abcde", None),
    "no body": ([b"HTTP/1.1 204 No Content\r\n\r\n"], "complete", 204, b"", None),
    "no reason": ([b"HTTP/1.1 500\r\nContent-Length: 0\r\n\r\n"], "complete", 500, b"", None),
    "interim": ([b"HTTP/1.1 103 Early Hints\r\n\r\n", FIVE + b"abcde"], "complete", 200, b"abcde", None),
    "another protocol": ([b"HTTP/1.1 101 Switching\r\n\r\n"], "malformed", None, None, "SWITCH"),
    "less than its length": ([FIVE + b"ab"], "truncated", 200, b"ab", "without sending complete message body"),
    "no last chunk": ([CHUNKED + b"2\r\nab\r\n"], "truncated", 200, b"ab", "incomplete chunked read"),
    "half a chunk": ([CHUNKED + b"9\r\nab"], "truncated", 200, b"ab", "incomplete chunked read"),
    "half a chunk's size": ([CHUNKED + b"2\r\nab\r\n1"], "truncated", 200, b"ab", "closed"),
    "half a header": ([OK + b"Content-"], "truncated", 200, b"", "without sending a response"),
    "nothing": ([], "truncated", None, None, "without sending a response"),
    "bad chunk": ([CHUNKED + b"2\r\nab\r\nzz\r\n"], "malformed", 200, b"ab", "illegal chunk header"),
    "bad field": ([OK + b"Bad Name: x\r\n\r\n"], "malformed", 200, b"", "illegal header line"),
    "two lengths": (
        [OK + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab"],
        "malformed",
        200,
        b"",
        "Content-Length",
    ),
    "no HTTP": ([b"SSH-2.0-OpenSSH\r\n\r\n"], "malformed", None, None, "illegal status line"),
    "reset in the body": (reset_in_the_body, "reset", 200, b"ab", None),
    "reset before it": (reset_at_once, "reset", None, None, None),
}


@pytest.mark.parametrize("answer, end, status, body, note", ENDINGS.values(), ids=ENDINGS)
def test_an_exchange_ends_as_its_bytes_say(answer, end, status, body, note):
    received = exchange(answer)
    response = received.response
    assert (end, status, body) == (received.end, response and response.status, response and response.body)
    assert note is None or note in received.note


TIMEOUTS = {"in the body": (held_after_the_header, b"ab"), "before the status line": (silent, None)}


@pytest.mark.parametrize("answer, body", TIMEOUTS.values(), ids=TIMEOUTS)
def test_an_answer_that_stops_is_a_timeout(answer, body):
    received = exchange(answer, SHORT)
    expected = ("timeout", "nothing moved for 1 s", body)
    assert expected == (received.end, received.note, received.response and received.response.body)


async def a_long_field(connection: Connection) -> None:
    await connection.say(OK + b"X: " + b"y" * (HEADER_BYTES - 100))
    await connection.pause()
    await connection.say(b"y" * HEADER_BYTES)
    await connection.hold()


def drip(opening: bytes, drop: bytes, pause_s: float):
    async def answer(connection: Connection) -> None:
        await connection.say(opening)
        while True:
            await connection.say(drop)
            await connection.pause(pause_s)

    return answer


HOSTILE = {
    "a slow drip": (drip(OK + b"\r\n", b"a", 0.05), "total_s"),
    "a slow header": (drip(OK, b"X: y\r\n", 0.05), "total_s"),
    "a body without end": (drip(OK + b"\r\n", b"a" * 65_536, 0), "body_mib"),
    "blank lines without end": (drip(OK + b"\r\n", b"\n" * 65_536, 0), "events"),
    "bare carriage returns": (drip(OK + b"\r\n", b"\r" * 65_536, 0), "events"),
    "blank lines in CRLF": (drip(OK + b"\r\n", b"\r\n" * 32_768, 0), "events"),
    "a header without end": (drip(OK, b"X: y\r\n" * 1000, 0), "header_bytes"),
    "a field without end": (drip(OK + b"X: ", b"y" * 65_536, 0), "header_bytes"),
    "a field that is longer than can be read": (a_long_field, "header_bytes"),
    "interim answers without end": (drip(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0), "interim"),
}


@pytest.mark.parametrize("answer, limit", HOSTILE.values(), ids=HOSTILE)
def test_what_has_no_end_is_ended_by_a_limit(answer, limit):
    total_s = 0.7 if limit == "total_s" else 20
    received = exchange(answer, Limits(total_s, idle_s=20, body_bytes=400_000))
    assert f"limit:{limit}" == received.end


def test_a_body_is_kept_up_to_its_limit_and_no_further():
    received = exchange([OK + b"\r\n", b"a" * 1500], SHORT)
    response = received.response
    assert ("limit:body_mib", 1000, 1000) == (
        received.end,
        len(response.body),
        sum(count for _, count in response.reads),
    )


def test_what_comes_after_the_limit_is_reached_is_the_limit():
    async def answer(connection: Connection) -> None:
        await connection.say(OK + b"\r\n" + b"a" * 1000)
        await connection.pause()
        await connection.say(b"a")

    received = exchange(answer, SHORT)
    assert ("limit:body_mib", 1000) == (received.end, sum(count for _, count in received.response.reads))


def test_a_body_of_just_the_limit_is_whole():
    assert "complete" == exchange([OK + b"Content-Length: 1000\r\n\r\n", b"a" * 1000], SHORT).end


def test_as_many_events_as_may_come_are_whole():
    received = exchange([OK + b"\r\n", b"data: 1\n\n" * EVENTS])
    assert ("complete", 9 * EVENTS) == (received.end, len(received.response.body))


def test_as_many_interim_answers_as_may_come_are_passed_over():
    received = exchange([b"HTTP/1.1 100 Continue\r\n\r\n" * INTERIM_ANSWERS + FIVE + b"abcde"])
    assert ("complete", b"abcde") == (received.end, received.response.body)


def test_a_header_of_just_the_limit_is_read():
    room = HEADER_BYTES - len(OK + b"X: \r\nContent-Length: 0\r\n\r\n")
    received = exchange([OK + b"X: " + b"y" * room + b"\r\nContent-Length: 0\r\n\r\n"])
    assert ("complete", room) == (received.end, len(received.response.headers[0][1]))


def test_fields_are_kept_as_they_came_in_case_and_order():
    received = exchange([OK + b"X-Two: 1\r\nx-one:  a b \r\nX-two: caf\xe9\r\nContent-Length: 0\r\n\r\n"])
    expected = (("X-Two", "1"), ("x-one", "a b"), ("X-two", "café"), ("Content-Length", "0"))
    assert (expected, "1.1") == (received.response.headers, received.response.http_version)


def test_a_coded_body_is_kept_as_it_came():
    coded = bytes.fromhex("1f8b0800000000000003abae0500b7ac4bd402000000")
    received = exchange([OK + b"Content-Encoding: gzip\r\n\r\n" + coded])
    assert coded == received.response.body


def test_the_reads_are_the_whole_body_in_the_order_of_time():
    async def answer(connection: Connection) -> None:
        await connection.say(CHUNKED)
        for _ in range(3):
            await connection.pause()
            await connection.say(b"2\r\nab\r\n3\r\ncde\r\n")
        await connection.say(b"0\r\n\r\n")

    response = exchange(answer).response
    times = [response.headers_after, *(time for time, _ in response.reads)]
    assert ([5, 5, 5], True) == ([count for _, count in response.reads], all(a < b for a, b in pairwise(times)))


def test_times_are_microseconds_from_when_the_request_was_sent():
    async def answer(connection: Connection) -> None:
        await connection.pause(0.2)
        await connection.say(FIVE + b"abcde")

    response = exchange(answer).response
    assert 100_000 <= response.headers_after <= response.reads[0][0]


def sent(headers=(), body=b"{}", method="POST", answers=([FIVE + b"abcde"],), times=1) -> list[bytes]:
    async def run() -> list[bytes]:
        async with Server(*answers).running() as server, Transport() as transport:
            for _ in range(times):
                await transport.exchange(Message(method, f"{server.url}/chat/completions", headers, body), LIMITS)
            return [request.replace(server.url[7:-3].encode(), b"HOST") for request in server.requests]

    return asyncio.run(run())


def test_a_request_goes_out_to_the_byte():
    body = b'{"a" : "\xc3\xa9\xff"}'
    expected = (
        b"POST /v1/chat/completions HTTP/1.1\r\nHost: HOST\r\nConnection: keep-alive\r\n"
        b"Accept: */*\r\nAccept-Encoding: identity\r\nUser-Agent: chatconform\r\n"
        b"X-Trace-ID: 1\r\nAuthorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (KEY.encode(), len(body), body)
    )
    assert [expected] == sent((("X-Trace-ID", "1"), ("Authorization", f"Bearer {KEY}")), body)


def test_a_request_without_a_body_says_nothing_of_one():
    request = sent(method="GET", body=b"")[0]
    assert (b"GET ", False, True) == (request[:4], b"Content-Length" in request, request.endswith(b"\r\n\r\n"))


def test_a_redirect_is_recorded_and_not_followed():
    answers = [b"HTTP/1.1 307 Moved\r\nLocation: /v1/elsewhere\r\nContent-Length: 2\r\n\r\nno"]
    assert 1 == len(sent(answers=[answers]))
    received = exchange(answers)
    expected = ("complete", 307, ("Location", "/v1/elsewhere"), b"no")
    response = received.response
    assert expected == (received.end, response.status, response.headers[0], response.body)


def test_a_location_that_is_no_url_is_recorded_like_any_other():
    received = exchange([b"HTTP/1.1 302 Found\r\nLocation: http://[::1\r\nContent-Length: 2\r\n\r\nno"])
    expected = ("complete", ("Location", "http://[::1"), b"no")
    assert expected == (received.end, received.response.headers[0], received.response.body)


def test_a_cookie_is_not_sent_back():
    answer = [OK + b"Set-Cookie: a=b; Path=/\r\nContent-Length: 0\r\n\r\n"]
    assert [False, False] == [b"cookie" in request.lower() for request in sent(answers=[answer], times=2)]


def test_what_follows_one_answer_does_not_run_into_the_next():
    async def run():
        longer = [OK + b"Content-Length: 2\r\n\r\nabcde"]
        async with Server(longer, [FIVE + b"12345"]).running() as server, Transport() as transport:
            return [await transport.exchange(Message("GET", server.url), LIMITS) for _ in range(2)]

    assert [("complete", b"ab"), ("complete", b"12345")] == [
        (each.end, each.response.body) for each in asyncio.run(run())
    ]


def asked(url: str, limits: Limits = LIMITS):
    async def run():
        async with Transport() as transport:
            return await transport.exchange(Message("GET", url), limits)

    return asyncio.run(run())


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return taken.getsockname()[1]


def test_a_port_where_nobody_listens_refuses():
    received = asked(f"http://127.0.0.1:{free_port()}/v1")
    assert (None, "unreachable:refused") == (received.response, received.end)


def test_a_name_with_several_addresses_where_nobody_listens_refuses(monkeypatch):
    def resolve(_host: str, port: int, *_: object, **__: object):
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.0.{last}", port)) for last in (1, 2)]

    port = free_port()
    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    assert "unreachable:refused" == asked(f"http://two.invalid:{port}/v1").end


def test_a_name_that_does_not_resolve_is_told_apart(monkeypatch):
    def resolve(*_: object, **__: object):
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    received = asked("http://nothing.invalid/v1")
    assert (None, "unreachable:dns") == (received.response, received.end)


def test_a_url_that_cannot_be_asked_is_told_apart():
    assert ["unreachable:url"] * 2 == [asked(url).end for url in ("ftp://127.0.0.1/", "http://[::1/")]


def test_plain_text_on_an_https_url_is_a_failure_of_tls():
    async def run():
        async def handle(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0)
        async with server, Transport() as transport:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            return await transport.exchange(Message("GET", url), LIMITS)

    received = asyncio.run(run())
    assert (None, "unreachable:tls") == (received.response, received.end)


def test_a_connection_that_does_not_come_about_is_a_timeout_of_its_own():
    async def run():
        async with Server(silent).running() as server, Transport() as transport:
            return await transport.exchange(Message("GET", server.url.replace("http:", "https:")), SHORT)

    received = asyncio.run(run())
    assert (None, "unreachable:timeout") == (received.response, received.end)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that nobody trusts yet, and its private key."""
    folder = tmp_path_factory.mktemp("tls")
    files = folder / "certificate.pem", folder / "private.pem"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    names = ["-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1", "-days", "30"]
    try:
        subprocess.run([*command, *names, "-out", files[0], "-keyout", files[1]], check=True, capture_output=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.skip("no openssl here that makes certificates")
    return files


def over_tls(certificate):
    async def run():
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(*certificate)

        async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(FIVE + b"abcde")
            await writer.drain()
            writer.close()

        server = await asyncio.start_server(handle, "127.0.0.1", 0, ssl=context)
        async with server, Transport() as transport:
            url = f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1"
            return await transport.exchange(Message("GET", url), LIMITS)

    return asyncio.run(run())


def test_a_certificate_that_is_not_trusted_is_refused(certificate):
    received = over_tls(certificate)
    assert (None, "unreachable:tls") == (received.response, received.end)


def test_a_certificate_of_ssl_cert_file_is_trusted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))
    received = over_tls(certificate)
    assert ("complete", b"abcde") == (received.end, received.response.body)
    assert [5] == [count for _, count in received.response.reads]


def test_a_proxy_of_the_environment_is_asked(monkeypatch):
    async def run():
        async with Server([FIVE + b"abcde"]).running() as proxy:
            monkeypatch.setenv("HTTP_PROXY", proxy.url)
            async with Transport() as transport:
                received = await transport.exchange(Message("GET", "http://example.invalid/v1"), LIMITS)
            return received.end, proxy.requests[0].split(b"\r\n")[0]

    assert ("complete", b"GET http://example.invalid/v1 HTTP/1.1") == asyncio.run(run())


def test_a_proxy_that_refuses_to_connect_is_told_apart(monkeypatch):
    async def run():
        async with Server([b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"]).running() as proxy:
            monkeypatch.setenv("HTTPS_PROXY", proxy.url)
            async with Transport() as transport:
                return await transport.exchange(Message("GET", "https://example.invalid/v1"), LIMITS)

    received = asyncio.run(run())
    assert (None, "unreachable:proxy") == (received.response, received.end)


ENVIRONMENTS = [
    ("SSL_CERT_FILE", "/nowhere/certificates.pem", "SSL_CERT_FILE"),
    ("ALL_PROXY", "gopher://user:secret@127.0.0.1", "proxy"),
    ("HTTPS_PROXY", "http://[::1", "proxy"),
]


@pytest.mark.parametrize("name, value, word", ENVIRONMENTS)
def test_an_environment_that_cannot_be_used_is_an_input_error(monkeypatch, name, value, word):
    monkeypatch.setenv(name, value)
    with pytest.raises(InputError) as caught:
        Transport()
    assert (True, False) == (word in caught.value.problem, "secret" in str(caught.value))


def test_cancelling_ends_the_exchange_and_closes_the_connection():
    async def run() -> bool:
        closed, begun = asyncio.Event(), asyncio.Event()

        async def answer(connection: Connection) -> None:
            begun.set()
            await connection.hold()
            closed.set()

        async with Server(answer).running() as server, Transport() as transport:
            asking = asyncio.create_task(transport.exchange(Message("GET", server.url), LIMITS))
            await begun.wait()
            asking.cancel()
            await asyncio.wait([asking])
            async with asyncio.timeout(20):
                await closed.wait()
            return asking.cancelled()

    assert asyncio.run(run())


def test_httpx_logs_nothing_while_a_transport_is_open_and_as_before_after_it(caplog):
    caplog.set_level(logging.DEBUG)
    names = ("httpx", "httpcore.http11", "httpcore.connection")
    for name in names:
        caplog.set_level(logging.DEBUG, logger=name)
    exchange([OK + b"X: %s\r\nContent-Length: 0\r\n\r\n" % KEY.encode()], headers=(("Authorization", KEY),))
    assert [] == [record for record in caplog.records if record.name in names]
    assert [False] * 3 == [logging.getLogger(name).disabled for name in names]


def test_a_message_does_not_show_its_headers():
    assert KEY not in repr(Message("GET", "http://127.0.0.1/", (("Authorization", KEY),)))


def test_what_nobody_foresaw_is_raised_without_what_was_sent(monkeypatch):
    def broken(*_: object):
        raise RuntimeError(KEY)

    monkeypatch.setattr(module, "_blank_lines", broken)
    with pytest.raises(SuiteError) as caught:
        exchange([FIVE + b"abcde"])
    assert (False, True) == (KEY in str(caught.value), "RuntimeError" in str(caught.value))


WORDS = ("complete", "truncated", "malformed", "reset", "timeout", "limit:header_bytes", "limit:interim")
LINES = (OK, b"HTTP/1.1 100 Continue\r\n\r\n", b"Transfer-Encoding: chunked\r\n", b"Content-Length: 3\r\n", b"\r\n",
         b"Location: //[\r\n", b"Set-Cookie: =;;\r\n", b"5\r\nabcde\r\n", b"0\r\n\r\n", b"HTTP/1.1 999 \xff\r\n",
         b"Content-Type: text/html; charset=utf-99\r\n")  # fmt: skip


@settings(max_examples=40)
@given(st.lists(st.sampled_from(LINES) | st.binary(max_size=40), max_size=8))
def test_no_bytes_raise(pieces):
    assert exchange(pieces, SHORT).end in WORDS


def growing(grow) -> Received:
    """Return what comes of a body that is a little larger than large, at once, where it may not take long."""
    body = b"x" * (LARGE + 1)

    async def run() -> Received:
        answer = [OK + b"Content-Length: %d\r\n\r\n" % len(body), body]
        async with Server(answer).running() as server, Transport() as transport:
            return await transport.exchange(Message("GET", server.url), Limits(1, 1, 2 * LARGE), grow)

    return asyncio.run(run())


def test_the_time_that_a_large_body_waits_for_its_place_is_not_the_endpoints():
    async def grow() -> None:
        placed = asyncio.Event()
        asyncio.get_running_loop().call_later(1.5, placed.set)
        await placed.wait()

    received = growing(grow)
    assert ("complete", LARGE + 1) == (received.end, len(received.response.body))


def test_a_body_for_which_there_is_no_place_ends_at_the_limit_that_is_named():
    async def grow() -> str:
        return "answer_bytes"

    received = growing(grow)
    assert ("limit:answer_bytes", True) == (received.end, LARGE < len(received.response.body))
