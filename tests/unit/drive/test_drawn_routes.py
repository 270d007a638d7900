"""Routes drawn on any map: as many as asked for, the same for a seed, and ones that can be driven."""

from __future__ import annotations

import functools
from dataclasses import replace
from functools import partial
from pathlib import Path

import carla
import numpy as np
import pytest

from drive_agent.config import ConfigError, DriveConfig, build, compose
from drive_agent.drive.carla_map import build_road_map
from drive_agent.drive.drawn_routes import count_of, draw_routes
from drive_agent.drive.jobs import jobs_of
from drive_agent.drive.world import survey
from drive_agent.roadmap import RoadMap
from drive_agent.routing import plan_route
from scenarios import towns


@functools.cache
def ridgeport() -> RoadMap:
    text = towns.load("Ridgeport")
    return build_road_map(carla.Map("Ridgeport", text), text)


def test_only_random_asks_for_drawn_routes() -> None:
    assert count_of("random:3") == 3
    assert count_of("default") is None
    for wrong in ("random:", "random:0", "random:many"):
        with pytest.raises(ValueError, match="expected a number of routes"):
            count_of(wrong)


def test_drawn_routes_can_be_planned_and_are_long_enough() -> None:
    specs = draw_routes(ridgeport(), "my.xodr", 3, seed=5)
    assert [spec.id for spec in specs] == ["0", "1", "2"]
    for spec in specs:
        assert spec.town == "my.xodr" and not spec.scenarios
        assert plan_route(ridgeport(), spec.keypoints).length_m > 200.0


def test_the_same_seed_draws_the_same_routes() -> None:
    first, again, other = (draw_routes(ridgeport(), "t", 2, seed) for seed in (1, 1, 2))
    for a, b in zip(first, again, strict=True):
        np.testing.assert_array_equal(a.keypoints, b.keypoints)
    assert any(a.keypoints.shape != b.keypoints.shape or (a.keypoints != b.keypoints).any()
               for a, b in zip(first, other, strict=True))  # fmt: skip


def test_a_town_replaces_that_of_the_routes(tmp_path: Path) -> None:
    town = tmp_path / "my.xodr"
    town.write_text(towns.load("Ridgeport"))
    config = build(DriveConfig, compose("drive", [f"town={town}"]))
    jobs = jobs_of(config, partial(survey, config))
    assert {job.spec.town for job in jobs} == {str(town)}
    assert {job.spec.town for job in jobs_of(replace(config, town=None), partial(survey, config))} == {
        "Brookfield"
    }


def test_drawn_routes_need_a_town() -> None:
    config = build(DriveConfig, compose("drive", ["routes=random:2"]))
    with pytest.raises(ConfigError, match="needs a town"):
        jobs_of(config, partial(survey, config))
