import hashlib
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drive_agent.sim.render import labels
from drive_agent.sim.render.camera import Buffers, camera_view
from drive_agent.sim.render.mesh import box
from drive_agent.sim.render.scenery import Scenery

RED = (0.8, 0.1, 0.1)
CLEAR_NOON = [0.0, 0, 0, 0, 0, 60, 0, 0, 0, 0, 0, 0, 0, 0]


def _digest(pictures: list[Buffers]) -> str:
    digest = hashlib.sha256()
    for picture in pictures:
        for array in (picture.bgra, picture.depth_m, picture.tag, picture.instance):
            digest.update(array.tobytes())
    return digest.hexdigest()


def test_a_box_at_a_known_distance_has_that_depth_and_its_tag(world, front) -> None:
    solid = box((2, 2, 2), (11.0, 0, 1.5), RED, labels.BUILDINGS).numbered(-9)
    picture = world(solid).render([front()], [])[0]
    row, column = 45, 80
    assert picture.depth_m[row, column] == pytest.approx(10.0, abs=1e-3)
    assert picture.tag[row, column] == labels.BUILDINGS
    assert picture.instance[row, column] == -9
    blue, green, red, alpha = (int(value) for value in picture.bgra[row, column])
    assert red > 2 * max(blue, green)
    assert alpha == 255


def test_sky_is_far_and_named_sky(world, front) -> None:
    picture = world(floor=False).render([front(8, 8)], [])[0]
    assert (picture.tag == labels.SKY).all()
    assert (picture.depth_m == 1000.0).all()
    assert (picture.instance == 0).all()


def test_ground_depth_follows_the_pinhole_formula_in_every_pixel(world, front) -> None:
    """A ray through pixel row v meets the ground 1.5 m below the camera at depth 1.5 f / (v + 0.5 - h / 2)."""
    picture = world().render([front(160, 90)], [])[0]
    rows = np.arange(55, 90)
    expected = 1.5 * 80.0 / (rows + 0.5 - 45.0)
    assert np.allclose(picture.depth_m[55:, :], expected[:, None], rtol=1e-4)


@settings(max_examples=60, deadline=None)
@given(
    x=st.floats(4.0, 40.0), aside=st.floats(-0.6, 0.6), above=st.floats(-0.3, 0.3),
    pitch=st.floats(-15.0, 15.0), yaw=st.floats(-180.0, 180.0), roll=st.floats(-180.0, 180.0),
)  # fmt: skip
def test_projection_agrees_with_the_pinhole_formula_for_any_pose(
    world, front, x, aside, above, pitch, yaw, roll
) -> None:
    camera = front(201, 151, 70.0, pitch_deg=pitch, yaw_deg=yaw, roll_deg=roll)
    axes = camera_view(camera, 1).axes.astype(float)
    center = np.array([0, 0, 1.5]) + x * (axes[0] + aside * axes[1] * 0.8 + above * axes[2] * 0.8)
    size = 0.04 * x
    picture = world(box((size,) * 3, center, RED, labels.STATIC), floor=False).render([camera], [])[0]
    rows, columns = np.nonzero(picture.tag == labels.STATIC)
    focal = 100.5 / math.tan(math.radians(35.0))
    assert len(rows) > 0
    assert columns.mean() + 0.5 == pytest.approx(100.5 + focal * aside * 0.8, abs=1.2)
    assert rows.mean() + 0.5 == pytest.approx(75.5 - focal * above * 0.8, abs=1.2)


def test_a_camera_rolled_by_90_degrees_sees_the_picture_turned(world, front) -> None:
    """Roll is clockwise seen from behind: what was up appears on the left."""
    solid = box((0.5, 0.5, 0.5), (10.0, 0, 4.5), RED, labels.STATIC)
    picture = world(solid, floor=False).render([front(101, 101, roll_deg=90.0)], [])[0]
    rows, columns = np.nonzero(picture.tag == labels.STATIC)
    assert rows.mean() == pytest.approx(50, abs=1)
    assert columns.mean() == pytest.approx(50 - 50.5 * 3.0 / 10.0, abs=1.5)


def test_only_outer_sides_are_drawn(world, front) -> None:
    """A camera inside a closed body sees through it, as cameras mounted inside a car must."""
    picture = world(box((4, 4, 4), (0, 0, 1.5), RED, labels.CAR), floor=False).render([front(16, 16)], [])[0]
    assert (picture.tag == labels.SKY).all()


def test_edges_are_smooth_but_labels_are_not(world, front) -> None:
    solid = box((2, 2, 2), (11.0, 0, 1.5), (1.0, 1.0, 1.0), labels.BUILDINGS)
    picture = world(solid, floor=False).render([front(160, 90, roll_deg=17.0)], [])[0]
    assert set(np.unique(picture.tag)) == {labels.BUILDINGS, labels.SKY}
    edge = picture.tag[:, 1:] != picture.tag[:, :-1]
    assert edge.any()
    plain = world(solid, floor=False)
    plain.set_weather(CLEAR_NOON)
    shades = len(np.unique(plain.render([front(160, 90, roll_deg=17.0)], [])[0].bgra[..., 2]))
    assert shades > 6


