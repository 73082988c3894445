"""The scenarios: how a file of them is read, and that between them they ask for all that is checked."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from chatconform import coverage, resources
from chatconform.checks import all_checks
from chatconform.checks.check import answers, bodies, chats, errors, limits, mistakes, models, requests, streams
from chatconform.model import Exchange, InputError, Provider, Request
from chatconform.scenarios import compose, scenario
from chatconform.scenarios.ask import Key
from chatconform.scenarios.plan import rows
from chatconform.scenarios.scenario import FILES, all_scenarios, parse
from chatconform.strict_yaml import load
from chatconform.wire.transcript import read

PROVIDER = Provider("acme", "http://127.0.0.1:8000/v1", "small", key_env="ACME_API_KEY")
FOLDER = Path(scenario.__file__).parent

TWO = """\
scenarios:
  - id: plain
    says: a question
    request: {messages: [{role: user, content: Hello}]}
    cap: 16
"""


def parsed(*texts):
    return {each.id: each for each in parse([load(text, f"{number}.yaml") for number, text in enumerate(texts)])}


def body(each, provider=PROVIDER):
    return compose.body(each, provider)


def sent(name):
    return body(all_scenarios()[name])


# Reading


def test_a_scenario_asks_the_providers_model_under_the_providers_name_of_the_cap():
    newer = replace(PROVIDER, cap="max_completion_tokens")
    expected = {"model": "small", "messages": [{"role": "user", "content": "Hello"}], "max_completion_tokens": 16}
    assert expected == body(parsed(TWO)["plain"], newer)


def test_a_body_goes_out_as_compact_utf8_with_the_model_first():
    text = TWO.replace("Hello", "Zürich")
    ask = compose.ask(parsed(text)["plain"], PROVIDER)
    expected = '{"model":"small","messages":[{"role":"user","content":"Zürich"}],"max_tokens":16}'
    assert expected.encode() == ask.body


def test_a_request_goes_below_the_base_url_with_its_media_type():
    ask = compose.ask(parsed(TWO)["plain"], PROVIDER)
    expected = ("POST", "http://127.0.0.1:8000/v1/chat/completions", (("Content-Type", "application/json"),))
    assert expected == (ask.method, ask.url, ask.headers)


def test_a_get_has_neither_body_nor_media_type():
    text = "scenarios:\n  - {id: list, says: a list, method: GET, path: /models}\n"
    ask = compose.ask(parsed(text)["list"], PROVIDER)
    assert ("GET", "http://127.0.0.1:8000/v1/models", (), b"") == (ask.method, ask.url, ask.headers, ask.body)


def test_a_raw_body_is_sent_as_it_stands():
    text = "scenarios:\n  - {id: broken, says: no JSON, raw: '{\"messages\":['}\n"
    assert b'{"messages":[' == compose.ask(parsed(text)["broken"], PROVIDER).body


def test_a_scenario_has_the_members_of_the_one_that_it_is_like():
    further = "scenarios:\n  - {id: twin, says: its twin, like: plain, request: {stream: true}, uses: [stream]}\n"
    found = parsed(TWO, further)
    assert {**body(found["plain"]), "stream": True} == body(found["twin"])


def test_a_scenario_may_be_like_one_that_stands_behind_it():
    before = "scenarios:\n  - {id: twin, says: its twin, like: plain, request: {stream: true}, uses: [stream]}\n"
    assert ["twin", "plain"] == list(parsed(before, TWO))


def test_a_literal_cap_takes_the_place_of_the_one_that_is_inherited():
    further = "scenarios:\n  - {id: newer, says: the newer cap, like: plain, request: {max_completion_tokens: 8}}\n"
    expected = {"model": "small", "messages": [{"role": "user", "content": "Hello"}], "max_completion_tokens": 8}
    assert expected == body(parsed(TWO, further)["newer"])


def test_a_body_lacks_what_a_scenario_is_without():
    further = "scenarios:\n  - {id: bare, says: no model, like: plain, without: [model], refused: true}\n"
    assert {"messages": [{"role": "user", "content": "Hello"}], "max_tokens": 16} == body(parsed(TWO, further)["bare"])


def test_what_a_scenario_costs_is_not_inherited():
    first = TWO + "    costly: true\n    behavioural: true\n"
    further = "scenarios:\n  - {id: twin, says: its twin, like: plain, request: {stream: true}, uses: [stream]}\n"
    twin = parsed(first, further)["twin"]
    assert (False, False) == (twin.costly, twin.behavioural)


def test_padding_makes_a_prompt_of_so_many_words():
    further = "scenarios:\n  - {id: long, says: a long prompt, like: plain, padding: 3}\n"
    messages = body(parsed(TWO, further)["long"])["messages"]
    assert [{"role": "user", "content": "sea sea sea "}, {"role": "user", "content": "Hello"}] == messages


@pytest.mark.parametrize(
    "members, tokens",
    [
        ({"max_tokens": 16}, 16),
        ({"max_tokens": 160, "max_completion_tokens": 16}, 160),
        ({"max_tokens": 16, "n": 2}, 32),
        ({"max_tokens": 16, "n": 0}, 16),
        ({"max_tokens": 0}, 256),
        ({"max_tokens": "many"}, 256),
        ({}, 256),
    ],
)
def test_the_ceiling_on_output_is_the_larger_cap_for_each_answer(members, tokens):
    assert tokens == compose.output_tokens(members)


REFUSED = {
    "no-id": ("scenarios:\n  - {says: a question}\n", "0.yaml:2:5", "the key id is missing"),
    "no-says": ("scenarios:\n  - {id: plain}\n", "0.yaml:2:5", "the key says is missing"),
    "unknown": ("scenarios:\n  - {id: a, says: b, stream: true}\n", "0.yaml:2:22", 'the key "stream" is unknown'),
    "id": ("scenarios:\n  - {id: A, says: b}\n", "0.yaml:2:10", "id does not have the form that is wanted"),
    "probe": ("scenarios:\n  - {id: probe.low, says: b}\n", "0.yaml:2:10", "id does not have the form that is wanted"),
    "stop": ("scenarios:\n  - {id: a, says: A stop.}\n", "0.yaml:2:19", "says does not have the form that is wanted"),
    "cap": ("scenarios:\n  - {id: a, says: b, cap: 0}\n", "0.yaml:2:27", "cap is less than 1"),
    "key": ("scenarios:\n  - {id: a, says: b, key: mine}\n", "0.yaml:2:27", "key is none of absent, wrong"),
    "twice": (TWO + "  - {id: plain, says: again}\n", "0.yaml:6:10", "the id plain stands twice"),
    "like": ("scenarios:\n  - {id: a, says: b, like: c}\n", "0.yaml:2:28", "there is no such scenario"),
    "itself": ("scenarios:\n  - {id: a, says: b, like: a}\n", "0.yaml:2:28", "like leads back to a"),
    "circle": (
        "scenarios:\n  - {id: a, says: b, like: c}\n  - {id: c, says: d, like: a}\n",
        "0.yaml:3:28",
        "like leads back to a",
    ),
    "uses": (
        "scenarios:\n  - {id: a, says: b, request: {stream: true}}\n",
        "0.yaml:2:5",
        "uses does not name what the body of a holds",
    ),
    "used": (
        "scenarios:\n  - {id: a, says: b, uses: [stream]}\n",
        "0.yaml:2:28",
        "uses does not name what the body of a holds",
    ),
    "caps": (
        "scenarios:\n  - {id: a, says: b, request: {max_tokens: 1}, cap: 1}\n",
        "0.yaml:2:53",
        "a has a cap twice",
    ),
    "raw": (
        "scenarios:\n  - {id: a, says: b, request: {messages: []}, raw: x}\n",
        "0.yaml:2:52",
        "a has raw beside request",
    ),
    "apart": (
        "scenarios:\n  - {id: a, says: b, apart: true}\n",
        "0.yaml:2:29",
        "apart says that a adds members, and it adds none to another scenario",
    ),
    "model": (
        "scenarios:\n  - {id: a, says: b, request: {model: m}}\n",
        "0.yaml:2:32",
        "this name does not have the form that is wanted",
    ),
}


@pytest.mark.parametrize("text, place, problem", REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_said_with_its_place(text, place, problem):
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert (place, problem) == (str(caught.value.place), caught.value.problem)


@pytest.mark.parametrize("text", [text for text, _, _ in REFUSED.values()], ids=REFUSED)
def test_every_mistake_comes_with_what_to_do(text):
    with pytest.raises(InputError) as caught:
        parsed(text)
    assert caught.value.remedy


def test_an_id_stands_once_in_all_files_together():
    with pytest.raises(InputError) as caught:
        parsed(TWO, TWO)
    assert ("1.yaml:2:9", "Choose another id; 0.yaml:2:9 has this one.") == (
        str(caught.value.place),
        caught.value.remedy,
    )


# The packaged ones


def test_every_file_of_scenarios_is_read():
    assert sorted(FILES) == sorted(file.stem for file in FOLDER.glob("*.yaml") if file.stem != "parameters")


@pytest.mark.parametrize("name", ["scenario", "parameters"])
def test_the_published_schemas_are_valid(name):
    schema = json.loads(resources.read_text(f"schemas/chatconform/{name}.schema.json"))
    assert [] == list(Draft202012Validator(Draft202012Validator.META_SCHEMA).iter_errors(schema))


def test_no_two_scenarios_say_the_same():
    said = [each.says for each in all_scenarios().values()]
    assert sorted(set(said)) == sorted(said)


def test_the_list_of_scenarios_has_a_row_for_each():
    expected = {
        "scenario": "auto.fast",
        "says": "a model that the gateway chooses for speed",
        "uses": "",
        "for": "tooken",
    }
    assert {**expected, "costly": ""} == rows()[list(all_scenarios()).index("auto.fast")]


TWINS = {
    "stream": ("basic", "stream"),
    "stream.short": ("short", "stream"),
    "stream.n": ("n", "stream"),
    "stream.usage": ("stream", "stream_options"),
    "tools.stream": ("tools.required", "stream"),
    "short": ("basic", "max_tokens"),
    "stop": ("basic", "stop"),
    "n": ("short", "n"),
    "turns": ("short", "messages"),
    "roles.developer": ("turns", "messages"),
    "reasoning.history": ("turns", "messages"),
    "parts": ("short", "messages"),
    "cap.both": ("basic", "max_completion_tokens"),
    "tools.required": ("tools.auto", "tool_choice"),
    "tools.named": ("tools.auto", "tool_choice"),
    "tools.none": ("tools.auto", "tool_choice"),
    "tools.allowed": ("tools.auto", "tool_choice"),
    "tools.serial": ("tools.auto", "parallel_tool_calls"),
    "tools.result": ("tools.auto", "messages"),
    "tools.cut": ("tools.required", "max_tokens"),
    "functions.named": ("functions", "function_call"),
    "functions.none": ("functions", "function_call"),
    "json.schema": ("json.object", "response_format"),
    "logprobs.stream": ("stream.short", "logprobs"),
    "modalities.text": ("short", "modalities"),
    "auto.fast": ("short", "model"),
    "auto.cheap": ("short", "model"),
    "error.unknown_model": ("short", "model"),
    "error.no_model": ("short", "model"),
    "error.no_messages": ("short", "messages"),
    "error.empty_messages": ("short", "messages"),
    "error.messages_type": ("short", "messages"),
    "error.too_long": ("short", "messages"),
}


@pytest.mark.parametrize("name, control, member", [(name, *twin) for name, twin in TWINS.items()])
def test_a_scenario_differs_from_its_control_in_one_member(name, control, member):
    one, other = sent(name), sent(control)
    assert {member} == {key for key in one.keys() | other.keys() if one.get(key, ...) != other.get(key, ...)}


@pytest.mark.parametrize("name, key", [("error.no_key", Key.ABSENT), ("error.wrong_key", Key.WRONG)])
def test_a_request_with_another_key_is_the_same_to_the_byte(name, key):
    asks = [compose.ask(all_scenarios()[each], PROVIDER) for each in (name, "short")]
    assert ([key, Key.PRESENT], 1) == ([ask.key for ask in asks], len({ask.body for ask in asks}))


@pytest.mark.parametrize("cap", ["max_tokens", "max_completion_tokens"])
def test_one_request_goes_out_twice_byte_for_byte(cap):
    provider = replace(PROVIDER, cap=cap)
    first, second = (compose.ask(all_scenarios()[name], provider) for name in ("short", f"cap.{cap}"))
    assert first.body == second.body


def test_the_prompt_of_several_turns_holds_the_shorter_one_whole():
    assert set(map(str, sent("turns")["messages"])) > set(map(str, sent("short")["messages"]))


@pytest.mark.parametrize("name", [name for name, each in all_scenarios().items() if each.refused])
def test_what_is_refused_is_like_short_or_stands_alone(name):
    assert all_scenarios()[name].like in ("short", None)


@pytest.mark.parametrize("name", all_scenarios())
def test_no_scenario_sends_a_credential(name):
    fields = [field.lower() for field, _ in all_scenarios()[name].headers]
    assert {"authorization", "cookie"}.isdisjoint(fields)


# What they feed

UNASKED = {
    "errors.code.quota": "no request is surely one too many",
    "errors.retry_after.value": "no request is surely one too many",
}
"""The checks that no scenario can ask for."""
COSTLY = ("functions.choice.named", "functions.choice.none")
"""The checks that only costly scenarios ask for: they are about what tools have replaced."""


def transcripts():
    for each in all_scenarios().values():
        ask = compose.ask(each, PROVIDER)
        request = Request(ask.method, ask.url, ask.headers, json.loads(ask.body) if each.is_question else ask.body)
        yield each, read(Exchange(each.id, "acme", request, None))


TRANSCRIPTS = list(transcripts())
BY_REQUEST = (answers, streams, chats, models, bodies, requests)


def feeds(check, each, transcript):
    if check.over in BY_REQUEST:
        return check.over(transcript) and (check.asks is None or check.asks(transcript.asked))
    return each.refused and (check.over is errors or (check.over is mistakes and transcript.asked.is_malformed))


@pytest.mark.parametrize("check", all_checks().values(), ids=all_checks())
def test_every_check_is_fed_by_a_scenario(check):
    fed = {each.costly for each, transcript in TRANSCRIPTS if feeds(check, each, transcript)}
    assert (check.id not in UNASKED, check.id in COSTLY) == (bool(fed), fed == {True})


def test_only_checks_on_limits_are_not_asked_for():
    assert {limits} == {all_checks()[name].over for name in UNASKED}


ASKED_FOR = {
    "ENV-13": "error.unknown_model",
    "TOL-20": "tools.result",
    "STO-04": "parameters",
    "PRM-02": "cap.max_completion_tokens",
    "PRM-04": "parameters",
    "PRM-05": "roles.developer",
    "PRM-10": "logprobs.stream",
    "PRM-11": "parts",
    "PRM-12": "tools.serial",
    "ERR-10": "error.wrong_key",
    "ERR-11": "error.unknown_model",
    "ERR-14": "error.too_long",
    "AUT-01": "error.no_key",
    "AUT-02": "error.wrong_key",
    "MDL-05": "models.slash",
    "EXT-04": "reasoning.history",
}
"""By entry of the catalogue that takes a request made for it, the scenario that asks for it."""


def test_every_deviation_that_takes_a_scenario_is_decided_by_some_check():
    assert [] == [name for name in ASKED_FOR if not coverage.coverage()[name].checks]


def test_the_scenarios_that_deviations_take_are_there():
    assert set() == set(ASKED_FOR.values()) - all_scenarios().keys()
