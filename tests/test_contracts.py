"""The contracts: each clause can fail, can pass and is counted, and OpenAI itself keeps OpenAI's contract."""

from __future__ import annotations

import copy
import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from chatconform import resources
from chatconform.contracts.contract import Contract, Kind, load, names, read
from chatconform.contracts.schema import ABSENT, Schema, Violation, wanted
from chatconform.judging import judge
from chatconform.model import (
    OPENAI,
    Basis,
    Exchange,
    InputError,
    JsonValue,
    Level,
    Outcome,
    Request,
    Response,
    Verdict,
)
from chatconform.recordings.store import load as load_recordings
from chatconform.wire import strict_json

MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")
needs_material = pytest.mark.skipif(not MATERIAL, reason="CHATCONFORM_MATERIAL is unset")
EXAMPLES = sorted((Path(__file__).parent / "data" / "openai_examples").glob("*.json"))
ANSWERS = [(name, kind) for name in names() for kind in load(name).schemas if kind is not Kind.REQUEST]
each_answer = pytest.mark.parametrize(
    "schema", [load(name).schemas[kind] for name, kind in ANSWERS], ids=["/".join(pair) for pair in ANSWERS]
)
each_example = pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.stem)

Node = dict[str, Any]
Steps = tuple[str | int, ...]

OF_TYPE: dict[str, Any] = {
    "string": "text", "integer": 7, "number": 1.5, "boolean": True, "array": [], "object": {}, "null": None,
}  # fmt: skip


def resolved(document: Node, node: Node) -> Node:
    """Follow a `$ref` within the file."""
    while "$ref" in node:
        steps = node["$ref"].removeprefix("#/").split("/")
        node = strict_json.at(document, tuple(steps))  # type: ignore[assignment]
    return node


def types(node: Node) -> list[str]:
    """Return the types that a schema allows; all of them where it says none."""
    given = node.get("type", [])
    return ([given] if isinstance(given, str) else given) or ["object"]


def good(document: Node, node: Node) -> Any:
    """Build a value in which every property is present and every array has an item."""
    node = resolved(document, node)
    if "const" in node:
        return node["const"]
    if "enum" in node:
        return node["enum"][0]
    first = types(node)[0]
    if first == "object":
        return {name: good(document, inner) for name, inner in node.get("properties", {}).items()}
    if first == "array":
        return [good(document, node["items"])] if "items" in node else []
    return node.get("minimum", node.get("maximum", OF_TYPE[first]))


@dataclass(frozen=True)
class Constraint:
    """One constraint of a schema: which value it is about, and its clause's id."""

    node: Node
    path: Steps
    keyword: str
    clause: str

    def broken(self, value: Any) -> Any:
        """Return a copy of a good value in which this constraint alone is broken."""
        holder = {"root": copy.deepcopy(value)}
        *way, last = ("root", *self.path)
        target: Any = holder
        for step in way:
            target = target[step]
        if self.keyword == "required":
            del target[last]
        else:
            target[last] = self.bad(target[last])
        return holder["root"]

    def bad(self, value: Any) -> Any:
        if self.keyword == "type":
            allowed = {*types(self.node), *(["integer"] if "number" in types(self.node) else [])}
            return next(other for name, other in OF_TYPE.items() if name not in allowed)
        if self.keyword in ("const", "enum"):
            return f"{value} or other"
        if self.keyword in ("minLength", "minItems"):
            return value[:0]
        return self.node[self.keyword] + (1 if self.keyword == "maximum" else -1)


def constraints(document: Node, node: Node, path: Steps = ()) -> Iterator[Constraint]:
    """Yield every constraint that a good value meets, with the path of the value within it."""
    node = resolved(document, node)
    for keyword, note in node.get("x-clauses", {}).items():
        if keyword == "required":
            yield from (Constraint(node, (*path, name), keyword, each["id"]) for name, each in note.items())
        else:
            yield Constraint(node, path, keyword, note["id"])
    for name, inner in node.get("properties", {}).items():
        yield from constraints(document, inner, (*path, name))
    if "items" in node:
        yield from constraints(document, node["items"], (*path, 0))


