"""pytest's face, through a real pytest."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET

import pytest

import recording
from chatconform import resources

WAIVERS = [
    '{check: envelope.object.value, reason: known to them, until: "2099-12-31"}',
    '{check: json.body.valid, reason: known to them, until: "2099-12-31"}',
]
AS_WARNING = "error::chatconform.plugin.ConformanceWarning"


@pytest.fixture(scope="module")
def gateways(tmp_path_factory):
    """A folder with the shipped providers file and recordings."""
    folder = tmp_path_factory.mktemp("gateways")
    shutil.copy(resources.path("providers.yaml"), folder)
    shutil.copytree(resources.path("recordings"), folder / "recordings")
    return folder


@pytest.fixture(scope="module")
def lax(tmp_path_factory):
    """A folder with two providers, of which acme breaks a should, envelope.created.seconds."""
    folder = tmp_path_factory.mktemp("lax")
    recording.providers(folder / "providers.yaml", "acme", "beta")
    recording.write(folder / "recordings" / "acme", recording.answer(created=0))
    recording.write(folder / "recordings" / "beta", recording.answer(), recording.stream())
    return folder


@pytest.fixture(scope="module")
def whole(gateways, run_pytest):
    """One run of all gateways that says what it ran."""
    return run_pytest(gateways, "providers.yaml", "-rA", "--junitxml", "junit.xml", "--chatconform-out", "whole")


def outcomes(done):
    """Return the outcome of every item that -rA or -v names by its id."""
    return dict(reversed(line.split()[:2]) for line in done.stdout.splitlines() if re.match(r"[A-Z]{4,6}ED ", line))


def last_line(done):
    """Return what pytest counted, without the time."""
    return re.sub(r" in [0-9.]+s.*", "", done.stdout.splitlines()[-1]).strip("= ")


# What an item is


def test_an_item_is_named_by_file_provider_contract_and_check(whole):
    assert "PASSED" == outcomes(whole)["providers.yaml::tooken::openai::sse.done.last"]


def test_a_document_has_items_of_its_own(whole):
    assert "PASSED" == outcomes(whole)["providers.yaml::tooken::tooken::sse.done.present"]


def test_an_item_can_be_named_by_the_id_that_is_printed(lax, run_pytest):
    printed = run_pytest(lax, "providers.yaml", "-v", "-k", "acme and json.body.valid")
    identifier = re.search(r"^(\S+) PASSED", printed.stdout, re.MULTILINE)[1]
    done = run_pytest(lax, identifier)
    assert ("providers.yaml::acme::openai::json.body.valid", "1 passed") == (identifier, last_line(done))


def test_a_broken_must_is_a_failed_item(whole):
    assert (1, "FAILED") == (whole.returncode, outcomes(whole)["providers.yaml::tkhub::openai::message.role.value"])


def failures(done):
    """Return the section of a run's output that explains what failed."""
    return done.stdout.partition("= FAILURES =")[2].partition("= warnings summary =")[0]


def test_a_failed_item_says_what_is_broken_with_the_bytes_and_the_fix(whole):
    section = failures(whole).partition("tkhub openai message.role.value _")[2].partition("\n____")[0]
    labels = ["got", "wanted", "at", "bytes", "breaks", "source", "fix"]
    assert labels == re.findall(rf"^ +({'|'.join(labels)}) ", section, re.MULTILINE)
    assert "message.role.value  MUST OpenAI" in section
    assert "bytes [170, 178) · /choices/0/message/role" in section


def test_a_failed_item_shows_no_line_of_python(whole):
    assert [] == re.findall(r"^(?:>|E) .*|.*\.py:[0-9]+.*", failures(whole), re.MULTILINE)


def test_a_broken_should_is_a_warning(whole):
    assert "PASSED" == outcomes(whole)["providers.yaml::tkhub::openai::usage.total.sum"]
    assert "ConformanceWarning: usage.total.sum  SHOULD OpenAI" in whole.stdout


def test_unproven_and_not_applicable_items_are_skips_with_their_reason(whole):
    reasons = re.findall(r"^SKIPPED \[[0-9]+\] \S+: (.*)$", whole.stdout, re.MULTILINE)
    expected = {"not-applicable: other-branch", "unproven: recorder"}
    assert (expected, []) == (
        expected & set(reasons),
        [reason for reason in reasons if not re.match("unproven: |not-applicable: ", reason)],
    )


