"""What a plan becomes: who is asked what and when, and what is on disk afterwards."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from chatconform import judging
from chatconform.capture.capture import GIVEN_UP_AFTER, WRONG_KEY, Credentials, Job, capture, credentials
from chatconform.capture.transport import LARGE
from chatconform.model import InputError, Origin, Place, Provider, Request, SuiteError
from chatconform.recordings import store
from chatconform.reference.endpoint import Endpoint
from chatconform.scenarios.ask import Ask, Key, Plan
from chatconform.scenarios.plan import plan
from loopback import OK, Connection, Server

KEY = "sk-test-0123456789abcdef"
LIMITS = {"concurrency": 2, "per_minute": 6000, "requests": 100, "output_tokens": 1000, "total_s": 20, "idle_s": 20,
          "body_mib": 1}  # fmt: skip
JSON = b"Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
FINE = [OK + JSON]
REFUSED = [b"HTTP/1.1 400 Bad Request\r\n" + JSON]
LIMITED = [b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\n" + JSON]


class Log:
    """A watch that writes down what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.on_wait = lambda: None

    def planned(self, plan: Plan, have: int) -> None:
        self.lines.append(f"planned {len(plan.asks)} have {have}")

    def started(self, provider: str, ask: Ask) -> None:
        self.lines.append(f"started {ask.id}")

    def finished(self, provider: str, exchange) -> None:
        status = exchange.response.status if exchange.response else exchange.end
        self.lines.append(f"finished {exchange.id} {status}")

    def skipped(self, provider: str, ask: Ask) -> None:
        self.lines.append(f"skipped {ask.id}")

    def waiting(self, provider: str, seconds: float, why: str) -> None:
        self.lines.append(f"waiting {why}")
        self.on_wait()

    def done(self, provider: str) -> None:
        self.lines.append("done")

    def count(self, word: str) -> int:
        return sum(line.startswith(word) for line in self.lines)


def provider_at(url: str, identifier: str = "acme", headers=(), **limits: float) -> Provider:
    return Provider(identifier, url, "m", "ACME_KEY", headers=dict(headers), limits={**LIMITS, **limits})


def asks(url: str, *identifiers: str, **members) -> list[Ask]:
    headers = (("Content-Type", "application/json"),)
    target = f"{url}/chat/completions"
    return [Ask(each, each, "POST", target, headers, b'{"model":"m"}', **members) for each in identifiers]


