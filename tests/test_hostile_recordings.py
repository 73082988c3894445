"""Recordings, logs and results files that mean harm: one clear error each, or a verdict, and never swollen memory."""

from __future__ import annotations

import copy
import gzip
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from chatconform import judging
from chatconform.model import Exchange, InputError, Outcome
from chatconform.recordings import sources, store
from chatconform.report import results
from recording import answer, lines, stream, write
from report_sample import sample

pytestmark = pytest.mark.uncovered

CEILING = 1 << 30
"""Bytes of address space that a command may take."""
LIMITED = """
import resource, runpy, sys
resource.setrlimit(resource.RLIMIT_AS, (int(sys.argv[1]), int(sys.argv[1])))
sys.argv = ["chatconform", *sys.argv[2:]]
runpy.run_module("chatconform", run_name="__main__")
"""
MEMBER = gzip.compress(bytes(16 << 20), 9)
"""A member of a gzip file that unpacks to 16 MiB; members can stand in a row."""
GOOD_LINE = lines(answer()).encode()
ODD: tuple[Any, ...] = (None, True, -1, 1.5, 10**30, "", "\ud800", [], [None], {}, {"__proto__": {}})


def limited(environment: Any, folder: Path, *arguments: str) -> tuple[int, str]:
    """Run a command under the ceiling; return its code and all that it printed."""
    command = [sys.executable, "-c", LIMITED, str(CEILING), *arguments]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, timeout=300)
    said = (done.stdout + done.stderr).decode()
    assert "Traceback" not in said
    return done.returncode, said


def sparse(path: Path, start: bytes = b"") -> None:
    """Write a file of a gigabyte that takes no room on the disk."""
    path.write_bytes(start)
    os.truncate(path, CEILING)


BIG = {
    "a line of a gigabyte": ("x.jsonl", lambda path: sparse(path, GOOD_LINE), "x.jsonl:2: is longer than 67108864"),
    "a file of a gigabyte": ("x.json", sparse, "x.json: is longer than 67108864 bytes"),
    "a packed line of four gigabytes": (
        "x.jsonl.gz", lambda path: path.write_bytes(gzip.compress(GOOD_LINE) + MEMBER * 256),
        "x.jsonl.gz:2: unpacks to more than 100 times its size",
    ),
    "packed empty lines without end": (
        "x.jsonl.gz", lambda path: path.write_bytes(gzip.compress(GOOD_LINE) + gzip.compress(b"\n" * (1 << 20)) * 9),
        "x.jsonl.gz:100001: is not read further: 100000 lines hold no exchange",
    ),
    "packed lines that hold nothing": (
        "x.jsonl.gz", lambda path: path.write_bytes(gzip.compress(GOOD_LINE) + gzip.compress(b"x\n" * (4 << 20)) * 9),
        "x.jsonl.gz:1001: is not read further: 1000 lines hold no exchange",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", BIG)
def test_what_is_too_big_is_a_problem_and_swells_nothing(name, environment, tmp_path):
    file, make, problem = BIG[name]
    make(tmp_path / file)
    code, said = limited(environment, tmp_path, "judge", "--json", file)
    found = json.loads(said)["problems"]
    assert (2, 1) == (code, sum(problem in f"{each['place']}: {each['problem']}" for each in found))


@pytest.mark.parametrize("name", [name for name in BIG if "file" not in name])
def test_what_stands_before_it_is_judged(name, tmp_path):
    file, make, _ = BIG[name]
    make(tmp_path / file)
    first = next(store.read([tmp_path / file]))
    assert isinstance(first, Exchange)


def test_a_results_file_of_a_gigabyte_is_one_error(environment, tmp_path):
    sparse(tmp_path / "old.json")
    write(tmp_path / "mine", answer())
    code, said = limited(environment, tmp_path, "judge", "mine", "--baseline", "old.json")
    assert (2, "old.json: not a results file: longer than 268435456 bytes") == (code, said.splitlines()[0])


def test_a_packed_file_that_is_worth_its_size_is_read_whole(tmp_path):
    exchanges = [stream(f"{number}", model="m" * number) for number in range(300)]
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(lines(*exchanges).encode()))
    assert 300 == len(list(store.load(tmp_path)))


def test_a_packed_file_that_unpacks_to_no_more_than_is_free_is_read_whole(tmp_path):
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(GOOD_LINE + b" " * (sources.FREE - len(GOOD_LINE))))
    assert 1 == len(list(store.load(tmp_path)))


def linked(folder: Path, name: str, target: str | Path) -> None:
    (folder / name).symlink_to(target)


