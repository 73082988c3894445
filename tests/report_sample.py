"""Results made by hand, with every outcome and hostile strings, and the reports that are kept of them.

`PYTHONPATH=suite python tests/report_sample.py` writes the golden files anew: read the diff.
"""

from __future__ import annotations

import re
from dataclasses import replace
from io import StringIO
from pathlib import Path
from typing import Any

from rich.console import Console

from chatconform import gate
from chatconform.exhibits import (
    ContractDigest,
    DeviationText,
    Endpoint,
    Evidence,
    Habit,
    HabitText,
    Line,
    Received,
    Sent,
    Timeline,
)
from chatconform.model import (
    Change,
    CheckText,
    ExchangeSummary,
    Finding,
    Level,
    Origin,
    Outcome,
    OwnDocument,
    Place,
    Problem,
    ProviderResult,
    Reason,
    Results,
    Verdict,
    Waiver,
)
from chatconform.report import badge, html, junit, markdown, results, sarif, summary, terminal

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = (
    "<script>alert(1)</script> ]]> \x1b[31mred\x1b[0m \u202egnp.exe \0 `tick` a|b @octocat \ud800 "
    "[x](http://x.example)\r\n# h"
)
HOSTILE_PROVIDER = "Évil|`@x`\n<b>"
LONG_ID = "m" * 2**20
HOSTILE_BYTES = Evidence((Line((0, 9), (HOSTILE, HOSTILE, HOSTILE)), Line((90, 99), (HOSTILE, "", ""))), 99)


MUST, SHOULD, MAY = Level


def check(name: str, says: str, level: Level, source: str, acme: tuple[Level, str] | None = None) -> CheckText:
    levels, sources = {"openai": level}, {"openai": source}
    if acme:
        levels["acme"], sources["acme"] = acme
    known = tuple(re.findall(r"[A-Z]{3}-\d\d", source))
    return CheckText(name, says, f"clients of {name} go wrong.", f"repair {name}.", levels, sources, known=known)


CHECKS = {
    text.id: text
    for text in (
        check("envelope.id.type", "id is a string.", MUST, "OpenAI reference, id", (MUST, "acme.txt:12")),
        check("envelope.model.present", "An answer has a model.", SHOULD, "OpenAI reference, model"),
        check("http.media_type.stream", "A stream has `text/event-stream`.", MUST, "WHATWG HTML 9.2.5"),
        check("http.trace.header", "An answer has a trace header.", MAY, "catalogue H-01"),
        check("sse.done.last", "Nothing follows `[DONE]`.", MUST, "TRM-04", (SHOULD, "acme.txt:99-101")),
        check("sse.done.present", "A stream ends with `data: [DONE]`.", MUST, "catalogue TRM-01"),
        check("tools.call.id", "A tool call has an id.", MUST, "OpenAI reference, tool calls"),
        check("usage.total.sum", "The total is the sum of its parts.", SHOULD, "catalogue USG-02"),
    )
}
CHECKS["sse.done.last"] = replace(
    CHECKS["sse.done.last"], raises=("AI SDK", "@scope/client"), wrong=("openai-python",), measured=True
)
CHECKS["envelope.id.type"] = replace(CHECKS["envelope.id.type"], measured=True)
HABITS = {
    text.id: text
    for text in (
        HabitText("framing.comments", "Comment lines keep the connection alive.", "one client fails.", "SSF-04"),
        HabitText("members.answer", "Answers have further members.", "nothing breaks.", "SSS-07", measured=True),
        HabitText("framing.retry", "Events set a reconnection time with `retry:`.", "openai-python keeps it."),
    )
}


def verdict(provider: str, exchange: str, name: str, outcome: Outcome, *findings: Finding, **more: Any) -> Verdict:
    contract = more.get("contract", "openai")
    level = CHECKS[name].levels[contract]
    examined = int(outcome in (Outcome.PASS, Outcome.FAIL))
    made = Verdict(provider, contract, name, level, exchange, outcome, examined, findings=findings)
    return replace(made, **more)


def after_done(number: int) -> Finding:
    where = (1200 + number, 1216 + number)
    text = f'data: {{"usage":{number}}}'
    lines = (
        Line((1186, 1200 + number), ("data: [DONE]\n\n", "", ""), 11 + number, 901000),
        Line((1200 + number, 1218 + number), ("", text, "\n\n"), 12 + number, 912345),
    )
    return Finding("an event", "the end of the stream", None, where, 12 + number, text, Evidence(lines, 1218 + number))


