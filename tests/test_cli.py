"""The command line, through the real command."""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

import recording
from chatconform import gate, resources
from chatconform.model import Outcome
from chatconform.recordings import store
from chatconform.reference.good import GOOD
from chatconform.report.results import dump, load

MUST = recording.answer(object="text_completion")
"""Breaks envelope.object.value, a must."""
SHOULD = recording.answer(created=0)
"""Breaks envelope.created.seconds, a should."""
LIMITED = recording.refused("answer", 429, "rate_limit_exceeded")
LATER, LONG_AGO = "2099-12-31", "2020-12-31"
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
EXITS = [
    ("what holds", [recording.answer(), recording.stream()], "", 0),
    ("a broken must", [MUST], "", 1),
    ("a broken must, of which nobody asks", [MUST], "--fail-on never", 0),
    ("a broken must beside what is unproven", [MUST, recording.unreachable("later")], "", 1),
    ("a broken should", [SHOULD], "", 0),
    ("a broken should that counts", [SHOULD], "--fail-on should", 1),
    ("a broken must where shoulds count", [MUST], "--fail-on should", 1),
    ("no answer", [recording.unreachable()], "", 3),
    ("no answer, of which nobody asks", [recording.unreachable()], "--fail-on never", 0),
    ("a rate limit", [LIMITED], "--fail-on should", 3),
    ("nothing to compare with", [recording.answer()], "--fail-on regression", 2),
    ("an option that is none", [recording.answer()], "--fail-at must", 2),
]


@pytest.mark.parametrize("judged, options, code", [row[1:] for row in EXITS], ids=[row[0] for row in EXITS])
def test_a_command_ends_with_a_code(judged, options, code, chatconform, tmp_path):
    recording.write(tmp_path / "mine", *judged)
    assert code == chatconform(tmp_path, "judge", "mine", *options.split()).returncode


