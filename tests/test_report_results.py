"""results.json: what is written can be read again, and what cannot be read is said in one error."""

from __future__ import annotations

import copy
import functools
import json
import operator
from dataclasses import asdict, fields, replace
from itertools import pairwise
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from chatconform import diff, exhibits, gate, model, reports, resources
from chatconform.model import InputError, Outcome, Results, SuiteError
from chatconform.report import schema
from chatconform.report.results import dump, load, to_json
from report_sample import sample

SCHEMA = json.loads(resources.read_text("schemas/chatconform/results.schema.json"))
NOUNS = {
    "provider": model.ProviderResult,
    "place": model.Place,
    "tally": model.Tally,
    "check": model.CheckText,
    "habit": exhibits.Habit,
    "habit_text": exhibits.HabitText,
    "exchange": model.ExchangeSummary,
    "verdict": model.Verdict,
    "finding": model.Finding,
    "waiver": model.Waiver,
    "problem": model.Problem,
    "change": model.Change,
    "line": exhibits.Line,
    "evidence": exhibits.Evidence,
    "timeline": exhibits.Timeline,
    "sent": exhibits.Sent,
    "received": exhibits.Received,
    "endpoint": exhibits.Endpoint,
    "contract_digest": exhibits.ContractDigest,
}
ENUMS = {
    "level": model.Level,
    "outcome": model.Outcome,
    "provider/properties/conclusion": model.Conclusion,
    "exchange/properties/origin": model.Origin,
    "verdict/properties/reason": model.Reason,
    "verdict/properties/own_document": model.OwnDocument,
    "change/properties/kind": diff.Kind,
    "change/properties/by": diff.By,
}
EMPTY = Results(run={}, providers=(), checks={}, exchanges=(), verdicts=())


def listed(results: Results) -> Results:
    kept = tuple(item for item in results.verdicts if item.outcome is not Outcome.NOT_APPLICABLE)
    return replace(results, verdicts=kept)


def refused(path: Path) -> InputError:
    with pytest.raises(InputError) as caught:
        load(path)
    return caught.value


def written(tmp_path: Path, content: bytes) -> Path:
    path = tmp_path / "results.json"
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("results", [sample(), EMPTY], ids=["sample", "empty"])
def test_what_was_dumped_loads_as_it_was_but_for_what_was_not_applicable(results, tmp_path):
    assert listed(results) == load(written(tmp_path, dump(results)))


@pytest.mark.parametrize("results", [sample(), EMPTY], ids=["sample", "empty"])
def test_what_is_dumped_follows_the_published_schema(results):
    expected = []
    assert expected == list(Draft202012Validator(SCHEMA).iter_errors(to_json(results)))


def test_the_schema_is_a_schema():
    assert Draft202012Validator.check_schema(SCHEMA) is None


@pytest.mark.parametrize("name", NOUNS)
def test_the_schema_names_every_member_of_a_noun_and_no_other(name):
    described = SCHEMA["$defs"][name]
    expected = {field.name for field in fields(NOUNS[name]) if field.compare}
    assert (expected, expected, False) == (
        set(described["properties"]),
        set(described["required"]),
        described["additionalProperties"],
    )


@pytest.mark.parametrize("where", ENUMS)
def test_the_schema_names_every_value_of_an_enumeration(where):
    found = SCHEMA["$defs"]
    for part in where.split("/"):
        found = found[part]
    expected = [item.value for item in ENUMS[where]]
    assert expected == [value for value in found["enum"] if value is not None]


def test_the_schema_describes_every_member():
    undescribed = [
        f"{name}.{member}"
        for name, noun in SCHEMA["$defs"].items()
        for member, schema in noun.get("properties", {}).items()
        if not {"description", "$ref", "anyOf"} & set(schema)
    ]
    expected = []
    assert expected == undescribed


def test_the_order_of_judging_leaves_no_trace():
    results = sample()
    turned = replace(
        results,
        providers=results.providers[::-1],
        checks=dict(reversed(results.checks.items())),
        exchanges=results.exchanges[::-1],
        verdicts=results.verdicts[::-1],
        changes=results.changes[::-1],
    )
    assert dump(results) == dump(turned)


