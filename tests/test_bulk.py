"""Bulk judging: counts add up to what judging one by one says, however lines are parted, and nothing is lost."""

from __future__ import annotations

import gzip
import io
import json
import multiprocessing
import os
import pickle
import random
import signal
import subprocess
import sys
from collections import Counter
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from rich.console import Console

import recording
from bulk_traffic import CONTRACTS, POISON, exchanges, file_of, line, lines
from chatconform import Counts, Terms, count, gate, judging, load
from chatconform.bulk import batches, conclusion, counts, pool
from chatconform.cli.counted import Counted, progress
from chatconform.contracts import contract as contracts
from chatconform.model import InputError, Origin, Outcome, Place, Provider, Waiver

MATERIAL = os.environ.get("CHATCONFORM_MATERIAL")
TERMS = Terms(contracts=CONTRACTS)


def in_processes(path: Path, jobs: int, size: int = batches.BATCH, terms: Terms = TERMS) -> Counts:
    with path.open("rb") as nothing:
        found = batches.batches(batches.listed([path]), nothing, size)
        return sum((part for _, part in pool.judged(found, terms, jobs)), Counts())


@pytest.fixture(scope="module")
def whole() -> Counts:
    """Return what the lines come to, as one batch."""
    return count(lines(), source="traffic.jsonl", terms=TERMS)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_batches_of_any_size_add_up_to_the_whole(size, whole):
    numbers = list(range(0, len(lines()), size))
    random.Random(size).shuffle(numbers)
    parts = [
        count(lines()[number : number + size], source="traffic.jsonl", first=number + 1, terms=TERMS)
        for number in numbers
    ]

    assert whole == sum(parts, Counts())


@pytest.mark.parametrize("jobs, size", [(1, 1000), (2, 5_000), (3, 60_000)])
def test_processes_count_the_same(jobs, size, tmp_path, monkeypatch, whole):
    monkeypatch.chdir(tmp_path)
    Path("traffic.jsonl").write_bytes(file_of(lines()))

    assert whole == in_processes(Path("traffic.jsonl"), jobs, size)


def verdicts_one_by_one(judged) -> Counter:
    """Count what judging each exchange says: outcomes, targets and findings by provider, contract, check and level."""
    found: Counter = Counter()
    for exchange in judged:
        own = CONTRACTS.get(exchange.provider)
        for verdict in judging.verdicts(exchange, contracts.load(own) if own else None):
            key = (verdict.provider or "unnamed", verdict.contract, verdict.check, verdict.level)
            found[*key, verdict.outcome] += 1
            found[*key, verdict.reason] += verdict.reason is not None
            found[*key, "examined"] += verdict.examined
            found[*key, "found"] += verdict.found
    return +found


def as_one_by_one(counted: Counts) -> Counter:
    found: Counter = Counter()
    for name, provider in counted.providers.items():
        for (contract, check, level, _), each in provider.checks.items():
            key = (name, contract, check, level)
            found.update({(*key, outcome): number for outcome, number in each.outcomes.items()})
            found.update({(*key, reason): number for reason, number in each.reasons.items()})
            found.update({(*key, "examined"): each.examined, (*key, "found"): each.found})
    return +found


def test_counts_are_those_of_judging_one_by_one():
    assert verdicts_one_by_one(exchanges()) == as_one_by_one(count(map(line, exchanges()), terms=TERMS))


@pytest.mark.skipif(not MATERIAL, reason="the captures are not here")
def test_counts_of_captures_are_those_of_judging_one_by_one():
    captures = Path(MATERIAL or "") / "corpus" / "captures.jsonl.gz"
    with gzip.open(captures) as file:
        counted = count(file, source="captures", terms=TERMS)

    assert verdicts_one_by_one(load(captures)) == as_one_by_one(counted)


def test_the_first_by_file_and_line_are_named_with_their_first_finding(whole):
    named = [
        (name, key, each)
        for name, provider in whole.providers.items()
        for key, check in provider.checks.items()
        for each in check.examples.get(Outcome.FAIL, ())
    ]
    judged = {number: item for number, item in enumerate(read_lines(), 1) if item is not None}
    for name, key, each in named[::5]:
        exchange = judged[each.place.line]
        own = contracts.load(key.contract) if key.contract != "openai" else contract_beside(name)
        first = next(
            verdict.findings[0]
            for verdict in judging.verdicts(exchange, own)
            if (verdict.contract, verdict.check) == (key.contract, key.check)
        )
        assert (exchange.id, first) == (each.exchange, each.finding)
    assert len(named) > 50


