"""Real servers that nobody here wrote: what the suite says of them, held against what their bytes show.

servers/expected/ has one file a server: every check that fails, in which exchanges, and why, written by hand. A new
version of a server that changes one shows here as lines that came and lines that went.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from chatconform import judge, load
from chatconform.checks import all_checks
from chatconform.model import Exchange, Level, Outcome
from chatconform.reference import rewrite
from chatconform.resources import path
from chatconform.rollup import roll_up
from chatconform.strict_yaml import read
from servers import masking, recording, wheels

EXPECTED = Path(__file__).parent / "servers" / "expected"


def found(server: str) -> dict[str, Any]:
    return read(EXPECTED / f"{server}.yaml").value


def deviations(server: str) -> list[dict[str, Any]]:
    return found(server)["deviations"]


def shipped(server: str) -> Path:
    (folder,) = (path("recordings") / server).iterdir()
    return folder


def failing(exchanges: Iterable[Exchange], besides: Iterable[str] = ()) -> list[str]:
    """What fails besides some checks, a line a check and exchange."""
    failed = (each for each in judge(exchanges) if each.outcome is Outcome.FAIL and each.check not in besides)
    return sorted(f"{each.check} {each.level} {each.exchange}" for each in failed)


def expected(server: str) -> list[str]:
    return sorted(f"{each['check']} {each['level']} {name}" for each in deviations(server) for name in each["in"])


@pytest.fixture(scope="module", params=recording.WHEELS)
def server(request) -> str:
    return request.param


@pytest.fixture(scope="module")
def exchanges(server) -> Mapping[str, Exchange]:
    """The shipped exchanges of a server by their ids."""
    return {each.id: each for each in load([shipped(server)])}


# The shipped recordings, judged offline


def test_what_fails_on_the_shipped_recording_is_what_was_found_by_hand(server, exchanges):
    assert expected(server) == failing(exchanges.values())


def test_nothing_of_the_shipped_recording_is_a_bug_of_the_suite(exchanges):
    assert Outcome.ERROR not in {each.outcome for each in judge(exchanges.values())}


def texts(exchange: Exchange) -> tuple[str, str]:
    """The request's body as JSON; and the answer: its status, its header fields, its body."""
    assert exchange.response is not None
    asked = exchange.request.body
    sent = asked.decode() if isinstance(asked, bytes) else json.dumps(asked, ensure_ascii=False)
    fields = [f"{name}: {value}" for name, value in exchange.response.headers]
    body = rewrite.body_of(exchange).decode()
    return sent, "\n".join([str(exchange.response.status), *fields, "", body])


def unshown(deviation: Mapping[str, Any], exchange: Exchange) -> Iterator[str]:
    """Yield what a deviation says of the bytes of an exchange, and they do not show."""
    sent, answer = texts(exchange)
    places = [(sent, "sent", True), (answer, "got", True), (answer, "lacks", False)]
    for text, kind, wanted in places:
        for pattern in deviation.get(kind, ()):
            if bool(re.search(pattern, text, re.MULTILINE | re.IGNORECASE)) != wanted:
                yield f"{deviation['check']} {exchange.id} {kind} {pattern}"


def test_every_deviation_is_shown_by_the_bytes(server, exchanges):
    assert [] == [line for each in deviations(server) for name in each["in"] for line in unshown(each, exchanges[name])]


def test_every_deviation_says_why_and_is_shown_by_something(server):
    kinds = {"check", "level", "in", "why", "sent", "got", "lacks"}
    assert [] == [each["check"] for each in deviations(server) if not each["why"] or "got" not in each]
    assert set() == {name for each in deviations(server) for name in each} - kinds


def test_the_musts_that_are_left_unproven_are_those_that_were_found_by_hand(server, exchanges):
    rolled = roll_up(judge(exchanges.values())).items()
    left = {key.check for key, each in rolled if each.level is Level.MUST and each.outcome is Outcome.UNPROVEN}
    assert set(found(server)["unproven"]) == left


# The servers themselves


def test_the_servers_answer_as_they_are_recorded_and_fail_what_was_found_by_hand(tmp_path):
    wheels.need(*wheels.MODULES)
    with recording.running(tmp_path / "running") as urls:
        made = recording.record(tmp_path, urls)
    assert [] == [line for server in made for line in masking.differences(shipped(server), made[server])]
    for server, folder in made.items():
        by_chance = found(server)["by_chance"]
        assert expected(server) == failing(load([folder]), besides=by_chance)
        assert [] == [name for name in by_chance if not all_checks()[name].by_chance]
