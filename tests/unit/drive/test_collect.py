"""Which shards a collection is made of; what a data set's card says; the bitmap of the streets."""

from pathlib import Path

import numpy as np
import pytest

from drive_agent.config import ConfigError, build, compose
from drive_agent.data.card import write_card
from drive_agent.data.drivable import ASIDE_M, BEHIND_M, CELL_M, is_drivable, pack
from drive_agent.drive.collect import CollectConfig, expand, plan_jobs
from drive_agent.drive.drivable import DrivableDrawer
from scenarios import towns
from tests.unit.train.shards import write_shard
from tests.worlds import EGO_LANE_Y, street


def config(tmp_path: Path, *words: str) -> CollectConfig:
    return build(CollectConfig, compose("collect", [f"out={tmp_path}", "scenarios=0", *words]))


def test_every_town_is_a_shard_of_its_own(tmp_path: Path) -> None:
    jobs = plan_jobs(config(tmp_path, "towns=[random:3-5,Brookfield]", "rows=70", "seed=2"))
    assert [job.town for job in jobs] == ["random:3", "random:4", "random:5", "Brookfield"]
    assert [job.folder.name for job in jobs][:1] == ["free_random3_seed2"]
    assert all(job.rows == 70 and job.seed == 2 for job in jobs)


def test_routes_are_shared_out_by_town_between_the_streets(tmp_path: Path) -> None:
    jobs = plan_jobs(config(tmp_path, "towns=[random:3-5]", "rows=70", "routes=dev"))
    assert [bool(job.routes) for job in jobs[:4]] == [True, False, True, False]
    assert sum(len(job.routes) for job in jobs) == 12
    assert len({job.folder for job in jobs}) == len(jobs)
    assert all(spec.town == job.town for job in jobs for spec in job.routes)


def test_test_towns_are_for_evaluation_alone(tmp_path: Path) -> None:
    name = towns.names("test")[0]
    with pytest.raises(ConfigError, match="held_out=true"):
        plan_jobs(config(tmp_path, f"towns=[{name}]"))
    assert [job.town for job in plan_jobs(config(tmp_path, f"towns=[{name}]", "held_out=true"))] == [name]
    assert not set(expand(("train",))) & set(expand(("test",)))


def test_a_card_counts_what_is_there(tmp_path: Path) -> None:
    write_shard(tmp_path / "a", frames=20)
    write_shard(tmp_path / "b", frames=10, seed=1)
    facts = write_card(tmp_path)
    assert facts["frames"] == 30 and facts["shards"] == {"a": 20, "b": 10}
    assert sum(facts["causes"].values()) == sum(facts["lights"].values()) == 30
    assert (tmp_path / "card.jpg").stat().st_size > 1000
    assert "| red light |" in (tmp_path / "card.md").read_text()


def test_the_street_is_drivable_and_the_grass_is_not() -> None:
    road_map = street()
    mask = DrivableDrawer(road_map).draw(50.0, EGO_LANE_Y, 0.0)
    points = np.array([[10.0, 0.0], [10.0, 3.5], [10.0, -2.5], [10.0, 6.5], [10.0, -1.5]])
    assert is_drivable(pack(mask), points).tolist() == [True, True, False, False, True]
    turned = DrivableDrawer(road_map).draw(
        50.0, EGO_LANE_Y, np.pi / 2
    )  # looks across the street, to the left
    across = np.array([[1.0, 10.0], [4.0, -10.0], [8.0, 0.0]])
    assert is_drivable(pack(turned), across).tolist() == [True, True, False]
    assert mask.shape[0] * CELL_M > BEHIND_M and mask.shape[1] * CELL_M == 2 * ASIDE_M
