"""Version, settings, ticks, maps, weather, and worlds that come and go."""

from __future__ import annotations

import carla
import pytest

from tests.client.conftest import DELTA_S, TOWN, Session
from tests.conformance.conftest import ONE_STREET
from tests.conformance.marker import conforms
from tests.conformance.raw import RawClient


@conforms("RPC", "version")
def test_the_version_is_the_clients(session: Session) -> None:
    assert session.client.get_server_version() == session.client.get_client_version() == "0.9.16"


@conforms("RPC", "get_episode_info", "get_sensor_token")
def test_the_episode_has_an_id_and_a_stream(session: Session, raw: RawClient) -> None:
    episode, (token,) = raw.value("get_episode_info")
    assert episode == session.world.id
    assert len(token) == 24
    assert raw.value("get_sensor_token", 1) == [token]


@conforms(
    "RPC", "get_episode_settings", "set_episode_settings",
    limited="a step longer than 1 s is refused; vehicles always move in substeps of at most 10 ms",
)  # fmt: skip
def test_settings_come_back_as_they_were_sent(session: Session) -> None:
    before = session.world.get_settings()
    assert before.synchronous_mode
    assert before.fixed_delta_seconds == pytest.approx(DELTA_S)
    settings = session.world.get_settings()
    settings.substepping, settings.max_substep_delta_time, settings.max_substeps = True, 0.005, 12
    settings.max_culling_distance, settings.tile_stream_distance = 250.0, 1500.0
    settings.actor_active_distance, settings.spectator_as_ego = 900.0, False
    settings.deterministic_ragdolls, settings.fixed_delta_seconds = True, 0.02
    frame = session.world.apply_settings(settings)
    assert frame <= session.world.get_snapshot().frame <= frame + 2
    assert session.world.get_settings() == settings
    session.tick()
    assert session.world.get_snapshot().delta_seconds == pytest.approx(0.02)
    settings.fixed_delta_seconds = 5.0
    with pytest.raises(RuntimeError, match="fixed_delta_seconds is 5.0: expected"):
        session.world.apply_settings(settings)
    session.world.apply_settings(before)


@conforms("RPC", "tick_cue")
def test_a_tick_returns_the_frame_that_follows(session: Session) -> None:
    frame = session.world.get_snapshot().frame
    assert [session.world.tick() for _ in range(3)] == [frame + 1, frame + 2, frame + 3]


@conforms("RPC", "get_map_info", "get_map_data")
def test_the_map_has_its_name_its_text_and_places_to_spawn(session: Session) -> None:
    town = session.world.get_map()
    assert town.name == f"Carla/Maps/{TOWN}"
    assert town.to_opendrive().lstrip().startswith("<?xml")
    assert f'name="{TOWN}"' in town.to_opendrive()
    for point in town.get_spawn_points()[::10]:
        lane = town.get_waypoint(point.location)
        assert lane.transform.location.distance(point.location) < 0.5
        assert (lane.transform.rotation.yaw - point.rotation.yaw + 180.0) % 360.0 == pytest.approx(
            180.0, abs=2.0
        )


@conforms("RPC", "get_required_files", "request_file")
def test_the_mesh_for_walkers_is_the_one_file_that_is_offered(session: Session, raw: RawClient) -> None:
    assert session.client.get_required_files("", False) == raw.value("get_required_files", "TM") == []
    (name,) = session.client.get_required_files("Nav", False)
    assert raw.value("request_file", name)[:4] == b"TESM"  # "MSET", little-endian
    for other in ("/etc/passwd", f"../{name}", ""):
        assert "not offered" in raw.error("request_file", other)


@conforms("RPC", "get_navigation_mesh")
def test_the_mesh_for_walkers_comes_without_a_file_as_well(raw: RawClient) -> None:
    (name,) = raw.value("get_required_files", "Nav")
    assert raw.value("get_navigation_mesh") == raw.value("request_file", name)


def test_a_town_without_pavements_has_no_mesh(travelling: Session) -> None:
    client = RawClient(travelling.server)
    assert client.value("get_required_files", "Nav") == []
    assert client.value("get_navigation_mesh") == b""
    client.close()


@conforms("RPC", "get_available_maps")
def test_the_maps_at_hand_have_names_as_in_carla(session: Session) -> None:
    maps = session.client.get_available_maps()
    assert f"/Game/Carla/Maps/{TOWN}" in maps
    assert all(name.startswith("/Game/Carla/Maps/") for name in maps)


@conforms("RPC", "get_weather_parameters", "set_weather_parameters")
def test_weather_comes_back_as_it_was_sent(session: Session) -> None:
    before = session.world.get_weather()
    wanted = carla.WeatherParameters(
        cloudiness=11.0, precipitation=22.0, precipitation_deposits=33.0, wind_intensity=44.0, sun_azimuth_angle=55.0,
        sun_altitude_angle=-6.0, fog_density=7.0, fog_distance=8.0, fog_falloff=0.9, wetness=10.0,
        scattering_intensity=1.1, mie_scattering_scale=0.12, rayleigh_scattering_scale=0.13, dust_storm=14.0,
    )  # fmt: skip
    session.world.set_weather(wanted)
    session.tick()
    assert session.world.get_weather() == wanted
    session.world.set_weather(before)


