"""The quick way of judging says what the bench says, and reading a chunk by reuse says what parsing it says."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconform import load
from chatconform.checks import all_checks
from chatconform.contracts import contract as contracts
from chatconform.judging import by_bench, rule
from chatconform.model import Exchange, Origin, Request, Response
from chatconform.reference.faults import all_faults
from chatconform.reference.good import GOOD, contract_of
from chatconform.reference.variations import VARIATIONS
from chatconform.wire import sse, strict_json, transcript
from chatconform.wire.fold import Facts, fold
from chatconform.wire.reuse import FREE_TEXT

pytestmark = pytest.mark.uncovered

MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")


def both_ways(exchange: Exchange, contract: str | None) -> tuple[list, list]:
    own = contracts.load(contract) if contract else None
    quick = [verdict for row in rule(exchange, own) for verdict in row.verdicts()]
    slow = [verdict for row in by_bench(transcript.read(exchange), own) for verdict in row.verdicts()]
    return quick, slow


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_exchange_is_judged_alike(name):
    quick, slow = both_ways(GOOD[name], contract_of(GOOD[name]))

    assert quick == slow


def test_most_good_exchanges_go_the_quick_way():
    clean = [name for name, good in GOOD.items() if rule(good, None)[0].is_clean]

    assert {"answer", "answer.tools", "stream", "stream.usage"} <= set(clean)


@pytest.mark.parametrize("name", sorted(all_faults()))
def test_a_fault_is_judged_alike(name):
    fault = all_faults()[name]
    quick, slow = both_ways(fault.breaks(GOOD[fault.of]), contract_of(GOOD[fault.of]))

    assert quick == slow


@pytest.mark.skipif(not MATERIAL, reason="the captures are not here")
def test_captures_are_judged_alike():
    captures = list(load(Path(MATERIAL or "") / "corpus" / "captures.jsonl.gz"))
    ways = {capture.id: both_ways(capture, None) for capture in captures}
    differing = [name for name, (quick, slow) in ways.items() if quick != slow]

    assert differing == []


def chunk(text: str, *, role: str | None = None, finish: str | None = None, padding: str | None = None) -> dict:
    delta = {"content": text} if role is None else {"role": role, "content": text}
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_790_000_000, "model": "m"}
    return {**head, "choices": [choice], **({"obfuscation": padding} if padding is not None else {})}


chunks = st.builds(
    chunk,
    st.text(max_size=6) | st.sampled_from(["", "a", "a\nb", '"', "\\", "世界", "\u2028", "stop", "\x7f"]),
    role=st.sampled_from([None, None, None, "assistant", ""]),
    finish=st.sampled_from([None, None, None, "stop", "length", ""]),
    padding=st.sampled_from([None, None, "x", "yz"]),
)


@settings(max_examples=300)
@given(st.lists(chunks, max_size=12), st.booleans(), st.booleans())
def test_reuse_reads_what_parsing_reads(values, ascii_only, done):
    body = b"".join(
        b"data: " + json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass") + b"\n\n"
        for value in values
    )
    body += b"data: [DONE]\n\n" if done else b""
    request = Request("POST", "", (), {"model": "m", "messages": [], "stream": True})
    exchange = Exchange("x", "p", request, Response(200, (), body), origin=Origin.REFERENCE)

    assert comes_to(transcript.read(exchange).facts) == comes_to(parsed_one_by_one(body))


def parsed_one_by_one(body: bytes) -> Facts:
    payloads = [strict_json.parse(event.data).object for event in sse.decode(body).events]
    return fold([(number, payload) for number, payload in enumerate(payloads) if payload is not None], "delta")


def comes_to(facts: Facts) -> object:
    """Return what facts say, whether the chunks of one structure are gathered or not."""
    texts = {index: ("".join(choice.content), "".join(choice.refusal)) for index, choice in facts.choices.items()}
    choices = {index: replace(choice, content=[], refusal=[]) for index, choice in facts.choices.items()}
    count = sum(group.count for group in facts.groups)
    return texts, choices, count, replace(facts, groups=[], choices={})


def test_no_contract_asks_more_of_free_text_than_its_type():
    narrowed = [
        (name, kind, path)
        for name in contracts.names()
        for kind, schema in contracts.load(name).schemas.items()
        if kind is not contracts.Kind.REQUEST
        for path, found in properties(schema.document)
        if path[-1] in FREE_TEXT and set(found) - {"type", "x-clauses", "items", "properties", "required", "$ref"}
    ]

    assert narrowed == []


def properties(schema: dict, path: tuple[str, ...] = ()):
    for name, inner in schema.get("properties", {}).items():
        yield (*path, name), inner
        yield from properties(inner, (*path, name))
    for name, inner in schema.get("$defs", {}).items():
        yield from properties(inner, (*path, name))
    if "items" in schema:
        yield from properties(schema["items"], path)


def test_every_check_is_over_a_selection_that_the_quick_way_knows():
    assert [check.id for check in all_checks().values() if not isinstance(check.kinds, frozenset)] == []


@pytest.mark.parametrize("name", sorted(VARIATIONS))
def test_a_variation_is_judged_alike(name):
    variation = VARIATIONS[name]
    ways = [both_ways(variation.rewords(GOOD[good]), contract_of(GOOD[good])) for good in variation.of]

    assert [quick for quick, _ in ways] == [slow for _, slow in ways]
