"""Boundary probes: that they follow from a request schema, within it and beyond it, and each with its control."""

import json
from dataclasses import replace

import pytest

from chatconform.contracts import contract as contracts
from chatconform.contracts.contract import Kind as Message
from chatconform.model import InputError, Provider
from chatconform.scenarios.boundary import ABSENT, edges
from chatconform.scenarios.parameters import Parameters, parameters, parse
from chatconform.scenarios.probes import derive, question, values_at
from chatconform.scenarios.scenario import Scenario, all_scenarios
from chatconform.strict_yaml import load

PLAIN = Provider("acme", "http://127.0.0.1:8000/v1", "small", key_env="ACME_API_KEY")
PROVIDERS = {
    name: PLAIN if name == "openai" else replace(PLAIN, contract=name, model="auto") for name in contracts.names()
}
each_cost = pytest.mark.parametrize("costly", [False, True])
each_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def request_schema(provider):
    return contracts.load(provider.contract or "openai").schemas[Message.REQUEST]


def questions_of(provider, *, costly=False):
    """The scenarios that a provider is asked and answers, as requests."""
    return [
        question(each, provider)
        for each in all_scenarios().values()
        if each.is_question and costly >= each.costly and (not each.contracts or provider.contract in each.contracts)
    ]


def derived(provider, *, costly=False):
    """All probes, and what is left out, whether there is room for them or not."""
    questions = questions_of(provider, costly=costly)
    return derive(request_schema(provider).document, questions, parameters(), costly=costly)


def probed(provider, **options):
    return {probe.ask.id: probe.ask for probe in derived(provider, **options)[0]}


def body(ask):
    return json.loads(ask.body)


# Edges


def clause(keyword, schema, name="clause"):
    return {**schema, "x-clauses": {keyword: {"id": name}}}


EDGES = {
    "minimum of numbers": ("minimum", {"type": "number", "minimum": -2}, (-2,), -2.1),
    "maximum of numbers": ("maximum", {"type": "number", "maximum": 1}, (1,), 1.1),
    "minimum of integers": ("minimum", {"type": "integer", "minimum": 1}, (1,), 0),
    "maximum of integers or null": ("maximum", {"type": ["integer", "null"], "maximum": 20}, (20,), 21),
    "minItems": (
        "minItems",
        {"type": "array", "minItems": 1, "items": {"type": "string"}},
        (["chatconform0"],),
        [],
    ),
    "maxItems": (
        "maxItems",
        {"type": ["string", "array"], "maxItems": 2},
        (["chatconform0", "chatconform1"],),
        ["chatconform0", "chatconform1", "chatconform2"],
    ),
    "maxItems of numbers": ("maxItems", {"type": "array", "maxItems": 1, "items": {"type": "number"}}, ([1],), [1, 1]),
    "minLength": ("minLength", {"type": "string", "minLength": 1}, ("c",), ""),
    "maxLength": ("maxLength", {"type": "string", "maxLength": 3}, ("cha",), "chat"),
    "enum": ("enum", {"enum": ["low", "high", None]}, ("low", "high"), "chatconform"),
    "const": ("const", {"const": "chat"}, ("chat",), "chatconform"),
    "string": ("type", {"type": "string"}, ("chatconform",), 5),
    "boolean": ("type", {"type": "boolean"}, (False,), "chatconform"),
    "boolean with a default": ("type", {"type": "boolean", "default": True}, (True,), "chatconform"),
    "integer within its range": ("type", {"type": "integer", "minimum": 3, "maximum": 9}, (3,), "chatconform"),
    "several types": ("type", {"type": ["string", "object", "null"]}, ("chatconform", {}), 5),
    "array": ("type", {"type": "array", "items": {"enum": ["text"]}}, (["text"],), "chatconform"),
    "object": (
        "type",
        {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}},
        ({"kind": "chatconform"},),
        "chatconform",
    ),
}


@pytest.mark.parametrize("keyword, schema, within, beyond", EDGES.values(), ids=EDGES)
def test_a_constraint_has_values_within_and_one_beyond(keyword, schema, within, beyond):
    (edge,) = edges(clause(keyword, schema))
    assert (within, beyond) == (edge.within, edge.beyond)


def test_what_is_required_is_taken_out_beyond():
    (edge,) = edges({"required": ["model"], "x-clauses": {"required": {"model": {"id": "request.model.present"}}}})
    assert (("model",), (), ABSENT) == (edge.path, edge.within, edge.beyond)


def test_an_edge_knows_where_it_stands():
    inner = clause("type", {"type": "string"})
    schema = {"properties": {"messages": {"items": {"properties": {"role": inner}}}}}
    (edge,) = edges(schema)
    assert (("messages", "[]", "role"), "messages", 1) == (edge.path, edge.parameter, edge.depth)


def test_a_constraint_without_a_clause_is_no_edge():
    assert [] == list(edges({"type": "object", "properties": {"seed": {"type": "integer"}}}))


# Probes of the packaged contracts


