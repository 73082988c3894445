"""A key is in nothing that any command prints or writes: whatever is asked, goes wrong, crashes, or is mistyped."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote

import pytest

from chatconform.reference.endpoint import Endpoint
from test_secrets import KEY, shows_key

ECHOING = ("echo.text", "echo.header", "echo.model")
VERBOSE = {"PYTHONFAULTHANDLER": "1", "PYTHONDEVMODE": "1", "PYTHONASYNCIODEBUG": "1", "HTTPX_LOG_LEVEL": "trace"}
LOUD = """
import logging

logging.basicConfig(level=logging.DEBUG)
for name in ("httpx", "httpcore", "httpcore.http11", "httpcore.connection", "asyncio"):
    logging.getLogger(name).setLevel(1)
"""
"""Logs everything that any library says; Python runs it as it starts."""
PROVIDERS = """
providers:
  mine:
    base_url: "{base_url}"
    model: reference-1
    key_env: KEY
    default: true
    headers: {{X-Team: "${{KEY}}"}}
    limits: {{per_minute: 60000, concurrency: 8, total_s: 20}}
"""


@pytest.fixture(scope="module")
def echoing():
    with Endpoint(faults=ECHOING, key=KEY).running() as base_url:
        yield base_url


@pytest.fixture
def loud(tmp_path_factory, environment):
    """Variables that make everything say all it can."""
    folder = tmp_path_factory.mktemp("loud")
    (folder / "sitecustomize.py").write_text(LOUD)
    return {**VERBOSE, "PYTHONPATH": f"{folder}{os.pathsep}{environment['PYTHONPATH']}", "KEY": KEY}


def showing(folder: Path, *said: str) -> list[str]:
    """Return what the key can be had from, in any form: the names of files, and what was said."""
    files = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    shown = [name for name in files if shows_key(f"{name}\n".encode() + (folder / name).read_bytes())]
    return shown + [text for text in said if shows_key(text.encode())]


def test_the_search_finds_a_key_that_is_there(tmp_path):
    forms = (KEY, quote(KEY, safe=""), KEY.encode().hex(), base64.b64encode(f"x{KEY}".encode()).decode())
    for number, form in enumerate(forms):
        (tmp_path / str(number)).write_text(f"before {form} after")
    assert {"0", "1", "2", "3"} == set(showing(tmp_path))


SOME = ("--scenario", "basic", "--scenario", "stream", "--scenario", "error.*")
COMMANDS = {
    "run": ("run", *SOME),
    "run, as JSON": ("run", "--json", *SOME),
    "run, gone on with": ("run", "--resume", *SOME),
    "run, recorded": ("run", "--recorded"),
    "record": ("record", "--to", "kept", *SOME),
    "plan": ("plan",),
    "plan, as JSON": ("plan", "--json"),
    "doctor": ("doctor",),
    "judge": ("judge", "reports/recordings", "--json"),
    "list": ("list", "providers", "--json"),
    "a check that is none": ("run", "--check", "nothing"),
    "a folder that is none": ("run", "--out", "providers.yaml", *SOME),
    "certificates that are none": ("run", "--out", "other", *SOME),
}


def test_every_command_keeps_the_key_to_itself_however_much_is_logged(echoing, loud, commands, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=echoing))
    certificates = {"certificates that are none": {"SSL_CERT_FILE": "/nowhere.pem"}}
    rows = [(tmp_path, command, certificates.get(name, {})) for name, command in COMMANDS.items()]
    said = {name: done.stdout + done.stderr for name, done in zip(COMMANDS, commands(rows, **loud), strict=True)}
    assert [] == [name for name, text in said.items() if shows_key(text.encode())]
    assert "DEBUG:asyncio:" in said["certificates that are none"]
    assert [] == showing(tmp_path)


def test_import_keeps_the_key_to_itself(loud, chatconform, tmp_path):
    (tmp_path / "printed").write_bytes(b"HTTP/1.1 200 OK\r\nX: " + KEY.encode() + b"\r\n\r\n{}")
    (tmp_path / "asked.json").write_text("{}")
    command = ("import", "printed", "--request", "asked.json", "--to", "kept", "--key-env", "KEY")
    done = chatconform(tmp_path, *command, **loud)
    (tmp_path / "printed").unlink()
    assert (0, []) == (done.returncode, showing(tmp_path, done.stdout, done.stderr))


def test_import_refuses_a_key_that_is_not_set_for_it_could_overwrite_nothing(chatconform, tmp_path):
    done = chatconform(tmp_path, "import", "printed", "--request", "r", "--to", "kept", "--key-env", "NOT_SET")
    assert 2 == done.returncode
    assert "--key-env NOT_SET: the variable is not set" in done.stderr


AT = ("--base-url", "http://127.0.0.1:1/v1")
MISTYPED = {
    "as the name of its variable": ("run", *AT, "--model", "m", "--key-env", KEY),
    "as the name of its variable, planning": ("plan", *AT, "--model", "m", "--key-env", KEY),
    "as the name of serve's variable": ("serve", "--key-env", KEY),
    "as the name of import's variable": ("import", "x", "--request", "x", "--to", "x", "--key-env", KEY),
    "as the name of init's variable": ("init", "--id", "a", *AT, "--model", "m", "--key-env", KEY),
    "as the model": ("run", *AT, "--model", KEY, "--key-env", "KEY"),
    "as the model, planning": ("plan", *AT, "--model", KEY, "--key-env", "KEY", "--json"),
    "as init's model": ("init", "--id", "a", *AT, "--model", KEY),
    "as init's id": ("init", "--id", KEY, *AT, "--model", "m"),
    "as a user": ("run", "--base-url", f"http://{KEY}@127.0.0.1:1/v1", "--model", "m"),
    "as a quoted password": ("plan", "--base-url", f"http://u:{quote(KEY, safe='')}@127.0.0.1:1/v1", "--model", "m"),
    "in the path": ("plan", "--base-url", f"http://127.0.0.1:1/{KEY}/v1", "--model", "m", "--key-env", "KEY"),
    "in the path, quoted": (
        "run", "--base-url", f"http://127.0.0.1:1/{quote(KEY, safe='')}/v1", "--model", "m", "--key-env", "KEY",
    ),
    "in the query": ("run", "--base-url", f"http://127.0.0.1:1/v1?key={KEY}", "--model", "m"),
    "as a provider": ("run", KEY),
    "as doctor's provider": ("doctor", KEY),
    "as a contract": ("run", *AT, "--model", "m", "--contract", KEY),
    "as a scenario": ("run", *AT, "--model", "m", "--scenario", KEY),
    "as a check": ("run", *AT, "--model", "m", "--check", KEY),
    "as a number": ("run", *AT, "--model", "m", "--samples", KEY),
    "as a fault": ("serve", "--fault", KEY),
    "as a check to explain": ("explain", KEY),
    "as a command": (KEY,),
    "as an option": (f"--{KEY}",),
    "as a choice": ("list", KEY),
    "as a path": ("judge", "--contract", KEY, "x"),
    "as a baseline": ("run", *AT, "--model", "m", "--baseline", KEY),
    "as results": ("diff", KEY, KEY),
}  # fmt: skip


@pytest.fixture(scope="module")
def mistyped(commands, tmp_path_factory):
    """What came of each mistyped command line, and its folder."""
    folders = {where: tmp_path_factory.mktemp("mistyped") for where in MISTYPED}
    rows = [(folders[where], line, {"KEY": KEY} if "KEY" in line else {}) for where, line in MISTYPED.items()]
    return {where: (done, folders[where]) for where, done in zip(MISTYPED, commands(rows), strict=True)}


@pytest.mark.parametrize("where", MISTYPED)
def test_a_key_that_is_put_where_something_else_belongs_is_not_repeated(where, mistyped):
    done, folder = mistyped[where]
    assert (2, []) == (done.returncode, showing(folder, done.stdout, done.stderr))


ONE_LINE = """
providers:
  mine: {base_url: "http://127.0.0.1:1/v1", model: m, key_env: KEY, headers: {X-Team: tests}, limits: {}, default: true}