def test_a_check_that_raises_is_a_bug_of_the_suite(environment, tmp_path):
    recording.write(tmp_path / "mine", recording.answer())
    (tmp_path / "child.py").write_text(
        "from chatconform import cli\n"
        "from chatconform.checks.check import MUST, answers, check\n"
        '@check("choices.thrown", level=MUST, over=answers, cites="none")\n'
        "def thrown(answer):\n"
        '    """This raises.\n\n    Breaks: this run.\n    Fix: nothing.\n    """\n'
        '    raise RuntimeError("of the check")\n'
        "    yield\n"
        "cli.main()\n"
    )
    child = [sys.executable, "child.py", "judge", "mine", "--fail-on", "never"]
    done = subprocess.run(child, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (4, "") == (done.returncode, done.stderr)
    assert "acme  void" in done.stdout.splitlines()


def test_an_error_of_ours_is_one_message_and_the_code_of_a_bug(environment, tmp_path):
    (tmp_path / "child.py").write_text(
        "from chatconform import cli\n"
        '@cli.cli.command("fall")\n'
        "def fall():\n"
        '    raise RuntimeError("over")\n'
        "cli.main()\n"
    )
    child = [sys.executable, "child.py", "fall"]
    done = subprocess.run(child, cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert (4, "") == (done.returncode, done.stdout)
    assert re.match(r"a bug in chatconform \S+: RuntimeError at child\.py:4: over\n", done.stderr)


# What changed since a baseline


@pytest.fixture(scope="module")
def compared(chatconform, tmp_path_factory):
    """A folder with results of before, and recordings of which four exchanges changed."""
    folder = tmp_path_factory.mktemp("compared")
    broken = {"object": "text_completion"}
    before = [recording.answer("a"), recording.answer("b", **broken), recording.answer("c"), recording.answer("e")]
    after = [recording.answer("a", **broken), recording.answer("b"), recording.unreachable("c"), recording.answer("d")]
    chatconform(folder, "judge", str(recording.write(folder / "before", *before)), "--out", "old")
    chatconform(folder, "judge", str(recording.write(folder / "after", *after)), "--out", "new")
    return folder


CHANGES = [
    ("a", "broke", "pass", "fail"),
    ("b", "fixed", "fail", "pass"),
    ("c", "newly unproven", "pass", "unproven"),
    ("d", "appeared", None, "pass"),
    ("e", "vanished", "pass", None),
]


def test_a_baseline_says_what_changed(compared, chatconform):
    done = chatconform(compared, "judge", "after", "--baseline", "old/results.json", "--json")
    changes = [change for change in json.loads(done.stdout)["changes"] if change["check"] == "envelope.object.value"]
    assert CHANGES == [tuple(change[key] for key in ("exchange", "kind", "before", "after")) for change in changes]


def test_the_summary_counts_what_changed(compared, chatconform):
    options = ["--check", "envelope.object.value", "--scenario", "[a-d]"]
    chatconform(compared, "judge", "before", "--out", "narrow", *options)
    done = chatconform(compared, "judge", "after", "--baseline", "narrow/results.json", *options)
    assert "since narrow/results.json: 1 broke · 1 appeared · 1 fixed · 1 newly unproven" == line_of(done, "since ")


@pytest.mark.parametrize("exchange, code", [("a", 1), ("b", 0), ("c", 3), ("d", 0)])
def test_what_changed_decides_where_regressions_are_asked_for(exchange, code, compared, chatconform):
    options = ["--baseline", "old/results.json", "--fail-on", "regression", "--scenario", exchange]
    assert code == chatconform(compared, "judge", "after", *options).returncode


def test_what_broke_and_is_waived_is_no_regression(compared, chatconform):
    waiver = f'{{check: envelope.object.value, reason: known, until: "{LATER}"}}'
    file = recording.providers(compared / "waived.yaml", waivers=[waiver])
    options = ["--baseline", "old/results.json", "--fail-on", "regression", "--scenario", "a"]
    assert 0 == chatconform(compared, "judge", "after", "--providers", str(file), *options).returncode


def test_diff_prints_one_line_a_change_and_counts_them(compared, chatconform):
    done = chatconform(compared, "diff", "old/results.json", "new/results.json")
    *changes, count = done.stdout.splitlines()
    assert "broke           by provider      acme openai envelope.object.value (must): pass -> fail in a" in changes
    named = [change for change in changes if "  by " in change]
    assert (1, f"{len(named)} changes") == (done.returncode, count)


def test_diff_prints_json(compared, chatconform):
    done = chatconform(compared, "diff", "old/results.json", "new/results.json", "--json")
    assert {kind for _, kind, _, _ in CHANGES} == {change["kind"] for change in json.loads(done.stdout)}


def aged(file, to):
    """Write results as an older suite made them, which had another digest of its rules, and to which b held."""
    old = load(file)
    held = tuple(
        replace(each, outcome=Outcome.PASS, findings=(), found=0)
        if (each.check, each.exchange) == ("envelope.object.value", "b")
        else each
        for each in old.verdicts
    )
    said = gate.conclude(held, document_only=False)
    concluded = replace(old.providers[0], conclusion=said.conclusion, sentence=said.sentence, counts=said.counts)
    run = {**old.run, "rules": "0" * 64}
    to.write_bytes(dump(replace(old, run=run, providers=(concluded,), verdicts=held)))


def test_what_the_suite_changed_is_no_regression(compared, chatconform):
    """The old recording, judged again from where it was judged, or where it was moved to."""
    aged(compared / "old" / "results.json", compared / "aged.json")
    again = ["judge", "before", "--baseline", "aged.json", "--fail-on", "regression", "--json"]
    done = chatconform(compared, *again)
    (change,) = json.loads(done.stdout)["changes"]
    assert (0, "broke", "suite") == (done.returncode, change["kind"], change["by"])
    done = chatconform(compared, "diff", "aged.json", "new/results.json", "--json")
    found = [(each["exchange"], each["kind"], each["by"]) for each in json.loads(done.stdout)
             if each["check"] == "envelope.object.value"]  # fmt: skip
    assert [
        ("a", "broke", "provider"),
        ("b", "broke", "suite"),
        ("b", "fixed", "provider"),
        ("c", "newly unproven", "provider"),
        ("d", "appeared", "suite"),
        ("e", "vanished", "unattributed"),
    ] == found


def test_recordings_of_a_baseline_that_are_elsewhere_are_named(compared, chatconform, tmp_path):
    chatconform(compared, "judge", "before", "--out", "relative")
    aged(compared / "relative" / "results.json", tmp_path / "aged.json")
    for options, by in ([], "unattributed"), (["--recordings", str(compared)], "provider"):
        done = chatconform(tmp_path, "diff", "aged.json", str(compared / "new" / "results.json"), *options)
        assert f"broke           by {by:12}  acme openai envelope.object.value (must): pass -> fail in a" in done.stdout


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ("diff old/results.json new/results.json --recordings none", "none: is no folder"),
        ("judge before --recordings before", "--recordings without --baseline"),
    ],
)
def test_a_folder_of_old_recordings_that_is_of_no_use_is_a_usage_error(arguments, problem, compared, chatconform):
    done = chatconform(compared, *arguments.split())
    assert (2, True) == (done.returncode, problem in done.stderr)