def cases() -> list[Any]:
    found = []
    for name, kind in ANSWERS:
        schema = load(name).schemas[kind]
        for constraint in constraints(schema.document, schema.document):
            place = f"{name}/{kind}{strict_json.pointer(constraint.path)}:{constraint.keyword}"
            found.append(pytest.param(schema, constraint, id=place))
    return found


each_constraint = pytest.mark.parametrize(("schema", "constraint"), cases())


def value_of(schema: Schema) -> Any:
    return good(schema.document, schema.document)


def broken_clauses(schema: Schema, value: Any) -> list[str | None]:
    return [each.clause.id if each.clause else None for each in schema.examine(value).violations]


@cache
def response() -> Schema:
    return load(OPENAI).schemas[Kind.RESPONSE]


@pytest.fixture
def answer() -> Any:
    """A full answer that keeps OpenAI's contract."""
    return value_of(response())


@each_answer
def test_a_full_good_answer_breaks_no_clause(schema: Schema) -> None:
    assert not schema.examine(value_of(schema)).violations


@each_answer
def test_every_clause_examines_a_full_good_answer(schema: Schema) -> None:
    assert set(schema.clauses) == set(schema.examine(value_of(schema)).counts)


@each_answer
def test_a_clause_examines_as_often_as_it_stands_in_a_full_good_answer(schema: Schema) -> None:
    expected = Counter(each.clause for each in constraints(schema.document, schema.document))
    assert expected == schema.examine(value_of(schema)).counts


@each_constraint
def test_a_broken_constraint_breaks_its_clause_and_no_other(schema: Schema, constraint: Constraint) -> None:
    value = constraint.broken(value_of(schema))
    assert [constraint.clause] == broken_clauses(schema, value)


@each_constraint
def test_a_violation_says_where_it_is_what_came_and_what_is_wanted(schema: Schema, constraint: Constraint) -> None:
    value = constraint.broken(value_of(schema))
    missing = constraint.keyword == "required"
    expected = Violation(
        clause=schema.clauses[constraint.clause],
        keyword=constraint.keyword,
        path=constraint.path,
        got=ABSENT if missing else strict_json.at(value, constraint.path),
        want=wanted(constraint.keyword, constraint.path[-1] if missing else constraint.node[constraint.keyword]),
    )
    assert (expected,) == schema.examine(value).violations


@each_constraint
def test_a_broken_constraint_was_examined(schema: Schema, constraint: Constraint) -> None:
    value = constraint.broken(value_of(schema))
    assert schema.examine(value).counts[constraint.clause] > 0


def test_two_choices_count_twice(answer: Any) -> None:
    once = response().examine(answer).counts
    answer["choices"] *= 2
    twice = response().examine(answer).counts
    expected = {clause: 2 for clause in once if clause.startswith("choices.") and "list" not in clause}
    assert expected == {clause: twice[clause] for clause in expected}


def test_an_examination_starts_its_counts_anew(answer: Any) -> None:
    assert response().examine(answer).counts == response().examine(answer).counts


def test_what_is_broken_twice_is_two_violations(answer: Any) -> None:
    answer["choices"][0]["index"] = "0"
    answer["choices"] *= 2
    paths = [each.path for each in response().examine(answer).violations]
    expected = [("choices", 0, "index"), ("choices", 1, "index")]
    assert expected == paths


def test_an_absent_member_counts_nothing_but_its_presence() -> None:
    counts = response().examine({"id": "chatcmpl-1"}).counts
    expected = {
        "envelope.id.present": 1,
        "envelope.object.present": 1,
        "envelope.choices.present": 1,
        "envelope.model.present": 1,
        "envelope.id.type": 1,
        "envelope.id.nonempty": 1,
    }
    assert expected == counts


@pytest.mark.parametrize(
    "path, value, counted, uncounted",
    [
        (("service_tier",), 5, "envelope.service_tier.type", "envelope.service_tier.values"),
        (("usage", "total_tokens"), "12", "usage.total_tokens.type", "usage.total_tokens.minimum"),
        (("usage", "total_tokens"), None, "usage.total_tokens.type", "usage.total_tokens.minimum"),
        (("object",), ["chat.completion"], "envelope.object.type", "envelope.object.value"),
        (("id",), [], "envelope.id.type", "envelope.id.nonempty"),
        (("choices",), "", "envelope.choices.type", "choices.list.nonempty"),
    ],
)
def test_a_value_of_the_wrong_type_is_one_violation_and_counts_for_its_type_alone(
    answer: Any, path: Steps, value: Any, counted: str, uncounted: str
) -> None:
    strict_json.at(answer, path[:-1])[path[-1]] = value  # type: ignore[index]
    examination = response().examine(answer)
    assert ([counted], 1, 0) == (
        [each.clause.id for each in examination.violations if each.clause],
        examination.counts[counted],
        examination.counts.get(uncounted, 0),
    )


