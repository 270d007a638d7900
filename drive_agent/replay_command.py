"""`drive-agent replay`: look at logs, ask the model again, drive on from a moment, compare, film, export, keep a failure.

Each verb builds its parts, runs them and prints. What they do is done elsewhere: `replay` shows and compares, `ask` asks,
`drive.fork` drives.
"""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Callable, Iterable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import track
from rich.table import Table

from drive_agent.config import ConfigError, DriveConfig, build, compose, conf_dir, did_you_mean
from drive_agent.log.store import Episode
from drive_agent.replay_tables import plain_answer, print_answer, print_answers, print_imported
from drive_agent.score.judged import logs_in

if TYPE_CHECKING:
    from drive_agent.ask import Edit
    from drive_agent.drive.fork import Changes

HELP = """usage: drive-agent replay VERB RUN [key=value ...]

  view     a local page: timeline, cameras, view from above, conversation
  ask      the model again, on exactly what it saw; a whole route gives a table
  fork     the world at a moment again, then driven on by another model, in other weather, ...
  compare  two drives of a route: where they part first, and why
  video    a drive as a video for people
  export   foxglove, csv, carla_recorder, nuscenes
  import   a recording of CARLA's recorder, with the Leaderboard's results, as a run of ours
  keep     a drive's route and scenarios as a file of their own, to drive them again when the code has changed

RUN is a run folder, the folder of one of its routes, or a log.mcap; route= chooses one of several.

  drive-agent replay view runs/NAME                            opens the page; port=8000 open=false
  drive-agent replay view runs/A runs/B                        side by side on one time base
  drive-agent replay view runs/NAME follow=true                while it drives
  drive-agent replay ask runs/NAME route=4_rep0 at=41.3        nothing changed: the same reply
  drive-agent replay ask runs/NAME route=4_rep0 model=embedded model.weights=DIR
  drive-agent replay ask runs/NAME route=4_rep0 at=41.3 without=narrow prompt.speed_mps=3
  drive-agent replay fork runs/NAME route=4_rep0 at=39 out=runs/fork model=expert
  drive-agent replay fork runs/NAME route=4_rep0 at=39 out=runs/fork without=264 weather.fog_density=80
  drive-agent replay compare runs/A runs/B [format=json]
  drive-agent replay video runs/NAME route=4_rep0 out=drive.mp4
  drive-agent replay export csv runs/NAME route=4_rep0 out=DIR
  drive-agent replay export nuscenes runs/NAME out=DIR         every route as a scene; any nuScenes tool reads it
  drive-agent replay import RouteScenario_12_rep0.log results=results.json routes=FILE.xml map=Town01.xodr
  drive-agent replay keep runs/NAME route=4_rep0 out=failure.xml"""

# Settings that decide what is driven, not how the drive is carried out.
DECIDING = (
    "model.",
    "control.",
    "guard.",
    "traffic.",
    "tick_s",
    "blackout",
    "scenarios",
    "agent",
    "carla.maps",
)
PROMPT_KEYS = ("prompt.text", "prompt.speed_mps", "prompt.maneuver", "prompt.maneuver_m")


def run(words: list[str], console: Console) -> int:
    """One verb; the exit code. Raises ConfigError for a wrong call."""
    if not words or words[0] not in VERBS:
        hint = did_you_mean(words[0], list(VERBS)) if words else ""
        raise ConfigError(f"replay needs one of {', '.join(VERBS)}{hint}; drive-agent replay --help")
    return VERBS[words[0]](words[1:], console)


def _view(words: list[str], console: Console) -> int:
    from replay.viewer.server import ViewerServer, open_runs

    paths, given = _split(words, ("port", "open", "follow", "route", "at"))
    server = ViewerServer(open_runs(paths), _number(given, "port", 0, int))
    moment = f"#t={_number(given, 'at', 0.0, float):.2f}" + (
        f"&route={given['route']}" if "route" in given else ""
    )
    address = server.address + moment + ("&live" if _flag(given, "follow", default=False) else "")
    console.print(f"viewing {', '.join(paths)} at {address}   (ctrl-c ends it)", soft_wrap=True)
    if _flag(given, "open", default=True):
        webbrowser.open(address)
    try:
        server.serve()
    except KeyboardInterrupt:
        console.print("closed")
    return 0


