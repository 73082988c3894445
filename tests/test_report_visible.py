"""Hostile text is shown, and acts on nothing."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from chatconform.report import visible

ANYTHING = st.text(st.characters(codec=None), max_size=40)
MARKUP = st.text(st.sampled_from("`|*_<>[]()!#-+=~&;:@$\\\"' 1.)\n\r\taé中\u202e\ud800{}^/w"), max_size=30)


class Rendered(HTMLParser):
    """The text and the tags of rendered Markdown."""

    def __init__(self, markdown: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.text = ""
        self.feed(MarkdownIt("commonmark").enable("table").render(markdown))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize(
    "text, expected",
    [
        ("plain text, 中文 and é", "plain text, 中文 and é"),
        ("a\r\n\tb", "a␍␊␉b"),
        ("\0\x1b[31m\x7f\x9b", "␀␛[31m␡⟨U+009B⟩"),
        ("\u202egnp\u2066\u061c", "⟨U+202E⟩gnp⟨U+2066⟩⟨U+061C⟩"),
        ("a\u200bb\ufeff\u00ad", "a⟨U+200B⟩b⟨U+FEFF⟩⟨U+00AD⟩"),
        ("\ud800 \udfff", "⟨U+D800⟩ ⟨U+DFFF⟩"),
        ("\u2028\u2029\u0085", "⟨U+2028⟩⟨U+2029⟩⟨U+0085⟩"),
        ("\U000e0041", "⟨U+E0041⟩"),
        (r"\u0000 as it was sent", r"\u0000 as it was sent"),
        ("::error::x", "⟨U+003A⟩:error::x"),
        ("a ::set-env name=x::y", "a ⟨U+003A⟩:set-env name=x::y"),
        ("##[error]x ##vso[task]y ##teamcity[z]", "⟨U+0023⟩#[error]x ⟨U+0023⟩#vso[task]y ⟨U+0023⟩#teamcity[z]"),
        ("http://[::1]:8000/v1 a::b ## c", "http://[::1]:8000/v1 a::b ## c"),
    ],
)
def test_a_line_shows_what_has_no_shape(text, expected):
    assert expected == visible.line(text, 100)


@pytest.mark.parametrize(
    "text, limit, expected",
    [
        ("abcdefghij", 10, "abcdefghij"),
        ("x" * 1_000_000, 20, "xxxxxx…(+999992)…xx"),
        ("\0" * 11, 10, "␀␀…(+8)…␀"),
        ("\x9b" * 10, 40, "⟨U+009B⟩⟨U+009B⟩…(+7)…⟨U+009B⟩"),
        ("abcdefghij", 3, "…(+10)…"),
        ("", 0, ""),
    ],
)
def test_a_long_line_is_cut_in_the_middle_with_a_count(text, limit, expected):
    assert expected == visible.line(text, limit)


@given(ANYTHING, st.integers(min_value=12, max_value=60))
def test_a_line_is_never_longer_than_its_limit(text, limit):
    assert len(visible.line(text, limit)) <= limit


def test_a_command_is_shown_where_a_long_line_is_cut():
    assert "⟨U+003A⟩:error::" + "x" * 20 + "…(+50)…" + "x" * 17 == visible.line("::error::" + "x" * 87, 60)


@given(ANYTHING)
def test_showing_twice_changes_nothing(text):
    shown = visible.escape(text)
    assert shown == visible.escape(shown)


@given(ANYTHING | MARKUP)
@example("1. x")
@example("    code")
def test_markdown_of_any_text_is_one_paragraph_of_that_text(text):
    shown = visible.escape(text).strip()
    assume(shown)
    rendered = Rendered(visible.markdown(text))
    assert (["p"], shown) == (rendered.tags, rendered.text.strip())


@given(ANYTHING | MARKUP)
def test_markdown_of_any_text_is_one_cell_of_a_table(text):
    rendered = Rendered(f"| h |\n| --- |\n| {visible.markdown(text)} |")
    assert rendered.tags == ["table", "thead", "tr", "th", "tbody", "tr", "td"]
    assert visible.escape(text).strip() == rendered.text.replace("h", "", 1).strip()


@given(ANYTHING | MARKUP)
@example("`")
@example("a``b`c|")
@example(" ")
def test_code_of_any_text_is_one_code_span_in_prose(text):
    rendered = Rendered(f"x {visible.code(text)} y")
    assert (["p", "code"], f"x {visible.escape(text)} y\n") == (rendered.tags, rendered.text)


@given(ANYTHING | MARKUP)
def test_code_of_any_text_is_one_code_span_in_a_table(text):
    rendered = Rendered(f"| h |\n| --- |\n| x{visible.code(text)}y |")
    assert rendered.tags[-2:] == ["td", "code"]
    assert f"x{visible.escape(text)}y" == rendered.text.replace("h", "", 1).strip()


@pytest.mark.parametrize(
    "text, expected",
    [
        ("finish_reason", "finish_reason"),
        ("@octocat", "&#64;<!-- -->octocat"),
        ("https://x.example", "https&#58;//x.example"),
        ("www.x.example", "www&#46;x.example"),
        ("# heading", r"\# heading"),
        ("a|b", r"a\|b"),
        ("<script>", "&#60;script&#62;"),
        ("$x$", "&#36;x&#36;"),
        ("&lt;", "&amp;lt;"),
    ],
)
def test_markdown_makes_no_markup_link_mention_or_formula(text, expected):
    assert expected == visible.markdown(text)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("Nothing follows `data: [DONE]`.", "Nothing follows `data: [DONE]`."),
        ("`a|b` <i>", "<code>a&#124;b</code> &#60;i&#62;"),
        ("one ` alone", r"one \` alone"),
        ("- item", "&#45; item"),
    ],
)
def test_prose_keeps_code_between_backticks_and_nothing_else(text, expected):
    assert expected == visible.prose(text)
