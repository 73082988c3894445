"""Other people's clients: what they were measured to do, what the catalogue says of it, and how they are asked."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from chatconform.clients import child, claims, measured, reading, tally
from chatconform.clients.cases import cases
from chatconform.clients.child import Witness
from chatconform.clients.claims import Unshown, Untold
from chatconform.clients.losses import outcome
from chatconform.clients.measured import Measured, Row, damage, stale, stored
from chatconform.clients.question import asks, question
from chatconform.clients.tally import Example
from chatconform.clients.told import Call, Said, Told, by_wire
from chatconform.clients.witness import refuse_elsewhere
from chatconform.deviations import catalogue
from chatconform.model import InputError, Origin, Request
from chatconform.recordings import store
from chatconform.reference.good import GOOD, contract_of
from chatconform.wire import transcript
from chatconform.wire.asked import Asked, Target
from witnesses import interpreter

ROOT = Path(__file__).parents[1]
WAYS = ("openai-python", "openai-python-stream")

# --- what was measured, and the catalogue


def test_what_was_measured_is_of_the_faults_of_today():
    """Where it is not: `make clients-all`, then

    .venv/bin/chatconform clients --fault '*' --json > suite/chatconform/clients/measured.json
    """
    assert {} == stale(stored(), cases())


def test_the_versions_are_those_of_the_catalogue():
    clients = catalogue().clients
    assert {way: clients[way].version for way in child.WAYS} == stored().versions


def test_every_way_of_reading_was_measured_where_it_can_read():
    can = {name: [way for way in child.WAYS if asks(way, transcript.read(each.good).asked)]
           for name, each in cases().items()}  # fmt: skip
    assert can == {name: list(row.did) for name, row in stored().rows.items()}


def test_the_catalogue_says_of_each_client_what_hurts_it():
    assert [] == list(claims.untold(stored()))


def test_the_catalogue_says_nothing_of_a_client_that_no_fault_shows():
    assert [] == list(claims.unshown(stored()))


def test_the_file_is_as_it_is_printed():
    assert measured.FILE.read_text("utf-8") == measured.dumped(stored())


def one(fault, way, *did):
    return Measured("2026-01-01", {way: "0.0.1"}, {fault: Row("", {way: did})})


def test_harm_that_no_entry_says_is_untold():
    expected = Untold("sse.bom.sent", "openai-python", ("raised KeyError",), ("TRN-14",))
    assert [expected] == list(claims.untold(one("sse.bom.sent", "openai-python", "raised KeyError")))


@pytest.mark.parametrize("did", ["fine", "noticed", "as sent"])
def test_no_harm_is_nothing_to_tell(did):
    assert [] == list(claims.untold(one("sse.bom.sent", "openai-python", did)))


def test_harm_by_what_no_entry_is_about_is_held_against_nothing():
    assert [] == list(claims.untold(one("cap.ignored", "openai-python", "raised KeyError")))


def test_a_saying_that_nothing_shows_is_unshown():
    nothing_happens = one("sse.bom.sent", "openai-python", "fine")
    assert Unshown("TRN-14", "openai-python", "wrong") in list(claims.unshown(nothing_happens))


def test_a_saying_that_a_fault_shows_is_shown():
    shown = one("sse.bom.sent", "openai-python", "lost text")
    assert Unshown("TRN-14", "openai-python", "wrong") not in list(claims.unshown(shown))


def test_a_client_that_was_not_measured_is_not_asked_about():
    assert {"litellm"} == {each.way for each in claims.unshown(one("sse.bom.sent", "litellm", "fine"))}


@pytest.mark.parametrize(
    "did, expected",
    [
        (("fine",), None),
        (("as sent",), None),
        (("asked nothing",), None),
        (("lost text", "lost usage"), "wrong"),
        (("noticed nothing",), "wrong"),
        (("raised KeyError",), "raises"),
        (("hung",), "raises"),
        (("crashed",), "raises"),
    ],
)
def test_damage_is_in_the_words_of_the_catalogue(did, expected):
    assert expected == damage(did)


def test_a_fault_whose_bytes_changed_is_stale():
    rows = stored().rows
    changed = {**rows, "sse.bom.sent": Row("0", {}), "no.such.fault": Row("0", {})}
    del changed["sse.done.missing"]
    assert {
        "sse.bom.sent": "has other bytes",
        "no.such.fault": "is no fault any more",
        "sse.done.missing": "was not measured",
    } == stale(Measured("2026-01-01", {}, changed), cases())


# --- what a client is asked

STREAMED = {"model": "m", "stream": True, "stream_options": {"include_usage": True}}
HELLO = [{"role": "user", "content": "Hello"}]
QUESTIONS = {
    "an answer": ({"model": "m", "messages": 7}, {"model": "m", "messages": HELLO}),
    "a stream": (STREAMED, {**STREAMED, "messages": HELLO}),
    "what a client reads by": ({"n": 2, "tools": [{}]}, {"model": "model", "messages": HELLO, "n": 2, "tools": [{}]}),
    "of a wrong type": ({"n": "2", "tools": {}, "model": ""}, {"model": "model", "messages": HELLO}),
    "no stream": ({"model": "m", "stream_options": {"include_usage": True}}, {"model": "m", "messages": HELLO}),
}


def asked(body):
    return transcript.read(replace(GOOD["answer"], request=replace(GOOD["answer"].request, body=body))).asked


@pytest.mark.parametrize("body, expected", QUESTIONS.values(), ids=QUESTIONS)
def test_a_question_is_the_request_without_what_no_client_reads_by(body, expected):
    assert expected == question(asked(body))


@pytest.mark.parametrize("name, streamed", [("stream", True), ("answer", False)])
def test_an_answer_to_a_request_that_nobody_recorded_is_read_as_it_looks(name, streamed):
    found = question(transcript.read(replace(GOOD[name], request=Request("POST", "", None, None))).asked)
    assert streamed == (found or {}).get("stream", False)


@pytest.mark.parametrize(
    "target, expected",
    [
        (Target.STREAM, list(child.WAYS)),
        (Target.ANSWER, ["openai-python", "langchain-openai", "litellm"]),
        (Target.MODELS, ["openai-python"]),
        (Target.OTHER, []),
    ],
)
def test_a_client_is_asked_what_it_can_read(target, expected):
    assert expected == [way for way in child.WAYS if asks(way, Asked(target, known=True, body={}))]


# --- what a client did

HALF = Told((Said(0, "assistant", "Hel", "stop"),), (3, 1))
CALLED = Told((Said(0, finish_reason="stop", calls=(Call("c1", "f", '{"a": 1}'),)),))
OUTCOMES = {
    "all of it": (HALF, {"text": "Hel"}, "fine"),
    "white space around": (HALF, {"text": " Hel\n"}, "fine"),
    "a part": (HALF, {"text": "He"}, "lost text"),
    "nothing": (HALF, {"text": None}, "lost text"),
    "something else": (HALF, {"text": ["Hel"]}, "changed text"),
    "another role": (HALF, {"text": "Hel", "role": "user"}, "changed role"),
    "without its end": (HALF, {"text": "Hel", "finish_reason": None}, "lost finish_reason"),
    "a call": (CALLED, {"calls": [{"id": "c1", "name": "f", "arguments": {"a": 1}}]}, "fine"),
    "no call": (CALLED, {"calls": []}, "lost tool call"),
    "another call": (CALLED, {"calls": [{"id": "c1", "name": "g"}]}, "changed tool call"),
}  # fmt: skip


@pytest.mark.parametrize("wanted, choice, expected", OUTCOMES.values(), ids=OUTCOMES)
def test_what_a_client_hands_over_is_held_against_what_the_bytes_say(wanted, choice, expected):
    usage = {"prompt": 3, "completion": 1} if wanted.usage else None
    answer = {"choices": [{"index": 0, "role": "assistant", "finish_reason": "stop", **choice}], "usage": usage}
    assert (expected,) == outcome(child.Testimony(None, "", answer), wanted)


CUT = Told((Said(0, "assistant", "Hel"),), is_cut=True)
ENDS = {
    "an answer that is cut": (CUT, child.Testimony("APIError", "", None), "noticed"),
    "a half for the whole": (CUT, child.Testimony(None, "", {"choices": []}), "noticed nothing"),
    "an error": (Told(error="No credit."), child.Testimony("APIError", "402 No credit.", None), "noticed"),
    "an error without its words": (
        Told(error="No credit."),
        child.Testimony("APIError", "402", None),
        "lost the message",
    ),
    "a good answer": (HALF, child.Testimony("KeyError", "", None), "raised KeyError"),
    "no answer in time": (HALF, child.Testimony("APITimeoutError", "", None, "hung"), "hung"),
}


@pytest.mark.parametrize("wanted, testimony, expected", ENDS.values(), ids=ENDS)
def test_an_exception_is_right_where_there_is_no_whole_answer(wanted, testimony, expected):
    assert (expected,) == outcome(testimony, wanted)


def test_bytes_say_their_choices_their_usage_and_their_models():
    said = by_wire(transcript.read(GOOD["stream.usage"]))
    models = by_wire(transcript.read(GOOD["models"]))
    assert (("assistant", "stop"), (12, 9)) == ((said.choices[0].role, said.choices[0].finish_reason), said.usage)
    assert (("reference-1",), ()) == ((models.models or ())[:1], models.choices)


# --- a client that is not as it should be


def stand_in(folder, *, installed="json.dumps({'openai': '0.0.1'})", starts='{"failed": null}', then="sys.exit(3)"):
    """Return the path of an interpreter that runs no script, and behaves like one with a client in it."""
    script = folder / "client.py"
    script.write_text(
        "import json, os, signal, sys\n"
        f"if len(sys.argv) == 3:\n    print({installed})\n    sys.exit()\n"
        f"print('{starts}', flush=True)\n"
        f"for line in sys.stdin:\n    {then}\n"
    )
    python = folder / "python"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} {script} "$@"\n')
    python.chmod(0o755)
    return python


def test_a_client_whose_process_ends_is_said_to_have_crashed_each_time(tmp_path):
    python = stand_in(tmp_path)
    rows = reading.read(python, ["openai-python"], [GOOD["answer"], GOOD["stream"]])
    assert [{"openai-python": ("crashed",)}] * 2 == rows


def test_a_client_that_never_answers_is_ended(tmp_path, monkeypatch):
    monkeypatch.setattr(child, "DEADLINE_S", 0.2)
    python = stand_in(tmp_path, then="signal.pause()")
    assert [{"openai-python": ("hung",)}] == reading.read(python, ["openai-python"], [GOOD["answer"]])


def test_a_client_that_cannot_be_imported_is_an_error_with_its_reason(tmp_path):
    python = stand_in(tmp_path, starts='{"failed": "ImportError: no jiter"}')
    with pytest.raises(InputError) as caught:
        reading.read(python, ["openai-python"], [GOOD["answer"]])
    assert "openai cannot be imported: ImportError: no jiter" == caught.value.problem


def test_nothing_of_the_environment_reaches_a_client(tmp_path, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-a-key")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    names = child.installed(stand_in(tmp_path, installed="json.dumps(dict(os.environ))"))
    own = {"PATH", "LANG", "LC_CTYPE", "PWD", "SHLVL", "_", "OLDPWD", "TMPDIR", "LD_LIBRARY_PATH"}
    assert {
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "LANGSMITH_TRACING": "false",
        "LANGCHAIN_TRACING_V2": "false",
        "NO_PROXY": "*",
        "PYTHONUTF8": "1",
    } == {name: value for name, value in names.items() if name not in own}


@pytest.mark.parametrize(
    "event, arguments",
    [
        ("socket.connect", (None, ("192.0.2.1", 443))),
        ("socket.connect", (None, ("::1", 443, 0, 0))),
        ("socket.connect", (None, "/run/some.socket")),
        ("socket.sendto", (None, ("192.0.2.1", 53))),
        ("socket.getaddrinfo", ("api.example.com", 443, 0, 0, 0)),
        ("socket.gethostbyname", ("api.example.com",)),
    ],
)
def test_a_witness_is_kept_from_leaving_the_machine(event, arguments):
    with pytest.raises(PermissionError, match=r"^a witness talks to 127\.0\.0\.1 alone, not to "):
        refuse_elsewhere(event, arguments)


def test_a_witness_connects_to_nothing_but_the_endpoint():
    """127.0.0.2 is this machine as well, and accepts."""
    code = (
        "import runpy, socket, sys\n"
        f"guard = runpy.run_path({str(child.SCRIPT)!r})['refuse_elsewhere']\n"
        "sys.addaudithook(guard)\n"
        "socket.create_connection(('127.0.0.1', int(sys.argv[1])))\n"
        "socket.create_connection(('127.0.0.2', int(sys.argv[1])))\n"
    )
    with socket.create_server(("", 0)) as server:
        done = subprocess.run(
            [sys.executable, "-I", "-c", code, str(server.getsockname()[1])], capture_output=True, text=True
        )
        server.accept()[0].close()
    assert done.stderr.strip().endswith("a witness talks to 127.0.0.1 alone, not to '127.0.0.2'")


# --- the command


def test_what_cannot_be_done_is_one_error(commands, tmp_path):
    for folder in ("empty", "unimported"):
        (tmp_path / folder).mkdir()
    python = str(stand_in(tmp_path))
    unimported = str(stand_in(tmp_path / "unimported", starts='{"failed": "ImportError: no jiter"}'))
    shipped = str(ROOT / "recordings")
    wanted = [
        ("wants recordings, or --fault", []),
        ("wants recordings, or --fault", [shipped, "--fault", "*"]),
        ("--fault sse.none is no fault that a client could read", ["--fault", "sse.none", "--python", python]),
        ("cannot be run as a Python interpreter: FileNotFoundError", [shipped, "--python", "nowhere/python"]),
        ("is no Python interpreter", [shipped, "--python", shutil.which("true")]),
        ("has none of the clients", [shipped, "--python", sys.executable]),
        ("the recordings hold no exchange", [str(tmp_path / "empty"), "--python", python]),
        ("openai cannot be imported: ImportError: no jiter", [shipped, "--python", unimported]),
    ]
    done = commands([(tmp_path, ["clients", *arguments], {}) for _, arguments in wanted])
    assert [2] * len(wanted) == [each.returncode for each in done]
    assert [] == [problem for (problem, _), each in zip(wanted, done, strict=True) if problem not in each.stderr]


def test_a_client_that_crashes_is_a_cell_of_the_table(commands, tmp_path):
    recording = str(ROOT / "recordings" / "toapis")
    (done,) = commands([(tmp_path, ["clients", recording, "--python", str(stand_in(tmp_path))], {})])
    head, row = done.stdout.splitlines()
    assert (0, ["exchange", "openai-python", "0.0.1", "openai-python-stream", "0.0.1"]) == (
        done.returncode, head.split(),
    )  # fmt: skip
    assert ["toapis/answer", "crashed", "–"] == row.split()


def test_what_cannot_be_read_is_named_and_the_rest_is_shown(commands, tmp_path):
    arguments = ["clients", str(ROOT / "recordings" / "toapis"), "nowhere", "--python", str(stand_in(tmp_path))]
    (done,) = commands([(tmp_path, arguments, {})])
    assert (2, 2, "nowhere: no such file or folder") == (
        done.returncode, len(done.stdout.splitlines()), done.stderr.splitlines()[0],
    )  # fmt: skip


def test_faults_are_read_by_pattern_and_printed_as_they_are_kept(commands, tmp_path):
    arguments = ["clients", "--fault", "sse.bom.*", "--python", str(stand_in(tmp_path))]
    table, printed = commands([(tmp_path, arguments, {}), (tmp_path, [*arguments, "--json"], {})])
    assert ["sse.bom.sent", "crashed", "crashed"] == table.stdout.splitlines()[1].split()
    digest = cases()["sse.bom.sent"].digest
    assert {"sse.bom.sent": {"digest": digest, **{way: ["crashed"] for way in WAYS}}} == (
        json.loads(printed.stdout)["faults"]
    )


# --- what docs/clients.md counts


def test_the_effects_of_an_entry_are_counted_and_the_worst_is_its_example():
    did = {"http.answer.streamed": "returned str", "http.answer.streamed_as_json": "raised JSONDecodeError"}
    found = Measured("", {"openai-python": "1"}, {name: Row("", {"openai-python": (it,)}) for name, it in did.items()})
    (line,) = tally.by_entry(found)
    assert ("TRN-02", 2, {"raises": 1, "wrong": 1}) == (line.entry.id, line.faults, line.counts["openai-python"])
    assert Example("http.answer.streamed_as_json", "openai-python", ("raised JSONDecodeError",)) == line.example


def test_every_fault_that_hurts_stands_on_the_page_and_in_one_part():
    found = stored()
    of_entries = {name for name in found.rows if claims.cited(name)}
    apart = {*tally.of_connections(found), *tally.of_no_entry(found)}
    hurtful = {name for name, row in found.rows.items() if any(map(damage, row.did.values()))}
    assert (set(), set()) == (hurtful - of_entries - apart, of_entries & apart)


# --- openai-python itself


@pytest.fixture(scope="module")
def python():
    return interpreter()


@pytest.fixture(scope="module")
def shipped(commands, python, tmp_path_factory):
    """What openai-python does with every shipped recording, as the command prints it."""
    arguments = ["clients", str(ROOT / "recordings"), "--json", "--python", str(python)]
    (done,) = commands([(tmp_path_factory.mktemp("clients"), arguments, {})])
    return json.loads(done.stdout)["exchanges"]


def test_openai_python_reads_every_shipped_recording(shipped):
    exchanges = list(store.read([ROOT / "recordings"]))
    assert [(each.provider, each.id) for each in exchanges] == [(row["provider"], row["id"]) for row in shipped]
    asked = [transcript.read(each).asked for each in exchanges]
    assert [[way for way in WAYS if asks(way, each)] for each in asked] == [
        [way for way in WAYS if row["did"].get(way, ["asked nothing"]) != ["asked nothing"]] for row in shipped
    ]


REFUSES_LENGTH = ("raised LengthFinishReasonError",)
"""What .stream() does with every answer that its cap cut: its own rule, which no endpoint can keep to."""


def test_what_openai_python_does_with_the_shipped_recordings_is_in_the_catalogue(shipped):
    exchanges = list(store.read([ROOT / "recordings"]))
    entries = [claims.of_exchange(each, contract_of(each)) for each in exchanges]
    did = [{way: tuple(words) for way, words in row["did"].items() if way in WAYS} for row in shipped]
    assert [[]] * len(did) == [list(claims.beyond(*each)) for each in zip(entries, did, strict=True)]
    lawful = [each for each, found in zip(did, entries, strict=True) if not found]
    assert {REFUSES_LENGTH} == {words for each in lawful for words in each.values() if damage(words)}


def test_openai_python_is_fine_with_every_good_exchange(python):
    rows = reading.read(python, WAYS, list(GOOD.values()))
    assert {("fine",), ("noticed",)} == {did for row in rows for did in row.values()}


def one_of_each_kind():
    """Return a fault for each outcome that openai-python was measured to come to, but for hanging."""
    found = {(way, did): name for name, row in reversed(stored().rows.items()) for way, did in row.did.items()}
    return {name for (way, did), name in found.items() if way in WAYS and did != ("hung",)}


def test_openai_python_does_with_a_fault_of_each_kind_what_was_measured(python):
    chosen = {name: cases()[name] for name in one_of_each_kind()}
    expected = {name: {way: did for way, did in stored().rows[name].did.items() if way in WAYS} for name in chosen}
    assert expected == reading.measure(python, WAYS, chosen.values())


def test_openai_python_waits_for_an_endpoint_that_is_silent(python, monkeypatch):
    monkeypatch.setattr(child, "IDLE_S", 0.5)
    found = reading.measure(python, ["openai-python"], [cases()["socket.silent"]])
    assert {"socket.silent": {"openai-python": ("hung",)}} == found


def test_openai_python_cannot_be_made_to_ask_anybody_else(python):
    with Witness(python, "openai") as witness:
        testimony = witness.ask("openai-python", "http://127.0.0.2:9/v1", {"model": "m", "messages": HELLO})
    assert "APIConnectionError" == testimony.raised


def test_a_recording_whose_request_is_not_known_is_read_as_the_stream_that_it_is(python):
    unknown = replace(GOOD["stream"], request=Request("POST", "", None, None), origin=Origin.IMPORTED)
    assert [dict.fromkeys(WAYS, ("fine",))] == reading.read(python, WAYS, [unknown])