def test_nothing_differs_from_itself(compared, chatconform):
    done = chatconform(compared, "diff", "old/results.json", "old/results.json")
    assert (0, "0 changes\n", "") == (done.returncode, done.stdout, done.stderr)


BASELINES = [
    ("", "old.json:1:1: not JSON: Expecting value"),
    ('{"format": "chatconform.results/9"}', "chatconform.results/9 is another version"),
    ('{"format": "chatconform.results/1"}', "'run' is a required property"),
]


@pytest.mark.parametrize("text, problem", BASELINES)
def test_a_baseline_that_cannot_be_read_is_a_usage_error(text, problem, chatconform, tmp_path):
    recording.write(tmp_path / "mine", recording.answer())
    (tmp_path / "old.json").write_text(text)
    done = chatconform(tmp_path, "judge", "mine", "--baseline", "old.json")
    assert (2, True) == (done.returncode, problem in done.stderr)


@pytest.mark.parametrize(
    "command, judged", [("judge before --provider mine", "mine"), ("run tooken --recorded", "tooken")]
)
def test_a_baseline_of_other_providers_is_refused_before_anything_is_judged(command, judged, compared, chatconform):
    done = chatconform(compared, *command.split(), "--baseline", "old/results.json")
    problem = f"old/results.json: the baseline has no provider {judged}; it has acme"
    assert (2, "", problem) == (done.returncode, done.stdout, done.stderr.splitlines()[0])


def test_results_of_other_providers_are_not_compared(compared, chatconform, tmp_path):
    chatconform(compared, "judge", "before", "--provider", "mine", "--out", str(tmp_path))
    done = chatconform(compared, "diff", "old/results.json", str(tmp_path / "results.json"))
    assert (2, True) == (done.returncode, "has no provider mine; it has acme\n" in done.stderr)


# Providers and waivers


def judged_under(waiver, chatconform, folder, *answers):
    """Run provider acme with a waiver over its recording; the waiver stands in line 7."""
    recording.providers(folder / "providers.yaml", waivers=[waiver])
    recording.write(folder / "recordings" / "acme", *(answers or [MUST]))
    return chatconform(folder, "run")


def test_what_is_waived_conforms_with_waivers(chatconform, tmp_path):
    waiver = f'{{check: envelope.object.value, reason: known, until: "{LATER}"}}'
    done = judged_under(waiver, chatconform, tmp_path)
    assert (0, "acme  conforms with waivers") == (done.returncode, line_of(done, "acme  "))


@pytest.mark.parametrize(
    "waiver, answers, problem",
    [
        (
            f'{{check: envelope.object.value, reason: known, until: "{LATER}"}}',
            [recording.answer()],
            "problem: providers.yaml:7:9: the waiver of envelope.object.value is stale: the check passes",
        ),
        (
            f'{{check: envelope.object.value, reason: known, until: "{LONG_AGO}"}}',
            [MUST],
            (
                "problem: providers.yaml:7:9: the waiver of envelope.object.value expired after "
                f"{LONG_AGO}, and the check still fails"
            ),
        ),
    ],
    ids=["stale", "expired"],
)
def test_a_waiver_that_no_longer_holds_is_a_problem(waiver, answers, problem, chatconform, tmp_path):
    done = judged_under(waiver, chatconform, tmp_path, *answers)
    assert (2, problem) == (done.returncode, line_of(done, "problem: "))


def test_a_waiver_of_no_check_is_refused_with_its_place(chatconform, tmp_path):
    done = judged_under(f'{{check: envelope.object.valeu, reason: r, until: "{LATER}"}}', chatconform, tmp_path)
    problem, remedy = done.stderr.splitlines()
    assert (2, "", 'providers.yaml:7:17: there is no check "envelope.object.valeu"') == (
        done.returncode,
        done.stdout,
        problem,
    )
    assert remedy.startswith("  Did you mean envelope.object.value?")


@pytest.fixture(scope="module")
def gateways(chatconform, tmp_path_factory):
    """A folder with four providers: one that conforms, one that does not, one without a recording, tooken."""
    folder = tmp_path_factory.mktemp("gateways")
    recording.providers(folder / "providers.yaml", "acme", "beta", "gamma", "tooken")
    recording.write(folder / "recordings" / "acme", recording.answer(), recording.stream())
    recording.write(folder / "recordings" / "beta", MUST)
    chatconform(folder, "run", "--out", "all")
    return folder


