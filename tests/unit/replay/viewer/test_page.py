"""The page in a real browser: it shows a moment, obeys clicks and keys, and takes what a model said for text."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from drive_agent.log.schema import Outcome
from replay.viewer.server import ViewerServer, open_runs
from tests.browser import Page, find_browser

BROWSER = find_browser()
pytestmark = pytest.mark.skipif(
    BROWSER is None, reason="no Chromium on this machine: apt-get install chromium"
)
SHOWN = "document.body.dataset.ready && document.querySelector('#talk h2')"


@pytest.fixture(scope="module")
def runs(log_path, tmp_path_factory) -> list[Path]:
    folders = [tmp_path_factory.mktemp("runs") / name for name in ("before", "after")]
    for folder in folders:
        (folder / "routes" / "7_rep0").mkdir(parents=True)
        shutil.copy(log_path, folder / "routes" / "7_rep0" / "log.mcap")
    return folders


@pytest.fixture(scope="module")
def server(runs) -> Iterator[ViewerServer]:
    with ViewerServer(open_runs([str(runs[0])])) as serving:
        yield serving


@pytest.fixture(scope="module")
def browser() -> Iterator[Page]:
    assert BROWSER is not None
    with Page(BROWSER) as page:
        yield page


@pytest.fixture
def page(browser, server) -> Page:
    browser.errors.clear()
    browser.open("about:blank")
    browser.open(f"{server.address}#route=7_rep0&t=2.00")
    browser.wait(SHOWN)
    return browser


def time_of(page: Page) -> float:
    return float(page.run("document.body.dataset.time"))


def at(page: Page, time_s: float) -> None:
    page.wait(f"Math.abs(document.body.dataset.time - {time_s}) < 0.002")


def spread_of(page: Page, selector: str) -> float:
    """How much the colours of a canvas vary: near 0 for an empty one."""
    return page.run(
        f"""(() => {{ const c = document.querySelector({selector!r}), d = c.getContext('2d').getImageData(0, 0, c.width, c.height).data;
        let sum = 0, square = 0; for (let k = 0; k < d.length; k += 4) {{ sum += d[k]; square += d[k] * d[k]; }}
        const n = d.length / 4; return Math.sqrt(square / n - (sum / n) ** 2); }})()"""
    )


def test_a_link_leads_to_its_moment(page):
    at(page, 2.0)
    assert page.run("document.querySelector('#clock').textContent") == "0:02.00"
    assert page.run("document.querySelector('#route').value") == "7_rep0"
    assert spread_of(page, ".above canvas") > 3 and spread_of(page, "#plots") > 3
    page.wait("document.querySelector('#events button')")
    assert page.errors == []


def test_what_a_model_said_is_text(page):
    assert page.run("document.querySelectorAll('script').length") == 1
    assert page.run("document.querySelectorAll('#talk img, #talk script').length") == 0
    assert "</script><script>alert(1)</script>" in page.run("document.querySelector('#talk').textContent")


def test_keys_step_and_jump(page):
    page.press("ArrowRight")
    at(page, 2.05)
    page.press("ArrowLeft")
    page.press("ArrowLeft")
    at(page, 1.95)
    page.press("ArrowRight", shift=True)
    at(page, 2.2)  # the next question to the model
    page.press("End")
    at(page, 5.95)
    page.press("Home")
    at(page, 0.0)
    page.wait("document.querySelector('#events button b')")
    page.press("n")
    page.wait("Number(document.body.dataset.time) > 3")
    page.wait("location.hash.includes('t=' + Number(document.body.dataset.time).toFixed(2))")


def test_clicks_seek_and_bring_cameras_to_the_front(page):
    box = page.run(
        "(() => { const b = document.querySelector('#plots').getBoundingClientRect(); return [b.x, b.y, b.width]; })()"
    )
    page.click_at(box[0] + 76 + (box[2] - 76 - 46) / 2, box[1] + 60)
    page.wait("Math.abs(document.body.dataset.time - 2.975) < 0.05")
    assert page.run("document.querySelector('.front .name').textContent") == "wide"
    page.click(".thumbs button")
    page.wait("document.querySelector('.front .name').textContent === 'narrow'")
    page.wait("document.querySelector('#events button b')")
    page.click("#events button:has(b)")
    page.wait("document.querySelector('#events button.now')")


def test_playing_goes_on_and_stops(page):
    page.press(" ")
    page.wait("Number(document.body.dataset.time) > 2.2")
    page.press(" ")
    stopped = time_of(page)
    page.press("ArrowRight")
    page.wait(f"Number(document.body.dataset.time) > {stopped}")
    assert time_of(page) < stopped + 1.0


def test_a_link_that_is_pasted_while_the_address_is_written_counts(page):
    """The page writes its moment into the address a little later; that must not swallow a link that came before."""
    page.run("location.hash = 'route=7_rep0&t=1.5', history.replaceState(null, '', '#route=7_rep0&t=2.00')")
    at(page, 1.5)


def test_the_picture_of_the_moment_is_shown(page, tmp_path):
    """The synthetic pictures are grey, brighter with time: the screen must be too."""
    greys = []
    for time_s in (0.5, 5.5):
        page.run(f"location.hash = 'route=7_rep0&t={time_s}'")
        at(page, time_s)
        page.press("o") if not greys else None  # without what is drawn in
        page.wait("document.body.dataset.frames > 3")
        page.run("new Promise((done) => setTimeout(done, 300))")
        page.screenshot(tmp_path / "shot.png")
        shot = cv2.imread(str(tmp_path / "shot.png"))
        greys.append(float(np.median(shot[200:220, 280:330])))
    assert 40 < greys[0] < 50 and 90 < greys[1] < 100


def test_while_it_is_dragged_the_front_picture_is_that_under_the_pointer(page):
    """Held still in the middle of a drag, and moved on: never an empty picture, at rest the right one."""
    page.press("o")
    left, width, y = page.run(
        "(() => { const b = document.querySelector('#plots').getBoundingClientRect(); return [b.x + 76, b.width - 76 - 46, b.y + 60]; })()"
    )
    grey = (
        "(() => { const c = document.querySelector('.front canvas');"
        " return c.getContext('2d').getImageData(c.width / 2, c.height / 2, 1, 1).data[0]; })()"
    )
    page.wait(f"{grey} > 30")

    def pointer(kind: str, share: float) -> None:
        where = {"x": left + share * width, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
        page.call("Input.dispatchMouseEvent", type=kind, **where)

    pointer("mousePressed", 0.1)
    for step in range(10, 90):
        pointer("mouseMoved", step / 100)
        if step % 20 == 0:
            seconds = step / 100 * 5.95
            page.wait(f"Math.abs({grey} - {40 + 10 * int((seconds + 0.05) * 4) / 4}) < 4")
        assert page.run(grey) > 30
    pointer("mouseReleased", 0.9)
    assert page.errors == []


def test_two_runs_stand_side_by_side(browser, runs):
    with ViewerServer(open_runs([str(run) for run in runs])) as serving:
        browser.open(f"{serving.address}#route=7_rep0&t=3.00")
        browser.wait("document.querySelectorAll('.drive').length === 2 && document.querySelector('#talk h2')")
        titles = browser.run("[...document.querySelectorAll('.drive h3')].map((title) => title.textContent)")
        assert [title.split(" ")[0] for title in titles] == ["before", "after"]
        browser.press("2")
        browser.wait("document.querySelectorAll('.drive')[1].classList.contains('chosen')")


def test_a_drive_is_followed_from_before_its_first_tick(browser, drive_writer, tmp_path):
    """A run without a drive, a log without a byte, ticks without pictures, half a drive, the whole of it."""
    whole = drive_writer(tmp_path / "whole.mcap", outcome=Outcome("Completed", "", 3.0, 6.0)).read_bytes()
    blind = drive_writer(tmp_path / "blind.mcap", pictures=False).read_bytes()
    log = tmp_path / "run" / "routes" / "7_rep0" / "log.mcap"
    log.parent.mkdir(parents=True)
    (tmp_path / "run" / "config.yaml").write_text("a: run\n")
    with ViewerServer(open_runs([str(tmp_path / "run")])) as serving:
        browser.open(f"{serving.address}#t=0&live")
        browser.wait("document.querySelector('.notice')?.textContent === 'waiting for the first tick'")
        log.write_bytes(b"")
        browser.wait("document.querySelector('.notice')?.textContent.includes('is empty')")
        log.write_bytes(blind[: len(blind) // 3])
        browser.wait("document.querySelector('.blind') && Number(document.body.dataset.time) > 0.9")
        before = time_of(browser)
        assert before < 5.9 and "under way" in browser.run("document.querySelector('#facts').textContent")
        log.write_bytes(whole)
        browser.wait("document.querySelector('.drive:not(.blind) .front canvas')")
        browser.wait("Number(document.body.dataset.time) > 5.9")
        browser.wait("document.querySelector('#facts').textContent.includes('Completed')")
        browser.wait("document.querySelector('#events button b')")


def test_a_log_that_cannot_be_read_says_why(browser, tmp_path):
    (tmp_path / "log.mcap").write_bytes(b"no log at all")
    with ViewerServer(open_runs([str(tmp_path)])) as serving:
        browser.open(serving.address)
        browser.wait("document.querySelector('.notice')?.textContent.includes('no MCAP file')")
