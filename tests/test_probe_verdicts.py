"""Probes: what recorded requests show of the clauses on requests, and where they show nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Kind
from chatconform.contracts.occasions import known, occasions, strays
from chatconform.judging import compare, judge
from chatconform.judging.bounds import Bounds
from chatconform.model import OPENAI, Exchange, JsonObject, Level, Origin, Outcome
from chatconform.reference import rewrite
from chatconform.reference.rehearsal import Run, answers_to, rehearsal, whole_rehearsal
from chatconform.reference.run_clauses import all_run_faults

Changes = Callable[[Exchange], Exchange]

QUESTION: JsonObject = {"model": "gpt-4", "messages": [{"role": "user", "content": "Name a city."}], "max_tokens": 16}
TYPED = b'{"error":{"message":"Not like this.","type":"invalid_request_error","param":null,"code":null}}'
UNSUPPORTED = TYPED.replace(b"Not like this", b"temperature is not supported by this model")
UNTYPED = b'{"detail":"Not like this."}'


def asking(**members: object) -> JsonObject:
    changed: JsonObject = {**QUESTION, **members}  # type: ignore[dict-item]
    return {name: value for name, value in changed.items() if value is not None}


def replied(status: int, body: bytes = TYPED) -> Changes:
    """Return what gives an exchange another reply, in JSON."""

    def reply(exchange: Exchange) -> Exchange:
        told = rewrite.with_header(rewrite.with_body(exchange, body), "Content-Type", "application/json")
        return rewrite.with_status(told, status)

    return reply


def same(exchange: Exchange) -> Exchange:
    return exchange


PROBING = asking(temperature=2.5)
"""A request beyond a range, by which a run shows that it probes."""


def run(contract: str | None, changes: Changes, control: JsonObject, probe: JsonObject, **more: JsonObject) -> Run:
    """Return a run of a control, a probe that is answered otherwise, others that are answered, and one beyond."""
    first, second, *others = answers_to(contract, {"control": control, "probe": probe, **more, "beyond": PROBING})
    return first, changes(second), *others


def ruled(exchanges: Iterable[Exchange], clause: str, contract: str | None) -> dict[str, str]:
    """Return by exchange what is ruled on a clause, with the reason or the prerequisite, and the level of a finding."""
    found = (each for each in compare(exchanges, contract) if each.check == f"request.{clause}")
    return {
        each.exchange: ": ".join(
            str(part)
            for part in (each.outcome, each.level if each.findings else None, each.because or each.reason)
            if part
        )
        for each in found
    }


# What one request comes to

FAR = asking(temperature=2)
ROWS: dict[str, tuple[str | None, Changes, str, str]] = {
    "answered": ("tkhub", same, "temperature.maximum", "pass"),
    "answered, without a document": (None, same, "temperature.maximum", "pass"),
    "refused": ("tkhub", replied(400), "temperature.maximum", "fail: must"),
    "refused with 404": ("tkhub", replied(404), "temperature.maximum", "fail: must"),
    "refused with 413": ("tkhub", replied(413), "temperature.maximum", "fail: must"),
    "refused with 415": ("tkhub", replied(415), "temperature.maximum", "fail: must"),
    "refused with 422": ("tkhub", replied(422, UNTYPED), "temperature.maximum", "fail: must"),
    "a failure": ("tkhub", replied(500), "temperature.maximum", "fail: must"),
    "refused, where the ends are not said to belong": ("toapis", replied(400), "temperature.maximum", "fail: may"),
    "refused, without a document": (None, replied(400), "temperature.maximum", "fail: should"),
    "refused as unsupported, without a document": (
        None, replied(400, UNSUPPORTED), "temperature.maximum", "not-applicable: refused-typed"
    ),
    "refused in no words": (None, replied(422, UNTYPED), "temperature.maximum", "fail: should"),
    "a failure, without a document": (
        None, replied(500), "temperature.maximum", "unproven: errors.refusal.crash"
    ),
    "an outage": ("tkhub", replied(503), "temperature.maximum", "unproven: probe: status 503"),
    "a limit": ("tkhub", replied(429), "temperature.maximum", "unproven: rate-limited"),
    "the key": ("tkhub", replied(401), "temperature.maximum", "unproven: probe: status 401"),
    "a redirect": ("tkhub", replied(307), "temperature.maximum", "unproven: probe: status 307"),
    "an error under status 200": ("tkhub", replied(200), "temperature.maximum", "unproven: probe: status 200"),
    "no answer": (
        "tkhub", lambda one: replace(one, response=None, end="reset"), "temperature.maximum", "unproven: network"
    ),
    "a ceiling": (
        "tkhub", lambda one: replace(one, response=None, end="limit:requests", recorded_at=None),
        "temperature.maximum", "unproven: budget",
    ),
    "refused at an end, of the type": (
        "tkhub", replied(400), "temperature.type", "unproven: request.temperature.maximum"
    ),
}  # fmt: skip


@pytest.mark.parametrize("contract, changes, clause, word", ROWS.values(), ids=ROWS)
def test_what_a_request_at_the_end_of_a_range_shows(
    contract: str | None, changes: Changes, clause: str, word: str
) -> None:
    assert {"probe": word} == ruled(run(contract, changes, QUESTION, FAR), clause, contract)


@pytest.mark.parametrize(
    "member, value, clause",
    [
        ("temperature", 0, "temperature.minimum"),
        ("temperature", 0.0, "temperature.minimum"),
        ("temperature", 2.0, "temperature.maximum"),
        ("n", 1, "n.minimum"),
        ("n", 2, "n.type"),
        ("tool_choice", "none", "tool_choice.values"),
        ("reasoning_effort", "low", "reasoning_effort.values"),
        ("user", "me", "user.type"),
        ("response_format", {"type": "text"}, "response_format_type.type"),
    ],
)
def test_a_documented_value_is_taken_or_it_is_refused(member: str, value: object, clause: str) -> None:
    probe = asking(**{member: value})
    words = [ruled(run("tkhub", change, QUESTION, probe), clause, "tkhub")["probe"] for change in (same, replied(400))]
    level = contracts.load("tkhub").requests[f"request.{clause}"].level
    assert ["pass", f"fail: {level}"] == words


def test_a_refusal_of_two_members_at_once_proves_nothing() -> None:
    probe = asking(temperature=2, top_p=0)
    found = run("tkhub", replied(400), QUESTION, probe)
    assert {"probe": "unproven: probe: status 400"} == ruled(found, "temperature.maximum", "tkhub")


def test_what_is_refused_together_is_settled_by_what_is_refused_alone() -> None:
    first, joint, alone, beyond = answers_to(
        "tkhub", {"control": QUESTION, "joint": asking(temperature=2, top_p=0), "alone": FAR, "beyond": PROBING}
    )
    found = (first, replied(400)(joint), replied(400)(alone), beyond)
    assert {"alone": "fail: must"} == ruled(found, "temperature.maximum", "tkhub")


def test_what_another_request_shows_a_refusal_leaves_as_it_is() -> None:
    found = run("tkhub", replied(400), QUESTION, FAR, other=asking(temperature=2, user="me"))
    assert {"other": "pass"} == ruled(found, "temperature.maximum", "tkhub")


def test_a_value_is_said_of_the_first_request_alone_that_shows_it() -> None:
    found = run("tkhub", same, QUESTION, FAR, again=asking(temperature=2, user="me"))
    assert {"again": "pass"} == ruled(found, "temperature.maximum", "tkhub")


def test_a_control_that_was_refused_too_is_none() -> None:
    found = tuple(replied(400)(each) for each in run("tkhub", same, QUESTION, FAR))
    assert {"probe": "unproven: probe: status 400"} == ruled(found, "temperature.maximum", "tkhub")


def test_a_refusal_beyond_a_range_blames_no_clause() -> None:
    probe = asking(temperature=3)
    assert {} == ruled(run("tkhub", replied(400), QUESTION, probe), "temperature.type", "tkhub")


def test_a_refusal_of_what_a_document_does_not_have_blames_no_clause() -> None:
    probe = asking(temperature=2, logprobs=True)
    found = run("tkhub", replied(400), asking(logprobs=True), probe)
    assert {} == ruled(found, "temperature.maximum", "tkhub")


def test_the_document_speaks_and_not_openai_where_there_is_one() -> None:
    found = compare(run("tkhub", same, QUESTION, FAR), "tkhub")
    assert {"tkhub"} == {each.contract for each in found if each.check.startswith("request.")}


def test_without_a_document_openai_speaks_and_convicts_of_no_must() -> None:
    clauses = contracts.load(OPENAI).requests.values()
    assert {Level.SHOULD, Level.MAY} == {each.level for each in clauses}


# Which runs probe


QUIET = {
    "ordinary requests": {"one": QUESTION, "other": asking(temperature=1, user="me")},
    "one request at an end": {"one": FAR},
    "a list of one item": {"one": QUESTION, "other": asking(stop=["9"])},
    "a value that is listed": {"one": QUESTION, "other": asking(reasoning_effort="low")},
    "what nobody could answer": {"one": QUESTION, "other": asking(messages=[])},
}


@pytest.mark.parametrize("bodies", QUIET.values(), ids=QUIET)
def test_a_run_that_does_not_probe_has_no_verdict_on_requests(bodies: dict[str, JsonObject]) -> None:
    found = {each.check for each in judge(answers_to("tkhub", bodies), "tkhub")}
    assert [] == [check for check in found if check.startswith("request.")]


@pytest.mark.parametrize("member, value", [("temperature", 0), ("temperature", 2), ("temperature", 2.5), ("n", 0)])
def test_a_run_probes_where_a_request_stands_at_the_end_of_a_range_or_beyond(member: str, value: object) -> None:
    exchanges = answers_to("tkhub", {"one": QUESTION, "other": asking(**{member: value})})
    assert any(each.check.startswith("request.") for each in compare(exchanges, "tkhub"))


def test_imported_requests_do_not_probe() -> None:
    imported = (replace(each, origin=Origin.IMPORTED) for each in run("tkhub", replied(400), QUESTION, FAR))
    assert [] == list(compare(imported, "tkhub"))


# Beyond the bounds


def outside(contract: str | None, changes: Changes, check: str, probe: JsonObject) -> tuple[str, str] | None:
    control, asked = answers_to(contract, {"control": QUESTION, "probe": probe})
    answered = replace(asked, response=control.response)
    found = (
        each for each in compare((control, changes(answered)), contract) if each.check == f"errors.refusal.{check}"
    )
    return next(((str(each.outcome), str(each.level)) for each in found if each.exchange == "probe"), None)


BEYOND: dict[str, tuple[str | None, Changes, str, JsonObject, tuple[str, str] | None]] = {
    "answered": (None, same, "outside", asking(temperature=3), ("fail", "may")),
    "refused": (None, replied(400), "outside", asking(temperature=3), ("pass", "may")),
    "a failure": (None, replied(500), "crash", asking(temperature=3), ("fail", "should")),
    "a failure, of two members": (None, replied(500), "crash", asking(temperature=3, n=0), None),
    "an outage": (None, replied(503), "outside", asking(temperature=3), ("unproven", "may")),
    "beyond the document": ("tkhub", same, "outside", asking(temperature=3), ("fail", "may")),
    "beyond the document and within OpenAI's": ("tkhub", same, "outside", asking(reasoning_effort="minimal"), None),
    "what the document does not have": ("tooken", same, "outside", asking(n=0), None),
    "what only the document has": ("tooken", same, "outside", asking(route_strategy="cheap"), ("fail", "may")),
    "what only an example shows": ("tooken", same, "outside", asking(messages=[{"role": "user", "content": []}]), None),
    "two members": (None, same, "outside", asking(temperature=3, n=0), None),
}


@pytest.mark.parametrize("contract, changes, check, probe, expected", BEYOND.values(), ids=BEYOND)
def test_what_is_asked_beyond_the_bounds(
    contract: str | None, changes: Changes, check: str, probe: JsonObject, expected: tuple[str, str] | None
) -> None:
    assert expected == outside(contract, changes, check, probe)


def test_bounds_know_what_a_document_does_not_have() -> None:
    bounds = Bounds(contracts.load("costrouter"))
    assert {"seed", "stream_options"} == bounds.undocumented(asking(seed=7, stream_options={}, top_p=1))
    assert frozenset() == Bounds(None).undocumented(asking(seed=7))


# The clauses themselves


@pytest.mark.parametrize("contract", contracts.names())
def test_every_occasion_is_of_a_clause_on_requests(contract: str) -> None:
    schema = contracts.load(contract).schemas[Kind.REQUEST]
    bodies = [each.request.body for each in whole_rehearsal(None if contract == OPENAI else contract)]
    given = {each.clause for body in bodies if isinstance(body, dict) for each in occasions(schema, body)}
    assert set() == given - contracts.load(contract).requests.keys()


ASKED_BY_NOBODY = {
    OPENAI: {
        "request.functions.max_items", "request.prediction.type", "request.web_search_options.type",
    },
    "tooken": {"request.agent_wallet.type"},
}  # fmt: skip
"""What would need 128 functions, a prediction, a search, or somebody's wallet."""