def judged(folder):
    """Return the conclusions of a results.json by provider."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    return {provider["id"]: provider["conclusion"] for provider in results["providers"]}


def test_without_names_the_default_providers_are_judged(gateways):
    expected = {"acme": "conforms", "beta": "deviates", "gamma": "inconclusive", "tooken": "deviates"}
    assert expected == judged(gateways / "all")


def test_named_providers_are_judged_alone(gateways, chatconform):
    code = chatconform(gateways, "run", "acme", "--recorded", "--out", "one").returncode
    assert (0, {"acme": "conforms"}) == (code, judged(gateways / "one"))


def test_an_exchange_belongs_to_the_provider_of_its_folder(gateways):
    results = json.loads((gateways / "all" / "results.json").read_text(encoding="utf-8"))
    assert "beta" in {exchange["provider"] for exchange in results["exchanges"]}


def test_a_provider_without_a_recording_is_inconclusive(gateways, chatconform):
    assert 3 == chatconform(gateways, "run", "gamma", "--out", "gamma").returncode


def test_without_a_recording_beside_the_providers_file_the_shipped_one_is_judged(gateways):
    results = json.loads((gateways / "all" / "results.json").read_text(encoding="utf-8"))
    expected = {f"recordings/tooken/document/{name}.json" for name in ("answer", "stream-as-printed", "stream-framed")}
    assert expected == {each["file"] for each in results["exchanges"] if each["provider"] == "tooken"}


def test_a_recording_beside_the_providers_file_replaces_the_shipped_one(chatconform, tmp_path):
    recording.providers(tmp_path / "providers.yaml", "tooken")
    recording.write(tmp_path / "recordings" / "tooken", recording.answer())
    done = chatconform(tmp_path, "run", "--json")
    assert ["recordings/tooken/answer.json"] == [each["file"] for each in json.loads(done.stdout)["exchanges"]]


def test_recordings_are_looked_for_beside_the_providers_file_and_not_in_the_folder_one_is_in(chatconform, tmp_path):
    recording.providers(tmp_path / "there" / "providers.yaml", "acme")
    recording.write(tmp_path / "there" / "recordings" / "acme", recording.answer())
    done = chatconform(tmp_path, "run", "--providers", "there/providers.yaml")
    assert (0, "acme  conforms") == (done.returncode, line_of(done, "acme  "))


def test_an_unknown_provider_is_a_usage_error(gateways, chatconform):
    done = chatconform(gateways, "run", "acne")
    expected = 'command line: no provider has the id "acne"\n  Did you mean acme? Known: acme, beta, gamma, tooken.\n'
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)


def test_an_unknown_provider_without_a_providers_file_is_told_of_init(chatconform, tmp_path):
    remedy = chatconform(tmp_path, "run", "mine").stderr.splitlines()[1]
    assert "  Known: costrouter, tkhub, toapis, tooken, xmsmartlink. They are those of the packaged file: " in remedy
    assert remedy.endswith("there is no ./providers.yaml here, and `chatconform init` begins one.")


def test_a_providers_file_that_is_not_there_is_a_usage_error(chatconform, tmp_path):
    done = chatconform(tmp_path, "run", "--providers", "none.yaml")
    assert (2, "none.yaml: there is no such file") == (done.returncode, done.stderr.splitlines()[0])


def test_a_broken_providers_file_is_named_by_line_and_column(chatconform, tmp_path):
    (tmp_path / "providers.yaml").write_text("providers:\n  acme:\n    base_url: ftp://acme.example\n    model: m\n")
    done = chatconform(tmp_path, "run")
    expected = "providers.yaml:3:15: base_url does not begin with http:// or https://"
    assert (2, expected) == (done.returncode, done.stderr.splitlines()[0])


# What is judged


@pytest.fixture(scope="module")
def mine(tmp_path_factory):
    """A folder with a recording of three exchanges, one of which breaks a must."""
    folder = tmp_path_factory.mktemp("mine")
    broken = recording.answer("answer.2", object="text_completion")
    recording.write(folder / "mine", recording.answer(), broken, recording.stream())
    return folder


def verdicts(done):
    """Return the verdicts that --json printed."""
    return json.loads(done.stdout)["verdicts"]


@pytest.mark.parametrize(
    "pattern, ids",
    [
        ("envelope.object.value", {"envelope.object.value"}),
        ("sse.done.*", {"sse.done.closed", "sse.done.exact", "sse.done.last", "sse.done.once", "sse.done.present"}),
    ],
)
def test_only_the_checks_that_are_asked_for_are_judged(pattern, ids, mine, chatconform):
    done = chatconform(mine, "judge", "mine", "--check", pattern, "--json")
    assert ids == {verdict["check"] for verdict in verdicts(done)}


@pytest.mark.parametrize("pattern, ids", [("stream", {"stream"}), ("answer*", {"answer", "answer.2"})])
def test_only_the_scenarios_that_are_asked_for_are_judged(pattern, ids, mine, chatconform):
    done = chatconform(mine, "judge", "mine", "--scenario", pattern, "--json")
    assert ids == {verdict["exchange"] for verdict in verdicts(done)}


@pytest.mark.parametrize(
    "option, pattern, remedy",
    [
        ("check", "sse.dne.last", "Did you mean sse.done.last? `chatconform list checks` prints all ids."),
        ("check", "zz*", "`chatconform list checks` prints all ids."),
        ("scenario", "steam", "Did you mean stream? Name the id or the scenario of an exchange, such as answer."),
    ],
)
def test_a_pattern_that_matches_nothing_is_a_usage_error(option, pattern, remedy, mine, chatconform):
    done = chatconform(mine, "judge", "mine", f"--{option}", pattern)
    named = {"check": "check", "scenario": "exchange"}[option]
    expected = f"command line: --{option} {pattern} names no {named}\n  {remedy}\n"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("command", ["judge recordings/acme", "run acme --recorded"])
def test_recordings_that_are_judged_together_are_told_with_the_newest(command, chatconform, tmp_path):
    recording.providers(tmp_path / "providers.yaml", "acme")
    for name, day, answers in (
        ("b", "2026-11-01", [recording.answer()]),
        ("a", "2026-11-02", [recording.answer(), recording.stream()]),
        ("imported", "2026-11-03", [recording.answer("other")]),
    ):
        dated = [{**each, "recorded_at": f"{day}T00:00:00Z"} for each in answers]
        recording.write(tmp_path / "recordings" / "acme" / name, *dated)
    done = chatconform(tmp_path, *command.split())
    assert (0, "2 recordings of acme are judged together; the newest is recordings/acme/a") == (
        done.returncode,
        done.stderr.splitlines()[0],
    )


def test_json_prints_the_file_that_is_written_and_nothing_else(mine, chatconform):
    done = chatconform(mine, "judge", "mine", "--json", "--out", "same")
    assert ((mine / "same" / "results.json").read_text(encoding="utf-8"), "") == (done.stdout, done.stderr)


def test_two_runs_write_the_same_bytes(mine, chatconform):
    for name in ("first", "second"):
        chatconform(mine, "judge", "mine", "--out", name, PYTHONHASHSEED={"first": "1", "second": "2"}[name])
    assert contents(mine / "first") == contents(mine / "second")


def contents(folder):
    """Return the bytes of a folder's files by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_reports_are_replaced_whole(mine, chatconform):
    (mine / "reports").mkdir()
    for name in ("results.json", "index.md", "acme.md"):
        (mine / "reports" / name).write_text("of old " * 100_000)
    chatconform(mine, "judge", "mine", "--out", "reports")
    chatconform(mine, "judge", "mine", "--out", "anew")
    assert contents(mine / "anew") == contents(mine / "reports")


