"""The pages of docs/ that people wrote: whoever follows them to the letter gets what they say."""

from __future__ import annotations

import json
import re
import shutil

import pytest

from chatconform import resources
from chatconform.reference.endpoint import Endpoint
from chatconform.reference.variations import VARIATIONS
from pages import DOCS, follow

ROOT = DOCS.parent
PROSE = " ".join((DOCS / "faq.md").read_text("utf-8").split())

pytestmark = pytest.mark.skipif(shutil.which("sh") is None, reason="the pages speak to a shell")


def test_a_provider_is_added_as_the_page_says(shell):
    with Endpoint().running() as base_url:
        follow("adding-a-provider.md", shell, {"http://127.0.0.1:8000/v1": base_url})


def test_a_check_is_added_as_the_page_says(shell):
    """In a copy of the source, where the module's import, which the page leaves to the reader, is added first."""
    left = shutil.ignore_patterns("__pycache__", "corpus", "golden")
    for name in ("suite", "schemas", "recordings", "tests"):
        shutil.copytree(ROOT / name, shell.folder / name, ignore=left)
    for name in ("pyproject.toml", "checks.lock", "providers.yaml"):
        shutil.copy(ROOT / name, shell.folder / name)
    module = shell.folder / "suite" / "chatconform" / "checks" / "envelope.py"
    imports = "from chatconform.model import Finding, "
    module.write_text(module.read_text("utf-8").replace(imports, f"{imports}Level, "), "utf-8")
    shell("export PYTHONPATH=suite:tests")
    follow("adding-a-check.md", shell, {})


# The questions


def test_every_false_accusation_is_disproved_by_variations_that_there_are():
    table = (DOCS / "faq.md").read_text("utf-8").partition("\n## ")[2].partition("\n## ")[0]
    rows = [line.split(" | ") for line in table.splitlines() if line.startswith("| ")][1:]
    named = [re.findall(r"`([a-z]+\.[a-z_]+)`", row[-1]) for row in rows]
    assert [] == [row[0] for row, names in zip(rows, named, strict=True) if not names]
    assert [] == [name for names in named for name in names if name not in VARIATIONS]


def test_a_run_costs_what_the_page_says(shell):
    asked = "chatconform plan --base-url http://127.0.0.1:9/v1 --model m"
    ceilings = [
        re.search(r"at most (\d+) requests.*?(\d+) output tokens", shell(command)).groups()
        for command in (asked, f"{asked} --no-boundaries")
    ]
    (told,) = re.findall(r"most (\d+) requests.*?of (\d+,\d+) output.*?\) (\d+) and (\d+,\d+)\.", PROSE)
    assert [*told] == [f"{int(number):,}" for pair in ceilings for number in pair]


# Recordings


def test_the_least_that_is_judged_is_what_the_page_shows(shell):
    follow("recordings.md", shell, {})


def test_the_page_names_every_member_of_the_format():
    schema = json.loads(resources.read_text("schemas/chatconform/exchange.schema.json"))
    page = (DOCS / "recordings.md").read_text("utf-8")
    shapes = (schema, schema["$defs"]["request"], schema["$defs"]["response"])
    members = [name for shape in shapes for name in shape["properties"]]
    assert [] == [name for name in members if f"`{name}`" not in page and f".{name}`" not in page]
