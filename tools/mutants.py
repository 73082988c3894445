"""Mutants: the code that judges is broken in one small way at a time, and the tests have to notice.

    python tools/mutants.py [FILE…] [--root DIR] [--tests TEST…] [--sample N | --all] [--seed N] [--jobs N]

Each mutant is one change to one file of a copy of the tree; the tree itself is never written to. A mutant is
killed where the tests fail, survives where they pass, and times out where they take several times what they take
unchanged. A survivor is a change that nothing notices: a missing test, or code that says the same in other words.

The exit code is 0 where the mutants were run, whatever survived, and 2 where the tests fail without any change.
"""

from __future__ import annotations

import argparse
import ast
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import TypeVar

FILES = (
    "suite/chatconform/checks/*.py",
    "suite/chatconform/judging/*.py",
    "suite/chatconform/rollup.py",
    "suite/chatconform/gate.py",
    "suite/chatconform/waivers.py",
)
TESTS = (
    "tests/test_levels.py",
    "tests/test_matrix.py",
    "tests/test_edges.py",
    "tests/test_findings.py",
    "tests/test_parameters.py",
    "tests/test_structured.py",
    "tests/test_tool_calls.py",
    "tests/test_variations.py",
    "tests/test_rows.py",
    "tests/test_shipped.py",
    "tests/test_probe_verdicts.py",
    "tests/test_comparisons.py",
    "tests/test_gate.py",
    "tests/test_waivers.py",
    "tests/test_report_rollup.py",
    "tests/test_review.py",
    "tests/test_registry.py",
    "tests/test_generated_docs.py::test_a_page_is_what_the_code_makes",
)
"""What kills and is quick, the quickest killers first."""
SAMPLE, SEED = 200, 20261120
LEFT_OUT = (".git", ".venv", "__pycache__", "*.egg-info", ".*_cache", ".hypothesis", ".coverage*", "reports")

_COMPARED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
}
_RECKONED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_NAMED = {
    "MUST": "SHOULD",
    "SHOULD": "MUST",
    "MAY": "SHOULD",
    "PASS": "FAIL",
    "FAIL": "PASS",
    "ERROR": "PASS",
    "UNPROVEN": "NOT_APPLICABLE",
    "NOT_APPLICABLE": "UNPROVEN",
    "OTHER_BRANCH": "NOTHING_TO_EXAMINE",
    "NOTHING_TO_EXAMINE": "OTHER_BRANCH",
    "PREREQUISITE": "OTHER_BRANCH",
    "CONFORMS": "DEVIATES",
    "DEVIATES": "CONFORMS",
    "INCONCLUSIVE": "CONFORMS",
    "VOID": "INCONCLUSIVE",
}
"""Levels, outcomes and conclusions, and what each is taken for; every other reason becomes nothing to examine."""
_WITHOUT = {"needs": "()", "asks": "None", "examines": "(lambda _transcript: 1)"}
"""Arguments of `@check(…)` that may be left out, and what they are then."""


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: the bytes of a file from `start` to `end` give way to `text`."""

    file: str
    line: int
    start: int
    end: int
    text: str
    says: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.says}"


def mutants(file: str, source: bytes) -> Iterator[Mutant]:
    """Yield every mutant of a module, from its first line to its last."""
    lines = [0]
    for line in source.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    for node, text in _changes(ast.parse(source)):
        start = lines[node.lineno - 1] + node.col_offset
        end = lines[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
        before = " ".join(source[start:end].decode().split())
        yield Mutant(file, node.lineno, start, end, text, f"{before or '(nothing)'} -> {text}")


_Value = TypeVar("_Value")


def _changes(tree: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Yield the nodes that can be changed, each with the text that takes its place."""
    for node in _walk(tree):
        if isinstance(node, ast.Compare):
            yield from _compared(node)
        elif isinstance(node, ast.BoolOp):
            other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
            yield node, _text(ast.BoolOp(other, node.values))
        elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            yield node, _text(node.operand)
        elif isinstance(node, ast.BinOp) and type(node.op) in _RECKONED and not _is_text(node):
            yield node, _text(ast.BinOp(node.left, _RECKONED[type(node.op)](), node.right))
        elif isinstance(node, ast.Constant):
            yield from _constant(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            yield from _named(node)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Yield | ast.YieldFrom):
            yield node.value, "yield from ()"
        yield from _negated(node)
        yield from _left_out(node)