def _ask(words: list[str], console: Console) -> int:
    from drive_agent.ask import ask_all, ask_at
    from drive_agent.drive.drivers import AgentDriver
    from drive_agent.drive.roster import make_driver

    paths, given = _split(words, ("route", "at", "without", "format", "all", *PROMPT_KEYS), settings=True)
    log = _one_log(paths, given)
    with Episode.open(log) as episode:
        config = _config_of(episode, log, given)
        driver = make_driver(config)
        if not isinstance(driver, AgentDriver):
            raise ConfigError(
                f"model.kind={config.model.kind} is no model that could be asked; choose another model="
            )
        same = config.model.kind == episode.header.config["model"]["kind"]
        edit = _edit_of(given)
        if "at" in given:
            asked = [ask_at(episode, driver.agent, _number(given, "at", 0.0, float), edit, same_model=same)]
        else:
            questions = ask_all(episode, driver.agent, edit, same_model=same)
            count = sum(record.prompt is not None for _, record in episode.ticks())
            asked = list(track(questions, "asking", total=count, console=console, transient=True))
    if given.get("format") == "json":
        _write_json([plain_answer(one) for one in asked], console)
    elif "at" in given:
        print_answer(asked[0], console)
    else:
        print_answers(asked, console, everything=_flag(given, "all", default=False))
    return 0


def _fork(words: list[str], console: Console) -> int:
    from drive_agent.drive.fork import fork
    from drive_agent.drive.provenance import write_config
    from drive_agent.score.formula import score
    from drive_agent.score.judged import judge_log

    paths, given = _split(
        words, ("route", "at", "out", "without", "exact"), settings=True, prefixes=("weather.",)
    )
    log = _one_log(paths, given)
    if "at" not in given:
        raise ConfigError("fork needs a moment: at=SECONDS after the drive's first tick")
    out = Path(given.get("out") or f"runs/fork_{log.parent.name}_{given['at']}")
    if (out / "config.yaml").exists():
        raise ConfigError(f"out={out} already holds a run; give another out=")
    with Episode.open(log) as episode:
        config = replace(_config_of(episode, log, given), out=str(out))
    folder = out / "routes" / log.parent.name
    done = fork(
        log, _number(given, "at", 0.0, float), config, folder / "log.mcap", _changes_of(given),
        exact=_flag(given, "exact", default=True),
    )  # fmt: skip
    write_config(out / "config.yaml", config)
    for name, path in (("before", log), ("forked", folder / "log.mcap")):
        judged = judge_log(path)
        points = score("2.1", judged.completion_percent, judged.events).driving
        what = ", ".join(event.kind for event in judged.events) or "no infractions"
        console.print(
            f"{name}  score {points:5.1f}  completion {judged.completion_percent:5.1f} %  {judged.status}  {what}"
        )
    console.print(
        f"before the fork nobody was more than {done.deviation_m:.3g} m from where the log saw them"
    )
    console.print(
        f"side by side: drive-agent replay view {log.parent} {folder} at={given['at']}", soft_wrap=True
    )
    return 0


def _compare(words: list[str], console: Console) -> int:
    from replay.compare import compare_logs

    paths, given = _split(words, ("format", "route"), count=2)
    pairs = _pairs_of_logs(paths[0], paths[1], given.get("route"))
    parted = {name: compare_logs(a, b) for name, (a, b) in pairs.items()}
    if given.get("format") == "json":
        _write_json({name: one.plain() for name, one in parted.items()}, console)
        return 0
    table = Table("route", "parts at", "cause", "what", box=None, header_style="dim")
    for name, one in parted.items():
        table.add_row(name, "never" if one.time_s is None else f"{one.time_s:.2f} s", one.cause, one.what)
    console.print(table)
    first = next((name for name, one in parted.items() if one.time_s is not None), None)
    if first is not None:
        (a, b), at = pairs[first], parted[first].time_s
        console.print(f"look: drive-agent replay view {a.parent} {b.parent} at={at:.2f}", soft_wrap=True)
    return 0


