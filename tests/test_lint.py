"""The lint of contracts.

Every fixture under data/lint/flawed is a folder of schemas made for one error, and the `title` of the flawed
file is the error that it must raise: `line:column: problem`. data/lint/cited is clean; data/lint/documents
has the page that it cites.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chatconform import resources
from chatconform.contracts import lint as rules
from chatconform.contracts.contract import names
from chatconform.contracts.lint import CONTRACT_RULES, DOCUMENT_RULES, FILE_RULES, SUFFIX, lint
from chatconform.model import InputError, Problem

DATA = Path(__file__).parent / "data" / "lint"
CITED, DOCUMENTS = DATA / "cited", DATA / "documents"
FLAWED = sorted((DATA / "flawed").iterdir())
PLAIN = ("An answer", "A request", "A chunk")
SCHEMAS = resources.path("schemas")

MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")
needs_material = pytest.mark.skipif(not MATERIAL, reason="CHATCONFORM_MATERIAL is unset")
each_flaw = pytest.mark.parametrize("folder", FLAWED, ids=lambda folder: folder.name)


def declared(folder: Path) -> list[str]:
    """Return the errors that the files of a fixture say they raise."""
    errors = []
    for file in sorted(folder.rglob(f"*{SUFFIX}")):
        first = re.search(r'"title": ("(?:[^"\\]|\\.)*")', file.read_text("utf-8", "replace"))
        title = json.loads(first[1]) if first else ""
        if title not in PLAIN:
            errors.append(f"{file}{':' if title[0].isdigit() else ': '}{title}")
    return errors


def said(problems: list[Problem]) -> list[str]:
    return [f"{problem.place}: {problem.problem}" for problem in problems]


def schema_of(path: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(path.read_bytes())
    return content


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A copy of the cited page, to be changed."""
    folder = tmp_path / "documents"
    shutil.copytree(DOCUMENTS, folder)
    return folder / "page.txt"


def in_the_page(page: Path, change: list[str]) -> list[tuple[str, str]]:
    """Write the page with other lines; return (line:column of the schema, remedy) of what is found then."""
    page.write_text("".join(f"{line}\n" for line in change), "utf-8")
    problems = lint(CITED, page.parent)
    return [(problem.place.partition(".json:")[2], problem.remedy) for problem in problems]


@each_flaw
def test_a_fixture_raises_the_error_that_its_title_declares(folder: Path) -> None:
    assert declared(folder) == said(lint(folder))


@each_flaw
def test_every_problem_says_what_to_do(folder: Path) -> None:
    assert not [problem for problem in lint(folder) if not problem.remedy]


def test_every_rule_on_files_is_broken_by_a_fixture() -> None:
    broken = set()
    for path in sorted((DATA / "flawed").rglob(f"*{SUFFIX}")):
        try:
            file = rules.read(path)
        except InputError:
            continue
        broken |= {rule.__name__ for rule in FILE_RULES if any(rule(file))}
    assert {rule.__name__ for rule in FILE_RULES} == broken


def test_every_rule_on_contracts_is_broken_by_a_fixture() -> None:
    folders = {"id-of-two-levels": "openai", "two-documents": "acme"}
    broken = set()
    for name, contract in folders.items():
        files = [rules.read(path) for path in sorted((DATA / "flawed" / name / contract).iterdir())]
        broken |= {rule.__name__ for rule in CONTRACT_RULES if any(rule(files))}
    assert {rule.__name__ for rule in CONTRACT_RULES} == broken


def test_every_public_function_of_the_lint_that_yields_is_in_a_table() -> None:
    generators = {
        name
        for name, member in vars(rules).items()
        if inspect.isgeneratorfunction(member) and not name.startswith("_") and member.__module__ == rules.__name__
    }
    assert generators == {rule.__name__ for rule in (*FILE_RULES, *CONTRACT_RULES, *DOCUMENT_RULES)}


def test_the_shipped_schemas_are_clean() -> None:
    assert not lint(SCHEMAS)


def test_the_clean_fixture_is_clean_with_its_page() -> None:
    assert not lint(CITED, DOCUMENTS)


def test_a_contract_without_a_response_schema_is_a_problem(tmp_path: Path) -> None:
    shutil.copytree(CITED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "acme" / "response.schema.json").rename(tmp_path / "acme" / "chunk.schema.json")
    expected = f"{tmp_path / 'acme'}: has no response.schema.json, so it is no contract"
    assert expected == said(lint(tmp_path))[0]


def test_a_schema_without_a_title_is_a_problem(tmp_path: Path) -> None:
    file = tmp_path / "acme" / "response.schema.json"
    file.parent.mkdir()
    schema = schema_of(CITED / "acme" / "response.schema.json")
    del schema["title"]
    file.write_text(json.dumps(schema), "utf-8")
    assert [f"{file}:1:1: the schema has no title"] == said(lint(tmp_path))


