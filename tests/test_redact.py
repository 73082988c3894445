"""What must not be written is overwritten, in every form and place, and nothing else is changed."""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
import zlib
from dataclasses import replace
from itertools import pairwise
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatconform import judging
from chatconform.model import Exchange, Origin, Request, Response
from chatconform.recordings.redact import MOST_DECODED, MOST_MARKS, Secrets
from chatconform.recordings.store import dump
from chatconform.reference.good import GOOD

SECRET = "sk-Test/0123456789+abc=~&X"
SECRETS = Secrets([SECRET])
JSON_ESCAPED = "".join(f"\\u{ord(character):04x}" for character in SECRET)
FORMS = {
    "as it is": SECRET,
    "in lower case": SECRET.lower(),
    "in upper case": SECRET.upper(),
    "in a URL": quote(SECRET, safe=""),
    "in a form": quote_plus(SECRET),
    "in a URL, in lower case": re.sub("%..", lambda hexes: hexes[0].lower(), quote(SECRET, safe="")),
    "in a URL twice over": quote(quote(SECRET, safe=""), safe=""),
    "percent-encoded whole": "".join(f"%{ord(character):02X}" for character in SECRET),
    "in JSON with escaped slashes": SECRET.replace("/", "\\/"),
    "in JSON with every character escaped": JSON_ESCAPED,
    "in JSON, in capitals": JSON_ESCAPED.upper().replace("\\U", "\\u"),
    "in JSON within JSON": json.dumps(JSON_ESCAPED)[1:-1],
    "in part": SECRET[:5] + JSON_ESCAPED[30:],
    "in HTML": html.escape(SECRET),
    "in HTML by numbers": "".join(f"&#{ord(character)};" for character in SECRET),
    "in HTML by hexadecimal numbers": "".join(f"&#x{ord(character):X};" for character in SECRET),
    "in hexadecimal": SECRET.encode().hex(),
    "in hexadecimal, in capitals": SECRET.encode().hex().upper(),
    "in base64": base64.b64encode(SECRET.encode()).decode(),
    "in base64url": base64.urlsafe_b64encode(SECRET.encode()).decode(),
    "in base64 with escaped slashes": base64.b64encode(SECRET.encode()).decode().replace("/", "\\/"),
    "in base64 in a URL": quote(base64.b64encode(SECRET.encode()).decode(), safe=""),
    "in HTML by names": SECRET.replace("/", "&sol;").replace("+", "&plus;").replace("&X", "&amp;X"),
    "in HTML by numbers without their ends": "".join(f"&#{ord(character)}" for character in SECRET),
    "in HTML within HTML": "".join(f"&amp;amp;#{ord(character)};" for character in SECRET),
    "as C escapes it": "".join(f"\\x{ord(character):02x}" for character in SECRET),
    "as C escapes it, in octal": "".join(f"\\{ord(character):03o}" for character in SECRET),
    "as Rust escapes it": "".join(f"\\u{{{ord(character):x}}}" for character in SECRET),
    "as Python escapes it": "".join(f"\\U{ord(character):08x}" for character in SECRET),
    "as old scripts escape it": "".join(f"%u{ord(character):04x}" for character in SECRET),
    "in full width": "".join(chr(ord(character) + 0xFEE0) for character in SECRET),
    "backwards": SECRET[::-1],
    "with spaces": " ".join(SECRET),
    "with NULs, escaped": "\\u0000".join(SECRET),
    "with characters without width": "\u200b".join(SECRET),
    "in hexadecimal with colons": SECRET.encode().hex(":"),
    "in numbers of C": ", 0x".join(f"{ord(character):02X}" for character in SECRET),
    "in base64 of base64": base64.b64encode(base64.b64encode(SECRET.encode())).decode(),
    "in base64 of UTF-16": base64.b64encode(SECRET.encode("utf-16-be")).decode(),
    "in base64 in lines, escaped": re.sub("(.{8})", r"\1\\r\\n", base64.b64encode(SECRET.encode()).decode()),
    "in base32": base64.b32encode(SECRET.encode()).decode().rstrip("="),
    "in UTF-16, in hexadecimal": SECRET.encode("utf-16-be").hex()[2:],
}


@pytest.mark.parametrize("form", FORMS.values(), ids=FORMS)
def test_each_form_is_overwritten_byte_for_byte(form):
    assert f'"<{"*" * len(form.encode())}>"' == SECRETS.in_text(f'"<{form}>"')


