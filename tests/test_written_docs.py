"""The pages of docs/ that people wrote: whoever follows them to the letter gets what they say."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from chatconform.reference.endpoint import Endpoint
from pages import Command, File, missing, steps

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="the pages speak to a shell")


@pytest.fixture
def shell(environment, tmp_path):
    """Give a shell in which `chatconform` is this one, in an empty folder; it returns what a command says."""
    command = tmp_path / "bin" / "chatconform"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m chatconform "$@"\n')
    command.chmod(0o755)
    folder = tmp_path / "work"
    folder.mkdir()
    exported: list[str] = []

    def say(line: str) -> str:
        if line.startswith("export "):
            exported.append(line)
            return ""
        variables = {**environment, "PATH": f"{command.parent}{os.pathsep}{environment['PATH']}"}
        script = "\n".join([*exported, line])
        done = subprocess.run(["sh", "-c", script], cwd=folder, env=variables, capture_output=True, text=True)
        assert "Traceback" not in done.stderr
        return done.stderr + done.stdout

    say.folder = folder
    return say


def follow(page: str, shell, base_url: str) -> None:
    """Write every file and give every command of a page, with the endpoint of the test in the place of port 8000."""
    for step in steps(page):
        if isinstance(step, File):
            file: Path = shell.folder / step.name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(step.text, "utf-8")
        if isinstance(step, Command):
            said = shell(step.command.replace("http://127.0.0.1:8000/v1", base_url))
            assert (step.command, [], said) == (step.command, missing(step.printed, said), said)


def test_a_provider_is_added_as_the_page_says(shell):
    with Endpoint().running() as base_url:
        follow("adding-a-provider.md", shell, base_url)
