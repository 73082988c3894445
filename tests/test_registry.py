"""The registry: ids that stay, texts that state facts, and a source for everything."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from chatconform.checks import described
from chatconform.checks.check import MUST, Predicate, chats, check
from chatconform.contracts import contract as contracts
from chatconform.model import Clause, Finding, SuiteError
from chatconform.reference.faults import all_faults
from chatconform.wire.transcript import Transcript
from outcome_vectors import known

CHECKS = described()
FAULTS = all_faults()
CLAUSES: dict[str, Clause] = {
    f"{name}/{clause.id}": clause for name in contracts.names() for clause in contracts.load(name).clauses.values()
}
WELL_FORMED = re.compile(r"[a-z]+(\.[a-z0-9_]+){1,2}")
SOURCE = re.compile(r"RFC \d+( section [\d.]+)?|WHATWG HTML [\d.]+|OpenAI API reference|[A-Z]{3}-\d\d")


def test_the_lock_lists_every_check_and_every_clause() -> None:
    """A rename is a reviewed diff of checks.lock: waivers name these ids, and none of them is used again."""
    locked = Path(__file__).parents[1].joinpath("checks.lock").read_text("utf-8").splitlines()
    assert list(known()) == locked


def test_ids_are_well_formed() -> None:
    assert [] == [each for each in known() if not WELL_FORMED.fullmatch(each)]


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_cites_its_sources(check: str) -> None:
    assert CHECKS[check].cites
    assert [] == [each for each in CHECKS[check].cites if not SOURCE.fullmatch(each)]


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_says_what_breaks_and_how_to_mend_it(check: str) -> None:
    texts = (CHECKS[check].says, CHECKS[check].breaks, CHECKS[check].fix)
    assert [] == [text for text in texts if not text.endswith((".", "`"))]


@pytest.mark.parametrize("check", CHECKS)
def test_a_check_states_a_fact(check: str) -> None:
    assert not re.search(r"\bshould\b", CHECKS[check].says)


@pytest.mark.parametrize("check", CHECKS)
def test_the_prerequisites_of_a_check_exist(check: str) -> None:
    assert [] == [need for need in CHECKS[check].needs if need not in known()]


@pytest.mark.parametrize("clause", CLAUSES)
def test_a_clause_states_a_fact_and_its_source(clause: str) -> None:
    assert CLAUSES[clause].source
    assert not re.search(r"\bshould\b", CLAUSES[clause].says)


def test_no_clause_of_openai_has_the_id_of_a_check() -> None:
    assert set() == {*CHECKS} & {*contracts.load("openai").clauses}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_says_in_one_sentence_what_is_wrong(fault: str) -> None:
    assert FAULTS[fault].says.endswith(".")


def test_the_ids_of_faults_written_by_hand_are_well_formed() -> None:
    written = [name for name in FAULTS if not name.startswith("clause:")]
    assert [] == [name for name in written if not re.fullmatch(r"[a-z]+\.[a-z0-9_]+\.[a-z0-9_]+", name)]


def stated(_transcript: Transcript) -> Iterator[Finding]:
    """A fact is stated.

    Breaks: nothing.
    Fix: nothing.
    """
    yield from ()


def unstated(_transcript: Transcript) -> Iterator[Finding]:
    """A fact is stated, and nothing else."""
    yield from ()


REFUSED: dict[str, tuple[str, str | tuple[str, ...], Predicate]] = {
    "taken": ("http.body.present", "RFC 9110", stated),
    "badly formed": ("Http", "RFC 9110", stated),
    "without a citation": ("http.body.cited", (), stated),
    "with an empty citation": ("http.body.cited", "", stated),
    "without Breaks and Fix": ("http.body.stated", "RFC 9110", unstated),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_check_that_is_not_whole_is_refused(case: str) -> None:
    identifier, cites, predicate = REFUSED[case]
    with pytest.raises(SuiteError, match=identifier):
        check(identifier, level=MUST, over=chats, cites=cites)(predicate)
