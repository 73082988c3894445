"""Results of any size: many providers, checks and findings."""

from __future__ import annotations

from collections.abc import Iterator

from chatconform import gate
from chatconform.exhibits import Evidence, Line
from chatconform.model import (
    CheckText,
    ExchangeSummary,
    Finding,
    Level,
    Origin,
    Outcome,
    ProviderResult,
    Results,
    Verdict,
)

_LINES = (Line((0, 8), ('{"x": ', "1", "}"), None, 1000),)
_FINDING = Finding("1", "a string", "/x", (6, 7), None, '{"x": 1}', Evidence(_LINES, 8))
_FINDINGS = 9


def many(providers: int, checks: int, failing: int = 0) -> Results:
    """Results of so many providers, each judged by so many checks, of which the first `failing` fail."""
    ids = [f"provider-{number:03}" for number in range(providers)]
    verdicts = [verdict for name in ids for verdict in _verdicts(name, checks, failing)]
    concluded = {name: gate.conclude([each for each in verdicts if each.provider == name], False) for name in ids}
    return Results(
        run={"suite": "0.1.0", "mode": "recorded"},
        providers=tuple(ProviderResult(name, *concluded[name], "recorded exchanges") for name in ids),
        checks={_check(number): _text(_check(number)) for number in range(checks)},
        exchanges=tuple(_exchange(name) for name in ids),
        verdicts=tuple(verdicts),
    )


def _check(number: int) -> str:
    return f"group{number // 12:02}.thing{number:03}.property"


def _text(check: str) -> CheckText:
    return CheckText(check, f"{check} holds.", "clients go wrong.", "mend it.", {"openai": Level.MUST}, {"openai": "X"})


def _verdicts(provider: str, checks: int, failing: int) -> Iterator[Verdict]:
    for number in range(checks):
        key = (provider, "openai", _check(number), Level.MUST, "answer")
        if number < failing:
            yield Verdict(*key, Outcome.FAIL, _FINDINGS, findings=(_FINDING,) * _FINDINGS, found=2 * _FINDINGS)
        else:
            yield Verdict(*key, Outcome.PASS, number + 1)


def _exchange(provider: str) -> ExchangeSummary:
    file = f"recordings/{provider}/answer.json"
    request = "POST https://api.example.com/v1/chat/completions"
    return ExchangeSummary("answer", provider, file, "5c" * 32, request, 200, "complete", Origin.IMPORTED, None, {})
