"""Comparisons: what several exchanges of one run come to together, and what they never come to."""

from __future__ import annotations

import gzip
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from functools import cache

import pytest

from chatconform.checks import all_comparisons
from chatconform.checks import comparison as registry
from chatconform.checks.comparison import Compared, comparison
from chatconform.checks.recording import Credential, Recorded, Recording, Standing
from chatconform.judging import compare, judge, known_checks
from chatconform.judging.bounds import Bounds
from chatconform.judging.comparisons import MOST, ROOM, ROOM_EACH
from chatconform.model import (
    Exchange,
    Finding,
    JsonObject,
    Level,
    Origin,
    Outcome,
    OwnDocument,
    Reason,
    SuiteError,
    Verdict,
)
from chatconform.proof import of_good_run, outcomes
from chatconform.reference import rewrite
from chatconform.reference.good import GOOD
from chatconform.reference.rehearsal import Run, answers_to, rehearsal
from chatconform.reference.run_clauses import all_run_faults
from chatconform.reference.runs import RunFault, written
from outcome_vectors import differences

pytestmark = pytest.mark.uncovered

FAULTS = all_run_faults()
COMPARISONS = all_comparisons()
CONTRACTS = (None, "costrouter", "tkhub", "toapis", "tooken", "xmsmartlink")


@cache
def broken(fault: str) -> Run:
    return FAULTS[fault].breaks(FAULTS[fault].makes())


@cache
def verdicts_on(fault: str) -> tuple[Verdict, ...]:
    return tuple(compare(broken(fault), FAULTS[fault].contract))


def about(fault: RunFault, vector: Mapping[str, str]) -> dict[str, str]:
    return {key: word for key, word in vector.items() if fnmatchcase(key.partition("/")[2], fault.about)}


# The proof


@pytest.mark.parametrize("contract", CONTRACTS)
def test_a_good_run_has_no_finding_and_nothing_unproven(contract: str | None) -> None:
    lawful = (Outcome.PASS, Outcome.NOT_APPLICABLE)
    assert [] == [each for each in compare(rehearsal(contract), contract) if each.outcome not in lawful]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_no_exchange_of_a_good_run_is_accused(contract: str | None) -> None:
    run = rehearsal(contract)
    assert [] == [(each.check, each.exchange) for each in judge(run, contract) if each.outcome is Outcome.FAIL]


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_of_a_run_changes_what_it_states_and_nothing_else(name: str) -> None:
    fault = FAULTS[name]
    stated = fault.change.expected(of_good_run(fault), known_checks())
    judged = outcomes(broken(name), fault.contract)
    assert [] == differences(about(fault, stated), about(fault, judged))


@pytest.mark.parametrize("name", written())
def test_a_fault_of_a_run_says_in_one_sentence_what_is_wrong(name: str) -> None:
    assert FAULTS[name].says.endswith(".")


@pytest.mark.parametrize("name", written())
def test_every_id_that_a_fault_of_a_run_states_means_a_rule(name: str) -> None:
    stray = [
        each for each in FAULTS[name].change.patterns if not any(fnmatchcase(rule, each) for rule in known_checks())
    ]
    assert [] == stray


def seen(outcome: Outcome) -> set[str]:
    return {each.check for name in written() for each in verdicts_on(name) if each.outcome is outcome}


def test_every_comparison_is_broken_by_a_fault_written_by_hand() -> None:
    assert set() == COMPARISONS.keys() - seen(Outcome.FAIL)


def test_every_comparison_passes_on_a_good_run() -> None:
    good = {each.check for name in (None, "tkhub") for each in compare(rehearsal(name), name) if each.examined}
    assert set() == COMPARISONS.keys() - good


def test_every_comparison_is_unproven_in_some_row() -> None:
    answer, probe = two(answer=asking(), probe=asking(response_format={"type": "text"}))
    no = refused(500, "Not today.")
    runs = (unread_streams(), changing_ids(), (no(answer), refused(400, "No.")(probe)), each(rehearsal("tkhub"), no))
    others = {verdict.check for run in runs for verdict in compare(run) if is_unproven(verdict)}
    assert set() == COMPARISONS.keys() - seen(Outcome.UNPROVEN) - others


def is_unproven(verdict: Verdict) -> bool:
    return verdict.outcome is Outcome.UNPROVEN


def nothing(_compared: Compared) -> Iterator[Finding]:
    """A predicate that finds nothing, whatever it is shown."""
    yield from ()


