"""The mutation run finds what the tests of a tiny package do not notice, and what they do."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from argparse import Namespace
from pathlib import Path

import pytest

TOOL = Path(__file__).parents[1] / "tools" / "mutants.py"
SPEC = importlib.util.spec_from_file_location("mutants", TOOL)
assert SPEC
assert SPEC.loader
mutants = importlib.util.module_from_spec(SPEC)
sys.modules["mutants"] = mutants  # dataclasses look their module up
SPEC.loader.exec_module(mutants)

MODULE = '''"""A tiny package."""


def grade(points: int) -> str:
    """Return the grade: not 0 of anything."""
    if points >= 50:
        return "passed"
    return "failed"


def bonus(points: int) -> int:
    """Return points, and one more that no test asks for."""
    return points + 1
'''
TEST = """from tiny import bonus, grade


def test_grade():
    assert ["passed", "passed", "failed"] == [grade(51), grade(50), grade(49)]


def test_bonus():
    assert bonus(5) > 0
"""
ENDLESS = '''"""A loop that ends."""


def count(most: int) -> int:
    """Count."""
    number = 0
    while number < most:
        number = number + 1
    return number
'''


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / "suite").mkdir(parents=True)
    (root / "suite" / "tiny.py").write_text(MODULE)
    (root / "test_tiny.py").write_text(TEST)
    return root


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, str(TOOL), "suite/*.py", "--root", str(root), "--tests", "test_tiny.py"]
    return subprocess.run([*command, *arguments], cwd=root, capture_output=True, text=True, check=False, timeout=240)


def test_a_planted_survivor_is_found_and_a_planted_kill_is_none(tree: Path) -> None:
    done = run(tree)
    said = done.stdout.splitlines()
    assert 0 == done.returncode
    assert "5 of 5 mutants, seed 20261120" == said[0].rpartition(",")[0]
    assert ["survived  suite/tiny.py:13: points + 1 -> (points - 1)", "survived  suite/tiny.py:13: 1 -> 2"] == [
        line for line in said if "tiny.py" in line
    ]
    assert "killed 3, survived 2, timed out 0" in said


def test_the_tree_itself_stays_as_it_is(tree: Path) -> None:
    run(tree, "--sample", "1")
    assert MODULE == (tree / "suite" / "tiny.py").read_text()
    assert ["suite", "test_tiny.py"] == sorted(each.name for each in tree.iterdir())


def chosen(tree: Path, **arguments: object) -> list[str]:
    files = {"files": ("suite/*.py",), "all": False, "seed": 7, "sample": 3, **arguments}
    found, count = mutants._chosen(tree, Namespace(**files))
    assert 5 == count
    return [str(each) for each in found]


def test_a_sample_is_the_same_for_the_same_seed(tree: Path) -> None:
    assert 3 == len(chosen(tree))
    assert chosen(tree) == chosen(tree)
    assert chosen(tree) != chosen(tree, seed=8)


def test_all_is_all(tree: Path) -> None:
    assert 5 == len(chosen(tree, all=True))


def test_tests_that_fail_without_any_change_end_the_run(tree: Path) -> None:
    (tree / "test_tiny.py").write_text("def test_nothing():\n    assert False\n")
    done = run(tree)
    assert (2, "the tests fail without any change\n") == (done.returncode, done.stderr)


def changes(source: str) -> list[str]:
    """Return what the tool would change in a module."""
    return [each.says for each in mutants.mutants("m.py", source.encode())]


CHANGES = [
    ("a < b", ["a < b -> (a <= b)", "a < b -> (a >= b)"]),
    ("a is not None", ["a is not None -> (a is None)"]),
    ("a in b", ["a in b -> (a not in b)"]),
    ("a == 'stop'", ["a == 'stop' -> (a != 'stop')", "a == 'stop' -> (a == 'stop?')"]),
    ("a and b", ["a and b -> (a or b)"]),
    ("not a", ["not a -> (a)"]),
    ("a - 3", ["a - 3 -> (a + 3)", "3 -> 4"]),
    ("1 if a else 2", ["a -> (not (a))", "1 -> 2", "2 -> 3"]),
    ("Reason.RECORDER", ["Reason.RECORDER -> Reason.NOTHING_TO_EXAMINE"]),
    ("Outcome.PASS", ["Outcome.PASS -> Outcome.FAIL"]),
    ("def f():\n    yield 'x'", ["yield 'x' -> yield from ()"]),
    ("check('a', level=MUST)", ["MUST -> SHOULD"]),
    ("check('a', needs=('b', 'c'))", ["('b', 'c') -> (('c',))", "('b', 'c') -> (('b',))"]),
    ("check('a', needs='b')", ["'b' -> ()"]),
    ("check('a', asks=f)", ["f -> None"]),
    ("def f(a: int = 0) -> None:\n    '''Text 1.'''\n    assert a > 1\n    raise E(2)", ["0 -> 1"]),
    ("f'{a} 1' + 'b'", []),
    ("from a import b", []),
    ("@dataclass(frozen=True)\nclass A:\n    b: int = 1", ["1 -> 2"]),
]


@pytest.mark.parametrize("source, expected", CHANGES, ids=[source for source, _ in CHANGES])
def test_what_is_changed(source: str, expected: list[str]) -> None:
    assert sorted(expected) == sorted(changes(source))


def test_a_mutant_that_never_ends_times_out(tree: Path, tmp_path: Path) -> None:
    (tree / "suite" / "tiny.py").write_text(ENDLESS)
    (tree / "test_tiny.py").write_text("from tiny import count\n\n\ndef test_count():\n    assert 3 == count(3)\n")
    bed = mutants._bed(tree, tmp_path / "copy", ["test_tiny.py"])
    endless = [each for each in mutants.mutants("suite/tiny.py", ENDLESS.encode()) if "number - 1" in each.says]
    assert [None] == [bed.survives(each, 3) for each in endless]


def test_the_files_and_tests_that_it_names_exist() -> None:
    root = TOOL.parents[1]
    assert [] == [pattern for pattern in mutants.FILES if not list(root.glob(pattern))]
    assert [] == [name for name in mutants.TESTS if not (root / name.partition("::")[0]).is_file()]