class Run:
    """One provider, asked by a test: the server's answers, the asks, and what became of them."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.log, self.requests = folder / "recording", Log(), []

    def __call__(self, answers, make, *, have=(), given=None, headers=(), **limits):
        async def run() -> None:
            self.stop = asyncio.current_task().cancel
            async with Server(*answers).running() as server:
                provider = provider_at(server.url, headers=headers, **limits)
                secret = credentials(provider, {"ACME_KEY": KEY, **(given or {})})
                job = Job(Plan(provider, tuple(make(server.url))), secret, self.folder, frozenset(have))
                self.requests = server.requests
                await capture([job], self.log)

        asyncio.run(run())
        return self.exchanges()

    def exchanges(self):
        return {each.id: each for each in store.load(self.folder)} if self.folder.exists() else {}


@pytest.fixture
def run(tmp_path) -> Run:
    return Run(tmp_path)


def test_each_ask_becomes_one_file_that_says_what_was_asked_and_what_came(run):
    members = {"sample": 2, "model": "other", "output_tokens": 9}
    kept = run([FINE], lambda url: [replace(each, scenario="stream") for each in asks(url, "stream.2", **members)])
    exchange = kept["stream.2"]
    expected = ("stream.2", "acme", "stream", 2, 1, Origin.LIVE, "m", "complete", None, b"{}")
    assert expected == (
        exchange.id, exchange.provider, exchange.scenario, exchange.sample, exchange.attempt, exchange.origin,
        exchange.model, exchange.end, exchange.note, exchange.response.body,
    )  # fmt: skip
    assert [run.folder / "stream.2.json"] == list(run.folder.iterdir())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", exchange.recorded_at)


def test_the_request_is_recorded_as_it_went_out_with_the_fields_that_are_allowed(run):
    kept = run([FINE], lambda url: asks(url, "a"), headers={"X-Project": "blue"})
    headers = (
        ("Accept", "*/*"),
        ("Accept-Encoding", "identity"),
        ("Content-Type", "application/json"),
        ("Authorization", "Bearer " + "*" * len(KEY)),
    )
    request = kept["a"].request
    assert (headers, {"model": "m"}) == (request.headers, request.body)
    assert (True, True) == (b"\r\nX-Project: blue\r\n" in run.requests[0], KEY.encode() in run.requests[0])


BODIES = [
    (b'{"a":1}', {"a": 1}),
    (b'{"a": 1}', b'{"a": 1}'),
    (b'{"a":"\\u00e9"}', b'{"a":"\\u00e9"}'),
    (b'{"a":1.0}', {"a": 1.0}),
    (b'{"a":1,"a":1}', b'{"a":1,"a":1}'),
    (b'{"a":', b'{"a":'),
    (b"[1]", b"[1]"),
    (b"", None),
]


@pytest.mark.parametrize("body, recorded", BODIES)
def test_a_body_is_recorded_so_that_the_exact_bytes_can_be_had_again(run, body, recorded):
    kept = run([FINE], lambda url: [replace(each, body=body) for each in asks(url, "a")])
    assert (recorded, True) == (kept["a"].request.body, run.requests[0].endswith(b"\r\n\r\n" + body))


KEYS = {Key.PRESENT: "Bearer " + "*" * len(KEY), Key.WRONG: f"Bearer {WRONG_KEY}", Key.ABSENT: None}


@pytest.mark.parametrize("key, recorded", KEYS.items())
def test_the_three_kinds_of_keys_can_be_told_apart(run, key, recorded):
    kept = run([FINE], lambda url: asks(url, "a", key=key))
    sent = {Key.PRESENT: KEY, Key.WRONG: WRONG_KEY}.get(key, "")
    assert recorded == dict(kept["a"].request.headers).get("Authorization")
    assert (bool(sent), True) == (b"Authorization" in run.requests[0], sent.encode() in run.requests[0])


def test_a_header_of_the_provider_that_is_its_authorization_gives_way_to_another_key(run):
    given = {"TOKEN": "fake-token-0123456789"}
    headers = {"Authorization": "Token ${TOKEN}", "X-Other": "${TOKEN}"}
    run([FINE], lambda url: asks(url, "a", key=Key.ABSENT), headers=headers, given=given)
    assert (False, True) == (b"Authorization" in run.requests[0], b"X-Other: fake-token-0123456789" in run.requests[0])


def test_what_headers_read_from_the_environment_is_a_secret_too(run):
    echoed = [OK + b"Content-Length: 21\r\n\r\nfake-token-0123456789"]
    kept = run([echoed], lambda url: asks(url, "a"), headers={"X-A": "a ${T}"}, given={"T": "fake-token-0123456789"})
    assert (b"*" * 21, True) == (kept["a"].response.body, b"X-A: a fake-token-0123456789" in run.requests[0])


def test_no_key_goes_to_another_place_than_the_providers(run):
    with pytest.raises(SuiteError) as caught:
        run([FINE], lambda url: asks(f"{url}.example.com", "a"))
    assert "a would carry the key of acme to another place" == str(caught.value)


def test_what_is_there_already_is_not_asked_for_again(run):
    run([FINE], lambda url: asks(url, "a", "b", "c"), have=["b", "x"])
    assert ["a", "c"] == sorted(run.exchanges())
    assert "planned 3 have 1" == run.log.lines[0]


def joint(url: str) -> list[Ask]:
    """A request, two that take it apart where it is refused, and one that takes one of these apart."""
    whole, low, high, lower = asks(url, "probe.low", "probe.a", "probe.b", "probe.a.1")
    apart = [replace(each, only_if_refused="probe.low") for each in (low, high)]
    return [whole, *apart, replace(lower, only_if_refused="probe.a")]


def test_what_was_not_refused_is_not_taken_apart(run):
    assert ["probe.low"] == sorted(run([FINE], joint))
    skipped = sorted(line for line in run.log.lines if line.startswith("skipped"))
    assert ["skipped probe.a", "skipped probe.a.1", "skipped probe.b"] == skipped


def test_what_was_refused_is_taken_apart(run):
    assert ["probe.a", "probe.a.1", "probe.b", "probe.low"] == sorted(run([REFUSED], joint))
    assert (4, 0) == (run.log.count("finished"), run.log.count("skipped"))


def test_what_takes_a_refused_request_apart_is_paid_for_before_the_last_requests(run):
    told = run([REFUSED], lambda url: [*joint(url)[:3], *asks(url, "y", "z")], requests=4, concurrency=1)
    ends = {name: exchange.end for name, exchange in told.items()}
    assert {"limit:requests": {"z"}, "complete": {"probe.low", "probe.a", "probe.b", "y"}} == {
        end: {name for name in ends if ends[name] == end} for end in set(ends.values())
    }


@pytest.mark.parametrize(
    "status, apart", [(400, 2), (401, 0), (404, 2), (413, 2), (415, 2), (422, 2), (429, 0), (500, 2), (503, 0)]
)
def test_only_some_statuses_say_that_something_is_wrong_with_what_was_asked(run, status, apart):
    answer = [b"HTTP/1.1 %d X\r\nRetry-After: 99\r\n" % status + JSON]
    assert 1 + apart == len(run([answer, FINE], joint))


def test_what_was_refused_in_an_earlier_run_is_taken_apart_in_this_one(run):
    run([REFUSED], lambda url: joint(url)[:1])
    run([FINE], joint, have=["probe.low", "probe.b"])
    assert ["probe.a", "probe.low"] == sorted(run.exchanges())


def test_what_was_answered_in_an_earlier_run_is_not_taken_apart_in_this_one(run):
    run([FINE], joint)
    run([FINE], joint, have=["probe.low"])
    assert ["probe.low"] == sorted(run.exchanges())


def test_an_ask_whose_condition_is_not_planned_is_skipped(run):
    assert {} == run([FINE], lambda url: joint(url)[1:])
    assert 3 == run.log.count("skipped")


CEILINGS = [("requests", 2, "limit:requests"), ("output_tokens", 25, "limit:output_tokens")]


@pytest.mark.parametrize("ceiling, value, end", CEILINGS)
def test_what_no_budget_is_left_for_is_recorded_and_not_sent(run, ceiling, value, end):
    kept = run([FINE], lambda url: asks(url, "a", "b", "c", output_tokens=10), **{ceiling: value})
    assert [("a", "complete"), ("b", "complete"), ("c", end)] == [(each.id, each.end) for each in kept.values()]
    assert (2, None, "not sent") == (len(run.requests), kept["c"].response, kept["c"].note)


def whole(length: int) -> list[bytes]:
    return [OK + b"Content-Length: %d\r\n\r\n" % length, b"x" * length]


def test_what_comes_after_more_bytes_than_a_plan_may_have_is_not_read_and_not_sent(run):
    answers = [whole(1024 * 1024)] * 2 + [whole(LARGE - 1), whole(LARGE + 1)]
    kept = run(answers, lambda url: asks(url, "a", "b", "c", "d"), concurrency=1)
    assert [("a", "complete"), ("b", "complete"), ("c", "limit:answer_bytes"), ("d", "limit:answer_bytes")] == [
        (each.id, each.end) for each in kept.values()
    ]
    assert 2 == len(run.requests)


def test_large_answers_are_all_kept_though_few_may_come_at_once(run):
    names = [f"a{number}" for number in range(9)]
    kept = run([whole(LARGE + 1)], lambda url: asks(url, *names), concurrency=9)
    assert dict.fromkeys(names, ("complete", LARGE + 1)) == {
        name: (each.end, len(each.response.body)) for name, each in kept.items()
    }


def test_a_429_is_asked_again_twice_and_each_attempt_is_recorded(run):
    kept = run([LIMITED, LIMITED, FINE], lambda url: asks(url, "a"))
    expected = {"a": (3, 200), "a@1": (1, 429), "a@2": (2, 429)}
    assert expected == {name: (each.attempt, each.response.status) for name, each in kept.items()}


def test_a_503_is_asked_again_too(run):
    unavailable = [b"HTTP/1.1 503 X\r\nRetry-After: 0\r\n" + JSON]
    assert ["a", "a@1"] == sorted(run([unavailable, FINE], lambda url: asks(url, "a")))


def test_after_one_request_for_which_waiting_did_not_help_no_other_waits(run):
    kept = run([LIMITED], lambda url: asks(url, "a", "b", "c"), concurrency=1)
    assert ["a", "a@1", "a@2", "b", "c"] == sorted(kept)


def test_as_soon_as_an_answer_comes_requests_are_asked_again_as_before(run):
    kept = run([LIMITED, LIMITED, LIMITED, FINE, LIMITED, FINE], lambda url: asks(url, "a", "b", "c"), concurrency=1)
    assert ["a", "a@1", "a@2", "b", "c", "c@1"] == sorted(kept)


NOT_AGAIN = {
    "another failure": b"HTTP/1.1 500 X\r\nRetry-After: 0\r\n" + JSON,
    "a wait beyond reason": b"HTTP/1.1 429 X\r\nRetry-After: 3600\r\n" + JSON,
    "a quota that is gone": (
        b"HTTP/1.1 429 X\r\nRetry-After: 0\r\nContent-Length: 39\r\n\r\n" + b'{"error":{"code":"insufficient_quota"}}'
    ),
    "a body that breaks off": OK + b"Content-Length: 9\r\n\r\n{}",
}


@pytest.mark.parametrize("answer", NOT_AGAIN.values(), ids=NOT_AGAIN)
def test_nothing_else_is_asked_again(run, answer):
    assert ["a"] == sorted(run([[answer], FINE], lambda url: asks(url, "a")))


def test_asking_again_is_paid_for(run):
    kept = run([LIMITED], lambda url: asks(url, "a", "b"), requests=2, concurrency=1)
    assert ["a", "a@1", "b"] == sorted(kept)
    assert ("limit:requests", 2) == (kept["b"].end, len(run.requests))


def test_a_provider_that_never_answers_is_given_up(run, tmp_path):
    async def nothing(connection: Connection) -> None:
        connection.reset()

    kept = run([nothing], lambda url: asks(url, *"abcdefgh"), concurrency=1)
    assert (GIVEN_UP_AFTER, {"reset": 8}) == (len(run.requests), Counter(each.end for each in kept.values()))
    assert "not sent: 3 requests before it were not answered" == kept["h"].note


def test_a_provider_that_has_answered_once_is_not_given_up(run):
    async def nothing(connection: Connection) -> None:
        connection.reset()

    run([FINE, nothing], lambda url: asks(url, *"abcdefgh"), concurrency=1)
    assert 8 == len(run.requests)


def test_as_many_requests_are_under_way_at_once_as_may_be_and_no_more(run):
    under_way, most, together = set(), [], asyncio.Barrier(3)

    async def answer(connection: Connection) -> None:
        under_way.add(connection)
        most.append(len(under_way))
        await together.wait()
        under_way.remove(connection)
        await connection.say(FINE[0])

    run([answer], lambda url: asks(url, *"abcdefghi"), concurrency=3)
    assert (3, 9) == (max(most), len(most))


def test_providers_are_asked_side_by_side(tmp_path):
    async def both() -> None:
        together = asyncio.Barrier(2)

        async def answer(connection: Connection) -> None:
            await together.wait()
            await connection.say(FINE[0])

        async with Server(answer).running() as one, Server(answer).running() as two, asyncio.timeout(20):
            jobs = [
                Job(
                    Plan(provider_at(each.url, name, concurrency=1), tuple(asks(each.url, "a", "b"))),
                    Credentials(),
                    tmp_path / name,
                )
                for name, each in (("one", one), ("two", two))
            ]
            await capture(jobs, Log())

    asyncio.run(both())
    assert ["a", "a", "b", "b"] == sorted(each.id for each in store.load(tmp_path))


def test_the_rate_of_a_provider_is_kept(run):
    run.log.on_wait = lambda: run.stop()
    with pytest.raises(asyncio.CancelledError):
        run([FINE], lambda url: asks(url, "a", "b", "c"), per_minute=2)
    assert ["waiting 2 requests a minute"] == [line for line in run.log.lines if line.startswith("waiting")]
    assert 2 == len(run.requests)


def test_a_provider_that_asks_to_wait_is_waited_for(run):
    run.log.on_wait = lambda: run.stop()
    limited = [b"HTTP/1.1 429 X\r\nRetry-After: 20\r\n" + JSON]
    with pytest.raises(asyncio.CancelledError):
        run([limited], lambda url: asks(url, "a"))
    assert ["planned 1 have 0", "started a", "finished a@1 429", "waiting the provider asks to"] == run.log.lines


def test_cancelling_keeps_what_has_ended(run):
    async def held(connection: Connection) -> None:
        run.stop()
        await connection.hold()

    with pytest.raises(asyncio.CancelledError):
        run([FINE, held], lambda url: asks(url, *"abc"), concurrency=1)
    assert ["a.json"] == [file.name for file in run.folder.iterdir()]


def test_a_folder_that_cannot_be_written_to_is_an_input_error(run, tmp_path):
    run.folder.write_text("a file is in the way")
    with pytest.raises(InputError) as caught:
        run([FINE], lambda url: asks(url, "a", "b"))
    assert str(run.folder) in str(caught.value.place)


CHILD = """
import asyncio, sys
from pathlib import Path
from chatconform.capture.capture import Job, capture, credentials
from chatconform.model import Provider
from chatconform.scenarios.plan import plan
from test_capture import LIMITS, Log
provider = Provider("acme", sys.argv[1], "reference-1", "ACME_KEY", limits=LIMITS | {"output_tokens": 99999})
job = Job(plan(provider), credentials(provider, {"ACME_KEY": "sk-test-0123456789abcdef"}), Path(sys.argv[2]))
class Told(Log):
    def finished(self, provider, exchange):
        print(exchange.id, flush=True)
