"""What bulk judging costs: exchanges and megabytes a second, the gain of a second process, and memory.

The traffic is made up: of every hundred exchanges, ninety are answers and streams as gateways send them, of sizes that
differ by a factor of a hundred; the others are this suite's own good exchanges, faults and variations; ids, clocks and
texts differ in all. Times are wall time where processes are compared, CPU time where code is; each is the median of
turns that alternate, and every ratio is one within this run. The baseline is `orjson.loads` of the whole lines. For
the memory each of our own comes once before the others: the largest exchange makes the peak, and is in both files.

    python benchmarks/bulk.py            100,000 exchanges, and a gigabyte for the memory: some ten minutes
    python benchmarks/bulk.py --brief    a twentieth of it
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import cache
from itertools import chain, islice
from pathlib import Path
from random import Random
from statistics import median

import orjson
from traffic import WORDS, answer, stream

from chatconform import Counts, Terms, count
from chatconform.bulk import batches, pool
from chatconform.model import Exchange
from chatconform.recordings import store
from chatconform.reference.faults import all_faults
from chatconform.reference.good import CREATED, GOOD
from chatconform.reference.variations import VARIATIONS

TURNS = 3
TERMS = Terms(contracts={"tooken": "tooken", "xmsmartlink": "xmsmartlink"})
CHUNKS = (5, 20, 20, 60, 60, 200, 500)


@cache
def ours() -> tuple[Exchange, ...]:
    """Return the good exchanges, every fault, and every variation."""
    return (
        *GOOD.values(),
        *(fault.breaks(GOOD[fault.of]) for _, fault in sorted(all_faults().items())),
        *(variation.rewords(GOOD[good]) for _, variation in sorted(VARIATIONS.items()) for good in variation.of),
    )


def exchanges(seed: int = 3) -> Iterator[Exchange]:
    """Yield made-up exchanges without end."""
    random = Random(seed)
    number = 0
    while True:
        number += 1
        if number % 10 == 0:
            yield replace(random.choice(ours()), id=f"ours-{number}")
        elif number % 2:
            yield answer(random, number)
        else:
            yield stream(random, number, random.choice(CHUNKS), obfuscated=number % 16 == 0)


def lines(seed: int = 3) -> Iterator[bytes]:
    """Yield the exchanges as lines; in those of our own, the text and the clock differ from one to the next."""
    random = Random(seed)
    for exchange in exchanges(seed):
        line = line_of(exchange)
        if exchange.id.startswith("ours"):
            text = "".join(random.choices(WORDS[:9], k=random.randint(1, 300)))
            created = b"%d" % random.randint(CREATED - 10_000, CREATED)
            line = line.replace("Zürich".encode(), text.encode()).replace(b"%d" % CREATED, created)
        yield line


def line_of(exchange: Exchange) -> bytes:
    return json.dumps(store.to_json(exchange), ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def cpu(work: Callable[[], object]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


def wall(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def turns(clock: Callable[[Callable[[], object]], float], **candidates: Callable[[], object]) -> dict[str, float]:
    """Return the median seconds of each candidate, in turns."""
    found: dict[str, list[float]] = {name: [] for name in candidates}
    for _ in range(TURNS):
        for name, work in candidates.items():
            found[name].append(clock(work))
    return {name: median(seconds) for name, seconds in found.items()}


def judged(path: Path, jobs: int) -> Counts:
    """Count a file's exchanges."""
    with Path(os.devnull).open("rb") as nothing:
        found = batches.batches(batches.listed([path]), nothing, pool.size(jobs))
        return sum((part for _, part in pool.judged(found, TERMS, jobs)), Counts())


def parse(some: list[bytes]) -> None:
    for line in some:
        with suppress(orjson.JSONDecodeError):
            orjson.loads(line)


PEAK = """
import sys
sys.path.insert(0, sys.argv[2])
import bulk
from pathlib import Path
counts = bulk.judged(Path(sys.argv[1]), 1)
print(counts.exchanges, next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def peak(path: Path) -> float:
    """Return the most memory that counting a file takes, in megabytes; in a process of its own."""
    command = [sys.executable, "-c", PEAK, str(path), str(Path(__file__).parent)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return int(done.stdout.split()[1]) / 1024


def write(path: Path, some: Iterator[bytes], size: int) -> None:
    """Write lines until a file has so many bytes."""
    with path.open("wb") as file:
        while file.tell() < size:
            file.writelines(islice(some, 200))


def report(what: str, figure: float, aim: str = "", *, met: bool = True) -> None:
    print(f"{what:62} {figure:12,.2f}   {aim:14} {('met' if met else 'MISSED') if aim else ''}")


def main() -> None:
    brief = "--brief" in sys.argv
    number = 5_000 if brief else 100_000
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "traffic.jsonl"
        with path.open("wb") as file:
            file.writelines(islice(lines(), number))
        size = path.stat().st_size / 1e6
        print(f"{number:,} exchanges, {size:,.0f} MB; load {os.getloadavg()[0]:.1f} on {os.cpu_count()} processors; "
              f"Python {sys.version.split()[0]}")  # fmt: skip

        some = [*islice(lines(), 3_000)]
        count(some, terms=TERMS)
        found = turns(cpu, orjson=lambda: parse(some), count=lambda: count(some, terms=TERMS))
        ratio = found["count"] / found["orjson"]
        report("counting, in orjson.loads of the whole lines", ratio, "at most 6", met=ratio <= 6)

        walls = turns(wall, one=lambda: judged(path, 1), two=lambda: judged(path, 2))
        report("exchanges a second, one process", number / walls["one"])
        report("MB a second, one process", size / walls["one"])
        report("exchanges a second, two processes", number / walls["two"])
        scaling = walls["one"] / walls["two"]
        report("two processes, in one", scaling, "at least 1.8", met=scaling >= 1.8)

        sizes = (10**7, 10**8 if brief else 10**9)
        peaks = []
        for bytes_ in sizes:
            write(path, chain(map(line_of, ours()), lines(5)), bytes_)
            peaks.append(peak(path))
            report(f"peak memory in MB at {bytes_ // 10**6:,} MB of input", peaks[-1])
        more = peaks[1] / peaks[0]
        report("the second, in the first", more, "at most 1.1", met=more <= 1.1)


if __name__ == "__main__":
    main()