def _video(words: list[str], console: Console) -> int:
    from replay.video import write_video

    paths, given = _split(words, ("route", "out", "fps"))
    log = _one_log(paths, given)
    out = Path(given.get("out") or log.with_name("video.mp4"))
    console.print(str(write_video(log, out, _number(given, "fps", 10, int))))
    return 0


def _export(words: list[str], console: Console) -> int:
    from replay.exports import EXPORTS

    if words and words[0] == "nuscenes":
        return _export_nuscenes(words[1:], console)
    if not words or words[0] not in EXPORTS:
        hint = did_you_mean(words[0], list(EXPORTS)) if words else ""
        raise ConfigError(
            f"export needs one of {', '.join(EXPORTS)}, nuscenes{hint}: drive-agent replay export csv runs/NAME"
        )
    paths, given = _split(words[1:], ("route", "out"))
    log = _one_log(paths, given)
    out = Path(given["out"]) if "out" in given else log.parent
    for path in EXPORTS[words[0]](log, out):
        console.print(str(path))
    return 0


def _export_nuscenes(words: list[str], console: Console) -> int:
    """All routes of a run, or one log, as one nuScenes folder."""
    from drive_agent.data.export import export_run

    [path], given = _split(words, ("out",), count=1)
    if "out" not in given:
        raise ConfigError("export nuscenes needs out=FOLDER, the nuScenes root to write")
    console.print(str(export_run(Path(path), Path(given["out"]))))
    return 0


def _import(words: list[str], console: Console) -> int:
    from drive_agent.drive.importing import Sources, import_recording

    [path], given = _split(
        words, ("results", "routes", "route", "map", "ego", "out"), count=1, what="recording (FILE.log)"
    )
    out = Path(given.get("out") or f"runs/{Path(path).stem}")
    sources = Sources(
        recording=Path(path),
        results=Path(given["results"]) if "results" in given else None,
        routes=given.get("routes"),
        route=given.get("route"),
        maps=Path(given["map"]) if "map" in given else None,
        ego=_number(given, "ego", None, int),
    )
    print_imported(import_recording(sources, out), out, console)
    return 0


def _keep(words: list[str], console: Console) -> int:
    from drive_agent.drive.fork import spec_of
    from scenarios.route_file import route_text

    paths, given = _split(words, ("route", "out", "id"))
    log = _one_log(paths, given)
    with Episode.open(log) as episode:
        header, spec = episode.header, spec_of(episode.header, log)
    out = Path(given.get("out") or f"kept_{spec.id}.xml")
    if out.exists():
        raise ConfigError(f"out={out} is there already; give another out=")
    settings = " ".join(_settings_again(header.config))
    call = f"drive-agent drive routes={out} seed={header.seed} {settings}"
    out.write_text(route_text((replace(spec, id=given.get("id", spec.id)),), f"{log.parent.name}: {call}"))
    console.print(f"{out}: the same drive again is `{call}`", soft_wrap=True)
    return 0


VERBS: dict[str, Callable[[list[str], Console], int]] = {
    "view": _view, "ask": _ask, "fork": _fork, "compare": _compare, "video": _video, "export": _export,
    "import": _import, "keep": _keep,
}  # fmt: skip


# ---- words in, values out ------------------------------------------------------------------------------------------------