def read_lines():
    sound = [*exchanges(), *[None] * (3 + len(POISON)), *exchanges()[:20]]
    assert len(sound) == len(lines())
    return sound


def contract_beside(name: str):
    return contracts.load(CONTRACTS[name]) if name in CONTRACTS else None


def test_lines_that_hold_no_exchange_are_counted_and_named(whole):
    first = len(exchanges()) + 3

    assert (len(lines()), 2, len(POISON) + 1) == (whole.lines, whole.empty, whole.unread)
    assert [(Place("traffic.jsonl", first + number), True) for number in range(len(POISON) + 1)] == [
        (Place(each.place.file, each.place.line), bool(each.problem and each.remedy)) for each in whole.first_unread
    ]


def test_of_many_poisoned_lines_the_first_are_named():
    parts = [count([b"x"] * 30, source="a", first=first) for first in (61, 1, 31)]
    total = sum(parts, Counts())

    assert (90, 90) == (total.lines, total.unread)
    assert list(range(1, 21)) == [each.place.line for each in total.first_unread]


def test_no_line_comes_to_nothing():
    assert Counts() == count([])


def test_lines_may_be_text_bytes_or_a_file(tmp_path):
    sound = [line(each) for each in exchanges()[:5]]
    (tmp_path / "x").write_bytes(file_of(sound))
    with (tmp_path / "x").open("rb") as file:
        assert count(sound) == count(file) == count(each.decode() + "\r\n" for each in sound)


def test_counts_travel_as_pickles_and_as_json(whole):
    written = json.loads(json.dumps(whole.to_json()))

    assert whole == pickle.loads(pickle.dumps(whole)) == Counts.from_json(written)
    assert whole.to_json() == Counts.from_json(written).to_json()


@pytest.mark.parametrize("broken", [None, {}, {"format": "chatconform.results/1"}, {"format": "chatconform.counts/1"}])
def test_json_that_holds_no_counts_is_refused(broken):
    with pytest.raises(InputError, match="mine"):
        Counts.from_json(broken, "mine.json")


def test_superseded_attempts_and_other_scenarios_are_not_judged():
    first, second = recording.answer("answer@1", object="wrong"), recording.answer("later")
    found = count(
        [json.dumps({**first, "attempt": 1}), json.dumps(recording.answer()), json.dumps(second)],
        terms=Terms(scenarios=("ans*",)),
    )

    assert (1, 1, 1, {"ans*": 1}) == (found.exchanges, found.superseded, found.others, found.taken)


def test_all_exchanges_may_be_judged_as_one_provider_s():
    found = count([line(each) for each in exchanges()[:30]], terms=Terms(provider="mine", contract="tooken"))

    assert {"mine"} == set(found.providers)
    assert {"openai", "tooken"} == {key.contract for key in found.providers["mine"].checks}


def test_a_contract_that_there_is_not_is_refused():
    with pytest.raises(InputError, match="nobody"):
        count([], terms=Terms(contract="nobody"))


def test_of_many_providers_the_first_by_name_are_counted_apart(monkeypatch):
    monkeypatch.setattr(counts, "MAX_PROVIDERS", 3)
    sound = [json.dumps(recording.answer(f"n{number}") | {"provider": f"p{number % 7}"}) for number in range(35)]
    total = count(sound, source="a")
    parts = [count(sound[first : first + 4], source="a", first=first + 1) for first in range(32, -1, -4)]

    assert total == sum(parts, Counts())
    assert {"p0": 5, "p1": 5, "p2": 5, counts.OTHERS: 20} == {
        name: each.exchanges for name, each in total.providers.items()
    }


# What is concluded


def concluded(found: Counts, *providers: Provider, today: date = date(2026, 11, 20)) -> conclusion.Conclusion:
    return conclusion.conclude(
        found, {each.id: each for each in providers}, conclusion.Selection(), today, gate.FailOn.MUST
    )


