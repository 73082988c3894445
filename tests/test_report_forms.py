"""What the Markdown and the terminal say first, and what they say of any number of providers."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import replace
from io import StringIO

import pytest
from rich.cells import cell_len
from rich.console import Console

from chatconform.exhibits import DeviationText, Endpoint
from chatconform.model import (
    Change,
    CheckText,
    Conclusion,
    ExchangeSummary,
    Finding,
    Level,
    Origin,
    Outcome,
    Problem,
    ProviderResult,
    Results,
    Tally,
    Verdict,
)
from chatconform.report import board, markdown, terminal
from chatconform.report.board import Mark
from chatconform.report.headline import headline
from chatconform.report.results import dump, load
from chatconform.report.visible import SHAPELESS
from report_sample import HOSTILE, HOSTILE_PROVIDER, LONG_ID, on_terminal, sample

EMPTY = Results(run={}, providers=(), checks={}, exchanges=(), verdicts=())
VOID, DEVIATES, INCONCLUSIVE = Conclusion.VOID, Conclusion.DEVIATES, Conclusion.INCONCLUSIVE
CONFORMS, WITH_WAIVERS = Conclusion.CONFORMS, Conclusion.CONFORMS_WITH_WAIVERS


def concluded(*conclusions: Conclusion) -> Results:
    providers = (
        ProviderResult(f"p{number:02}", conclusion, "A sentence.", {}, "recordings")
        for number, conclusion in enumerate(conclusions)
    )
    return replace(EMPTY, providers=tuple(providers))


def _only(conclusion: Conclusion, **musts: int) -> Results:
    counts = {"openai": {Level.MUST: Tally(**musts)}}
    return replace(EMPTY, providers=(ProviderResult("p00", conclusion, "", counts, "recordings"),))


def failing(exchanges: int, findings: int) -> Results:
    found = tuple(Finding(f"got {number}", "none") for number in range(findings))
    return replace(
        concluded(DEVIATES),
        verdicts=tuple(
            Verdict("p00", "openai", "a.b.c", Level.MUST, f"e{number:03}", Outcome.FAIL, 1, findings=found)
            for number in range(exchanges)
        ),
    )


FIRST_SENTENCES = [
    (EMPTY, "No provider was judged."),
    (replace(EMPTY, problems=(Problem("a:1", "b", "c"),)), "No provider was judged: 1 problem."),
    (_only(DEVIATES, failed=1), "p00 deviates: 1 must fails."),
    (_only(DEVIATES, failed=2, passed=3), "p00 deviates: 2 musts fail."),
    (_only(VOID), "p00 is void, because the suite itself failed."),
    (_only(WITH_WAIVERS, passed=2, waived=1), "p00 conforms with waivers: 2 musts are verified."),
    (_only(CONFORMS, passed=1), "p00 conforms: 1 must is verified."),
    (concluded(CONFORMS, CONFORMS), "Both providers conform."),
    (concluded(CONFORMS, CONFORMS, CONFORMS), "All 3 providers conform."),
    (
        concluded(*[INCONCLUSIVE] * 3, *[DEVIATES] * 2),
        "2 of 5 providers deviate from a must; 3 are inconclusive.",
    ),
    (
        concluded(*[CONFORMS] * 47, WITH_WAIVERS, VOID, DEVIATES),
        (
            "1 of 50 providers is void, because the suite itself failed; 1 deviates from a must; "
            "1 conforms with waivers; 47 conform."
        ),
    ),
]


@pytest.mark.parametrize("results, sentence", FIRST_SENTENCES)
def test_the_index_begins_with_the_sentence_that_decides(results, sentence):
    assert f"# {sentence}" == markdown.index(results).splitlines()[0]


@pytest.mark.parametrize("results, sentence", FIRST_SENTENCES)
def test_the_terminal_begins_with_the_sentence_that_decides(results, sentence):
    assert sentence == on_terminal(results, width=200).splitlines()[0]


@pytest.mark.parametrize(
    "results, conclusions",
    [
        (EMPTY, "nothing judged"),
        (concluded(CONFORMS), "conforms 1"),
        (concluded(CONFORMS, VOID, DEVIATES, DEVIATES), "void 1 · deviates 2 · conforms 1"),
    ],
)
def test_the_terminal_ends_with_the_conclusions_and_the_path_of_the_report(results, conclusions):
    assert [conclusions, "report: reports/index.html"] == on_terminal(results).splitlines()[-2:]


def test_the_terminal_names_no_report_where_none_was_written():
    console = Console(width=80, file=StringIO())
    terminal.render(concluded(CONFORMS), console, "")
    assert console.file.getvalue().endswith("\n\nconforms 1\n")


def test_the_terminal_shows_five_providers_in_full_and_all_in_the_table():
    shown = on_terminal(concluded(*[DEVIATES] * 50))
    expected = (5, 50, 1)
    assert expected == (
        len(re.findall(r"^p\d\d  deviates$", shown, re.MULTILINE)),
        len(re.findall(r"^p\d\d +deviates +– +–$", shown, re.MULTILINE)),
        shown.count("45 more providers: in the table"),
    )


def test_the_board_has_a_row_for_each_of_fifty_providers():
    text = markdown.index(concluded(*[CONFORMS] * 50))
    expected = 50
    assert expected == len(re.findall(r"^\| \[p\d\d\]\(p\d\d\.md\) \| \*\*conforms\*\* ", text, re.MULTILINE))


def test_no_line_of_the_terminal_but_a_command_is_wider_than_eighty_columns():
    wide = [line for line in on_terminal(sample()).splitlines() if cell_len(line) > 80]
    expected = []
    assert expected == [line for line in wide if not line.startswith("  again ")]


@pytest.mark.parametrize("width", range(40, 100, 3))
def test_no_line_of_the_terminal_is_a_command_to_a_ci_system_wherever_it_is_broken(width):
    text = "x::error::y ::warning file=a::b " * 20 + "##[add-mask]z"
    finding = Finding(text, text, text, excerpt=text)
    results = failing(1, 1)
    results = replace(results, verdicts=(replace(results.verdicts[0], exchange=text, findings=(finding,)),))
    lines = on_terminal(results, width).splitlines()
    assert [] == [line for line in lines if re.match(r"\s*::[^\s:]+( .*)?::", line) or "##[" in line]


def test_a_narrow_terminal_is_served():
    assert on_terminal(sample(), width=20).endswith("report: reports/index.html\n")


def test_a_terminal_that_wants_no_colour_gets_no_escape():
    assert "\x1b" not in on_terminal(sample())


@pytest.mark.parametrize(
    "counts, expected",
    [
        ({}, "························ nothing judged"),
        ({Mark.PASS: 12}, "████████████████████████ 12 of 12 pass"),
        (
            {Mark.PASS: 8, Mark.FAIL: 3, Mark.WARN: 1, Mark.UNPROVEN: 2},
            "█████████████▒▒×××××???? 8 of 14 pass · 3 fail · 1 warn · 2 unproven",
        ),
        ({Mark.PASS: 1000, Mark.FAIL: 1}, "███████████████████████× 1,000 of 1,001 pass · 1 fail"),
        (dict.fromkeys(Mark, 1), None),
    ],
)
def test_a_bar_has_24_cells_and_at_least_one_for_every_mark(counts, expected):
    drawn = terminal.bar(Counter(counts)).plain
    cells = drawn.split(" ")[0]
    assert (24, max(1, len(counts))) == (len(cells), len(set(cells)))
    assert expected in (drawn, None)


@pytest.mark.parametrize("provider", ["acme", "paper", HOSTILE_PROVIDER, "broken-suite"])
def test_a_page_is_the_same_from_results_that_were_read_again(provider, tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(dump(sample()))
    assert markdown.provider(sample(), provider) == markdown.provider(load(path), provider)


def test_index_and_terminal_are_the_same_from_results_that_were_read_again(tmp_path):
    path = tmp_path / "results.json"
    path.write_bytes(dump(sample()))
    again = load(path)
    assert (markdown.index(sample()), on_terminal(sample())) == (markdown.index(again), on_terminal(again))


def test_every_link_of_the_index_has_its_page_and_anchor():
    results = sample()
    pages = {board.page(item.id): markdown.provider(results, item.id) for item in results.providers}
    links = re.findall(r"\]\(([^)#]+)#?([^)]*)\)", markdown.index(results))
    dead = [(page, anchor) for page, anchor in links if anchor and f'<a id="{anchor}"></a>' not in pages[page]]
    expected: tuple[set[str], list[object]] = (set(pages), [])
    assert expected == ({page for page, _ in links}, dead)


@pytest.mark.parametrize(
    "origins, expected",
    [
        ([Origin.DOCUMENT, Origin.DOCUMENT], True),
        ([Origin.DOCUMENT, Origin.LIVE], False),
        ([Origin.LIVE], False),
        ([], False),
    ],
)
def test_a_page_says_where_only_printed_examples_were_judged(origins, expected):
    exchanges = (
        ExchangeSummary(f"e{number}", "p00", "f", "", "POST /", 200, "complete", origin, None, {})
        for number, origin in enumerate(origins)
    )
    results = replace(concluded(INCONCLUSIVE), exchanges=tuple(exchanges))
    assert expected == ("nothing here acquits the endpoint" in markdown.provider(results, "p00"))


@pytest.mark.parametrize("findings, expected", [(5, None), (6, "  - and 1 more"), (2000, "  - and 1,995 more")])
def test_five_findings_of_an_exchange_are_shown_and_the_others_counted(findings, expected):
    lines = markdown.provider(failing(1, findings), "p00").splitlines()
    assert ([expected] if expected else []) == [line for line in lines if line.startswith("  - and ")]


def test_findings_that_the_judge_counted_and_did_not_keep_are_counted():
    results = failing(1, 2)
    results = replace(results, verdicts=(replace(results.verdicts[0], found=1500),))
    assert "  - and 1,498 more\n" in markdown.provider(results, "p00")


def test_twenty_failing_exchanges_of_a_check_are_shown_and_the_others_counted():
    text = markdown.provider(failing(30, 1), "p00")
    expected = (20, 1)
    assert expected == (text.count(": got got 0; wanted none"), text.count("- and 10 more exchanges"))


def test_two_hundred_exchanges_of_a_provider_are_listed_and_the_others_counted():
    exchanges = tuple(
        ExchangeSummary(f"e{number:03}", "p00", "f", "", "POST /", 200, "complete", Origin.LIVE, None, {})
        for number in range(203)
    )
    text = markdown.provider(replace(concluded(CONFORMS), exchanges=exchanges), "p00")
    expected = (200, "and 3 more exchanges\n")
    assert expected == (text.count("| `e"), text[-21:])


@pytest.mark.parametrize("page", [markdown.index, lambda results: markdown.provider(results, "p00")])
def test_the_texts_of_a_contract_are_shown_and_cut(page):
    said = HOSTILE * 1_000
    text = CheckText("a.b.c", said, said, said, {}, {"openai": said}, {}, (said,), (said,), measured=True)
    known = DeviationText("ABC-01", said, (said,))
    results = replace(failing(1, 1), checks={"a.b.c": replace(text, known=("ABC-01",))}, deviations={"ABC-01": known})
    drawn = page(results)
    assert ([], True) == (SHAPELESS.findall(drawn.replace("\n", "")), len(drawn) < 20_000)


def test_a_baseline_that_nothing_differs_from_is_named():
    text = markdown.index(replace(concluded(CONFORMS), baseline="old.json"))
    assert "## Since old.json\n\nNothing changed.\n" in text


def test_ten_problems_are_shown_on_the_terminal_and_the_others_counted():
    problems = tuple(Problem(f"f{number:02}", "broken", "repair it") for number in range(12))
    shown = on_terminal(replace(EMPTY, problems=problems))
    expected = (10, True)
    assert expected == (shown.count(": broken"), "and 2 more problems\n" in shown)


def test_a_provider_that_was_not_judged_has_no_page():
    with pytest.raises(KeyError):
        markdown.provider(sample(), "nobody")


@pytest.mark.parametrize(
    "provider, expected",
    [
        ("acme-2", "acme-2.md"),
        ("llama.cpp", "llama.cpp.md"),
        ("index", "index."),
        ("results", "results."),
        ("con.1", "con-1."),
        ("a.", "a."),
        ("a.0123abcd", "a-0123abcd."),
        ("Acme", "acme."),
        ("../../etc/passwd", "etc-passwd."),
        ("", "provider."),
        ("\ud800", "provider."),
        (LONG_ID, "m" * 40 + "."),
    ],
)
def test_the_name_of_a_page_is_safe(provider, expected):
    name = board.page(provider)
    kept = expected == name
    digest = re.fullmatch(r"[a-z0-9-]{1,40}\.[0-9a-f]{8}\.md", name) is not None
    assert (expected, True) == (name[: len(expected)], kept or digest)


def test_different_providers_have_different_pages():
    names = ("acme", "Acme", "ACME", "acme ", "index", "a/b", "a-b", "", board.page("Acme", ""), "a.b", "a b")
    assert len(names) == len({board.page(name) for name in names})


def _provider(document: str | None) -> ProviderResult:
    return ProviderResult("p", Conclusion.CONFORMS, "", {}, "a recording", endpoint=Endpoint(contract=document))


@pytest.mark.parametrize(
    "file, expected",
    [
        ("a.json", "chatconform judge a.json --provider p --check a.b.c"),
        ("it's $HOME", """chatconform judge 'it'"'"'s $HOME' --provider p --check a.b.c"""),
        ("a\nb", None),
        ("a\u202eb", None),
    ],
)
def test_the_command_is_one_that_can_be_pasted_or_none(file, expected):
    exchange = ExchangeSummary("e", "p", file, "", "POST /", 200, "complete", Origin.LIVE, None, {})
    assert expected == board.command(_provider(None), "a.b.c", exchange)


def test_a_command_names_the_document_where_its_name_does_not_follow_from_the_providers():
    exchange = ExchangeSummary("e", "p", "e.json", "", "POST /", 200, "complete", Origin.LIVE, None, {})
    asked = [board.command(_provider(document), "a.b", exchange) for document in (None, "p", "tooken")]
    plain = "chatconform judge e.json --provider p --check a.b"
    assert [plain, plain, "chatconform judge e.json --provider p --contract tooken --check a.b"] == asked


def test_the_headline_says_that_there_are_problems_too():
    assert " 1 conforms. But there is 1 problem." in headline(sample())


SHOULD_FAILS = _only(CONFORMS, passed=1)
SHOULD_FAILS = replace(
    SHOULD_FAILS,
    providers=tuple(
        replace(each, counts={"openai": {**each.counts["openai"], Level.SHOULD: Tally(failed=2)}})
        for each in SHOULD_FAILS.providers
    ),
)
REGRESSED = Change("broke", "p00", "openai", "a.b.c", "x", Level.MUST, Outcome.PASS, Outcome.FAIL, "provider")


@pytest.mark.parametrize(
    "results, said",
    [
        (replace(SHOULD_FAILS, run={"fail_on": "should"}), " 2 shoulds fail, which counts here."),
        (replace(SHOULD_FAILS, run={"fail_on": "must"}), ""),
        (replace(_only(CONFORMS, passed=1), run={"interrupted": True}), " The run was interrupted."),
        (replace(_only(CONFORMS, passed=1), baseline="b"), " Since the baseline nothing got worse."),
        (
            replace(_only(CONFORMS, passed=1), baseline="b", changes=(REGRESSED, replace(REGRESSED, exchange="y"))),
            " Since the baseline 1 check got worse.",
        ),
        (
            replace(_only(CONFORMS, passed=1), baseline="b", changes=(replace(REGRESSED, by="suite"),)),
            " Since the baseline nothing got worse.",
        ),
        (
            replace(
                _only(CONFORMS, passed=1), baseline="b", changes=(replace(REGRESSED, kind="vanished", after=None),)
            ),
            " Since the baseline nothing got worse, but 1 verdict on a must is gone.",
        ),
    ],
)
def test_the_headline_says_what_else_the_exit_code_hangs_on(results, said):
    assert headline(results) == f"p00 conforms: 1 must is verified.{said}"


def _exchange(status: int | None, end: str = "complete", number: int = 0) -> ExchangeSummary:
    return ExchangeSummary(f"e{number}", "p00", "f", "", "POST /", status, end, Origin.LIVE, None, {})


@pytest.mark.parametrize(
    "change, said",
    [
        ({}, "recordings"),
        ({"exchanges": (_exchange(None, "unreachable:refused"),)}, "nothing was answered (unreachable:refused)"),
        (
            {"exchanges": tuple(_exchange(401, number=number) for number in range(3))},
            "3 of 3 requests got status 401 (is the key right, and named by --key-env?)",
        ),
        ({"exchanges": (_exchange(200), _exchange(500, number=1))}, "2 musts are unproven"),
    ],
)
def test_the_headline_says_why_nothing_could_be_decided(change, said):
    results = replace(_only(INCONCLUSIVE, unproven=2), **change)
    assert f"p00 is inconclusive: {said}." == headline(results)


def test_the_headline_speaks_of_documents_where_nothing_else_was_judged():
    printed = tuple(replace(_exchange(200), provider=name, origin=Origin.DOCUMENT) for name in ("p00", "p01"))
    assert "Both documents deviate from a must." == headline(replace(concluded(DEVIATES, DEVIATES), exchanges=printed))
    assert "p00’s document deviates: 1 must fails." == headline(
        replace(_only(DEVIATES, failed=1), exchanges=printed[:1])
    )
