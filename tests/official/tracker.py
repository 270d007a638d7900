"""The witness, who also writes down where the hero and the scenario's actors are: one JSON line every other tick.

Runs inside the official evaluator. The lines go beside the report: `--agent-config` with the ending `.tracks`.
"""

import json

from srunner.scenariomanager.carla_data_provider import CarlaDataProvider
from srunner.scenariomanager.timer import GameTime
from witness import Witness

BODIES = ("vehicle.", "walker.", "static.prop.")
BELOW_GROUND_M = -10.0  # where scenarios keep actors until their hour has come


def get_entry_point():
    return "Tracker"


class Tracker(Witness):
    """Watches every other tick."""

    def setup(self, path_to_conf_file):
        super().setup(path_to_conf_file)
        self._lines, self._ticks = [], 0

    def run_step(self, input_data, timestamp):
        self._ticks += 1
        if self._ticks % 2 == 0:
            self._note()
        return super().run_step(input_data, timestamp)

    def _note(self):
        hero = CarlaDataProvider.get_hero_actor()
        if hero is None:
            return
        others = {}
        for actor in CarlaDataProvider.get_world().get_actors():
            role = actor.attributes.get("role_name", "")
            place = actor.get_location()
            if (
                not actor.type_id.startswith(BODIES)
                or role in ("hero", "background")
                or place.z < BELOW_GROUND_M
            ):
                continue
            others[actor.id] = [actor.type_id, place.x, -place.y, actor.get_velocity().length()]
        here = hero.get_location()
        ego = [here.x, -here.y, hero.get_velocity().length()]
        self._lines.append(json.dumps({"time_s": GameTime.get_time(), "ego": ego, "others": others}))

    def destroy(self):
        with open(self._path + ".tracks", "w", encoding="utf-8") as file:
            file.write("\n".join(self._lines))
        super().destroy()