def test_warnings_of_ours_can_be_made_failures(lax, run_pytest):
    done = run_pytest(lax, "providers.yaml", "-W", AS_WARNING)
    expected = ["FAILED providers.yaml::acme::openai::envelope.created.seconds"]
    assert (1, expected) == (done.returncode, re.findall(r"^FAILED \S+", done.stdout, re.MULTILINE))
    assert ("envelope.created.seconds  SHOULD OpenAI", []) == (
        failures(done).splitlines()[2],
        re.findall(r".*\.py:.*", failures(done)),
    )


@pytest.mark.parametrize("fail_on, code", [("should", 1), ("must", 0), ("never", 0)])
def test_the_level_that_fails_can_be_chosen(fail_on, code, lax, run_pytest):
    assert code == run_pytest(lax, "providers.yaml", "--chatconform-fail-on", fail_on).returncode


# JUnit


@pytest.fixture(scope="module")
def cases(whole, gateways):
    """The test cases of the JUnit file by class and name."""
    assert whole.returncode == 1
    suite = ET.parse(gateways / "junit.xml").getroot()
    return {(case.get("classname"), case.get("name")): case for case in suite.iter("testcase")}


def test_junit_has_one_case_a_check(cases, whole):
    counted = sum(int(number) for number in re.findall(r"([0-9]+) (?:failed|passed|skipped)", last_line(whole)))
    assert counted == len(cases)


def test_a_junit_case_says_of_what_it_is(cases):
    case = cases["providers.yaml.tkhub.openai", "message.role.value"]
    expected = {
        "provider": "tkhub",
        "contract": "openai",
        "check": "message.role.value",
        "level": "must",
        "outcome": "fail",
        "examined": "1",
    }
    assert expected == {each.get("name"): each.get("value") for each in case.iter("property")}


def test_a_failed_junit_case_is_a_failure_and_no_error(cases):
    case = cases["providers.yaml.tkhub.openai", "message.role.value"]
    assert (1, 0) == (len(case.findall("failure")), len(case.findall("error")))
    assert case.find("failure").get("message").startswith("message.role.value  MUST OpenAI")


def test_an_unproven_junit_case_is_skipped_with_its_reason(cases):
    skipped = cases["providers.yaml.tkhub.openai", "http.media_type.json"].find("skipped")
    assert "unproven: recorder" == skipped.get("message")


# What is written


def test_pytest_writes_what_the_command_writes(whole, gateways, chatconform):
    chatconform(gateways, "run", "--out", "commanded")
    assert contents(gateways / "commanded") == contents(gateways / "whole")


def test_pytest_says_where_the_report_is(whole, gateways):
    assert f"chatconform: {gateways / 'whole' / 'index.html'}" in whole.stdout.splitlines()


@pytest.mark.parametrize("workers", ["0", "2", "4"])
def test_the_results_are_the_same_bytes_with_any_number_of_workers(workers, flawed, run_pytest, chatconform):
    chatconform(flawed, "run", "--recorded", "--out", "commanded")
    run_pytest(flawed, "providers.yaml", "-n", workers, "--chatconform-out", f"n{workers}")
    assert contents(flawed / "commanded") == contents(flawed / f"n{workers}")