def test_null_is_examined_by_type_and_enum_and_not_by_a_bound(answer: Any) -> None:
    answer["usage"]["prompt_tokens_details"]["cached_tokens"] = None
    answer["service_tier"] = None
    expected = {
        "usage.cached_tokens.type": 1,
        "usage.cached_tokens.minimum": 0,
        "envelope.service_tier.type": 1,
        "envelope.service_tier.values": 1,
    }
    counts = response().examine(answer).counts
    assert expected == {clause: counts.get(clause, 0) for clause in expected}


@pytest.mark.parametrize("value", [1.0, 1.5, True, False, "1", 1e300])
def test_what_is_no_integer_breaks_the_type_of_a_count(answer: Any, value: Any) -> None:
    answer["usage"]["prompt_tokens"] = value
    expected = ["usage.prompt_tokens.type"]
    assert expected == broken_clauses(response(), answer)


@pytest.mark.parametrize("value", [True, "-1", None])
def test_what_is_no_number_breaks_the_type_of_a_log_probability(answer: Any, value: Any) -> None:
    answer["choices"][0]["logprobs"]["content"][0]["logprob"] = value
    expected = ["logprobs.logprob.type"]
    assert expected == broken_clauses(response(), answer)


def test_the_empty_finish_reason_breaks_only_the_clause_that_names_it(answer: Any) -> None:
    answer["choices"][0]["finish_reason"] = ""
    expected = ["choices.finish_reason.nonempty"]
    assert expected == broken_clauses(response(), answer)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.sampled_from([0.5, -1.5, "", "stop", "assistant", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["id", "token", "message", "content", "x"]), inner, max_size=3)
    ),
    max_leaves=5,
)


@settings(max_examples=300)
@given(st.data())
def test_jsonschema_alone_agrees_on_what_is_valid(data: st.DataObject) -> None:
    name, kind = data.draw(st.sampled_from(ANSWERS))
    schema = load(name).schemas[kind]
    holder = {"root": value_of(schema)}
    target: Any = holder
    step: Any = "root"
    while isinstance(target[step], dict | list) and target[step] and data.draw(st.booleans()):
        target = target[step]
        step = data.draw(st.sampled_from(list(target) if isinstance(target, dict) else [0]))
    target[step] = data.draw(JSON)
    valid = Draft202012Validator(schema.document).is_valid(holder["root"])
    assert valid == (not schema.examine(holder["root"]).violations)


def test_jsonschema_alone_lets_an_integer_with_a_fraction_pass(answer: Any) -> None:
    answer["created"] = 1767225600.0
    validator = Draft202012Validator(response().document)
    found = (validator.is_valid(answer), broken_clauses(response(), answer))
    expected = (True, ["envelope.created.type"])
    assert expected == found


# What OpenAI publishes and sends


def payloads(exchange: Exchange) -> list[tuple[Kind, Any]]:
    """Return the JSON values of an answer, or of a stream's data lines, with the kind of each."""
    assert exchange.response is not None
    text = exchange.response.body.decode()
    if not text.startswith("data: "):
        return [(Kind.RESPONSE, json.loads(text))]
    lines = [line.removeprefix("data: ") for line in text.splitlines() if line.startswith("data: {")]
    return [(Kind.CHUNK, json.loads(line)) for line in lines]


def failed(verdicts: list[Verdict], level: Level) -> list[tuple[str, str]]:
    return [
        (each.exchange, each.check)
        for each in verdicts
        if each.outcome in (Outcome.FAIL, Outcome.ERROR) and each.level is level
    ]


def test_the_examples_of_the_reference_are_these() -> None:
    expected = ["default", "functions", "image_input", "logprobs", "streaming", "streaming_usage"]
    assert expected == [file.stem for file in EXAMPLES]


