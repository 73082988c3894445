"""The two faces as child processes: `chatconform` and `pytest`, in a clean environment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pytest
from coverage import Coverage
from hypothesis import settings

import chatconform as package
from pages import Shell
from servers import llama_cpp, wheels

settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

Face: TypeAlias = Callable[..., "subprocess.CompletedProcess[str]"]
Commands: TypeAlias = Callable[..., "Sequence[subprocess.CompletedProcess[str]]"]

_ONE_BY_ONE = """
import contextlib, io, json, os, sys
from chatconform.cli import main

said = []
for folder, arguments, variables in json.load(sys.stdin):
    os.chdir(folder)
    before = dict(os.environ)
    os.environ.update(variables)
    sys.argv, out, err, code = ["chatconform", *arguments], io.StringIO(), io.StringIO(), None
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            main()
        except SystemExit as end:
            code = end.code
    os.environ.clear()
    os.environ.update(before)
    said.append((code, out.getvalue(), err.getvalue()))
json.dump(said, sys.stdout)
"""

SOURCE = str(Path(package.__file__).parents[1])
_SET_BY_OTHERS = (
    "NO_COLOR",
    "FORCE_COLOR",
    "PYTEST_",
    "COV",
    "CHATCONFORM_",
    "PY_COLORS",
    "GITHUB_",
    "CI",
)


def pytest_configure() -> None:
    """Let SIGINT interrupt: a job that a shell began in the background ignores it, and its children would, too."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def environment() -> Mapping[str, str]:
    """The environment without what changes output, 200 columns wide, and with the package that is under test.

    Coverage is not measured in it, for a process takes three times as long under it, and more memory.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SET_BY_OTHERS)}
    return {**kept, "PYTHONPATH": SOURCE, "COLUMNS": "200", "PYTHONUTF8": "1", "TERM": "xterm"}


@pytest.fixture(scope="module", autouse=True)
def _coverage(request: pytest.FixtureRequest) -> Iterator[None]:
    """Stop measuring coverage for the time of a module that is marked as uncovered, its fixtures included."""
    measured = Coverage.current() if request.node.get_closest_marker("uncovered") else None
    if measured:
        measured.stop()
    yield
    if measured:
        measured.start()


@pytest.fixture(scope="session")
def chatconform(environment: Mapping[str, str]) -> Face:
    """Run `python -m chatconform ARGUMENTS` in a folder. Nothing that it prints may hold a traceback."""
    return _face((sys.executable, "-m", "chatconform"), environment)


@pytest.fixture(scope="session")
def commands(environment: Mapping[str, str]) -> Commands:
    """Run command lines of chatconform, each in a folder of its own with variables of its own, in one interpreter.

    What the interpreter says besides, as its logs, is added to the last one's standard error.
    """

    def run(rows: Sequence[tuple[Path, Sequence[str], Mapping[str, str]]], **variables: str) -> Sequence[object]:
        asked = json.dumps([(str(folder), arguments, own) for folder, arguments, own in rows])
        done = subprocess.run(
            [sys.executable, "-c", _ONE_BY_ONE], input=asked, env={**environment, **variables}, capture_output=True,
            text=True,
        )  # fmt: skip
        said = json.loads(done.stdout)
        said[-1][2] += done.stderr
        assert not any("Traceback (most recent call last)" in text for _, *texts in said for text in texts)
        return [
            subprocess.CompletedProcess(arguments, *each) for (_, arguments, _), each in zip(rows, said, strict=True)
        ]

    return run


@pytest.fixture(scope="session")
def run_pytest(environment: Mapping[str, str]) -> Face:
    """Run `python -m pytest ARGUMENTS` in a folder. Nothing that it prints may hold a traceback."""
    without = ("-p", "no:cacheprovider", "-p", "no:hypothesispytest")  # the second takes half a second to start
    return _face((sys.executable, "-m", "pytest", *without), environment)


@pytest.fixture(scope="session")
def llama_cpp_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of llama.cpp's own server, which serves a model that is a script as long as the tests run."""
    wheels.need("xllamacpp")
    with llama_cpp.serving(tmp_path_factory.mktemp("llama.cpp")) as url:
        yield url


@pytest.fixture
def shell(environment: Mapping[str, str], tmp_path: Path) -> Shell:
    """A shell in an empty folder, in which `chatconform` and `python` are these ones."""
    programs, folder = tmp_path / "bin", tmp_path / "work"
    for name, module in (("chatconform", "-m chatconform"), ("python", "")):
        programs.mkdir(exist_ok=True)
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {module} "$@"\n')
        (programs / name).chmod(0o755)
    folder.mkdir()
    return Shell(folder, {**environment, "PATH": f"{programs}{os.pathsep}{environment['PATH']}"})


_COVERED = (
    "tests/test_bulk.py::test_the_command_prints", "tests/test_bulk.py::test_the_report_says", "tests/test_cli.py",
    "tests/test_live.py", "tests/test_new_provider.py", "tests/test_plugin.py", "tests/test_report_command.py",
)  # fmt: skip
"""The tests whose children measure coverage; what those of others run, these run as well."""
_RUN: set[tuple[str, ...]] = set()
"""The command lines that were measured, without what their arguments say."""


def _measured(arguments: Sequence[str]) -> Mapping[str, str]:
    """Return what lets a child measure coverage, where it is measured here and the test of the moment is one for it.

    Of command lines that differ in their values alone the first is measured: each takes three times as long.
    """
    test = os.environ.get("PYTEST_CURRENT_TEST", "")
    options = sorted({word.partition("=")[0] for word in arguments if word.startswith("-")})
    line = (*arguments[:1], *options)
    if not test.startswith(_COVERED) or line in _RUN:
        return {}
    _RUN.add(line)
    return {name: value for name, value in os.environ.items() if name.startswith("COV")}


def _face(command: tuple[str, ...], environment: Mapping[str, str]) -> Face:
    def run(folder: Path, *arguments: str, stdin: bytes = b"", **variables: str) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            [*command, *arguments],
            cwd=folder,
            input=stdin,
            env={**environment, **_measured(arguments), **variables},
            capture_output=True,
        )
        said, problems = done.stdout.decode(), done.stderr.decode()
        assert "Traceback (most recent call last)" not in said + problems
        return subprocess.CompletedProcess(done.args, done.returncode, said, problems)

    return run
