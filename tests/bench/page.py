"""How fast the page of replay is: `python -m tests.bench.page runs/NAME [ROUTE]` opens a drive and drags over all of it.

The set `long` has a drive of ten minutes: `drive-agent drive routes=long video=false out=runs/long`. Needs a Chromium.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from replay.viewer.server import ViewerServer, open_runs
from tests.browser import Page, find_browser

CONSOLE = Console(width=100, highlight=False)
DRAG_S = 10.0  # for the whole drive
MOVES_PER_S = 60
# Counts the pictures that come into the large view, each time another than before.
COUNT = """
window.seen = 0;
const draw = CanvasRenderingContext2D.prototype.drawImage;
CanvasRenderingContext2D.prototype.drawImage = function (picture, ...where) {
  if (this.canvas.closest(".front") && picture !== window.last) { window.seen++; window.last = picture; }
  return draw.call(this, picture, ...where);
};
"""


@dataclass(frozen=True)
class PageCost:
    """Of one drive; times from asking the browser for the address on, which `replay view` does when its server stands.

    `pictures_per_s` by drag, the first over what was never looked at.
    """

    duration_s: float
    until_shown_s: float
    until_events_s: float
    pictures_per_s: tuple[float, ...]


def cost_of_page(run: str, route: str, drags: int = 2) -> PageCost:
    """Open the page a second into the drive and drag over its timeline, `drags` times."""
    browser = find_browser()
    if browser is None:
        raise SystemExit("no Chromium on this machine: apt-get install chromium")
    # As `replay view` does it: the server first, which reads while the browser comes.
    with ViewerServer(open_runs([run])) as server, Page(browser) as page:
        page.call("Page.addScriptToEvaluateOnNewDocument", source=COUNT)
        began = time.perf_counter()
        page.open(f"{server.address}#route={route}&t=1")
        page.wait("document.body.dataset.ready && window.seen")
        shown_s = time.perf_counter() - began
        page.wait("document.querySelector('#events li')")
        events_s = time.perf_counter() - began
        rates = tuple(_pictures_per_s(page) for _ in range(drags))
        page.press("End")
        page.wait("document.body.dataset.time > 0")
        return PageCost(float(page.run("document.body.dataset.time")), shown_s, events_s, rates)


def _pictures_per_s(page: Page) -> float:
    left, right, height = page.run(
        "(() => { const b = document.querySelector('#plots').getBoundingClientRect();"
        " return [b.left + 90, b.right - 60, b.top + b.height / 2]; })()"
    )

    def pointer(kind: str, x: float) -> None:
        page.call(
            "Input.dispatchMouseEvent", type=kind, x=x, y=height, button="left", buttons=1, clickCount=1
        )

    before = page.run("window.seen")
    pointer("mousePressed", left)
    began = time.perf_counter()
    while (share := (time.perf_counter() - began) / DRAG_S) < 1:
        pointer("mouseMoved", left + share * (right - left))
        time.sleep(1 / MOVES_PER_S)
    spent_s = time.perf_counter() - began
    seen = page.run("window.seen") - before
    pointer("mouseReleased", right)
    return seen / spent_s


def _first_route(run: str) -> str:
    return next(iter(open_runs([run])[0].drives()))


if __name__ == "__main__":
    folder, *given = sys.argv[1:] or sys.exit(__doc__)
    cost = cost_of_page(folder, given[0] if given else _first_route(folder))
    CONSOLE.print(f"{Path(folder).name}: a drive of {cost.duration_s:.0f} s")
    CONSOLE.print(
        f"shown after {cost.until_shown_s:.2f} s, with its events after {cost.until_events_s:.2f} s"
    )
    CONSOLE.print(
        "dragging over it: " + ", then ".join(f"{rate:.0f} pictures/s" for rate in cost.pictures_per_s)
    )
