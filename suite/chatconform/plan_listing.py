"""What a plan looks like: as text for people, as JSON for programs. Sends nothing."""

from __future__ import annotations

import math
from collections.abc import Collection

from chatconform import live
from chatconform.report.visible import line
from chatconform.scenarios.ask import Ask, Plan
from chatconform.scenarios.plan import paced_minutes, seconds
from chatconform.scenarios.scenario import all_scenarios
from chatconform.wire import strict_json
from chatconform.wire.transcript import shown


def as_json(plan: Plan) -> dict[str, object]:
    """Return a plan: the ceilings, every request to the byte, and what is left out."""
    return {
        "provider": plan.provider.id,
        "base_url": plan.provider.base_url,
        "model": plan.provider.model,
        "key": {"variable": plan.provider.key_env, "is_set": live.has_key(plan.provider)},
        "ceilings": {
            "requests": plan.requests,
            "retries": plan.retries,
            "output_tokens": plan.output_tokens,
            "seconds": seconds(plan),
        },
        "requests": [_ask(ask) for ask in plan.asks],
        "left_out": [{"scenario": each.scenario, "why": each.why} for each in plan.left_out],
    }


def _ask(ask: Ask) -> dict[str, object]:
    return {
        "id": ask.id,
        "method": ask.method,
        "url": ask.url,
        "key": ask.key,
        "body": ask.body.decode("utf-8", "replace"),
        "output_tokens": ask.output_tokens,
        "only_if_refused": ask.only_if_refused,
    }


def text(plan: Plan) -> str:
    """Return a plan as lines: the ceilings, a line a request, what is left out and why."""
    provider = plan.provider
    conditional = sum(ask.only_if_refused is not None for ask in plan.asks)
    width = max((len(ask.id) for ask in plan.asks), default=0)
    unset = [] if live.has_key(provider) else [f"  {provider.key_env} is not set: nothing would be sent"]
    ceilings = (
        f"  at most {plan.requests} requests, {conditional} of them only where another one is refused "
        f"(and {plan.retries} where 429 or 503 is tried again); {plan.output_tokens} output tokens; "
        f"{_duration(plan)}"
    )
    return "\n".join(
        (
            f"{provider.id}: {provider.base_url}, model {line(provider.model, 200)}",
            *unset,
            ceilings,
            *(_line(ask, width) for ask in plan.asks),
            *(f"  left out: {each.scenario}: {each.why}" for each in plan.left_out),
        )
    )


def pace(plan: Plan, have: Collection[str] = ()) -> str:
    """Say how long the pace makes a plan last, of which `have` are answered already; nothing below a minute."""
    minutes = paced_minutes(plan, have)
    return f"{_minutes(minutes)} or more at {plan.provider.limits['per_minute']:g} a minute" if minutes else ""


def _duration(plan: Plan) -> str:
    """Say how long a plan takes at least, for its pace, and at most, where every answer takes all the time it may."""
    return ", ".join((*filter(None, [pace(plan)]), f"at most {_minutes(math.ceil(seconds(plan) / 60))}"))


def _minutes(number: int) -> str:
    return f"{number} minute{'' if number == 1 else 's'}"


def _about(ask: Ask) -> str:
    """Say what a scenario asks; of a probe, which members it sends beside the conversation."""
    scenario = all_scenarios().get(ask.scenario)
    if scenario is not None:
        return scenario.says
    members = strict_json.parse(ask.body).object or {}
    usual = {"model": str, "messages": list, "tools": list}
    return shown({name: value for name, value in members.items() if not isinstance(value, usual.get(name, ()))})


def _line(ask: Ask, width: int) -> str:
    return f"    {ask.id:{width}}  {ask.method:4}  {ask.output_tokens:5}  {_about(ask)}".rstrip()
