import dataclasses

import numpy as np
import pytest

from drive_agent.drive.visible import shows, visible_objects
from drive_agent.rig import front_rig
from drive_agent.types import ActorInfo, ObjectKind, Truth

WIDE = front_rig()["wide"]
CAR_TAG, ROAD_TAG = 14, 1


def truth_with(car_xy: tuple[float, float], velocity: tuple[float, float], time_us: int = 0) -> Truth:
    """Ego with its rear axle at the origin looking along x, and one car with the same heading."""
    infos = {
        1: ActorInfo(1, "vehicle.lincoln.mkz_2020", "hero", ObjectKind.VEHICLE, 2.45, 0.92, 0.75, 0.0, 2.86),
        2: ActorInfo(2, "vehicle.tesla.model3", "", ObjectKind.VEHICLE, 2.4, 1.0, 0.75, 0.0, 2.9),
    }
    rows = np.zeros((2, 10))
    rows[0, 0] = 1.43
    rows[1, :2], rows[1, 5:7] = car_xy, velocity
    return Truth(time_us, 0, (1, 2), rows, {}, infos, ())


def view(depth: float, tag: int) -> dict:
    shape = (WIDE.height, WIDE.width)
    return {"wide": (WIDE, np.full(shape, depth), np.full(shape, tag, dtype=np.uint8))}


def test_a_car_in_view_has_place_speed_and_future():
    now = truth_with((22.9, 0.0), (5.0, 0.0))
    futures = [truth_with((22.9 + 5.0 * k, 0.5 * k), (5.0, 0.0)) for k in (1, 2, 3)]
    found = visible_objects(now, view(18.0, CAR_TAG), futures)
    assert list(found) == [2]
    kind, x, y, heading, speed, half_length, half_width, *motion = found[2]
    assert (kind, x, y, heading, speed) == pytest.approx((ObjectKind.VEHICLE, 22.9, 0.0, 0.0, 5.0))
    assert (half_length, half_width) == (2.4, 1.0)
    assert motion == pytest.approx([5.0, 0.5, 10.0, 1.0, 15.0, 1.5])


@pytest.mark.parametrize(
    ("place", "depth", "tag"),
    [
        ((22.9, 0.0), 9.0, CAR_TAG),
        ((22.9, 0.0), 20.0, ROAD_TAG),
        ((-15.0, 0.0), 20.0, CAR_TAG),
        ((70.0, 0.0), 67.0, CAR_TAG),
    ],
    ids=["hidden by a nearer car", "something else there", "behind", "too far"],
)
def test_what_no_camera_shows_is_left_out(place, depth, tag):
    now = truth_with(place, (0.0, 0.0))
    assert visible_objects(now, view(depth, tag), [now] * 3) == {}


def test_who_was_put_elsewhere_goes_on_as_it_was():
    now = truth_with((22.9, 0.0), (4.0, 0.0))
    futures = [truth_with((500.0, 0.0), (0.0, 0.0))] * 3
    assert visible_objects(now, view(20.0, CAR_TAG), futures)[2][7:] == pytest.approx(
        [4.0, 0.0, 8.0, 0.0, 12.0, 0.0]
    )


def test_a_thing_on_the_road_is_shown_though_it_is_no_road_user():
    now = truth_with((22.9, 0.0), (0.0, 0.0))
    thing = ActorInfo(2, "static.prop.container", "", ObjectKind.PROP, 1.2, 1.0, 0.75, 0.0, 0.0)
    now = dataclasses.replace(now, infos={**now.infos, 2: thing})
    other_tag = 20
    assert shows(now, 2, view(20.0, other_tag))
    assert not shows(now, 2, view(20.0, ROAD_TAG))
    assert visible_objects(now, view(20.0, other_tag), [now] * 3) == {}


def test_who_is_half_hidden_is_shown_and_who_is_nearly_hidden_is_not():
    now = truth_with((22.9, 0.0), (0.0, 0.0))
    half_px = WIDE.width // 2
    for hidden_to, shown in ((half_px, True), (half_px + 9, False)):
        mount, depth, tags = view(20.0, CAR_TAG)["wide"]
        depth[:, :hidden_to] = 9.0
        assert shows(now, 2, {"wide": (mount, depth, tags)}) == shown
