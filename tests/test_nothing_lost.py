"""Nothing that was recorded is lost: killed at any moment, on a full disk, in a folder that cannot be written to."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from chatconform.model import Exchange, InputError, Request
from chatconform.recordings import disk, store
from chatconform.reference.endpoint import Endpoint

KEY = "sk-fake-0123456789abcdef"
SOME = ("--scenario", "basic", "--scenario", "stream*", "--scenario", "error.no_*", "--no-boundaries")
MORTAL = """
import os, signal, sys
from chatconform.cli import main

left, asking = int(sys.argv.pop(1)), False

def tick(event, _):
    global left, asking
    asking = asking or event == "socket.connect"
    left -= asking and event in ("open", "os.mkdir", "os.rename", "os.remove", "socket.connect")
    if left == 0:
        left = -1
        os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(tick)
main()
"""
"""The command line, killed as it is about to open, make, rename or remove its n-th file, or to connect."""


@pytest.fixture(scope="module")
def good():
    with Endpoint(key=KEY).running() as base_url:
        yield base_url


def command(base_url: str, *options: str) -> tuple[str, ...]:
    return ("run", "--base-url", base_url, "--model", "reference-1", "--key-env", "KEY", *options)


def judged(folder: Path) -> object:
    found = json.loads((folder / "reports" / "results.json").read_text())
    return found["verdicts"], found["providers"], found["problems"]


def recorded(folder: Path) -> dict[str, bytes]:
    return {file.stem: file.read_bytes() for file in folder.glob("reports/recordings/adhoc/*/*.json")}


def run_until_killed(folder: Path, base_url: str, environment, moment: int, *options: str) -> None:
    """Run until that moment."""
    done = subprocess.run(
        [sys.executable, "-c", MORTAL, str(moment), *command(base_url, *options)],
        cwd=folder, env={**environment, "KEY": KEY}, capture_output=True, text=True,
    )  # fmt: skip
    assert -signal.SIGKILL == done.returncode, done.stdout + done.stderr


@pytest.fixture(scope="module")
def undisturbed(good, chatconform, tmp_path_factory):
    folder = tmp_path_factory.mktemp("undisturbed")
    assert 0 == chatconform(folder, *command(good, *SOME), KEY=KEY).returncode
    return folder


MOMENTS = (1, 2, 3, 5, 8, 13, 21, 38, 55, 72)


@dataclass(frozen=True)
class Killed:
    """What was left by a run that was killed, and how the one ended that went on with it."""

    folder: Path
    before: dict[str, bytes]
    readable: list[str]
    code: int


@pytest.fixture(scope="module")
def killed(good, environment, commands, tmp_path_factory):
    folders = {moment: tmp_path_factory.mktemp(f"killed-{moment}") for moment in MOMENTS}
    for moment, folder in folders.items():
        run_until_killed(folder, good, environment, moment, *SOME)
    before = {moment: recorded(folder) for moment, folder in folders.items()}
    found = {moment: store.load(folder.rglob("recordings/*/*/*.json")) for moment, folder in folders.items()}
    readable = {moment: sorted(each.id for each in exchanges) for moment, exchanges in found.items()}
    done = commands([(folder, command(good, "--resume", *SOME), {"KEY": KEY}) for folder in folders.values()])
    return {
        moment: Killed(folders[moment], before[moment], readable[moment], again.returncode)
        for moment, again in zip(MOMENTS, done, strict=True)
    }


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_run_that_is_killed_has_whole_exchanges_and_goes_on_to_the_same_verdicts(moment, killed, undisturbed):
    this = killed[moment]
    assert sorted(this.before) == this.readable
    after = recorded(this.folder)
    assert (0, set(recorded(undisturbed))) == (this.code, set(after))
    assert this.before == {name: after[name] for name in this.before}
    assert judged(undisturbed) == judged(this.folder)
    assert [] == [str(path) for path in this.folder.rglob(".*")]


# A disk that is full, and places that cannot be written to


LIMITED = """
import resource, sys
from chatconform.cli import main

resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)),) * 2)
main()
"""
"""The command line on a disk that takes no file of more bytes."""


@pytest.mark.parametrize("room", [0, 100, 1500, 3000])
def test_a_full_disk_is_one_error_and_no_half_file(room, good, environment, tmp_path):
    done = subprocess.run(
        [sys.executable, "-c", LIMITED, str(room), *command(good, *SOME)],
        cwd=tmp_path, env={**environment, "KEY": KEY}, capture_output=True, text=True,
    )  # fmt: skip
    said = done.stderr.splitlines()
    assert (2, "  make room on the disk") == (done.returncode, said[-1])
    assert (2, True) == (len(said), said[0].endswith(": cannot be written: File too large"))
    assert [] == [path for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".json"]
    assert sorted(recorded(tmp_path)) == sorted(each.id for each in store.load(tmp_path.rglob("*.json")))


@pytest.fixture
def recording(undisturbed):
    return str(next(undisturbed.glob("reports/recordings/adhoc/*")))


def in_the_way(folder: Path) -> None:
    (folder / "reports").write_text("a file")


def above_in_the_way(folder: Path) -> None:
    (folder / "reports").mkdir()
    (folder / "reports" / "recordings").write_text("a file")


def page_in_the_way(folder: Path) -> None:
    (folder / "reports" / "index.md").mkdir(parents=True)


def link_to_nowhere(folder: Path) -> None:
    (folder / "reports").symlink_to(folder / "gone" / "away")


SPOILS = (in_the_way, above_in_the_way, page_in_the_way, link_to_nowhere)


def test_a_place_that_cannot_be_written_to_is_one_error(good, commands, tmp_path):
    folders = [tmp_path / spoil.__name__ for spoil in SPOILS]
    for spoil, folder in zip(SPOILS, folders, strict=True):
        folder.mkdir()
        spoil(folder)
    for done in commands([(folder, command(good, "--scenario", "basic"), {"KEY": KEY}) for folder in folders]):
        said = done.stderr.splitlines()
        assert (2, 2, "  choose a folder that can be written to") == (done.returncode, len(said), said[-1])
    assert [] == [path.name for path in (*tmp_path.rglob(".*"), *tmp_path.rglob("*.md")) if path.is_file()]


def test_a_report_that_cannot_be_written_whole_leaves_the_old_one(recording, chatconform, tmp_path):
    chatconform(tmp_path, "judge", recording, "--out", "out", "--check", "json.*")
    old = {path.name: path.read_bytes() for path in (tmp_path / "out").iterdir()}
    (tmp_path / "out" / "index.md").unlink()
    (tmp_path / "out" / "index.md").mkdir()
    done = chatconform(tmp_path, "judge", recording, "--out", "out")
    assert (2, "out/index.md: cannot be written: Is a directory") == (done.returncode, done.stderr.splitlines()[0])
    assert old["results.json"] == (tmp_path / "out" / "results.json").read_bytes()
    assert set(old) == {path.name for path in (tmp_path / "out").iterdir()}


@pytest.mark.parametrize("stream, options", [("stdout", SOME), ("stderr", ("--check", "nothing"))])
def test_a_full_device_behind_an_output_is_no_traceback(stream, options, good, environment, tmp_path):
    with Path("/dev/full").open("wb") as full:
        streams = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: full}
        done = subprocess.run(
            [sys.executable, "-m", "chatconform", *command(good, *options)],
            cwd=tmp_path, env={**environment, "KEY": KEY, "PYTHONUNBUFFERED": ""}, **streams,
        )  # fmt: skip
    assert (2, False) == (done.returncode, b"Exception" in (done.stdout or b"") + (done.stderr or b""))


def test_a_recording_that_is_taken_away_meanwhile_is_an_error_and_not_a_part_of_one(tmp_path):
    recording = tmp_path / "recording"
    with disk.held(recording):
        store.add(Exchange("a", "", Request("", ""), None), recording)
        recording.rename(tmp_path / "elsewhere")
        with pytest.raises(InputError) as caught:
            store.add(Exchange("b", "", Request("", ""), None), recording)
    assert "cannot be written: No such file or directory" == caught.value.problem
    assert [tmp_path / "elsewhere" / "a.json"] == list(tmp_path.rglob("*.json"))


def test_what_holds_header_fields_is_for_its_owner_alone(undisturbed):
    files = {path for path in undisturbed.rglob("*") if path.is_file()}
    assert {0o600} == {stat.S_IMODE(path.stat().st_mode) for path in files}


def test_what_holds_none_is_as_the_umask_says(tmp_path):
    umask = os.umask(0o027)
    try:
        disk.write_whole(tmp_path / "page.md", b"text")
    finally:
        os.umask(umask)
    assert 0o640 == stat.S_IMODE((tmp_path / "page.md").stat().st_mode)