def contents(folder):
    """Return the bytes of a folder's files by name."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def judged(folder):
    """Return the checks by provider that a results.json holds."""
    results = json.loads((folder / "results.json").read_text(encoding="utf-8"))
    found = {provider["id"]: set() for provider in results["providers"]}
    for verdict in results["verdicts"]:
        found[verdict["provider"]].add(verdict["check"])
    return found


def test_a_selection_writes_what_ran_and_nothing_else(lax, run_pytest):
    run_pytest(lax, "providers.yaml", "-k", "beta and sse.done", "--chatconform-out", "selected")
    expected = {"sse.done.closed", "sse.done.exact", "sse.done.last", "sse.done.once", "sse.done.present"}
    assert {"beta": expected} == judged(lax / "selected")


def test_a_run_that_stops_at_the_first_failure_writes_what_ran(lax, run_pytest):
    done = run_pytest(lax, "providers.yaml", "-x", "--chatconform-fail-on", "should", "--chatconform-out", "stopped")
    ran = judged(lax / "stopped")
    assert (1, {"acme"}, "envelope.created.seconds") == (done.returncode, set(ran), max(ran["acme"]))


@pytest.mark.parametrize("options", [["--collect-only"], ["-k", "of-this-name-there-is-nothing"]])
def test_where_nothing_ran_nothing_is_written(options, lax, run_pytest):
    done = run_pytest(lax, "providers.yaml", *options, "--chatconform-out", "nothing")
    assert (False, False) == ((lax / "nothing").exists(), "chatconform: " in done.stdout)


def test_reports_that_cannot_be_written_are_said_and_fail_the_run(lax, run_pytest):
    (lax / "a file").write_text("")
    done = run_pytest(lax, "providers.yaml", "--chatconform-out", "a file")
    assert (4, True) == (done.returncode, "a file: cannot be written: " in done.stdout)


def test_several_providers_files_write_a_folder_each(run_pytest, tmp_path):
    for name in ("east", "west"):
        recording.providers(tmp_path / name / "providers.yaml", name)
        recording.write(tmp_path / name / "recordings" / name, recording.answer())
    run_pytest(tmp_path, "east/providers.yaml", "west/providers.yaml", "--chatconform-out", "out")
    found = {name: set(judged(tmp_path / "out" / name / "providers")) for name in ("east", "west")}
    assert {"east": {"east"}, "west": {"west"}} == found


def test_what_ran_of_one_providers_file_is_not_written_for_another(run_pytest, tmp_path):
    for name in ("one", "two"):
        recording.providers(tmp_path / f"{name}.yaml")
    recording.write(tmp_path / "recordings" / "acme", recording.answer())
    run_pytest(tmp_path, "one.yaml::acme::openai::envelope.id.type", "two.yaml", "--chatconform-out", "out")
    assert {"acme": {"envelope.id.type"}} == judged(tmp_path / "out" / "one")
    assert "json.body.valid" in judged(tmp_path / "out" / "two")["acme"]


def test_a_providers_file_outside_the_root_directory_is_reported_on(run_pytest, tmp_path):
    recording.providers(tmp_path / "there" / "providers.yaml")
    recording.write(tmp_path / "there" / "recordings" / "acme", recording.answer())
    (tmp_path / "here").mkdir()
    done = run_pytest(tmp_path / "here", "../there/providers.yaml", "--rootdir", str(tmp_path / "here"))
    assert (0, {"acme"}) == (done.returncode, set(judged(tmp_path / "here" / "reports")))


# What is wrong with what it was given


@pytest.fixture(scope="module")
def flawed(tmp_path_factory):
    """A folder whose providers have a waived failure, a stale waiver, a broken recording, and none at all."""
    folder = tmp_path_factory.mktemp("flawed")
    recording.providers(folder / "providers.yaml", "acme", waivers=WAIVERS)
    with (folder / "providers.yaml").open("a") as file:
        file.write("  beta:\n    base_url: https://beta.example/v1\n    model: m\n    default: true\n")
    recording.write(folder / "recordings" / "acme", recording.answer(object="text_completion"))
    (folder / "recordings" / "acme" / "broken.json").write_text('{"format":')
    return folder


@pytest.fixture(scope="module")
def mended(flawed, run_pytest):
    """One run of it that says what it ran."""
    return run_pytest(flawed, "providers.yaml", "-rA", "--chatconform-out", "whole")


def test_what_is_waived_is_an_expected_failure_with_its_reason(mended):
    expected = "XFAIL providers.yaml::acme::openai::envelope.object.value - waived: known to them (until 2099-12-31)"
    assert expected in mended.stdout.splitlines()


def test_a_provider_without_a_recording_is_a_skip(mended):
    assert re.search(r"^SKIPPED .* unproven: there is no recording of this provider$", mended.stdout, re.MULTILINE)


def test_what_is_wrong_with_the_input_is_a_failed_item_each(mended):
    failed = [identifier for identifier, outcome in outcomes(mended).items() if outcome == "FAILED"]
    assert ["providers.yaml::problem-1", "providers.yaml::problem-2"] == failed


@pytest.mark.parametrize(
    "problem",
    [
        "recordings/acme/broken.json:1:",
        "providers.yaml:8:9: the waiver of json.body.valid is stale: the check passes",
    ],
)
def test_a_problem_is_named_with_its_place(problem, mended):
    assert 1 == sum(line.startswith(problem) for line in mended.stdout.splitlines())


@pytest.mark.parametrize("options, code", [((), 2), (("-n", "2"), 1)])
def test_a_broken_providers_file_is_one_error_without_a_traceback(options, code, run_pytest, tmp_path):
    (tmp_path / "providers.yaml").write_text("providers:\n  acme:\n    base_url: ftp://acme\n    model: m\n")
    done = run_pytest(tmp_path, "providers.yaml", *options)
    expected = "providers.yaml:3:15: base_url does not begin with http:// or https://"
    assert (code, "1 error") == (done.returncode, last_line(done))
    assert (1, False) == (done.stdout.splitlines().count(expected), (tmp_path / "reports").exists())


# Other people's runs


@pytest.fixture
def others(tmp_path):
    """A folder of somebody else's: a test, and files that look like ours."""
    (tmp_path / "test_theirs.py").write_text("def test_it():\n    pass\n")
    recording.providers(tmp_path / "providers.yaml")
    recording.write(tmp_path / "recordings" / "acme", recording.answer(object="text_completion"))
    return tmp_path