asyncio.run(capture([job], Told()))
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_run_that_is_killed_leaves_whole_files_and_is_resumed(run, environment, how):
    with Endpoint(key=KEY).running() as url:
        paths = f"{environment['PYTHONPATH']}:{Path(__file__).parent}"
        command = [sys.executable, "-c", CHILD, url, str(run.folder)]
        child = subprocess.Popen(
            command, env={**environment, "PYTHONPATH": paths}, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        with child:
            told = [child.stdout.readline().decode().strip() for _ in range(20)]
            child.send_signal(how)
        before = run.exchanges()
        assert set() == set(told) - set(before)
        provider = replace(provider_at(url, output_tokens=99999), model="reference-1")
        planned = plan(provider)
        job = Job(planned, credentials(provider, {"ACME_KEY": KEY}), run.folder, frozenset(before))
        asyncio.run(capture([job], run.log))
    after = run.exchanges()
    assert {ask.id for ask in planned.asks if ask.only_if_refused is None} <= set(after)
    assert before == {name: after[name] for name in before}
    assert set() == {f"started {name}" for name in before} & set(run.log.lines)


DOCUMENTS = [None, "tooken", "tkhub", "costrouter", "toapis", "xmsmartlink"]


@pytest.mark.parametrize("contract", DOCUMENTS)
def test_the_whole_plan_against_the_reference_endpoint_finds_nothing(tmp_path, contract):
    with Endpoint(contract, key=KEY).running() as url:
        limits = {**LIMITS, "output_tokens": 99999, "concurrency": 4}
        model = "auto" if contract == "tooken" else "reference-1"
        provider = Provider(contract or "acme", url, model, "ACME_KEY", contract, limits=limits)
        planned = plan(provider)
        asyncio.run(capture([Job(planned, credentials(provider, {"ACME_KEY": KEY}), tmp_path)], Log()))
    exchanges = list(store.load(tmp_path))
    assert {"complete"} == {each.end for each in exchanges}
    fails = [verdict for verdict in judging.judge(exchanges, contract) if verdict.outcome == "fail"]
    assert [] == [(verdict.contract, verdict.check, verdict.exchange) for verdict in fails]


def test_a_recording_reads_back_as_it_was_kept(run):
    kept = run([FINE], lambda url: asks(url, "a"))["a"]
    written = json.loads((run.folder / "a.json").read_bytes())
    assert written == store.to_json(kept)
    assert Request("POST", kept.request.url, kept.request.headers, {"model": "m"}) == kept.request


CREDENTIALS = {
    "short key": ({"ACME_KEY": "short-key-12345"}, {}, "has fewer than 16 characters"),
    "line break": ({"ACME_KEY": "sk-test-0123456789abcdef\n"}, {}, "a character that a header cannot carry"),
    "not ASCII": ({"ACME_KEY": "sk-test-0123456789abcdé"}, {}, "a character that a header cannot carry"),
    "control": ({"ACME_KEY": "sk-test-0123456789abcd\x00"}, {}, "a character that a header cannot carry"),
    "unset variable": ({}, {"X-Key": "${OTHER_KEY}"}, "reads the variable OTHER_KEY, which is not set"),
    "short value": ({"OTHER_KEY": "short-key-12345"}, {"X-Key": "${OTHER_KEY}"}, "has fewer than 16 characters"),
}


@pytest.mark.parametrize("environ, headers, problem", CREDENTIALS.values(), ids=CREDENTIALS)
def test_what_cannot_be_sent_or_hidden_is_refused_without_a_word_of_it(environ, headers, problem):
    with pytest.raises(InputError) as caught:
        credentials(provider_at("http://127.0.0.1/v1", headers=headers), environ)
    assert (True, Place("providers.yaml")) == (problem in caught.value.problem, caught.value.place)
    assert [] == [value for value in environ.values() if value.strip() in str(caught.value)]


def test_a_key_that_is_not_set_is_none():
    provider = provider_at("http://127.0.0.1/v1")
    assert [None, None, KEY] == [
        credentials(provider, environ).key for environ in ({}, {"ACME_KEY": ""}, {"ACME_KEY": KEY})
    ]
