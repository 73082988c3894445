"""Every form of a report, byte for byte, of results that have every outcome and hostile strings."""

from __future__ import annotations

import re

import pytest

from report_sample import GOLDEN, LONG_ID, reports

REPORTS = reports()
SHAPELESS = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_is_the_golden_file(name):
    assert (GOLDEN / name).read_text(encoding="utf-8") == REPORTS[name].decode()


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_holds_no_character_without_a_shape(name):
    expected = []
    assert expected == SHAPELESS.findall(REPORTS[name].decode())


@pytest.mark.parametrize("name", sorted(set(REPORTS) - {"results.json"}))
def test_a_report_cuts_an_id_of_a_megabyte(name):
    assert LONG_ID[:1000] not in REPORTS[name].decode()


def test_the_same_results_make_the_same_bytes():
    assert reports() == REPORTS


def test_a_pass_never_says_that_it_examined_nothing():
    printed = REPORTS["index.md"].decode() + REPORTS["provider.md"].decode()
    expected = []
    assert expected == re.findall(r"pass 0\b", printed)
