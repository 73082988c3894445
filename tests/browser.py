"""A real browser: Debian's Chromium, driven by playwright. Absent, tests are skipped, unless .ci/run forbids it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = Path("/usr/bin/chromium")
REQUIRED = "CHATCONFORM_BROWSER"
"""Set to `required`, the tests that need a browser fail where there is none."""

_ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def launched() -> Iterator[Browser]:
    """Give a headless browser with a profile of its own."""
    if not CHROMIUM.exists():
        if os.environ.get(REQUIRED) == "required":
            pytest.fail(f"{CHROMIUM} is not installed, and {REQUIRED} says that it has to be")
        pytest.skip(f"{CHROMIUM} is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=list(_ARGUMENTS))
        yield browser
        browser.close()


@contextmanager
def opened(browser: Browser, file: Path, fragment: str = "", width: int = 1280, **context: object) -> Iterator[Page]:
    """Give an open page. What it says to its console, or asks for besides its file, fails the test."""
    said: list[str] = []
    with browser.new_context(viewport={"width": width, "height": 900}, **context) as within:  # type: ignore[arg-type]
        page = within.new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: said.append(request.url))
        page.goto(file.as_uri() + fragment)
        assert [file.as_uri()] == [url.partition("#")[0] for url in said]
        yield page
        assert {file.as_uri()} == {url.partition("#")[0] for url in said}
