"""The HTML report in a real browser: quiet, offline, readable by everybody, and deaf to what a provider sends."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

pytest.importorskip("playwright")

from axe_playwright_python.sync_playwright import Axe

from browser import launched, opened
from chatconform import reports
from chatconform.report import board
from many_results import many
from report_sample import HOSTILE_PROVIDER, sample

HOSTILE_PAGE = board.page(HOSTILE_PROVIDER, ".html")
PAGES = ("index.html", "acme.html", "paper.html", "broken-suite.html", HOSTILE_PAGE)
A4 = 695
"""The width of an A4 page between its margins, in CSS pixels."""


@pytest.fixture(scope="module")
def browser():
    """The browser of this file alone: while it runs so does an event loop, and no other test could begin one."""
    with launched() as browser:
        yield browser


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    return reports.write(sample(), tmp_path_factory.mktemp("report")).parent


@pytest.fixture(scope="session")
def index_of(tmp_path_factory):
    """Write results, and return their index."""
    return lambda results: reports.write(results, tmp_path_factory.mktemp("report"))


# Opening


@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_for_nothing_says_nothing_and_is_no_wider_than_the_window(name, browser, folder):
    with opened(browser, folder / name) as page:
        assert page.locator("h1").is_visible()
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for width in (1280, 768, 390, 320):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("name", ["index.html", "acme.html", HOSTILE_PAGE])
def test_a_page_is_accessible_light_and_dark(name, browser, folder):
    with opened(browser, folder / name, bypass_csp=True) as page:
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = true")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            found = Axe().run(page).response
            assert [] == [f"{scheme} {each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]


@pytest.mark.parametrize(
    "count, says", [(0, "No provider was judged."), (1, "provider-000 conforms: 3 musts are verified.")]
)
def test_however_few_providers_there_are_the_first_thing_is_the_sentence_that_decides(count, says, browser, index_of):
    with opened(browser, index_of(many(count, 3))) as page:
        assert says == page.locator("h1").inner_text()


def test_fifty_providers_and_ten_thousand_findings_open_and_say_first_what_matters(browser, index_of):
    with opened(browser, index_of(many(60, 20, failing=9))) as page:
        assert re.fullmatch(r"All 60 providers deviate from a must\.", page.locator("h1").inner_text())
        assert "10 more have their pages" in page.locator(".matrix-section .sub").inner_text()
        assert 900 > page.locator("table.board").bounding_box()["y"]


# Hostile bytes


INJECTED = (
    "<script>document.title = 'PWNED'</script><style>body { display: none }</style>"
    "<img src='http://127.0.0.1:9/x' onerror=\"document.title = 'PWNED'\">"
    "<a id=j href=\"javascript:document.title='PWNED'\">x</a>"
    "<iframe src='data:text/html,x'></iframe><link rel=stylesheet href='http://127.0.0.1:9/x.css'>"
)


def test_the_policy_lets_nothing_run_that_was_injected(browser, folder, tmp_path):
    text = (folder / "acme.html").read_text(encoding="utf-8")
    spoilt = tmp_path / "spoilt.html"
    spoilt.write_text(text.replace("<main", INJECTED + "<main", 1), encoding="utf-8")
    with browser.new_context() as context:
        page, asked = context.new_page(), []
        page.on("response", lambda response: asked.append(response.url))
        page.goto(spoilt.as_uri())
        page.evaluate("document.getElementById('j').click()")
        assert ("acme: deviates – chatconform", True) == (page.title(), page.locator("h1").is_visible())
        assert {spoilt.as_uri()} == set(asked)


def test_what_a_provider_sent_is_text(browser, folder):
    with opened(browser, folder / HOSTILE_PAGE) as page:
        assert (1, 1) == (page.locator("script").count(), page.locator("style").count())
        links = page.eval_on_selector_all("[href]", "all => all.map(each => each.getAttribute('href'))")
        assert [] == [link for link in links if not re.match(r"https?://|#|[\w.-]+\.html", link)]
        assert page.get_by_text("<script>alert(1)</script>").count() > 0


# Using it


def test_filters_show_what_they_say(browser, folder):
    with opened(browser, folder / "index.html") as page:
        rows = "table.matrix tbody tr:not(.head)"
        total = page.locator(rows).count()
        for name in ("failing", "differs", "changed"):
            page.locator(f"input[value={name}]").check(force=True)
            kept = page.locator(f"{rows}.{name}").count()
            visible = page.locator(f"{rows}:visible")
            assert (kept, kept) == (visible.count(), page.locator(f"{rows}.{name}:visible").count())
            assert f"{kept} of {total} checks" == page.locator("output").inner_text()
        page.locator("input[value=all]").check(force=True)
        page.locator("select[name=group]").select_option("sse")
        assert ["sse"] == page.eval_on_selector_all(
            "table.matrix tbody", "all => all.filter(each => each.offsetHeight).map(each => each.dataset.group)"
        )


def test_a_fragment_opens_its_card(browser, folder):
    with opened(browser, folder / "acme.html") as page:
        page.evaluate("for (const each of document.querySelectorAll('details')) each.open = false")
        page.evaluate("location.hash = '#openai--usage.total.sum'")
        card = page.locator("[id='openai--usage.total.sum']")
        card.locator("dl.facts").wait_for(state="visible")
        assert page.evaluate("document.querySelectorAll('.finding > details[open]').length") == 1


def test_every_sign_that_fails_leads_to_a_card(browser, folder):
    with opened(browser, folder / "index.html") as page:
        links = page.eval_on_selector_all("a.s, a.hit", "all => all.map(each => each.getAttribute('href'))")
    assert links
    for link in links:
        name, _, fragment = link.partition("#")
        assert '<article class="finding' in (folder / name).read_text(encoding="utf-8")
        assert f'id="{fragment}"' in (folder / name).read_text(encoding="utf-8")


REACHABLE = """() => [...document.querySelectorAll(
    'a[href], button, summary, select, input[type=radio]:checked, [tabindex="0"]'
)].filter(each => each.checkVisibility({visibilityProperty: true})).map((each, number) => each.dataset.n = number)"""
FOCUSED = """() => {
    const it = document.activeElement;
    const drawn = it.matches('.filters input') ? it.nextElementSibling : it;
    return [it.dataset.n ?? null, getComputedStyle(drawn).outlineStyle];
}"""


@pytest.mark.parametrize("name", ["index.html", "acme.html"])
def test_the_keyboard_reaches_everything_and_shows_where_it_is(name, browser, folder):
    with opened(browser, folder / name) as page:
        wanted = [str(number) for number in page.evaluate(REACHABLE)]
        reached = []
        for _ in range(len(wanted) + 1):
            page.keyboard.press("Tab")
            number, outline = page.evaluate(FOCUSED)
            reached.append(number)
            assert number is None or outline != "none"
        assert wanted == [number for number in reached if number is not None][: len(wanted)]


def test_the_theme_is_the_systems_until_somebody_chooses(browser, folder):
    with opened(browser, folder / "index.html", color_scheme="dark") as page:
        ground = "getComputedStyle(document.body).backgroundColor"
        dark = page.evaluate(ground)
        page.locator(".theme").click()
        light = page.evaluate(ground)
        assert ("rgb(14, 17, 20)", "rgb(247, 247, 245)", "Dark") == (dark, light, page.locator(".theme").inner_text())


def test_copying_gives_what_stands_there(browser, folder):
    with opened(browser, folder / "acme.html", permissions=["clipboard-read", "clipboard-write"]) as page:
        page.locator("[data-copy='openai--envelope.id.type--again']").click()
        page.get_by_text("Copied").wait_for()
        expected = "chatconform judge recordings/acme/plain.json --provider acme --check envelope.id.type"
        assert expected == page.evaluate("navigator.clipboard.readText()")


# Without script, and on paper


@pytest.mark.parametrize("name", ["index.html", "acme.html"])
def test_without_its_script_everything_is_there(name, browser, folder):
    with opened(browser, folder / name, java_script_enabled=False) as page:
        assert 0 == page.locator("button:visible, form:visible").count()
        rows = page.locator("table.matrix tbody tr")
        assert rows.count() == page.locator("table.matrix tbody tr:visible").count()


@pytest.mark.parametrize("name", ["index.html", "acme.html", HOSTILE_PAGE])
def test_on_paper_nothing_is_cut_and_everything_is_open_also_without_the_script(name, browser, folder):
    with opened(browser, folder / name, width=A4, java_script_enabled=False) as page:
        page.emulate_media(media="print")
        assert page.locator("details:not(.ticket) > :not(summary):not(:visible):not(details)").count() == 0
        edges = page.locator("table, svg, pre, dl").all()
        assert [] == [box for each in edges if (box := each.bounding_box()) and box["x"] + box["width"] > A4 + 1]


def test_a_report_prints_on_a4(browser, folder):
    with opened(browser, folder / "index.html") as page:
        pages = page.pdf(prefer_css_page_size=True, print_background=True)
    boxes = set(re.findall(rb"/MediaBox \[([^\]]+)\]", pages))
    assert {b"0 0 594.95996 841.91998"} == boxes
