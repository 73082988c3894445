"""action.yml: what it declares, and its shell run by bash as a runner would, against an endpoint on the loopback."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

import recording
from chatconform.reference.endpoint import Endpoint

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text())
INSTALL, RUN = ACTION["runs"]["steps"]
KEY = "sk-fake-0123456789abcdef"
EXPRESSION = re.compile(r"\$\{\{ inputs\.([a-z-]+) \}\}")


class Ended(NamedTuple):
    """How the step ended: its exit code, its outputs, the summary of the job, and what it printed."""

    code: int
    outputs: dict[str, str]
    summary: str
    printed: str


def outputs(text: str) -> dict[str, str]:
    """What a runner reads from GITHUB_OUTPUT; a line that it would refuse raises ValueError."""
    found: dict[str, str] = {}
    lines = iter(text.splitlines())
    for line in lines:
        name, separator, delimiter = line.partition("<<")
        if not separator:
            raise ValueError(line)
        value: list[str] = []
        while (each := next(lines)) != delimiter:
            value.append(each)
        found[name] = "\n".join(value)
    return found


def ran(folder: Path, environment: Mapping[str, str], inputs: Mapping[str, str], **secrets: str) -> Ended:
    """Run the step of a folder, as the workspace, with these inputs and the defaults of the others."""
    runner = folder.parent / f"{folder.name}-runner"
    runner.mkdir(exist_ok=True)
    if not (runner / "chatconform").exists():
        (runner / "chatconform").symlink_to(sys.prefix)
    given = {name: str(inputs.get(name, declared["default"])) for name, declared in ACTION["inputs"].items()}
    variables = {name: EXPRESSION.sub(lambda match: given[match[1]], value) for name, value in RUN["env"].items()}
    (runner / "step.sh").write_text(RUN["run"])
    for name in ("output", "summary"):
        (runner / name).write_text("")
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(runner / "step.sh")],
        cwd=folder,
        env={
            **environment,
            **variables,
            **secrets,
            "GITHUB_OUTPUT": str(runner / "output"),
            "GITHUB_STEP_SUMMARY": str(runner / "summary"),
            "GITHUB_ACTION_PATH": str(ROOT),
            "RUNNER_TEMP": str(runner),
        },
        capture_output=True,
        text=True,
    )
    printed = done.stdout + done.stderr
    return Ended(done.returncode, outputs((runner / "output").read_text()), (runner / "summary").read_text(), printed)


@pytest.fixture(scope="module")
def good():
    with Endpoint(key=KEY).running() as base_url:
        yield {"base-url": base_url, "model": "reference-1", "key-env": "MY_API_KEY", "scenarios": "short\n stream"}


@pytest.fixture
def workspace(tmp_path):
    (tmp_path / "workspace").mkdir()
    return tmp_path / "workspace"


# What it declares


def test_inputs_reach_the_shell_through_the_environment_alone():
    texts = [step["run"] for step in ACTION["runs"]["steps"]]
    assert [] == [text for text in texts if "${{" in text]
    assert set(ACTION["inputs"]) == {EXPRESSION.fullmatch(value)[1] for value in RUN["env"].values()}


def test_every_input_has_a_description_and_a_default_and_every_output_a_step():
    assert all({"description", "default"} == set(each) for each in ACTION["inputs"].values())
    named = {name: f"${{{{ steps.run.outputs.{name} }}}}" for name in ACTION["outputs"]}
    assert named == {name: each["value"] for name, each in ACTION["outputs"].items()}


def test_it_uses_no_other_action_and_imports_nothing_of_the_workspace():
    assert all("uses" not in step and step["shell"] == "bash" for step in ACTION["runs"]["steps"])
    pythons = [
        line for step in (INSTALL, RUN) for line in step["run"].splitlines() if re.search(r"python3? ?\"? -", line)
    ]
    assert pythons
    assert [] == [line for line in pythons if " -I " not in line]


def test_what_it_installs_is_pinned_by_hash():
    assert '--require-hashes --requirement "$GITHUB_ACTION_PATH/requirements.txt"' in INSTALL["run"]
    assert (ROOT / "requirements.txt").is_file()


# What it does


@pytest.fixture(scope="module")
def conforming(good, environment, tmp_path_factory):
    """How the step ends for an endpoint that does everything well, with every form; and the workspace."""
    folder = tmp_path_factory.mktemp("conforming") / "workspace"
    folder.mkdir()
    forms = {"junit": "ci/junit.xml", "sarif": "ci/r.sarif", "badge": "ci/badges"}
    return ran(folder, environment, {**good, **forms}, MY_API_KEY=KEY), folder


def test_an_endpoint_that_conforms_ends_with_0_and_every_output(conforming):
    ended, folder = conforming
    assert (0, "# adhoc conforms: 72 musts are verified.") == (ended.code, ended.summary.splitlines()[0])
    assert ended.outputs == {
        "conclusion": "conforms",
        "exit-code": "0",
        "report": "reports/index.html",
        "results": "reports/results.json",
    }
    paths = ("reports/index.html", "ci/junit.xml", "ci/r.sarif", "ci/badges/adhoc.json")
    assert all((folder / path).is_file() for path in paths)


def annotations(ended: Ended) -> list[str]:
    """Return what the step shows as errors, outside of the report."""
    return re.findall(r"^::error title=chatconform::(.*)$", ended.printed, re.MULTILINE)


def test_what_conforms_is_no_error(conforming):
    assert [] == annotations(conforming[0])


def test_commands_are_off_while_the_report_is_printed(conforming):
    printed = conforming[0].printed
    token = re.search(r"^::stop-commands::([0-9a-f]{32})$", printed, re.MULTILINE)[1]
    assert printed.index(token) < printed.index("adhoc: live") < printed.index(f"\n::{token}::\n")


def test_an_endpoint_that_deviates_ends_with_1_and_says_so(good, workspace, environment):
    with Endpoint(faults=["choices.index.missing"], key=KEY).running() as base_url:
        ended = ran(workspace, environment, {**good, "base-url": base_url, "summary": "false"}, MY_API_KEY=KEY)
    assert ["deviates (exit code 1): what fails at the level of fail-on is in the report"] == annotations(ended)
    assert (1, "1", "deviates", "") == (
        ended.code,
        ended.outputs["exit-code"],
        ended.outputs["conclusion"],
        ended.summary,
    )


def test_a_missing_key_is_inconclusive_and_nothing_replaces_it(good, workspace, environment):
    ended = ran(workspace, environment, good)
    assert ["inconclusive (exit code 3): what could not be proven, and why, is in the report"] == annotations(ended)
    assert (3, "inconclusive") == (ended.code, ended.outputs["conclusion"])


def test_what_is_wrong_ends_with_2_and_old_results_are_not_taken_for_new(workspace, environment):
    (workspace / "reports").mkdir()
    (workspace / "reports" / "results.json").write_text("{}")
    ended = ran(workspace, environment, {"fail-on": "regression"})
    assert (2, {"conclusion": "", "exit-code": "2", "report": "", "results": ""}) == (ended.code, ended.outputs)
    (said,) = annotations(ended)
    assert "cannot be used (exit code 2): the log of this step names the place, and what to do about it" == said
    assert f"# chatconform judged nothing\n\nThe configuration {said}.\n" == ended.summary


def test_output_that_ends_without_a_line_end_does_not_keep_commands_off(workspace, environment):
    binaries = workspace.parent / "workspace-runner" / "chatconform" / "bin"
    binaries.mkdir(parents=True)
    (binaries / "python").symlink_to(sys.executable)
    (binaries / "chatconform").write_text("#!/bin/sh\nprintf 'cut off'\nexit 130\n")
    (binaries / "chatconform").chmod(0o755)
    ended = ran(workspace, environment, {})
    assert re.search(r"cut off\n::[0-9a-f]{32}::\n", ended.printed)
    assert (130, ["ended early (exit code 130)"]) == (ended.code, annotations(ended))


@pytest.mark.parametrize("name", ["recorded", "summary"])
def test_a_switch_that_is_neither_true_nor_false_ends_with_2(name, workspace, environment):
    assert (2, {}) == ran(workspace, environment, {name: "yes"})[:2]


HOSTILE = (
    "$(touch pwned) `touch pwned` ; touch pwned # ' \" && touch pwned | touch pwned > pwned \\ * ~ ${IFS}\n"
    "::error::x\nconclusion=conforms\nEOF\n--json --fail-on=never"
)


PATHS = ("out", "junit", "sarif", "badge")
TEXTS = [name for name in ACTION["inputs"] if name not in (*PATHS, "recorded", "summary")]


def is_untouched(folder: Path) -> bool:
    return not any(path.name == "pwned" for path in folder.rglob("*"))


@pytest.mark.parametrize("names", [TEXTS, ["providers"], ["checks"], ["recorded"]], ids=" ".join)
def test_no_input_becomes_a_command_or_an_option(names, workspace, environment):
    ended = ran(workspace, environment, {"recorded": "true", **dict.fromkeys(names, HOSTILE)})
    assert (2, True) == (ended.code, is_untouched(workspace.parent))
    assert ended.outputs in ({}, {"conclusion": "", "exit-code": "2", "report": "", "results": ""})
    said = (
        r" title=chatconform::cannot be used \(exit code 2\): [a-z ,]+|::the input recorded is neither true nor false"
    )
    ours = rf"(?:stop-commands::[0-9a-f]{{32}}|error(?:{said}))$"
    assert [] == re.findall(rf"^\s*::(?!{ours})[^\s:]+(?: .*)?::.", ended.printed, re.MULTILINE)


def test_a_file_of_any_name_is_a_file(workspace, environment):
    recording.providers(workspace / "providers.yaml")
    recording.write(workspace / "recordings" / "acme", recording.answer())
    named = {name: f"{name} " + HOSTILE.replace("/", "")[:180] for name in PATHS}
    ended = ran(workspace, environment, {"recorded": "true", **named})
    assert f"{named['out']}/results.json" == ended.outputs["results"]
    assert all((workspace / path).exists() for path in named.values())
    assert is_untouched(workspace.parent)


def test_recordings_are_judged_where_that_is_asked_for_and_nothing_of_the_workspace_is_imported(workspace, environment):
    recording.providers(workspace / "providers.yaml", "acme", "other")
    recording.write(workspace / "recordings" / "acme", recording.answer(object="text_completion"))
    for module in ("secrets", "chatconform", "pathlib", "click"):
        (workspace / f"{module}.py").write_text("open('pwned', 'w')")
    kept = {name: value for name, value in environment.items() if name != "PYTHONPATH"}
    inputs = {"recorded": "true", "providers": "acme", "checks": "envelope.*\nchoices.*"}
    ended = ran(workspace, kept, inputs)
    assert (1, "deviates", True) == (ended.code, ended.outputs["conclusion"], is_untouched(workspace))
