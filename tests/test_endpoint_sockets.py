"""What only a socket can show: faults of the connection, and clients that do not keep to HTTP."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from chatconform.model import Exchange, Origin, Request, Response
from chatconform.reference import delivery as deliveries
from chatconform.reference.delivery import After, Delivery
from chatconform.reference.endpoint import Endpoint
from chatconform.reference.sockets import BETWEEN_S, LATE_S, all_socket_faults
from endpoint_client import bare, connected, post, received, said, told

STREAM = said("Count from 1 to 40.", stream=True)
PLAIN = said("Count from 1 to 40.")
DONE = b"data: [DONE]"
CHUNKED = (("Content-Type", "text/event-stream"), ("Transfer-Encoding", "chunked"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with Endpoint().running() as base_url:
        yield base_url


def answer(fault: str, body: object, end: bytes = b"") -> bytes:
    """Return all that an endpoint with a fault sends; what it holds open is read up to `end`."""
    with Endpoint(faults=[fault]).running() as base_url, connected(base_url) as connection:
        connection.sendall(bare(body))
        found = bytearray()
        while end and end not in found:
            found += connection.recv(65_536)
        if end:
            connection.shutdown(socket.SHUT_WR)
        return bytes(found) + received(connection)


def content(wire: bytes) -> bytes:
    return wire.partition(b"\r\n\r\n")[2]


def length_of(wire: bytes) -> int:
    head = wire.partition(b"\r\n\r\n")[0].decode().lower().split("\r\n")
    return next(int(line.partition(":")[2]) for line in head if line.startswith("content-length:"))


def test_a_good_stream_ends_with_the_last_chunk(url: str) -> None:
    assert told(url, bare(STREAM)).endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_truncated_chunks_lack_the_rest_and_the_last_chunk() -> None:
    wire = answer("socket.chunks.truncated", STREAM)
    assert (False, True) == (DONE in wire, wire.endswith(b"\n\n\r\n"))


def test_unended_chunks_lack_the_last_chunk_alone() -> None:
    assert answer("socket.chunks.unended", STREAM).endswith(b"data: [DONE]\n\n\r\n")


def test_a_malformed_chunk_has_a_size_that_is_no_number() -> None:
    assert answer("socket.chunks.malformed", STREAM).endswith(b"\r\nsize\r\nunknown\r\n")


def test_a_content_length_that_is_too_long() -> None:
    wire = answer("socket.length.long", PLAIN)
    assert length_of(wire) > len(content(wire))


def test_a_content_length_that_is_too_short() -> None:
    wire = answer("socket.length.short", PLAIN)
    assert length_of(wire) < len(content(wire))


def test_a_content_length_beside_chunks() -> None:
    assert 1 == length_of(answer("socket.length.both", STREAM))


def test_a_held_connection_gets_everything_but_the_end_of_the_body() -> None:
    assert answer("socket.held", STREAM, DONE).endswith(b"data: [DONE]\n\n\r\n")


def test_a_stalled_stream_stops_in_its_middle() -> None:
    assert DONE not in answer("socket.stalled", STREAM, b"data: ")


@pytest.mark.parametrize("body", [STREAM, PLAIN])
def test_a_reset_comes_in_the_middle_of_the_body(body: object) -> None:
    wire = answer("socket.reset", body)
    assert (True, False) == (wire.endswith(b"<reset>"), b"[DONE]" in wire)


def test_a_reset_comes_before_the_status_line() -> None:
    assert b"<reset>" == answer("socket.reset_first", PLAIN)


def test_a_dropped_connection_gets_nothing() -> None:
    assert b"" == answer("socket.dropped", PLAIN)


def test_a_silent_endpoint_sends_nothing_and_waits_for_the_client() -> None:
    with Endpoint(faults=["socket.silent"]).running() as base_url, connected(base_url) as connection:
        connection.sendall(bare(PLAIN))
        connection.shutdown(socket.SHUT_WR)
        assert b"" == received(connection)


def test_a_stream_is_silent_where_a_plain_answer_is_not() -> None:
    with Endpoint(faults=["socket.stream.silent"]).running() as base_url:
        assert (b"", True) == (told(base_url, bare(STREAM)), told(base_url, bare(PLAIN)).startswith(b"HTTP/1.1 200"))


def test_a_header_is_cut() -> None:
    assert b"\r\n\r\n" not in answer("socket.header.cut", PLAIN)


def test_hints_come_before_the_answer() -> None:
    assert answer("socket.hints", PLAIN, b"}}").startswith(b"HTTP/1.1 103 Early Hints\r\n\r\n" * 2 + b"HTTP/1.1 200 OK")


def test_a_stream_in_gzip_decodes_to_the_same_events(url: str) -> None:
    with Endpoint(faults=["socket.gzip"]).running() as base_url:
        coded = post(base_url, STREAM).response
    assert coded is not None
    assert "gzip" == dict(coded.headers or ())["Content-Encoding"]


def stream() -> Delivery:
    return Delivery(200, CHUNKED, tuple(b"data: %d\n\n" % number for number in range(30)))


def test_a_late_stream_is_late_and_then_comes_piece_by_piece() -> None:
    writes = list(all_socket_faults()["socket.late"].delivers(stream()).writes())
    assert (LATE_S, 0.0, BETWEEN_S, 32) == (writes[0][0], writes[1][0], writes[2][0], len(writes))


def test_a_buffered_stream_comes_in_one_piece_after_its_header() -> None:
    writes = list(all_socket_faults()["socket.buffered"].delivers(stream()).writes())
    assert [0.0, LATE_S, 0.0] == [wait for wait, _ in writes]


def test_bursts_are_three() -> None:
    assert 3 == len(all_socket_faults()["socket.bursts"].delivers(stream()).pieces)


def test_single_bytes_are_written_by_themselves() -> None:
    assert {1} == set(map(len, all_socket_faults()["socket.bytes"].delivers(stream()).pieces))


@pytest.mark.parametrize("name", ["socket.chunks.truncated", "socket.held", "socket.buffered", "socket.gzip"])
def test_what_does_not_fit_stays_as_it_is(name: str) -> None:
    plain = Delivery(200, (("Content-Type", "application/json"), ("Content-Length", "2")), (b"{}",))
    assert plain == all_socket_faults()[name].delivers(plain)


@pytest.mark.parametrize("name", all_socket_faults())
def test_every_socket_fault_leaves_the_endpoint_serving(name: str) -> None:
    with Endpoint(faults=[name]).running() as base_url:
        for _ in range(2):
            with connected(base_url) as connection:
                connection.sendall(bare(said("Count from 1 to 40.", stream=True, max_tokens=4)))
                with contextlib.suppress(OSError):  # a connection that the fault has reset already
                    connection.shutdown(socket.SHUT_WR)
                received(connection)


def exchange(end: str, *headers: tuple[str, str]) -> Exchange:
    response = Response(200, headers, b"data: 1\n\ndata: 2\n\n", "1.1", 1, ((1, 9), (2, 9)))
    return Exchange("x", "x", Request("POST", ""), response, origin=Origin.LIVE, end=end)


@pytest.mark.parametrize(
    "end, after, tail",
    [
        ("complete", After.KEPT, b"0\r\n\r\n"),
        ("truncated", After.CLOSED, b""),
        ("reset", After.RESET, b""),
        ("timeout", After.HELD, b""),
        ("malformed", After.CLOSED, b"no size\r\n"),
    ],
)
def test_an_exchange_is_delivered_with_its_reads_and_its_end(end: str, after: After, tail: bytes) -> None:
    delivery = deliveries.of(exchange(end, *CHUNKED))
    assert (2, after, tail) == (len(delivery.pieces), delivery.after, delivery.tail)


def test_a_truncated_body_is_shorter_than_its_content_length() -> None:
    delivery = deliveries.of(exchange("truncated", ("content-length", "18")))
    assert (("Content-Length", "37"),) == delivery.headers


def test_a_body_beside_a_false_content_length_ends_the_connection() -> None:
    assert After.CLOSED is deliveries.of(exchange("complete", ("Content-Length", "7"))).after


def test_several_requests_go_over_one_connection(url: str) -> None:
    with closing(connected(url)) as connection:
        connection.sendall(bare(PLAIN) + bare(STREAM) + bare(PLAIN, "Connection: close"))
        assert 3 == received(connection).count(b"HTTP/1.1 200 OK")


def test_http_1_0_gets_a_body_without_chunks(url: str) -> None:
    wire = told(url, bare(STREAM).replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert (True, False) == (wire.endswith(b"data: [DONE]\n\n"), b"Transfer-Encoding" in wire)


def test_a_client_that_waits_is_told_to_go_on(url: str) -> None:
    assert told(url, bare(PLAIN, "Expect: 100-continue")).startswith(b"HTTP/1.1 ")
    with connected(url) as connection:
        request = bare(PLAIN, "Expect: 100-continue")
        head, _, body = request.partition(b"\r\n\r\n")
        connection.sendall(head + b"\r\n\r\n")
        assert connection.recv(65_536).startswith(b"HTTP/1.1 100 Continue")
        connection.sendall(body)
        connection.shutdown(socket.SHUT_WR)
        assert received(connection).startswith(b"HTTP/1.1 200 OK")


def test_a_body_in_chunks_is_read(url: str) -> None:
    body = json.dumps(PLAIN).encode()
    head = bare(PLAIN).partition(b"\r\n\r\n")[0].split(b"\r\n")
    fields = [line for line in head if not line.startswith(b"Content-Length")]
    request = b"\r\n".join([*fields, b"Transfer-Encoding: chunked", b"", b"%x" % len(body), body, b"0", b"", b""])
    assert told(url, request).startswith(b"HTTP/1.1 200 OK")


BAD_CLIENTS = {
    "nothing": b"",
    "garbage": b"\x00\x01\x02\xff\xfe\r\n\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500),
    "half a request line": b"POST /v1/chat",
    "half a header": b"POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nContent-Len",
    "half a body": bare(PLAIN)[:-20],
    "no host": b"GET /v1/models HTTP/1.1\r\n\r\n",
    "a host that is none": b"GET /v1/models HTTP/1.1\r\nHost: [\r\n\r\n",
    "a target that is none": b"GET http://[ HTTP/1.1\r\nHost: x\r\n\r\n",
    "no target": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a tunnel": b"CONNECT example.com:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "two lengths": b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
    "a length that is none": b"POST /v1/models HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    "a coding that is none": b"POST /v1/models HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: zip\r\n\r\n",
    "a chunk that is none": b"POST /v1/models HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    "the preface of HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a header without an end": b"GET /v1/models HTTP/1.1\r\nX: " + b"a" * 200_000,
    "ten megabytes of headers": b"GET /v1/models HTTP/1.1\r\n" + b"X: y\r\n" * 1_700_000,
}


@pytest.mark.parametrize("name", BAD_CLIENTS)
def test_what_is_no_request_is_refused_or_ended_and_harms_nobody_else(url: str, name: str) -> None:
    with connected(url) as connection:
        try:
            connection.sendall(BAD_CLIENTS[name])
            connection.shutdown(socket.SHUT_WR)
            wire = received(connection)
        except OSError:
            wire = b"<reset>"
    assert wire in (b"", b"<reset>") or wire.startswith((b"HTTP/1.1 4", b"HTTP/1.1 501"))
    assert told(url, bare(PLAIN)).startswith(b"HTTP/1.1 200 OK")


def test_a_client_that_goes_away_in_the_middle_of_a_stream_harms_nobody_else(url: str) -> None:
    for _ in range(5):
        with connected(url) as connection:
            connection.sendall(bare(said("Tell me.", stream=True, n=100)))
            connection.recv(10)
    assert told(url, bare(PLAIN)).startswith(b"HTTP/1.1 200 OK")


def test_an_address_that_is_taken_is_an_error_of_the_operating_system(url: str) -> None:
    port = int(url.rpartition(":")[2].partition("/")[0])
    with pytest.raises(OSError, match=str(port)), Endpoint().running(port=port):
        pass
