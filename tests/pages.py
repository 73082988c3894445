"""A page of docs/ as the steps that it tells a reader to take: files to write, and commands with what they print.

What stands in an `sh` block is left running, or is an example.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"
_STEP = re.compile(
    r"^(?:(?P<add>Add to )?`(?P<file>[^`\n]+)`:\n\n)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL
)
_COMMAND = re.compile(r"^\$ (?P<command>.*)\n(?P<printed>(?:(?!\$ ).*\n)*)", re.MULTILINE)


@dataclass(frozen=True)
class File:
    """A file that the page shows after its name, or text that it adds at the end of one."""

    name: str
    text: str
    is_added: bool


@dataclass(frozen=True)
class Command:
    """A command of a console block, and lines that it prints, in this order, among others."""

    command: str
    printed: tuple[str, ...]


@dataclass(frozen=True)
class Example:
    """What stands in an `sh` block."""

    text: str


@dataclass(frozen=True)
class Shell:
    """A shell in a folder, where what is exported stays so; called with a command it returns what that says."""

    folder: Path
    environment: Mapping[str, str]
    exported: list[str] = field(default_factory=list)

    def __call__(self, line: str) -> str:
        if line.startswith("export "):
            self.exported.append(line)
            return ""
        script = "\n".join([*self.exported, line])
        done = subprocess.run(
            ["sh", "-c", script], cwd=self.folder, env=self.environment, capture_output=True, text=True
        )
        assert "Traceback" not in done.stderr
        return done.stderr + done.stdout


def follow(page: str, shell: Shell, urls: Mapping[str, str], left_running: Callable[[str], None] | None = None) -> None:
    """Write every file and give every command of a page, with the base URLs of the test in the place of the page's."""
    for step in steps(page):
        if isinstance(step, Example):
            if left_running:
                left_running(step.text)
            continue
        text = step.text if isinstance(step, File) else step.command
        for theirs, ours in urls.items():
            text = text.replace(theirs, ours)
        if isinstance(step, File):
            file = shell.folder / step.name
            file.parent.mkdir(parents=True, exist_ok=True)
            before = f"{file.read_text('utf-8').rstrip()}\n\n\n" if step.is_added else ""
            file.write_text(before + text, "utf-8")
        else:
            said = shell(text)
            lacking = missing(step.printed, said)
            assert not lacking, f"{step.command}\nlacks {lacking} in\n{said}"


def steps(page: str) -> Iterator[File | Command | Example]:
    """Yield the steps of docs/<page>, in its order."""
    for block in _STEP.finditer((DOCS / page).read_text("utf-8")):
        if block["file"] is not None:
            yield File(block["file"], block["text"], block["add"] is not None)
        elif block["language"] == "console":
            for step in _COMMAND.finditer(block["text"]):
                yield Command(step["command"], tuple(step["printed"].splitlines()))
        elif block["language"] == "sh":
            yield Example(block["text"])


def missing(expected: tuple[str, ...], said: str) -> list[str]:
    """Return the lines that do not stand in what was said, after those before them; spaces count as one."""
    lines = iter([" ".join(line.split()) for line in said.splitlines()])
    return [wanted for wanted in expected if " ".join(wanted.split()) not in lines]
