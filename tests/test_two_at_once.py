"""Two at once: what would write to one folder is refused or kept apart, and never mixed."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from chatconform import live
from chatconform.model import InputError, Provider
from chatconform.providers import DEFAULT_LIMITS
from chatconform.recordings import disk
from chatconform.reference.endpoint import Endpoint
from chatconform.scenarios.plan import plan

KEY = "sk-fake-0123456789abcdef"
HOLDER = """
import sys
from pathlib import Path
from chatconform.recordings import disk

with disk.held(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""
"""Holds a folder until its standard input ends."""


@pytest.fixture(scope="module")
def good():
    with Endpoint(key=KEY).running() as base_url:
        yield base_url


@contextmanager
def holding(folder: Path, environment):
    """Let another process hold a folder."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(folder)], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert b"held\n" == child.stdout.readline()
        yield child
        child.stdin.close()


def asked(command: str, base_url: str, *options: str) -> tuple[str, ...]:
    at = ("--base-url", base_url, "--model", "reference-1", "--key-env", "KEY")
    return (command, *at, "--scenario", "basic", *options)


def refused(done) -> tuple[int, str]:
    """Return the exit code and the whole of what was said but for its first words, the folder."""
    return done.returncode, done.stderr.partition(": ")[2]


BUSY = (2, "another run is writing to this folder\n  Wait until that one has ended, or choose another folder.\n")


def test_two_runs_into_one_folder_are_refused(good, environment, chatconform, tmp_path):
    with holding(tmp_path / "reports", environment):
        assert BUSY == refused(chatconform(tmp_path, *asked("run", good), KEY=KEY))
    assert [] == list(tmp_path.iterdir())


def test_a_judging_into_the_folder_of_a_run_is_refused(good, environment, chatconform, tmp_path):
    chatconform(tmp_path, *asked("record", good, "--to", "kept"), KEY=KEY)
    with holding(tmp_path / "reports", environment):
        assert BUSY == refused(chatconform(tmp_path, "judge", "kept", "--out", "reports"))


def test_the_pytest_face_says_that_another_run_is_writing(environment, run_pytest, tmp_path):
    (tmp_path / "providers.yaml").write_text("providers: {tooken: {base_url: https://example.com/v1, model: auto}}\n")
    with holding(tmp_path / "reports", environment):
        done = run_pytest(tmp_path, "providers.yaml", "-q")
    assert 4 == done.returncode
    assert "another run is writing to this folder" in done.stdout


@pytest.mark.parametrize("command", ["run", "record"])
def test_going_on_with_a_recording_that_is_being_written_is_refused(command, good, environment, chatconform, tmp_path):
    home, into = ("reports/recordings", ()) if command == "run" else ("kept", ("--to", "kept"))
    chatconform(tmp_path, *asked(command, good, *into), KEY=KEY)
    (recording,) = (tmp_path / home / "adhoc").iterdir()
    before = {path.name: path.read_bytes() for path in recording.iterdir()}
    with holding(recording, environment):
        done = chatconform(tmp_path, *asked(command, good, "--resume", *into), KEY=KEY)
    assert BUSY == refused(done)
    assert before == {path.name: path.read_bytes() for path in recording.iterdir()}


def test_two_records_at_once_are_kept_apart(good, environment, tmp_path):
    command = [sys.executable, "-m", "chatconform", *asked("record", good, "--to", "kept")]
    children = [
        subprocess.Popen(command, cwd=tmp_path, env={**environment, "KEY": KEY}, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    said = [child.communicate()[0] for child in children]
    folders = {folder.relative_to(tmp_path) for folder in tmp_path.glob("kept/adhoc/*")}
    assert {f"adhoc: 1 of 1 exchanges answered, in {folder}\n" for folder in folders} == set(said)
    assert 3 == len(folders)
    assert {("basic.json",)} == {tuple(path.name for path in (tmp_path / folder).iterdir()) for folder in folders}


def test_two_runs_of_one_second_have_recordings_of_their_own(tmp_path):
    name = live.name_of(datetime(2026, 11, 20, 12, 0, 0, tzinfo=UTC))
    with disk.begun(tmp_path, name) as first, disk.begun(tmp_path, name) as second:
        assert ("2026-11-20T120000Z", "2026-11-20T120000Z-2") == (first.name, second.name)


def test_the_lock_of_a_process_that_was_killed_blocks_nobody(environment, tmp_path):
    with holding(tmp_path, environment) as child:
        child.send_signal(signal.SIGKILL)
        child.wait()
        assert [tmp_path / ".lock"] == list(tmp_path.iterdir())
        with disk.held(tmp_path):
            pass
    assert [] == list(tmp_path.iterdir())


def test_what_a_killed_process_left_half_written_is_cleared(tmp_path):
    (tmp_path / ".basic.json.0badcafe.part").write_bytes(b"{")
    (tmp_path / ".gitkeep").write_bytes(b"")
    with disk.held(tmp_path):
        assert [".gitkeep", ".lock"] == sorted(path.name for path in tmp_path.iterdir())


def test_a_lock_that_is_a_link_is_not_followed(tmp_path):
    (tmp_path / ".lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InputError), disk.held(tmp_path):
        raise AssertionError
    assert not (tmp_path / "elsewhere").exists()


def test_a_recording_to_which_nothing_was_written_is_gone(tmp_path):
    with disk.begun(tmp_path / "acme", "one"):
        pass
    assert [] == list((tmp_path / "acme").iterdir())


def test_one_provider_that_cannot_be_resumed_leaves_the_others_free(monkeypatch, tmp_path):
    monkeypatch.setenv("KEY", KEY)
    (tmp_path / "one" / "earlier").mkdir(parents=True)
    ends = [Provider(name, "http://127.0.0.1:1/v1", "m", "KEY", limits=DEFAULT_LIMITS) for name in ("one", "two")]
    plans = [plan(each, scenarios=["basic"], boundaries=False) for each in ends]
    with pytest.raises(InputError), live.jobs(plans, tmp_path, None):
        raise AssertionError
    assert [] == list((tmp_path / "one" / "earlier").iterdir())


def test_the_reports_of_two_judgings_at_once_are_those_of_one(good, environment, chatconform, tmp_path):
    chatconform(tmp_path, *asked("record", good, "--to", "kept"), KEY=KEY)
    command = [sys.executable, "-m", "chatconform", "judge", "kept", "--out", "out", "--fail-on", "never", "--provider"]
    children = [
        subprocess.Popen([*command, name], cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL)
        for name in ("first", "second")
    ]
    codes = {name: child.wait() for name, child in zip(("first", "second"), children, strict=True)}
    (named,) = json.loads((tmp_path / "out" / "results.json").read_text())["providers"]
    assert (True, 0) == (set(codes.values()) <= {0, 2}, codes[named["id"]])
    assert f"{named['id']}.md" in (tmp_path / "out" / "index.md").read_text()
