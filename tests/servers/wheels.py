"""Whether the wheels of the real servers are here. Absent, tests are skipped, unless .ci/run forbids it."""

from __future__ import annotations

import importlib.util
import os
from typing import Final

import pytest

MODULES: Final = ("xllamacpp", "sglang_router")
REQUIRED: Final = "CHATCONFORM_SERVERS"
"""Set to `required`, the tests that need a server fail where there is none."""


def need(*modules: str) -> None:
    """Skip the test where a module of a server is not installed; fail it where it has to be."""
    absent = ", ".join(name for name in modules if importlib.util.find_spec(name) is None)
    if absent and os.environ.get(REQUIRED) == "required":
        pytest.fail(f"{absent} is not installed, and {REQUIRED} says that it has to be: make servers")
    if absent:
        pytest.skip(f"{absent} is not installed: make servers")
