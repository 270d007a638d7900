"""Cameras: right depths, tags and ids in CARLA's encodings, from wherever the camera is and however it is turned."""

from __future__ import annotations

import queue

import carla
import numpy as np
import pytest

from tests.client.conftest import DELTA_S, Session
from tests.conformance.marker import conforms
from tests.conformance.stage import (
    SETTLE_TICKS,
    depth_m,
    in_world,
    pixels,
    project,
    read,
    rear_gap_m,
    standing,
)

SIZE = {"image_size_x": 160, "image_size_y": 90}
MOUNT = carla.Transform(carla.Location(x=2.6, z=1.2))
KINDS = ("rgb", "depth", "semantic_segmentation", "instance_segmentation")
ROAD, PEDESTRIAN, CAR, SKY = 1, 12, 14, 11
_EFFECTS = (
    "exposure, gamma, lens, focus, motion blur, bloom and white balance are accepted and have no effect"
)


def listen(
    session: Session,
    kind: str,
    mount: carla.Transform = MOUNT,
    parent: carla.Actor | None = None,
    **more: object,
):
    """A camera of 160 x 90 pixels and its next measurement."""
    camera = session.spawn(f"sensor.camera.{kind}", mount, parent, **(SIZE | more))
    return camera, session.listen(camera)


def above(place: carla.Transform, height_m: float = 30.0, ahead_m: float = 0.0) -> carla.Transform:
    """Straight above a place, looking down."""
    location = place.location + place.get_forward_vector() * ahead_m + carla.Location(z=height_m)
    return carla.Transform(location, carla.Rotation(pitch=-90.0, yaw=place.rotation.yaw))


