"""`drive-agent replay`: the settings that `keep` writes down give the same drive again."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from drive_agent.config import DriveConfig, build, compose
from drive_agent.replay_command import _settings_again


@pytest.mark.parametrize(
    "words",
    [
        ["model=embedded"],
        ["model=expert", "traffic.vehicles=3", "tick_s=0.025"],
        ["model=mimo_embodied_7b", "model.vlm.precision=int8", "guard.plan_hold_s=2.0"],
        ["model.kind=my.module:Class", "blackout=true"],
    ],
)
def test_settings_are_written_as_they_were_given(words):
    config = asdict(build(DriveConfig, compose("drive", [*words, "out=runs/x", "workers=2", "video=false"])))
    again = _settings_again(config)
    assert sorted(again) == sorted(words)
    assert asdict(build(DriveConfig, compose("drive", again)))["model"] == config["model"]