def killers() -> Iterator[tuple[str, str]]:
    for check in COMPARISONS:
        breaking = (name for name in written() if any(fnmatchcase(check, each) for each in FAULTS[name].change.fails))
        yield check, next(breaking)


@pytest.mark.parametrize("check, fault", list(killers()))
def test_a_comparison_that_finds_nothing_is_noticed(check: str, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = verdicts_on(fault)
    monkeypatch.setitem(registry._REGISTRY, check, replace(COMPARISONS[check], predicate=nothing))
    assert list(before) != list(compare(broken(fault), FAULTS[fault].contract))


def test_no_row_is_an_error_of_the_suite() -> None:
    assert set() == seen(Outcome.ERROR)


def test_a_pass_has_examined_something() -> None:
    rows = (each for name in CONTRACTS for each in compare(rehearsal(name), name))
    assert [] == [each for each in rows if each.outcome is Outcome.PASS and not each.examined]


@pytest.mark.parametrize("contract", CONTRACTS)
def test_there_is_one_verdict_for_each_rule_and_exchange(contract: str | None) -> None:
    keys = [each.key for each in compare(rehearsal(contract), contract)]
    assert sorted(set(keys)) == sorted(keys)


def test_findings_stand_in_the_answer_of_the_exchange_that_is_accused() -> None:
    sizes = {
        (name, each.id): len(rewrite.body_of(each)) for name in written() for each in broken(name) if each.response
    }
    spans = [
        (sizes[name, verdict.exchange], finding.bytes)
        for name in written()
        for verdict in verdicts_on(name)
        for finding in verdict.findings
        if finding.bytes
    ]
    assert [] == [(size, span) for size, span in spans if not 0 <= span[0] <= span[1] <= size]


def test_judging_says_what_comparing_says_after_all_else() -> None:
    run = rehearsal(None)
    compared = list(compare(run))
    assert compared == list(judge(run))[-len(compared) :]


def test_the_order_of_the_exchanges_changes_nothing() -> None:
    run = list(broken("run.usage.stream.differs"))
    random.Random(7).shuffle(run)
    assert list(verdicts_on("run.usage.stream.differs")) == list(compare(run))


# What throws


def throwing(_anything: object) -> Iterator[Finding]:
    """A predicate, or a selection, that throws."""
    raise ZeroDivisionError("so it is")


@pytest.mark.parametrize("part", ["predicate", "pairs", "examines"])
def test_what_a_comparison_throws_is_an_error_of_the_suite(part: str, monkeypatch: pytest.MonkeyPatch) -> None:
    changed = replace(COMPARISONS["pairs.id.distinct"], **{part: throwing})  # type: ignore[arg-type]
    monkeypatch.setitem(registry._REGISTRY, "pairs.id.distinct", changed)
    (verdict,) = (each for each in compare(rehearsal(None)) if each.check == "pairs.id.distinct")
    assert (Outcome.ERROR, "ZeroDivisionError: so it is") == (verdict.outcome, verdict.findings[0].got)


REFUSED = [("pairs.id.distinct", "TRM-01"), ("sse.done.last", "TRM-01"), ("one", "TRM-01"), ("pairs.some.thing", "")]


@pytest.mark.parametrize("name, cites", REFUSED)
def test_a_comparison_without_an_id_of_its_own_or_a_source_is_refused(name: str, cites: str) -> None:
    def finds(_compared: Compared) -> Iterator[Finding]:
        """It is so.

        Breaks: nothing.
        Fix: nothing.
        """
        yield from ()

    with pytest.raises(SuiteError):
        comparison(name, level=Level.MAY, pairs=lambda _: iter(()), cites=cites)(finds)


# What is compared


def accused(run: Iterable[Exchange], contract: str | None = None) -> list[tuple[str, str]]:
    return sorted((each.check, each.exchange) for each in compare(run, contract) if each.outcome is Outcome.FAIL)


def judged(run: Iterable[Exchange], check: str, contract: str | None = None) -> dict[str, str]:
    """Return by exchange what a comparison comes to, with the reason where there is one."""
    return {
        each.exchange: ": ".join(str(part) for part in (each.outcome, each.reason) if part)
        for each in compare(run, contract)
        if each.check == check
    }


DIFFERS = broken("run.usage.stream.differs")


def test_a_run_in_which_counts_differ_is_accused() -> None:
    assert "pairs.prompt_tokens.same" in {check for check, _ in accused(DIFFERS)}


@pytest.mark.parametrize("origin", [Origin.IMPORTED, Origin.DOCUMENT])
def test_imported_traffic_is_not_compared(origin: Origin) -> None:
    assert [] == list(compare(replace(each, origin=origin) for each in DIFFERS))


@pytest.mark.parametrize("recorded_at", [None, "", "yesterday"])
def test_what_came_nobody_knows_when_is_not_compared(recorded_at: str | None) -> None:
    assert [] == list(compare(replace(each, recorded_at=recorded_at) for each in DIFFERS))


def on_days(run: Run, days: int) -> Run:
    """Return a run whose streams were recorded this many days after the other exchanges."""
    moments = {False: "2026-11-20T12:00:00Z", True: f"2026-11-{20 + days}T12:00:00Z"}
    return tuple(replace(each, recorded_at=moments[is_stream(each)]) for each in run)


def is_stream(exchange: Exchange) -> bool:
    body = exchange.request.body
    return isinstance(body, dict) and body.get("stream") is True


@pytest.mark.parametrize("days, compared", [(0, True), (1, True), (2, False)])
def test_exchanges_of_other_days_are_another_run(days: int, *, compared: bool) -> None:
    assert compared is any(check == "pairs.prompt_tokens.same" for check, _ in accused(on_days(DIFFERS, days)))


def test_providers_are_not_compared_with_each_other() -> None:
    apart = (replace(each, provider=f"of {each.id}") for each in DIFFERS)
    assert [] == [check for check, _ in accused(apart)]


def test_an_attempt_before_the_last_is_not_compared() -> None:
    (answer, stream) = answers_to(None, {"answer": asking(), "stream": asking(stream=True)})
    again = replace(rewrite.with_status(answer, 429), id="answer@1", attempt=1)
    assert list(compare([answer, stream])) == list(compare([again, answer, stream]))


def test_traffic_in_bulk_is_not_compared() -> None:
    (one,) = answers_to(None, {"one": asking()})
    bulk = [replace(one, id=f"one.{number}") for number in range(MOST + 1)]
    assert (True, False) == (bool(list(compare(bulk[:2]))), bool(list(compare(bulk))))


def test_what_was_captured_twice_is_no_finding() -> None:
    run = rehearsal(None)
    twice = (*run, *(replace(each, id=f"{each.id}.copy") for each in run))
    assert [] == accused(twice)


# Requests


QUESTION: JsonObject = {
    "model": "reference-1",
    "messages": [{"role": "user", "content": "Count from 1 to 40 in digits, with commas between them."}],
    "max_tokens": 160,
}


def asking(**members: object) -> JsonObject:
    changed: JsonObject = {**QUESTION, **members}  # type: ignore[dict-item]
    return {name: value for name, value in changed.items() if value is not None}


def recording(**bodies: JsonObject) -> Recording:
    return Recording(answers_to(None, bodies), Bounds(None))


DIFFERENCES = {
    "another value": (asking(max_tokens=160), asking(max_tokens=16), "max_tokens"),
    "one that the other lacks": (asking(seed=7), asking(), "seed"),
    "one that it lacks": (asking(), asking(seed=7), "seed"),
    "the order of members": (asking(metadata={"a": "1", "b": "2"}), asking(metadata={"b": "2", "a": "1"}), None),
    "two members": (asking(seed=7, n=1), asking(seed=8, n=2), None),
    "one in place of another": (asking(seed=7), asking(n=1), None),
    "nothing": (asking(), asking(), None),
    "true and 1": (asking(seed=1), asking(seed=True), "seed"),
}


@pytest.mark.parametrize("one, other, member", DIFFERENCES.values(), ids=DIFFERENCES)
def test_requests_differ_in_a_member(one: JsonObject, other: JsonObject, member: str | None) -> None:
    found = recording(one=one, other=other)
    first, second = (each for each in found.all)
    assert ([(member, (second,))] if member else []) == list(found.differing(first))


def test_only_requests_for_completions_with_a_body_that_is_known_are_held_against_each_other() -> None:
    (one,) = answers_to(None, {"one": asking()})
    unknown = replace(one, id="unknown", request=replace(one.request, body=None))
    elsewhere = replace(one, id="elsewhere", request=replace(one.request, url="http://127.0.0.1/v1/embeddings"))
    assert ["one"] == [each.id for each in Recording((one, unknown, elsewhere), Bounds(None)).chats]


STATUSES = {
    200: Standing.ACCEPTED, 204: Standing.OTHER, 307: Standing.OTHER, 400: Standing.REFUSED, 401: Standing.BARRED,
    403: Standing.BARRED, 404: Standing.REFUSED, 405: Standing.OTHER, 413: Standing.REFUSED, 415: Standing.REFUSED,
    422: Standing.REFUSED, 429: Standing.LIMITED, 500: Standing.CRASHED, 501: Standing.CRASHED, 502: Standing.OUT,
    503: Standing.OUT, 504: Standing.OUT,
}  # fmt: skip


@pytest.mark.parametrize("status, standing", STATUSES.items())
def test_what_became_of_a_request_is_in_its_status(status: int, standing: Standing) -> None:
    answer = GOOD["answer"] if status == 200 else rewrite.with_body(GOOD["answer"], b"")
    assert standing is Recorded(rewrite.with_status(answer, status)).standing


def test_an_error_under_status_200_is_no_answer() -> None:
    error = rewrite.with_body(GOOD["answer"], b'{"error":{"message":"Not today."}}')
    assert Standing.OTHER is Recorded(error).standing


def test_a_stream_that_carries_an_error_is_no_answer() -> None:
    broken_off = rewrite.inserted(GOOD["stream"], 2, b'data: {"error":{"message":"Not today."}}')
    assert Standing.OTHER is Recorded(broken_off).standing


@pytest.mark.parametrize(
    "value, credential",
    [
        (None, Credential.ABSENT),
        ("Bearer ********************************", Credential.RIGHT),
        ("Bearer chatconform-wrong-key-0000000000", Credential.WRONG),
    ],
)
def test_a_recorded_request_says_which_key_it_went_with(value: str | None, credential: Credential) -> None:
    headers = () if value is None else (("authorization", value),)
    sent = replace(GOOD["answer"], request=replace(GOOD["answer"].request, headers=headers))
    assert credential is Recorded(sent).credential


# Lawful, and near to what is not


def changed(run: Run, name: str, changes: Callable[[Exchange], Exchange]) -> Run:
    return tuple(changes(each) if each.id == name else each for each in run)


def refused(
    status: int, message: str, code: str | None = None, param: str | None = None
) -> Callable[[Exchange], Exchange]:
    error: JsonObject = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
    body = rewrite.as_json({"error": error})
    return lambda exchange: rewrite.with_status(
        rewrite.with_header(rewrite.with_body(exchange, body), "Content-Type", "application/json"), status
    )


def each(run: Run, changes: Callable[[Exchange], Exchange]) -> Run:
    return tuple(map(changes, run))


def text(exchange: Exchange, said: str, finish: str = "stop", tokens: int = 5) -> Exchange:
    told = rewrite.member(exchange, 0, ("choices", 0, "message", "content"), said)
    ended = rewrite.member(told, 0, ("choices", 0, "finish_reason"), finish)
    return rewrite.member(ended, 0, ("usage", "completion_tokens"), tokens)


def two(**bodies: JsonObject) -> Run:
    return answers_to(None, bodies)


def without_keys(exchange: Exchange) -> Exchange:
    headers = tuple(pair for pair in exchange.request.headers if pair[0].lower() != "authorization")
    return replace(exchange, request=replace(exchange.request, headers=headers))


def unread_streams() -> Run:
    return each(rehearsal(None), lambda one: replace(one, response=replace(rewrite.response_of(one), reads=None)))


def changing_ids() -> Run:
    """Return a run in which every chunk of every stream has an id of its own."""
    return each(rehearsal(None), lambda one: renumbered(one) if is_stream(one) and is_ok(one) else one)


def renumbered(exchange: Exchange) -> Exchange:
    chunks = enumerate(rewrite.messages(exchange))
    return rewrite.with_messages(exchange, [{**chunk, "id": f"{exchange.id}-{number}"} for number, chunk in chunks])


def is_ok(exchange: Exchange) -> bool:
    return rewrite.response_of(exchange).status == 200


def first_buffered() -> Run:
    held = broken("run.stream.buffered")
    return changed(held, "stream", lambda one: next(each for each in rehearsal(None) if each.id == one.id))


def counted(tokens: int, cached: int | None = None, model: str | None = None) -> Callable[[Exchange], Exchange]:
    def count(exchange: Exchange) -> Exchange:
        usage: JsonObject = {"prompt_tokens": tokens, "completion_tokens": 5, "total_tokens": tokens + 5}
        if cached is not None:
            usage["prompt_tokens_details"] = {"cached_tokens": cached}
        told = rewrite.member(exchange, 0, ("usage",), usage)
        return told if model is None else rewrite.member(told, 0, ("model",), model)

    return count


def pair(first: Callable[[Exchange], Exchange], second: Callable[[Exchange], Exchange], **members: object) -> Run:
    one, other = two(one=asking(), other=asking(**members))
    return first(one), second(other)


def same(exchange: Exchange) -> Exchange:
    return exchange


def named(name: str) -> Callable[[Exchange], Exchange]:
    return lambda exchange: rewrite.member(exchange, 0, ("id",), name)


STOPPED = "1, 2, 3, 4, 5, 6, 7, 8, 9, 10"
LAWFUL: dict[str, Run] = {
    "a server that needs no key": each(rehearsal(None), without_keys),
    "a parameter that is said to be unsupported": changed(
        rehearsal(None), "n", refused(400, "n is not supported by this model.", "unsupported_parameter", "n")
    ),
    "a 404 for the path with a slash": changed(rehearsal(None), "models.slash", refused(404, "Nothing is here.")),
    "a redirect for the path with a slash": changed(
        rehearsal(None), "models.slash", lambda one: rewrite.with_status(rewrite.with_body(one, b""), 307)
    ),
    "a GET of the list of stored completions": changed(
        rehearsal(None), "error.get",
        lambda one: rewrite.with_status(rewrite.with_body(one, b'{"object":"list","data":[]}'), 200),
    ),
    "both caps refused": changed(rehearsal(None), "cap.both", refused(400, "Send one of the two.")),
    "one stream that is buffered by chance": first_buffered(),
    "another text each time": pair(
        lambda one: text(one, "Cities, of course."), lambda other: text(other, "Zürich."), max_tokens=16
    ),
    "a short answer that another one goes on from": pair(
        lambda one: text(one, "Zürich, Switzerland."), lambda other: text(other, "Zürich", tokens=2), max_tokens=16
    ),
    "a cut text that is said to be cut": pair(
        lambda one: text(one, "1, 2, 3, 4, 5, 6", tokens=16),
        lambda other: text(other, "1, 2, 3", "length", 8),
        max_tokens=8,
    ),
    "reasoning that is counted and not shown": pair(
        lambda one: text(one, "Zürich", tokens=140), lambda other: text(other, "Zürich", tokens=15), max_tokens=16
    ),
    "a count of the prompt without what was cached": pair(counted(40), counted(8, cached=32)),
    "another model behind the same name": pair(counted(40, model="one"), counted(31, model="other")),
    "a gateway that chooses a model and does not say which": pair(
        counted(40, model="auto"), counted(31, model="auto")
    ),
    "the same id for the same prompt, as from a cache": pair(named("chatcmpl-1"), named("chatcmpl-1")),
    "a text that ends by itself before its stop string": pair(
        lambda one: text(one, STOPPED), lambda other: text(other, "1, 2, 3, 4, 5, 6, 7, 8, ", tokens=16), stop="9"
    ),
    "a run whose last exchange was never sent": (
        *rehearsal(None),
        replace(rehearsal(None)[0], id="late", response=None, end="limit:requests", recorded_at=None),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", LAWFUL)
def test_what_is_lawful_is_not_accused(name: str) -> None:
    assert [] == accused(LAWFUL[name])


# Edges: what is accused beside what is near to it


def words(count: int) -> str:
    return " ".join("a" * count)


def capped(cap: int, whole: str, said: str, tokens: int) -> Run:
    """Return a run of a text without a cap to speak of, and of another under a cap, with its count of tokens."""
    return pair(lambda one: text(one, whole), lambda other: text(other, said, tokens=tokens), max_tokens=cap)


def stopped(said: str, *stops: str) -> Run:
    return pair(lambda one: text(one, STOPPED), lambda other: text(other, said, tokens=16), stop=[*stops])


def followed(characters: int, tokens: int) -> Run:
    """Return a run of a prompt of 40 tokens, and of the same with so many characters more and its count of tokens."""
    longer = [*QUESTION["messages"], {"role": "user", "content": "x" * characters}]  # type: ignore[misc]
    return pair(counted(40), counted(tokens), messages=longer)


def outgrown(length: int, tokens: int) -> Run:
    """Return a run of a text of 4 tokens under a cap of 4, and of one of so many words and tokens without a cap."""
    short = asking(max_tokens=4)
    one, other = two(one=short, other=asking(max_tokens=None))
    return text(one, words(8), tokens=4), text(other, words(length), tokens=tokens)


def model_named(name: str) -> Callable[[Exchange], Exchange]:
    return lambda one: rewrite.with_messages(one, [{**each, "model": name} for each in objects(one)])


def objects(exchange: Exchange) -> Iterator[JsonObject]:
    yield from (each for each in rewrite.messages(exchange) if isinstance(each, dict))


def twins(model: str, plain: str, streamed: str) -> Run:
    """Return a run of one request, streamed and not, answered by models of these names."""
    one, other = two(one=asking(model=model), other=asking(model=model, stream=True))
    return model_named(plain)(one), model_named(streamed)(other)


def asked_with(member: str, value: object, change: Callable[[Exchange], Exchange]) -> Run:
    return pair(same, change, **{member: value})


LONG, OPEN = "Zürich, Switzerland", "not-applicable: other-branch"
EDGES: dict[tuple[str, str], tuple[Run, str]] = {
    ("pairs.cap.kept", "8 words are 4 tokens, 2 above the cap"): (capped(2, words(8), words(8), 2), "fail"),
    ("pairs.cap.kept", "7 words may be 3 tokens, 1 above it"): (capped(2, words(7), words(7), 2), "pass"),
    ("pairs.finish_reason.cut", "as many tokens as it may have"): (capped(2, LONG, "Zürich", 2), "fail"),
    ("pairs.finish_reason.cut", "one token less"): (capped(2, LONG, "Zürich", 1), OPEN),
    ("pairs.finish_reason.cut", "3 characters for each token"): (capped(4, LONG, "Zürich, Swit", 0), "fail"),
    ("pairs.finish_reason.cut", "one character less"): (capped(4, LONG, "Zürich, Swi", 0), OPEN),
    ("pairs.finish_reason.cut", "the whole text"): (capped(2, LONG, LONG, 2), OPEN),
    ("pairs.completion_tokens.longer", "as many as a shorter one"): (outgrown(10, 4), "fail"),
    ("pairs.completion_tokens.longer", "one more"): (outgrown(10, 5), "pass"),
    ("pairs.completion_tokens.longer", "a text that may be as short"): (outgrown(9, 4), OPEN),
    ("pairs.stop.reached", "8 characters before"): (stopped("1, 2, 3, 4, 5, ", "9"), "fail"),
    ("pairs.stop.reached", "7 characters before"): (stopped("1, 2, 3, 4, 5, 6", "9"), "pass"),
    ("pairs.stop.reached", "a stop string at the beginning"): (stopped("1, 2", "1", "9"), "pass"),
    ("pairs.prompt_tokens.longer", "40 characters that count nothing"): (followed(40, 40), "fail"),
    ("pairs.prompt_tokens.longer", "40 characters that count one token"): (followed(40, 41), "pass"),
    ("pairs.model.same", "another model"): (twins("gpt-4", "one", "other"), "fail"),
    ("pairs.model.same", "a version of it"): (twins("gpt-4", "gpt-4", "gpt-4-0613"), "pass"),
    ("pairs.model.same", "its name with the vendor's"): (twins("gpt-4", "openai/gpt-4", "gpt-4"), "pass"),
    ("pairs.model.same", "a gateway that chooses"): (twins("auto", "one", "other"), OPEN),
    ("pairs.model.same", "a stream that names none"): (twins("gpt-4", "gpt-4", ""), OPEN),
    ("pairs.model.same", "an answer that names none"): (twins("gpt-4", "", "gpt-4"), OPEN),
    ("parameters.standard.accepted", "refused"): (
        asked_with("user", "me", refused(400, "The user is odd.")), "fail",
    ),
    ("parameters.standard.accepted", "not supported"): (
        asked_with("user", "me", refused(400, "A user is not supported.")), "not-applicable: refused-typed",
    ),
}  # fmt: skip


@pytest.mark.parametrize("check, case", EDGES)
def test_what_is_near_to_a_fault_is_told_from_it(check: str, case: str) -> None:
    run, expected = EDGES[check, case]
    assert {"other": expected} == judged(run, check)


PARTS: dict[str, tuple[JsonObject, dict[str, str]]] = {
    "a text": ({"type": "text"}, {"other": "pass"}),
    "a picture": ({"type": "image_url", "image_url": {"url": "https://example.com/a.png"}}, {}),
}


@pytest.mark.parametrize("part, expected", PARTS.values(), ids=PARTS)
def test_only_parts_that_are_text_say_the_same_as_a_string(part: JsonObject, expected: dict[str, str]) -> None:
    parts: list[JsonObject] = [{**part, "text": "Name a city."}]
    one, other = (asking(messages=[{"role": "user", "content": each}]) for each in ("Name a city.", parts))
    assert expected == judged(two(one=one, other=other), "parameters.parts.accepted")


SLASHES = {200: "pass", 204: "fail", 299: "fail", 300: OPEN, 404: OPEN, 499: OPEN, 500: "fail", 501: "fail"}


@pytest.mark.parametrize("status, expected", SLASHES.items())
def test_a_path_with_a_slash_has_the_list_or_is_not_there(status: int, expected: str) -> None:
    plain, slash = (each for each in rehearsal(None) if each.id in ("models", "models.slash"))
    replied = slash if status == 200 else rewrite.with_status(rewrite.with_body(slash, b""), status)
    assert {"models.slash": expected} == judged((plain, replied), "models.path.slash")


@pytest.mark.parametrize("status", [307, 404, 405, 500])
def test_where_there_is_no_list_nothing_of_a_list_is_left_unproven(status: int) -> None:
    slash = next(each for each in rehearsal(None) if each.id == "models.slash")
    replied = rewrite.with_status(rewrite.with_body(slash, b""), status)
    of_a_list = [each for each in judge([replied]) if not each.check.startswith("errors.")]
    assert [] == [each.check for each in of_a_list if each.outcome in (Outcome.UNPROVEN, Outcome.FAIL)]


def test_a_prompt_that_is_hardly_longer_is_not_held_against_the_shorter_one() -> None:
    assert {} == judged(followed(39, 40), "pairs.prompt_tokens.longer")


@pytest.mark.parametrize("check", ["pairs.cap.kept", "pairs.finish_reason.cut", "pairs.completion_tokens.longer"])
def test_a_request_with_both_caps_is_held_against_none(check: str) -> None:
    one, other = two(one=asking(max_tokens=4, max_completion_tokens=4), other=asking(max_tokens=None))
    assert {} == judged((text(one, words(8), tokens=4), text(other, words(10), tokens=4)), check)


def test_an_id_that_no_other_answer_has_is_held_against_one_of_these() -> None:
    assert {1} == {each.examined for each in compare(rehearsal(None)) if each.check == "pairs.id.distinct"}


def test_of_two_members_that_may_be_to_blame_the_first_is_named() -> None:
    probe, one, other = two(probe=asking(seed=7, user="me"), one=asking(user="me"), other=asking(seed=7))
    run = (refused(500, "Broken.")(probe), one, other)
    (verdict,) = (each for each in compare(run) if each.check == "errors.refusal.crash")
    assert ["an answer, or status 400; in all but seed it is one"] == [finding.want for finding in verdict.findings]


OF_REPLIES = ("auth.*", "errors.status.*", "errors.malformed.*", "errors.refusal.*", "models.path.*", "parameters.*")


@pytest.mark.parametrize("name", written())
def test_what_is_said_of_a_reply_stands_in_all_of_its_body(name: str) -> None:
    sizes = {each.id: len(rewrite.body_of(each)) for each in broken(name) if each.response}
    spans = [
        ((0, sizes[verdict.exchange]), finding.bytes)
        for verdict in verdicts_on(name)
        if any(fnmatchcase(verdict.check, pattern) for pattern in OF_REPLIES)
        for finding in verdict.findings
    ]
    assert [] == [(size, span) for size, span in spans if size != span]


@pytest.mark.parametrize("contract", [None, "tkhub"])
def test_only_of_a_failure_and_only_with_a_document_is_it_said_that_the_document_is_silent(
    contract: str | None,
) -> None:
    run = (without_keys(each) for each in asked_with("seed", 7, refused(500, "Broken.")))
    found = [(each.outcome is Outcome.FAIL, each.own_document) for each in compare(run, contract)
             if each.contract == "openai" and not each.check.startswith("request.")]  # fmt: skip
    silent = OwnDocument.SILENT if contract else None
    assert {(True, silent), (False, None)} == set(found)


REFUSED_AT_ONCE = refused(400, "There is no such parameter.", None, "user")
DOCUMENTED = {
    "without a document": (None, Outcome.FAIL, None),
    "that the document does not have": ("tooken", Outcome.NOT_APPLICABLE, Reason.REFUSED_TYPED),
    "that the document has": ("tkhub", Outcome.FAIL, None),
}


@pytest.mark.parametrize("contract, outcome, reason", DOCUMENTED.values(), ids=DOCUMENTED)
def test_a_parameter_that_is_refused(contract: str | None, outcome: Outcome, reason: Reason | None) -> None:
    answer, probe = two(answer=asking(), probe=asking(user="chatconform"))
    found = compare((answer, REFUSED_AT_ONCE(probe)), contract)
    verdict = next(each for each in found if each.check == "parameters.standard.accepted")
    assert (outcome, reason) == (verdict.outcome, verdict.reason)


def test_what_the_document_does_not_have_may_not_end_in_a_refusal_that_no_sdk_reads() -> None:
    answer, probe = two(answer=asking(), probe=asking(user="chatconform"))
    detail = rewrite.with_status(rewrite.with_body(probe, b'{"detail":"extra inputs"}'), 422)
    assert [("parameters.standard.accepted", "probe")] == accused((answer, detail), "tooken")


def large(exchange: Exchange) -> Exchange:
    """Return an exchange whose answer is too large to be read beside another."""
    return rewrite.with_body(exchange, rewrite.body_of(exchange) + b" " * (ROOM + 2 * ROOM_EACH))


def large_when_decoded(exchange: Exchange) -> Exchange:
    packed = gzip.compress(rewrite.body_of(large(exchange)))
    return rewrite.with_header(rewrite.with_body(exchange, packed), "Content-Encoding", "gzip")


UNPROVEN = {
    "an answer that is too large": (same, large, "unproven: budget"),
    "a coded answer that is too large": (same, large_when_decoded, "unproven: budget"),
    "a control that is refused": (refused(400, "No."), same, "unproven: prerequisite"),
    "a control that fails": (refused(500, "No."), same, "unproven: prerequisite"),
    "a limit": (same, refused(429, "Later."), "unproven: rate-limited"),
    "an outage": (same, refused(503, "Later."), "unproven: prerequisite"),
    "no answer": (same, lambda one: replace(one, response=None, end="reset"), "unproven: network"),
    "a ceiling": (same, lambda one: replace(one, response=None, end="limit:requests"), "unproven: budget"),
}


@pytest.mark.parametrize("control, probe, word", UNPROVEN.values(), ids=UNPROVEN)
def test_a_refusal_without_a_control_proves_nothing(
    control: Callable[[Exchange], Exchange], probe: Callable[[Exchange], Exchange], word: str
) -> None:
    answer, asked = two(answer=asking(), probe=asking(response_format={"type": "text"}))
    run = (control(answer), probe(refused(400, "No.")(asked)) if probe is same else probe(asked))
    assert {"probe": word} == judged(run, "parameters.text_format.accepted")


def test_a_number_of_streams_that_come_at_once_is_accused_in_one_place() -> None:
    found = [name for check, name in accused(broken("run.stream.buffered")) if check == "sse.delivery.progressive"]
    assert 1 == len(found)


def test_streams_whose_reads_are_unknown_prove_nothing() -> None:
    assert {"unproven: no-reads"} == set(judged(unread_streams(), "sse.delivery.progressive").values())


def test_a_stream_whose_ids_change_is_not_compared_by_them() -> None:
    outcomes = judged(changing_ids(), "pairs.id.distinct")
    assert "unproven: prerequisite" == outcomes["stream"]


def test_a_failure_of_one_member_is_no_refusal() -> None:
    answer, probe = two(answer=asking(), probe=asking(seed=7))
    run = (answer, refused(500, "Broken.")(probe))
    assert [("errors.refusal.crash", "probe")] == accused(run)


def test_what_a_document_leaves_to_openai_is_said() -> None:
    answer, probe = two(answer=asking(), probe=asking(seed=7))
    (verdict,) = (one for one in compare((answer, refused(500, "No.")(probe)), "tkhub") if one.contract == "openai"
                  and one.outcome is Outcome.FAIL)  # fmt: skip
    assert ("errors.refusal.crash", "silent") == (verdict.check, verdict.own_document)
