"""What judging costs: recorded exchanges through every check and two contracts, as ratios within one run.

Each figure is process CPU time, the median of seven turns; the candidates take turns, so that a slow moment of the
machine hits them alike. The baseline is `orjson.loads` over the same payloads: what it costs to parse them at all.

    python benchmarks/replay.py            the table
    python benchmarks/replay.py --brief    fewer exchanges, for a quick look
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable
from statistics import median

import httpx
import orjson
from httpx_sse import EventSource
from jsonschema import Draft202012Validator
from traffic import mixed, payloads, stream_of

from chatconform import resources
from chatconform.checks import all_checks
from chatconform.contracts import contract as contracts
from chatconform.judging import rule
from chatconform.model import Exchange

TURNS = 7
OWN = contracts.load("tooken")


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of this process that some work takes."""
    start = time.process_time()
    work()
    return time.process_time() - start


def turns(**candidates: Callable[[], object]) -> dict[str, float]:
    """Return the median CPU seconds of each candidate, all of them run once before and then in turns."""
    for work in candidates.values():
        work()
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(TURNS):
        for name, work in candidates.items():
            found[name].append(cpu(work))
    return {name: median(seconds) for name, seconds in found.items()}


def judge(exchanges: list[Exchange]) -> int:
    """Judge exchanges against OpenAI's contract and Tooken's document; return how many checks were ruled on."""
    ruled = 0
    for exchange in exchanges:
        for row in rule(exchange, OWN):
            assert row.is_clean, "the benchmark's own traffic has to conform"
            ruled += len(row.checked) + len(row.examined)
    return ruled


def parse(texts: list[bytes]) -> None:
    """Parse every payload."""
    for text in texts:
        orjson.loads(text)


ANSWER, CHUNK = (
    Draft202012Validator(json.loads(resources.read_text(f"schemas/openai/{name}.schema.json")))
    for name in ("response", "chunk")
)


def usual(exchanges: list[Exchange]) -> None:
    """Do what most checkers do: json, httpx-sse, and jsonschema with one contract on every payload."""
    for exchange in exchanges:
        assert exchange.response is not None
        response = httpx.Response(200, headers=dict(exchange.response.headers or ()), content=exchange.response.body)
        if exchange.id.startswith("stream"):
            for event in EventSource(response).iter_sse():
                if event.data != "[DONE]":
                    list(CHUNK.iter_errors(json.loads(event.data)))
        else:
            list(ANSWER.iter_errors(json.loads(response.text)))


def per_chunk(chunks: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Return judging and parsing for streams of one length, about 40,000 chunks in all."""
    exchanges = stream_of(chunks, max(1, 40_000 // chunks))
    texts = payloads(exchanges)
    return lambda: judge(exchanges), lambda: parse(texts)


def startup(*arguments: str) -> float:
    """Return the median seconds of wall time that a Python process takes."""
    found = []
    for _ in range(TURNS):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=False, capture_output=True)
        found.append(time.perf_counter() - start)
    return median(found)


def report(what: str, figure: float, aim: str, *, met: bool) -> None:
    """Print one row."""
    print(f"{what:66} {figure:9.2f}   {aim:14} {'met' if met else 'MISSED'}")


def main() -> None:
    """Measure, and print the table."""
    brief = "--brief" in sys.argv
    exchanges = mixed(60 if brief else 600)
    texts = payloads(exchanges)
    few = exchanges[:60]
    print(f"{len(exchanges)} exchanges, {len(texts)} payloads, {sum(map(len, texts)) / 1e6:.1f} MB; "
          f"{len(all_checks())} checks, two contracts; Python {sys.version.split()[0]}")  # fmt: skip
    whole = turns(judge=lambda: judge(exchanges), orjson=lambda: parse(texts))
    ratio = whole["judge"] / whole["orjson"]
    report("judging, in orjson.loads of the payloads", ratio, "at most 6", met=ratio <= 6)

    small = turns(judge=lambda: judge(few), usual=lambda: usual(few))
    faster = small["usual"] / small["judge"]
    report("how many times faster than json + httpx-sse + jsonschema", faster, "at least 25", met=faster >= 25)

    judge_short, parse_short = per_chunk(20)
    judge_long, parse_long = per_chunk(2000)
    chunks = turns(short=judge_short, short_orjson=parse_short, long=judge_long, long_orjson=parse_long)
    short, long = chunks["short"] / chunks["short_orjson"], chunks["long"] / chunks["long_orjson"]
    report("streams of 20 chunks, in orjson.loads", short, "", met=True)
    report("streams of 2,000 chunks, in orjson.loads", long, "not above", met=long <= short * 1.1)

    padded = mixed(60 if brief else 200, obfuscated=True)
    padded_texts = payloads(padded)
    obfuscated = turns(judge=lambda: judge(padded), orjson=lambda: parse(padded_texts))
    ratio = obfuscated["judge"] / obfuscated["orjson"]
    report("with obfuscation on every chunk, in orjson.loads", ratio, "at most 14", met=ratio <= 14)

    ruled = judge(exchanges) / len(exchanges)
    each = (whole["judge"] / whole["orjson"]) / ruled
    report(
        f"each of the {ruled:.0f} checks and clauses ruled on, in orjson.loads", each, "at most 0.03", met=each <= 0.03
    )

    imports = startup("-c", "import httpx, jsonschema")
    for what, arguments in (("--help", ("--help",)), ("judge of one exchange", ("judge", ONE))):
        ratio = startup("-m", "chatconform", *arguments) / imports
        report(f"starting chatconform {what}, in importing httpx and jsonschema", ratio, "at most 2", met=ratio <= 2)


ONE = str(resources.path("recordings/toapis/document/answer.json"))

if __name__ == "__main__":
    main()