@pytest.mark.parametrize("contract", contracts.names())
def test_a_whole_run_shows_every_clause_on_requests(contract: str) -> None:
    own = None if contract == OPENAI else contract
    shown = {each.check for each in compare(whole_rehearsal(own), own) if each.outcome is Outcome.PASS}
    assert ASKED_BY_NOBODY.get(contract, set()) == contracts.load(contract).requests.keys() - shown


def test_a_plain_run_leaves_nothing_unproven_of_what_it_asks() -> None:
    found = (each for each in compare(rehearsal("xmsmartlink"), "xmsmartlink") if each.check.startswith("request."))
    assert {(Outcome.PASS, None)} == {(each.outcome, each.reason) for each in found}


ALWAYS = ("request.body.", "request.model.", "request.messages")


@pytest.mark.parametrize("contract", contracts.names())
def test_what_no_refusal_of_one_member_can_blame_is_in_every_request_or_within_what_is_blamed(contract: str) -> None:
    """A type is not blamed where an end, or a listed value, of the same member is new as well."""
    blamed = {rule for each in all_run_faults().values() if each.of == contract for rule in each.change.fails}
    left = contracts.load(contract).requests.keys() - blamed - ASKED_BY_NOBODY.get(contract, set())
    others = {rule for rule in left if not rule.startswith(ALWAYS)}
    assert set() == {rule for rule in others if not rule.endswith((".type", ".present"))}