def _split(
    words: list[str],
    known: tuple[str, ...],
    *,
    count: int | None = None,
    settings: bool = False,
    prefixes: tuple[str, ...] = (),
    what: str = "run folder",
) -> tuple[list[str], dict[str, str]]:
    """Paths and key=value pairs. With `settings`, keys of `drive-agent drive` are known too."""
    flag = next((word for word in words if word.startswith("--")), None)
    if flag is not None:
        raise ConfigError(
            f"{flag}: settings are given as key=value, e.g. {flag.lstrip('-').partition('=')[0]}=true"
        )
    paths = [word for word in words if "=" not in word]
    given: dict[str, str] = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            continue
        mine = key in known or key.startswith(prefixes)
        if not mine and not (settings and _is_setting(key)):
            raise ConfigError(
                f"unknown key {key!r}{did_you_mean(key, list(known))}; known: {', '.join(known)}"
            )
        given[key] = value
    if not paths or (count is not None and len(paths) != count):
        wanted = f"{count} {what}s" if count and count > 1 else f"a {what}"
        example = "runs/A runs/B" if count == 2 else "runs/NAME"
        raise ConfigError(
            f"expected {wanted}{'' if 'FILE' in what else f' ({example})'}, got {' '.join(paths) or 'none'}"
        )
    return paths, given


def _is_setting(key: str) -> bool:
    return key.split(".")[0] in ("model", "control", "guard", "carla", "blackout")


def _config_of(episode: Episode, log: Path, given: dict[str, str]) -> DriveConfig:
    """The drive's own settings, with what is given changed; model=NAME takes the whole group of that name.

    A setting that came after the log has today's value: what is new is off unless one asks for it.
    """
    if episode.header.config["model"]["kind"] == "recorded" and "model" not in given:
        raise ConfigError(f"{log} was imported: no model of ours drove it; give one, e.g. model=embedded")
    today = compose("drive", [])
    values = _over(today, episode.header.config)
    overrides = [f"{key}={value}" for key, value in given.items() if _is_setting(key)]
    composed = compose("drive", overrides)
    for key in (key for key in given if _is_setting(key)):
        group, *path = key.split(".")
        if not path:
            values[group] = composed[group]
        else:
            target, source = values[group], composed[group]
            for part in path[:-1]:
                target, source = target[part], source[part]
            target[path[-1]] = source[path[-1]]
    try:
        return build(DriveConfig, values)
    except ConfigError as error:
        raise ConfigError(
            f"{log} was driven by another version ({error}); give the group anew, e.g. model=embedded"
        ) from error


def _settings_again(config: dict) -> list[str]:
    """The words after `drive-agent drive` that give these settings again, as far as they decide what is driven."""
    groups = {
        path.stem: compose("drive", [f"model={path.stem}"]) for path in (conf_dir() / "model").glob("*.yaml")
    }
    kind = config["model"]["kind"]
    group = next((name for name, values in groups.items() if values["model"]["kind"] == kind), None)
    if group is None:  # a class of the user's own
        words, today = [f"model.kind={kind}"], compose("drive", [])
    else:
        words, today = [f"model={group}"], groups[group]
    usual = dict(_leaves(asdict(build(DriveConfig, today))))
    return words + [
        f"{key}={_as_word(value)}"
        for key, value in _leaves(config)
        if key.startswith(DECIDING) and key != "model.kind" and key in usual and usual[key] != value
    ]