def bound(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        before = Path.cwd()
        os.chdir(folder)
        try:
            listening.bind("odd.json")
        finally:
            os.chdir(before)


OUT = "is a link that leads out of the folder"
ODD_FILES = {
    "a link out of the folder": (lambda folder: linked(folder, "odd.json", "../secret.json"), OUT),
    "a link to a file of the system": (lambda folder: linked(folder, "odd.json", "/etc/passwd"), OUT),
    "a link to a folder outside": (lambda folder: linked(folder, "odd", ".."), OUT),
    "a link to a device": (lambda folder: linked(folder, "odd.json", "/dev/zero"), OUT),
    "a link to nothing": (lambda folder: linked(folder, "odd.json", "nowhere"), "is a link to nothing"),
    "a link to itself": (lambda folder: linked(folder, "odd.json", "odd.json"), "is a link to nothing"),
    "a FIFO": (lambda folder: os.mkfifo(folder / "odd.json"), "is no regular file"),
    "a socket": (bound, "is no regular file"),
}  # fmt: skip


@pytest.mark.parametrize("name", ODD_FILES)
def test_what_is_no_file_of_the_folder_is_a_problem_and_the_rest_is_read(name, tmp_path):
    make, problem = ODD_FILES[name]
    write(tmp_path, answer("secret"))
    folder = write(tmp_path / "mine", answer())
    make(folder)
    good, odd = store.read([folder])
    assert isinstance(good, Exchange)
    assert isinstance(odd, sources.Unreadable)
    assert odd.problem.startswith(problem)


def test_links_within_the_folder_are_followed_to_files_and_not_to_folders(tmp_path):
    folder = write(tmp_path / "2026-11-20", answer("a"))
    linked(tmp_path, "latest", folder)
    linked(folder, "round", tmp_path)
    linked(tmp_path, "b.json", folder / "a.json")
    assert ["a.json", "b.json"] == [Path(each.file).name for each in store.load(tmp_path)]


def test_the_folder_itself_may_be_a_link(tmp_path):
    linked(tmp_path, "mine", write(tmp_path / "real", answer("a")))
    assert ["a"] == [each.id for each in store.load(tmp_path / "mine")]


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads everything")
@pytest.mark.parametrize("closed", ["mine/inner", "mine/inner/a.json"])
def test_what_may_not_be_read_is_a_problem(closed, tmp_path):
    write(tmp_path / "mine" / "inner", answer("a"))
    (tmp_path / closed).chmod(0)
    (problem,) = store.read([tmp_path / "mine"])
    (tmp_path / closed).chmod(0o755)
    assert isinstance(problem, sources.Unreadable)
    assert "cannot be read: Permission denied" == problem.problem


@pytest.mark.parametrize("name", ["../../up", "/etc/up", "..", ".", "", "con", "up\0", "-rf", "a" * 999])
def test_reports_are_written_in_their_folder_and_nowhere_else(name, chatconform, tmp_path):
    mine = {**answer(), "id": name, "provider": name, "scenario": name}
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "x.jsonl").write_text(lines(mine))
    done = chatconform(tmp_path, "judge", "in", "--out", "deep/out")
    written = {path.relative_to(tmp_path).parent.as_posix() for path in tmp_path.rglob("*") if path.is_file()}
    assert (0, {"in", "deep/out"}) == (done.returncode, written)


@pytest.mark.parametrize("member", ["id", "provider", "scenario"])
def test_a_name_of_a_megabyte_is_a_problem(member, tmp_path):
    (tmp_path / "x.json").write_text(json.dumps({**answer(), member: "m" * 2**20}))
    (problem,) = store.read([tmp_path])
    assert isinstance(problem, sources.Unreadable)
    assert f"/{member} is longer than 1000 characters" == problem.problem


def asked(schema: Any, text: str) -> Exchange:
    mine = answer(choices=[{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}])
    form = {"type": "json_schema", "json_schema": {"name": "x", "strict": True, "schema": schema}}
    mine["request"]["body"]["response_format"] = form
    mine["request"]["body"]["tools"] = [{"type": "function", "function": {"name": "x", "parameters": schema}}]
    return store._parse(json.dumps(mine).encode(), "x.json", "x", 1)


