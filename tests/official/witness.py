"""The Leaderboard's NpcAgent, watching the scenario of its route and writing down what happened to it.

Runs inside the official evaluator: imports nothing of the project. `--agent-config` names the file that gets one JSON line
a route. Where the NpcAgent gives up, the witness helps: after 20 s of standing, or past the time that a case is worth, it is
put forward along its route, so that every scenario is passed and may end by itself.
"""

import json

import carla
import py_trees
from leaderboard.autoagents.npc_agent import NpcAgent
from sightings import Sightings
from srunner.scenariomanager.carla_data_provider import CarlaDataProvider
from srunner.scenariomanager.timer import GameTime

SCENARIO = "ScenarioRouteNumber0"  # true while the scenario runs
HURRY_AFTER_S = 75.0
STANDING_S, STANDING_MPS = 20.0, 0.1
JUMP_STEPS = 12  # of the NpcAgent's plan, 2 m each: less than the 30 m that count as leaving the route


def get_entry_point():
    return "Witness"


class Witness(NpcAgent):
    """Drives, watches and, where it has to, jumps."""

    def setup(self, path_to_conf_file):
        super().setup(path_to_conf_file)
        self._path = path_to_conf_file
        self._standing_since_s = None
        self._jumped_s = 0.0
        self._sightings = Sightings()
        self._report = {"started_s": None, "ended_s": None, "jumps": 0}

    def sensors(self):
        return [{"type": "sensor.other.gnss", "x": 0.0, "y": 0.0, "z": 1.6, "id": "gnss"}]

    def run_step(self, input_data, timestamp):
        now_s = GameTime.get_time()
        self._sightings.look(CarlaDataProvider.get_world())
        self._note_state(now_s)
        control = super().run_step(input_data, timestamp)
        self._help(now_s)
        if self._agent is not None and self._agent.done():
            return carla.VehicleControl(
                throttle=0.4
            )  # the NpcAgent stops before the last per cent of a short route
        return control

    def _note_state(self, now_s):
        state, report = py_trees.blackboard.Blackboard().get(SCENARIO), self._report
        if CarlaDataProvider.get_latest_scenario() and report["started_s"] is None:
            report["started_s"] = round(now_s, 2)
        if state is False and report["started_s"] is not None and report["ended_s"] is None:
            report["ended_s"] = round(now_s, 2)

    def _help(self, now_s):
        hero = CarlaDataProvider.get_hero_actor()
        if self._agent is None or hero is None:
            return
        if hero.get_velocity().length() > STANDING_MPS:
            self._standing_since_s = None
        elif self._standing_since_s is None:
            self._standing_since_s = now_s
        stuck = self._standing_since_s is not None and now_s - self._standing_since_s > STANDING_S
        late = now_s > HURRY_AFTER_S and now_s - self._jumped_s > 1.0
        plan = self._agent.get_local_planner().get_plan()
        if (stuck or late) and len(plan) > 1:
            for _ in range(min(JUMP_STEPS, len(plan) - 1)):
                waypoint, _ = plan.popleft()
            pose = waypoint.transform
            pose.location.z += 0.3
            hero.set_transform(pose)
            self._standing_since_s, self._jumped_s = None, now_s
            self._report["jumps"] += 1

    def destroy(self):
        self._report.update(actors=self._sightings.actors(), game_s=round(GameTime.get_time(), 2))
        with open(self._path, "a", encoding="utf-8") as file:
            file.write(json.dumps(self._report) + "\n")
        super().destroy()