def test_pictures_do_not_depend_on_the_number_of_threads(town: Scenery, town_map, front, actor) -> None:
    from drive_agent.sim.render.renderer import Renderer

    spot = town_map.generate_waypoints(30.0)[3].transform
    here = {"x": spot.location.x, "y": spot.location.y, "z": spot.location.z + 1.6}
    cameras = [front(160, 90, 70.0, yaw_deg=spot.rotation.yaw + 120.0 * k, **here) for k in range(3)]
    traffic = [actor(id=k, x=here["x"] + 6.0 * k, y=here["y"] + 2.0, light_flags=3) for k in range(1, 5)]
    digests = set()
    for threads in (1, 2, 3):
        renderer = Renderer(town, threads)
        renderer.set_lights({light.signal_id: 0 for light in town.lights})
        digests.add(_digest(renderer.render(cameras, traffic)))
        digests.add(_digest(renderer.render(cameras, traffic)))
    assert len(digests) == 1


def test_a_camera_sees_the_same_alone_and_in_company(world, front, actor) -> None:
    renderer = world(box((2, 2, 2), (20.0, 3, 1.0), RED, labels.BUILDINGS))
    first, second = front(), front(64, 64, yaw_deg=30.0, x=40.0)
    alone = renderer.render([first], [actor()])
    together = renderer.render([second, first], [actor()])
    assert _digest(alone) == _digest(together[1:])


def test_actors_appear_with_their_id_where_they_are(world, front, actor) -> None:
    picture = world().render([front()], [actor(id=123)])[0]
    mask = picture.instance == 123
    assert mask.sum() > 100
    assert (picture.tag[mask] == labels.CAR).all()
    assert picture.depth_m[mask].min() == pytest.approx(10.0 - 2.4, abs=0.1)
    moved = world().render([front()], [actor(id=123, y=3.0)])[0]
    assert np.nonzero(moved.instance == 123)[1].mean() > np.nonzero(mask)[1].mean() + 10


def test_a_car_far_outside_the_view_changes_nothing(world, front, actor) -> None:
    renderer = world()
    assert _digest(renderer.render([front()], [])) == _digest(renderer.render([front()], [actor(x=-60.0)]))


def _brightness(picture: Buffers) -> np.ndarray:
    return picture.bgra[..., :3].astype(float).mean(2)


def test_a_building_shades_the_ground_on_its_far_side_from_the_sun(world, front) -> None:
    """The sun stands in the west (azimuth 180) at 45 degrees: the shadow of a 6 m wall reaches 6 m east."""
    noon = list(CLEAR_NOON)
    noon[4], noon[5] = 180.0, 45.0
    above = front(64, 64, 60.0, x=0.0, z=30.0, pitch_deg=-90.0)
    solid = box((2, 20, 6), (-1.0, 0, 3.0), RED, labels.BUILDINGS)
    shaded, open_ground = world(solid), world()
    for renderer in (shaded, open_ground):
        renderer.set_weather(noon)
    with_wall, without = (_brightness(r.render([above], [])[0]) for r in (shaded, open_ground))
    per_pixel_m = 2 * 30.0 * math.tan(math.radians(30.0)) / 64
    row_of = lambda x: int(32 - x / per_pixel_m)  # noqa: E731
    assert with_wall[row_of(3.0), 32] < 0.75 * without[row_of(3.0), 32]
    assert with_wall[row_of(9.0), 32] == pytest.approx(without[row_of(9.0), 32])


def test_actors_cast_shadows_that_move_with_them(world, front, actor) -> None:
    noon = list(CLEAR_NOON)
    noon[4], noon[5] = 90.0, 45.0
    renderer = world()
    renderer.set_weather(noon)
    above = front(64, 64, 60.0, x=10.0, z=30.0, pitch_deg=-90.0)
    empty = _brightness(renderer.render([above], [])[0])
    for y in (0.0, 4.0):
        picture = renderer.render([above], [actor(y=y)])[0]
        dark = (_brightness(picture) < 0.8 * empty) & (picture.tag == labels.ROADS)
        assert dark.sum() > 10
        per_pixel_m = 2 * 30.0 * math.tan(math.radians(30.0)) / 64
        assert (np.nonzero(dark)[1].mean() - 31.5) * per_pixel_m < y


def test_wrong_calls_say_what_is_wrong(world) -> None:
    renderer = world(lights=("5",))
    with pytest.raises(KeyError, match="no traffic light"):
        renderer.set_lights({"99": 0})
    with pytest.raises(ValueError, match="light state"):
        renderer.set_lights({"5": 7})
    with pytest.raises(ValueError, match="14|expected"):
        renderer.set_weather([1.0, 2.0])
    with pytest.raises(ValueError, match="threads"):
        world(threads=0)