"""
IN_A_FILE = {
    "a header": ("headers: {X-Team: tests}", f'headers: {{X-Team: "{KEY}"}}'),
    "a credential": ("headers: {X-Team: tests}", f'headers: {{Authorization: "Bearer {KEY}"}}'),
    "the variable": ("key_env: KEY", f'key_env: "{KEY}"'),
    "the user": ("http://127", f"http://{KEY}@127"),
    "the model": ("model: m", f'model: "{KEY}"'),
    "the path": ("/v1", f"/{KEY}/v1"),
    "the id": ("  mine:", f'  "{KEY}":'),
    "an unknown member": ("model: m", f'model: m, "{KEY}": 1'),
    "a limit": ("limits: {}", f'limits: {{requests: "{KEY}"}}'),
    "what is no YAML": ("limits: {}", f"limits: {KEY}: ["),
}


READING = (("doctor",), ("list", "providers"))


@pytest.fixture(scope="module")
def read_from_a_file(commands, tmp_path_factory):
    """What came of reading each file, by each command, and its folder."""
    cases = [(where, command) for where in IN_A_FILE for command in READING]
    rows = []
    for where, command in cases:
        folder = tmp_path_factory.mktemp("file")
        (folder / "providers.yaml").write_text(ONE_LINE.replace(*IN_A_FILE[where]))
        rows.append((folder, command, {"KEY": KEY}))
    done = commands(rows)
    for folder, *_ in rows:
        (folder / "providers.yaml").unlink()
    return {case: (each, folder) for case, each, (folder, *_) in zip(cases, done, rows, strict=True)}


@pytest.mark.parametrize("command", READING)
@pytest.mark.parametrize("where", IN_A_FILE)
def test_a_key_in_the_providers_file_is_not_repeated(where, command, read_from_a_file):
    done, folder = read_from_a_file[where, command]
    assert [] == showing(folder, done.stdout, done.stderr)


CRASHES = """
from chatconform import judging, summaries
from chatconform.capture.capture import _Asking
from chatconform.cli import main
from chatconform.recordings import redact
from chatconform.report import markdown
from chatconform.wire import transcript

