"""Abilities as Bench2Drive counts them, against the published files of one real agent where they are at hand."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest

from drive_agent.score.abilities import abilities
from drive_agent.score.events import COLLISION_VEHICLE, MIN_SPEED, STOP, Event
from drive_agent.score.judged import JudgedRoute, past_junction_share
from drive_agent.score.run import score_run
from tests.worlds import straight_route, street_with_junction

PUBLISHED = Path(__file__).parents[4] / "shared/data/carla/results/tfpp"


def judged(kind: str, *kinds: str, completion: float = 100.0, past: float | None = None) -> JudgedRoute:
    events = tuple(Event(k, 0, 0.0, 0.0, 0.0, "", 50.0) for k in kinds)
    status = "Completed" if completion == 100.0 else "Failed - Agent got blocked"
    return JudgedRoute("r", status, "", completion, events, 100.0, 1.0, 1.0, (kind,), past)


def test_a_route_counts_for_every_ability_that_lists_its_type() -> None:
    shares = abilities(
        [judged("PedestrianCrossing"), judged("PedestrianCrossing", COLLISION_VEHICLE, past=0.5)]
    )
    assert shares["Emergency_Brake"].value == 0.5
    assert (
        shares["Traffic_Signs"].value == 1.0
    )  # the collision came, but no sign was run and the junction passed
    assert set(shares) == {"Emergency_Brake", "Traffic_Signs"}


def test_slow_driving_does_not_spoil_success() -> None:
    assert abilities([judged("InvadingTurn", MIN_SPEED)])["Give_Way"].value == 1.0


@pytest.mark.parametrize(
    ("route", "low", "high"),
    [
        (judged("T_Junction", COLLISION_VEHICLE, completion=60.0, past=0.5), 1.0, 1.0),
        (judged("T_Junction", COLLISION_VEHICLE, completion=40.0, past=0.5), 0.0, 0.0),
        (judged("T_Junction", STOP, completion=60.0, past=0.5), 0.0, 0.0),
        (judged("T_Junction", COLLISION_VEHICLE, completion=60.0), 0.0, 1.0),
    ],
)
def test_traffic_signs_forgive_what_happens_after_the_junction(
    route: JudgedRoute, low: float, high: float
) -> None:
    share = abilities([route])["Traffic_Signs"]
    assert (share.low, share.high) == (low, high)


def test_the_junction_is_passed_eight_points_behind_its_begin() -> None:
    straight = straight_route(200)
    lanes = np.searchsorted([100.0, 120.0], straight.points[:, 0], side="right")
    route = dataclasses.replace(straight, lanes=lanes)
    assert past_junction_share(route, street_with_junction()) == pytest.approx((101 + 8) / 201)
    assert past_junction_share(straight, street_with_junction()) == math.inf


@pytest.mark.skipif(not PUBLISHED.is_dir(), reason=f"no published result files in {PUBLISHED}")
def test_published_shards_give_the_published_figures(tmp_path: Path) -> None:
    for shard in PUBLISHED.glob("eval_*.json"):
        (tmp_path / shard.name).symlink_to(shard)
    ours = score_run(tmp_path, "bench2drive")
    published = json.loads((PUBLISHED / "merged_ability.json").read_text())
    assert ours["driving_score"] == pytest.approx(84.2059, abs=5e-5)  # messages carry rounded percentages
    assert ours["success_rate"] == pytest.approx(0.6727272727272727, abs=1e-12)
    for name in ("Overtaking", "Merging", "Emergency_Brake", "Give_Way"):
        assert ours["abilities"][name]["value"] == pytest.approx(published[name], abs=1e-12), name
    signs = ours["abilities"]["Traffic_Signs"]
    assert signs["low"] <= published["Traffic_Signs"] <= signs["high"]
    assert signs["value"] is None
