"""The environment that a configuration asks for, on the server at an address."""

from __future__ import annotations

from drive_agent.config import DriveConfig
from drive_agent.drive.carla import CarlaEnv, CarlaSettings
from drive_agent.drive.carla_sensors import SensorSettings
from drive_agent.drive.offline_maps import offline_road_map
from drive_agent.drive.servers import start_server
from drive_agent.rig import RIGS
from drive_agent.roadmap import RoadMap

BLIND = ("expert", "scripted")  # they plan from ground truth: no camera is rendered for them
_MANAGER_PORTS = 1000  # of each worker: every route takes the next


def open_env(config: DriveConfig, host: str, port: int, worker: int) -> CarlaEnv:
    """Connect. Raises ConnectionError when nothing answers there."""
    carla = config.carla
    manager = carla.traffic_manager_port and carla.traffic_manager_port + worker * _MANAGER_PORTS
    return CarlaEnv(
        CarlaSettings(
            host,
            port,
            config.tick_s,
            carla.timeout_s,
            config.traffic.vehicles,
            config.traffic.walkers,
            manager,
        ),
        sensor_settings(config, config.tick_s),
    )


def sensor_settings(config: DriveConfig, tick_s: float) -> SensorSettings:
    """The ego's sensors in a world of that step."""
    model = config.model
    return SensorSettings(
        RIGS[model.rig](), model.period_s, tick_s, config.carla.timeout_s,
        cameras_on=model.kind not in BLIND and config.agent is None,
    )  # fmt: skip


def survey(config: DriveConfig, town: str) -> RoadMap:
    """A town's road map, from its file where our own server would load it, else from the server that drives."""
    if config.carla.kind == "embedded":
        return offline_road_map(town, config.carla.maps)
    server = start_server(config.carla, config.runner, 0, town, config.seed)
    try:
        env = open_env(config, server.host, server.port, 0)
        road_map = env.survey(town)
        env.close()
        return road_map
    finally:
        server.stop()
