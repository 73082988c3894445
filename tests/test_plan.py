"""The plan: what a run sends to a provider, in which order, and what it leaves out and why."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from chatconform.model import InputError, Provider
from chatconform.plan_listing import pace
from chatconform.providers import DEFAULT_LIMITS, load
from chatconform.scenarios.ask import Key
from chatconform.scenarios.plan import ROOM, ROOM_WITH_BOUNDARIES, plan, seconds
from chatconform.scenarios.scenario import all_scenarios

SHIPPED = load(Path(__file__).parents[1] / "providers.yaml")
PLAIN = Provider("acme", "http://127.0.0.1:8000/v1", "small", key_env="ACME_API_KEY", limits=DEFAULT_LIMITS)
PROVIDERS = {each.id: each for each in (*SHIPPED, PLAIN, replace(PLAIN, id="newer", cap="max_completion_tokens"))}
TOOKEN, TKHUB, TOAPIS = (PROVIDERS[name] for name in ("tooken", "tkhub", "toapis"))

each_provider = pytest.mark.parametrize("provider", PROVIDERS.values(), ids=PROVIDERS)


def ids(planned):
    return [ask.id for ask in planned.asks]


def certain(planned):
    """What is sent to an endpoint that refuses nothing that it ought to answer."""
    return [ask.id for ask in planned.asks if ask.only_if_refused is None]


def why(planned):
    return {each.scenario: each.why for each in planned.left_out}


# Room


@each_provider
def test_a_run_without_boundary_probes_is_at_most_45_requests(provider):
    planned = plan(provider, boundaries=False)
    assert len(planned.asks) <= 45 == ROOM


@each_provider
def test_a_run_with_boundary_probes_is_at_most_90_requests(provider):
    planned = plan(provider)
    assert (90, True, True) == (ROOM_WITH_BOUNDARIES, len(certain(planned)) <= 90, planned.requests <= 90)


@each_provider
def test_what_is_asked_only_after_a_refusal_cannot_make_a_run_longer(provider):
    assert plan(provider).provider.limits["requests"] == 90


@each_provider
def test_a_run_stays_within_the_output_tokens_that_a_provider_has_by_default(provider):
    planned = plan(provider)
    assert sum(ask.output_tokens for ask in planned.asks) <= DEFAULT_LIMITS["output_tokens"]


@each_provider
def test_only_the_last_of_the_scenarios_find_no_room(provider):
    crowded = [name for name, reason in why(plan(provider)).items() if reason == "there is room for 45 scenarios"]
    assert set(crowded) <= {"models.slash", "models.header"}


@each_provider
def test_a_plan_holds_every_id_once(provider):
    assert sorted(set(ids(plan(provider)))) == sorted(ids(plan(provider)))


@each_provider
def test_every_ask_that_waits_for_another_stands_behind_it(provider):
    names = ids(plan(provider))
    assert [] == [
        ask.id
        for ask in plan(provider).asks
        if ask.only_if_refused and ask.only_if_refused not in names[: names.index(ask.id)]
    ]


@each_provider
def test_what_is_cut_is_worth_less_than_what_is_sent(provider):
    cut = [name for name, reason in why(plan(provider)).items() if "ceiling" in reason]
    assert [] == [name for name in cut if not name.endswith(".outside") or ".minimum" in name or ".maximum" in name]


def test_a_plan_is_the_same_each_time():
    assert plan(TKHUB) == plan(TKHUB)


# Ceilings


def test_no_more_requests_are_planned_than_are_allowed():
    planned = plan(PLAIN, max_requests=3)
    assert (["basic", "short", "cap.max_tokens"], 3) == (certain(planned), planned.provider.limits["requests"])


def test_what_is_beyond_the_ceiling_is_left_out_with_the_reason():
    assert "the ceiling of 3 requests is reached" == why(plan(PLAIN, max_requests=3))["stop"]


def test_a_ceiling_of_the_provider_holds_below_one_that_is_given():
    limited = replace(PLAIN, limits={**DEFAULT_LIMITS, "requests": 2})
    assert ["basic", "short"] == certain(plan(limited, max_requests=50))


def test_output_tokens_are_debited_in_order_and_what_fits_is_sent():
    planned = plan(PLAIN, max_tokens=200, scenarios=["basic", "short", "stop", "turns"])
    assert (["basic", "short", "turns"], 192) == (ids(planned), planned.output_tokens)


def test_what_costs_too_many_tokens_is_left_out_with_the_reason():
    planned = plan(PLAIN, max_tokens=200, scenarios=["basic", "stop"])
    assert {"stop": "it does not fit below the ceiling of 200 output tokens"} == why(planned)


def test_what_depends_on_a_request_that_is_left_out_is_left_out():
    assert [] == ids(plan(PLAIN, max_tokens=8, scenarios=["parameters*"]))


def test_the_limits_that_are_not_ceilings_of_a_run_stay():
    assert DEFAULT_LIMITS["total_s"] == plan(PLAIN, max_requests=3).provider.limits["total_s"]


@pytest.mark.parametrize(
    "per_minute, concurrency, total_s, expected",
    [(30, 2, 90, 188), (60, 4, 10, 14), (120, 1, 0.5, 4)],
)
def test_a_plan_of_four_requests_has_a_ceiling_of_seconds(per_minute, concurrency, total_s, expected):
    limits = {**DEFAULT_LIMITS, "per_minute": per_minute, "concurrency": concurrency, "total_s": total_s}
    planned = plan(replace(PLAIN, limits=limits), max_requests=4)
    assert expected == seconds(planned)


@pytest.mark.parametrize(
    "per_minute, have, expected",
    [
        (2, set(), "1 minute or more at 2 a minute"),
        (1, set(), "3 minutes or more at 1 a minute"),
        (3, {"basic"}, ""),
        (4, set(), ""),
    ],
)
def test_the_pace_says_how_long_a_plan_of_four_requests_lasts_at_least(per_minute, have, expected):
    planned = plan(replace(PLAIN, limits={**DEFAULT_LIMITS, "per_minute": per_minute}), max_requests=4)
    assert expected == pace(planned, have)


# Choosing


def test_a_pattern_chooses_scenarios_in_the_order_of_the_plan():
    assert ["basic", "stream", "stream.usage", "stream.short", "stream.n"] == [
        name for name in ids(plan(PLAIN, scenarios=["stream*"])) if name.startswith(("stream", "basic"))
    ]


def test_what_a_pattern_chooses_brings_its_control():
    assert ["short", "error.no_key"] == ids(plan(PLAIN, scenarios=["error.no_key"]))


def test_a_probe_that_a_pattern_chooses_brings_its_control():
    assert ["logprobs", "probe.top_logprobs.maximum.outside"] == ids(
        plan(PLAIN, scenarios=["probe.top_logprobs.maximum.outside"])
    )


def test_a_part_of_a_joint_brings_the_joint():
    planned = plan(PLAIN, scenarios=["probe.temperature.minimum"])
    assert ["short", "probe.low", "probe.temperature.minimum"] == ids(planned)


def test_a_pattern_makes_room_for_what_a_whole_plan_has_no_room_for():
    assert ["models", "models.header"] == ids(plan(TOOKEN, scenarios=["models.header"]))


def test_a_pattern_leaves_nothing_out_that_it_does_not_choose():
    assert () == plan(PLAIN, scenarios=["basic"]).left_out


def test_what_a_pattern_chooses_in_vain_is_left_out_with_the_reason():
    expected = {"auto.fast": "it is for the document of tooken", "auto.cheap": "it is for the document of tooken"}
    assert expected == {
        name: reason for name, reason in why(plan(PLAIN, scenarios=["auto.*"])).items() if "strategy" not in name
    }


@pytest.mark.parametrize(
    "pattern, nearest",
    [("strem.usage", "Did you mean stream.usage? "), ("probe.lo", "Did you mean probe.low? "), ("zzzz", "")],
)
def test_a_pattern_that_matches_nothing_is_an_input_error(pattern, nearest):
    with pytest.raises(InputError) as caught:
        plan(PLAIN, scenarios=["basic", pattern])
    expected = f"{nearest}`chatconform list scenarios` prints all ids."
    assert ("command line", f"there is no scenario {pattern!r}", expected) == (
        str(caught.value.place),
        caught.value.problem,
        caught.value.remedy,
    )


def test_a_pattern_may_name_what_another_provider_is_asked():
    assert [] == ids(plan(TOOKEN, scenarios=["probe.top_p.*"]))


# What is sent to whom


@pytest.mark.parametrize("name", ["auto.fast", "auto.cheap", "auto.strategy"])
def test_what_a_document_adds_is_asked_of_its_provider_alone(name):
    assert ["tooken"] == [provider.id for provider in SHIPPED if name in ids(plan(provider))]


@each_provider
def test_undocumented_parameters_are_asked_all_the_same(provider):
    assert {"n", "parameters", "logprobs", "tools.serial"} <= set(ids(plan(provider)))


@pytest.mark.parametrize("name", ["probe.top_p", "probe.n.", "probe.seed"])
def test_no_probe_is_made_of_an_undocumented_parameter(name):
    assert [] == [each for each in ids(plan(TOOKEN)) if each.startswith(name)]


def test_a_provider_without_a_document_is_probed_at_openais_edges():
    assert "probe.top_logprobs.maximum.outside" in ids(plan(PLAIN))


def test_where_there_is_no_key_none_is_left_out_or_wrong():
    planned = plan(replace(PLAIN, key_env=None))
    reasons = why(planned)
    assert ({Key.PRESENT}, ["the provider has no key"] * 2) == (
        {ask.key for ask in planned.asks},
        [reasons[name] for name in ("error.no_key", "error.wrong_key")],
    )


def test_costly_scenarios_are_left_out_with_what_to_do():
    costly = [name for name, each in all_scenarios().items() if each.costly]
    assert {"it costs more or needs a capability: add --costly"} == {why(plan(PLAIN))[name] for name in costly}


def test_costly_scenarios_are_sent_where_that_is_wanted():
    costly = {name for name, each in all_scenarios().items() if each.costly}
    assert set() == costly - set(ids(plan(PLAIN, costly=True, boundaries=False)))


def test_costly_scenarios_take_no_room_from_the_others():
    costly = [name for name, each in all_scenarios().items() if each.costly]
    roomy = replace(PLAIN, limits={})
    found = [name for name in ids(plan(roomy, costly=True, boundaries=False)) if name not in costly]
    assert ids(plan(roomy, boundaries=False)) == found


def test_without_boundaries_there_is_no_probe():
    assert [] == [name for name in ids(plan(PLAIN, boundaries=False)) if name.startswith("probe.")]


def test_what_is_joined_in_a_scenario_is_sent_member_by_member_if_it_is_refused():
    planned = plan(PLAIN, scenarios=["parameters*"])
    alone = {ask.id: json.loads(ask.body) for ask in planned.asks if ask.only_if_refused == "parameters"}
    members = {"presence_penalty": 0, "frequency_penalty": 0, "seed": 7, "user": "chatconform"}
    members |= {"response_format": {"type": "text"}}
    short = json.loads(next(ask.body for ask in planned.asks if ask.id == "short"))
    assert {f"parameters.{name}": {**short, name: value} for name, value in members.items()} == alone


# Samples


def test_what_is_up_to_the_model_is_sent_as_often_as_samples_are_asked_for():
    names = ids(plan(PLAIN, samples=3, boundaries=False))
    assert ["tools.auto", "tools.auto.2", "tools.auto.3"] == [name for name in names if name.startswith("tools.auto")]


def test_what_is_invariant_is_sent_once():
    assert ["basic"] == [name for name in ids(plan(PLAIN, samples=3)) if name.startswith("basic")]


def test_a_further_sample_is_the_same_request_to_the_byte():
    asks = {ask.id: ask for ask in plan(PLAIN, samples=2).asks}
    first, second = asks["json.schema"], asks["json.schema.2"]
    assert (first.body, first.scenario, 1, 2) == (second.body, second.scenario, first.sample, second.sample)


def test_what_a_document_does_not_have_is_asked_once():
    assert [] == [name for name in ids(plan(TOAPIS, samples=3)) if name.endswith(".2") and name.startswith("tools.")]


def test_further_samples_take_no_room_from_the_others():
    roomy = replace(PLAIN, limits={})
    sampled = [ask.id for ask in plan(roomy, samples=2).asks if ask.sample == 1]
    assert ids(plan(roomy)) == sampled


@each_provider
def test_scenarios_come_first_then_further_samples_then_what_probes(provider):
    def part(ask):
        return 3 if ask.only_if_refused or ask.id.startswith("probe.") else min(ask.sample, 2)

    parts = [part(ask) for ask in plan(replace(provider, limits={}), samples=2).asks]
    assert sorted(parts) == parts