@pytest.mark.parametrize("arguments", [[], ["."], ["test_theirs.py"]])
def test_a_providers_file_that_is_not_named_is_not_touched(arguments, others, run_pytest):
    done = run_pytest(others, *arguments)
    assert (0, "1 passed", False) == (done.returncode, last_line(done), (others / "reports").exists())


def test_another_yaml_file_is_left_to_others(others, run_pytest):
    (others / "conftest.py").write_text(
        "import pytest\n"
        "class Item(pytest.Item):\n"
        "    def runtest(self): pass\n"
        "class File(pytest.File):\n"
        "    def collect(self): yield Item.from_parent(self, name='theirs')\n"
        "def pytest_collect_file(file_path, parent):\n"
        "    if file_path.name == 'theirs.yaml':\n"
        "        return File.from_parent(parent, path=file_path)\n"
    )
    (others / "theirs.yaml").write_text("cases:\n  providers: []\n")
    done = run_pytest(others, "theirs.yaml", "-rA")
    assert ({"theirs.yaml::theirs": "PASSED"}, False) == (outcomes(done), (others / "reports").exists())


def test_their_tests_and_our_checks_run_side_by_side(others, run_pytest):
    done = run_pytest(others, "test_theirs.py", "providers.yaml", "-k", "test_it or envelope.id", "-rA")
    assert {"test_theirs.py::test_it", "providers.yaml::acme::openai::envelope.id.type"} <= set(outcomes(done))
    assert {"envelope.id.nonempty", "envelope.id.present", "envelope.id.type"} == judged(others / "reports")["acme"]


def test_a_run_of_theirs_alone_writes_no_report_for_a_file_that_is_named(others, run_pytest):
    run_pytest(others, "test_theirs.py", "providers.yaml", "-k", "test_it")
    assert not (others / "reports").exists()


def test_loading_the_plugin_loads_nothing_heavy(environment, tmp_path):
    program = "import sys, chatconform.plugin; print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    done = subprocess.run([sys.executable, "-c", program], env=environment, cwd=tmp_path, capture_output=True)
    heavy = {"click", "httpx", "jsonschema", "rich", "yaml"}
    assert (0, set()) == (done.returncode, heavy & set(done.stdout.decode().split()))


def test_the_plugin_is_loaded_by_its_entry_point(lax, run_pytest):
    assert "--chatconform-out=DIR" in run_pytest(lax, "--help").stdout


def test_ctrl_c_writes_what_ran(environment, tmp_path):
    recording.providers(tmp_path / "providers.yaml")
    recording.write(tmp_path / "recordings" / "acme", recording.answer())
    (tmp_path / "test_last.py").write_text("def test_interrupted():\n    raise KeyboardInterrupt\n")
    child = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "providers.yaml", "test_last.py"]
    done = subprocess.run(child, env=environment, cwd=tmp_path, stdout=subprocess.PIPE)
    assert (2, {"acme"}) == (done.returncode, set(judged(tmp_path / "reports")))