@conforms("sensor", "sensor.camera.depth")
def test_depth_is_the_distance_along_the_view(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    other = standing(session, "vehicle.carlamotors.european_hgv", spawn_point, ahead_m=25.0)
    _, depth = listen(session, "depth", parent=own)
    _, semantic = listen(session, "semantic_segmentation", parent=own)
    near, tags = read(session, depth, semantic)
    metres, tag = depth_m(near), pixels(tags)[..., 2]
    assert metres[45, 80] == pytest.approx(rear_gap_m(own, other, MOUNT), abs=0.15)
    # a level road 1.2 m below the lens: depth = height * focal / rows below the horizon
    ground = tag[70:, 80] == ROAD
    expected = MOUNT.location.z * 80.0 / (np.arange(70, 90) + 0.5 - 45.0)
    assert ground.sum() > 10
    assert metres[70:, 80][ground] == pytest.approx(expected[ground], rel=0.03)
    assert (metres[tag == SKY] > 999.0).all()


@conforms("sensor", "sensor.camera.semantic_segmentation")
def test_a_cars_pixels_carry_its_tag_and_fill_its_box(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    other = standing(session, "vehicle.audi.tt", spawn_point, ahead_m=14.0, right_m=1.0)
    camera, fetch = listen(session, "semantic_segmentation", parent=own)
    (image,) = read(session, fetch)
    tags = pixels(image)
    assert (tags[..., 3] == 255).all()
    assert (tags[..., :2] == 0).all()
    corners = project(
        camera.get_transform(), image, other.bounding_box.get_world_vertices(other.get_transform())
    )
    left, top = corners.min(0)
    right, bottom = corners.max(0)
    rows, columns = np.nonzero(tags[..., 2] == CAR)
    assert left - 2 < columns.min()
    assert columns.max() < right + 2
    assert top - 2 < rows.min()
    assert rows.max() < bottom + 2
    assert len(rows) > 0.4 * (right - left) * (bottom - top)
    assert {ROAD, CAR, SKY} <= set(np.unique(tags[..., 2]))


@conforms("sensor", "sensor.camera.instance_segmentation")
def test_every_actor_has_an_id_of_its_own(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    cars = [
        standing(session, "vehicle.audi.tt", spawn_point, ahead_m=ahead, right_m=aside)
        for ahead, aside in ((12.0, -2.0), (18.0, 2.0))
    ]
    foot = carla.Transform(
        spawn_point.location + spawn_point.get_forward_vector() * 8.0 + carla.Location(z=1.0)
    )
    walker = session.spawn("walker.pedestrian.0001", foot)
    _, instance = listen(session, "instance_segmentation", parent=own)
    _, semantic = listen(session, "semantic_segmentation", parent=own)
    session.tick(10)
    ids, tags = (pixels(image) for image in read(session, instance, semantic))
    assert (ids[..., 2] == tags[..., 2]).all()
    number = ids[..., 1] + 256 * ids[..., 0]
    for actor, tag in ((cars[0], CAR), (cars[1], CAR), (walker, PEDESTRIAN)):
        mask = number == actor.id & 0xFFFF
        assert mask.sum() > 10
        assert set(np.unique(tags[mask][:, 2])) == {tag}


@conforms("sensor", "sensor.camera.rgb", limited=_EFFECTS)
def test_colours_are_those_of_things_and_of_the_hour(session: Session, spawn_point: carla.Transform) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    place = carla.Transform(
        spawn_point.location + spawn_point.get_forward_vector() * 12.0, spawn_point.rotation
    )
    session.spawn("vehicle.audi.tt", place, color="220,20,20")
    _, rgb = listen(session, "rgb", parent=own, fov=60.0)
    _, semantic = listen(session, "semantic_segmentation", parent=own, fov=60.0)
    session.world.set_weather(carla.WeatherParameters.ClearNoon)
    session.tick(SETTLE_TICKS)
    day, tags = read(session, rgb, semantic)
    assert (day.width, day.height, day.fov) == (160, 90, 60.0)
    car = pixels(day)[pixels(tags)[..., 2] == CAR]
    assert (car[:, 2] > 2 * car[:, :2].max(1)).mean() > 0.3
    session.world.set_weather(carla.WeatherParameters(sun_altitude_angle=-60.0))
    (night,) = read(session, rgb)
    session.world.set_weather(carla.WeatherParameters.ClearNoon)
    assert pixels(night)[:40, :, :3].mean() < 0.5 * pixels(day)[:40, :, :3].mean()


@conforms("sensor", "sensor.camera.semantic_segmentation")
@pytest.mark.parametrize(("roll", "sky"), [(0.0, "top"), (90.0, "left"), (180.0, "bottom"), (-90.0, "right")])
def test_roll_turns_the_horizon(
    session: Session, spawn_point: carla.Transform, roll: float, sky: str
) -> None:
    """A camera that leans to the right sees the sky on its left."""
    place = carla.Transform(
        spawn_point.location + carla.Location(z=12.0), carla.Rotation(yaw=spawn_point.rotation.yaw, roll=roll)
    )
    _, fetch = listen(session, "semantic_segmentation", place, image_size_x=90)
    (image,) = read(session, fetch)
    is_sky = pixels(image)[..., 2] == SKY
    halves = {"top": is_sky[:40], "bottom": is_sky[50:], "left": is_sky[:, :40], "right": is_sky[:, 50:]}
    shares = {name: half.mean() for name, half in halves.items()}
    opposite = {"top": "bottom", "bottom": "top", "left": "right", "right": "left"}[sky]
    assert shares[sky] > 0.25
    assert shares[opposite] < 0.02


@conforms("sensor", "sensor.camera.semantic_segmentation")
def test_a_free_camera_goes_where_it_is_put(session: Session, spawn_point: carla.Transform) -> None:
    car = standing(session, "vehicle.audi.tt", spawn_point)
    camera, fetch = listen(session, "semantic_segmentation", above(spawn_point))
    (onto_car,) = read(session, fetch)
    assert pixels(onto_car)[45, 80, 2] == CAR
    beside = above(spawn_point, ahead_m=12.0)
    camera.set_transform(beside)
    (onto_road,) = read(session, fetch)
    assert pixels(onto_road)[45, 80, 2] != CAR
    for seen in (camera.get_transform(), onto_road.transform):
        assert seen.location.distance(beside.location) < 1e-3
        assert seen.rotation.pitch == pytest.approx(-90.0, abs=0.05)
    # the car lies behind: below the middle of the picture, 12 m away
    rows = np.nonzero(pixels(onto_road)[..., 2] == CAR)[0]
    height = beside.location.z - car.get_location().z
    assert rows.mean() - 44.5 == pytest.approx(80.0 * 12.0 / height, abs=3.0)


@conforms("sensor", "sensor.camera.depth")
@pytest.mark.parametrize("attachment", [carla.AttachmentType.Rigid, carla.AttachmentType.SpringArm])
def test_an_attached_camera_rides_along(
    session: Session, spawn_point: carla.Transform, attachment: carla.AttachmentType
) -> None:
    """A spring arm is as stiff as a rigid mount here."""
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    blueprint = session.library.find("sensor.camera.depth")
    mount = carla.Transform(
        carla.Location(x=-4.0, y=0.5, z=3.0), carla.Rotation(pitch=-10.0, yaw=20.0, roll=15.0)
    )
    camera = session.world.spawn_actor(blueprint, mount, attach_to=car, attachment_type=attachment)
    session.spawned.append(camera)
    session.tick(SETTLE_TICKS)
    car.enable_constant_velocity(carla.Vector3D(8.0, 0.0, 0.0))
    session.tick(5)
    pose = car.get_transform()
    assert camera.get_location().distance(in_world(pose, mount.location)) < 1e-3
    expected = np.array(pose.get_matrix()) @ np.array(mount.get_matrix())
    assert np.allclose(camera.get_transform().get_matrix(), expected, atol=1e-3)


@conforms("sensor", "sensor.camera.rgb", limited=_EFFECTS)
def test_pictures_come_in_their_rhythm_and_only_to_listeners(
    session: Session, spawn_point: carla.Transform
) -> None:
    camera, fetch = listen(session, "rgb", spawn_point, sensor_tick=2 * DELTA_S)
    last = session.tick(8)
    images = [fetch() for _ in range(4)]
    assert [b.frame - a.frame for a, b in zip(images, images[1:], strict=False)] == [2, 2, 2]
    assert last - 1 <= images[-1].frame <= last
    elapsed = session.world.get_snapshot().timestamp.elapsed_seconds
    assert images[-1].timestamp == pytest.approx(elapsed - (last - images[-1].frame) * DELTA_S, abs=1e-6)
    camera.stop()
    session.tick(4)
    with pytest.raises(queue.Empty):
        fetch(timeout=0.3)


@conforms("sensor", "sensor.camera.rgb", limited=_EFFECTS)
def test_the_same_view_has_the_same_pixels_in_every_kind(
    session: Session, spawn_point: carla.Transform
) -> None:
    own = standing(session, "vehicle.tesla.model3", spawn_point)
    standing(session, "vehicle.audi.tt", spawn_point, ahead_m=12.0)
    images = dict(
        zip(KINDS, read(session, *(listen(session, kind, parent=own)[1] for kind in KINDS)), strict=True)
    )
    assert len({image.transform.location.x for image in images.values()}) == 1
    rgb, depth = pixels(images["rgb"]), depth_m(images["depth"])
    sky = pixels(images["semantic_segmentation"])[..., 2] == SKY
    assert (depth[sky] > 999.0).all()
    assert (depth[~sky] < 500.0).all()
    assert (rgb[..., 3] == 255).all()
    assert rgb[sky].mean() > rgb[~sky].mean()


@conforms("sensor", "sensor.camera.depth")
@pytest.mark.parametrize(
    ("name", "value"), [("image_size_x", "0"), ("image_size_y", "100000"), ("fov", "190")]
)
def test_a_senseless_camera_is_refused(session: Session, name: str, value: str) -> None:
    with pytest.raises(RuntimeError, match="camera"):
        session.spawn("sensor.camera.depth", **{name: value})