def broken(provider, ask):
    """The clauses on requests that a body breaks; a member that is not in the schema breaks none."""
    return {each.clause.id for each in request_schema(provider).examine(body(ask)).violations if each.clause}


@each_provider
def test_a_probe_within_keeps_every_clause(provider):
    within = {name: ask for name, ask in probed(provider).items() if not name.endswith(".outside")}
    assert {name: set() for name in within} == {name: broken(provider, ask) for name, ask in within.items()}


@each_provider
def test_an_outside_breaks_the_clause_that_it_is_named_after_and_no_other_that_its_control_keeps(provider):
    controls = {each.id: broken(provider, each.ask) for each in questions_of(provider)}
    found = {
        probe.ask.id: broken(provider, probe.ask) - controls[probe.base]
        for probe in derived(provider)[0]
        if probe.ask.id.endswith(".outside")
    }
    assert {name: {"request." + name.removeprefix("probe.").removesuffix(".outside")} for name in found} == found


@each_provider
def test_a_probe_that_goes_alone_differs_from_its_control_in_one_member(provider):
    controls = {each.id: each.body for each in questions_of(provider)}
    probes, _ = derived(provider)
    joints = {probe.ask.only_if_refused for probe in probes}
    alone = {probe.ask.id: (controls[probe.base], body(probe.ask)) for probe in probes if probe.ask.id not in joints}
    assert dict.fromkeys(alone, 1) == {
        name: sum(one.get(key, ...) != other.get(key, ...) for key in one.keys() | other.keys())
        for name, (one, other) in alone.items()
    }


@each_provider
def test_a_joint_holds_what_is_sent_alone_if_it_is_refused(provider):
    asks = probed(provider)
    joints = {ask.only_if_refused for ask in asks.values()} - {None}
    short = next(each.body for each in questions_of(provider) if each.id == "short")
    merged = {name: dict(short) for name in joints}
    for ask in asks.values():
        if ask.only_if_refused:
            new = {key: value for key, value in body(ask).items() if short.get(key) != value}
            merged[ask.only_if_refused] |= new
    assert merged == {name: body(asks[name]) for name in joints}


@each_provider
@each_cost
def test_every_clause_is_broken_by_a_probe_or_left_out(provider, costly):
    probes, left_out = derived(provider, costly=costly)
    broken_ones = {clause for probe in probes for clause in broken(provider, probe.ask)}
    named = {"request." + each.scenario.removeprefix("probe.").removesuffix(".outside") for each in left_out}
    assert set() == request_schema(provider).clauses.keys() - broken_ones - named


@each_provider
@each_cost
def test_every_value_within_is_asked_for_or_left_out(provider, costly):
    probes, left_out = derived(provider, costly=costly)
    bodies = [each.body for each in questions_of(provider, costly=costly)] + [body(each.ask) for each in probes]
    named = {each.scenario.removeprefix("probe.").rstrip(".0123456789") for each in left_out}
    assert [] == [
        (edge.clause, value)
        for edge in edges(request_schema(provider).document)
        for value in edge.within
        if edge.clause.removeprefix("request.") not in named
        and not any(edge.keeps(each, value) for sent in bodies for each in values_at(sent, edge.path))
    ]


LOW = {
    "openai": {
        "max_tokens": 1,
        "temperature": 0,
        "top_p": 0,
        "n": 1,
        "stop": ["chatconform0"],
        "frequency_penalty": -2,
        "presence_penalty": -2,
        "logprobs": True,
        "top_logprobs": 0,
    },
    "tkhub": {
        "max_tokens": 16,
        "temperature": 0,
        "top_p": 0,
        "n": 1,
        "presence_penalty": -2,
        "frequency_penalty": -2,
    },
    "toapis": {"max_tokens": 16, "temperature": 0, "top_p": 0},
}


@pytest.mark.parametrize("name", LOW)
def test_all_lower_ends_travel_in_one_request(name):
    found = body(probed(PROVIDERS[name])["probe.low"])
    assert LOW[name] == {key: value for key, value in found.items() if key not in ("model", "messages")}


def test_one_end_that_has_nobody_to_be_joined_with_goes_alone():
    found = probed(PROVIDERS["tooken"])
    assert (False, None) == ("probe.low" in found, found["probe.temperature.minimum"].only_if_refused)


def test_an_end_whose_request_is_another_goes_alone():
    ask = probed(PROVIDERS["xmsmartlink"])["probe.max_completion_tokens.minimum"]
    assert (None, 1, None) == (ask.only_if_refused, body(ask)["max_completion_tokens"], body(ask).get("max_tokens"))


def test_what_a_scenario_asks_for_is_not_asked_for_again():
    found = probed(PROVIDERS["tkhub"])
    assert [] == [name for name in found if name.startswith(("probe.tool_choice.values.1", "probe.seed.type.1"))]


def test_a_value_beyond_the_items_of_a_list_stands_in_a_list():
    assert ["chatconform"] == body(probed(PROVIDERS["tkhub"])["probe.modalities_item.values.outside"])["modalities"]


