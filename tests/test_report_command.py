"""`chatconform report`, and the same forms of `judge` and `run`: what is written, what is refused, and when."""

from __future__ import annotations

import json
import os
import stat
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest

import recording
from chatconform import forms, gate
from chatconform.forms import Forms, require_room, require_writable
from chatconform.model import InputError, Place
from chatconform.report.results import dump
from chatconform.reports import files, write
from report_sample import reports, sample

GOLDEN = reports()
HERE = Place("command line")
MUST = recording.answer(object="text_completion")
"""Breaks envelope.object.value, a must."""


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


@pytest.fixture
def results(tmp_path):
    """The sample's results.json."""
    (tmp_path / "results.json").write_bytes(dump(sample()))
    return tmp_path


def test_without_options_the_summary_is_printed(results, chatconform):
    done = chatconform(results, "report", "results.json", COLUMNS="80")
    golden = GOLDEN["terminal.txt"].decode().removesuffix("report: reports/index.html\n")
    assert (0, golden, "") == (done.returncode, done.stdout, done.stderr)


def test_every_form_is_written_as_it_was_when_it_was_judged(results, chatconform):
    forms = ("--junit", "a/junit.xml", "--sarif", "a/r.sarif", "--markdown", "m.md", "--summary", "s.md")
    done = chatconform(results, "report", "results.json", *forms, "--badge", "badges", "--html", "pages")
    assert (0, ["a/junit.xml", "a/r.sarif", "badges", "m.md", "s.md"]) == (done.returncode, done.stdout.splitlines())
    written = {name: (results / name).read_bytes() for name in ("a/junit.xml", "a/r.sarif", "m.md", "s.md")}
    assert {
        "a/junit.xml": GOLDEN["junit.xml"],
        "a/r.sarif": GOLDEN["results.sarif"],
        "m.md": GOLDEN["summary.md"],
        "s.md": GOLDEN["summary.md"],
    } == written
    assert (results / "pages" / "index.md").read_bytes() == GOLDEN["index.md"]
    assert {"acme.json", "broken-suite.json", "paper.json", "quiet.json", "vil-x-b.1b3edcd5.json"} == {
        file.name for file in (results / "badges").iterdir()
    }


def test_a_dash_is_standard_output_and_nothing_else_is_printed(results, chatconform):
    done = chatconform(results, "report", "results.json", "--junit", "-", "--sarif", "r.sarif")
    assert (GOLDEN["junit.xml"].decode(), "r.sarif\n") == (done.stdout, done.stderr)


def test_what_quotes_header_fields_is_its_owners_alone(results, chatconform):
    chatconform(results, "report", "results.json", "--junit", "j.xml", "--sarif", "r.sarif", "--markdown", "m.md")
    modes = {stat.S_IMODE((results / name).stat().st_mode) for name in ("j.xml", "r.sarif", "m.md")}
    assert {0o600} == modes


def test_a_summary_is_added_to_what_others_wrote(results, chatconform):
    (results / "s.md").write_bytes(b"no line feed")
    before = (results / "s.md").stat().st_ino
    chatconform(results, "report", "results.json", "--summary", "s.md")
    assert (b"no line feed\n" + GOLDEN["summary.md"], before) == (
        (results / "s.md").read_bytes(),
        (results / "s.md").stat().st_ino,
    )


@pytest.mark.parametrize(
    "held, most, is_cut",
    [(900 * 1024 - 1, 910 * 1024, True), (1_044_500, 1024 * 1024, True), (1_048_000, 1_048_000, False)],
)
def test_a_summary_leaves_others_their_room(held, most, is_cut, tmp_path):
    (tmp_path / "s.md").write_bytes(b"x" * held)
    forms.write(sample(), gate.decide(sample(), gate.FailOn.MUST), Forms(summary=tmp_path / "s.md"))
    written = (tmp_path / "s.md").read_bytes()
    assert (True, is_cut) == (held <= len(written) <= most, b"**Cut here" in written)


def test_a_reader_that_leaves_early_is_no_error(results, chatconform):
    assert 0 == chatconform(results, "report", "results.json", "--markdown", "-").returncode


REFUSED = [
    (Forms(summary=Path()), "--summary .: this is a folder"),
    (Forms(junit=Path("results.json/x")), "cannot be written: Not a directory"),
    (Forms(badge=Path("results.json/x")), "cannot be written: Not a directory"),
    (Forms(junit=Path("link")), "--junit link: this is a link"),
    (Forms(sarif=Path("nowhere")), "--sarif nowhere: this is a link"),
    (Forms(summary=Path("nowhere")), "--summary nowhere: this is a link"),
    (Forms(badge=Path("x" * 300)), f"--badge {'x' * 300}: File name too long"),
    (Forms(junit=Path("fifo")), "--junit fifo: this is no regular file"),
    (Forms(summary=Path("fifo")), "--summary fifo: this is no regular file"),
    (Forms(markdown=Path("/dev/null")), "--markdown /dev/null: this is no regular file"),
]