def test_a_file_that_cannot_be_read_does_not_hide_the_others(tmp_path: Path) -> None:
    for name in ("no-json", "keyword-anyOf", "no-valid-schema"):
        shutil.copytree(DATA / "flawed" / name / "openai", tmp_path / name)
    found = [Path(problem.place.partition(":")[0]).parent.name for problem in lint(tmp_path)]
    assert {"no-json", "keyword-anyOf", "no-valid-schema"} == set(found)


def test_problems_come_in_the_order_of_lines(tmp_path: Path) -> None:
    file = tmp_path / "openai" / "response.schema.json"
    file.parent.mkdir()
    properties = {f"member_{number}": {"type": "string"} for number in range(30)}
    head = {key: schema_of(SCHEMAS / "openai" / "response.schema.json")[key] for key in ("$schema", "$id", "title")}
    file.write_text(json.dumps({**head, "properties": properties}, indent=1), "utf-8")
    found = [int(problem.place.split(":")[-2]) for problem in lint(tmp_path)]
    assert [7 + 3 * number for number in range(30)] == found


def test_a_column_counts_characters_and_not_bytes(tmp_path: Path) -> None:
    file = tmp_path / "openai" / "response.schema.json"
    file.parent.mkdir()
    head = '{"title": "Ä", "$schema": "https://json-schema.org/draft/2020-12/schema", '
    file.write_text(head + '"$id": "https://example.com/openai/response.schema.json", "anyOf": [{}]}', "utf-8")
    column = file.read_text("utf-8").index("[{}]") + 1
    assert [f"{file}:1:{column}"] == [problem.place for problem in lint(tmp_path)]


def test_the_schemas_of_the_suites_own_files_are_no_contract(tmp_path: Path) -> None:
    shutil.copytree(CITED, tmp_path, dirs_exist_ok=True)
    (tmp_path / "chatconform").mkdir()
    (tmp_path / "chatconform" / "results.schema.json").write_text('{"anyOf": []}', "utf-8")
    assert not lint(tmp_path)


def test_every_contract_of_the_shipped_schemas_is_looked_at(tmp_path: Path) -> None:
    shutil.copytree(SCHEMAS, tmp_path, dirs_exist_ok=True)
    for name in names(SCHEMAS):
        (tmp_path / name / "response.schema.json").write_text("[]", "utf-8")
    found = {Path(problem.place).parent.name for problem in lint(tmp_path)}
    assert set(names(SCHEMAS)) == found


@pytest.mark.parametrize("missing", ["schemas", "documents"])
def test_a_folder_that_is_none_is_an_input_error(tmp_path: Path, missing: str) -> None:
    given = {"schemas": CITED, "documents": DOCUMENTS} | {missing: tmp_path / "nowhere"}
    with pytest.raises(InputError) as caught:
        lint(given["schemas"], given["documents"])
    assert str(tmp_path / "nowhere") == str(caught.value.place)


def test_a_folder_without_a_contract_is_an_input_error(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        lint(tmp_path)
    assert (str(tmp_path), "holds no contract") == (str(caught.value.place), caught.value.problem)


def test_a_page_that_is_not_there_is_one_problem(tmp_path: Path) -> None:
    file = CITED / "acme" / "response.schema.json"
    assert [f"{file}:6:13: page.txt is not in {tmp_path}"] == said(lint(CITED, tmp_path))


LINES = (DOCUMENTS / "page.txt").read_text("utf-8").splitlines()


def test_a_line_that_nothing_cites_may_change_and_only_the_sha256_is_found(page: Path) -> None:
    found = in_the_page(page, ["Acme Chat, second edition", *LINES[1:]])
    digest = hashlib.sha256(page.read_bytes()).hexdigest()
    expected = [("7:15", f"read the page again, mend what it says no more, then write {digest}")]
    assert expected == found


def read_again(passage: str) -> str:
    """Return the remedy for lines that are `passage` now."""
    digest = hashlib.sha256(passage.encode()).hexdigest()[:8]
    return f"read the lines again, then write the new digest {digest}, or the lines that say it now"


def test_a_changed_line_is_found_at_the_digest_of_each_clause_that_cites_it(page: Path) -> None:
    change = [line.replace("always", "mostly") for line in LINES]
    remedy = read_again("| id | string | mostly |")
    expected = [("29:21", remedy), ("56:19", remedy)]
    assert expected == in_the_page(page, change)[1:]


def test_a_moved_line_is_found_with_the_lines_where_it_stands_now(page: Path) -> None:
    expected = [
        ("14:17", "the passage moved: write the lines 11"),
        ("29:21", "the passage moved: write the lines 8"),
        ("44:21", "the passage moved: write the lines 7,9"),
        ("56:19", "the passage moved: write the lines 8"),
    ]
    assert expected == in_the_page(page, [LINES[0], "", "by Acme", *LINES[1:]])[1:]


def test_a_deleted_line_is_found_at_all_that_stand_on_it_or_behind_it(page: Path) -> None:
    expected = [
        ("13:16", "the passage moved: write the lines 8"),
        ("29:21", read_again("| model | string | |")),
        ("44:21", read_again("The answer is one JSON object.\n")),
        ("56:19", read_again("| model | string | |")),
    ]
    assert expected == in_the_page(page, [line for line in LINES if "always" not in line])[1:]


def test_lines_beyond_the_end_of_the_page_are_found_at_the_lines(page: Path) -> None:
    remedy = "read the document again, then write the lines that say it and their digest"
    expected = [("13:16", remedy), ("43:20", remedy)]
    assert expected == in_the_page(page, LINES[:6])[1:]


def test_without_documents_no_citation_is_looked_up(tmp_path: Path) -> None:
    schema = schema_of(CITED / "acme" / "response.schema.json")
    schema["x-document"]["sha256"] = "0" * 64
    schema["x-promises"][0]["lines"] = "9999"
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "response.schema.json").write_text(json.dumps(schema), "utf-8")
    assert not lint(tmp_path)