def test_what_is_nested_is_broken_in_a_scenario_that_holds_it():
    ask = probed(PROVIDERS["tkhub"])["probe.messages_tool_call_id.type.outside"]
    assert 5 == body(ask)["messages"][2]["tool_call_id"]


COSTLY = [
    "probe.n.maximum",
    "probe.n.maximum.outside",
    "probe.reasoning_effort.values.2",
    "probe.service_tier.values.1",
]


@pytest.mark.parametrize("name", COSTLY)
def test_what_multiplies_the_cost_is_asked_for_only_where_that_is_wanted(name):
    assert [False, True] == [name in probed(PLAIN, costly=costly) for costly in (False, True)]


def test_an_edge_that_is_left_out_is_named_with_the_reason():
    left_out = {each.scenario: each.why for each in derived(PROVIDERS["tooken"])[1]}
    assert "it names a wallet that pays" == left_out["probe.agent_wallet.type"]


def small(**properties):
    """The probes of a small schema, beside a scenario that has a prompt and a cap."""
    short = Scenario("short", "a question", {"messages": ["Hello"]}, cap=16)
    schema = {"properties": properties}
    return derive(schema, [question(short, PLAIN)], Parameters({}, {}), costly=False)[0]


def listed(name, *values):
    return clause("enum", {"enum": list(values)}, f"request.{name}.values")


def test_values_are_joined_first_with_first_and_second_with_second():
    probes = small(size=listed("size", "s", "m"), tier=listed("tier", "low", "mid", "high"))
    found = {probe.ask.id: body(probe.ask) for probe in probes if probe.ask.only_if_refused is None}
    assert [("s", "low"), ("m", "mid")] == [
        (found[name]["size"], found[name]["tier"]) for name in ("probe.values.1", "probe.values.2")
    ]


def test_a_value_that_is_left_over_goes_alone():
    probes = small(size=listed("size", "s"), tier=listed("tier", "low", "mid"))
    alone = {probe.ask.id for probe in probes if probe.ask.only_if_refused is None}
    outsides = {"probe.size.values.outside", "probe.tier.values.outside"}
    assert {"probe.values.1", "probe.tier.values.2", *outsides} == alone


def test_a_parameter_stands_once_in_a_joint():
    both = {"minimum": 1, "minLength": 1, "type": ["integer", "string"]}
    notes = {"minimum": {"id": "request.size.minimum"}, "minLength": {"id": "request.size.min_length"}}
    other = clause("minimum", {"type": "integer", "minimum": 5}, "request.count.minimum")
    probes = small(size={**both, "x-clauses": notes}, count=other)
    alone = [probe.ask.id for probe in probes if probe.ask.only_if_refused is None]
    assert ["probe.low", "probe.size.min_length"] == [name for name in alone if not name.endswith(".outside")]


def test_ranges_are_worth_more_than_values_and_values_more_than_types():
    properties = {
        "tier": listed("tier", "low"),
        "seed": clause("type", {"type": "integer"}, "request.seed.type"),
        "top_p": clause("maximum", {"type": "number", "maximum": 1}, "request.top_p.maximum"),
        "deep": {"properties": {"top_p": clause("maximum", {"type": "number", "maximum": 1}, "request.deep.maximum")}},
    }
    expected = ["top_p.maximum", "tier.values", "seed.type", "deep.maximum"]
    found = [probe.ask.id for probe in small(**properties) if probe.ask.id.endswith(".outside")]
    assert [f"probe.{name}.outside" for name in expected[:3]] == found


# What the schema does not say


def test_every_base_is_a_scenario():
    bases = {parameters().base(name) for name in parameters().entries}
    assert set() == bases - all_scenarios().keys()


def test_every_parameter_that_is_spoken_of_is_in_a_request_schema():
    known = {name for provider in PROVIDERS.values() for name in request_schema(provider).document["properties"]}
    assert set() == parameters().entries.keys() - known


def test_every_clause_that_is_left_out_is_in_a_request_schema():
    known = {name for provider in PROVIDERS.values() for name in request_schema(provider).clauses}
    assert set() == parameters().left_out.keys() - known


REFUSED = {
    "unknown": ("parameters: {n: {least: 1}}\nleft_out: {}\n", "p.yaml:1:18", 'the key "least" is unknown'),
    "empty": ("parameters: {n: {}}\nleft_out: {}\n", "p.yaml:1:17", "n is empty"),
    "clause": (
        "parameters: {}\nleft_out: {n: why}\n",
        "p.yaml:2:12",
        "this name does not have the form that is wanted",
    ),
}


@pytest.mark.parametrize("text, place, problem", REFUSED.values(), ids=REFUSED)
def test_a_mistake_is_said_with_its_place(text, place, problem):
    with pytest.raises(InputError) as caught:
        parse(load(text, "p.yaml"))
    assert (place, problem) == (str(caught.value.place), caught.value.problem)
