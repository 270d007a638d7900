"""What is shown while driving fits a terminal of 80 columns and says what is going on."""

from __future__ import annotations

import io
import re
from dataclasses import replace

import numpy as np
import pytest
from rich.cells import cell_len
from rich.console import Console

from drive_agent.drive.progress import DriveProgress, describe, glimpse_of
from drive_agent.types import (
    Command,
    ControlTerms,
    Decision,
    LightState,
    ObjectKind,
    Plan,
    Scene,
    SceneObject,
)
from tests.worlds import truth

TERMS = ControlTerms(12.5, 0.0, 0.0, 0.0, 0.0, saturated=False)
PLAN = Plan(0, np.array([[0.0, 0.0], [9.0, 0.0]]), np.array([1.0]), np.array([5.0]), "stop sign ahead")
OBJECT = SceneObject(ObjectKind.VEHICLE, 0.9, 12.0, 0.0, 0.0, 3.0)
DECISION = Decision(
    Command(0.75, -0.25, 1.0), TERMS, TERMS, "", PLAN, scene=Scene((OBJECT,) * 32, LightState.YELLOW, 0.9, 49.0)
)  # fmt: skip
RULES = ("", "no plan yet", "plan too old", "command not finite", "command out of range")


def console(*, terminal: bool) -> tuple[Console, io.StringIO]:
    screen = io.StringIO()
    return Console(file=screen, width=80, height=24, force_terminal=terminal, color_system=None), screen


@pytest.mark.parametrize("rule", RULES)
def test_two_lines_say_how_it_drives_and_what_it_sees(rule):
    moves, says = describe(truth(1, 3.0, speed_mps=13.9), replace(DECISION, guard=rule))
    assert "speed 13.9 m/s" in moves.plain and "target 12.5" in moves.plain and "steer -0.25" in moves.plain
    assert (
        "light yellow" in says.plain
        and "ahead 49 m" in says.plain
        and "32 road users" in says.plain
        and rule in says.plain
    )
    assert max(cell_len(moves.plain), cell_len(says.plain)) <= 80


def test_without_a_scene_the_plans_reason_is_told():
    _, says = describe(truth(1, 3.0), replace(DECISION, scene=None))
    assert "stop sign ahead" in says.plain
    moves, says = describe(truth(1, 3.0), replace(DECISION, scene=None, plan=None))
    assert "target   - " in moves.plain and not says.plain.strip()


@pytest.mark.parametrize("rule", RULES)
def test_the_live_panel_fits_80_columns(rule):
    shown, screen = console(terminal=True)
    with DriveProgress(shown, total_routes=220) as panel:
        for worker, label in enumerate(("23687 rep 0", "23687 rep 1")):
            panel.begin(worker, label)
        for tick, percent in enumerate((0.0, 40.0, 100.0)):
            now = truth(tick, percent, speed_mps=13.9)
            for worker in (0, 1):
                panel.show(worker, glimpse_of(now, replace(DECISION, guard=rule), percent, 5.0))
        panel.end(0, finished=True)
    lines = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue()).replace("\r", "\n").split("\n")
    assert max(cell_len(line.rstrip()) for line in lines) <= 80
    assert any(line.startswith("all routes") and "ETA" in line for line in lines)
    assert any(
        line.startswith("route 23687 rep 1") and "100 %" in line and "real time" in line for line in lines
    )
    assert any(rule in line for line in lines)


def test_elsewhere_a_line_comes_now_and_then():
    shown, screen = console(terminal=False)
    with DriveProgress(shown, total_routes=1) as panel:
        panel.begin(0, "7 rep 0")
        for tick in range(101):
            panel.show(0, glimpse_of(truth(tick, tick), DECISION, float(tick), tick / 20))
        panel.end(0, finished=True)
    lines = screen.getvalue().splitlines()
    assert [line.split("%")[0].split()[-1] for line in lines] == ["25", "50", "75", "100"]
    assert all(line.startswith("  route 7 rep 0:") and "x real time" in line for line in lines)