def _leaves(values: dict, prefix: str = "") -> Iterable[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _as_word(value: Any) -> str:
    """A value as it is written after key=."""
    return value if isinstance(value, str) else json.dumps(value)


def _over(below: dict, above: dict) -> dict:
    """Nested values, those of `above` where both have some."""
    both = {key: _over(below[key], value) if isinstance(value, dict) and isinstance(below.get(key), dict) else value
            for key, value in above.items()}  # fmt: skip
    return {**below, **both}


def _one_log(paths: list[str], given: dict[str, str]) -> Path:
    """The log that is meant. Raises ConfigError when there are several and route= does not choose."""
    if len(paths) != 1:
        raise ConfigError(f"expected one run folder, got {paths}")
    logs = {log.parent.name: log for log in _logs(Path(paths[0]))}
    wanted = given.get("route")
    if wanted is None:
        if len(logs) == 1:
            return next(iter(logs.values()))
        raise ConfigError(f"{paths[0]} has several drives: give route=, one of {', '.join(logs)}")
    found = logs.get(wanted) or logs.get(f"{wanted}_rep0")
    if found is None:
        raise ConfigError(
            f"route={wanted}: {paths[0]} has {', '.join(logs)}{did_you_mean(wanted, list(logs))}"
        )
    return found


def _logs(path: Path) -> Iterable[Path]:
    if path.is_file():
        return [path]
    logs = (
        [path / "log.mcap"]
        if (path / "log.mcap").is_file()
        else [log for log in logs_in(path) if log.is_file()]
    )
    if not logs:
        raise ConfigError(
            f"{path} holds no drive, expected a run folder with routes/*/log.mcap, or a log.mcap"
        )
    return logs


def _pairs_of_logs(a: str, b: str, route: str | None) -> dict[str, tuple[Path, Path]]:
    """Logs of the same route, by its name; two single logs are a pair whatever they are called."""
    first, second = ({log.parent.name: log for log in _logs(Path(path))} for path in (a, b))
    if len(first) == len(second) == 1:
        [name], [log_a], [log_b] = first, first.values(), second.values()
        return {name: (log_a, log_b)}
    common = [name for name in first if name in second and route in (None, name, name.rpartition("_rep")[0])]
    if not common:
        raise ConfigError(f"{a} and {b} share no route: {', '.join(first)} and {', '.join(second)}")
    return {name: (first[name], second[name]) for name in common}


def _edit_of(given: dict[str, str]) -> Edit:
    from drive_agent.ask import Edit
    from drive_agent.types import Maneuver

    maneuver = given.get("prompt.maneuver")
    if maneuver is not None and maneuver.upper() not in Maneuver.__members__:
        raise ConfigError(
            f"prompt.maneuver={maneuver}: expected one of {', '.join(m.name.lower() for m in Maneuver)}"
        )
    return Edit(
        without=tuple(filter(None, given.get("without", "").split(","))),
        text=given.get("prompt.text"),
        speed_mps=_number(given, "prompt.speed_mps", None, float),
        maneuver=None if maneuver is None else Maneuver[maneuver.upper()],
        maneuver_m=_number(given, "prompt.maneuver_m", None, float),
    )


def _changes_of(given: dict[str, str]) -> Changes:
    from drive_agent.drive.fork import Changes
    from scenarios.routes import WEATHER_DEFAULTS

    weather = {key.removeprefix("weather."): key for key in given if key.startswith("weather.")}
    for name, key in weather.items():
        if name not in WEATHER_DEFAULTS:
            raise ConfigError(
                f"unknown key {key!r}{did_you_mean(name, list(WEATHER_DEFAULTS))}: CARLA's weather has no such"
            )
    without = [word for word in given.get("without", "").split(",") if word]
    if not all(word.isdecimal() for word in without):
        raise ConfigError(
            f"without={given['without']}: expected ids of actors as the log names them, e.g. without=264,270"
        )
    return Changes(
        {name: _number(given, key, 0.0, float) for name, key in weather.items()}, tuple(map(int, without))
    )


def _number(given: dict[str, str], key: str, default: Any, kind: Callable[[str], Any]) -> Any:
    if key not in given:
        return default
    try:
        return kind(given[key])
    except ValueError as error:
        raise ConfigError(f"{key}={given[key]}: expected a number") from error


def _flag(given: dict[str, str], key: str, *, default: bool) -> bool:
    if given.get(key, "true") not in ("true", "false"):
        raise ConfigError(f"{key}={given[key]}: expected true or false")
    return given[key] == "true" if key in given else default


def _write_json(value: Any, console: Console) -> None:
    console.print(json.dumps(value, indent=1), soft_wrap=True, markup=False, highlight=False)
