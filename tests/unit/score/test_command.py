"""`drive-agent score` on the terminal."""

import io
import json

import pytest
from rich.console import Console

from drive_agent.config import ConfigError
from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.command import print_score
from tests.worlds import cruise, header, straight_route, street


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """One route driven to its end, one that was interrupted."""
    folder = tmp_path_factory.mktemp("run")
    for repetition, seconds, outcome in ((0, 13.0, Outcome("Completed", "", 6.0, 12.5)), (1, 2.0, None)):
        path = folder / "routes" / f"7_rep{repetition}" / "log.mcap"
        with EpisodeWriter(path, header(straight_route(100), "7", repetition), street()) as log:
            for now in cruise(8.0, seconds):
                log.write(now, None)
            if outcome:
                log.finish(outcome)
    return folder


def printed(run, version="2.1", form="text") -> tuple[int, str]:
    out = io.StringIO()
    code = print_score(str(run), {"version": version, "format": form}, Console(file=out, width=120))
    return code, out.getvalue()


def test_text_names_routes_means_and_what_is_missing(run):
    code, text = printed(run)
    assert code == 1
    assert " 7_rep0 " in text and "Perfect" in text
    assert "driving score 50.0000   success rate 50.00%" in text
    assert "missing RouteScenario_7_rep1" in text and "the drive was interrupted after 2.00 s" in text
    assert "infractions: none" in text


def test_json_is_what_score_run_returns(run):
    code, text = printed(run, "2.0", "json")
    values = json.loads(text)
    assert code == 1 and values["version"] == "2.0" and values["driving_score"] == 50.0


def test_wrong_words_are_wrong_calls(run):
    with pytest.raises(ConfigError, match="version=4: expected one of 1.0, 2.0, 2.1, bench2drive"):
        printed(run, "4")
    with pytest.raises(ConfigError, match="format=xml: expected one of text, json"):
        printed(run, form="xml")