@each_example
def test_an_example_of_the_reference_breaks_no_clause(file: Path) -> None:
    broken = [
        broken_clauses(load(OPENAI).schemas[kind], value)
        for exchange in load_recordings([file])
        for kind, value in payloads(exchange)
    ]
    assert [[]] * len(broken) == broken


@each_example
def test_an_example_of_the_reference_fails_no_check(file: Path) -> None:
    verdicts = list(judge(load_recordings([file])))
    assert verdicts
    assert not [found for level in Level for found in failed(verdicts, level)]


@each_example
def test_the_request_of_an_example_is_covered(file: Path) -> None:
    bodies = [exchange.request.body for exchange in load_recordings([file])]
    assert [True] * len(bodies) == [load(OPENAI).covers(body) for body in bodies]  # type: ignore[arg-type]


@needs_material
def test_what_openai_was_seen_to_send_fails_no_must() -> None:
    captures = Path(str(MATERIAL)) / "corpus" / "captures.jsonl.gz"
    exchanges = [exchange for exchange in load_recordings([captures]) if exchange.provider == OPENAI]
    found = (len(exchanges), failed(list(judge(exchanges)), Level.MUST))
    expected = (125, list[tuple[str, str]]())
    assert expected == found


# What a document covers

ASKED: dict[str, JsonValue] = {"model": "auto", "messages": [{"role": "user", "content": "Hi"}]}
PARTS: list[JsonValue] = [{"role": "user", "content": [{"type": "text", "text": "Hi"}]}]
TOOLS = [{"type": "function", "function": {"name": "now"}}]
DOCUMENTS = [name for name in names() if name != OPENAI]

COVERED: list[tuple[str, Node]] = [
    *((name, {}) for name in names()),
    *((name, {"stream": True, "max_tokens": 16, "temperature": 1}) for name in names()),
    *((name, {"top_p": 0.5}) for name in names() if name != "tooken"),
    *((name, {"messages": PARTS}) for name in names()),
    *((name, {"n": None, "tools": None, "no_such_parameter": None}) for name in DOCUMENTS),
    ("tooken", {"stream": True, "max_tokens": 16, "temperature": 0, "tools": TOOLS, "tool_choice": "auto"}),
    ("tooken", {"temperature": 2}),
    ("tooken", {"route_strategy": {"cost_weight": 1, "quality_weight": "high"}, "budget_limit": 0.5}),
    ("tkhub", {"n": 3, "seed": 7, "stream_options": {"include_usage": True}, "stop": "END"}),
    ("tkhub", {"tools": TOOLS, "tool_choice": "required"}),
    ("tkhub", {"modalities": ["text", "audio"]}),
    ("costrouter", {"tools": TOOLS, "response_format": {"type": "json_object"}}),
    ("costrouter", {"temperature": 3}),
    ("toapis", {"stop": ["a", "b", "c", "d"]}),
    ("xmsmartlink", {"n": 3, "stream_options": {"include_usage": True}, "stop": ["a"]}),
    ("xmsmartlink", {"tools": TOOLS, "tool_choice": "none", "parallel_tool_calls": False}),
    ("openai", {"n": 128, "seed": 7, "logprobs": True, "top_logprobs": 20, "stop": ["a"]}),
    ("openai", {"no_such_parameter": 1}),
]  # fmt: skip

OUTSIDE: list[tuple[str, Node]] = [
    *((name, {"no_such_parameter": 1}) for name in DOCUMENTS),
    *((name, {"messages": "Hi"}) for name in names()),
    *((name, {"model": None}) for name in names()),
    *((name, {"max_tokens": 16.0}) for name in names()),
    *((name, {"temperature": 3}) for name in names() if name != "costrouter"),
    *((name, {"seed": 7}) for name in ("tooken", "costrouter", "toapis", "xmsmartlink")),
    *((name, {"logprobs": True}) for name in DOCUMENTS),
    ("tooken", {"n": 1}),
    ("tooken", {"stream_options": {"include_usage": True}}),
    ("tooken", {"top_p": 1}),
    ("tkhub", {"tool_choice": {"type": "function", "function": {"name": "now"}}}),
    ("tkhub", {"reasoning_effort": "extreme"}),
    ("tkhub", {"presence_penalty": -3}),
    ("costrouter", {"stream_options": {"include_usage": True}}),
    ("toapis", {"tools": TOOLS}),
    ("toapis", {"stop": ["a", "b", "c", "d", "e"]}),
    ("toapis", {"n": 1}),
    ("xmsmartlink", {"messages": []}),
    ("xmsmartlink", {"messages": [{"role": "user", "content": "Hi", "refusal": "No"}]}),
    ("xmsmartlink", {"max_tokens": 0}),
    ("openai", {"messages": []}),
    ("openai", {"n": 129}),
    ("openai", {"safety_identifier": "x" * 65}),
]


