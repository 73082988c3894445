"""A scenario as one provider is asked it: the body, the URL, and the ceiling on what the answer may hold."""

from __future__ import annotations

import json
from typing import Final

from chatconform.model import JsonObject, JsonValue, Provider
from chatconform.scenarios.ask import Ask
from chatconform.scenarios.scenario import CAPS, Scenario

UNCAPPED: Final = 256
"""Output tokens that are reckoned for a request whose cap an endpoint may overlook: more than our prompts ask for."""
_WORD: Final = "sea "
_JSON: Final = ("Content-Type", "application/json")


def body(scenario: Scenario, provider: Provider) -> JsonObject:
    """Return the body of a scenario's request; the model stands first."""
    members: JsonObject = {"model": scenario.model or provider.model, **scenario.request}
    if scenario.cap is not None:
        members[provider.cap] = scenario.cap
    if scenario.padding:
        members["messages"] = [{"role": "user", "content": _WORD * scenario.padding}, *_messages(members)]
    return {name: value for name, value in members.items() if name not in scenario.without}


def _messages(members: JsonObject) -> list[JsonValue]:
    messages = members.get("messages")
    return messages if isinstance(messages, list) else []


def ask(scenario: Scenario, provider: Provider) -> Ask:
    """Return the request of a scenario, its first sample."""
    members = {} if scenario.raw is not None else body(scenario, provider)
    sent = scenario.raw.encode() if scenario.raw is not None else encoded(members)
    posts = scenario.method == "POST"
    model = members.get("model")
    return Ask(
        id=scenario.id,
        scenario=scenario.id,
        method=scenario.method,
        url=provider.base_url + scenario.path,
        headers=((_JSON, *scenario.headers) if posts else scenario.headers),
        body=sent if posts else b"",
        model=model if posts and isinstance(model, str) else None,
        key=scenario.key,
        output_tokens=output_tokens(members) if posts and members else 0,
    )


def encoded(members: JsonValue) -> bytes:
    """Return a body as compact JSON in UTF-8."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()


def output_tokens(members: JsonObject) -> int:
    """Return how many tokens an answer may hold: the larger cap of two, for each of n answers."""
    caps = [cap for cap in map(members.get, CAPS) if isinstance(cap, int) and cap > 0]
    n = members.get("n")
    answers = n if isinstance(n, int) and n > 0 else 1
    return (max(caps) if caps else UNCAPPED) * answers