@needs_material
def test_the_citations_of_the_shipped_contracts_hold() -> None:
    assert not lint(SCHEMAS, Path(str(MATERIAL)) / "seeds")


@needs_material
@pytest.mark.parametrize("contract", [name for name in names(SCHEMAS) if name != "openai"])
def test_a_line_that_is_deleted_from_a_document_is_found_in_every_schema_of_its_contract(
    tmp_path: Path, contract: str
) -> None:
    shutil.copytree(Path(str(MATERIAL)) / "seeds", tmp_path, dirs_exist_ok=True)
    document = tmp_path / schema_of(SCHEMAS / contract / "response.schema.json")["x-document"]["file"]
    document.write_bytes(document.read_bytes().partition(b"\n")[2])
    found = {Path(problem.place.partition(":")[0]) for problem in lint(SCHEMAS, tmp_path)}
    assert set((SCHEMAS / contract).iterdir()) == found


@needs_material
def test_a_line_that_is_put_before_a_document_moves_every_citation_by_one(tmp_path: Path) -> None:
    shutil.copytree(Path(str(MATERIAL)) / "seeds", tmp_path, dirs_exist_ok=True)
    schema = schema_of(SCHEMAS / "tooken" / "response.schema.json")
    document = tmp_path / schema["x-document"]["file"]
    document.write_bytes(b"A new line\n" + document.read_bytes())
    problems = [problem for problem in lint(SCHEMAS, tmp_path) if "sha256" not in problem.problem]
    kept = [problem for problem in problems if not problem.remedy.startswith("the passage moved: write the lines ")]
    assert problems
    assert not kept


@needs_material
def test_a_changed_line_of_a_document_is_found_where_it_is_cited(tmp_path: Path) -> None:
    shutil.copytree(Path(str(MATERIAL)) / "seeds", tmp_path, dirs_exist_ok=True)
    schema = schema_of(SCHEMAS / "tooken" / "response.schema.json")
    document = tmp_path / schema["x-document"]["file"]
    lines = document.read_bytes().split(b"\n")
    lines[int(schema["properties"]["created"]["x-clauses"]["type"]["lines"]) - 1] += b" "
    document.write_bytes(b"\n".join(lines))
    file = rules.read(SCHEMAS / "tooken" / "response.schema.json")
    expected = str(file.error(rules.Flaw(("properties", "created", "x-clauses", "type", "digest"), "", "")).place)
    assert expected in [problem.place for problem in lint(SCHEMAS, tmp_path)]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.sampled_from(["#", "#/$defs/choice"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


def places(value: Any, path: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """Return the path of every member and item within a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [each for key, member in inner for each in ((*path, key), *places(member, (*path, key)))]


FUZZED = ("openai/error", "tooken/request", "tooken/response")
PLACES = [(name, path) for name in FUZZED for path in places(schema_of(SCHEMAS / f"{name}{SUFFIX}"))]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(PLACES), JSON)
def test_whatever_stands_in_a_schema_the_lint_says_it_and_does_not_stumble(
    tmp_path: Path, place: tuple[str, tuple[str | int, ...]], junk: Any
) -> None:
    name, path = place
    schema: Any = schema_of(SCHEMAS / f"{name}{SUFFIX}")
    target = schema
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = junk
    file = tmp_path / name.partition("/")[0] / "response.schema.json"
    file.parent.mkdir(exist_ok=True)
    file.write_text(json.dumps(schema), "utf-8")
    assert all(problem.place.startswith(str(tmp_path)) for problem in lint(tmp_path, DOCUMENTS))
