import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drive_agent.sim.catalogue import VEHICLES
from drive_agent.sim.render import bodies, labels, vehicle_lights
from drive_agent.sim.render.bodies import body_class, build_body

SAMPLES = [  # blueprint id, half extents, class, tag
    ("vehicle.tesla.model3", (2.396, 1.082, 0.744), bodies.SALOON, labels.CAR),
    ("vehicle.micro.microlino", (1.104, 0.740, 0.689), bodies.HATCHBACK, labels.CAR),
    ("vehicle.nissan.micra", (1.817, 0.923, 0.751), bodies.HATCHBACK, labels.CAR),
    ("vehicle.ford.crown", (2.683, 0.900, 0.787), bodies.TAXI, labels.CAR),
    ("vehicle.tesla.cybertruck", (3.137, 1.195, 1.049), bodies.PICKUP, labels.TRUCK),
    ("vehicle.nissan.patrol", (2.302, 0.966, 0.927), bodies.SUV, labels.CAR),
    ("vehicle.mercedes.sprinter", (2.957, 0.994, 1.280), bodies.VAN, labels.CAR),
    ("vehicle.dodge.charger_police_2020", (2.609, 1.042, 0.819), bodies.POLICE, labels.CAR),
    ("vehicle.ford.ambulance", (3.18, 1.176, 1.218), bodies.AMBULANCE, labels.CAR),
    ("vehicle.carlamotors.carlacola", (2.602, 1.307, 1.234), bodies.TRUCK, labels.TRUCK),
    ("vehicle.carlamotors.european_hgv", (3.968, 1.447, 1.761), bodies.TRUCK, labels.TRUCK),
    ("vehicle.carlamotors.firetruck", (4.234, 1.445, 1.913), bodies.FIRE_TRUCK, labels.TRUCK),
    ("vehicle.mitsubishi.fusorosa", (5.136, 1.972, 2.126), bodies.BUS, labels.BUS),
    ("vehicle.yamaha.yzf", (1.105, 0.434, 0.800), bodies.MOTORCYCLE, labels.MOTORCYCLE),
    ("vehicle.diamondback.century", (0.821, 0.250, 0.880), bodies.BICYCLE, labels.BICYCLE),
    ("walker.pedestrian.0012", (0.190, 0.190, 0.930), bodies.PEDESTRIAN, labels.PEDESTRIANS),
    ("walker.pedestrian.0009", (0.160, 0.160, 0.650), bodies.PEDESTRIAN, labels.PEDESTRIANS),
    ("static.prop.constructioncone", (0.170, 0.170, 0.290), bodies.PROP, labels.STATIC),
    ("static.prop.streetbarrier", (0.610, 0.185, 0.555), bodies.PROP, labels.STATIC),
    ("static.prop.trafficwarning", (1.200, 1.000, 1.600), bodies.PROP, labels.STATIC),
    ("static.prop.dirtdebris01", (1.215, 1.160, 0.085), bodies.PROP, labels.STATIC),
    ("static.prop.vendingmachine", (0.425, 0.550, 1.020), bodies.PROP, labels.STATIC),
]
IDS = [sample[0] for sample in SAMPLES]
WITH_RIDER = (bodies.MOTORCYCLE, bodies.BICYCLE)


def _points(type_id: str, half_extents: tuple[float, float, float]) -> np.ndarray:
    """All corners at rest, in the actor's frame."""
    body = build_body(body_class(type_id, half_extents), half_extents, type_id)
    return np.concatenate([part.mesh.corners.reshape(-1, 3) + part.pivot for part in body.parts])


def _limits(type_id: str, half_extents: tuple[float, float, float]) -> tuple[np.ndarray, np.ndarray]:
    half = np.array(half_extents)
    middle = np.array([0, 0, 0.0 if type_id.startswith("walker.") else half[2]])
    return middle - half, middle + half


@pytest.mark.parametrize(("type_id", "half_extents", "name", "_tag"), SAMPLES, ids=IDS)
def test_class_comes_from_the_blueprint(type_id, half_extents, name, _tag) -> None:
    assert body_class(type_id, half_extents) == name


@pytest.mark.parametrize(("type_id", "half_extents", "_name", "_tag"), SAMPLES, ids=IDS)
def test_body_stays_in_its_box_and_fills_it(type_id, half_extents, _name, _tag) -> None:
    points = _points(type_id, half_extents)
    low, high = _limits(type_id, half_extents)
    assert (points.min(0) > low - 0.01).all()
    assert (points.max(0) < high + 0.01).all()
    if not type_id.startswith("static."):
        assert np.ptp(points[:, 2]) > 1.9 * half_extents[2]


@given(
    length=st.floats(1.2, 6.0), width=st.floats(0.6, 1.5), height=st.floats(0.6, 2.2),
    name=st.sampled_from(["vehicle.a.car", "vehicle.a.bus", "vehicle.a.truck", "vehicle.a.suv", "vehicle.a.van"]),
)  # fmt: skip
def test_vehicles_of_any_size_stay_in_their_box(
    length: float, width: float, height: float, name: str
) -> None:
    half_extents = (length, width, height)
    points = _points(name, half_extents)
    low, high = _limits(name, half_extents)
    assert (points.min(0) > low - 0.02).all()
    assert (points.max(0) < high + 0.02).all()


