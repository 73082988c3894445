"""Reports in HTML: index.html for all providers, and one page a provider. One file each; same results, same bytes.

A page needs no network and no server, and reads without its script. What a provider sent is shown as what it is:
every text goes through `visible`, then through autoescape, and a Content-Security-Policy lets nothing run or load
but the one style and the one script whose digests it names.
"""

from __future__ import annotations

from chatconform.model import Results
from chatconform.report import board
from chatconform.report.html import overview, sheet
from chatconform.report.html.rendering import render

SUFFIX = ".html"


def index(results: Results) -> str:
    """index.html: the sentence that decides, the board, what breaks, how streams arrive, every check, how measured."""
    return render("index.html", view=overview.view(results))


def provider(results: Results, provider_id: str) -> str:
    """A provider's page: the conclusion, a card for every check that fails, and all the rest.

    Raises KeyError where the results have no such provider.
    """
    return render("provider.html", view=sheet.view(results, board.row(results, provider_id)))
