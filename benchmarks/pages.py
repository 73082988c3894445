"""How fast a large report opens in Chromium: the index of many providers and checks against that of one of each.

Times are of the page itself (Navigation Timing: `loadEventEnd` since the navigation began), the median of seven loads,
each in a context of its own; beside them stands what rendering and writing took.

    PYTHONPATH=suite:tests python benchmarks/pages.py
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser

from browser import launched
from chatconform import reports
from chatconform.model import Results
from many_results import many

TURNS = 7
SIZES = ((1, 1, 0), (5, 350, 10), (20, 200, 10), (50, 400, 22))
TIMES = """() => {
    const it = performance.getEntriesByType("navigation")[0];
    return [it.domContentLoadedEventEnd, it.loadEventEnd];
}"""


def loaded(browser: Browser, file: Path) -> tuple[float, float]:
    """Return when the content and when the page was loaded, in milliseconds."""
    times = []
    for _ in range(TURNS):
        with browser.new_context() as context:
            page = context.new_page()
            page.goto(file.as_uri(), wait_until="load")
            page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
            times.append(page.evaluate(TIMES))
    content, load = zip(*times, strict=True)
    return median(content), median(load)


def written(results: Results, folder: Path) -> tuple[Path, float]:
    """Write a report; return its index and the seconds that it took."""
    begun = time.perf_counter()
    index = reports.write(results, folder)
    return index, time.perf_counter() - begun


def main() -> None:
    """Print a line for each size."""
    print("providers x checks   findings   index KiB   written s   DOMContentLoaded ms   load ms   load against 1 x 1")
    with launched() as browser, tempfile.TemporaryDirectory() as folder:
        least = 0.0
        for providers, checks, failing in SIZES:
            index, seconds = written(many(providers, checks, failing), Path(folder) / f"{providers}x{checks}")
            content, load = loaded(browser, index)
            least = least or load
            print(
                f"{f'{providers} x {checks}':>18}   {providers * failing * 9:8,}   {index.stat().st_size / 1024:9,.0f}"
                f"   {seconds:9.1f}   {content:19,.0f}   {load:7,.0f}   {load / least:18.1f}"
            )


if __name__ == "__main__":
    main()