def test_numbers_stay_numbers_so_that_json_stays_json():
    kept = SECRETS.overwritten(json.dumps({"bytes": list(SECRET.encode())}).encode())
    assert {"bytes": [42] * len(SECRET)} == json.loads(kept)


def test_lines_keep_their_ends():
    coded = base64.encodebytes(b"-" * 50 + SECRET.encode() + b"-" * 50)
    kept = SECRETS.overwritten(coded)
    assert (coded.count(b"\n"), True) == (kept.count(b"\n"), kept.count(b"*") > len(SECRET))


def test_utf_16_is_overwritten():
    for coding in ("utf-16-le", "utf-16-be"):
        assert "k-Test/" not in SECRETS.overwritten(f"a {SECRET} b".encode(coding)).decode(coding)


@given(before=st.binary(max_size=9), after=st.binary(max_size=9))
def test_base64_is_overwritten_wherever_the_secret_begins_in_it(before, after):
    coded = base64.b64encode(before + SECRET.encode() + after)
    shown = base64.b64decode(SECRETS.overwritten(coded).replace(b"*", b"A"))
    assert set() == {at for at in range(len(SECRET) - 2) if SECRET[at : at + 3].encode() in shown[len(before) :]} - {
        at for at in range(len(SECRET) - 2) if SECRET[at : at + 3].encode() in before + after
    }


KEPT = ["", "sk-Test", "total_tokens", SECRET[1:], SECRET[:-1], "*" * 30, SECRET.replace("+", " "), "[DONE]", "\\" * 99]


@pytest.mark.parametrize("text", KEPT)
def test_what_is_no_secret_is_kept(text):
    assert text == SECRETS.in_text(text)


@pytest.mark.parametrize("values", [[], [""]])
def test_without_secrets_nothing_is_overwritten(values):
    assert SECRET == Secrets(values).in_text(SECRET)


def test_a_short_secret_is_found_in_its_own_case_alone():
    assert "none ****" == Secrets(["None"]).in_text("none None")


def test_of_two_secrets_the_longer_is_overwritten_whole():
    assert "*" * 33 == Secrets([SECRET, f"{SECRET}-longer"]).in_text(f"{SECRET}-longer")


def test_secrets_do_not_show_themselves():
    assert "Secrets(…)" == repr(SECRETS)


TWO, REST = SECRET[:9], SECRET[9:]
CODED = FORMS["in base64"]


def chunk(text: str, index: int = 0) -> str:
    return f'data: {{"choices": [{{"delta": {{"content": "{text}"}}, "index": {index}}}]}}\n\n'


def argument(text: str) -> str:
    function = f'{{"index": 0, "function": {{"arguments": "{text}"}}}}'
    return f'data: {{"choices": [{{"index": 0, "delta": {{"tool_calls": [{function}]}}}}]}}\n\n'


def plain(text: str) -> str:
    return f"data: {text}\n\n"


def with_crlf(text: str) -> str:
    return f'event: x\r\ndata:{{"text":"{text}"}}\r\n\r\n'


def in_two_lines(text: str) -> str:
    return f'data: {{"text":\ndata: "{text}"}}\n\n'


def logprobs(first: str, second: str) -> str:
    return f'{{"content": [{{"token": "a"}}, {{"token": "{first}"}}, {{"token": "{second}"}}]}}'


def numbers(text: str) -> str:
    return f'{{"bytes": {list(text.encode())}}}'


def stars_for(numbers: str) -> str:
    """Return as many numbers of the same width, each the code of a star."""
    return re.sub("[0-9]+", lambda found: "42".rjust(len(found[0])), numbers)


def stars(text: str) -> str:
    return "*" * len(text)


def events(*pieces: str) -> tuple[str, str]:
    """Return two texts of a stream: with these pieces, and with stars for what of them is secret."""
    return "".join(pieces), "".join(piece.replace(TWO, stars(TWO)).replace(REST, stars(REST)) for piece in pieces)


