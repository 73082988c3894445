"""A page of docs/ as the steps that it tells a reader to take: files to write, and commands with what they print."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
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


def steps(page: str) -> Iterator[File | Command]:
    """Yield the steps of docs/<page>, in its order."""
    for block in _STEP.finditer((DOCS / page).read_text("utf-8")):
        if block["file"] is not None:
            yield File(block["file"], block["text"], block["add"] is not None)
        elif block["language"] == "console":
            for step in _COMMAND.finditer(block["text"]):
                yield Command(step["command"], tuple(step["printed"].splitlines()))


def missing(expected: tuple[str, ...], said: str) -> list[str]:
    """Return the lines that do not stand in what was said, after those before them; spaces count as one."""
    lines = iter([" ".join(line.split()) for line in said.splitlines()])
    return [wanted for wanted in expected if " ".join(wanted.split()) not in lines]