def _walk(node: ast.AST) -> Iterator[ast.AST]:
    """Walk what is run and judged: no annotations, texts for people, imports or assertions."""
    yield node
    for name, value in ast.iter_fields(node):
        if name in ("annotation", "returns", "type_params"):
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not _is_for_people(child):
                yield from _walk(child)


def _is_for_people(node: ast.AST) -> bool:
    is_text = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    is_alias = isinstance(node, ast.AnnAssign) and "TypeAlias" in ast.dump(node.annotation)
    is_noun = isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "dataclass"
    unchanged = ast.JoinedStr | ast.Assert | ast.Raise | ast.Import | ast.ImportFrom
    return is_text or is_alias or is_noun or isinstance(node, unchanged)


def _text(node: ast.AST) -> str:
    return f"({ast.unparse(node)})"


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(each, ast.Constant) and isinstance(each.value, str) for each in (node.left, node.right))


def _compared(node: ast.Compare) -> Iterator[tuple[ast.expr, str]]:
    for position, operator in enumerate(node.ops):
        for other in _COMPARED[type(operator)]:
            yield node, _text(ast.Compare(node.left, _with(node.ops, position, other()), node.comparators))
    for position, value in enumerate((node.left, *node.comparators)):
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            sides = _with([node.left, *node.comparators], position, ast.Constant(f"{value.value}?"))
            yield node, _text(ast.Compare(sides[0], node.ops, sides[1:]))


def _with(values: Sequence[_Value], position: int, value: _Value) -> list[_Value]:
    return [*values[:position], value, *values[position + 1 :]]


def _constant(node: ast.Constant) -> Iterator[tuple[ast.expr, str]]:
    if isinstance(node.value, bool):
        yield node, str(not node.value)
    elif isinstance(node.value, int):
        yield node, str(node.value + 1)


def _named(node: ast.Attribute | ast.Name) -> Iterator[tuple[ast.expr, str]]:
    """Take one member of an enumeration for another; `MUST` and its like stand bare in the checks."""
    if not isinstance(node.ctx, ast.Load):
        return
    if isinstance(node, ast.Name):
        if node.id in ("MUST", "SHOULD", "MAY"):
            yield node, _NAMED[node.id]
    elif isinstance(node.value, ast.Name) and node.value.id in ("Level", "Outcome", "Conclusion", "Reason"):
        spare = "NOTHING_TO_EXAMINE" if node.value.id == "Reason" else None
        other = _NAMED.get(node.attr, spare)
        if other:
            yield node, f"{node.value.id}.{other}"


