"""Our agent as a stock `AutonomousAgent` of the CARLA Leaderboard 2.x, track SENSORS, for the official evaluator:

    leaderboard_evaluator.py --agent=.../drive_agent/drive/leaderboard_agent.py --agent-config=config.yaml

`config.yaml` is what `drive-agent config` and every run folder hold. Imports neither hydra nor omegaconf, whose antlr
fights ScenarioRunner's. What the driver sees comes from `input_data`; truth goes to the log, and only privileged drivers
take it.
"""

from __future__ import annotations

import sys
from functools import lru_cache
from pathlib import Path

# The evaluator's own folder, first on the path, has a package `scenarios` too; and before that it puts the folder of this
# file, whose carla.py would hide CARLA's from imports yet to come.
_HERE = Path(__file__).resolve()
sys.path[:] = [str(_HERE.parents[2]), *(entry for entry in sys.path if Path(entry).resolve() != _HERE.parent)]

import carla
import numpy as np

# Leaderboard and ScenarioRunner are not on the package index: their users bring them on the PYTHONPATH.
from leaderboard.autoagents.autonomous_agent import AutonomousAgent, Track  # pyright: ignore[reportMissingImports]
from rich.console import Console
from srunner.scenariomanager.carla_data_provider import CarlaDataProvider  # pyright: ignore[reportMissingImports]

from drive_agent.config import expect
from drive_agent.drive.carla_axes import Geography, vehicle_control
from drive_agent.drive.carla_map import build_road_map
from drive_agent.drive.carla_sensors import packet_of
from drive_agent.drive.env import Ground
from drive_agent.drive.leaderboard_inputs import Plan, Spec, briefing_of, readings_of, sensor_specs
from drive_agent.drive.leaderboard_log import RouteLog, RunLog
from drive_agent.drive.leaderboard_route import evaluated_route
from drive_agent.drive.leaderboard_truth import EvaluatorTruth, route_of
from drive_agent.drive.provenance import read_config
from drive_agent.drive.roster import PRIVILEGED, make_driver
from drive_agent.rig import RIGS
from drive_agent.roadmap import RoadMap
from drive_agent.types import Briefing, SensorPacket, Truth

TICK_S = 0.05  # the evaluator's, fixed


def get_entry_point() -> str:
    """Name of the agent's class, as the evaluator asks for it."""
    return "DriveAgent"


class Session:
    """What outlives a route: the settings, the driver with its weights, road maps, the run folder."""

    def __init__(self, path: str) -> None:
        self.config = read_config(Path(path))
        expect("tick_s", self.config.tick_s, self.config.tick_s == TICK_S, f"{TICK_S}, the evaluator's")
        sighted = self.config.model.kind not in PRIVILEGED
        self.cameras = RIGS[self.config.model.rig]().cameras if sighted else ()
        self.sensors = sensor_specs(self.cameras)
        self.period = round(self.config.model.period_s / TICK_S)
        self.driver = make_driver(self.config)
        self.log = RunLog(self.config, Console(highlight=False))
        self._road_maps: dict[str, RoadMap] = {}

    def road_map(self, carla_map: carla.Map) -> RoadMap:
        """The road map of a town, made once."""
        if carla_map.name not in self._road_maps:
            self._road_maps[carla_map.name] = build_road_map(carla_map, carla_map.to_opendrive())
        return self._road_maps[carla_map.name]


session_of = lru_cache(maxsize=1)(Session)  # the evaluator makes a new agent for each route


class DriveAgent(AutonomousAgent):
    """One route. The evaluator calls `set_global_plan`, `setup`, `sensors`, then `run_step` at 20 Hz, then `destroy`."""

    def __init__(self, carla_host: str, carla_port: int, debug: bool = False) -> None:  # noqa: FBT001, FBT002
        super().__init__(carla_host, carla_port, debug)
        self._address = carla_host, carla_port
        self._truth: EvaluatorTruth | None = None
        self._log: RouteLog | None = None

    def set_global_plan(self, global_plan_gps: list, global_plan_world_coord: Plan) -> None:
        """Take the route; the driver is told only what the evaluator leaves of it, the log holds all."""
        super().set_global_plan(global_plan_gps, global_plan_world_coord)
        self._dense_plan = global_plan_world_coord

    def setup(self, path_to_conf_file: str) -> None:
        """Load what is needed and brief the driver. Raises ConfigError for a wrong configuration."""
        self.track = Track.SENSORS
        session = self._session = session_of(path_to_conf_file)
        carla_map = CarlaDataProvider.get_map()
        road_map = session.road_map(carla_map)
        ground = Ground(road_map, route_of(self._dense_plan, road_map))
        self._geography = Geography(carla_map)
        briefing = briefing_of(self._global_plan_world_coord, self._geography)
        world, ego = CarlaDataProvider.get_world(), CarlaDataProvider.get_hero_actor()
        self._truth = EvaluatorTruth(world, ego, *self._address, session.config.carla.timeout_s)
        self._warm_up(briefing, ground, self._truth.read(0))
        session.driver.brief(briefing, ground)
        self._log = session.log.begin(evaluated_route(), ground)
        self._ticks = 0

    def sensors(self) -> list[Spec]:
        """Our rig, checked against the Leaderboard's limits."""
        return self._session.sensors

    def run_step(self, input_data: dict, timestamp: float) -> carla.VehicleControl:
        """One tick: pictures are taken at the model's period, control runs at every tick."""
        assert self._truth is not None and self._log is not None, "setup() comes first"
        # Whole ticks: the client adds up single-precision steps, and histories are told apart by exact times.
        time_us = round(timestamp / TICK_S) * round(TICK_S * 1e6)
        due = self._session.cameras if self._ticks % self._session.period == 0 else ()
        self._ticks += 1
        readings = readings_of(input_data, [mount.name for mount in due])
        packet = packet_of(readings, time_us, self._geography)
        truth = self._truth.read(time_us)
        try:
            decision = self._session.driver.step(packet, truth)
        except Exception as error:
            self._log.close(error)
            raise
        self._log.write(truth, decision)
        if self._log.ended:
            self._truth.close()
        return vehicle_control(decision.command)

    def destroy(self) -> None:
        """The route is over: end the log. The driver stays loaded."""
        if self._log is not None:
            self._log.close()
        if self._truth is not None:
            self._truth.close()

    def _warm_up(self, briefing: Briefing, ground: Ground, truth: Truth) -> None:
        """One step on black pictures: what a first answer costs more is spent here, not under the route's watchdog."""
        latitude_deg, longitude_deg = briefing.route_deg[0]
        black = {m.name: np.zeros((m.height, m.width, 3), np.uint8) for m in self._session.cameras}
        packet = SensorPacket(0, latitude_deg, longitude_deg, 0.0, 0.0, 0.0, 0.0, black)
        self._session.driver.brief(briefing, ground)
        self._session.driver.step(packet, truth)