def fail(*given):
    raise RuntimeError(*map(repr, given))

for at, name in (
    (transcript, "read"), (summaries, "_summary"), (judging, "judge"), (markdown, "provider"), (redact, "_merged"),
    (_Asking, "_message"),
):
    before = getattr(at, name)
    setattr(at, name, fail)
    try:
        main()
    except SystemExit as end:
        print(name, end.code, flush=True)
    setattr(at, name, before)
"""
"""Live runs in each of which there is a bug somewhere else."""


def test_a_bug_in_a_live_run_shows_no_key(echoing, environment, loud, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=echoing))
    done = subprocess.run(
        [sys.executable, "-X", "dev", "-c", CRASHES, "run", *SOME],
        cwd=tmp_path, env={**environment, **loud}, capture_output=True, text=True,
    )  # fmt: skip
    assert (6, []) == (done.stdout.count(" 4\n"), showing(tmp_path, done.stdout, done.stderr))
    assert 6 == done.stderr.count("a bug in chatconform")


ABORTED = """
import os, sys
from chatconform.cli import main

def tick(event, _):
    if event == "os.rename":
        os.abort()

sys.addaudithook(tick)
main()
"""


def test_the_frames_that_a_crash_of_the_interpreter_prints_show_no_key(echoing, environment, loud, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=echoing))
    done = subprocess.run(
        [sys.executable, "-c", ABORTED, "run", *SOME],
        cwd=tmp_path, env={**environment, **loud}, capture_output=True, text=True,
    )  # fmt: skip
    assert -signal.SIGABRT == done.returncode
    assert "Fatal Python error" in done.stderr
    assert [] == showing(tmp_path, done.stdout, done.stderr)


FORCED = """
import os
from pathlib import Path
import pytest
from chatconform import doctor, live, providers
from chatconform.capture import transport

CHOSEN = providers.load(Path("providers.yaml"))

class Watch:
    def __init__(self, fails):
        self.fails = fails

    def __getattr__(self, name):
        assert name != self.fails
        return lambda *_: None

@pytest.mark.parametrize("fails", ["started", "finished", "done", "not at all"])
def test_live(tmp_path, fails):
    plans = [live.Wanted(("basic", "stream"), boundaries=False).plan(each) for each in CHOSEN]
    with live.jobs(plans, tmp_path, "one") as jobs:
        live.ask(jobs, Watch(fails))
        judged = [live.subject(each) for each in jobs]
        assert not judged

def test_doctor(monkeypatch):
    monkeypatch.setattr(transport.Transport, "exchange", lambda *_: 1 / 0)
    doctor.look(CHOSEN, os.environ)
"""


def test_tracebacks_of_pytest_with_all_locals_show_no_key(echoing, environment, loud, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=echoing))
    (tmp_path / "test_forced.py").write_text(FORCED)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "test_forced.py", "--showlocals", "-vv",
         "--log-level=1", "--basetemp=kept", "--junitxml=junit.xml", "-o", "junit_logging=all"],
        cwd=tmp_path, env={**environment, **loud}, capture_output=True, text=True,
    )  # fmt: skip
    assert 1 == done.returncode
    assert "5 failed" in done.stdout
    assert "environ    = " in done.stdout
    assert [] == showing(tmp_path, done.stdout, done.stderr)


def test_the_pytest_face_shows_no_key_with_all_locals(echoing, loud, chatconform, run_pytest, tmp_path):
    (tmp_path / "providers.yaml").write_text(PROVIDERS.format(base_url=echoing))
    chatconform(tmp_path, "record", "--to", "recordings", *SOME, **loud)
    arguments = ("providers.yaml", "--showlocals", "-vv", "--junitxml=junit.xml", "-o", "junit_logging=all")
    done = run_pytest(tmp_path, *arguments, **loud)
    assert [] == showing(tmp_path, done.stdout, done.stderr)
    assert (tmp_path / "junit.xml").stat().st_size > 10_000
