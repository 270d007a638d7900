"""The blueprint library: what can be spawned, by which attributes it is chosen, and how big it is."""

from __future__ import annotations

import math

import carla

from tests.client.conftest import Session
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient

# What the route scenarios of the Leaderboard and of ScenarioRunner ask for by name.
NAMED_BY_SCENARIOS = (
    "vehicle.lincoln.mkz_2017", "vehicle.lincoln.mkz_2020", "vehicle.tesla.model3", "vehicle.audi.tt",
    "vehicle.nissan.patrol", "vehicle.nissan.micra", "vehicle.volkswagen.t2", "vehicle.carlamotors.carlacola",
    "vehicle.dodge.charger_police_2020", "vehicle.diamondback.century", "vehicle.gazelle.omafiets",
    "vehicle.bh.crossbike", "vehicle.kawasaki.ninja", "vehicle.jeep.wrangler_rubicon", "walker.pedestrian.0001",
    "static.prop.streetbarrier", "static.prop.dirtdebris01", "static.prop.dirtdebris02",
    "static.prop.warningaccident", "static.prop.warningconstruction", "static.prop.vendingmachine",
    "static.prop.trafficwarning", "static.prop.mesh", "static.prop.container", "static.prop.constructioncone",
    "static.prop.chainbarrier", "controller.ai.walker",
)  # fmt: skip


@conforms("RPC", "get_actor_definitions")
@conforms("blueprint", "ids_named_by_scenarios", "catalogue")
def test_the_library_has_what_scenarios_name(session: Session) -> None:
    ids = {blueprint.id for blueprint in session.library}
    assert set(NAMED_BY_SCENARIOS) <= ids
    assert len([name for name in ids if name.startswith("vehicle.")]) >= 39
    assert len([name for name in ids if name.startswith("walker.pedestrian.")]) >= 49
    assert len([name for name in ids if name.startswith("static.prop.")]) >= 40
    assert sorted(session.library.find("vehicle.tesla.model3").tags) == ["model3", "tesla", "vehicle"]


@conforms("blueprint", "attributes")
def test_blueprints_can_be_filtered_as_scenarios_do(session: Session) -> None:
    cars = [b for b in session.library.filter("vehicle.*") if b.get_attribute("base_type") == "car"]
    assert len(cars) > 15
    assert all(b.get_attribute("generation").as_int() in (1, 2) for b in session.library.filter("vehicle.*"))
    wheels = {int(b.get_attribute("number_of_wheels")) for b in session.library.filter("vehicle.*")}
    assert {2, 4} <= wheels <= {2, 4, 6}
    special = {str(b.get_attribute("special_type").as_str()) for b in session.library.filter("vehicle.*")}
    assert {"emergency", "electric"} <= special
    assert session.library.find("vehicle.dodge.charger_police_2020").get_attribute("has_lights").as_bool()
    police = session.library.filter_by_attribute("special_type", "emergency")
    assert "vehicle.dodge.charger_police_2020" in {b.id for b in police}
    assert {b.get_attribute("age").as_str() for b in session.library.filter("walker.*")} >= {"child", "adult"}


@conforms("blueprint", "colours")
def test_colours_are_recommended_and_kept(session: Session, spawn_point: carla.Transform) -> None:
    color = session.library.find("vehicle.tesla.model3").get_attribute("color")
    assert (color.is_modifiable, len(color.recommended_values) > 2) == (True, True)
    car = session.spawn("vehicle.tesla.model3", spawn_point, color=color.recommended_values[1])
    session.tick()
    assert car.attributes["color"] == color.recommended_values[1]


@conforms("blueprint", "vehicle.*", "dimensions")
def test_every_vehicle_spawns_with_a_box_of_its_kind(session: Session, spawn_point: carla.Transform) -> None:
    by_type = {}
    for index, blueprint in enumerate(session.library.filter("vehicle.*")):
        place = carla.Transform(
            spawn_point.location + carla.Location(z=50.0 * (index + 1)), spawn_point.rotation
        )
        car = session.world.spawn_actor(blueprint, place)
        session.spawned.append(car)
        by_type.setdefault(blueprint.get_attribute("base_type").as_str(), []).append(car.bounding_box.extent)
    assert all(1.0 < e.x < 3.2 and 0.6 < e.y < 1.3 and 0.5 < e.z < 1.3 for e in by_type["car"])
    assert all(e.x > 2.0 and e.z > 0.9 for e in by_type["truck"])
    assert all(0.6 < e.x < 1.3 and e.y < 0.6 for e in by_type["motorcycle"] + by_type["bicycle"])
    session.tick()


@conforms("blueprint", "walker.pedestrian.*")
def test_every_walker_spawns_with_a_box_of_its_age(session: Session, spawn_point: carla.Transform) -> None:
    heights: dict[str, list[float]] = {}
    for index, blueprint in enumerate(session.library.filter("walker.pedestrian.*")):
        place = carla.Transform(
            spawn_point.location + carla.Location(z=10.0 * (index + 1)), spawn_point.rotation
        )
        walker = session.world.spawn_actor(blueprint, place)
        session.spawned.append(walker)
        heights.setdefault(blueprint.get_attribute("age").as_str(), []).append(walker.bounding_box.extent.z)
    assert max(heights["child"]) < min(heights["adult"])
    assert all(0.8 < height < 1.1 for height in heights["adult"])
    session.tick()


@conforms("blueprint", "static.prop.*")
def test_every_prop_spawns_and_stands(session: Session, spawn_point: carla.Transform) -> None:
    props = []
    for index, blueprint in enumerate(session.library.filter("static.prop.*")):
        place = carla.Transform(
            spawn_point.location + carla.Location(z=30.0 * (index + 1)), spawn_point.rotation
        )
        props.append((session.world.spawn_actor(blueprint, place), place))
        session.spawned.append(props[-1][0])
    session.tick(3)
    for prop, place in props:
        moved = prop.get_location() - place.location
        assert math.hypot(moved.x, moved.y) < 0.01
        assert -1.0 < moved.z <= 0.001  # loose ones fall
        assert min(prop.bounding_box.extent.x, prop.bounding_box.extent.y, prop.bounding_box.extent.z) > 0.0


@conforms("blueprint", "attribute_checks")
def test_values_of_the_wrong_type_are_refused(spawn_point: carla.Transform, raw: RawClient) -> None:
    place = [[spawn_point.location.x, spawn_point.location.y, spawn_point.location.z], [0.0, 0.0, 0.0]]
    for type_id, name, kind, value in (
        ("vehicle.tesla.model3", "color", 5, "300,0,0"),
        ("vehicle.tesla.model3", "sticky_control", 1, "maybe"),
        ("sensor.lidar.ray_cast", "channels", 2, "many"),
        ("sensor.other.gnss", "sensor_tick", 3, "nan"),
    ):
        text = raw.error("spawn_actor", [0, type_id, [[name, kind, value]]], place)
        assert text.startswith(f"Spawn failed because of invalid actor description: {name} is {value!r}")
    assert "unknown blueprint 'vehicle.flying.carpet'" in raw.error(
        "spawn_actor", [0, "vehicle.flying.carpet", []], place
    )
