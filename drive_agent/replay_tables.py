"""What `drive-agent replay` answers, as tables for people and as plain values for programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from drive_agent.types import PlanError

if TYPE_CHECKING:
    from drive_agent.ask import Answer, Asked
    from drive_agent.drive.importing import Imported


def _plan_words(answer: Answer) -> str:
    if isinstance(answer.plan, PlanError):
        return f"no plan: {answer.plan.reason}"
    return f"{answer.plan.speeds_mps[-1]:.1f} m/s in {answer.plan.speed_times_s[-1]:g} s"


def _light_words(answer: Answer) -> str:
    return "" if answer.scene is None else answer.scene.light.name.lower()


def print_answer(asked: Asked, console: Console) -> None:
    """One question: what was asked, and the answers of then and of now side by side."""
    from drive_agent.score.planned import STEPS_S, plan_poses

    console.print(f"asked at {asked.time_s:.2f} s")
    for message in asked.prompt.messages:
        content = message["content"]
        words = content if isinstance(content, str) else " ".join(p.get("text", "<picture>") for p in content)
        console.print(f"  {message['role']}: {words}", markup=False)
    table = Table("", "then", "now", box=None, header_style="dim")
    if asked.then.reply.text or asked.now.reply.text:
        table.add_row("reply", asked.then.reply.text or "", asked.now.reply.text or "")
    table.add_row("plan", _plan_words(asked.then), _plan_words(asked.now))
    for name, side in (
        ("sees light", _light_words),
        ("sees", lambda answer: str(len(answer.scene.objects)) + " road users" if answer.scene else ""),
    ):
        table.add_row(name, side(asked.then), side(asked.now))
    plans = [answer.plan for answer in (asked.then, asked.now)]
    if not any(isinstance(plan, PlanError) for plan in plans):
        there = [plan_poses(plan) for plan in plans]  # type: ignore[arg-type]
        for k, second in enumerate(STEPS_S):
            table.add_row(
                f"in {second:g} s",
                *(f"{points[k][0]:6.2f} ahead {points[k][1]:+6.2f} left" for points in there),
            )
    console.print(table)
    if asked.identical:
        console.print("the reply is identical to the last bit")
    elif asked.path_m is not None:
        console.print(
            f"the replies differ: waypoints {asked.path_m:.2f} m apart on average, {asked.speed_mps:+.2f} m/s at the end"
            + (" - another decision" if asked.decided_otherwise else "")
        )


def print_imported(done: Imported, out: Path, console: Console) -> None:
    """What came of a recording: its infractions by the results file and by our judge, and where to look."""
    from replay.captions import title

    console.print(
        f"{done.log}: {done.town}, {done.ego}, {done.ticks} ticks, {done.seconds:.2f} s", soft_wrap=True
    )
    if done.missing:
        console.print(f"the recording is {done.missing}", soft_wrap=True)
    if done.official is not None:
        score = f"score {done.official.score_composed:.1f}, completion {done.official.score_route:.1f} %"
        console.print(f"the results file says: {done.official.status}, {score}")
    if done.infractions:
        table = Table("infraction", "results file", "our judge", box=None, header_style="dim")
        for one in done.infractions:
            told = "" if not one.is_told else "no place" if one.told_s is None else f"{one.told_s:.2f} s"
            table.add_row(title(one.kind), told, "" if one.judged_s is None else f"{one.judged_s:.2f} s")
        console.print(table)
    at_s = next((one.at_s for one in done.infractions if one.at_s is not None), 0.0)
    console.print(f"look: drive-agent replay view {out} at={max(at_s - 2.0, 0.0):.2f}", soft_wrap=True)


def print_answers(asked: list[Asked], console: Console, *, everything: bool) -> None:
    """A route's questions: those that were decided otherwise, or all."""
    otherwise = [one for one in asked if one.decided_otherwise]
    shown = asked if everything else otherwise
    if shown:
        table = Table("at", "then", "now", "apart", "faster", "light", box=None, header_style="dim")
        for one in shown:
            lights = [light.name.lower() if light is not None else "" for light in one.lights]
            table.add_row(
                f"{one.time_s:.2f} s", _plan_words(one.then), _plan_words(one.now),
                "" if one.path_m is None else f"{one.path_m:.2f} m", "" if one.speed_mps is None else f"{one.speed_mps:+.1f} m/s",
                lights[0] if lights[0] == lights[1] else f"{lights[0]} -> {lights[1]}",
            )  # fmt: skip
        console.print(table)
    same = sum(one.identical for one in asked)
    questions = "1 question" if len(asked) == 1 else f"{len(asked)} questions"
    console.print(f"{questions}: {same} replies identical, {len(otherwise)} other decisions")


def plain_answer(one: Asked) -> dict:
    """One question and its two answers, for JSON."""
    return {
        "time_s": one.time_s, "identical": one.identical, "decided_otherwise": one.decided_otherwise,
        "waypoints_m": one.path_m, "faster_mps": one.speed_mps, "then": _plan_words(one.then), "now": _plan_words(one.now),
        "reply_then": one.then.reply.text, "reply_now": one.now.reply.text,
        "lights": [None if light is None else light.name.lower() for light in one.lights],
    }  # fmt: skip