SPLITS = {
    "over two events": events(chunk(f"é: {TWO}"), chunk(f"{REST} ok")),
    "one character an event": ("".join(map(chunk, SECRET)), "".join(map(chunk, stars(SECRET)))),
    "with an empty piece between": events(chunk(TWO), chunk(""), chunk(REST)),
    "with another choice between": events(chunk(TWO), chunk("b", 1), chunk(REST)),
    "over events of which more differs": events(
        chunk("a"), chunk("b"), chunk(TWO), chunk(REST, 0).replace("{", "{ ", 1)
    ),
    "over a long stream": events(*map(chunk, "abc"), chunk(TWO), chunk(REST), *map(chunk, "abc")),
    "with an escape in one of them": events(
        chunk("a"), chunk("b"), chunk(rf"\n{TWO}"), chunk(rf"{REST}\n"), chunk("c")
    ),
    "over names that change from event to event": (
        "".join(f'data: {{"model": "{piece}", "text": "a"}}\n\n' for piece in ("m", "m", TWO, REST, "m")),
        "".join(f'data: {{"model": "{piece}", "text": "a"}}\n\n' for piece in ("m", "m", stars(TWO), stars(REST), "m")),
    ),
    "over the arguments of a call": events(argument(TWO), argument(REST)),
    "over events that are no JSON": events(plain(f"a {TWO}"), plain(f"{REST} b")),
    "with CRLF": events(with_crlf(TWO), with_crlf(REST)),
    "over several data lines": events(in_two_lines(TWO), in_two_lines(REST)),
    "in a last event that is cut": events(chunk(TWO), chunk(REST).rstrip()),
    "over the tokens of logprobs": events(logprobs(TWO, REST)),
    "over the bytes of logprobs": (
        f"[{numbers('é9')}, {numbers(TWO)}, {numbers(REST)}]",
        f"[{numbers('é9')}, {stars_for(numbers(TWO))}, {stars_for(numbers(REST))}]",
    ),
    "partly escaped": (
        chunk(r"ü\n\ud83d\ude00 sk-\u0054est\/0") + chunk(REST + r" \ud83d\ude00"),
        chunk(r"ü\n\ud83d\ude00 " + "*" * 15) + chunk(stars(REST) + r" \ud83d\ude00"),
    ),
    "in base64": (chunk(CODED[:10]) + chunk(CODED[10:]), chunk(stars(CODED[:10])) + chunk(stars(CODED[10:]))),
}


@pytest.mark.parametrize("body, expected", SPLITS.values(), ids=SPLITS)
def test_a_secret_that_is_split_is_overwritten_piece_by_piece(body, expected):
    assert expected == SECRETS.overwritten(body.encode()).decode()


def test_a_part_of_one_secret_that_holds_another_is_overwritten_once():
    longer = f"{SECRET}-and-more"
    body = chunk(longer[:-3]) + chunk(longer[-3:])
    kept = Secrets([SECRET, longer]).overwritten(body.encode()).decode()
    assert chunk(stars(longer[:-3])) + chunk("***") == kept


def test_pieces_of_different_strings_are_not_joined():
    body = f'data: {{"a": "{TWO}"}}\n\ndata: {{"b": "{REST}"}}\n\n'
    assert body == SECRETS.overwritten(body.encode()).decode()


@given(
    st.lists(st.integers(1, len(SECRET) - 1), unique=True, max_size=6), st.sampled_from([chunk, argument, with_crlf])
)
def test_however_it_is_split_it_is_gone(cuts, render):
    ends = [0, *sorted(cuts), len(SECRET)]
    parts = [SECRET[start:end] for start, end in pairwise(ends)]
    body = "".join(map(render, parts))
    assert "".join(map(render, map(stars, parts))) == SECRETS.overwritten(body.encode()).decode()


@given(before=st.binary(), after=st.binary(), form=st.sampled_from(sorted(FORMS.values())))
def test_any_bytes_around_it_stay_as_they_are(before, after, form):
    data = before + form.encode() + after
    expected = before + b"*" * len(form.encode()) + after
    kept = SECRETS.overwritten(data)
    assert (len(data), True) == (len(kept), all(a in (b, ord("*")) for a, b in zip(kept, data, strict=True)))
    assert expected == kept or SECRETS.found(before + after) or _at_its_edges(kept, before, form.encode(), after)


