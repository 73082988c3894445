"""Rendering: templates into pages whose texts are visible, escaped and cut, and whose policy names their digests."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from chatconform.model import Conclusion
from chatconform.report import board, visible
from chatconform.report.board import Mark
from chatconform.report.html.ticket import ISSUE

_TEMPLATES = Path(__file__).with_name("templates")
_LONGEST = 400
_CLIENTS = ("go-openai", "litellm", "openai", "pydantic")

_CODE = re.compile(r"(`[^`]*`|(?<![\w/.])[a-z]+(?:_[a-z]+)+(?![\w/]))")

GLYPHS = {
    Mark.ERROR: "‼",
    Mark.FAIL: "✕",
    Mark.WARN: "!",
    Mark.INFO: "i",
    Mark.WAIVED: "~",
    Mark.UNPROVEN: "?",
    Mark.PASS: "✓",
}
"""The sign of each word; it reads without colour."""

TONES = {
    Conclusion.VOID: "error",
    Conclusion.DEVIATES: "fail",
    Conclusion.INCONCLUSIVE: "unproven",
    Conclusion.CONFORMS_WITH_WAIVERS: "waived",
    Conclusion.CONFORMS: "pass",
}
"""The class of each conclusion, by the mark that it is drawn as."""


class Shown(str):
    """A text that is visible and cut as it ought to be; it has yet to be escaped."""

    __slots__ = ()


def shown(text: str, limit: int = _LONGEST) -> Shown:
    """A text on one line of at most `limit` characters, everything without a shape made visible."""
    return Shown(visible.line(text, limit))


def whole(text: str) -> Shown:
    """A text of several lines, whole; its line feeds are kept, and everything else without a shape is visible."""
    return Shown("\n".join(visible.escape(each) for each in text.split("\n")))


def command(text: str) -> Markup:
    """A text of several lines, whole, in which no line breaks within the name of an option."""
    pieces = re.split(r"(?<= )(--[a-z][a-z-]*)(?![^\s])", whole(text))
    return Markup("").join(
        Markup("<span>{}</span>").format(piece) if number % 2 else escape(piece) for number, piece in enumerate(pieces)
    )


def prose(text: str) -> Markup:
    """A sentence of ours: what stands between backticks is code, and so is a name such as finish_reason."""
    shown = visible.line(text, 1_000)
    pieces = _CODE.split(shown) if shown.count("`") % 2 == 0 else [shown]
    return Markup("").join(
        Markup("<code>{}</code>").format(piece.strip("`")) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def wire(text: str) -> Markup:
    """Bytes of a body: line ends and everything else without a shape as signs that are set apart."""
    pieces = re.split(r"([\u2400-\u2421]+|⟨U\+[0-9A-F]+⟩)", visible.line(text, 1_000))
    return Markup("").join(
        Markup("<i>{}</i>").format(piece.replace("␊", "↵")) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def dotted(check: str) -> Markup:
    """An id that may be broken behind its dots and underscores."""
    return Markup(re.sub(r"([._])", r"\1<wbr>", str(escape(shown(check, 80)))))  # noqa: S704  it is escaped


def opening(text: str) -> Markup:
    """A sentence of ours with a capital at its start, unless it begins with the name of a client library."""
    return prose(text if text.startswith(_CLIENTS) else text[:1].upper() + text[1:])


def is_link(url: str) -> bool:
    """Whether a URL may be followed from a page: http and https alone, and nothing in it without a shape."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc) and visible.line(url, 2_000) == url


def cited(source: str) -> Markup:
    """A citation, with links to the RFCs and to the WHATWG's standard in it."""
    pieces = re.split(r"(RFC \d+(?: section [\d.]*\d)?|WHATWG HTML [\d.]*\d)", visible.line(source, 300))
    return Markup("").join(
        Markup('<a href="{}" rel="noreferrer">{}</a>').format(_standard(piece), piece) if number % 2 else escape(piece)
        for number, piece in enumerate(pieces)
    )


def origin(cite: str) -> Markup:
    """Where a deviation was seen: an issue on GitHub with its link, anything else as text."""
    issue = ISSUE.fullmatch(cite)
    if issue is None:
        return Markup("<span>{}</span>").format(shown(cite, 80))
    return Markup('<a href="https://github.com/{}/issues/{}" rel="noreferrer">{}</a>').format(*issue.groups(), cite)


def _standard(name: str) -> str:
    """Where a standard is published."""
    if name.startswith("WHATWG"):
        return "https://html.spec.whatwg.org/multipage/server-sent-events.html"
    _, number, *section = name.split()
    return f"https://www.rfc-editor.org/rfc/rfc{number}" + (f"#section-{section[-1]}" if section else "")


def render(template: str, **values: object) -> str:
    """The page that a template makes of values."""
    return _environment().get_template(template).render(values)


def _finalize(value: object) -> object:
    return shown(value) if isinstance(value, str) and not isinstance(value, Markup | Shown) else value


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_finalize,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    style, script = ((_TEMPLATES / name).read_text(encoding="utf-8") for name in ("report.css", "report.js"))
    environment.globals |= {
        "style": Markup(style),  # noqa: S704  a file of ours
        "script": Markup(script),  # noqa: S704  a file of ours
        "policy": Markup(_policy(style, script)),  # noqa: S704  digests
        "glyphs": GLYPHS,
        "tones": TONES,
        "board": board,
        "is_link": is_link,
    }
    environment.filters |= {
        "shown": shown,
        "command": command,
        "prose": prose,
        "opening": opening,
        "wire": wire,
        "cited": cited,
        "origin": origin,
        "dotted": dotted,
        "number": _number,
        "ms": _ms,
    }
    return environment


def _policy(style: str, script: str) -> str:
    """Nothing is loaded, sent, framed or run but this style and this script (CSP Level 3)."""
    return (
        f"default-src 'none'; style-src {_digest(style)}; script-src {_digest(script)}; "
        "base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _number(value: int) -> str:
    return f"{value:,}"


def _ms(microseconds: int) -> str:
    """Microseconds as milliseconds, to the nearest one; below ten to the tenth."""
    value = microseconds / 1000
    return f"{value:,.1f}" if value < 10 else f"{value:,.0f}"
