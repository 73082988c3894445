"""The summary of a job: worst first, and cut to what GitHub takes where it is longer."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from chatconform.model import Change, Conclusion, Level, Outcome, Results
from chatconform.report import summary
from report_sample import HOSTILE_PROVIDER, VERDICTS, sample

WHOLE = summary.render(sample())


def many(count: int) -> Results:
    """That many failing musts of that many providers, and beside them what is less bad."""
    must = next(each for each in VERDICTS if each.check == "sse.done.last" and each.findings)
    rest = tuple(each for each in VERDICTS if each.check != "sse.done.last" and each.provider == "acme")
    first = sample().providers[0]
    providers = tuple(replace(first, id=f"p{number:05}") for number in range(count))
    verdicts = tuple(replace(must, provider=each.id) for each in providers)
    return replace(sample(), providers=(first, *providers), verdicts=verdicts + rest)


def test_it_begins_with_the_sentence_that_decides():
    assert WHOLE.startswith("# 1 of 5 providers is void, because the suite itself failed; 2 deviate from a must;")


def test_findings_come_worst_first():
    assert ["FAIL"] * 4 + ["WARN"] * 2 + ["INFO", "waived"] == re.findall(r"^### (\w+) ", WHOLE, re.MULTILINE)


def test_what_newly_fails_comes_before_the_findings_and_other_changes_after():
    heads = re.findall(r"^## (.+)$", WHOLE, re.MULTILINE)
    since = "since reports/2026-11-13/results.json"
    order = [f"Newly failing {since}", "What breaks a must", f"Other changes {since}", "How it was measured"]
    assert sorted(order, key=heads.index) == order


def test_a_baseline_since_which_nothing_newly_fails_is_named():
    changed = Change("fixed", "acme", "openai", "sse.done.last", "x", Level.MUST, Outcome.FAIL, Outcome.PASS)
    text = summary.render(replace(sample(), changes=(changed,)))
    assert "## Newly failing since reports/2026-11-13/results.json\n\nNothing.\n" in text


def test_what_fits_is_not_cut():
    assert (WHOLE, WHOLE) == (summary.render(sample(), len(WHOLE.encode())), summary.render(sample(), 900 * 1024))


def test_every_limit_is_kept_and_the_cut_is_said():
    for most in range(2_300, len(WHOLE.encode()), 331):
        text = summary.render(sample(), most)
        assert len(text.encode()) <= most
        assert f"\n**Cut here, at {most:,} bytes. Left out: " in text


def test_a_cut_leaves_out_the_least_bad_and_counts_it():
    size = len(WHOLE[: WHOLE.index("## What breaks a should")].encode())
    text = summary.render(sample(), size + 2_000)
    assert ["FAIL"] * 4 == re.findall(r"^### (\w+) ", text, re.MULTILINE)
    assert text.splitlines()[-1] == (
        f"**Cut here, at {size + 2_000:,} bytes. Left out: 2 WARN findings, 1 INFO finding, 1 waived finding, "
        "2 unproven checks, 1 change, 1 part on how it was measured.** "
        "results.json and the report's pages have all of it."
    )


def test_a_cut_text_does_not_end_with_a_heading():
    for most in range(2_300, len(WHOLE.encode()), 331):
        before = summary.render(sample(), most).split("\n\n**Cut here")[0].rstrip("\n")
        assert not re.search(r"(^|\n)(## [^\n]*|\|( --- \|)+)$", before)


def test_thousands_of_findings_are_cut_at_900_kib():
    text = summary.render(many(2_000), summary.MOST_BYTES)
    assert 890 * 1024 < len(text.encode()) <= 900 * 1024
    assert re.search(r"Left out: [0-9,]+ FAIL findings, 1 WARN finding, 1 INFO finding", text.splitlines()[-1])


def test_no_provider_at_all_is_said():
    empty = Results(run={}, providers=(), checks={}, exchanges=(), verdicts=())
    assert summary.render(empty).startswith("# No provider was judged.\n")


@pytest.mark.parametrize("conclusion", [Conclusion.CONFORMS, Conclusion.INCONCLUSIVE])
def test_one_provider_has_its_row(conclusion):
    one = Results(run={}, providers=(replace(sample().providers[0], conclusion=conclusion),), checks={}, exchanges=(),
                  verdicts=())  # fmt: skip
    assert f"| acme | **{conclusion}** | " in summary.render(one)


def test_a_name_makes_no_markup():
    assert HOSTILE_PROVIDER not in WHOLE
    assert "Évil\\|\\`&#64;<!-- -->x\\`␊&#60;b&#62;" in WHOLE
