"""The wheel: installed alone, it brings the schemas, the providers file and the recordings, and works in any folder."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1]


def run(folder: Path, *command: str | Path) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder, where nothing but what is installed can be imported."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "PIP_"))}
    return subprocess.run(command, cwd=folder, env=kept, capture_output=True, encoding="utf-8")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The built wheel."""
    folder = tmp_path_factory.mktemp("wheel")
    built = run(folder, sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, SOURCE)
    assert 0 == built.returncode, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The python of a fresh environment that has the wheel, and beside it what the wheel depends on."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site = Path(run(home, python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))").stdout.strip())
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "--python", python]
    done = run(home, *pip, "install", "--no-deps", "--no-index", "--quiet", wheel)
    assert 0 == done.returncode, done.stderr
    # A path that a .pth file adds comes after this site-packages, and the .pth files in it are not read.
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib"))
    return python


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory):
    """An empty folder."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.mark.parametrize("folder", ["schemas", "recordings"])
def test_the_wheel_holds_the_data_of_the_source_tree(folder, wheel):
    shipped = {"recordings": "recordings_shipped"}.get(folder, folder)
    files = {f"chatconform/{shipped}/{file.relative_to(SOURCE / folder).as_posix()}" for file in data(SOURCE / folder)}
    assert set() == files - set(zipfile.ZipFile(wheel).namelist())


def data(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]


def test_the_wheel_holds_the_package_and_nothing_else(wheel):
    tops = {
        name.partition("/")[0].removesuffix(".dist-info").partition("-")[0]
        for name in zipfile.ZipFile(wheel).namelist()
    }
    assert {"chatconform"} == tops


def test_the_package_comes_from_the_wheel(installed, elsewhere):
    done = run(elsewhere, installed, "-c", "import chatconform; print(chatconform.__file__)")
    assert (0, True) == (done.returncode, Path(done.stdout).is_relative_to(installed.parents[1]))


def test_data_comes_from_the_wheel(installed, elsewhere):
    program = "from chatconform import resources as r; print(*map(r.path, ('schemas', 'providers.yaml', 'recordings')))"
    paths = [Path(path) for path in run(elsewhere, installed, "-c", program).stdout.split()]
    assert [True] * 3 == [path.exists() and path.is_relative_to(installed.parents[1]) for path in paths]


def test_the_installed_command_judges_the_shipped_recordings(installed, elsewhere):
    done = run(elsewhere, installed.parent / "chatconform", "run", "--recorded", "--fail-on", "never")
    results = json.loads((elsewhere / "reports" / "results.json").read_text(encoding="utf-8"))
    assert (0, "") == (done.returncode, done.stderr)
    providers = {"tooken", "tkhub", "costrouter", "toapis", "xmsmartlink"}
    assert providers == {exchange["provider"] for exchange in results["exchanges"]}
    assert {True} == {exchange["file"].startswith("recordings/") for exchange in results["exchanges"]}


def test_what_a_report_says_to_judge_again_is_found_in_the_wheel(installed, elsewhere):
    again = ["judge", "recordings/tkhub/document/answer.json", "--provider", "tkhub", "--check", "message.role.value"]
    assert 1 == run(elsewhere, installed.parent / "chatconform", *again).returncode


@pytest.mark.parametrize("command", ["list checks", "list providers", "lint"])
def test_an_installed_command_works_in_an_empty_folder(command, installed, elsewhere):
    done = run(elsewhere, installed.parent / "chatconform", *command.split())
    assert (0, "", True) == (done.returncode, done.stderr, done.stdout != "")


def test_an_installed_suite_runs_live_against_an_installed_endpoint(installed, elsewhere):
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "COV", "PIP_"))}
    keyed = {**kept, "FAKE_KEY": "sk-fake-0123456789abcdef"}
    serve = [installed, "-m", "chatconform", "serve", "--as", "tooken"]
    with subprocess.Popen(serve, cwd=elsewhere, env=kept, stdout=subprocess.PIPE, text=True) as server:
        at = ("--base-url", server.stdout.readline().strip(), "--model", "auto", "--key-env", "FAKE_KEY")
        live = [installed, "-m", "chatconform", "run", *at, "--contract", "tooken"]
        done = subprocess.run(live, cwd=elsewhere, env=keyed, capture_output=True, text=True)
        server.terminate()
    assert 0 == done.returncode, done.stdout + done.stderr
