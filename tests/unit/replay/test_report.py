from __future__ import annotations

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path

import pytest

from drive_agent.log.schema import Outcome
from drive_agent.score.ledger import Ledger, judged_record
from replay.report import write_report
from replay.report_route import LEAN, route_section
from replay.video import write_video
from tests.browser import Page as Browser
from tests.browser import find_browser

VOID = {"meta", "img", "br", "hr", "input", "link", "source"}
HOSTILE_CONFIG = """
config:
  routes: '</pre><script>alert(3)</script>'
  model: {kind: embedded}
seed: 3
git: 0123456789abcdef
"""


class Page(HTMLParser):
    """Checks that tags close in order; keeps tags with attributes, and text by where it stands."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self._open: list[str] = []
        self.feed(text)
        self.close()
        assert self._open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self._open[-1] if self._open else "", data))


@pytest.fixture(scope="module")
def run(drive_writer: Callable[..., Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three routes: driven with pictures and a video, crashed without pictures, and killed in the middle."""
    folder = tmp_path_factory.mktemp("runs") / "first & <last>"
    whole = drive_writer(folder / "routes/7_rep0/log.mcap", "7", outcome=Outcome("Completed", "", 3.0, 6.0))
    write_video(whole, whole.with_name("video.mp4"))
    crashed = Outcome("Failed - Agent crashed", "ValueError: <b>boom</b>", 2.0, 6.0)
    drive_writer(folder / "routes/8_rep0/log.mcap", "8", pictures=False, outcome=crashed)
    names = [f"RouteScenario_{k}_rep0" for k in (7, 8, 9)]
    ledger = Ledger.open(folder, names)
    for name, log in ((names[0], whole), (names[1], folder / "routes/8_rep0/log.mcap")):
        ledger.finish(name, judged_record(log, name, crashed), crashed.reason)
    killed = drive_writer(folder / "routes/9_rep0/log.mcap", "9")
    killed.write_bytes(killed.read_bytes()[:-2000])
    (folder / "config.yaml").write_text(HOSTILE_CONFIG)
    write_report(folder)
    return folder


@pytest.fixture(scope="module")
def text(run: Path) -> str:
    return (run / "report.html").read_text()


@pytest.fixture(scope="module")
def page(text: str) -> Page:
    return Page(text)


def test_it_says_all_routes_and_names_the_rules(page: Page, text: str) -> None:
    ids = {attrs.get("id") for _, attrs in page.tags}
    assert {"7_rep0", "8_rep0"} <= ids
    assert "9_rep0" in text and "missing, counts 0" in text
    for name in ("Leaderboard 2.1", "Leaderboard 2.0", "Leaderboard 1.0", "Bench2Drive"):
        assert name in text
    assert "Red light run" in text
    assert "model embedded" in text and "seed 3 · commit 0123456789<" in text
    assert "ValueError: &lt;b&gt;boom&lt;/b&gt;" in text


def test_what_a_model_or_a_user_wrote_never_becomes_markup(page: Page, text: str) -> None:
    assert "alert(1)" in text and "alert(3)" in text  # it is shown
    scripts = [data for tag, data in page.texts if tag == "script"]
    assert len(scripts) == 1 and "alert" not in scripts[0]
    assert not [attrs for tag, attrs in page.tags if tag == "img" or "onerror" in attrs]
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert "first &amp; &lt;last&gt;" in text


def test_it_needs_nothing_from_elsewhere(page: Page, text: str, run: Path) -> None:
    assert not re.search(r"https?:|url\(|@import|fetch\(", text)
    for _, attrs in page.tags:
        for key in ("src", "href", "poster"):
            target = attrs.get(key)
            if target is not None and not target.startswith(("#", "data:image/jpeg;base64,")):
                assert (run / target).is_file()
    assert len(text) < 500_000


def test_infractions_jump_into_the_video(page: Page) -> None:
    seconds = [
        float(attrs["data-seek"] or "")
        for tag, attrs in page.tags
        if tag == "button" and "data-seek" in attrs
    ]
    assert seconds and all(0 <= s <= 6 for s in seconds)
    drives = [json.loads(attrs["data-drive"] or "") for _, attrs in page.tags if "data-drive" in attrs]
    assert [drive["span"] for drive in drives] == [5.95, 5.95]
    assert all(
        abs(len(drive["track"]) * drive["step"] - drive["span"]) <= 2 * drive["step"] for drive in drives
    )


needs_browser = pytest.mark.skipif(find_browser() is None, reason="no Chromium on this machine")


@needs_browser
def test_in_a_browser_it_filters_sorts_and_jumps(run: Path) -> None:
    shown = "[...document.querySelectorAll('.routes tbody tr')].filter(row => !row.hidden).map(row => row.cells[0].dataset.v)"
    with Browser(find_browser() or "") as page:
        page.open((run / "report.html").resolve().as_uri())
        assert page.run(shown) == ["7_rep0", "8_rep0"]
        page.run("document.querySelector('.routes th').click()")
        page.run("document.querySelector('.routes th').click()")
        assert page.run(shown) == ["8_rep0", "7_rep0"]
        page.run("document.querySelector('.filter button[data-state*=crashed]').click()")
        assert (
            page.run(shown) == ["8_rep0"]
            and page.run("document.querySelector('output').value") == "1 of 2 routes"
        )
        assert page.run("document.getElementById('7_rep0').closest('details').hidden")
        page.run("document.querySelector('.filter button[data-state*=crashed]').click()")
        type_in = "(box => { box.value = %r; box.dispatchEvent(new Event('input')); })(document.querySelector('.filter input'))"
        page.run(type_in % "light COMPLETED")
        assert page.run(shown) == ["7_rep0"]
        page.run(type_in % "")
        second = page.run("Number(document.querySelector('[id=\"7_rep0\"] button[data-seek]').dataset.seek)")
        page.run("document.querySelector('[id=\"7_rep0\"] button[data-seek]').click()")
        page.wait("document.querySelector('[id=\"7_rep0\"] video').currentTime > 0")
        at = page.run("document.querySelector('[id=\"7_rep0\"] video').currentTime")
        assert second - 1.0 <= at <= second + 5.0
        assert page.errors == []


def test_a_log_that_cannot_be_read_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "log.mcap").write_bytes(b"no <log> at all")
    row = {
        "status": "Failed - Agent crashed", "reason": "", "driving_score": {"2.1": 0.0}, "route_completion": 0.0,
        "route_length_m": 0.0, "simulated_s": 0.0, "wall_s": 0.0,
    }  # fmt: skip
    section = route_section(row, "3_rep0", tmp_path, LEAN)
    assert "is no MCAP file" in section
    (tmp_path / "log.mcap").unlink()
    assert "failed before its log began" in route_section(row, "3_rep0", tmp_path, LEAN)


def test_a_folder_without_routes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="routes"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()
