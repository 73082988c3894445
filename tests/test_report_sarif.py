"""SARIF: its shape by the standard, what GitHub asks for beyond it, and its limits."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from chatconform import gate
from chatconform.gate import FailOn
from chatconform.model import ExchangeSummary, Finding, Origin, Outcome, Place, Results
from chatconform.report import location, sarif
from report_sample import HOSTILE_PROVIDER, VERDICTS, sample


def closed(required: str, optional: str = "", **members: object) -> dict:
    """A JSON object of these members and no others."""
    names = {**dict.fromkeys((*required.split(), *optional.split()), True), **members}
    return {"type": "object", "required": required.split(), "properties": names, "additionalProperties": False}


TEXT = closed("text", text={"type": "string", "minLength": 1, "maxLength": 6_000})
LEVEL = {"enum": ["none", "note", "warning", "error"]}
COUNT = {"type": "integer", "minimum": 1}
NOTIFICATION = closed("descriptor level message", descriptor=closed("id"), level=LEVEL, message=TEXT)
RULE = closed(
    "id shortDescription fullDescription help defaultConfiguration properties",
    shortDescription=closed("text", text={"type": "string", "maxLength": 1024}),
    fullDescription=closed("text", text={"type": "string", "maxLength": 1024}),
    help=TEXT,
    helpUri={"type": "string", "pattern": "^https://"},
    defaultConfiguration=closed("level", level=LEVEL),
    properties=closed("tags precision problem.severity", tags={"type": "array", "maxItems": 10, "uniqueItems": True}),
)
PLACE = closed(
    "physicalLocation logicalLocations",
    physicalLocation=closed(
        "artifactLocation region",
        artifactLocation=closed("uri uriBaseId", uri={"type": "string", "pattern": "^[A-Za-z0-9_.~%/-]+$"}),
        region=closed("startLine", startLine=COUNT),
    ),
    logicalLocations={"type": "array", "items": closed("name fullyQualifiedName")},
)
RESULT = closed(
    "ruleId ruleIndex kind level message locations partialFingerprints occurrenceCount properties",
    ruleIndex={"type": "integer", "minimum": 0},
    kind={"const": "fail"},
    level=LEVEL,
    message=TEXT,
    locations={"type": "array", "minItems": 1, "maxItems": 1, "items": PLACE},
    partialFingerprints=closed(
        "primaryLocationLineHash chatconformVerdictKey/v1",
        primaryLocationLineHash={"type": "string", "pattern": "^[0-9a-f]{16}:1$"},
    ),
    occurrenceCount=COUNT,
    properties={"type": "object"},
    baselineState={"enum": ["new", "unchanged", "updated", "absent"]},
    suppressions={"type": "array", "items": closed("kind status justification", kind={"enum": ["inSource", "external"]},
                                                   status={"const": "accepted"})},
)  # fmt: skip
RUN = closed(
    "tool invocations results",
    tool=closed("driver", driver=closed("name rules", "version", rules={"type": "array", "items": RULE})),
    invocations={"type": "array", "minItems": 1, "maxItems": 1, "items": closed(
        "executionSuccessful exitCode toolExecutionNotifications toolConfigurationNotifications",
        executionSuccessful={"type": "boolean"},
        exitCode={"type": "integer"},
        toolExecutionNotifications={"type": "array", "items": NOTIFICATION},
        toolConfigurationNotifications={"type": "array", "items": NOTIFICATION},
    )},
    results={"type": "array", "maxItems": 5_000, "items": RESULT},
)  # fmt: skip
LOG = closed("$schema version runs", version={"const": "2.1.0"}, runs={"type": "array", "maxItems": 1, "items": RUN})
"""What we use of SARIF 2.1.0 (OASIS, sections 3.13 to 3.58) within what GitHub documents for code scanning."""


def run_of(results: Results, fail_on: FailOn = FailOn.MUST) -> dict:
    log = json.loads(sarif.render(results, gate.decide(results, fail_on)))
    assert [] == [(list(error.absolute_path), error.message) for error in Draft202012Validator(LOG).iter_errors(log)]
    return log["runs"][0]


def found(run: dict, rule: str, provider: str = "acme") -> dict:
    return next(each for each in run["results"] if (each["ruleId"], each["properties"]["provider"]) == (rule, provider))


@pytest.mark.parametrize("fail_on", FailOn)
def test_the_file_keeps_to_the_standard(fail_on):
    assert run_of(sample(), fail_on)["invocations"][0]["exitCode"] == 4


def test_every_failing_verdict_is_a_result_worst_first_and_waived_last():
    failing = sum(each.outcome is Outcome.FAIL for each in VERDICTS)
    results = run_of(sample())["results"]
    assert failing == len(results)
    assert ["error"] * 4 + ["warning"] * 2 + ["note", "warning"] == [each["level"] for each in results]
    assert ["suppressions" in each for each in results] == [False] * 7 + [True]


def test_a_result_points_at_its_rule():
    run = run_of(sample())
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert [each["ruleId"] for each in run["results"]] == [rules[each["ruleIndex"]] for each in run["results"]]


def test_a_check_of_the_own_document_is_a_rule_of_its_own_with_that_level():
    run = run_of(sample())
    levels = {rule["id"]: rule["defaultConfiguration"]["level"] for rule in run["tool"]["driver"]["rules"]}
    assert ("error", "warning") == (levels["sse.done.last"], levels["acme/sse.done.last"])


def test_a_rule_of_a_contract_with_the_name_of_a_group_has_that_tag_once():
    verdict = replace(next(each for each in sample().verdicts if each.check == "sse.done.last"), contract="sse")
    log = run_of(replace(sample(), verdicts=(verdict,)))
    assert [["sse"]] == [rule["properties"]["tags"] for rule in log["tool"]["driver"]["rules"]]


def test_a_message_says_what_was_found_and_where():
    assert (
        "acme (OpenAI, must): this does not hold: Nothing follows `[DONE]`. In stream.usage, bytes [1200, 1216), "
        "event 12: got an event; wanted the end of the stream. And 69 more findings in this exchange."
    ) == found(run_of(sample()), "sse.done.last")["message"]["text"]


def test_a_waiver_is_a_suppression_with_its_reason():
    assert [
        {
            "kind": "external",
            "status": "accepted",
            "justification": "on top | until v2 (until 2027-03-31) https://acme.example/4?a=1&b=2",
        }
    ] == found(run_of(sample()), "usage.total.sum")["suppressions"]


def test_what_broke_since_the_baseline_is_new_and_the_rest_unchanged():
    run = run_of(sample())
    states = {rule: found(run, rule)["baselineState"] for rule in ("sse.done.last", "envelope.model.present")}
    assert {"sse.done.last": "new", "envelope.model.present": "unchanged"} == states
    assert {None} == {each.get("baselineState") for each in run_of(replace(sample(), baseline=None))["results"]}


def test_what_is_no_deviation_is_a_notification():
    invocation = run_of(sample())["invocations"][0]
    said = [(each["descriptor"]["id"], each["level"]) for each in invocation["toolExecutionNotifications"]]
    assert [("bug", "error"), ("unproven", "note"), ("unproven", "note")] == said
    assert ["bulk.jsonl:7:1: not JSON: an object ends early record it again"] == [
        each["message"]["text"] for each in invocation["toolConfigurationNotifications"]
    ]
    assert invocation["executionSuccessful"] is False


def test_a_fingerprint_hangs_on_the_verdicts_key_alone():
    moved = replace(
        sample(),
        run={"mode": "live", "suite": "9.9"},
        exchanges=tuple(replace(each, file=f"elsewhere/{each.file}", sha256="0") for each in sample().exchanges),
        verdicts=tuple(replace(each, findings=tuple(replace(it, got="other") for it in each.findings))
                       for each in sample().verdicts),
    )  # fmt: skip
    before, after = ([each["partialFingerprints"] for each in run_of(it)["results"]] for it in (sample(), moved))
    assert before == after
    assert len(before) == len({each["primaryLocationLineHash"] for each in before})


# Places


def exchange(file: str) -> ExchangeSummary:
    return ExchangeSummary("e", "p", file, "", "POST /", 200, "complete", Origin.IMPORTED, None, {})


@pytest.mark.parametrize(
    "file, mode, expected",
    [
        ("recordings/a/b.json", "judged", ("recordings/a/b.json", 1)),
        ("./a//b.json", "judged", ("a/b.json", 1)),
        ("recordings/a/b.json", "live", ("conf/providers.yaml", 12)),
        ("/home/me/b.json", "judged", ("conf/providers.yaml", 12)),
        ("../b.json", "judged", ("conf/providers.yaml", 12)),
        ("a/../../b.json", "judged", ("conf/providers.yaml", 12)),
        ("a\nb.json", "judged", ("conf/providers.yaml", 12)),
        ("", "judged", ("conf/providers.yaml", 12)),
    ],
)
def test_a_place_is_in_the_repository(file, mode, expected):
    results = replace(sample(), run={"mode": mode})
    assert expected == location.of(location.HERE, results, sample().providers[0], exchange(file))


@pytest.mark.parametrize("place", [None, Place("/etc/providers.yaml", 3, 1), Place("../providers.yaml", 3, 1)])
def test_where_nothing_is_in_the_repository_the_place_is_where_the_provider_would_stand(place):
    provider = replace(sample().providers[0], place=place)
    assert ("providers.yaml", 1) == location.of(location.HERE, sample(), provider, exchange("/x"))


@pytest.mark.parametrize(
    "file, expected",
    [
        ("rec/a.json", "svc/rec/a.json"),
        ("../rec/a.json", "rec/a.json"),
        ("../../a.json", None),
        ("{top}/svc/rec/a.json", "svc/rec/a.json"),
        ("{top}/../a.json", None),
        ("{top}", None),
        (".", None),
        ("..", None),
    ],
)
def test_a_path_is_told_from_the_top_of_the_repository(file, expected, tmp_path):
    (tmp_path / ".git").mkdir()
    (tmp_path / "svc").mkdir()
    assert expected == location.repository(tmp_path / "svc").path(file.format(top=tmp_path))


@pytest.mark.parametrize(
    "files, expected",
    [
        ((), "svc/providers.yaml"),
        (("pyproject.toml", ".x"), "pyproject.toml"),
        (("AUTHORS", "README.md"), "README.md"),
        (("README.md", "providers.yaml"), "providers.yaml"),
        (("providers.yaml", "svc/providers.yaml"), "svc/providers.yaml"),
    ],
)
def test_where_nothing_better_is_known_the_place_is_a_file_that_is_there(files, expected, tmp_path):
    for folder in (".git", "svc"):
        (tmp_path / folder).mkdir()
    for file in files:
        (tmp_path / file).touch()
    assert expected == location.repository(tmp_path / "svc").fallback


def test_without_a_repository_a_path_is_told_from_the_folder_of_the_run(tmp_path):
    assert ("a.json", None) == tuple(map(location.repository(tmp_path).path, ("a.json", "../a.json")))


def test_a_path_is_a_uri_reference():
    named = tuple(replace(each, file="a b/ü%#?.json") for each in sample().exchanges)
    place = found(run_of(replace(sample(), exchanges=named)), "sse.done.last")["locations"][0]["physicalLocation"]
    assert "a%20b/%C3%BC%25%23%3F.json" == place["artifactLocation"]["uri"]


# Hostile texts, and limits


def with_finding(text: str) -> Results:
    verdict = next(each for each in VERDICTS if each.check == "sse.done.last" and each.findings)
    return replace(sample(), verdicts=(replace(verdict, findings=(Finding(text, text, text, excerpt=text),)),))


@pytest.mark.parametrize(
    "text, expected",
    [
        ("[x](http://x.example)", "got \\[x\\](http://x.example); wanted"),
        ("{0} {1}", "got {{0}} {{1}}; wanted"),
        ('{"a": [1]}', 'got {"a": [1]}; wanted'),
        ("\x1b[31m\ud800", "got ␛[31m⟨U+D800⟩; wanted"),
    ],
)
def test_a_message_has_neither_links_nor_placeholders(text, expected):
    assert expected in found(run_of(with_finding(text)), "sse.done.last")["message"]["text"]


def test_no_text_of_a_result_is_long():
    assert max(len(json.dumps(each)) for each in run_of(with_finding("m" * 2**20))["results"]) < 8_000


@pytest.mark.parametrize(
    "citation, expected",
    [
        ("RFC 9110 section 8.3", "https://www.rfc-editor.org/rfc/rfc9110#section-8.3"),
        ("RFC 8259, FRM-01", "https://www.rfc-editor.org/rfc/rfc8259"),
        ("WHATWG HTML 9.2.6", "https://html.spec.whatwg.org/multipage/server-sent-events.html"),
        ("acme.txt:12", None),
        ("", None),
    ],
)
def test_a_rule_links_to_the_standard_that_it_cites(citation, expected):
    assert expected == sarif.help_uri(citation)


def many(count: int, text: str) -> Results:
    verdict = next(each for each in VERDICTS if each.check == "sse.done.last" and each.findings)
    finding = Finding(text, text, text)
    verdicts = (replace(verdict, exchange=f"e{number:05}", findings=(finding,), found=1) for number in range(count))
    waived = replace(next(each for each in VERDICTS if each.waiver), exchange="a")
    return replace(sample(), verdicts=(waived, *verdicts))


@pytest.mark.parametrize("count, most, least", [(5_100, sarif.MOST_BYTES, 4_999), (300, 200_000, 90), (300, 5_000, -1)])
def test_a_file_is_cut_at_the_end_to_what_github_takes_and_says_so(count, most, least):
    results = many(count, "中" * 60)
    data = sarif.render(results, gate.decide(results, FailOn.MUST), most=most)
    run = json.loads(data)["runs"][0]
    kept = len(run["results"])
    said = run["invocations"][0]["toolExecutionNotifications"][0]
    assert len(data) <= most
    assert least < kept <= 5_000
    assert f" worst {kept:,} " in said["message"]["text"]
    assert f"{count + 1:,} failures" in said["message"]["text"]
    assert not [each for each in run["results"] if "suppressions" in each]


def test_a_hostile_providers_name_is_shown_in_its_results():
    providers = {each["properties"]["provider"] for each in run_of(sample())["results"]}
    assert {"acme", HOSTILE_PROVIDER.replace("\n", "␊")} == providers
