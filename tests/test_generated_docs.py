"""The pages of docs/ that are made from the code are what the code makes today."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from click.testing import CliRunner

from chatconform import calibration, coverage, deviations, docs, proof
from chatconform.cli import cli, reference
from chatconform.coverage import Standing
from chatconform.explanation import citing, explained
from chatconform.judging import known_checks
from chatconform.model import OPENAI, InputError, Level
from chatconform.reference.good import DOCUMENTED, GOOD

FOLDER = Path(__file__).parents[1] / "docs"
MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")
CORPUS = Path(MATERIAL or "", "corpus", "captures.jsonl.gz")
needs_captures = pytest.mark.skipif(MATERIAL is None, reason="the captures are not here")

PAGES = ("checks.md", "coverage.md", "proof.md", "clients.md", "cli.md")
ANCHOR = re.compile(r'<a id="([^"]+)"></a>|^## (\w+)$', re.MULTILINE)
LINK = re.compile(r"\]\(([a-z]+\.md)?#([^)]+)\)")

pytestmark = pytest.mark.uncovered


@pytest.fixture(scope="module")
def made():
    """Every page by its file name, as the code makes it: half a minute of judging, so once."""
    return {**docs.pages(None), "cli.md": reference.page(cli.make_context("chatconform", ["docs"]))}


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_what_the_code_makes(name, made):
    """`make docs` writes them anew."""
    assert (FOLDER / name).read_text("utf-8") == made[name]


@pytest.fixture(scope="module")
def calibrated():
    """The page that the captures make."""
    return docs.calibration(calibration.calibrate(CORPUS))


@needs_captures
def test_the_calibration_is_what_the_captures_make(calibrated):
    assert (FOLDER / "calibration.md").read_text("utf-8") == calibrated


@pytest.mark.parametrize("name", [*PAGES, "calibration.md"])
def test_every_link_leads_to_a_place(name, made):
    anchors = {page: {each or title for each, title in ANCHOR.findall(text)} for page, text in made.items()}
    links = LINK.findall((FOLDER / name).read_text("utf-8"))
    assert [] == [(page, at) for page, at in links if at not in anchors[page or name]]


def test_the_command_writes_the_pages(made, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(cli, ["docs", "--to", "pages"])
    written = {file.name: file.read_text("utf-8") for file in (tmp_path / "pages").iterdir()}
    assert (0, made, list(PAGES)) == (done.exit_code, written, list(made))
    assert [f"pages/{name}" for name in PAGES] == done.stdout.split()


# Coverage


def test_every_entry_is_one_of_three_things():
    found = coverage.coverage()
    assert list(deviations.load()) == list(found)
    for each in found.values():
        assert 1 == sum(map(bool, (each.checks, each.habit, each.undecided)))


def test_what_is_checked_is_cited_or_decided_by_clauses_that_exist():
    checked = {each.entry.id: each.checks for each in coverage.coverage().values() if each.standing is Standing.CHECKED}
    assert set(citing()) <= set(checked)
    assert set() == {check for checks in checked.values() for check in checks} - known_checks()


def text_of(**changes):
    """Return the coverage file with entries replaced, or left out where the replacement is None."""
    lines: dict[str, str | None] = {}
    for entry, covered in coverage.coverage().items():
        if covered.habit:
            lines[entry] = f"{{habit: {covered.habit}}}"
        elif covered.undecided:
            lines[entry] = "{undecided: It is so.}"
        elif entry not in citing():
            lines[entry] = f"{{decided_by: [{', '.join(covered.checks)}]}}"
    lines |= {entry.replace("_", "-"): value for entry, value in changes.items()}
    return "entries:\n" + "".join(f"  {entry}: {value}\n" for entry, value in lines.items() if value is not None)


@pytest.mark.parametrize(
    "changes, problem",
    [
        ({"SSF_12": None}, "SSF-12 is left out"),
        ({"TRM_01": "{habit: framing.crlf}"}, "TRM-01 is cited by sse.done.present"),
        ({"XYZ_01": "{habit: framing.crlf}"}, "there is no entry XYZ-01"),
        ({"SSF_12": "{habit: framing.fancy}"}, "SSF-12 names no habit"),
        ({"EXT_01": "{decided_by: [no.such.clause]}"}, "EXT-01 names no clause no.such.clause"),
        ({"SSF_12": "{habit: framing.crlf, decided_by: [sse.done.last]}"}, "SSF-12 is no single thing"),
    ],
)
def test_a_coverage_file_that_contradicts_is_refused(changes, problem):
    with pytest.raises(InputError) as caught:
        coverage.parse(text_of(**changes).encode(), "coverage.yaml", citing())
    assert (problem, "coverage.yaml") == (caught.value.problem, caught.value.place.file)


def test_a_part_without_its_reason_is_refused():
    with pytest.raises(InputError):
        coverage.parse(text_of(SSF_12="{undecided: so}").encode(), "coverage.yaml", citing())


def test_the_coverage_file_parses_to_the_same_whatever_its_order():
    assert list(coverage.coverage()) == list(coverage.parse(text_of().encode(), "coverage.yaml", citing()))


# Proof


def test_every_planted_fault_is_seen_and_changes_what_it_states():
    assert [] == [each.fault.id for each in proof.planted() if each.is_deviation and not each.fails]
    assert [] == [each.fault.id for each in proof.planted() if not each.as_stated]


def test_no_variation_is_accused_of_more_than_a_may():
    accused = {level for each in proof.reworded() for level in each.accused.values()}
    assert accused <= {Level.MAY}


def test_every_rule_of_a_contract_that_has_good_exchanges_has_a_fault_that_breaks_it():
    """A clause on requests may be one that every request keeps, so that none is refused for it alone."""
    of_answers = {check: faults for check, faults in proof.broken_by().items() if not check.startswith("request.")}
    unbroken = {check for check, faults in of_answers.items() if not faults}
    told = {contract for check in unbroken for contract in explained(check).text.levels}
    assert set() == told & {OPENAI, *DOCUMENTED}


# Calibration


def test_a_check_is_counted_by_provider():
    found = calibration.counted([GOOD["stream"], GOOD["stream.n2"], GOOD["tooken.stream"]])
    (last,) = (each for each in found.checks if each.check == "sse.done.last")
    assert ({"reference": 2, "tooken": 1}, {}, {"reference": 2, "tooken": 1}) == (
        found.captures, last.fires, last.judged,
    )  # fmt: skip


def test_musts_come_first():
    levels = [each.level for each in calibration.counted(GOOD.values()).checks]
    assert sorted(levels, key=list(Level).index) == levels


@needs_captures
def test_every_must_that_fires_was_looked_at_and_none_fires_on_openai():
    fired = [each for each in calibration.calibrate(CORPUS).checks if each.level is Level.MUST and each.fires]
    assert [] == [each.check for each in fired if each.fires.get("openai")]
    assert {each.check for each in fired} == set(calibration.notes())


@needs_captures
def test_the_calibration_holds_nothing_that_was_recorded(calibrated):
    words = set(re.findall(r"[A-Za-z]{24,}", calibrated))
    assert set() == words


def test_a_note_on_a_check_that_is_not_there_is_refused(tmp_path, monkeypatch):
    file = tmp_path / "notes.yaml"
    file.write_text("sse.done.never: It is so.\n")
    monkeypatch.setattr(calibration, "_NOTES", file)
    with pytest.raises(InputError) as caught:
        calibration.notes.__wrapped__()
    assert f"{file}:1:1" == str(caught.value.place)
