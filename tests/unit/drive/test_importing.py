"""`replay import`: a recording of CARLA's recorder and the Leaderboard's results become a run that is judged and viewed."""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from drive_agent import replay_command
from drive_agent.carla_recorder import (
    RECORDS,
    ActorClass,
    Appeared,
    Attribute,
    Frame,
    Packet,
    frame_bytes,
    header_bytes,
)
from drive_agent.drive.importing import Sources, box_of, import_recording
from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.geometry import arc_length, resample
from drive_agent.log.store import Episode
from drive_agent.routing import plan_route
from drive_agent.score.events import COLLISION_VEHICLE, KINDS, SCENARIO_TIMEOUT
from drive_agent.score.run import score_run

REAL = Path(__file__).parents[4] / "shared/data/carla"
ROUTE = """<routes><route id="7" town="Brookfield"><waypoints><position x="58.3" y="12.8" z="0.0"/>
<position x="108.1" y="13.0" z="0.0"/></waypoints><scenarios/></route></routes>"""
NAME = "RouteScenario_7_rep1"
HERO, OTHER = 200, 201
SPEED_MPS, TICK_S, HIT_S = 8.0, 0.05, 3.0


def vehicle(actor: int, role: str, type_id: str) -> Appeared:
    nowhere = (0.0, 0.0, 0.0)
    return Appeared(
        actor, ActorClass.VEHICLE, nowhere, nowhere, 1, type_id, (Attribute(3, "role_name", role),)
    )


@pytest.fixture(scope="module")
def way() -> np.ndarray:
    """Where the ego is each tick, CARLA's axes: along the route at constant speed, and a little beyond."""
    points = plan_route(offline_road_map("Brookfield"), np.array([[58.3, -12.8], [108.1, -13.0]])).points
    at_m = np.arange(0.0, arc_length(points[:, :2])[-1] + 3.0, SPEED_MPS * TICK_S)
    return resample(points[:, :2], at_m) * (1, -1)


def record(way: np.ndarray, path: Path) -> Path:
    """The drive along a way, with one collision after `HIT_S`."""
    data = header_bytes("Carla/Maps/Brookfield", 0)
    cast = (vehicle(HERO, "hero", "vehicle.lincoln.mkz_2020"), vehicle(OTHER, "scenario", "vehicle.audi.tt"))
    for tick, (x, y) in enumerate(way):
        hit = [(0, HERO, OTHER, 1, 0)] if tick == round(HIT_S / TICK_S) else []
        yaw = float(np.degrees(np.arctan2(*(way[-1] - way[0])[::-1])))
        records = {
            Packet.POSITIONS: np.array(
                [
                    (HERO, (x * 100, y * 100, 0.0), (0.0, 0.0, yaw)),
                    (OTHER, (x * 100, y * 100 + 900, 0.0), (0.0, 0.0, yaw)),
                ],
                RECORDS[Packet.POSITIONS],
            ),
            Packet.COLLISIONS: np.array(hit, RECORDS[Packet.COLLISIONS]),
        }
        data += frame_bytes(Frame(tick, TICK_S, tick * TICK_S, cast if tick == 0 else (), records))
    path.write_bytes(data)
    return path


@pytest.fixture
def recording(way: np.ndarray, tmp_path: Path) -> Path:
    return record(way, tmp_path / f"{NAME}.log")


@pytest.fixture
def results(way: np.ndarray, tmp_path: Path) -> Path:
    """What the evaluator says of it: the collision, and a scenario that timed out, of which it tells no place."""
    x, y = way[round(HIT_S / TICK_S) - 1]
    infractions = {kind: [] for kind in KINDS}
    infractions[COLLISION_VEHICLE] = [
        f"Agent collided against object with type=vehicle.audi.tt and id={OTHER} at (x={x:.3f}, y={y:.3f}, z=0.0)"
    ]
    infractions[SCENARIO_TIMEOUT] = ["Agent timed out a scenario"]
    record = {
        "index": 0, "route_id": NAME, "status": "Completed", "num_infractions": 2, "infractions": infractions,
        "scores": {"score_route": 100, "score_penalty": 0.42, "score_composed": 42.0},
        "meta": {"route_length": 50.0, "duration_game": 6.2, "duration_system": 31.0},
    }  # fmt: skip
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"_checkpoint": {"progress": [1, 1], "records": [record]}}))
    return path


@pytest.fixture
def routes(tmp_path: Path) -> Path:
    path = tmp_path / "routes.xml"
    path.write_text(ROUTE)
    return path


def call(*words: object) -> str:
    """What `replay import` prints at 80 columns."""
    console = Console(width=80, file=io.StringIO())
    assert replay_command.run(["import", *map(str, words)], console) == 0
    return console.file.getvalue()  # type: ignore[attr-defined]


