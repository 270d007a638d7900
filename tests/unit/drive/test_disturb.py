import numpy as np

from drive_agent.drive.disturb import Disturbance, DisturbConfig
from drive_agent.types import Command

CONFIG = DisturbConfig()


def run(offset_m: float, ticks: int = 4000) -> tuple[np.ndarray, np.ndarray]:
    disturbance = Disturbance(CONFIG, np.random.default_rng(3), 0.05)
    steers, paces = [], []
    for _ in range(ticks):
        disturbance.step(offset_m, 4.0)
        steers.append(disturbance.on(Command(0.2, 0.0, 0.0)).steer)
        paces.append(disturbance.pace)
    return np.array(steers), np.array(paces)


def test_pushes_come_now_and_then_to_both_sides_and_end():
    steers, paces = run(0.0)
    assert 0.05 < (steers != 0.0).mean() < 0.4
    assert steers.min() < -0.05
    assert steers.max() > 0.05
    assert np.abs(steers).max() <= 4.0 * CONFIG.curvature_per_m[1]
    assert 0.05 < (paces != 1.0).mean() < 0.4
    assert paces.min() >= CONFIG.pace[0]
    assert paces.max() <= CONFIG.pace[1]


def test_no_push_lasts_while_the_car_is_far_from_the_lane_centre():
    steers, _ = run(1.2)
    assert (steers != 0.0).mean() < 0.05
