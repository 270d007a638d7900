import pytest
from rich.console import Console

from drive_agent.log.store import Episode
from drive_agent.openloop import read_config, run_openloop
from replay.episode import Timeline
from replay.openloop_page import write_openloop_page
from tests.unit.data.recorded import SPEED_MPS, write_drive


@pytest.fixture(scope="module")
def out(tmp_path_factory):
    folder = tmp_path_factory.mktemp("openloop")
    write_drive(folder / "run", turn=True)
    words = [f"data={folder}/run", f"out={folder}/out", f"cache={folder}/cache", "workers=1"]
    return run_openloop(read_config([*words, "baselines=[go_straight,human]"]), Console(quiet=True))


def test_every_scene_is_a_log_that_replays(out):
    """A tick a key frame, the plan of the first planner in it, pictures unchanged."""
    timeline = Timeline(out / "routes" / "7_rep0" / "log.mcap")
    assert len(timeline.moments) == 12
    assert timeline.truncated is None
    assert timeline.front is not None
    later = timeline.moments[4]
    assert later.speed_mps == pytest.approx(SPEED_MPS, rel=0.01)
    assert later.plan is not None
    assert later.plan.speeds_mps == pytest.approx([SPEED_MPS] * 6, rel=0.01)
    assert {info.type_id for info in later.truth.infos.values()} == {"vehicle.ego", "vehicle.car"}
    with Episode.open(out / "routes" / "7_rep0" / "log.mcap") as episode:
        assert episode.road_map.name == "Street"


def test_the_page_shows_the_worst_samples_first(out):
    """Going straight in a bend is worst where the bend has 3 s left to run, and the pictures are in the page."""
    page = write_openloop_page(out, worst=3).read_text()
    assert page.count("<article>") == 3
    assert page.count("data:image/jpeg;base64,") >= 6
    errors = [float(part.split()[2]) for part in page.split("go_straight: error ")[1:]]
    assert errors == sorted(errors, reverse=True)
    assert errors[0] > 2.0
    assert "bevplanner" in page
    assert "drive-agent replay view" in page


def test_no_samples_wanted_no_cards(out):
    assert "<article>" not in write_openloop_page(out, worst=0).read_text()
