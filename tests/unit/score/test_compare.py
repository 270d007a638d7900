"""Comparisons say what the numbers allow, and no more."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.log.schema import Outcome
from drive_agent.log.store import EpisodeWriter
from drive_agent.score.compare import compare_runs
from drive_agent.score.ledger import Ledger, judged_record
from drive_agent.score.spread import spread, t_quantile
from drive_agent.types import Collision
from tests.worlds import cruise, header, straight_route, street, truth


def run_of(folder: Path, crashes: dict[str, bool], repetitions: int = 1, delay_s: float = 0.0) -> Path:
    """A run whose routes are perfect, or hit a car; the ego stands still for the first seconds."""
    names = [f"RouteScenario_{route}_rep{k}" for route in crashes for k in range(repetitions)]
    ledger = Ledger.open(folder, names) if (folder / "routes").mkdir(parents=True) is None else None
    assert ledger is not None
    done = Outcome("Completed", "", 10.0, 25.0)
    for name in names:
        route, _, rep = name.removeprefix("RouteScenario_").rpartition("_rep")
        path = folder / "routes" / f"{route}_rep{rep}" / "log.mcap"
        with EpisodeWriter(path, header(straight_route(200), route, int(rep)), street()) as log:
            waiting = round(delay_s * 20)
            for tick in range(waiting):
                log.write(truth(tick + 1, 0.0), None)
            for now in cruise(8.0, 30.0, first_tick=waiting + 1):
                hits = (
                    (Collision(5, "vehicle.tesla.model3", 1.0),)
                    if crashes[route] and now.frame_id == 100
                    else ()
                )
                log.write(truth(now.frame_id, now.ego[0], speed_mps=8.0, collisions=hits), None)
            log.finish(done)
        ledger.finish(name, judged_record(path, name, done), "")
    return folder


def test_a_run_is_no_better_than_itself(tmp_path):
    a = run_of(tmp_path / "a", {"7": False, "8": True})
    found = compare_runs(a, a)
    assert found.verdict() == "no difference: all 2 routes score the same" and found.moved == ()


def test_one_route_of_three_proves_nothing(tmp_path):
    a = run_of(tmp_path / "a", {"7": False, "8": True, "9": False})
    b = run_of(tmp_path / "b", {"7": False, "8": False, "9": False}, delay_s=2.0)
    found = compare_runs(a, b)
    assert found.verdict() == "no difference can be claimed: B - A = +13.7 ± 59.1"
    [moved] = found.moved
    assert (moved.route_id, moved.second) == ("RouteScenario_8_rep0", 100.0)
    assert moved.parted_s == pytest.approx(0.1)
    json.dumps(found.values())


def test_all_routes_better_is_better(tmp_path):
    worse = run_of(tmp_path / "a", dict.fromkeys("789", True), repetitions=2)
    better = run_of(tmp_path / "b", dict.fromkeys("789", False), repetitions=2)
    assert compare_runs(worse, better).verdict() == "B is better by 41.2 ± 0.0"
    assert compare_runs(better, worse).verdict() == "A is better by 41.2 ± 0.0"
    assert (
        compare_runs(worse, better).differences["driving_score"].count == 3
    )  # repetitions are no more routes
    assert compare_runs(worse, better, "1.0").verdict() == "B is better by 40.0 ± 0.0"


def test_routes_of_one_run_only_are_named(tmp_path):
    a = run_of(tmp_path / "a", {"7": False, "8": False})
    b = run_of(tmp_path / "b", {"8": True, "9": True})
    found = compare_runs(a, b)
    assert (found.only_first, found.only_second) == (("RouteScenario_7_rep0",), ("RouteScenario_9_rep0",))
    assert found.verdict().startswith("no difference can be claimed from a single route")
    with pytest.raises(ValueError, match="have no route in common"):
        compare_runs(a, run_of(tmp_path / "c", {"10": True}))


def test_settings_that_differ_are_told(tmp_path):
    runs = [run_of(tmp_path / name, {"7": False}) for name in "ab"]
    for run, seed in zip(runs, (1, 2), strict=True):
        (run / "config.yaml").write_text(f"config: {{seed: {seed}, out: {run}, model: {{kind: expert}}}}\n")
    assert compare_runs(*runs).settings == {"seed": (1, 2)}


@pytest.mark.parametrize(
    ("freedom", "value"), [(1, 12.706), (9, 2.262), (30, 2.042), (40, 2.021), (120, 1.980), (219, 1.971)]
)
def test_quantiles_are_those_of_the_tables(freedom, value):
    assert t_quantile(freedom) == pytest.approx(value, abs=6e-4)


@given(st.lists(st.floats(0, 100), min_size=2, max_size=50), st.floats(-50, 50))
def test_a_shift_moves_the_mean_and_nothing_else(values, shift):
    plain, shifted = spread(values), spread([value + shift for value in values])
    assert plain.ci95 is not None and shifted.ci95 is not None
    assert shifted.mean == pytest.approx(plain.mean + shift, abs=1e-6)
    assert shifted.ci95 == pytest.approx(plain.ci95, abs=1e-6)


def test_nineteen_of_twenty_intervals_hold_the_truth():
    rng = np.random.default_rng(3)
    held = []
    for _ in range(2000):
        found = spread(rng.normal(5.0, 2.0, 6).tolist())
        assert found.ci95 is not None
        held.append(abs(found.mean - 5.0) <= found.ci95)
    assert np.mean(held) == pytest.approx(0.95, abs=0.015)


def test_one_sample_tells_nothing_of_its_spread():
    assert (spread([3.0]).std, spread([3.0]).ci95) == (None, None)
