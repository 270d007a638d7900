"""Open doors stand in the ground truth as things beside their cars."""

from __future__ import annotations

import math

import numpy as np

from drive_agent.doors import FRONT_LEFT, FRONT_RIGHT, open_door
from drive_agent.drive.open_doors import with_open_doors
from drive_agent.types import ActorInfo, ObjectKind, Truth


def two_cars() -> Truth:
    infos = {k: ActorInfo(k, "vehicle.x", "", ObjectKind.VEHICLE, 2.4, 0.9, 0.7, 0.1, 2.9) for k in (7, 9)}
    rows = np.zeros((2, 10))
    rows[1, :4] = 10.0, 20.0, 1.0, math.pi / 2  # looks north
    rows[1, 5:7] = 0.0, 3.0
    return Truth(0, 0, (7, 9), rows, {}, infos, ())


def test_a_truth_without_open_doors_stays_the_same() -> None:
    truth = two_cars()
    assert with_open_doors(truth, {}) is truth
    assert with_open_doors(truth, {5: frozenset({FRONT_LEFT})}) is truth  # its car is gone


def test_each_open_door_is_a_prop_beside_its_car() -> None:
    truth = with_open_doors(two_cars(), {9: frozenset({FRONT_LEFT, FRONT_RIGHT})})
    assert truth.ids[:2] == (7, 9) and len(truth.ids) == len(truth.actors) == len(truth.infos) == 4
    left, right = truth.ids[2:]
    assert left < 0 and right < 0 and left != right
    assert {truth.infos[k].kind for k in (left, right)} == {ObjectKind.PROP}
    ahead_m, left_m, turned_rad = open_door(FRONT_LEFT, 2.4, 0.9)
    np.testing.assert_allclose(truth.actors[2, :2], (10.0 - left_m, 20.0 + ahead_m + 0.1))
    np.testing.assert_allclose(truth.actors[3, :2], (10.0 + left_m, 20.0 + ahead_m + 0.1))
    assert math.isclose(
        math.remainder(truth.actors[2, 3] - math.pi / 2 - turned_rad, math.tau), 0.0, abs_tol=1e-9
    )
    np.testing.assert_allclose(truth.actors[2:, 5:7], ((0.0, 3.0), (0.0, 3.0)))
