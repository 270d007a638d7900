"""Logs of older schemas, read as if they were written today.

One function a step and topic, from the plain JSON value of one version to that of the next; `log.schema` alone says what
today's version holds. Knows nothing of files.

| version | what it brought                                                                                       |
|---------|-------------------------------------------------------------------------------------------------------|
| 1       | the first                                                                                             |
| 2       | the route's own description in the header, the agent's own state on every tick, times of reply tokens |
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from drive_agent.log import schema

Step = Callable[[dict], dict]


def _header_2(plain: dict) -> dict:
    return {"scenario_types": [], "route_spec": {}, **plain, "schema_version": 2}


def _tick_2(plain: dict) -> dict:
    """The agent's own state was written with its frames only."""
    frame, reply = plain["frame"], plain["reply"]
    return {
        **plain,
        "ego": frame and frame["ego"],
        "reply": reply and {**reply, "token_times_ms": []},
    }


STEPS: Mapping[int, Mapping[str, Step]] = {
    1: {schema.RUN: _header_2, schema.TICK: _tick_2}
}  # version -> to the next


class Upgrade:
    """Brings messages of one log, written under `version`, to today's schema. Raises ValueError for unknown versions."""

    def __init__(self, version: object) -> None:
        if not isinstance(version, int) or not (min(STEPS) <= version <= schema.SCHEMA_VERSION):
            raise ValueError(f"log schema {version!r}, expected {min(STEPS)} to {schema.SCHEMA_VERSION}")
        self._steps = [STEPS[step] for step in range(version, schema.SCHEMA_VERSION)]

    def __call__(self, topic: str, plain: dict) -> dict:
        for step in self._steps:
            if topic in step:
                plain = step[topic](plain)
        return plain
