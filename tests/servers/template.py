"""The chat templates: how a conversation is put to the model, and which script answers it."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).parent


class Template(StrEnum):
    """How messages are written, each in a file of this folder."""

    HERMES = "hermes"
    """With tools, calls and reasoning in tags, which llama.cpp's parser recognizes by the template alone."""
    PLAIN = "plain"
    """With the text of messages alone, so that the server has nothing to parse calls and reasoning by."""


def jinja(template: Template) -> str:
    """Return a template as Jinja: how messages are written, and at the end the choice of a script."""
    return "".join((_FOLDER / f"{name}.jinja").read_text(encoding="utf-8") for name in (template, "choice"))