def test_reports_that_cannot_be_written_are_a_usage_error(mine, chatconform):
    (mine / "a file").write_text("")
    done = chatconform(mine, "judge", "mine", "--out", "a file")
    assert (2, True) == (done.returncode, done.stderr.startswith("a file: cannot be written"))


def test_judge_writes_nothing_unless_it_is_told_where(chatconform, tmp_path):
    recording.write(tmp_path / "mine", recording.answer())
    chatconform(tmp_path, "judge", "mine")
    assert [tmp_path / "mine"] == list(tmp_path.iterdir())


PACKED = recording.lines(recording.answer(), recording.stream()).encode()
SOURCES = [
    ("folder", "folder"),
    ("folder/answer.json", "a file"),
    ("all.jsonl", "lines"),
    ("all.jsonl.gz", "packed lines"),
    ("-", "standard input"),
]


@pytest.mark.parametrize("path", [path for path, _ in SOURCES], ids=[name for _, name in SOURCES])
def test_a_recording_is_judged_from(path, chatconform, tmp_path):
    recording.write(tmp_path / "folder", recording.answer(), recording.stream())
    (tmp_path / "all.jsonl").write_bytes(PACKED)
    (tmp_path / "all.jsonl.gz").write_bytes(gzip.compress(PACKED))
    done = chatconform(tmp_path, "judge", path, stdin=PACKED)
    assert (0, "acme  conforms", "") == (done.returncode, line_of(done, "acme  "), done.stderr)