def table(rows: list[tuple[str, Node]]) -> list[Any]:
    return [pytest.param(name, extra, id=f"{name}-{json.dumps(extra)[:60]}") for name, extra in rows]


@pytest.mark.parametrize("name, extra", table(COVERED))
def test_a_request_inside_its_document_is_covered(name: str, extra: Node) -> None:
    assert load(name).covers({**ASKED, **extra})


@pytest.mark.parametrize("name, extra", table(OUTSIDE))
def test_a_request_outside_its_document_is_not_covered(name: str, extra: Node) -> None:
    assert not load(name).covers({**ASKED, **extra})


def test_what_only_an_example_shows_closes_no_document() -> None:
    schema = load("tooken").schemas[Kind.REQUEST]
    violations = schema.examine({**ASKED, "messages": PARTS}).violations
    expected = [Level.SHOULD]
    assert expected == [each.clause.level for each in violations if each.clause]


@pytest.mark.parametrize("body", [None, "Hi", [], 7])
def test_a_body_that_is_no_object_is_nothing_that_a_document_could_exclude(body: Any) -> None:
    assert load("tooken").covers(body)


def test_a_contract_without_a_request_schema_covers_every_request() -> None:
    assert Contract("acme", {}).covers({"anything": 1})


# Clauses and promises


@pytest.mark.parametrize("name", names())
def test_the_clauses_of_requests_are_not_among_those_on_answers(name: str) -> None:
    contract = load(name)
    expected = {clause for kind, each in contract.schemas.items() if kind != "request" for clause in each.clauses}
    assert expected == set(contract.clauses)


@pytest.mark.parametrize("name", DOCUMENTS)
def test_the_level_of_a_clause_follows_from_its_basis(name: str) -> None:
    contract = load(name)
    clauses = [*contract.clauses.values(), *contract.promises.values()]
    expected = {"stated": "must", "tabled": "must", "exampled": "should", "inferred": "may"}
    assert [expected[str(each.basis)] for each in clauses] == [each.level for each in clauses]


def test_a_clause_of_a_document_cites_its_lines() -> None:
    clause = load("tooken").clauses["envelope.created.type"]
    expected = (Basis.EXAMPLED, "000_3800249b69e3bcad.txt:59")
    assert expected == (clause.basis, clause.source)


def test_a_clause_of_openai_cites_its_sources() -> None:
    clause = load(OPENAI).clauses["envelope.id.type"]
    expected = (None, "OpenAI API reference, ENV-01, ENV-04")
    assert expected == (clause.basis, clause.source)


@pytest.mark.parametrize(
    "check, says",
    [
        ("envelope.id.type", True),
        ("sse.done.present", True),
        ("request.model.type", False),
        ("no.such.check", False),
    ],
)
def test_a_contract_says_what_it_has_a_clause_or_a_promise_of(check: str, *, says: bool) -> None:
    assert says == load("tooken").says(check)


@pytest.mark.parametrize(
    "check, when",
    [
        ("extensions.platform.present", {"model": ("auto",)}),
        ("extensions.routed_model.present", {"model": ("auto",)}),
        ("message.content.present", {"tools": (None,)}),
        ("envelope.id.present", {}),
    ],
)
def test_a_clause_says_when_it_holds(check: str, when: dict[str, Any]) -> None:
    assert when == load("tooken").clauses[check].when


def own_outcome(check: str, asked: Node, answered: Node) -> Outcome | None:
    """Return the outcome of one clause of Tooken's document on an answer, None where it does not stand."""
    body = json.dumps(answered).encode()
    exchange = Exchange(
        "answer",
        "tooken",
        Request("POST", "https://api.example.com/v1/chat/completions", body={**ASKED, **asked}),
        Response(200, (("Content-Type", "application/json"),), body),
    )
    verdicts = [each for each in judge([exchange], "tooken") if (each.contract, each.check) == ("tooken", check)]
    return verdicts[0].outcome if verdicts else None


