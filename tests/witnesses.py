"""The interpreter that has openai-python. Absent, tests are skipped, unless .ci/run forbids it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chatconform.clients import child, measured
from chatconform.model import InputError

NAMED = "CHATCONFORM_CLIENTS"
"""Names an interpreter; set to `required`, that of `make clients` is meant, and tests fail where there is none."""
MADE = Path(__file__).parents[1] / child.BESIDE


def interpreter() -> Path:
    """Return an interpreter that has openai in the version that was measured."""
    named = os.environ.get(NAMED, "")
    required = named == "required"
    python = Path(named) if named and not required else MADE
    absent = pytest.fail if required else pytest.skip
    if not python.exists():
        absent(f"{python} is not there: `make clients` makes it")
    try:
        found = child.installed(python).get("openai")
    except InputError as error:
        absent(str(error))
    wanted = measured.stored().versions["openai-python"]
    if found != wanted:
        absent(f"{python} has openai {found}, and {wanted} was measured")
    return python