def test_good_exchanges_of_every_kind_conform(chatconform, tmp_path):
    for exchange in GOOD.values():
        store.save(exchange, tmp_path / "good")
    done = chatconform(tmp_path, "judge", "good", "--fail-on", "should")
    assert (0, "All 3 providers conform.") == (done.returncode, done.stdout.splitlines()[0])


@pytest.fixture(scope="module")
def damaged(chatconform, tmp_path_factory):
    """What is said of a recording with one good exchange among files that are none."""
    folder = tmp_path_factory.mktemp("damaged")
    recording.write(folder / "mine", recording.answer())
    whole = (folder / "mine" / "answer.json").read_text(encoding="utf-8")
    for name, data in {
        "coded": b'{\n"note": "Z\xfcrich"}',
        "cut": whole[:150].encode(),
        "empty": b"",
        "list": b"[]",
        "version": whole.replace("exchange/1", "exchange/9").encode(),
    }.items():
        (folder / "mine" / f"{name}.json").write_bytes(data)
    return chatconform(folder, "judge", "mine")


@pytest.mark.parametrize(
    "problem",
    [
        "mine/coded.json:2:",
        "mine/cut.json:",
        "mine/empty.json:1:1: is not JSON",
        "mine/list.json:1:1: the exchange is not an object",
        "mine/version.json:2:12: /format is not chatconform.exchange/1",
    ],
)
def test_a_file_that_is_no_exchange_is_named_with_its_place(problem, damaged):
    problems = [line.removeprefix("problem: ") for line in damaged.stdout.splitlines() if line.startswith("problem: ")]
    assert 1 == sum(line.startswith(problem) for line in problems)


def test_the_exchanges_beside_a_broken_file_are_judged(damaged):
    assert (2, "acme  conforms") == (damaged.returncode, line_of(damaged, "acme  "))


NOTHING = [
    ("empty", "problem: empty: holds no recorded exchange"),
    ("nowhere", "problem: nowhere: no such file or folder"),
    ("-", "problem: -: holds no exchange"),
]


@pytest.mark.parametrize("path, problem", NOTHING)
def test_where_there_is_no_exchange_a_usage_error_says_so(path, problem, chatconform, tmp_path):
    (tmp_path / "empty").mkdir()
    done = chatconform(tmp_path, "judge", path)
    assert (2, problem) == (done.returncode, line_of(done, "problem: "))


def test_lines_before_the_end_of_a_cut_file_are_judged(chatconform, tmp_path):
    (tmp_path / "cut.jsonl").write_bytes(PACKED[:-100])
    done = chatconform(tmp_path, "judge", "cut.jsonl")
    assert (2, "acme  conforms") == (done.returncode, line_of(done, "acme  "))
    assert line_of(done, "problem: ").startswith("problem: cut.jsonl:2:")


@pytest.mark.parametrize(
    "options, contracts",
    [
        ("", {("acme", "openai")}),
        ("--provider tooken", {("tooken", "openai"), ("tooken", "tooken")}),
        ("--contract tooken", {("acme", "openai"), ("acme", "tooken")}),
        ("--provider tooken --contract openai", {("tooken", "openai")}),
        ("--provider tooken --contract tkhub", {("tooken", "openai"), ("tooken", "tkhub")}),
        ("--provider someone", {("someone", "openai")}),
    ],
)
def test_the_provider_and_the_contract_can_be_given(options, contracts, mine, chatconform):
    done = chatconform(mine, "judge", "mine/answer.json", "--json", *options.split())
    assert contracts == {(verdict["provider"], verdict["contract"]) for verdict in verdicts(done)}


def test_an_unknown_contract_is_a_usage_error(mine, chatconform):
    done = chatconform(mine, "judge", "mine", "--contract", "acme")
    expected = "command line: there is no contract 'acme'"
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr.splitlines()[0])


def without_its_body(exchange):
    return {**exchange, "request": {"method": "POST", "url": recording.URL}}


UNPROVEN = [
    ("tooken", without_its_body(recording.answer()), "no-request"),
    ("openai", LIMITED, "rate-limited"),
    ("openai", recording.unreachable(), "network"),
]


@pytest.mark.parametrize("contract, exchange, reason", UNPROVEN, ids=[row[2] for row in UNPROVEN])
def test_what_cannot_be_known_is_unproven_with_its_reason(contract, exchange, reason, chatconform, tmp_path):
    recording.write(tmp_path / "mine", exchange)
    done = chatconform(tmp_path, "judge", "mine", "--contract", "tooken", "--json")
    reasons = {
        (verdict["outcome"], verdict["reason"])
        for verdict in verdicts(done)
        if verdict["contract"] == contract and not verdict["check"].startswith("errors.")
    }
    assert (3, {("unproven", reason)}) == (done.returncode, reasons)