def _negated(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Negate conditions that nothing else changes as a whole."""
    tests = [node.test] if isinstance(node, ast.If | ast.IfExp | ast.While) else []
    tests += node.ifs if isinstance(node, ast.comprehension) else []
    for test in tests:
        is_changed_elsewhere = isinstance(test, ast.Compare) and len(test.ops) == 1
        if not is_changed_elsewhere and not isinstance(test, ast.UnaryOp):
            yield test, f"(not {_text(test)})"


def _left_out(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    """Leave out arguments of `@check(…)`, and the prerequisites one by one."""
    if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "check"):
        return
    for keyword in node.keywords:
        if keyword.arg == "needs" and isinstance(keyword.value, ast.Tuple):
            for position in range(len(keyword.value.elts)):
                rest = [each for number, each in enumerate(keyword.value.elts) if number != position]
                yield keyword.value, _text(ast.Tuple(rest, ast.Load()))
        elif keyword.arg in _WITHOUT:
            yield keyword.value, _WITHOUT[keyword.arg]


@dataclass(frozen=True, slots=True)
class Bed:
    """A copy of the tree, and the command that runs the tests in it."""

    root: Path
    source: Path
    command: tuple[str, ...]

    def passes(self, limit: float | None = None) -> bool | None:
        """Run the tests; None where they take longer than the limit, in seconds."""
        environment = {**os.environ, "PYTHONPATH": str(self.root / "suite"), "PYTHONDONTWRITEBYTECODE": "1"}
        try:
            done = subprocess.run(  # noqa: S603  the command is ours
                self.command, cwd=self.root, env=environment, capture_output=True, timeout=limit, check=False
            )
        except subprocess.TimeoutExpired:
            return None
        return done.returncode == 0

    def survives(self, mutant: Mutant, limit: float) -> bool | None:
        """Run the tests on a mutant, and take it back."""
        original, file = self.source / mutant.file, self.root / mutant.file
        source = original.read_bytes()
        file.write_bytes(source[: mutant.start] + mutant.text.encode() + source[mutant.end :])
        try:
            return self.passes(limit)
        finally:
            shutil.copy2(original, file)


def _bed(source: Path, folder: Path, tests: Sequence[str]) -> Bed:
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns(*LEFT_OUT))
    command = (sys.executable, "-m", "pytest", "-q", "-x", "--no-header", *tests)
    return Bed(folder, source, command)


def _run(beds: Sequence[Bed], chosen: Sequence[Mutant], limit: float) -> list[bool | None]:
    """Return for each mutant whether it survives; progress goes to standard error."""
    free: SimpleQueue[Bed] = SimpleQueue()
    for bed in beds:
        free.put(bed)

    def judge(mutant: Mutant) -> bool | None:
        bed = free.get()
        try:
            return bed.survives(mutant, limit)
        finally:
            free.put(bed)
            print(".", end="", file=sys.stderr, flush=True)

    with ThreadPoolExecutor(len(beds)) as pool:
        survived = list(pool.map(judge, chosen))
    print(file=sys.stderr)
    return survived


def _chosen(source: Path, arguments: argparse.Namespace) -> tuple[list[Mutant], int]:
    """Return the mutants to run, and how many there are."""
    files = sorted({file for pattern in arguments.files for file in source.glob(pattern)})
    every = [each for file in files for each in mutants(file.relative_to(source).as_posix(), file.read_bytes())]
    if arguments.all or len(every) <= arguments.sample:
        return every, len(every)
    picked = random.Random(arguments.seed).sample(range(len(every)), arguments.sample)  # noqa: S311  a sample
    return [every[number] for number in sorted(picked)], len(every)


def _report(chosen: Sequence[Mutant], survived: Sequence[bool | None]) -> None:
    words = {False: "killed", True: "survived", None: "timed out"}
    for mutant, outcome in zip(chosen, survived, strict=True):
        if outcome is not False:
            print(f"{words[outcome]}  {mutant}")
    counts = Counter(words[outcome] for outcome in survived)
    print(", ".join(f"{word} {counts[word]}" for word in words.values()))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Break the code in small ways, and see whether the tests notice.")
    parser.add_argument("files", nargs="*", default=FILES, help="patterns of modules, from the root")
    parser.add_argument("--root", type=Path, default=Path(__file__).parents[1])
    parser.add_argument("--tests", nargs="+", default=TESTS, help="arguments for pytest")
    parser.add_argument("--sample", type=int, default=SAMPLE, help="how many mutants to run")
    parser.add_argument("--all", action="store_true", help="run every mutant: hours")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=2)
    return parser.parse_args()


def main() -> int:
    """Run the mutants and print what survived."""
    arguments = _arguments()
    source = arguments.root.resolve()
    chosen, count = _chosen(source, arguments)
    with tempfile.TemporaryDirectory() as folder:
        beds = [_bed(source, Path(folder, str(number)), arguments.tests) for number in range(arguments.jobs)]
        started = time.monotonic()
        if not beds[0].passes():
            print("the tests fail without any change", file=sys.stderr)
            return 2
        limit = 30 + 5 * (time.monotonic() - started)
        print(f"{len(chosen)} of {count} mutants, seed {arguments.seed}, at most {limit:.0f} s each", flush=True)
        _report(chosen, _run(beds, chosen, limit))
    print(f"in {(time.monotonic() - started) / 60:.0f} minutes")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
