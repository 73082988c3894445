"""A short slice of the fuzzing that is the same every time, and what longer runs have left in tests/corpus/."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chatconform.model import Exchange
from chatconform.recordings import store
from fuzz import CORPUS, TARGETS, answer, mutated

pytestmark = pytest.mark.uncovered

KEPT = sorted(path for path in CORPUS.glob("*/*") if path.is_file())


@pytest.mark.parametrize("path", KEPT, ids=lambda path: f"{path.parent.name}-{path.name}")
def test_what_fuzzing_left_raises_nothing_but_errors_of_ours(path: Path):
    answer(path.parent.name, path.read_bytes())


@pytest.mark.parametrize("target", TARGETS)
@given(st.data())
@settings(max_examples=25, derandomize=True, database=None)
def test_bytes_that_nobody_meant_raise_nothing_but_errors_of_ours(target, data):
    seeds = st.sampled_from(TARGETS[target][1])
    answer(target, mutated(data.draw(seeds), data.draw(seeds), data.draw(st.randoms(use_true_random=False))))


@pytest.mark.parametrize("target", TARGETS)
def test_every_seed_is_read(target):
    for seed in TARGETS[target][1]:
        TARGETS[target][0](seed)


@given(st.binary(max_size=300))
@settings(max_examples=200, derandomize=True, database=None)
def test_any_bytes_are_an_exchange_or_an_error_of_ours(tmp_path_factory, data):
    path = tmp_path_factory.getbasetemp() / "any.json"
    path.write_bytes(data)
    (item,) = store.read([path])
    assert isinstance(item, Exchange | store.Unreadable)
