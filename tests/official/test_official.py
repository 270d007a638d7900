"""Two scenarios through the official programs; the whole list: `python -m tests.official --help`."""

from pathlib import Path

import pytest

from tests.official import examples, proving_ground, run

needs_checkouts = pytest.mark.skipif(run.missing() is not None, reason=str(run.missing()))


@pytest.mark.slow
@needs_checkouts
@pytest.mark.timeout(900)
@pytest.mark.parametrize("scenario", ["ParkingCutIn", "OppositeVehicleTakingPriority"])
def test_a_route_scenario_runs_in_the_official_evaluator(scenario: str, tmp_path: Path) -> None:
    case = next(case for case in run.cases() if case.scenario == scenario)
    with run.server_of(case.town) as server:
        outcome = run.run_case(case, server, 8590, tmp_path)
    assert outcome.good, outcome
    assert outcome.moved > 0


@pytest.mark.slow
@needs_checkouts
@pytest.mark.timeout(600)
def test_an_openscenario_example_is_played(tmp_path: Path) -> None:
    here, _ = examples.examples()
    example = next(example for example in here if example.name == "PedestrianCrossingFront.xosc")
    with run.server_of(example.town) as server:
        played = examples.play(example, server, 8591, tmp_path)
    assert played.good, played
    assert played.actors


def test_every_scenario_has_one_route() -> None:
    names = [case.scenario for case in run.cases()]
    assert len(names) == len(set(names)) > 40


def test_the_proving_ground_is_accepted() -> None:
    from drive_agent.sim.maps import build_town

    town = build_town(proving_ground.NAME, proving_ground.to_opendrive())
    assert len(town.sites) == 4  # the lights of its crossing
    assert len(town.spawn_points) > 300