def test_the_gate_concludes_as_it_does_from_every_verdict():
    judged = [replace(each, origin=Origin.IMPORTED) for each in exchanges()]
    from_counts = concluded(count(map(line, judged)))
    for result in from_counts.providers:
        verdicts = judging.judge([each for each in judged if each.provider == result.id])
        assert gate.conclude(verdicts, document_only=False) == (result.conclusion, result.sentence, result.counts)


def acme(*waivers: Waiver) -> Provider:
    return Provider("acme", "", "m", waivers=waivers)


WRONG = json.dumps(recording.answer("wrong", object="x"))
ALSO_WRONG = json.dumps(recording.answer("also", object="x"))
WAIVED = Waiver("envelope.object.value", "known", "2027-01-01")


@pytest.mark.parametrize(
    "waiver, judged, code, problem",
    [
        (WAIVED, [WRONG, ALSO_WRONG], 0, ""),
        (replace(WAIVED, exchange="wrong"), [WRONG], 0, ""),
        (replace(WAIVED, exchange="wrong"), [WRONG, ALSO_WRONG], 1, ""),
        (replace(WAIVED, until="2026-01-01"), [WRONG], 2, "expired"),
        (WAIVED, [json.dumps(recording.answer())], 2, "stale"),
        (replace(WAIVED, exchange="answer"), [json.dumps(recording.answer()), WRONG], 2, "stale"),
    ],
)
def test_waivers_reach_what_was_counted(waiver, judged, code, problem):
    provider = acme(waiver)
    found = concluded(count(judged, terms=Terms.of([provider])), provider)

    assert code == found.exit_code
    assert [problem] * bool(problem) == [
        word for each in found.problems for word in ("expired", "stale") if word in each.problem
    ]


# Files


def listed(*paths: Path, size: int = batches.BATCH) -> list[batches.Batch]:
    with Path(os.devnull).open("rb") as nothing:
        return list(batches.batches(batches.listed(paths), nothing, size))


def read_of(*paths: Path, size: int = batches.BATCH) -> tuple[list[tuple[str, int, bytes]], list[str]]:
    found = listed(*paths, size=size)
    read_lines = [
        (Path(piece.source).name, number, text if piece.is_file else text.removesuffix(b"\n"))
        for batch in found
        for piece in batch.pieces
        for number, text in enumerate(piece.lines, piece.first)
    ]
    return read_lines, [f"{each.place.line}: {each.problem}" for batch in found for each in batch.unread.first_unread]


PLAIN = b"one\ntwo\r\n\nfour\nlast"
SPLIT = [(1, b"one"), (2, b"two\r"), (3, b""), (4, b"four"), (5, b"last")]


def in_two_members(data: bytes) -> bytes:
    return gzip.compress(data[:6]) + gzip.compress(data[6:]) + b"\0" * 9