def test_the_file_is_utf_8_with_one_space_of_indent_and_a_line_feed_at_its_end():
    content = dump(sample())
    expected = (b'{\n "format": "chatconform.results/1",', b"\n}\n", True)
    assert expected == (content[:37], content[-3:], "中文".encode() in content)


def test_a_lone_surrogate_survives(tmp_path):
    results = replace(EMPTY, baseline="\ud800|\U000e0041|\u202e")
    assert load(written(tmp_path, dump(results))).baseline == results.baseline


@pytest.mark.parametrize(
    "content, place, problem",
    [
        (b'{\n "format": ', ":2:12", "not JSON: Expecting value"),
        (b"", ":1:1", "not JSON: Expecting value"),
        (b'{"format": NaN}', "", "not JSON: NaN is no JSON value"),
        (b"[" * 100_000, "", "not a results file: nested too deeply"),
        (b"{\n\xff}", ":2:1", "byte 2 is not UTF-8 (invalid start byte)"),
        (b"[]", "", '/format: absent; a results file begins with "format": "chatconform.results/1"'),
        (
            b'{"format": "chatconform.results/2"}',
            "",
            "/format: chatconform.results/2 is another version; this one reads chatconform.results/1",
        ),
        (b'{"format": "chatconform.results/1"}', "", "/: 'run' is a required property"),
    ],
    ids=["truncated", "empty", "nan", "deep", "not-utf-8", "no-format", "version", "schema"],
)
def test_what_cannot_be_read_is_one_error_with_a_place(content, place, problem, tmp_path):
    path = written(tmp_path, content)
    error = refused(path)
    assert (f"{path}{place}", problem) == (str(error.place), error.problem)


@pytest.mark.parametrize(
    "number, problem",
    [
        (str(2**53), "9007199254740992 is beyond 9007199254740991"),
        (f"-{2**53}", "-9007199254740992 is beyond 9007199254740991"),
        ("9" * 5_000, "…(+4929)…99999999999999999999999 is beyond 9007199254740991"),
        ("1e999", "1e999 is beyond all floating point numbers"),
        ("-1e999", "-1e999 is beyond all floating point numbers"),
    ],
    ids=["large", "small", "long", "infinite", "minus infinite"],
)
def test_a_number_that_not_every_reader_has_is_one_error(number, problem, tmp_path):
    content = dump(sample()).replace(b'"run": {', b'"run": {"a": [' + number.encode() + b"],", 1)
    assert refused(written(tmp_path, content)).problem.endswith(problem)


@pytest.mark.parametrize("number", [2**53 - 1, 1 - 2**53, 1e300, 1.0])
def test_any_other_number_may_be_a_fact_of_the_run(number, tmp_path):
    document = {**to_json(sample()), "run": {"a": number}}
    assert {"a": number} == load(written(tmp_path, json.dumps(document).encode())).run


@pytest.mark.parametrize("levels, expected", [(61, None), (62, "/run/a" + "/0" * 62 + ": nested deeper than 64")])
def test_a_fact_of_the_run_is_nested_as_deeply_as_pages_can_show(levels, expected, tmp_path):
    nested = json.loads("[" * (levels + 1) + "]" * (levels + 1))
    path = written(tmp_path, json.dumps({**to_json(sample()), "run": {"a": nested}}).encode())
    assert expected == (refused(path).problem if expected else load(path) and None)


def test_more_commas_than_results_have_are_one_error(tmp_path):
    problem = refused(written(tmp_path, b"[" + b"," * 16_000_001)).problem
    assert "not a results file: more than 16,000,000 commas" == problem