# The other commands


def test_what_curl_printed_is_imported_and_judged(chatconform, tmp_path):
    response = recording.answer()["response"]
    printed = f"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{response['body']}"
    (tmp_path / "curl.txt").write_bytes(printed.encode())
    (tmp_path / "asked.json").write_text(json.dumps(recording.answer()["request"]["body"]))
    imported = chatconform(
        tmp_path, "import", "curl.txt", "--request", "asked.json", "--to", "mine", "--provider", "acme"
    )
    expected = "mine/curl.json\nJudge it with: chatconform judge mine/curl.json\n"
    assert (0, expected, "") == (imported.returncode, imported.stdout, imported.stderr)
    assert 0 == chatconform(tmp_path, "judge", "mine/curl.json").returncode


def test_a_key_is_overwritten_on_import(chatconform, tmp_path):
    key = "wJalrXUtnFEMI7MDENGbPxRfiCY"
    (tmp_path / "curl.txt").write_text(f'HTTP/1.1 401 Unauthorized\r\n\r\n{{"error": "{key}"}}')
    (tmp_path / "asked.json").write_text("{}")
    options = ["--request", "asked.json", "--to", "mine", "--key-env", "ACME_API_KEY"]
    chatconform(tmp_path, "import", "curl.txt", *options, ACME_API_KEY=key)
    assert key not in (tmp_path / "mine" / "curl.json").read_text(encoding="utf-8")


def test_a_request_that_is_no_json_is_refused_on_import(chatconform, tmp_path):
    (tmp_path / "curl.txt").write_text("HTTP/1.1 200 OK\r\n\r\n{}")
    (tmp_path / "asked.json").write_text("{")
    done = chatconform(tmp_path, "import", "curl.txt", "--request", "asked.json", "--to", "mine")
    assert (2, True, False) == (done.returncode, done.stderr.startswith("asked.json:1:"), (tmp_path / "mine").exists())


@pytest.mark.parametrize(
    "what, key, member",
    [
        ("checks", "id", "sse.done.present"),
        ("clauses", "id", "envelope.id.type"),
        ("providers", "provider", "tooken"),
        ("faults", "of", "stream.usage"),
    ],
)
def test_every_kind_of_thing_is_listed(what, key, member, chatconform, tmp_path):
    rows = json.loads(chatconform(tmp_path, "list", what, "--json").stdout)
    assert member in {row[key] for row in rows}
    assert len(rows) == len(chatconform(tmp_path, "list", what).stdout.splitlines())


def test_a_list_can_be_narrowed_to_a_contract(chatconform, tmp_path):
    rows = json.loads(chatconform(tmp_path, "list", "clauses", "--contract", "tkhub", "--json").stdout)
    assert {"tkhub"} == {row["contract"] for row in rows}


def test_a_list_of_no_contract_is_a_usage_error(chatconform, tmp_path):
    assert 2 == chatconform(tmp_path, "list", "checks", "--contract", "acme").returncode


@pytest.mark.parametrize("check", ["sse.done.present", "envelope.id.type", "extensions.routed_model.type"])
def test_a_check_is_explained(check, chatconform, tmp_path):
    done = chatconform(tmp_path, "explain", check)
    titles = [line for line in done.stdout.splitlines() if line and not line.startswith(" ")]
    assert (0, check) == (done.returncode, titles[0])
    assert {"level", "why it matters", "whom it hurts", "example", "fix", "needs first"} <= set(titles)


def test_an_unknown_check_is_not_explained(chatconform, tmp_path):
    done = chatconform(tmp_path, "explain", "sse.done.presnt")
    expected = (
        "command line: there is no check 'sse.done.presnt'\n"
        "  Did you mean sse.done.present? `chatconform list checks` prints all ids.\n"
    )
    assert (2, "", expected) == (done.returncode, done.stdout, done.stderr)


def test_the_shipped_contracts_are_clean(chatconform, tmp_path):
    done = chatconform(tmp_path, "lint")
    assert (0, "no problems\n", "") == (done.returncode, done.stdout, done.stderr)


def test_a_broken_contract_is_named_with_its_place(chatconform, tmp_path):
    shutil.copytree(resources.path("schemas/openai"), tmp_path / "schemas" / "openai")
    (tmp_path / "schemas" / "openai" / "error.schema.json").write_text('{\n "type": object}')
    done = chatconform(tmp_path, "lint", "schemas")
    assert (2, True) == (done.returncode, done.stderr.startswith("schemas/openai/error.schema.json:2:"))


