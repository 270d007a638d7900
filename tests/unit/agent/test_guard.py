"""The last gate: every rule, and which one spoke."""

import math

import pytest

from drive_agent.agent.guard import GuardConfig, check
from drive_agent.types import Command


@pytest.mark.parametrize(
    ("command", "age_s", "rule"),
    [
        (Command(0.5, 0.1, 0.0), 0.2, ""),
        (None, 0.0, "no plan yet"),
        (Command(0.5, 0.1, 0.0), 1.2, "plan too old"),
        (Command(math.nan, 0.1, 0.0), 0.0, "command not finite"),
        (Command(0.5, math.inf, 0.0), 0.0, "command not finite"),
        (Command(1.5, -2.0, 0.0), 0.0, "command out of range"),
    ],
)
def test_rules(command, age_s, rule):
    sent, spoke = check(command, age_s, GuardConfig())
    assert spoke == rule
    assert 0 <= sent.throttle <= 1 and -1 <= sent.steer <= 1 and 0 <= sent.brake <= 1
    if rule in ("no plan yet", "plan too old", "command not finite"):
        assert sent.throttle == 0 and sent.brake > 0