@pytest.mark.parametrize(("type_id", "half_extents", "name", "tag"), SAMPLES, ids=IDS)
@pytest.mark.parametrize("yaw_deg", [0.0, 90.0, 215.0])
def test_every_body_is_seen_with_its_tag_inside_its_box(
    world, front, actor, type_id, half_extents, name, tag, yaw_deg
) -> None:
    camera = front(200, 200, 60.0, z=1.2, pitch_deg=-2.0)
    z = half_extents[2] if type_id.startswith("walker.") else 0.0
    away = 14.0 if half_extents[2] > 1.0 else 7.0
    shown = actor(type_id=type_id, half_extents=half_extents, x=away, z=z, yaw_deg=yaw_deg)
    picture = world(floor=False).render([camera], [shown])[0]
    mask = picture.instance == shown.id
    assert mask.sum() >= 8
    expected = {tag, labels.RIDER} if name in WITH_RIDER else {tag}
    assert set(np.unique(picture.tag[mask]).tolist()) == expected
    low, high = _limits(type_id, half_extents)
    corners = np.array(
        [[x, y, h] for x in (low[0], high[0]) for y in (low[1], high[1]) for h in (low[2], high[2])]
    )
    c, s = math.cos(math.radians(yaw_deg)), math.sin(math.radians(yaw_deg))
    corners = corners @ np.array([[c, s, 0], [-s, c, 0], [0, 0, 1]]) + [away, 0, z]
    tilt = math.radians(-2.0)
    ahead = corners[:, 0] * math.cos(tilt) + (corners[:, 2] - 1.2) * math.sin(tilt)
    up = -corners[:, 0] * math.sin(tilt) + (corners[:, 2] - 1.2) * math.cos(tilt)
    focal = 100.0 / math.tan(math.radians(30.0))
    columns, rows = 100 + focal * corners[:, 1] / ahead, 100 - focal * up / ahead
    seen_rows, seen_columns = np.nonzero(mask)
    assert seen_rows.min() + 1 > rows.min() - 1
    assert seen_rows.max() < rows.max() + 1
    assert seen_columns.min() + 1 > columns.min() - 1
    assert seen_columns.max() < columns.max() + 1


def test_wheels_roll_with_the_ground_that_a_car_covers(world, front, actor) -> None:
    """From the side: spokes turn once per circumference, and only what lies between rims changes."""
    renderer, camera = world(floor=False), front(400, 200, 40.0, y=-6.0, z=0.8, yaw_deg=90.0)

    def at(x: float, **more: float) -> np.ndarray:
        shown = actor(x=x, y=0.0, yaw_deg=0.0, **more)
        return renderer.render([replace(camera, x=x)], [shown])[0].bgra.astype(int)

    radius = min(0.34, 0.5 * 0.744)  # of a saloon's wheel
    turned, again = at(0.5 * radius), at(2 * math.pi * radius)
    changed = (np.abs(turned - at(0.0)).max(2) > 40).sum()
    assert changed > 100
    assert (np.abs(again - at(0.0)).max(2) > 40).sum() < 0.2 * changed


def _lit(picture, channel: int, other: int) -> int:
    """Pixels that are bright in one colour and clearly darker in another (indices of BGRA)."""
    bgra = picture.bgra.astype(int)
    return int(((bgra[..., channel] > 180) & (bgra[..., channel] - bgra[..., other] > 80)).sum())


def test_brake_lights_and_blinkers_light_up_when_told(world, front, actor) -> None:
    renderer, camera = world(), front(160, 120, 40.0)
    dark = renderer.render([camera], [actor(light_flags=0)])[0]
    braking = renderer.render([camera], [actor(light_flags=8)])[0]
    assert _lit(braking, 2, 1) > _lit(dark, 2, 1) + 20
    left = renderer.render([camera], [actor(light_flags=32)])[0]
    right = renderer.render([camera], [actor(light_flags=16)])[0]
    changed_left = np.nonzero((left.bgra != dark.bgra).any(2))[1]
    changed_right = np.nonzero((right.bgra != dark.bgra).any(2))[1]
    assert changed_left.max() < 80 < changed_right.min()


LAMPS = [  # flag, seen from behind or before, channel of BGRA that shines and one that does not
    (vehicle_lights.BRAKE, 0.0, 2, 1),
    (vehicle_lights.POSITION, 0.0, 2, 1),
    (vehicle_lights.RIGHT_BLINK, 0.0, 2, 0),
    (vehicle_lights.LEFT_BLINK, 180.0, 2, 0),
    (vehicle_lights.REVERSE, 0.0, 1, None),
    (vehicle_lights.FOG, 0.0, 2, 1),
    (vehicle_lights.FOG, 180.0, 1, None),
    (vehicle_lights.LOW_BEAM, 180.0, 1, None),
    (vehicle_lights.HIGH_BEAM, 180.0, 1, None),
]