@pytest.mark.parametrize("size", [1, 2, 5, 100])
@pytest.mark.parametrize(
    "pack", [bytes, gzip.compress, lambda data: gzip.compress(data[:6]) + gzip.compress(data[6:]) + b"\0" * 9]
)
def test_lines_are_the_same_in_batches_of_any_size(pack, size, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(pack(PLAIN))

    assert ([("x.jsonl", *each) for each in SPLIT], []) == read_of(tmp_path / "x.jsonl", size=size)


def cut_off(data: bytes) -> bytes:
    return data[:-10]


def with_more(data: bytes) -> bytes:
    return data + b"more"


def scratched(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + b"\0" * 40 + data[middle + 40 :]


@pytest.mark.parametrize(
    "spoil, problem",
    [
        (cut_off, "ends before its gzip stream does"),
        (with_more, "holds damaged gzip data"),
        (scratched, "holds damaged gzip data"),
    ],
)
def test_of_damaged_gzip_data_the_whole_lines_are_counted(spoil, problem, tmp_path):
    text = file_of(b"%d" % random.Random(number).getrandbits(400) for number in range(2000))
    (tmp_path / "x.jsonl.gz").write_bytes(spoil(gzip.compress(text)))
    ways = [read_of(tmp_path / "x.jsonl.gz", size=size) for size in (10, 1000, 10**6)]

    assert ways[0] == ways[1] == ways[2]
    assert [f"{len(ways[0][0]) + 1}: {problem}"] == ways[0][1]
    assert [text for _, _, text in ways[0][0]][:900] == text.split(b"\n")[:900]


def test_a_gzip_bomb_is_read_no_further_than_it_may_unpack_to(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "FREE", 10_000)
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(b"0" * 99 + b"\n" + b" " * 10**7))
    found, problems = read_of(tmp_path / "x.jsonl.gz")

    assert ([1], True) == (
        [number for _, number, _ in found],
        problems[0].startswith("2: unpacks to more than 100 times"),
    )


def test_a_line_that_is_too_long_is_passed_over(tmp_path, monkeypatch):
    monkeypatch.setattr(batches, "MAX_LINE", 50)
    (tmp_path / "x.jsonl").write_bytes(b"one\n" + b"2" * 1000 + b"\nthree\n" + b"4" * 51)
    ways = [read_of(tmp_path / "x.jsonl", size=size) for size in (1, 40, 50)]

    assert [(1, b"one"), (3, b"three")] == [each[1:] for each in ways[0][0]]
    assert ["2: is longer than", "4: is longer than"] == [each[:17] for each in ways[0][1]]
    assert ways[0] == ways[1] == ways[2]


def test_what_cannot_be_read_is_counted_and_the_rest_is_read(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"")
    (tmp_path / "b.jsonl").write_bytes(b"x\n")
    (tmp_path / "c.jsonl").write_bytes(b"hidden")
    (tmp_path / "c.jsonl").chmod(0)
    (tmp_path / "d.json").write_bytes(b"{}\n{}\n")
    (tmp_path / "e").mkdir()
    (tmp_path / "f.jsonl").symlink_to("nowhere")
    gone, empty = tmp_path / "gone.jsonl", tmp_path / "e"
    found, problems = read_of(tmp_path, gone, empty, tmp_path / "b.jsonl")

    assert [("b.jsonl", 1, b"x"), ("d.json", 1, b"{}\n{}\n")] == [each for each in found if each[0] != "c.jsonl"]
    assert ["None: holds no exchange", "None: holds no recorded exchange", "None: is a link to nothing",
            "None: no such file or folder"] == sorted(each for each in problems if "denied" not in each)  # fmt: skip


def test_a_file_that_vanishes_is_counted(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"x\n")
    files = batches.listed([tmp_path])
    (tmp_path / "a.jsonl").unlink()
    with Path(os.devnull).open("rb") as nothing:
        (batch,) = batches.batches(files, nothing)

    assert "no such file or folder" == batch.unread.first_unread[0].problem


def test_the_size_of_what_has_no_end_is_not_known(tmp_path):
    (tmp_path / "a.jsonl").write_bytes(b"12345")

    assert 5 == batches.size(batches.listed([tmp_path, tmp_path / "gone"]))
    assert batches.size(batches.listed([tmp_path, "-"])) is None


# Processes


def test_a_worker_that_is_killed_takes_no_batch_with_it(tmp_path, monkeypatch, whole):
    monkeypatch.chdir(tmp_path)
    Path("traffic.jsonl").write_bytes(file_of(lines()))
    total, killed = Counts(), []
    with Path(os.devnull).open("rb") as nothing:
        for _, part in pool.judged(batches.batches(batches.listed(["traffic.jsonl"]), nothing, 20_000), TERMS, 2):
            total += part
            if not killed:
                killed = multiprocessing.active_children()
                for child in killed:
                    child.kill()

    assert killed
    assert whole == total


DEADLY = """
import os, signal
from chatconform import cli
from chatconform.checks.check import MUST, answers, check

@check("choices.deadly", level=MUST, over=answers, cites="none")
def deadly(answer):
    '''This kills.

    Breaks: this run.
    Fix: nothing.
    '''
    if answer.exchange.id == "deadly":
        os.kill(os.getpid(), signal.SIGKILL)
    return iter(())

if __name__ == "__main__":
    cli.main()
"""


def test_a_line_that_ends_every_worker_is_named_and_the_others_are_counted(environment, tmp_path):
    (tmp_path / "deadly.py").write_text(DEADLY)
    padding = {"note": "x" * 1_300_000}
    ids = ["a", "b", "c", "deadly", "e", "f", "g"]
    (tmp_path / "x.jsonl").write_bytes(file_of(json.dumps(recording.answer(each) | padding).encode() for each in ids))
    command = [sys.executable, "deadly.py", "judge", "--counts", "--json", "--jobs", "2", "x.jsonl"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)
    found = json.loads(done.stdout)

    assert (2, 7, 6, 1) == (done.returncode, found["lines"], found["exchanges"], found["unread"])
    assert (4, True) == (found["first_unread"][0]["line"], "killed" in found["first_unread"][0]["problem"])


# The command


def write(folder: Path, name: str = "x.jsonl", count: int = 30) -> list[bytes]:
    """Write some exchanges that fit, one a line, and return the lines."""
    sound = [json.dumps(recording.answer(f"a{number}")).encode() for number in range(count)]
    (folder / name).write_bytes(file_of(sound))
    return sound


def test_the_command_prints_counts_and_writes_them(chatconform, tmp_path):
    sound = write(tmp_path)
    (tmp_path / "y.jsonl.gz").write_bytes(gzip.compress(file_of([*sound, b"{"])))
    done = chatconform(tmp_path, "judge", "--counts", "--json", "--out", "out", "x.jsonl", "y.jsonl.gz", "-",
                       stdin=gzip.compress(file_of(sound)))  # fmt: skip

    assert (2, "") == (done.returncode, done.stderr)
    assert done.stdout == (tmp_path / "out" / "counts.json").read_text()
    assert (91, 90, 1) == tuple(json.loads(done.stdout)[name] for name in ("lines", "exchanges", "unread"))
    assert json.loads(done.stdout)["problems"][0]["place"] == "y.jsonl.gz:31:2"
    assert "conforms" == json.loads(done.stdout)["conclusions"][0]["conclusion"]
    assert Counts.from_json(json.loads(done.stdout)).exchanges == 90


def test_the_report_says_what_fails_where_and_what_is_not_counted(chatconform, tmp_path):
    (tmp_path / "x.jsonl").write_bytes(file_of([WRONG.encode()] * 4))
    done = chatconform(tmp_path, "judge", "--counts", "x.jsonl")

    assert 1 == done.returncode
    assert "4 lines: 4 exchanges judged\n" in done.stdout
    assert (
        'FAIL   openai       envelope.object.value                4 fail\n         x.jsonl:1 (wrong): got "x"'
        in done.stdout
    )
    assert "Each exchange was judged by itself" in done.stdout


@pytest.mark.parametrize(
    "options, problem",
    [
        ("--counts --baseline old.json", "--baseline is about verdicts one by one"),
        ("--counts --fail-on regression", "--fail-on regression is about verdicts one by one"),
        ("--counts --junit x.xml", "--junit is about verdicts one by one"),
        ("--counts --scenario b*", "--scenario b* names no exchange"),
        ("--counts --check nothing.*", "--check nothing.* names no check"),
        ("--jobs 2", "--jobs is about counting"),
    ],
)
def test_options_that_do_not_go_together_are_refused(options, problem, chatconform, tmp_path):
    write(tmp_path, count=1)
    done = chatconform(tmp_path, "judge", "x.jsonl", *options.split())

    assert (2, True) == (done.returncode, problem in done.stdout + done.stderr)


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_was_counted_is_printed_where_it_is_interrupted(jobs, environment, tmp_path):
    command = [sys.executable, "-m", "chatconform", "judge", "--counts", "--jobs", str(jobs), "-"]
    line_of = json.dumps(recording.answer() | {"note": "x" * 300_000}).encode() + b"\n"
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        start_new_session=True,
    ) as child:  # fmt: skip
        assert child.stdin is not None
        for _ in range(110):
            child.stdin.write(line_of)
        child.stdin.flush()
        os.killpg(child.pid, signal.SIGINT)
        said, problems = child.communicate()

    assert (130, b"") == (child.returncode, problems)
    assert b"Interrupted: this is what was counted so far" in said
    assert int(said.split(b" lines: ")[1].split(b" exchanges")[0]) > 0


