"""What judging costs: recorded exchanges through every check and two contracts, as ratios within one run.

Each figure is process CPU time, the median of seven turns; the candidates take turns, so that a slow moment of the
machine hits them alike. The baseline is `orjson.loads` over the same payloads: what it costs to parse them at all.

    python benchmarks/replay.py            the table
    python benchmarks/replay.py --brief    fewer exchanges, for a quick look
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from itertools import cycle
from statistics import median

import httpx
import orjson
from httpx_sse import EventSource
from jsonschema import Draft202012Validator
from traffic import mixed, payloads, stream_of

from chatconform import resources
from chatconform.checks import all_checks
from chatconform.checks.check import chats, check
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


def judge(exchanges: list[Exchange]) -> None:
    """Judge exchanges against OpenAI's contract and Tooken's document."""
    for exchange in exchanges:
        for row in rule(exchange, OWN):
            assert row.is_clean, "the benchmark's own traffic has to conform"


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


COPIES = 60
"""How many checks are added to see what one more costs."""


def add_copies(count: int) -> None:
    """Add checks that are asked of every exchange: copies, in turn, of all those that there are, by their own names.

    A copy counts its targets by a function of its own, so that nothing is saved by asking the same thing once.
    """
    typical = [each for each in all_checks().values() if each.over is chats and each.asks is None and each.level]
    for number, each in zip(range(count), cycle(typical), strict=False):
        register = check(
            f"copy.n{number}",
            level=each.level,
            over=each.over,
            cites=each.cites,
            examines=lambda transcript, examines=each.examines: examines(transcript),
        )
        register(each.predicate)


def ratio_with_copies(count: int) -> float:
    """Return what judging costs, in orjson.loads, where so many checks are added; in a process of its own."""
    command = [sys.executable, __file__, "--copies", str(count)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def further_check() -> float:
    """Return what one more check costs, in orjson.loads: the median of seven differences, by the checks added."""
    return median((ratio_with_copies(COPIES) - ratio_with_copies(0)) / COPIES for _ in range(TURNS))


def ratio(exchanges: list[Exchange]) -> float:
    """Return what judging costs, in orjson.loads of the payloads."""
    texts = payloads(exchanges)
    seconds = turns(judge=lambda: judge(exchanges), orjson=lambda: parse(texts))
    return seconds["judge"] / seconds["orjson"]


def startup(*arguments: str) -> float:
    """Return the median seconds of wall time that a Python process takes, with its bytecode at hand."""
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    found = []
    for _ in range(TURNS + 1):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=False, capture_output=True, env=environ)
        found.append(time.perf_counter() - start)
    return median(found[1:])


def report(what: str, figure: float, aim: str, *, met: bool) -> None:
    """Print one row."""
    print(f"{what:68} {figure:9.3f}   {aim:14} {'met' if met else 'MISSED'}")


def main() -> None:
    """Measure, and print the table."""
    brief = "--brief" in sys.argv
    exchanges = mixed(60 if brief else 600)
    texts = payloads(exchanges)
    few = exchanges[:60]
    print(f"{len(exchanges)} exchanges, {len(texts)} payloads, {sum(map(len, texts)) / 1e6:.1f} MB; "
          f"{len(all_checks())} checks, two contracts; Python {sys.version.split()[0]}")  # fmt: skip
    whole = ratio(exchanges)
    report("judging, in orjson.loads of the payloads", whole, "at most 6", met=whole <= 6)

    small = turns(judge=lambda: judge(few), usual=lambda: usual(few))
    faster = small["usual"] / small["judge"]
    report("how many times faster than json + httpx-sse + jsonschema", faster, "at least 25", met=faster >= 25)

    judge_short, parse_short = per_chunk(20)
    judge_long, parse_long = per_chunk(2000)
    chunks = turns(short=judge_short, short_orjson=parse_short, long=judge_long, long_orjson=parse_long)
    short, long = chunks["short"] / chunks["short_orjson"], chunks["long"] / chunks["long_orjson"]
    report("streams of 20 chunks, in orjson.loads", short, "", met=True)
    report("streams of 2,000 chunks, in orjson.loads", long, "not above", met=long <= short * 1.1)

    padded = ratio(mixed(60 if brief else 200, obfuscated=True))
    report("with obfuscation on every chunk, in orjson.loads", padded, "at most 14", met=padded <= 14)

    further = further_check()
    report("each further check, in orjson.loads", further, "at most 0.03", met=further <= 0.03)

    imports = startup("-c", "import httpx, jsonschema")
    for what, arguments in (("--help", ("--help",)), ("judge of one exchange", ("judge", ONE))):
        times = startup("-m", "chatconform", *arguments) / imports
        report(f"starting chatconform {what}, in importing httpx and jsonschema", times, "at most 2", met=times <= 2)


ONE = str(resources.path("recordings/toapis/document/answer.json"))

if __name__ == "__main__":
    if "--copies" in sys.argv:
        add_copies(int(sys.argv[-1]))
        print(ratio(mixed(200)))
    else:
        main()