@pytest.mark.parametrize(
    "body, expected",
    [
        (asking(temperature=3), {("temperature", Level.MUST)}),
        (asking(temperature=None), set()),
        (asking(unheard_of=1), {("unheard_of", Level.MUST)}),
        (asking(messages=[{"role": "user", "content": []}]), {("messages", Level.SHOULD)}),
        ({"messages": QUESTION["messages"]}, {("model", Level.MUST)}),
    ],
)
def test_the_members_that_a_schema_excludes(body: JsonObject, expected: set[tuple[str, Level]]) -> None:
    assert expected == set(strays(contracts.load("tkhub").schemas[Kind.REQUEST], body))


def test_a_schema_knows_its_members() -> None:
    schema = contracts.load("costrouter").schemas[Kind.REQUEST]
    expected = {"max_tokens", "messages", "model", "response_format", "stream", "temperature", "tools", "top_p"}
    assert expected == known(schema)


def test_a_refusal_says_what_was_answered_instead() -> None:
    found = compare(run("tkhub", replied(400), QUESTION, FAR), "tkhub")
    (verdict,) = (each for each in found if each.check == "request.temperature.maximum")
    (finding,) = verdict.findings
    expected = ("status 400", "an answer, as control, which differs in temperature alone, has one", (0, len(TYPED)))
    assert expected == (finding.got, finding.want, finding.bytes)
    assert (1, 1) == (verdict.examined, verdict.found)
