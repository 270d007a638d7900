"""Somebody else's `AutonomousAgent` (CARLA Leaderboard 2.x) on our routes: its file, its sensors, its own `run_step`.

Needs the Leaderboard, ScenarioRunner and CARLA's `agents` package on the PYTHONPATH. The agent gets what the official
evaluator would give it: the dense route as places and as GNSS points, its sensors with the Leaderboard's attributes, game
time, and `CarlaDataProvider`. A second client of the same process spawns the sensors; the world is ticked by ours alone.
"""

from __future__ import annotations

import importlib.util
import sys
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import carla

from drive_agent.config import ConfigError
from drive_agent.drive.carla_axes import transform
from drive_agent.drive.env import Ground
from drive_agent.types import Briefing, Command, ControlTerms, Decision, SensorPacket, Truth

WARM_UP_TICKS = 10  # the Leaderboard's: until every sensor delivers; here the car is braked meanwhile
_IDLE = ControlTerms(0.0, 0.0, 0.0, 0.0, 0.0, saturated=False)
_ARRIVAL_S = 60.0
_PACKAGES = ("leaderboard", "srunner", "agents")


class ForeignDriver:
    """Drives with the agent of a file; a new agent object for each route, as officially. `connect` comes first."""

    def __init__(self, path: str, settings: str) -> None:
        self._official = _Official()
        self._module = _load(Path(path))
        self._settings = settings
        self._agent: Any = None

    def connect(self, host: str, port: int, timeout_s: float) -> None:
        """Use the server at an address."""
        self._address = host, port
        self._client = carla.Client(host, port)
        self._client.set_timeout(timeout_s)

    def brief(self, briefing: Briefing, ground: Ground) -> None:
        """Make an agent for the route and give it its sensors."""
        del briefing
        world = self._client.get_world()
        ego = next(actor for actor in world.get_actors() if actor.attributes.get("role_name") == "hero")
        self._world, self._ticks = world, 0
        self._official.enter(self._client, _Unticked(world), ego)
        agent = getattr(self._module, self._module.get_entry_point())(*self._address, False)
        agent.set_global_plan(*self._official.plans(ground))
        agent.setup(self._settings)
        self._agent, self._wrapper = agent, self._official.wrapper(agent)
        self._wrapper.setup_sensors(ego)

    def step(self, packet: SensorPacket, truth: Truth) -> Decision:
        """Ask the agent; its timings are told, its plans it keeps to itself."""
        del packet
        self._official.tick(self._snapshot(truth.frame_id).timestamp)
        self._ticks += 1
        if self._ticks <= WARM_UP_TICKS:
            return Decision(Command(0.0, 0.0, 1.0), _IDLE, _IDLE, "sensors warm up", None)
        started = time.perf_counter()
        control = self._wrapper()
        spent_ms = (time.perf_counter() - started) * 1e3
        command = Command(
            float(control.throttle),
            -float(control.steer),
            1.0 if control.hand_brake else float(control.brake),
        )
        return Decision(command, _IDLE, _IDLE, "", None, timings_ms={"agent": spent_ms})

    def _snapshot(self, frame_id: int) -> carla.WorldSnapshot:
        """The loop's tick, which reaches this client in its own time: asked for earlier, sensors would be awaited in vain."""
        deadline = time.monotonic() + _ARRIVAL_S
        while (snapshot := self._world.get_snapshot()).frame < frame_id:
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"frame {frame_id} did not reach the agent's client within {_ARRIVAL_S:.0f} s"
                )
            time.sleep(0.0005)
        return snapshot

    def release(self) -> None:
        """End the route's agent and its sensors, before the world is loaded anew."""
        if self._agent is not None:
            agent, self._agent = self._agent, None
            agent.destroy()
            self._wrapper.cleanup()
            self._official.leave()


class _Unticked:
    """The world as the official wrapper sees it: only the loop may tick."""

    def __init__(self, world: carla.World) -> None:
        self._world = world

    def tick(self, *_: object) -> int:
        return self._world.get_snapshot().frame

    def __getattr__(self, name: str) -> Any:
        return getattr(self._world, name)


class _Official:
    """What is used of the official packages. Raises ConfigError, with the remedy, where they cannot be imported."""

    def __init__(self) -> None:
        try:
            from agents.navigation.local_planner import RoadOption  # pyright: ignore[reportMissingImports]
            from leaderboard.autoagents import agent_wrapper  # pyright: ignore[reportMissingImports]
            from leaderboard.utils import route_manipulation  # pyright: ignore[reportMissingImports]
            from srunner.scenariomanager.carla_data_provider import (  # pyright: ignore[reportMissingImports]
                CarlaDataProvider,
            )
            from srunner.scenariomanager.timer import GameTime  # pyright: ignore[reportMissingImports]
        except ImportError as error:
            raise ConfigError(
                f"agent= needs the official packages {', '.join(_PACKAGES)}: {error}; put their checkouts on the "
                "PYTHONPATH, see docs/runner.md"
            ) from error
        self._options, self._wrappers = RoadOption, agent_wrapper
        self._routes, self._provider, self._time = route_manipulation, CarlaDataProvider, GameTime

    def enter(self, client: carla.Client, world: _Unticked, ego: carla.Actor) -> None:
        self._provider.set_client(client)
        self._provider.set_world(world)
        self._provider.register_actor(ego, ego.get_transform())
        self._provider._carla_actor_pool[ego.id] = ego
        self._time.restart()

    def leave(self) -> None:
        """Forget the route's actors; the ego itself belongs to the loop."""
        self._provider._carla_actor_pool.clear()
        self._provider.cleanup()

    def plans(self, ground: Ground) -> tuple[list, list]:
        """The dense route as GNSS points and as places, each with the Leaderboard's command."""
        latitude, longitude = self._routes._get_latlon_ref(self._provider.get_world())
        route = ground.route
        places = [
            (transform(point[0], point[1], point[2], heading), self._options(int(maneuver)))
            for point, heading, maneuver in zip(route.points, route.headings, route.maneuvers, strict=True)
        ]
        return self._routes.location_route_to_gps(places, latitude, longitude), places

    def wrapper(self, agent: Any) -> Any:
        return self._wrappers.AgentWrapperFactory.get_wrapper(agent)

    def tick(self, timestamp: carla.Timestamp) -> None:
        self._time.on_carla_tick(timestamp)
        self._provider.on_carla_tick()


def _load(path: Path) -> ModuleType:
    """Import an agent's file as the official evaluator does: its folder first on the path."""
    if not path.is_file():
        raise ConfigError(f"agent={path}: expected the Python file of an AutonomousAgent")
    sys.path.insert(0, str(path.resolve().parent))
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except ImportError as error:
        raise ConfigError(f"agent={path}: {error}; install what it imports into this environment") from error
    if not hasattr(module, "get_entry_point"):
        raise ConfigError(
            f"agent={path} has no get_entry_point(), expected an agent of the CARLA Leaderboard 2.x"
        )
    return module