@pytest.mark.parametrize(
    "member, value, problem",
    [
        ("level", "shall", "/verdicts/0/level: 'shall' is not one of ['must', 'should', 'may']"),
        ("examined", -1, "/verdicts/0/examined: -1 is less than the minimum of 0"),
        ("examined", 3.0, "/verdicts/0/examined: 3.0 is not of type 'integer'"),
        ("findings", {}, "/verdicts/0/findings: {} is not of type 'array'"),
        ("outcome", "\x1b[2J", "/verdicts/0/outcome: '\\x1b[2J' is not one of "),
    ],
)
def test_a_violation_is_named_by_its_pointer(member, value, problem, tmp_path):
    document = to_json(sample())
    document["verdicts"][0][member] = value
    error = refused(written(tmp_path, json.dumps(document).encode()))
    assert problem == error.problem[: len(problem)]


def test_a_timeline_without_an_event_is_refused(tmp_path):
    problem = refused(written(tmp_path, edited(replaced([], "exchanges", 1, "received", "timeline", "events")))).problem
    assert "/exchanges/1/received/timeline: {'events': [], 'done': 901000} is not valid" == problem[:75]


def test_a_pass_that_examined_nothing_is_refused(tmp_path):
    document = to_json(sample())
    first = next(item for item in document["verdicts"] if item["outcome"] == "pass")
    first["examined"] = 0
    error = refused(written(tmp_path, json.dumps(document).encode()))
    assert error.problem.endswith("/examined: 0 is less than the minimum of 1")


# The quick test of the schema, held against jsonschema

OTHERS = [None, True, 0, -1, 1.0, 2.5, "", "x", "x" * 4_097, [], [[]], ["x"], [1, 2], {}, {"x": 1}, {"must": "must"}]


def least(document, path):
    """Return a copy of a document that holds of each list at its top no more than what a path leads to, or its head."""
    kept = {name: value[:1] if isinstance(value, list) else value for name, value in document.items()}
    if len(path) > 1 and isinstance(path[1], int):
        kept[path[0]] = [document[path[0]][path[1]]]
        path = (path[0], 0, *path[2:])
    return copy.deepcopy(kept), path


def places(value, path=()):
    """Yield the paths to all that is in a value, and of what is alike but for its place in a list the first."""
    yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from places(each, (*path, key))


def alike(path):
    """Return a path without the places in lists and the keys of maps."""
    maps = ("checks", "habits", "deviations", "contracts")
    return tuple("*" if isinstance(part, int) or before in maps else part for before, part in pairwise((None, *path)))


PLACES = {alike(path): path for path in reversed([*places(to_json(sample()))]) if path}.values()


@pytest.mark.parametrize("name", sorted({path[0] for path in PLACES}))
def test_the_quick_test_and_jsonschema_refuse_alike(name):
    for path in (path for path in PLACES if path[0] == name):
        document, (*to, last) = least(to_json(sample()), path)
        at = functools.reduce(operator.getitem, to, document)
        before = at.pop(last)
        found = [(None, schema.keeps()(document), schema.validator().is_valid(document))]
        at.insert(last, before) if isinstance(at, list) else at.update({last: before})
        for other in [*OTHERS, *([{**before, "more": 1}] if isinstance(before, dict) else [])]:
            at[last] = other
            found.append((other, schema.keeps()(document), schema.validator().is_valid(document)))
        assert [] == [(path, other) for other, said, expected in found if said is not expected]


@pytest.mark.parametrize("keyword, value", [("pattern", "^a"), ("uniqueItems", True), ("maximum", 9), ("oneOf", [])])
def test_the_quick_test_refuses_to_know_a_keyword_that_it_does_not(keyword, value):
    with pytest.raises(SuiteError, match=keyword):
        schema.Tests({}).of({"type": "string", keyword: value})


def test_a_file_that_is_not_there_is_one_error(tmp_path):
    error = refused(tmp_path / "none.json")
    assert error.problem == "cannot be read: No such file or directory"


# Edited by hand: what does not fit together is named by its pointer


def edited(change) -> bytes:
    document = to_json(sample())
    change(document)
    return json.dumps(document).encode()


def copied(name):
    return lambda document: document[name].append(document[name][0])


def replaced(value, *path):
    def change(document):
        *to, last = path
        for part in to:
            document = document[part]
        document[last] = value

    return change