PLATFORM, CONTENT = "extensions.platform.present", "message.content.present"


@pytest.mark.parametrize(
    "check, asked, expected",
    [
        (PLATFORM, {}, Outcome.FAIL),
        (PLATFORM, {"model": "gpt-example"}, None),
        (CONTENT, {}, Outcome.FAIL),
        (CONTENT, {"tools": None}, Outcome.FAIL),
        (CONTENT, {"tools": TOOLS}, None),
        (CONTENT, {"n": 2}, Outcome.NOT_APPLICABLE),
    ],
)
def test_a_clause_holds_only_under_its_circumstances(check: str, asked: Node, expected: Outcome | None) -> None:
    answered = value_of(load("tooken").schemas[Kind.RESPONSE])
    del answered["platform"], answered["choices"][0]["message"]["content"]
    assert expected == own_outcome(check, asked, answered)


@pytest.mark.parametrize("check", [PLATFORM, CONTENT])
def test_a_clause_under_its_circumstances_can_pass(check: str) -> None:
    answered = value_of(load("tooken").schemas[Kind.RESPONSE])
    assert Outcome.PASS is own_outcome(check, {}, answered)


# Reading


def test_the_contracts_are_openais_and_one_for_each_document() -> None:
    expected = ("costrouter", "openai", "tkhub", "toapis", "tooken", "xmsmartlink")
    assert expected == names()


def test_an_unknown_contract_is_an_input_error_that_names_the_known() -> None:
    with pytest.raises(InputError) as caught:
        load("tokken")
    found = (str(caught.value.place), caught.value.problem, caught.value.remedy)
    expected = (
        str(resources.path("schemas")),
        "there is no contract 'tokken'",
        f"name one of {', '.join(names())}",
    )
    assert expected == found


@pytest.mark.parametrize(
    "text, where, problem",
    [
        (b'{"type": "object",\n "title" "x"}', ":2:10", "is not JSON: Expecting ':' delimiter"),
        (b'{"title": "\xff"}', ":1:12", "is not JSON: not UTF-8"),
        (b"", ":1:1", "is not JSON: no JSON value"),
        (b"[" * 100000, "", "is beyond the limit of depth"),
        (b'{"default": ' + b"9" * 5000 + b"}", "", "is beyond the limit of digits"),
        (b'["type"]', "", "is no JSON object"),
        (b"null", "", "is no JSON object"),
    ],
    ids=["comma", "utf-8", "empty", "depth", "digits", "array", "null"],
)
def test_a_file_that_is_no_schema_is_an_input_error_with_its_place(
    tmp_path: Path, text: bytes, where: str, problem: str
) -> None:
    file = tmp_path / "acme" / "response.schema.json"
    file.parent.mkdir()
    file.write_bytes(text)
    with pytest.raises(InputError) as caught:
        load("acme", tmp_path)
    expected = (f"{file}{where}", problem)
    assert expected == (str(caught.value.place), caught.value.problem)


@pytest.mark.parametrize(
    "note",
    [
        {"level": "must", "says": "id is a string."},
        {"id": "envelope.id.type", "says": "id is a string."},
        {"id": "envelope.id.type", "level": "warn", "says": "id is a string."},
        {"id": "envelope.id.type", "basis": "guessed", "says": "id is a string."},
        {"id": "envelope.id.type", "level": "must"},
    ],
    ids=["id", "level", "level-unknown", "basis-unknown", "says"],
)
def test_a_clause_that_is_not_whole_is_an_input_error(tmp_path: Path, note: Node) -> None:
    schema = {"properties": {"id": {"type": "string", "x-clauses": {"type": note}}}}
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / "response.schema.json").write_text(json.dumps(schema), "utf-8")
    with pytest.raises(InputError) as caught:
        load("acme", tmp_path)
    assert str(tmp_path / "acme" / "response.schema.json") == str(caught.value.place)


def test_a_head_without_the_documents_name_is_read(tmp_path: Path) -> None:
    file = tmp_path / "response.schema.json"
    file.write_text('{"x-document": {}}', "utf-8")
    assert Schema(read(file), str(file)).source is None
