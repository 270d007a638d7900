"""Drives the hero of ScenarioRunner's examples, which wait for somebody at the wheel, and watches the others.

A client beside scenario_runner.py, with CARLA's own BasicAgent: `chauffeur.py HOST PORT REPORT`. Follows its lane at
30 km/h and drives on past what keeps it standing for 20 s; writes its report when it is told to end.
"""

import contextlib
import json
import random
import signal
import sys

import carla
from agents.navigation.basic_agent import BasicAgent
from sightings import Sightings

STANDING_S, STANDING_MPS = 20.0, 0.1
JUMP_M = 25.0


class Chauffeur:
    """At the wheel of whatever hero the world has."""

    def __init__(self, client):
        self._client = client
        self._world = client.get_world()
        self._driver = self._hero_id = self._standing_since_s = self._first_s = None
        self._sightings = Sightings()
        self.report = {"jumps": 0, "actors": [], "game_s": 0.0}

    def step(self):
        now_s = self._world.wait_for_tick(2.0).timestamp.elapsed_seconds
        actors = self._world.get_actors()
        hero = next((a for a in actors.filter("vehicle.*") if a.attributes.get("role_name") == "hero"), None)
        self._sightings.look(self._world)
        seen = self._sightings.actors()
        if hero is None:
            self.report["actors"] = seen
            self._world, self._driver = self._client.get_world(), None  # perhaps a new one was loaded
            return
        if self._driver is None or hero.id != self._hero_id:
            self._driver, self._hero_id = BasicAgent(hero, 30), hero.id
            self._first_s = now_s if self._first_s is None else self._first_s
        self.report.update(actors=seen, game_s=round(now_s - self._first_s, 2))
        self._pass_what_stands(hero, now_s)
        hero.apply_control(self._driver.run_step())

    def _pass_what_stands(self, hero, now_s):
        if hero.get_velocity().length() > STANDING_MPS:
            self._standing_since_s = None
        elif self._standing_since_s is None:
            self._standing_since_s = now_s
        elif now_s - self._standing_since_s > STANDING_S:
            ahead = self._world.get_map().get_waypoint(hero.get_location()).next(JUMP_M)
            if ahead:
                pose = ahead[0].transform
                pose.location.z += 0.3
                hero.set_transform(pose)
                self._driver = BasicAgent(hero, 30)
                self.report["jumps"] += 1
            self._standing_since_s = None


def main():
    random.seed(0)  # which way the agent takes where its lane forks
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    client = carla.Client(sys.argv[1], int(sys.argv[2]))
    client.set_timeout(30.0)
    chauffeur = Chauffeur(client)
    try:
        while True:
            with contextlib.suppress(RuntimeError):  # the scenario took an actor or the whole world away
                chauffeur.step()
    finally:
        with open(sys.argv[3], "w", encoding="utf-8") as file:
            json.dump(chauffeur.report, file)


if __name__ == "__main__":
    main()