def place_of(**members) -> int:
    """Return where the sample's first verdict with these members stands."""
    found = to_json(sample())["verdicts"]
    return next(index for index, each in enumerate(found) if members.items() <= each.items())


UNPROVEN, DONE = place_of(outcome="unproven"), place_of(check="sse.done.last", contract="openai", outcome="fail")
BROKE = next(index for index, each in enumerate(to_json(sample())["changes"]) if each["kind"] == "broke")
WAIVED = next(index for index, each in enumerate(to_json(sample())["verdicts"]) if each["waiver"])
EDITS = [
    ("a provider twice", copied("providers"), "/providers/5: acme stands here a second time"),
    ("an exchange twice", copied("exchanges"), "/exchanges/9: acme plain stands here a second time"),
    ("a verdict twice", copied("verdicts"), "/verdicts/17: acme acme envelope.id.type plain stands here a second time"),
    ("an unknown provider", replaced("nobody", "verdicts", 0, "provider"), "/verdicts/0/provider: nobody is not among"),
    ("an unknown check", replaced("a.b", "verdicts", 0, "check"), "/verdicts/0/check: a.b is not among the checks"),
    ("an unknown exchange", replaced("x", "verdicts", 0, "exchange"), "/verdicts/0/exchange: x is not among the exch"),
    ("an exchange of nobody", replaced("nobody", "exchanges", 0, "provider"), "/exchanges/0/provider: nobody is not"),
    ("an unknown habit", replaced("x", "exchanges", 0, "habits", 0, "id"), "/exchanges/0/habits/0/id: x is not among"),
    ("another id", replaced("x", "checks", "sse.done.last", "id"), "/checks/sse.done.last/id: x stands under another"),
    ("bytes", replaced([9, 3], "verdicts", 2, "findings", 0, "bytes"), "/verdicts/2/findings/0/bytes: the range ends"),
    ("no baseline", replaced(None, "baseline"), "/changes: there are changes, and no baseline"),
    ("a change", replaced("pass", "changes", 0, "after"), "/changes/0/after: pass, and the verdict is fail"),
    (
        "a changed outcome",
        replaced("unproven", "changes", 1, "after"),
        "/changes/1/after: unproven, and the verdict is",
    ),
    ("a changed level", replaced("may", "changes", 0, "level"), "/changes/0/level: may, and the verdict is of level"),
    ("another kind", replaced("fixed", "changes", 0, "kind"), "/changes/0/kind: fixed, from absent to fail"),
    ("no kind", replaced("\x1b[31mX", "changes", 0, "kind"), "/changes/0/kind: '\\x1b[31mX' is not one of ['broke', "),
    ("no change", replaced("fail", "changes", BROKE, "before"), f"/changes/{BROKE}/kind: broke, from fail to fail"),
    (
        "unlisted",
        replaced("not-applicable", "verdicts", 9, "outcome"),
        "/verdicts/9/outcome: what is not applicable",
    ),
    ("a reason", replaced("network", "verdicts", 2, "reason"), "/verdicts/2/reason: network, and the verdict is fail"),
    ("no reason", replaced(None, "verdicts", UNPROVEN, "reason"), f"/verdicts/{UNPROVEN}/reason: absent, and the verd"),
    (
        "a wrong reason",
        replaced("refused-typed", "verdicts", UNPROVEN, "reason"),
        f"/verdicts/{UNPROVEN}/reason: ref",
    ),
    ("too few", replaced(1, "verdicts", DONE, "found"), f"/verdicts/{DONE}/found: 1, and 7 are listed"),
    (
        "its waiver",
        replaced("x", "verdicts", WAIVED, "waiver", "check"),
        f"/verdicts/{WAIVED}/waiver: it is of",
    ),
    (
        "its exchange",
        replaced("x", "verdicts", WAIVED, "waiver", "exchange"),
        f"/verdicts/{WAIVED}/waiver: it is of",
    ),
    (
        "a long line",
        replaced(9, "verdicts", DONE, "findings", 0, "evidence", "size"),
        f"/verdicts/{DONE}/findings/0/evidence/lines/0/bytes: the range ends behind the body, which has 9 bytes",
    ),
    (
        "a line",
        replaced([9, 3], "verdicts", DONE, "findings", 0, "evidence", "lines", 1, "bytes"),
        f"/verdicts/{DONE}/findings/0/evidence/lines/1/bytes: the range ends before it begins",
    ),
    (
        "a part",
        replaced(True, "providers", 0, "is_part"),
        "/providers/0/is_part: true, and the run was not",
    ),
    ("interrupted", replaced("yes", "run", "interrupted"), "/run/interrupted: 'yes' is not of type 'boolean'"),
    (
        "no level",
        lambda each: each["providers"][0]["counts"]["openai"].pop("may"),
        "/providers/0/counts/openai: 'may'",
    ),
]