PASS, FAIL, UNPROVEN = Outcome.PASS, Outcome.FAIL, Outcome.UNPROVEN
NUMBER = Finding(
    "7",
    "a string",
    "/id",
    (6, 7),
    None,
    '{"id":7,"标题":"中文的内容，中文的内容"}',
    Evidence((Line((0, 60), ('{"id":', "7", ',"标题":"中文的内容，中文的内容"'), None, 912345),), 412),
)
NO_MODEL = Finding("no key", "a key named model", "")
TOTAL = Finding("9", "8", "/usage/total_tokens")
BUG = Finding("ZeroDivisionError", "a verdict")
WAIVER = Waiver("usage.total.sum", "on top | until v2", "2027-03-31", link="https://acme.example/4?a=1&b=2")
PREREQUISITE = {"reason": Reason.PREREQUISITE, "because": "http.media_type.stream"}
SILENT = {"own_document": OwnDocument.SILENT}
PROMISES = {"own_document": OwnDocument.PROMISES}
ANNOUNCES = {"own_document": OwnDocument.ANNOUNCES}

VERDICTS = (
    verdict("acme", "stream.usage", "sse.done.last", FAIL, *map(after_done, range(7)), found=70, **PROMISES),
    verdict("acme", "stream.usage@1", "sse.done.last", PASS),
    verdict("acme", "stream.usage", "sse.done.last", FAIL, after_done(0), contract="acme"),
    verdict("acme", "plain", "envelope.id.type", FAIL, NUMBER, examined=2, **ANNOUNCES),
    verdict("acme", "plain", "envelope.id.type", PASS, contract="acme", examined=3),
    verdict("acme", "plain", "envelope.model.present", FAIL, NO_MODEL, **SILENT),
    verdict("acme", "plain", "http.trace.header", FAIL, Finding("no header", "X-Trace")),
    verdict("acme", "plain", "usage.total.sum", FAIL, TOTAL, waiver=WAIVER),
    verdict("acme", "stream.usage", "http.media_type.stream", PASS),
    verdict("acme", "stream.usage", "sse.done.present", PASS),
    verdict("acme", "tools", "tools.call.id", UNPROVEN, reason=Reason.NOTHING_TO_EXAMINE),
    verdict(
        HOSTILE_PROVIDER,
        HOSTILE,
        "http.media_type.stream",
        FAIL,
        Finding(HOSTILE, HOSTILE, HOSTILE, (0, 9), 1, HOSTILE, HOSTILE_BYTES),
        **SILENT,
    ),
    verdict(HOSTILE_PROVIDER, HOSTILE, "sse.done.present", UNPROVEN, **PREREQUISITE),
    verdict(HOSTILE_PROVIDER, LONG_ID, "envelope.id.type", FAIL, Finding(LONG_ID, "less", excerpt=LONG_ID)),
    verdict("paper", "document", "envelope.id.type", PASS, examined=4),
    verdict("paper", "document", "tools.call.id", Outcome.NOT_APPLICABLE, reason=Reason.OTHER_BRANCH),
    verdict("quiet", "plain", "envelope.id.type", PASS, examined=1200),
    verdict("broken-suite", "plain", "usage.total.sum", Outcome.ERROR, BUG),
)


def exchange(provider: str, name: str, origin: Origin, **more: Any) -> ExchangeSummary:
    file = f"recordings/{provider}/{name}.json"
    made = ExchangeSummary(
        name, provider, file, "5c" * 32, "POST /v1/chat/completions", 200, "complete", origin, None, {}
    )
    return replace(made, **more)


EXCHANGES = (
    exchange(
        "acme",
        "plain",
        Origin.LIVE,
        timings={"headers": 311000, "end": 912345},
        sent=Sent(
            "plain", "acme-1", "2026-11-20T12:00:00Z", "right", '{"model":"acme-1","messages":[{"content":"it\'s"}]}'
        ),
        received=Received((("x-request-id", "req_7"),), 412, 11, 31),
        habits=(Habit("members.answer", 2, 12, ("provider", "cost")),),
    ),
    exchange(
        "acme",
        "stream.usage",
        Origin.LIVE,
        timings={"headers": 311000, "first_event": 402000, "last_event": 912345, "last_read": 912345},
        sent=Sent("stream.usage", "acme-1", "2026-11-20T12:00:01Z", "right", '{"model":"acme-1","stream":true}'),
        received=Received((), 1264, 11, 31, Timeline(((402000, 1), (431000, 4), (901000, 7), (912345, 7)), 901000)),
        note="second try",
        habits=(Habit("framing.comments", 1200, 0), Habit("members.answer", 40, 190, ("provider", "x_acme"))),
    ),
    exchange("acme", "stream.usage@1", Origin.LIVE, habits=(Habit("framing.retry", 1),)),
    exchange("acme", "tools", Origin.LIVE, status=None, end="unreachable:dns"),
    exchange("broken-suite", "plain", Origin.IMPORTED),
    exchange("paper", "document", Origin.DOCUMENT, file="recordings/paper/document/it's one.json"),
    exchange("quiet", "plain", Origin.REFERENCE),
    exchange(
        HOSTILE_PROVIDER,
        HOSTILE,
        Origin.IMPORTED,
        file=HOSTILE,
        note=HOSTILE,
        end=HOSTILE,
        request=HOSTILE,
        sent=Sent(HOSTILE, HOSTILE, HOSTILE, "absent", HOSTILE),
        received=Received(((HOSTILE, HOSTILE),), 99, 1, 2, Timeline(((5, 1),))),
        habits=(Habit("members.answer", 1, 9, (HOSTILE,)),),
    ),
    exchange(HOSTILE_PROVIDER, LONG_ID, Origin.IMPORTED, file="bulk.jsonl"),
)


