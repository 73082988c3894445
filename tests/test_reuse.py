"""Payloads that repeat a parsed one but for their free text: what is read of them, and what is left to the parser."""

from __future__ import annotations

import json

import pytest

from chatconform.wire.reuse import Template, learn


def chunk(text: str, padding: str | None = None) -> bytes:
    value = {"id": "chatcmpl-1", "choices": [{"index": 0, "delta": {"content": text}}]}
    return json.dumps({**value, "obfuscation": padding} if padding is not None else value, ensure_ascii=False).encode()


def learnt(data: bytes) -> Template:
    template = learn(data, json.loads(data))
    assert template is not None
    return template


def followed(template: Template, payloads: list[bytes]) -> list[str]:
    pieces: list[str] = []
    assert template.follow(payloads, 0, pieces) == len(pieces)
    return pieces


@pytest.mark.parametrize(
    "texts",
    [["a"], ["a", "b", "c"], ["so \"quoted\"", "世界", "\\", "a\nb"], [f"piece {number}" for number in range(300)]],
)  # fmt: skip
def test_the_texts_of_payloads_that_repeat_one_are_read(texts: list[str]) -> None:
    assert texts == followed(learnt(chunk("The")), [chunk(text) for text in texts])


UNLIKE = {
    "another id": chunk("b").replace(b"chatcmpl-1", b"chatcmpl-2"),
    "another member": chunk("b").replace(b"}]}", b'}], "x": 1}'),
    "an empty text": chunk(""),
    "an escape by code unit": chunk("b").replace(b'"b"', rb'"\u0062"'),
    "a bare line feed in the text": chunk("b").replace(b'"b"', b'"\n"'),
    "a text that is no UTF-8": chunk("b").replace(b'"b"', b'"\xff"'),
    "a text that ends early": chunk("b").replace(b'"b"', b'"b", "c": "d"'),
    "less than what stands around the text": chunk("")[:-1],
    "another payload altogether": b"[DONE]",
}


@pytest.mark.parametrize("name", UNLIKE)
def test_reading_stops_at_the_first_payload_that_is_unlike(name: str) -> None:
    payloads = [chunk("a"), chunk("b"), UNLIKE[name], chunk("c"), chunk("d")]

    assert ["a", "b"] == followed(learnt(chunk("The")), payloads)


@pytest.mark.parametrize("padding", ["x", "Q7mZ", "not letters alone", "世", 'a "quoted" one'])
def test_padding_beside_the_text_may_be_any_string(padding: str) -> None:
    payloads = [chunk("a", "k"), chunk("b", padding), chunk("c", "kk")]

    assert ["a", "b", "c"] == followed(learnt(chunk("The", "p")), payloads)


@pytest.mark.parametrize("padding", [b'""', b"null", b'"\\u0061"', b'"\xff"'])
def test_padding_that_is_no_plain_string_is_left_to_the_parser(padding: bytes) -> None:
    payloads = [chunk("a", "k"), chunk("b", "kk").replace(b'"kk"', padding)]

    assert ["a"] == followed(learnt(chunk("The", "p")), payloads)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(chunk(""), id="no text"),
        pytest.param(chunk('a "b"'), id="an escape"),
        pytest.param(chunk("a").replace(b'"id"', b'"content"'), id="a name twice"),
        pytest.param(chunk("a").replace(b'"chatcmpl-1"', b'"content"'), id="a name that is a value too"),
        pytest.param(chunk("a").replace(b'"content":', b'"content"\n:'), id="a line feed before the colon"),
    ],
)
def test_nothing_is_learnt_where_the_place_of_the_text_is_in_doubt(data: bytes) -> None:
    assert None is learn(data, json.loads(data))