@pytest.mark.parametrize("change, problem", [row[1:] for row in EDITS], ids=[row[0] for row in EDITS])
def test_what_does_not_fit_together_is_one_error_with_a_pointer(change, problem, tmp_path):
    error = refused(written(tmp_path, edited(change)))
    assert problem == error.problem[: len(problem)]


def test_a_key_that_stands_twice_is_one_error_with_a_pointer(tmp_path):
    content = dump(sample()).replace(b'"level": "must",', b'"level": "must", "level": "may",', 1)
    error = refused(written(tmp_path, content))
    assert "/verdicts/0: the key level stands twice in one object" == error.problem


def test_where_the_suite_changed_and_then_the_provider_did_the_last_of_the_changes_counts(tmp_path):
    def twice(document):
        broke = next(each for each in document["changes"] if each["kind"] == "broke")
        document["changes"].append({**broke, "kind": "fixed", "by": "suite", "before": "fail", "after": "pass"})

    assert len(sample().changes) + 1 == len(load(written(tmp_path, edited(twice))).changes)


CONTRADICTIONS = [
    (replaced(7, "providers", 0, "counts", "openai", "must", "failed"),
     "/providers/0/counts/openai/must/failed: 7, and its verdicts make it 2"),
    (replaced("conforms", "providers", 0, "conclusion"),
     "/providers/0/conclusion: conforms, and its verdicts make it deviates"),
    (replaced("deviates: little", "providers", 0, "sentence"),
     "/providers/0/sentence: deviates: little, and its verdicts make it deviates: own document: 1 of 1 musts verified"),
    (replaced(dict.fromkeys(model.Level, asdict(model.Tally())), "providers", 0, "counts", "ghost"),
     "/providers/0/sentence: deviates: own document: 1 of 1 musts verified"),
    (replaced({}, "providers", 3, "counts"), "/providers/3/counts/openai/must/passed: 0, and its verdicts make it 1"),
]  # fmt: skip


@pytest.mark.parametrize("change, problem", CONTRADICTIONS)
def test_counts_and_conclusions_that_contradict_the_verdicts_are_one_error_with_a_pointer(change, problem, tmp_path):
    with pytest.raises(InputError) as caught:
        reports.read(written(tmp_path, edited(change)))
    assert problem == caught.value.problem[: len(problem)]


def test_what_another_version_said_in_other_words_is_read(tmp_path):
    document = to_json(sample())
    document["run"]["suite"], document["providers"][0]["sentence"] = "0.0.9", "deviates: in other words"
    read = reports.read(written(tmp_path, json.dumps(document).encode()))
    assert "deviates: in other words" == read.providers[0].sentence


def test_what_is_said_where_nothing_was_applicable_is_read(tmp_path):
    lawful = model.Verdict("p", "openai", "a", model.Level.MUST, "x", Outcome.NOT_APPLICABLE)
    made = gate.conclude([lawful], document_only=False)
    results = replace(EMPTY, providers=(model.ProviderResult("p", *made, "x"),))
    assert results == reports.read(written(tmp_path, dump(results)))


def test_results_that_contradict_nothing_are_read(tmp_path):
    assert listed(sample()) == reports.read(written(tmp_path, dump(sample())))