def test_workers_end_with_the_process_that_started_them(environment, tmp_path):
    command = [sys.executable, "-m", "chatconform", "judge", "--counts", "--jobs", "2", "-"]
    line_of = json.dumps(recording.answer() | {"note": "x" * 300_000}).encode() + b"\n"
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdin is not None
        for _ in range(110):
            child.stdin.write(line_of)
        child.stdin.flush()
        child.kill()
        with suppress(BrokenPipeError):
            said, _ = child.communicate(timeout=60)  # ends when nobody holds the other end, no worker either

    assert (-signal.SIGKILL, b"") == (child.returncode, said)


MEMORY = """
import resource, sys
from pathlib import Path
from chatconform import Counts, Terms
from chatconform.bulk import batches, pool
total = Counts()
with open("/dev/null", "rb") as nothing:
    for _, part in pool.judged(batches.batches(batches.listed(sys.argv[1:]), nothing), Terms(), 1):
        total += part
print(total.exchanges, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_input(environment, tmp_path):
    sound = [json.dumps(recording.answer(f"a{number}") | {"note": "x" * 100_000}).encode() for number in range(40)]
    for name, times in (("small.jsonl", 2), ("large.jsonl", 20)):
        (tmp_path / name).write_bytes(file_of(sound * times))
    measured = [
        subprocess.run(
            [sys.executable, "-c", MEMORY, name], cwd=tmp_path, env=environment, capture_output=True, check=True
        )
        for name in ("small.jsonl", "large.jsonl")
    ]
    (few, small), (many, large) = (map(int, each.stdout.split()) for each in measured)

    assert (80, 800) == (few, many)
    assert large < small + 8_000, "kilobytes: eight MB in eighty, and nothing of it kept"


# An engine


PAGE = Path(__file__).parents[1] / "docs" / "scale.md"


def test_dask_counts_objects_as_the_page_says(environment, tmp_path):
    written = PAGE.read_text(encoding="utf-8").split("```python\n")[1].split("```")[0]
    (tmp_path / "count_traffic.py").write_text(written, encoding="utf-8")
    (tmp_path / "traffic").mkdir()
    third = len(lines()) // 3
    for number, part in enumerate((lines()[:third], lines()[third : 2 * third], lines()[2 * third :])):
        name = f"traffic/{number}.jsonl" + (".gz" if number % 2 else "")
        (tmp_path / name).write_bytes((gzip.compress if number % 2 else bytes)(file_of(part)))
    command = [sys.executable, "-W", "error", "count_traffic.py", str(tmp_path / "traffic" / "*")]
    done = subprocess.run(
        command, cwd=tmp_path, env={**environment, "DASK_NUM_WORKERS": "2"}, capture_output=True, text=True
    )
    total = Counts.from_json(json.loads(done.stdout))

    assert "" == done.stderr
    assert as_one_by_one(count(lines(), terms=Terms(contracts={"tooken": "tooken"}))) == as_one_by_one(total)
    assert (len(lines()), len(POISON) + 1) == (total.lines, total.unread)


def test_a_file_that_cannot_be_read_to_its_end_is_counted():
    packed = gzip.compress(file_of(line(each) for each in exchanges()[:20]))
    with gzip.open(io.BytesIO(packed[:-9])) as file:
        found = count(file, source="s3://x")

    assert (20, 1) == (found.exchanges, found.unread)
    assert "cannot be read after this line" in found.first_unread[0].problem


# How far it is


@pytest.mark.parametrize(
    "counted, said",
    [
        ((1_500, 0, 30_000_000, 120_000_000, 10.0), "1,500 exchanges, 30 of 120 MB, 150/s, 3.0 MB/s, 30 s left"),
        ((9, 2, 10**6, 10**9, 20.0), "9 exchanges, 2 not read, 1 of 1,000 MB, 0/s, 0.1 MB/s, 5 h 33 min left"),
        ((9, 0, 10**6, 61 * 10**6, 2.0), "9 exchanges, 1 of 61 MB, 4/s, 0.5 MB/s, 2 min 00 s left"),
        ((7, 0, 2_000_000, None, 4.0), "7 exchanges, 2 MB, 2/s, 0.5 MB/s"),
        ((0, 0, 0, 5, 0.0), "0 exchanges, 0 of 0 MB"),
    ],
)
def test_progress_says_how_far_how_quick_and_how_long_still(counted, said):
    assert said == progress(*counted)


def test_progress_is_drawn_on_a_terminal_and_a_line_now_and_then_elsewhere():
    for is_terminal, expected in ((True, "3 exchanges"), (False, "")):
        shown = io.StringIO()
        with Counted(Console(file=shown, force_terminal=is_terminal, width=100), 10) as watch:
            watch.counted(5, count([json.dumps(recording.answer())] * 3))
        assert expected in shown.getvalue()
        assert bool(expected) == bool(shown.getvalue())