# ---- worlds that come and go, on a server of their own ---------------------------------------------------------------


@conforms("RPC", "load_new_episode")
def test_a_loaded_world_is_new(travelling: Session) -> None:
    client, first = travelling.client, travelling.world
    blueprint = first.get_blueprint_library().find("vehicle.tesla.model3")
    car = first.spawn_actor(blueprint, first.get_map().get_spawn_points()[0])
    again = client.reload_world(reset_settings=False)
    assert again.id > first.id
    assert again.get_map().name == "Carla/Maps/OneStreet"
    again.tick()
    assert not again.get_snapshot().has_actor(car.id)
    world = client.load_world(TOWN, reset_settings=False)
    assert world.id > again.id
    assert world.get_map().name == f"Carla/Maps/{TOWN}"
    assert world.get_settings().synchronous_mode
    with pytest.raises(RuntimeError, match="Map 'Atlantis' not found"):
        client.load_world("Atlantis")


@conforms(
    "RPC",
    "copy_opendrive_to_file",
    limited="streets are furnished with houses and trees too; max_road_length and smooth_junctions shape CARLA's meshes only",
)
def test_a_world_grows_from_opendrive_text(travelling: Session) -> None:
    parameters = carla.OpendriveGenerationParameters(vertex_distance=2.0, wall_height=0.0)
    world = travelling.client.generate_opendrive_world(ONE_STREET, parameters, reset_settings=False)
    town = world.get_map()
    assert town.name.endswith("OpenDriveMap")
    assert town.get_waypoint(carla.Location(100.0, 1.75, 0.0)).lane_width == pytest.approx(3.5)
    assert all(point.location.y == pytest.approx(1.75, abs=0.01) for point in town.get_spawn_points())
    with pytest.raises(RuntimeError, match="refused"):
        travelling.client.generate_opendrive_world("<OpenDRIVE>")
    assert travelling.client.get_world().get_map().name.endswith("OpenDriveMap")


@conforms(
    "RPC", "load_map_layer", "unload_map_layer",
    limited="without effect: no town has layers, as CARLA's without _Opt",
)  # fmt: skip
def test_map_layers_change_nothing(session: Session) -> None:
    before = len(session.world.get_environment_objects(carla.CityObjectLabel.Buildings))
    session.world.unload_map_layer(carla.MapLayer.Buildings)
    session.tick()
    assert len(session.world.get_environment_objects(carla.CityObjectLabel.Buildings)) == before > 0
    session.world.load_map_layer(carla.MapLayer.All)


# ---- snapshot --------------------------------------------------------------------------------------------------------


@conforms("snapshot", "frame_and_time")
def test_every_snapshot_is_one_step_on(session: Session) -> None:
    first = session.world.get_snapshot()
    session.tick(4)
    second = session.world.get_snapshot()
    assert second.frame == first.frame + 4
    assert second.elapsed_seconds - first.elapsed_seconds == pytest.approx(4 * DELTA_S)
    assert second.delta_seconds == pytest.approx(DELTA_S)
    assert second.platform_timestamp >= first.platform_timestamp


@conforms("snapshot", "other_actor")
def test_sensors_and_the_spectator_have_poses_in_the_snapshot(
    session: Session, spawn_point: carla.Transform
) -> None:
    sensor = session.spawn("sensor.other.gnss", spawn_point)
    session.tick()
    snapshot = session.world.get_snapshot()
    assert snapshot.find(sensor.id).get_transform().location.distance(spawn_point.location) < 1e-4
    assert snapshot.has_actor(session.world.get_spectator().id)


@conforms("snapshot", "new_subscriber", "second_client")
def test_a_second_client_sees_the_actors_at_once(session: Session, spawn_point: carla.Transform) -> None:
    car = session.spawn("vehicle.tesla.model3", spawn_point)
    session.tick()
    other = carla.Client(session.server.host, session.server.port)
    other.set_timeout(20.0)
    seen = other.get_world().get_actor(car.id)
    assert seen.type_id == "vehicle.tesla.model3"
    seen.set_light_state(carla.VehicleLightState(carla.VehicleLightState.Fog))
    other.get_server_version()  # the state is sent without waiting: what was answered after it has seen it arrive
    session.tick()
    assert car.get_light_state() == carla.VehicleLightState(carla.VehicleLightState.Fog)


@conforms("snapshot", "on_tick")
def test_on_tick_is_called_with_every_snapshot(session: Session) -> None:
    frames: list[int] = []
    handle = session.world.on_tick(lambda snapshot: frames.append(snapshot.frame))
    expected = [session.world.tick() for _ in range(5)]
    session.world.remove_on_tick(handle)
    session.tick()
    assert frames == expected


@conforms("snapshot", "asynchronous_mode")
def test_an_asynchronous_world_ticks_by_itself(session: Session) -> None:
    before = session.world.get_settings()
    free = session.world.get_settings()
    free.synchronous_mode, free.fixed_delta_seconds = False, 0.01
    session.world.apply_settings(free)
    first = session.world.wait_for_tick(10.0)
    second = session.world.wait_for_tick(10.0)
    session.world.apply_settings(before)
    assert second.frame > first.frame
    assert second.elapsed_seconds - first.elapsed_seconds == pytest.approx(
        0.01 * (second.frame - first.frame)
    )
    session.tick()