ANYWHERE = Endpoint()
ENDPOINTS = {
    "acme": Endpoint("https://api.acme.example/v1", "acme-1", "acme"),
    HOSTILE_PROVIDER: Endpoint(f"javascript:{HOSTILE}", HOSTILE),
}
CONTRACTS = {
    "acme": ContractDigest("ac" * 32, 31, "acme.txt", "d0" * 32),
    "openai": ContractDigest("0a" * 32, 205),
}


def concluded(provider: str, *, document_only: bool = False) -> ProviderResult:
    """The conclusion on one provider of VERDICTS, as the gate comes to it."""
    said = gate.conclude((item for item in VERDICTS if item.provider == provider), document_only)
    return ProviderResult(
        provider,
        said.conclusion,
        said.sentence,
        said.counts,
        f"recordings/{provider}",
        ENDPOINTS.get(provider, ANYWHERE),
        Place("conf/providers.yaml", 12, 3) if provider in ("acme", "quiet") else None,
    )


DEVIATIONS = {
    "TRM-04": DeviationText(
        "TRM-04",
        "Something follows `[DONE]`.",
        ("acme/client#12", "measured", HOSTILE, *(f"acme/c#{n}" for n in range(4))),
    )
}


def sample() -> Results:
    """Every outcome, a waived failure, each word of own_document, hostile strings; sorted as the file is."""
    return Results(
        run={"suite": "0.1.0", "started": "2026-11-20T12:00:00Z", "requests": 9, "fail_on": "must"},
        providers=(
            concluded("acme"),
            concluded("broken-suite"),
            concluded("paper", document_only=True),
            concluded("quiet"),
            concluded(HOSTILE_PROVIDER),
        ),
        checks=CHECKS,
        exchanges=EXCHANGES,
        verdicts=tuple(sorted(VERDICTS, key=lambda item: item.key)),
        problems=(Problem("bulk.jsonl:7:1", "not JSON: an object ends early", "record it again"),),
        baseline="reports/2026-11-13/results.json",
        changes=(
            Change("appeared", "acme", "openai", "envelope.id.type", "plain", MUST, None, FAIL, "suite"),
            Change("broke", "acme", "openai", "sse.done.last", "stream.usage", MUST, PASS, FAIL, "provider"),
            Change("vanished", "quiet", "openai", "tools.call.id", "tools", MUST, FAIL, None),
        ),
        habits=HABITS,
        deviations=DEVIATIONS,
        contracts=CONTRACTS,
    )


def on_terminal(judged: Results, width: int = 80) -> str:
    """What a terminal without colour shows."""
    console = Console(width=width, file=StringIO(), no_color=True, force_terminal=False)
    terminal.render(judged, console, "reports/index.html")
    assert isinstance(console.file, StringIO)
    return console.file.getvalue()


def bare(page: str) -> bytes:
    """A page without its style, its script and their digests, which are files of their own."""
    without = re.sub(r"(?s)(<style>|<script>).*?(</style>|</script>)", r"\1\2", page)
    return re.sub(r"'sha256-[^']+'", "'sha256-'", without).encode()


def reports() -> dict[str, bytes]:
    """Every golden file by name."""
    judged = sample()
    gated = gate.decide(judged, gate.FailOn.MUST)
    return {
        "index.html": bare(html.index(judged)),
        "provider.html": bare(html.provider(judged, "acme")),
        "hostile.html": bare(html.provider(judged, HOSTILE_PROVIDER)),
        "document.html": bare(html.provider(judged, "paper")),
        "void.html": bare(html.provider(judged, "broken-suite")),
        "index.md": markdown.index(judged).encode(),
        "provider.md": markdown.provider(judged, "acme").encode(),
        "hostile.md": markdown.provider(judged, HOSTILE_PROVIDER).encode(),
        "document.md": markdown.provider(judged, "paper").encode(),
        "void.md": markdown.provider(judged, "broken-suite").encode(),
        "results.json": results.dump(judged).replace(LONG_ID.encode(), b"m (2**20 of them)"),
        "junit.xml": junit.render(judged, gated),
        "results.sarif": sarif.render(judged, gated),
        "summary.md": summary.render(judged).encode(),
        "badges.json": b"".join(badge.render(provider) for provider in judged.providers),
        "terminal.txt": on_terminal(judged).encode(),
    }


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, content in reports().items():
        (GOLDEN / name).write_bytes(content)