@pytest.mark.parametrize("forms, problem", REFUSED)
def test_what_cannot_be_written_is_refused_and_nothing_is_written(forms, problem, results, monkeypatch):
    monkeypatch.chdir(results)
    Path("link").symlink_to("results.json")
    Path("nowhere").symlink_to("none")
    os.mkfifo("fifo")
    with pytest.raises(InputError) as caught:
        require_writable(forms, HERE)
    assert (problem, ["fifo", "link", "nowhere", "results.json"]) == (caught.value.problem, names(results))


def test_a_summary_is_added_where_a_link_leads(results, monkeypatch):
    monkeypatch.chdir(results)
    Path("link").symlink_to("results.json")
    assert require_writable(Forms(summary=Path("link")), HERE) is None


CLASHES = [
    (Forms(junit=Path("results.json")), "--junit results.json: this is another file of this run too"),
    (Forms(sarif=Path("out/../out/index.html")), "--sarif out/../out/index.html: this is another file of this run too"),
    (Forms(markdown=Path("out/acme.md")), "--markdown out/acme.md: this is another file of this run too"),
    (Forms(junit=Path("a"), sarif=Path("./a")), "--sarif a: this is --junit too"),
    (Forms(junit=Path("-"), markdown=Path("-")), "--markdown -: this is --junit too"),
    (Forms(junit=Path("b/acme.json"), badge=Path("b")), "--badge b/acme.json: this is --junit too"),
    (Forms(junit=Path("out")), "--junit out: other files go into a folder of this name"),
    (Forms(junit=Path("a/b"), sarif=Path("a")), "--sarif a: other files go into a folder of this name"),
    (Forms(sarif=Path("mine/answer.json")), "--sarif mine/answer.json: this would be read as an exchange of the"),
    (Forms(badge=Path("mine/b")), "--badge mine/b/acme.json: this would be read as an exchange of the recording"),
]


@pytest.mark.parametrize("forms, problem", CLASHES)
def test_a_form_replaces_no_other_file_of_its_run(forms, problem, results, monkeypatch):
    monkeypatch.chdir(results)
    recording.write(Path("mine"), MUST)
    with pytest.raises(InputError) as caught:
        require_room(forms, HERE, ["acme"], [Path("results.json"), Path("mine"), *files(Path("out"), ["acme"])])
    assert problem == caught.value.problem[: len(problem)]


def test_what_is_read_and_leads_nowhere_is_in_no_forms_way(tmp_path):
    (tmp_path / "loop").symlink_to("loop")
    others = [tmp_path / "loop", tmp_path / ("x" * 300)]
    assert require_room(Forms(junit=tmp_path / "j.xml"), HERE, ["acme"], others) is None


def test_forms_have_room_beside_the_pages_and_beside_a_recording():
    forms = Forms(Path("out/j.xml"), Path("mine/r.sarif"), Path("out"), Path("out/all.md"), Path("s.md"))
    assert require_room(forms, HERE, ["acme", "results"], [Path("mine"), *files(Path("out"), ["acme"])]) is None


@pytest.mark.parametrize("path", ["b.json", "-"])
def test_one_file_has_no_room_for_the_badges_of_several_providers(path):
    with pytest.raises(InputError, match="one file has no room for the badges of 2 providers"):
        require_room(Forms(badge=Path(path)), HERE, ["a", "b"], [])


def test_the_files_of_a_report_are_those_that_are_written(tmp_path):
    write(sample(), tmp_path)
    assert sorted(files(tmp_path, [each.id for each in sample().providers])) == sorted(tmp_path.iterdir())


@pytest.mark.parametrize(
    "options, said",
    [
        (("--html", "results.json/x", "--badge", "badges"), "results.json/x: cannot be written: Not a directory"),
        (("--html", "pages", "--sarif", "pages"), "command line: --sarif pages: other files go into a folder of"),
        (("--html", "pages", "--junit", "pages/results.json"), "command line: --junit pages/results.json: this is an"),
        (("--html", "-"), "command line: --html -: the pages are several files"),
    ],
)
def test_a_report_that_cannot_be_written_is_one_error_and_nothing_is_written(options, said, results, chatconform):
    done = chatconform(results, "report", "results.json", *options)
    assert (2, said, ["results.json"]) == (done.returncode, done.stderr[: len(said)], names(results))


def test_an_unknown_level_is_one_error(results, chatconform):
    text = (results / "results.json").read_text().replace('"fail_on": "must"', '"fail_on": "shall"')
    (results / "results.json").write_text(text)
    done = chatconform(results, "report", "results.json", "--junit", "-")
    said = "results.json: /run/fail_on: shall is none of must, should, regression, never"
    assert (2, said) == (done.returncode, done.stderr.splitlines()[0])


EDITED = [
    (("report", "cut.json"), lambda text: text[:-200], "not JSON: "),
    (("diff", "cut.json", "cut.json"), lambda text: text.replace("results/1", "results/9"), "results/9 is another"),
    (("judge", "mine", "--baseline", "cut.json"), lambda text: text.replace('"failed": 2', '"failed": 0', 1),
     "/failed: 0, and its verdicts make it 2"),
]  # fmt: skip


