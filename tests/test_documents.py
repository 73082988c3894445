"""The contracts of the five documents, and the exchanges that they print, held against the documents."""

from __future__ import annotations

import functools
import hashlib
import json
import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

ROOT = Path(__file__).parents[1]
PROVIDERS = ("tooken", "tkhub", "costrouter", "toapis", "xmsmartlink")
KINDS = ("request", "response", "chunk")
CONTRACTS = [
    (provider, kind)
    for provider in PROVIDERS
    for kind in KINDS
    if (ROOT / "schemas" / provider / f"{kind}.schema.json").is_file()
]
RECORDINGS = sorted((ROOT / "recordings").glob("*/document/*.json"))

MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")
needs_material = pytest.mark.skipif(not MATERIAL, reason="CHATCONFORM_MATERIAL is unset")
each_contract = pytest.mark.parametrize(("provider", "kind"), CONTRACTS)
each_recording = pytest.mark.parametrize("file", RECORDINGS, ids=lambda file: f"{file.parts[-3]}/{file.stem}")

PROPERTIES = {
    "type": "type",
    "const": "value",
    "enum": "values",
    "minimum": "minimum",
    "maximum": "maximum",
    "minItems": "nonempty",
    "maxItems": "max_items",
    "required": "present",
}
STRUCTURE = {"properties", "items", "x-clauses"}
HEAD = {"$schema", "$id", "title", "x-document", "x-promises"}
UNANNOTATED = {"default", "additionalProperties"}
CONSTANTS = ("const", "enum", "minimum", "maximum", "minItems", "maxItems", "default")
STATED = ("stated", "tabled")

Node = dict[str, Any]
Clause = dict[str, Any]


def contract(provider: str, kind: str) -> Node:
    text = (ROOT / "schemas" / provider / f"{kind}.schema.json").read_text("utf-8")
    schema: Node = json.loads(text)
    return schema


