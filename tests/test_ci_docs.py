"""docs/ci.md: every command in it is run, against an endpoint on the loopback, and every workflow is looked at."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

import recording
from chatconform.reference.endpoint import Endpoint

ROOT = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```$", (ROOT / "docs" / "ci.md").read_text(), re.MULTILINE | re.DOTALL)
ONCE, BASELINE, WAIVED, ADHOC, RECORDED = (text for language, text in BLOCKS if language == "sh")
PROVIDERS, *WORKFLOWS, GITLAB = (text for language, text in BLOCKS if language == "yaml")
KNOWN, NEW = "envelope.object.text", "message.role.system"
NARROW = "chatconform run --scenario stream --scenario short "
"""What a command of the page is narrowed to: two requests and a control instead of ninety."""


@pytest.fixture
def shell(environment, tmp_path) -> Callable[..., int]:
    """Run lines of the page in a folder, with an endpoint that has these faults; return the exit code."""

    def run(lines: str, *faults: str, waivers: bool = False) -> int:
        with Endpoint(faults=faults, key="sk-fake-0123456789abcdef", models=["my-model"]).running() as base_url:
            mine = PROVIDERS.replace("https://api.example.com/v1", base_url).replace("2027-03-31", "2099-12-31")
            mine += "    limits: {per_minute: 60000}\n"
            kept = mine if waivers else re.sub(r" +waivers:\n +- .*\n", "", mine)
            (tmp_path / "providers.yaml").write_text(kept)
            narrowed = lines.replace("chatconform run ", NARROW).replace(
                "--model my-model", "--model my-model --key-env MY_API_KEY"
            )
            path = f"{Path(sys.executable).parent}:{environment['PATH']}"
            secrets = {"MY_API_KEY": "sk-fake-0123456789abcdef", "BASE_URL": base_url}
            done = subprocess.run(["bash", "-ec", narrowed], cwd=tmp_path, capture_output=True,
                                  env={**environment, "PATH": path, **secrets})  # fmt: skip
        return done.returncode

    return run


def test_what_a_job_writes_can_be_written_again(shell, tmp_path):
    assert 0 == shell(ONCE, KNOWN)
    names = {"junit.xml", "results.sarif", "report.md", "badge.json", "results.json"}
    assert names <= {file.name for file in (tmp_path / "reports").iterdir()}


def test_with_a_baseline_day_one_is_green_and_the_first_new_deviation_is_red(shell, tmp_path):
    assert 0 == shell(BASELINE, KNOWN)
    (gate,) = yaml.safe_load(GITLAB)["conformance"]["script"]
    assert (0, 1) == (shell(gate, KNOWN), shell(gate, KNOWN, NEW))
    assert yaml.safe_load(GITLAB)["conformance"]["artifacts"]["reports"]["junit"] == "reports/junit.xml"
    assert 'message="FAIL: ' in (tmp_path / "reports" / "junit.xml").read_text()


def test_with_a_waiver_day_one_is_green_and_the_first_new_deviation_is_red(shell):
    assert (0, 1) == (shell(WAIVED, KNOWN, waivers=True), shell(WAIVED, KNOWN, NEW, waivers=True))


def test_a_waiver_of_what_others_need_leaves_a_run_inconclusive(shell):
    waived = WAIVED.replace("--live", "--live --providers other.yaml")
    other = "sed s/envelope.object.value/sse.done.present/ providers.yaml > other.yaml\n"
    assert 3 == shell(other + waived, "sse.done.missing", waivers=True)


def test_an_endpoint_that_is_in_no_file_has_the_baseline_that_the_workflow_names(shell, tmp_path):
    assert 0 == shell(ADHOC, KNOWN)
    (baseline,) = {step["with"]["baseline"] for step in steps() if "baseline" in step.get("with", {})}
    assert (tmp_path / baseline).is_file()


def test_recordings_are_judged_without_an_endpoint(shell, tmp_path):
    recording.write(tmp_path / "recordings", recording.answer(), recording.stream())
    assert 0 == shell(RECORDED)
    assert (tmp_path / "reports" / "recordings.xml").is_file()


def steps() -> list[dict[str, Any]]:
    jobs = [job for text in WORKFLOWS for job in yaml.safe_load(text)["jobs"].values()]
    return [step for job in jobs for step in job["steps"]]


def test_every_action_of_a_workflow_is_pinned_by_its_full_sha():
    used = [step["uses"] for step in steps() if "uses" in step]
    assert [] == [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)]


def test_the_job_of_gitlab_installs_what_is_pinned_by_hash_and_nothing_else():
    installs = [each for each in yaml.safe_load(GITLAB)["conformance"]["before_script"] if "pip install" in each]
    assert [True, True] == ["--require-hashes" in installs[0], "--no-deps --no-build-isolation" in installs[1]]


def test_a_workflow_names_inputs_that_there_are():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    given = [step["with"] for step in steps() if step.get("uses", "").startswith("example/chatconform@")]
    assert (2, set()) == (len(given), {name for inputs in given for name in inputs} - set(action["inputs"]))


def test_a_workflow_may_read_the_repository_and_no_more_but_where_it_says_why():
    texts = [line.strip() for text in WORKFLOWS for line in text.splitlines() if ": write" in line]
    assert ["security-events: write # for upload-sarif alone"] == texts
    assert all({"contents": "read"} == yaml.safe_load(text)["permissions"] for text in WORKFLOWS)