DRAFT_7 = "http://json-schema.org/draft-07/schema#"
SCHEMAS = {
    "another host": {"$ref": "http://127.0.0.1:9/schema.json"},
    "a file": {"$ref": "file:///etc/passwd"},
    "a pattern that hangs": {"properties": {"a": {"pattern": "^(a+)+$"}}},
    "names that hang": {"patternProperties": {"^(a+)+$": {}}},
    "what is no schema: a list": {"$ref": "#/enum", "enum": [1]},
    "what is no schema: a number": {"$ref": "#/enum/0", "enum": [1]},
    "what is no schema: a text": {"$ref": "#/title", "title": "x"},
    "a member of a list by name": {"$ref": "#/enum/x", "enum": [1]},
    "a member of a number": {"$ref": "#/minLength/9", "minLength": 1},
    "a multiple beyond floating point": {"items": {"multipleOf": 10**400}},
    "a thousand types": {"type": [*range(5_000), "object"]},
    "many schemas": {"anyOf": [{"type": "string"}] * 3_000},
    "many empty schemas": {"oneOf": [{"oneOf": [{"oneOf": [{}] * 30}] * 30}] * 5},
    "lists that double": {
        "$defs": {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}, "$ref": "#/$defs/d0",
    },
    "dependencies that are held against each other": {"$schema": DRAFT_7, "dependencies": {"a": [*range(9_000), "a"]}},
    "deep": json.loads('{"items":' * 40 + "{}" + "}" * 40),
    "a huge enumeration": {"items": {"enum": list(range(10_000))}},
}  # fmt: skip


@pytest.mark.parametrize("name", SCHEMAS)
def test_a_schema_in_a_recorded_request_accuses_nobody_and_is_no_bug(name):
    verdicts = list(judging.judge([asked(SCHEMAS[name], json.dumps([1.5] * 1_000))]))
    of_schema = {each.outcome for each in verdicts if each.check == "structured.schema.followed"}
    assert (True, True) == (
        Outcome.ERROR not in {each.outcome for each in verdicts},
        Outcome.FAIL not in of_schema,
    )


def spots(value: Any) -> Iterator[tuple[str | int, ...]]:
    """Yield the path of every member."""
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, member in members:
        yield (key,)
        yield from ((key, *path) for path in spots(member))


def edited(value: Any, path: tuple[Any, ...]) -> Iterator[Any]:
    """Yield copies in which one member is dropped, and in which it has another type."""
    for odd in (..., *ODD):
        made = copy.deepcopy(value)
        holder = made
        for key in path[:-1]:
            holder = holder[key]
        if odd is ...:
            del holder[path[-1]]
        else:
            holder[path[-1]] = odd
        yield made


def small() -> Any:
    """Return a results file with every kind of member once or twice, as JSON."""
    whole = json.loads(results.dump(sample()))
    whole["exchanges"] = [each for each in whole["exchanges"] if each["habits"]][:2]
    whole["verdicts"] = whole["verdicts"][:3] + [each for each in whole["verdicts"] if each["waiver"]]
    whole["providers"], whole["checks"] = whole["providers"][:1], dict(list(whole["checks"].items())[:2])
    return whole


RESULTS = small()


@pytest.mark.parametrize("path", sorted({(path[0], len(path)) for path in spots(RESULTS)}))
def test_a_results_file_with_a_member_dropped_or_retyped_is_read_or_is_one_error(path, tmp_path):
    file = tmp_path / "results.json"
    for spot in (spot for spot in spots(RESULTS) if (spot[0], len(spot)) == path):
        for made in edited(RESULTS, spot):
            file.write_text(json.dumps(made))
            with suppress(InputError):
                assert results.dump(results.load(file))


@pytest.mark.parametrize("member, value", [("verdicts", 5), ("format", None), ("providers", [{}]), ("checks", [])])
def test_a_baseline_that_was_edited_is_one_error_and_no_traceback(member, value, chatconform, tmp_path):
    write(tmp_path / "mine", answer())
    (tmp_path / "old.json").write_text(json.dumps({**RESULTS, member: value}))
    done = chatconform(tmp_path, "judge", "mine", "--baseline", "old.json")
    assert (2, "", 2) == (done.returncode, done.stdout, len(done.stderr.splitlines()))


EXCHANGES = {"answer": answer(), "stream": stream()}


@pytest.mark.parametrize("name", EXCHANGES)
def test_an_exchange_with_a_member_dropped_or_retyped_is_judged_or_is_one_error(name):
    made = [json.dumps(each).encode() for spot in spots(EXCHANGES[name]) for each in edited(EXCHANGES[name], spot)]
    for data in made:
        with suppress(sources.Unreadable):
            exchange = store._parse(data, "x.json", "x", 1)
            assert Outcome.ERROR not in {each.outcome for each in judging.judge([exchange])}