def _at_its_edges(kept: bytes, before: bytes, form: bytes, after: bytes) -> bool:
    """Whether it is gone, and only signs beside it differ, which hold nothing of the value: a digit or a semicolon
    behind it may belong to its last number (`&#88`), and backslashes before an escape to it.
    """
    begin, end, plain = len(before), len(before) + len(form), before.rstrip(b"\\")
    is_gone = set(kept[begin:end].lstrip(b"&#\\")) == set(b"*")
    runs_on = before.endswith(b"\\") or after[:1].isdigit() or after[:1] == b";"
    return is_gone and runs_on and (plain, after[1:]) == (kept[: len(plain)], kept[end + 1 :])


HOSTILE = {
    "backslashes": b"\\" * 1_000_000,
    "percent signs": b"%25" * 300_000,
    "open brackets": b"[" * 1_000_000,
    "split a hundred thousand times": b'["' + b'","'.join([TWO.encode(), REST.encode()] * 30_000) + b'"]',
    "whole a hundred thousand times": SECRET.encode() * 30_000,
}


@pytest.mark.parametrize("body", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_body_is_searched_in_one_pass(body):
    assert REST.encode() not in SECRETS.overwritten(body)


def exchange(body: bytes = b"{}", headers=(), request_body=None, **members) -> Exchange:
    request = Request("POST", "https://api.example.com/v1/chat/completions", (), request_body)
    response = Response(401, headers, body, "1.1", 1000, ((2000, len(body)),))
    return replace(Exchange("a", "acme", request, response, origin=Origin.LIVE), **members)


def test_every_place_of_an_exchange_is_overwritten_and_listed():
    request = Request(
        "POST",
        f"https://api.example.com/v1?key={quote(SECRET, safe='')}",
        (("Authorization", f"Bearer {SECRET}"),),
        {"user": SECRET, SECRET: [1, None, f"<{SECRET}>"]},
    )
    headers = (("Set-Cookie", f"k={SECRET}"), (f"X-{SECRET}", "é"))
    kept = SECRETS.without(exchange(f"<{SECRET}>".encode(), headers, request=request, note=f"no {SECRET}"))
    mask, length, in_url = stars(SECRET), len(SECRET), len(quote(SECRET, safe=""))
    assert (
        Request(
            "POST",
            f"https://api.example.com/v1?key={'*' * in_url}",
            (("Authorization", f"Bearer {mask}"),),
            {"user": mask, mask: [1, None, f"<{mask}>"]},
        )
        == kept.request
    )
    assert ((("Set-Cookie", f"k={mask}"), (f"X-{mask}", "é")), f"<{mask}>".encode()) == (
        kept.response.headers,
        kept.response.body,
    )
    assert f"no {mask}" == kept.note
    assert [
        {"at": "/request/url", "bytes": [31, 31 + in_url]},
        {"at": "/request/headers/0/1", "bytes": [7, 7 + length]},
        {"at": "/request/body/user", "bytes": [0, length]},
        {"at": "/request/body", "bytes": [0, length]},
        {"at": f"/request/body/{mask}/2", "bytes": [1, 1 + length]},
        {"at": "/response/headers/0/1", "bytes": [2, 2 + length]},
        {"at": "/response/headers/1/0", "bytes": [2, 2 + length]},
        {"at": "/response/body", "bytes": [1, 1 + length]},
        {"at": "/note", "bytes": [3, 3 + length]},
    ] == list(kept.redacted)


def test_an_exchange_without_a_secret_is_the_same():
    for each in (exchange(), replace(exchange(), response=None), exchange(request_body=b"\xff")):
        assert each == SECRETS.without(each)


def test_no_more_than_a_hundred_places_of_one_body_are_listed():
    kept = SECRETS.without(exchange(f"{SECRET} ".encode() * (MOST_MARKS + 5)))
    assert (MOST_MARKS + 1, {"at": "/response/body", "more": 5}) == (len(kept.redacted), kept.redacted[-1])


CODINGS = {"gzip": gzip.compress, "x-gzip": gzip.compress, "deflate": zlib.compress}


@pytest.mark.parametrize("name, pack", CODINGS.items(), ids=CODINGS)
def test_a_coded_body_that_holds_a_secret_is_stored_decoded_and_says_so(name, pack):
    coded = pack(f'{{"key": "{SECRET}"}}'.encode())
    about = (("Content-Encoding", name), ("content-length", str(len(coded))))
    kept = SECRETS.without(exchange(coded, (("A", "b"), *about)))
    response = kept.response
    assert (f'{{"key": "{stars(SECRET)}"}}'.encode(), (("A", "b"),), None) == (
        response.body,
        response.headers,
        response.reads,
    )
    mark = {"at": "/response/body", "decoded": [name], "headers": [*map(list, about)], "reads": [[2000, len(coded)]]}
    assert (mark, {"at": "/response/body", "bytes": [9, 9 + len(SECRET)]}) == kept.redacted


UNSEARCHABLE = {
    "a coding that nobody here can undo": ("br", bytes(range(128, 256))),
    "cut, after the secret": ("gzip", gzip.compress(SECRET.encode() + bytes(range(256)) * 9)[:-40]),
}


@pytest.mark.parametrize("name, body", UNSEARCHABLE.values(), ids=UNSEARCHABLE)
def test_a_coded_body_that_cannot_be_kept_without_its_secret_is_overwritten_whole(name, body):
    kept = SECRETS.without(exchange(body, (("Content-Encoding", name),)))
    expected = (b"*" * len(body), (("Content-Encoding", name),), ({"at": "/response/body", "bytes": [0, len(body)]},))
    assert expected == (kept.response.body, kept.response.headers, kept.redacted)


def test_a_coded_body_that_decodes_to_more_than_is_searched_is_a_limit_and_no_fault():
    bomb = gzip.compress(bytes(MOST_DECODED + 1), 1)
    kept = SECRETS.without(exchange(bomb, (("Content-Encoding", "gzip"), ("A", "b"))))
    response = kept.response
    assert (b"*" * len(bomb), (("A", "b"),), "limit:decoded") == (response.body, response.headers, kept.end)
    marks = (
        {"at": "/response/body", "bytes": [0, len(bomb)]},
        {"at": "/response/body", "headers": [["Content-Encoding", "gzip"]]},
    )
    assert marks == kept.redacted


@pytest.mark.parametrize(
    "coding, pack",
    [("gzip", gzip.compress), ("deflate", zlib.compress), ("deflate", lambda data: zlib.compress(data)[2:-4])],
    ids=["gzip", "zlib", "raw deflate"],
)
def test_a_coded_body_that_no_field_announces_is_searched_too(coding, pack):
    kept = SECRETS.without(exchange(pack(SECRET.encode()), ()))
    assert (stars(SECRET).encode(), [coding]) == (kept.response.body, kept.redacted[0]["decoded"])


def test_bytes_that_are_neither_text_nor_coded_are_kept():
    body = bytes(range(256)) * 9
    assert body == SECRETS.without(exchange(body, ())).response.body


CODED_AND_KEPT = {
    "no secret in it": ("gzip", gzip.compress(b"{}")),
    "not coded after all": ("gzip", b"{}"),
    "text under an unknown coding": ("br", b"{}"),
    "cut": ("gzip", gzip.compress(bytes(range(256)) * 9)[:-40]),
}


@pytest.mark.parametrize("name, body", CODED_AND_KEPT.values(), ids=CODED_AND_KEPT)
def test_a_coded_body_without_a_secret_is_kept_as_it_came(name, body):
    each = exchange(body, (("Content-Encoding", name),))
    assert each == SECRETS.without(each)


def test_a_secret_in_a_body_that_is_not_coded_as_it_says_is_overwritten_in_place():
    kept = SECRETS.without(exchange(SECRET.encode(), (("Content-Encoding", "gzip"),)))
    assert (stars(SECRET).encode(), (("Content-Encoding", "gzip"),)) == (kept.response.body, kept.response.headers)


def outcomes(judged: Exchange) -> dict[str, str]:
    return {verdict.check: f"{verdict.outcome} {verdict.examined}" for verdict in judging.judge([judged])}


@pytest.mark.parametrize("whole", GOOD.values(), ids=GOOD)
def test_what_is_overwritten_is_judged_as_before(whole):
    kept = Secrets(["Zürich", f"chatcmpl-{whole.id.replace('.', '')}"]).without(whole)
    decodes = "http.content_encoding.decodes"
    changed = {decodes} if any("decoded" in mark for mark in kept.redacted) else set()
    before, after = outcomes(whole), outcomes(kept)
    assert changed == {check for check in before | after if before.get(check) != after.get(check)}


def test_no_form_is_in_the_file():
    body = "\n".join(FORMS.values()).encode()
    written = dump(SECRETS.without(exchange(body))).decode()
    assert [] == [form for form in FORMS.values() if form in written]