@pytest.mark.parametrize("command, change, problem", EDITED, ids=[row[0][0] for row in EDITED])
def test_results_that_are_cut_or_edited_are_one_error_wherever_they_are_read(
    command, change, problem, results, chatconform
):
    recording.write(results / "mine", recording.answer())
    (results / "cut.json").write_text(change((results / "results.json").read_text()))
    done = chatconform(results, *command)
    assert (2, "", 2) == (done.returncode, done.stdout, len(done.stderr.splitlines()))
    assert problem in done.stderr.splitlines()[0]


# The same forms of judge and run


def test_judge_writes_every_form_and_report_writes_the_same_again(chatconform, tmp_path):
    recording.write(tmp_path / "mine", MUST, recording.answer("other"))
    forms = ("--junit", "j.xml", "--sarif", "r.sarif", "--badge", "b.json", "--summary", "s.md")
    done = chatconform(tmp_path, "judge", "mine", "--out", "out", *forms)
    first = {name: (tmp_path / name).read_bytes() for name in forms[1::2]}
    (tmp_path / "s.md").unlink()
    again = chatconform(tmp_path, "report", "out/results.json", *forms)
    assert (1, 0) == (done.returncode, again.returncode)
    assert first == {name: (tmp_path / name).read_bytes() for name in forms[1::2]}
    assert "1" == ET.fromstring(first["j.xml"]).get("failures")
    assert "deviates" == json.loads(first["b.json"])["message"]


@pytest.mark.parametrize(
    "command, options, problem",
    [
        (("judge", "mine"), ("--junit", "-"), "--junit -: standard output has the summary"),
        (("run", "--recorded"), ("--sarif", "mine"), "--sarif mine: this is a folder"),
        (("judge", "mine"), ("--sarif", "mine/answer.json"), "--sarif mine/answer.json: this would be read as an"),
        (("judge", "mine/answer.json"), ("--junit", "mine/answer.json"), "mine/answer.json: this is another file of"),
        (("judge", "mine", "--out", "o"), ("--junit", "o/acme.md"), "--junit o/acme.md: this is another file of this"),
        (("judge", "mine"), ("--junit", "providers.yaml"), "--junit providers.yaml: this is another file of this run"),
        (("judge", "mine", "--baseline", "old.json"), ("--junit", "old.json"), "--junit old.json: this is another fi"),
        (("run", "--live"), ("--sarif", "reports/index.md"), "--sarif reports/index.md: this is another file of this"),
        (("run", "--recorded"), ("--badge", "recordings"), "recordings/acme.json: this would be read as an exchange"),
        (("run", "--live"), ("--badge", "b.json"), "b.json: one file has no room for the badges of 2 providers"),
    ],
)
def test_a_form_that_cannot_be_written_is_refused_before_anything_is_done(
    command, options, problem, chatconform, tmp_path
):
    recording.write(tmp_path / "mine", MUST)
    recording.providers(tmp_path / "providers.yaml", "acme", "other")
    (tmp_path / "recordings").mkdir()
    (tmp_path / "old.json").write_bytes(dump(sample()))
    done = chatconform(tmp_path, *command, *options)
    there = ["mine", "old.json", "providers.yaml", "recordings"]
    assert (2, "", there) == (done.returncode, done.stdout, names(tmp_path))
    assert problem in done.stderr


def test_a_run_writes_the_forms_beside_its_reports(chatconform, tmp_path):
    recording.providers(tmp_path / "providers.yaml")
    recording.write(tmp_path / "recordings" / "acme", MUST)
    done = chatconform(tmp_path, "run", "--recorded", "--sarif", "reports/r.sarif", "--junit", "reports/j.xml")
    run = json.loads((tmp_path / "reports" / "r.sarif").read_bytes())["runs"][0]
    places = {each["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for each in run["results"]}
    assert (1, {"recordings/acme/answer.json"}) == (done.returncode, places)
    assert {"index.html", "index.md", "results.json", "r.sarif", "j.xml"} <= set(names(tmp_path / "reports"))


def test_places_are_told_from_the_top_of_the_repository_and_results_as_they_were_named(chatconform, tmp_path):
    for folder in (".git", "svc"):
        (tmp_path / folder).mkdir()
    recording.write(tmp_path / "svc" / "mine", MUST)
    chatconform(tmp_path / "svc", "judge", "mine", "--out", "out", "--sarif", "r.sarif", "--junit", "j.xml")
    result = json.loads((tmp_path / "svc" / "r.sarif").read_bytes())["runs"][0]["results"][0]
    told = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
    cases = ET.parse(tmp_path / "svc" / "j.xml").iter("testcase")
    kept = json.loads((tmp_path / "svc" / "out" / "results.json").read_bytes())["exchanges"][0]["file"]
    named = "svc/mine/answer.json"
    assert (named, {named, None}, "mine/answer.json") == (told, {each.get("file") for each in cases}, kept)