def nodes(schema: Node, path: str = "") -> Iterator[tuple[str, Node]]:
    """Yield every subschema with its path, written as `choices[].message.role`; the root's path is empty."""
    yield path, schema
    for name, child in schema.get("properties", {}).items():
        yield from nodes(child, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from nodes(schema["items"], f"{path}[]")


def clauses(schema: Node) -> Iterator[tuple[str, str, Clause]]:
    """Yield (path of what is constrained, keyword, clause)."""
    for path, node in nodes(schema):
        for keyword, entry in node.get("x-clauses", {}).items():
            if keyword != "required":
                yield path, keyword, entry
                continue
            for name, clause in entry.items():
                yield f"{path}.{name}" if path else name, keyword, clause


def citations(schema: Node) -> list[Clause]:
    promises: list[Clause] = schema.get("x-promises", [])
    return [clause for _, _, clause in clauses(schema)] + promises


@functools.cache
def material(relative: str) -> bytes:
    return (Path(str(MATERIAL)) / relative).read_bytes()


@functools.cache
def extractions() -> dict[str, Node]:
    documents = yaml.safe_load(material("research/documents.yaml"))["documents"]
    return {entry["slug"]: entry for entry in documents}


def extraction(provider: str) -> Node:
    return extractions()[provider]


def document(provider: str) -> bytes:
    return material(f"seeds/{contract(provider, 'request')['x-document']['file']}")


def cited(text: bytes, lines: str) -> str:
    """Return the cited lines, joined by LF; `lines` is written as `37-49,57`."""
    split = text.decode("utf-8").split("\n")
    ranges = [[int(number) for number in part.split("-")] for part in lines.split(",")]
    return "\n".join(line for span in ranges for line in split[span[0] - 1 : span[-1]])


def entries_with_items(entries: Iterable[Node]) -> Iterator[Node]:
    """Yield the entries of the extraction; what an entry says of its items is an entry of its own."""
    for entry in entries:
        yield entry
        if "items" in entry:
            yield {"required": None, "basis": entry["basis"], "path": entry["path"] + "[]", **entry["items"]}


def typed(provider: str, kind: str) -> dict[str, tuple[Any, str]]:
    """Map each path to (type, basis) by the extraction: a printed type comes before a shown one."""
    types: dict[str, tuple[Any, str]] = {}
    for entry in entries_with_items(extraction(provider)[kind]):
        if entry.get("type") is not None:
            types.setdefault(entry["path"], (entry["type"], entry["basis"]))
    if (provider, kind) == ("tkhub", "request"):
        del types["stop"]
    return types


def paths_where(provider: str, kind: str, key: str, value: object) -> set[str]:
    return {entry["path"] for entry in extraction(provider)[kind] if entry.get(key) == value}


def presence(provider: str, kind: str, bases: Iterable[str]) -> set[str]:
    return {
        path
        for path, keyword, clause in clauses(contract(provider, kind))
        if keyword == "required" and clause["basis"] in bases
    }


def exchange(file: Path) -> Node:
    content: Node = json.loads(file.read_text("utf-8"))
    return content


def payloads(record: Node) -> list[Any]:
    """Return the JSON values of an answer (one) or of a stream's data lines, without `[DONE]`."""
    text = "".join(record["response"]["body"])
    if not text.startswith("data: "):
        return [json.loads(text)]
    lines = [line.removeprefix("data: ") for line in text.split("\n")]
    return [json.loads(line) for line in lines if line.startswith("{")]


def first_object(text: str) -> Any:
    """Return the first JSON object of a passage, with the page's U+00A0 and `[...]` made readable."""
    readable = text.replace("\u00a0", " ").replace("[...]", "[]")
    return json.JSONDecoder().raw_decode(readable, readable.index("{"))[0]


def printed_payloads(text: str) -> list[Any]:
    if "data: " not in text:
        return [first_object(text)]
    return [first_object(line) for line in text.split("\n") if "{" in line]


def without_texts(value: Any) -> Any:
    """Return the value with every `content` blanked: structure and order are the page's, texts are ours."""
    if isinstance(value, list):
        return [without_texts(item) for item in value]
    if isinstance(value, dict):
        return {key: "text" if key == "content" else without_texts(member) for key, member in value.items()}
    return value


def at(value: Any, path: str) -> Any:
    """Return the member at a path; `[]` is the first item of an array."""
    for name in path.replace("[]", ".0").split("."):
        value = value[0] if name == "0" else value[name]
    return value


def in_order(value: Any) -> str:
    """Return a form of the value that two values share only if their keys stand in the same order."""
    return json.dumps(value, indent=1)


@each_contract
def test_a_contract_is_a_valid_schema(provider: str, kind: str) -> None:
    Draft202012Validator.check_schema(contract(provider, kind))


@each_contract
def test_a_contract_is_laid_out_in_one_way(provider: str, kind: str) -> None:
    text = (ROOT / "schemas" / provider / f"{kind}.schema.json").read_text("utf-8")
    assert json.dumps(json.loads(text), indent=2, ensure_ascii=False) + "\n" == text


@each_contract
def test_the_clauses_of_a_schema_object_stand_last(provider: str, kind: str) -> None:
    annotated = [list(node) for _, node in nodes(contract(provider, kind)) if "x-clauses" in node]
    assert ["x-clauses"] * len(annotated) == [keys[-1] for keys in annotated]


@each_contract
def test_the_head_names_the_schema_and_its_document(provider: str, kind: str) -> None:
    schema = contract(provider, kind)
    assert (
        "https://json-schema.org/draft/2020-12/schema",
        f"https://chatconform.example.com/schemas/{provider}/{kind}.schema.json",
        contract(provider, "request")["x-document"],
    ) == (schema["$schema"], schema["$id"], schema["x-document"])


@each_contract
def test_every_constraint_has_its_clause_and_every_clause_its_constraint(provider: str, kind: str) -> None:
    for path, node in nodes(contract(provider, kind)):
        constraints = set(node) - STRUCTURE - UNANNOTATED - (HEAD if path == "" else set())
        annotated = node.get("x-clauses", {})
        assert (constraints, node.get("required", [])) == (
            set(annotated),
            list(annotated.get("required", {})),
        )


@each_contract
def test_only_a_request_says_defaults_and_what_it_lists(provider: str, kind: str) -> None:
    used = {keyword for _, node in nodes(contract(provider, kind)) for keyword in node}
    allowed = UNANNOTATED if kind == "request" else set()
    assert set() == used - STRUCTURE - HEAD - set(PROPERTIES) - allowed


@each_contract
def test_a_clause_has_an_id_of_three_parts_that_ends_with_its_keyword(provider: str, kind: str) -> None:
    for _, keyword, clause in clauses(contract(provider, kind)):
        assert re.fullmatch(rf"[a-z_]+\.[a-z_]+\.{PROPERTIES[keyword]}", clause["id"]), clause["id"]


@each_contract
def test_a_clause_id_stands_once_in_a_file(provider: str, kind: str) -> None:
    ids = [clause["id"] for _, _, clause in clauses(contract(provider, kind))]
    assert sorted(set(ids)) == sorted(ids)


def test_one_path_has_one_name_in_every_contract() -> None:
    names: dict[str, set[str]] = {}
    for provider, kind in CONTRACTS:
        for path, _, clause in clauses(contract(provider, kind)):
            place = path.replace(".delta.", ".message.")
            key = f"{'request' if kind == 'request' else 'answer'} {place}"
            names.setdefault(key, set()).add(clause["id"].rpartition(".")[0])
    assert not {key: found for key, found in names.items() if len(found) > 1}
    assert len(names) == len(set().union(*names.values()))


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_parameter_is_named_by_its_path(provider: str) -> None:
    for path, _, clause in clauses(contract(provider, "request")):
        name = re.sub(r"\[\]$", "_item", path).replace("[]", "").replace(".", "_") or "body"
        assert f"request.{name}" == clause["id"].rpartition(".")[0]


@each_contract
def test_a_citation_has_a_basis_lines_a_digest_and_a_sentence(provider: str, kind: str) -> None:
    for citation in citations(contract(provider, kind)):
        assert citation["basis"] in ("stated", "tabled", "exampled", "inferred")
        assert re.fullmatch(r"\d+(-\d+)?(,\d+(-\d+)?)*", citation["lines"])
        assert re.fullmatch(r"[0-9a-f]{8}", citation["digest"])
        assert re.fullmatch(r"[^\n]+\.", citation["says"])


@each_contract
def test_no_sentence_says_should(provider: str, kind: str) -> None:
    assert not [entry for entry in citations(contract(provider, kind)) if "should" in entry["says"].lower()]


@pytest.mark.parametrize("provider", PROVIDERS)
def test_one_id_has_one_sentence_in_the_contract_of_a_provider(provider: str) -> None:
    says: dict[str, set[str]] = {}
    for owner, kind in CONTRACTS:
        for clause in citations(contract(owner, kind)) if owner == provider else []:
            says.setdefault(clause.get("id") or clause["check"], set()).add(clause["says"])
    assert not {key: found for key, found in says.items() if len(found) > 1}


PROMISES = [
    ("tooken", "response", "extensions.routed_model.echo", "exampled", "60,77"),
    ("tooken", "response", "extensions.model.resolved", "inferred", "40,60"),
    ("tooken", "chunk", "sse.stream.events", "stated", "85"),
    ("tooken", "chunk", "sse.done.present", "exampled", "99"),
    ("tooken", "chunk", "sse.done.last", "exampled", "99"),
    ("toapis", "response", "sse.stream.events", "stated", "52,77"),
    ("xmsmartlink", "response", "http.media_type.event_stream", "stated", "200"),
    ("xmsmartlink", "response", "sse.done.present", "stated", "200"),
    ("xmsmartlink", "response", "sse.done.last", "stated", "200"),
    ("xmsmartlink", "response", "usage.cap.precedence", "stated", "118"),
    ("xmsmartlink", "response", "extensions.trace_id.accepted", "stated", "60-63"),
]


def test_the_promises_that_no_keyword_can_say_are_these() -> None:
    found = [
        (provider, kind, promise["check"], promise["basis"], promise["lines"])
        for provider, kind in CONTRACTS
        for promise in contract(provider, kind).get("x-promises", [])
    ]
    assert sorted(PROMISES) == sorted(found)


@each_contract
def test_only_platform_and_content_are_bound_to_circumstances(provider: str, kind: str) -> None:
    for path, keyword, clause in clauses(contract(provider, kind)):
        when: dict[str, list[str | None]] | None = None
        if keyword == "required" and path.startswith("platform"):
            when = {"model": ["auto"]}
        if keyword == "required" and path == "choices[].message.content":
            when = {"tools": [None]}
        assert when == clause.get("when")


@each_contract
def test_a_key_without_a_required_mark_may_be_null_in_an_answer(provider: str, kind: str) -> None:
    schema = contract(provider, kind)
    marked = presence(provider, kind, STATED)
    fixed = {path for path, node in nodes(schema) if "const" in node}
    for path, node in nodes(schema):
        if "type" in node:
            may_be_null = kind != "request" and not path.endswith("[]") and path not in marked | fixed
            assert (path, may_be_null) == (path, "null" in node["type"])


def test_only_credits_have_a_bound_that_is_inferred() -> None:
    found = [
        (path, keyword)
        for provider, kind in CONTRACTS
        for path, keyword, clause in clauses(contract(provider, kind))
        if clause["basis"] == "inferred"
    ]
    expected = [("platform.credits_consumed", "minimum"), ("platform.cost_saved_credits", "minimum")]
    assert expected == found


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_request_covers_only_what_it_lists(provider: str) -> None:
    closed = {path for path, node in nodes(contract(provider, "request")) if "additionalProperties" in node}
    assert ({"", "messages[]"} if provider == "xmsmartlink" else {""}) == closed


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_files_of_a_provider_are_plain_english(provider: str) -> None:
    files = [ROOT / "schemas" / owner / f"{kind}.schema.json" for owner, kind in CONTRACTS if owner == provider]
    files += [file for file in RECORDINGS if file.parts[-3] == provider]
    assert not [file.name for file in files if not file.read_text("utf-8").isascii()]


@needs_material
@each_contract
def test_the_head_has_the_sha256_of_the_document(provider: str, kind: str) -> None:
    head = contract(provider, kind)["x-document"]
    assert hashlib.sha256(document(provider)).hexdigest() == head["sha256"]


@needs_material
@each_contract
def test_a_digest_is_that_of_the_cited_lines(provider: str, kind: str) -> None:
    text = document(provider)
    for citation in citations(contract(provider, kind)):
        passage = cited(text, citation["lines"]).encode()
        assert hashlib.sha256(passage).hexdigest()[:8] == citation["digest"], citation


@needs_material
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_message_has_a_schema_where_the_document_says_something_of_it(provider: str) -> None:
    said = extraction(provider)
    assert [kind for kind in KINDS if said[kind]] == [kind for owner, kind in CONTRACTS if owner == provider]


@needs_material
@each_contract
def test_a_contract_has_the_paths_of_the_document_and_no_other(provider: str, kind: str) -> None:
    said = {entry["path"] for entry in entries_with_items(extraction(provider)[kind])}
    assert said == {path for path, _ in nodes(contract(provider, kind))} - {""}


@needs_material
@each_contract
def test_a_type_and_its_basis_are_those_of_the_document(provider: str, kind: str) -> None:
    found = {}
    for path, node in nodes(contract(provider, kind)):
        if path and "type" in node:
            kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
            names = [name for name in kinds if name != "null"]
            basis = node["x-clauses"]["type"]["basis"]
            found[path] = (names[0] if len(names) == 1 else names, basis)
    assert typed(provider, kind) == found


@needs_material
@each_contract
def test_bounds_values_and_defaults_are_those_of_the_document(provider: str, kind: str) -> None:
    said = {
        (entry["path"], keyword): (entry[keyword], None if keyword == "default" else entry["basis"])
        for entry in entries_with_items(extraction(provider)[kind])
        for keyword in CONSTANTS
        if keyword in entry
    }
    found = {
        (path, keyword): (node[keyword], node["x-clauses"].get(keyword, {}).get("basis"))
        for path, node in nodes(contract(provider, kind))
        for keyword in CONSTANTS
        if keyword in node
    }
    found = {place: value for place, value in found.items() if value[1] != "inferred"}
    assert said == found


@needs_material
@each_contract
def test_what_is_required_is_what_the_document_marks(provider: str, kind: str) -> None:
    assert paths_where(provider, kind, "required", value=True) == presence(provider, kind, STATED)


@needs_material
@each_contract
def test_presence_by_example_is_what_every_printed_answer_shows(provider: str, kind: str) -> None:
    shown: dict[str, set[str]] = {}
    for entry in extraction(provider)[kind] if kind != "request" and provider != "tkhub" else []:
        for example in entry["examples"]:
            if example["where"] in ("response example", "stream example"):
                shown.setdefault(entry["path"], set()).add(example["lines"])
    answers = 3 if kind == "chunk" else 1
    always = {path for path, lines in shown.items() if len(lines) == answers and not path.endswith("[]")}
    ruled_out = paths_where(provider, kind, "required", value=False) | presence(provider, kind, STATED)
    assert always - ruled_out == presence(provider, kind, ["exampled"])


@needs_material
@each_contract
def test_every_value_that_the_document_shows_is_valid(provider: str, kind: str) -> None:
    schemas = dict(nodes(contract(provider, kind)))
    for entry in extraction(provider)[kind]:
        for example in entry["examples"]:
            if "value" in example:
                Draft202012Validator(schemas[entry["path"]]).validate(example["value"])


@needs_material
@each_recording
def test_a_recording_has_the_request_that_the_page_prints(file: Path) -> None:
    record = exchange(file)
    lines = record["source"]["lines"].split("; ")[0]
    printed = without_texts(first_object(cited(document(record["provider"]), lines)))
    found = without_texts(record["request"]["body"])
    if printed["messages"] == []:
        found["messages"] = []
    assert in_order(printed) == in_order(found)


@needs_material
@each_recording
def test_a_recording_goes_to_the_url_that_the_page_prints(file: Path) -> None:
    record = exchange(file)
    printed = cited(document(record["provider"]), record["source"]["lines"].split("; ")[0])
    assert [record["request"]["url"]] == re.findall(r"https://[^\s']+", printed)


@needs_material
@each_recording
def test_a_recording_has_the_answer_that_the_page_prints(file: Path) -> None:
    record = exchange(file)
    lines = record["source"]["lines"].split("; ")[1]
    printed = printed_payloads(cited(document(record["provider"]), lines))
    assert in_order(without_texts(printed)) == in_order(without_texts(payloads(record)))


@needs_material
@pytest.mark.parametrize("provider", PROVIDERS)
def test_an_answer_has_the_values_of_the_extraction(provider: str) -> None:
    answer = payloads(exchange(ROOT / "recordings" / provider / "document" / "answer.json"))[0]
    said = {
        entry["path"]: example["value"]
        for entry in extraction(provider)["response"]
        for example in entry["examples"]
        if example["where"] == "response example" and "value" in example
    }
    said = {path: value for path, value in said.items() if not path.endswith(".content")}
    assert said == {path: at(answer, path) for path in said}


def test_every_printed_exchange_is_recorded() -> None:
    expected = [f"{provider}/answer" for provider in PROVIDERS]
    expected += ["tooken/stream-as-printed", "tooken/stream-framed"]
    assert sorted(expected) == sorted(f"{file.parts[-3]}/{file.stem}" for file in RECORDINGS)


@each_recording
def test_a_recording_says_what_it_is(file: Path) -> None:
    record = exchange(file)
    expected = {
        "format": "chatconform.exchange/1",
        "id": file.stem,
        "provider": file.parts[-3],
        "origin": "document",
        "model": record["request"]["body"]["model"],
        "end": "complete",
    }
    assert expected == {key: record[key] for key in expected}


@each_recording
def test_a_recording_names_its_page_and_is_not_taken_for_the_endpoint(file: Path) -> None:
    record = exchange(file)
    page = contract(record["provider"], "request")["x-document"]["file"]
    expected = (page, "The page's printed example, not an answer of the endpoint")
    assert expected == (record["source"]["document"], record["note"].partition(".")[0])


@each_recording
def test_a_recording_holds_no_key_no_header_of_an_answer_and_no_time(file: Path) -> None:
    record = exchange(file)
    expected = ([["Content-Type", "application/json"]], {"status", "body"}, False)
    assert expected == (record["request"]["headers"], set(record["response"]), "recorded_at" in record)


@each_recording
def test_a_body_is_split_after_each_line_feed(file: Path) -> None:
    pieces = exchange(file)["response"]["body"]
    assert "".join(pieces).splitlines(keepends=True) == pieces


@each_recording
def test_a_printed_request_is_covered_by_its_own_contract(file: Path) -> None:
    record = exchange(file)
    Draft202012Validator(contract(record["provider"], "request")).validate(record["request"]["body"])


@each_recording
def test_a_printed_answer_keeps_its_own_contract(file: Path) -> None:
    record = exchange(file)
    kind = "chunk" if record["request"]["body"].get("stream") else "response"
    validator = Draft202012Validator(contract(record["provider"], kind))
    for payload in payloads(record):
        validator.validate(payload)


def test_the_stream_as_printed_lacks_only_the_blank_lines() -> None:
    folder = ROOT / "recordings" / "tooken" / "document"
    printed, framed = (exchange(folder / f"stream-{name}.json") for name in ("as-printed", "framed"))
    pieces = [piece for line in printed["response"]["body"] for piece in (line, "\n")]
    assert (4, pieces) == (len(printed["response"]["body"]), framed["response"]["body"])