@pytest.mark.parametrize("model", [m for m in VEHICLES if m.wheels == 4], ids=lambda model: model.type_id)
def test_every_lamp_of_every_car_is_seen_by_night(world, front, actor, model) -> None:
    renderer = world(floor=False)
    renderer.set_weather([0, 0, 0, 0, 0, -60, 0, 0, 0, 0, 1, 0.03, 0.0331, 0])
    camera = front(160, 120, 30.0, z=1.0)
    away = 9.0 + model.half_extents_m[0]
    for flag, yaw_deg, bright, dark in LAMPS:
        car = {"type_id": model.type_id, "half_extents": model.half_extents_m, "x": away, "yaw_deg": yaw_deg}
        off, on = (
            renderer.render([camera], [actor(**car, color_rgb=(20, 20, 20), light_flags=flags)])[
                0
            ].bgra.astype(int)
            for flags in (0, flag)
        )
        lit = (on[..., bright] - off[..., bright] > 60) & (on[..., bright] > 130)
        if dark is not None:
            lit &= on[..., bright] - on[..., dark] > 50
        assert lit.sum() >= 3, f"flag {flag} at {yaw_deg} degrees"


def test_windows_glow_with_the_light_inside(world, front, actor) -> None:
    renderer = world(floor=False)
    renderer.set_weather([0, 0, 0, 0, 0, -60, 0, 0, 0, 0, 1, 0.03, 0.0331, 0])
    off, on = (
        renderer.render([front(160, 120, 40.0)], [actor(yaw_deg=180.0, light_flags=flags)])[0].bgra.astype(
            int
        )
        for flags in (0, vehicle_lights.INTERIOR)
    )
    assert (on - off).sum() > 20_000


@pytest.mark.parametrize(
    "type_id",
    ["vehicle.dodge.charger_police_2020", "vehicle.ford.ambulance", "vehicle.carlamotors.firetruck"],
)
def test_a_light_bar_flashes_red_and_blue_in_turn(world, front, actor, type_id: str) -> None:
    model = next(model for model in VEHICLES if model.type_id == type_id)
    renderer, camera = world(floor=False), front(160, 120, 30.0, z=2.0)
    shown = {"type_id": type_id, "half_extents": model.half_extents_m, "x": 12.0, "yaw_deg": 180.0}
    red, blue = [], []
    for elapsed_s in (0.1, 0.35):
        flags = vehicle_lights.shining(vehicle_lights.SPECIAL1, elapsed_s, 0)
        picture = renderer.render([camera], [actor(**shown, color_rgb=(90, 90, 90), light_flags=flags)])[0]
        red.append(_lit(picture, 2, 1))
        blue.append(_lit(picture, 0, 2))
    assert red[0] > red[1] + 3
    assert blue[1] > blue[0] + 3


def test_blinkers_flash_with_the_simulated_time_and_not_in_step() -> None:
    def flashes(actor_id: int) -> list[bool]:
        flags = vehicle_lights.BRAKE | vehicle_lights.LEFT_BLINK
        shown = [vehicle_lights.shining(flags, 0.05 * tick, actor_id) for tick in range(28)]
        assert all(flags & vehicle_lights.BRAKE for flags in shown)
        return [bool(flags & vehicle_lights.LEFT_BLINK) for flags in shown]

    assert flashes(0)[:14] == [True] * 7 + [False] * 7
    assert flashes(0)[14:] == flashes(0)[:14]
    assert flashes(0) != flashes(1)
    assert vehicle_lights.shining(1 << 20, 0.0, 0) == 0


def test_paint_follows_the_actor(world, front, actor) -> None:
    renderer = world()
    for color, channel in (((200, 20, 20), 2), ((20, 180, 30), 1), ((20, 30, 200), 0)):
        picture = renderer.render([front()], [actor(color_rgb=color)])[0]
        mean = picture.bgra[picture.instance == 7][:, :3].astype(float).mean(0)
        assert mean.argmax() == channel


def test_legs_swing_when_a_person_walks_and_rest_when_not(world, front, actor) -> None:
    renderer, camera = world(), front(120, 120, 30.0)
    walker = {
        "type_id": "walker.pedestrian.0012",
        "half_extents": (0.19, 0.19, 0.93),
        "z": 0.93,
        "yaw_deg": 90.0,
    }

    def width(y: float, speed: float) -> int:
        picture = renderer.render([camera], [actor(**walker, x=8.0, y=y, speed_mps=speed)])[0]
        return int(np.ptp(np.nonzero(picture.instance[80:] == 7)[1]))

    standing, walking = [width(0.1 * k, 0.0) for k in range(6)], [width(0.1 * k, 1.5) for k in range(6)]
    assert max(standing) - min(standing) <= 1
    assert max(walking) > max(standing) + 3


def test_front_wheels_steer(world, front, actor) -> None:
    renderer, camera = world(), front(160, 120, 30.0)
    straight, steered = (
        renderer.render([camera], [actor(yaw_deg=180.0, wheel_steer_deg=angle)])[0].bgra
        for angle in (0.0, 30.0)
    )
    assert (straight != steered).any()