def test_a_folder_without_contracts_is_a_usage_error(chatconform, tmp_path):
    done = chatconform(tmp_path, "lint", "nowhere")
    assert (2, True) == (done.returncode, done.stderr.startswith("nowhere: "))


# Behaving as a command


def test_the_version_is_printed(chatconform, tmp_path):
    from chatconform import __version__

    assert f"chatconform {__version__}\n" == chatconform(tmp_path, "--version").stdout


COMMANDS = [
    "",
    "run",
    "plan",
    "record",
    "judge",
    "import",
    "report",
    "diff",
    "init",
    "doctor",
    "serve",
    "clients",
    "list",
    "explain",
    "lint",
    "docs",
    "completion",
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command, chatconform, tmp_path):
    done = chatconform(tmp_path, *command.split(), "-h")
    expected = f"Usage: {' '.join(['chatconform', *command.split()])} [OPTIONS]"
    assert (0, expected) == (done.returncode, done.stdout[: len(expected)])


def test_the_help_names_every_command(chatconform, tmp_path):
    said = chatconform(tmp_path, "-h").stdout
    assert set(COMMANDS[1:]) == set(re.findall(r"^  ([a-z]+)  +[A-Z]", said, re.MULTILINE))


@pytest.mark.parametrize("arguments", ["frobnicate", "judge", "list", "list things", "explain", "diff one", "run -x"])
def test_wrong_usage_is_said_on_standard_error(arguments, chatconform, tmp_path):
    done = chatconform(tmp_path, *arguments.split())
    assert (2, "", True) == (done.returncode, done.stdout, "Error: " in done.stderr)


@pytest.mark.parametrize(
    "arguments, code",
    [("list checks", 0), ("-h", 0), ("judge mine", 1), ("judge mine --json", 1), ("judge mine/answer.json", 0)],
)
def test_a_reader_that_has_gone_changes_nothing_about_the_code(arguments, code, mine, environment):
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "chatconform", *arguments.split()],
        cwd=mine,
        env=environment,
        stdout=writing,
        stderr=subprocess.PIPE,
    )
    os.close(writing)
    assert (code, b"") == (done.returncode, done.stderr)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no device that is always full")
def test_a_full_disk_is_no_bug_of_the_suite(environment, tmp_path):
    with Path("/dev/full").open("wb") as full:
        child = [sys.executable, "-m", "chatconform", "list", "providers"]
        done = subprocess.run(child, cwd=tmp_path, env=environment, stdout=full, stderr=subprocess.PIPE)
    assert (2, b"standard output: No space left on device\n") == (done.returncode, done.stderr)


def test_ctrl_c_ends_with_130(environment, tmp_path):
    child = subprocess.Popen(
        [sys.executable, "-m", "chatconform", "judge", "-"],
        cwd=tmp_path,
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # a shell's background jobs ignore it
    )
    assert child.stdin
    child.stdin.write(b" " * 2**20)  # more than a pipe holds: when it is written, the child reads
    child.send_signal(signal.SIGINT)
    said, problems = child.communicate()
    assert (130, b"", b"interrupted\n") == (child.returncode, said, problems)


def on_a_terminal(folder, environment):
    """Judge a recording with a terminal as standard output; return what the terminal got."""
    terminal, side = os.openpty()
    child = [sys.executable, "-m", "chatconform", "judge", "mine/answer.2.json"]
    with subprocess.Popen(child, cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=side, stderr=side):
        os.close(side)
        said = b"".join(iter(lambda: _read(terminal), b""))
    os.close(terminal)
    return said.decode().replace("\r\n", "\n")


def _read(terminal):
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says so when the other side is closed
        return b""


def test_a_pipe_gets_no_escape_sequences(mine, chatconform):
    assert "\x1b" not in chatconform(mine, "judge", "mine").stdout


def test_no_color_is_honoured_and_nothing_is_lost_with_the_colours(mine, environment):
    coloured = on_a_terminal(mine, environment)
    plain = on_a_terminal(mine, {**environment, "NO_COLOR": "1"})
    assert COLOUR.sub("", coloured) == COLOUR.sub("", plain)
    assert (True, set()) == (colours(coloured) >= {"31", "32"}, colours(plain))


def colours(text):
    """Return the parameters of the escape sequences that set a colour."""
    parameters = {each for codes in re.findall(r"\x1b\[([0-9;]*)m", text) for each in codes.split(";")}
    return {each for each in parameters if re.fullmatch(r"3[0-8]|4[0-8]|9[0-7]", each)}


def line_of(done, start):
    """Return the first line that begins so."""
    return next((line.rstrip() for line in done.stdout.splitlines() if line.startswith(start)), "")