def test_a_recording_with_results_and_routes_is_judged_as_officially(recording, results, routes, tmp_path):
    done = import_recording(Sources(recording, results, str(routes)), tmp_path / "run")
    assert done.log == tmp_path / "run/routes/7_rep1/log.mcap" and done.town == "Brookfield"
    [hit, timeout] = done.infractions
    assert (hit.kind, hit.is_told, timeout.kind, timeout.is_told) == (
        COLLISION_VEHICLE,
        True,
        SCENARIO_TIMEOUT,
        True,
    )
    assert hit.told_s == pytest.approx(HIT_S, abs=0.1) and hit.judged_s == pytest.approx(HIT_S, abs=0.1)
    assert timeout.told_s is None
    scored = score_run(tmp_path / "run", "2.0")
    [row] = scored["routes"]
    assert row["status"] == "Completed" and row["route_completion"] == 100
    assert row["driving_score"] == pytest.approx(100 * 0.6 * 0.7)
    with Episode.open(done.log) as episode:
        assert episode.truncated is None and episode.header.route_spec["id"] == "7"


def test_a_goal_that_the_evaluator_saw_reached_is_reached(way, results, routes, tmp_path):
    """Its own planner leaves out the last metre or so of a route."""
    short = record(way[: -round(4.5 / SPEED_MPS / TICK_S)], tmp_path / f"{NAME}.log")
    for name, told, completion in (("told", results, 100), ("untold", None, pytest.approx(96, abs=2))):
        import_recording(Sources(short, told, str(routes)), tmp_path / name)
        assert score_run(tmp_path / name)["routes"][0]["route_completion"] == completion


def test_it_says_where_to_look(recording, results, routes, tmp_path):
    said = call(recording, f"results={results}", f"routes={routes}", f"out={tmp_path / 'run'}")
    assert "the results file says: Completed, score 42.0, completion 100.0 %" in said
    assert "no place" in said and "2.95 s" in said
    assert f"look: drive-agent replay view {tmp_path / 'run'} at=" in said.replace("\n", " ")


def test_without_a_route_file_the_driven_way_is_the_route(recording, way, tmp_path):
    done = import_recording(Sources(recording), tmp_path / "run")
    assert [one.kind for one in done.infractions] == [COLLISION_VEHICLE] and done.official is None
    with Episode.open(done.log) as episode:
        assert episode.outcome is not None and episode.outcome.status == "Recorded"
        gaps = np.linalg.norm(episode.route.points[:, None, :2] - way * (1, -1), axis=2).min(1)
        assert gaps.max() < 0.3


def test_a_cut_recording_opens_up_to_its_last_frame(recording, tmp_path):
    recording.write_bytes(recording.read_bytes()[:-40])
    done = import_recording(Sources(recording), tmp_path / "run")
    assert "bytes of an unfinished one are ignored" in done.missing
    with Episode.open(done.log) as episode:
        assert "was interrupted" in str(episode.truncated)


def test_what_does_not_fit_is_one_line(recording, results, routes, way, tmp_path):
    def fails(match: str, **changed: object) -> None:
        with pytest.raises(ValueError, match=match) as caught:
            import_recording(Sources(**{"recording": recording, **changed}), tmp_path / "run")  # type: ignore[arg-type]
        assert "\n" not in str(caught.value)

    fails("cannot be read", recording=tmp_path / "none.log")
    fails("no recording of CARLA's recorder", recording=routes)
    fails("has no record of RouteScenario_9_rep0: give route=, one of 7_rep1", results=results, route="9")
    fails("has no route '9': give route=, one of 7", routes=str(routes), route="9")
    routes.write_text(ROUTE.replace("Brookfield", "Town01"))
    fails("route '7' is in Town01, the recording in Brookfield", routes=str(routes))
    fails("no vehicle has the id 5: give ego=ID", ego=5)
    results.write_text("{}")
    fails("is no results file of the Leaderboard", results=results)
    recording.write_bytes(
        header_bytes("Town09", 0) + recording.read_bytes()[len(header_bytes("Carla/Maps/Brookfield", 0)) :]
    )
    fails(r"was recorded in 'Town09', whose map is needed: give map=FILE.xodr")


def test_sizes_of_what_the_recording_does_not_measure():
    assert box_of("vehicle.lincoln.mkz_2017")[:2] == pytest.approx((2.45, 1.06), abs=0.02)
    assert box_of("vehicle.of.tomorrow")[0] > 1.0 > box_of("walker.pedestrian.9999")[0]


@pytest.mark.skipif(not REAL.is_dir(), reason="CARLA's maps and recordings are not at hand")
@pytest.mark.parametrize("name", ["DistanceBetweenVehicles", "DistanceToLaneCenter"])
def test_real_recordings_of_carla_become_runs(name, tmp_path):
    done = import_recording(Sources(REAL / f"recordings/{name}.log", maps=REAL / "xodr"), tmp_path / "run")
    assert done.ticks > 400 and done.infractions == () and not done.missing
    with Episode.open(done.log) as episode:
        assert all(len(truth.lights) == 36 for truth in episode.truths())
        assert max(float(np.hypot(*truth.ego[5:7])) for truth in episode.truths()) > 8.0
