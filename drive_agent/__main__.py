"""The command line: a short table of verbs. Each builds its parts, runs them, and prints; errors are one line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from rich.console import Console

from drive_agent.config import ConfigError, did_you_mean

USAGE = """usage: drive-agent VERB [key=value ...] [--help] [--debug]

  drive      closed loop over routes, scored        drive-agent drive model=expert seed=1
  config     write a resolved configuration         drive-agent config config.yaml model=embedded
  sim        the embedded CARLA server alone        drive-agent sim port=2000 town=Brookfield
  score      scores of a run, from its raw logs     drive-agent score runs/NAME version=2.1
  compare    is one run better than another?        drive-agent compare runs/A runs/B
  replay     look, ask again, drive on from there   drive-agent replay view runs/NAME
  scenarios  towns, routes, scenarios: list, show   drive-agent scenarios list
  openloop   planned paths against recorded ones    drive-agent openloop data=nuscenes
  collect    demonstrations to learn from           drive-agent collect out=DIR
  train      the four stages                        drive-agent train stage=2
  eval       held-out frames, before driving        drive-agent eval task=driving
  serve      a model behind an OpenAI endpoint      drive-agent serve port=8000
  doctor     what this machine can do               drive-agent doctor

`drive-agent VERB --help` shows a verb's keys and examples. Exit code: 0 done, 2 wrong call, 1 failed."""

LIVE = "live=true"

DRIVE_HELP = """usage: drive-agent drive [key=value ...]

Drives routes in closed loop, logs everything, scores it, makes videos and a report.

  drive-agent drive                                three routes through Brookfield, embedded model
  drive-agent drive model=expert routes=second     the privileged driver on a town no training saw
  drive-agent drive town=my.xodr routes=random:3   three routes drawn on your own OpenDRIVE map
  drive-agent drive routes=my.xml carla=remote carla.host=10.0.0.5 carla.port=2000
  drive-agent drive out=runs/mine resume=true      go on where a run was interrupted
  drive-agent drive routes=bench workers=4         four routes at a time, each on a server of its own
  drive-agent drive agent=my_agent.py              an AutonomousAgent of your own (docs/runner.md)
  drive-agent drive blackout=true                  black pictures: what is left without seeing
  drive-agent drive live=true                      watch it in a browser while it drives
  drive-agent drive attach=true carla=remote       a guest in a world that already runs: roams until Ctrl-C

keys and their values:
"""

CONFIG_HELP = """usage: drive-agent config FILE [key=value ...]

Writes a resolved configuration of `drive-agent drive` for programs that cannot compose one: the Leaderboard's evaluator
takes it as --agent-config. Give the evaluator's route file as routes=, and out= for the logs.

  drive-agent config config.yaml routes=my.xml out=runs/official
  drive-agent config config.yaml model=scripted

keys and their values:
"""

SIM_HELP = """usage: drive-agent sim [port=2000] [town=Brookfield] [maps=DIR] [seed=0] [threads=1] [rendering=true] [recordings=DIR]

The embedded CARLA server for any carla 0.9.16 client. Prints `listening on HOST:PORT` when ready.

  drive-agent sim
  drive-agent sim port=2100 town=random:7
  drive-agent sim town=my_map.xodr rendering=false
  drive-agent sim town=Town01 maps=DIR             a folder of .xodr files, for instance CARLA's own"""

SCORE_HELP = """usage: drive-agent score RUN [version=1.0|2.0|2.1|bench2drive] [format=text|json] [routes=FILE.xml]

Recomputes every score of a run folder from its raw logs; or of official result files (one, or a folder of shards), from
the events in them. routes= names the routes that were asked for, so that missing ones are named too.

  drive-agent score runs/NAME
  drive-agent score runs/NAME version=2.0 format=json
  drive-agent score results/ version=bench2drive routes=bench2drive220.xml"""

COMPARE_HELP = """usage: drive-agent compare RUN_A RUN_B [version=1.0|2.0|2.1|bench2drive] [format=text|json]

Pairs the routes of two runs (or of official result files) and says whether one is better, with a 95 %
confidence interval; the routes that moved most, where their drives part, and the settings that differ.

  drive-agent compare runs/before runs/after
  drive-agent compare runs/before runs/after version=bench2drive format=json"""

OPENLOOP_HELP = """usage: drive-agent openloop data=FOLDER [key=value ...]

Scores planned paths by every published nuScenes protocol and an exact one, with trivial baselines beside them.

  drive-agent openloop data=/data/nuscenes version=v1.0-trainval split=val plans=my_planner.json
  drive-agent openloop data=/data/nuscenes version=v1.0-mini model=embedded
  drive-agent openloop data=runs/NAME model=embedded     on a drive of ours; nothing to download
  drive-agent openloop data=runs/NAME out=runs/open resume=true

keys and their values:
"""

DOCTOR_HELP = "usage: drive-agent doctor\n\nChecks Python, packages, weights, GPU; each line with the remedy."


def main(arguments: list[str] | None = None) -> int:
    """Run one verb; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in words
    words = [w for w in words if w != "--debug"]
    if not words or words[0] in ("-h", "--help", "help"):
        print(USAGE)
        return 0 if words else 2
    verb, rest = words[0], words[1:]
    if verb not in VERBS:
        return _complain(
            f"unknown verb {verb!r}{did_you_mean(verb, list(VERBS))}; drive-agent --help lists them", 2
        )
    run, help_text = VERBS[verb]
    if any(w in ("-h", "--help") for w in rest):
        print(help_text())
        return 0
    try:
        return run(rest)
    except ConfigError as error:
        return _failed(error, 2, debug=debug)
    except KeyboardInterrupt:
        return _complain("interrupted", 1)
    except (OSError, ValueError, RuntimeError, ImportError) as error:
        return _failed(error, 1, debug=debug)


def _failed(error: Exception, code: int, *, debug: bool) -> int:
    if debug:
        raise error
    return _complain(" ".join(str(error).split()), code)


def _complain(message: str, code: int) -> int:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {_escape(message)}", highlight=False)
    return code


def _escape(text: str) -> str:
    return text.replace("[", "\\[")


def _drive(words: list[str]) -> int:
    from drive_agent.config import DriveConfig, build, compose
    from drive_agent.drive.attach import attach
    from drive_agent.drive.batch import run_folder, run_routes
    from drive_agent.eta import Eta
    from drive_agent.offspring import process_pool
    from drive_agent.score.command import print_table
    from drive_agent.score.judged import logs_in
    from drive_agent.score.results import SIMULATION_CRASHED, write_json
    from drive_agent.score.rules import LEADERBOARD_2
    from drive_agent.score.run import load_run, scored
    from drive_agent.score.summary import KeptVerdicts, summarise
    from drive_agent.score.verdict import keep_all, stale_logs
    from replay.report import write_report
    from replay.video import write_video
    from replay.viewer.server import Run, ViewerServer

    config = build(DriveConfig, compose("drive", [word for word in words if word != LIVE]))
    console = Console(highlight=False)
    films: list[Future] = []
    problem = ""
    with ExitStack() as stack:
        studio = stack.enter_context(process_pool(1, nicer=5))
        if LIVE in words:
            config = replace(config, out=str(run_folder(config)))
            viewer = stack.enter_context(ViewerServer([Run(run_folder(config))]))
            console.print(f"live: {viewer.address}#live")

        def film(route: Path) -> None:
            wanted = config.video and not (route / "video.mp4").exists()
            if wanted and (route / "log.mcap").exists():
                films.append(studio.submit(write_video, route / "log.mcap", route / "video.mp4"))

        if config.attach:
            visit = attach(config, console)
            run, problem = visit.run, visit.problem
            for log in logs_in(run):
                film(log.parent)
        else:
            run = run_routes(config, console, film)
        for done in films:
            if failure := done.exception():
                _complain(f"a video could not be made: {' '.join(str(failure).split())}", 1)
    if stale := stale_logs(run):
        with Eta(console, "judging", len(stale)) as eta:
            for done, _ in enumerate(keep_all(stale), 1):
                eta.show(done)
    verdicts = KeptVerdicts()
    summary = summarise(run, verdicts)
    write_json(run / "summary.json", summary)
    write_report(run, summary)
    values = scored(load_run(run, LEADERBOARD_2, judge=verdicts.judge), "2.1")
    print_table(values, console)
    console.print(
        f"{summary['real_time_factor'] or 0.0:.1f}x real time   report: {run / 'report.html'}", soft_wrap=True
    )
    if problem:
        return _complain(problem, 1)
    put_aside = any(SIMULATION_CRASHED in row["status"] for row in values["routes"])
    return 1 if values["missing"] or put_aside else 0


def _keys_of_drive() -> str:
    from drive_agent.config import conf_dir

    return (conf_dir() / "drive.yaml").read_text()


def _config(words: list[str]) -> int:
    from drive_agent.config import DriveConfig, build, compose
    from drive_agent.drive.provenance import write_config

    if not words or "=" in words[0]:
        raise ConfigError("config needs a file to write: drive-agent config config.yaml")
    write_config(Path(words[0]), build(DriveConfig, compose("drive", words[1:])))
    print(words[0])
    return 0


def _sim(words: list[str]) -> int:
    from drive_agent.sim.__main__ import main as serve

    given = _pairs(words, ("port", "town", "maps", "seed", "threads", "rendering", "recordings"))
    flags = ["--town", "Brookfield"]
    for key in ("port", "town", "maps", "seed", "threads", "recordings"):
        if key in given:
            flags += [f"--{key}", given[key]]
    if given.get("rendering") == "false":
        flags.append("--no-rendering")
    return serve(flags)


def _score(words: list[str]) -> int:
    from drive_agent.score.command import print_score

    if not words or "=" in words[0]:
        raise ConfigError("score needs a run folder: drive-agent score runs/NAME")
    given = _pairs(words[1:], ("version", "format", "routes"))
    return print_score(words[0], given, Console(highlight=False))


def _compare(words: list[str]) -> int:
    from drive_agent.score.command import print_comparison

    if len(words) < 2 or any("=" in word for word in words[:2]):
        raise ConfigError("compare needs two run folders: drive-agent compare runs/A runs/B")
    given = _pairs(words[2:], ("version", "format"))
    return print_comparison(words[0], words[1], given, Console(highlight=False))


def _replay(words: list[str]) -> int:
    from drive_agent.replay_command import run

    return run(words, Console(highlight=False))


def _help_of_replay() -> str:
    from drive_agent.replay_command import HELP

    return HELP


def _scenarios(words: list[str]) -> int:
    from drive_agent.drive.scenarios_command import run

    return run(words, print)


def _help_of_scenarios() -> str:
    from drive_agent.drive.scenarios_command import HELP

    return HELP


def _openloop(words: list[str]) -> int:
    from drive_agent.openloop import read_config, run_openloop
    from drive_agent.openloop.outputs import print_table
    from replay.openloop_page import write_openloop_page

    console = Console(highlight=False)
    config = read_config(words)
    out = run_openloop(config, console)
    page = write_openloop_page(out, config.worst)
    print_table(out, console)
    console.print(f"results: {out}   page: {page}", soft_wrap=True)
    return 0


def _keys_of_openloop() -> str:
    from drive_agent.config import conf_dir

    return (conf_dir() / "openloop.yaml").read_text()


def _serve(words: list[str]) -> int:
    from drive_agent.models.serve_command import serve

    return serve(words, lambda line: print(line, flush=True))


def _help_of_serve() -> str:
    from drive_agent.config import conf_dir
    from drive_agent.models.serve_command import HELP

    return HELP + "".join(
        (conf_dir() / name).read_text() for name in ("serve.yaml", "model/mimo_embodied_7b.yaml")
    )


def _collect(words: list[str]) -> int:
    from drive_agent.drive.collect import run

    return run(words, Console(highlight=False))


def _help_of_collect() -> str:
    from drive_agent.drive.collect import help_text

    return help_text()


def _train(words: list[str]) -> int:
    from drive_agent.learn import train

    return train(words, Console(highlight=False))


def _help_of_train() -> str:
    from drive_agent.learn import train_help

    return train_help()


def _eval(words: list[str]) -> int:
    from drive_agent.appraise import run

    return run(words, Console(highlight=False))


def _help_of_eval() -> str:
    from drive_agent.appraise import help_text

    return help_text()


def _doctor(words: list[str]) -> int:
    from drive_agent.doctor import examine

    _pairs(words, ())
    console = Console(highlight=False)
    style = {"ok": "[green]ok     [/]", "missing": "[bold red]missing[/]", "absent": "[yellow]absent [/]"}
    failed = False
    for finding in examine():
        failed |= finding.state == "missing"
        console.print(f"{style[finding.state]} {finding.part:17} {_escape(finding.detail)}")
        if finding.remedy:
            console.print(f"{'':25} -> {_escape(finding.remedy)}", style="dim")
    return 1 if failed else 0


def _pairs(words: list[str], known: tuple[str, ...]) -> dict[str, str]:
    given = {}
    for word in words:
        key, equals, value = word.partition("=")
        if not equals:
            raise ConfigError(f"{word!r}: expected key=value")
        if key not in known:
            raise ConfigError(
                f"unknown key {key!r}{did_you_mean(key, list(known))}; known: {', '.join(known) or 'none'}"
            )
        given[key] = value
    return given


VERBS: dict[str, tuple[Callable[[list[str]], int], Callable[[], str]]] = {
    "drive": (_drive, lambda: DRIVE_HELP + _keys_of_drive()),
    "config": (_config, lambda: CONFIG_HELP + _keys_of_drive()),
    "sim": (_sim, lambda: SIM_HELP),
    "score": (_score, lambda: SCORE_HELP),
    "compare": (_compare, lambda: COMPARE_HELP),
    "replay": (_replay, _help_of_replay),
    "scenarios": (_scenarios, _help_of_scenarios),
    "openloop": (_openloop, lambda: OPENLOOP_HELP + _keys_of_openloop()),
    "collect": (_collect, _help_of_collect),
    "train": (_train, _help_of_train),
    "eval": (_eval, _help_of_eval),
    "serve": (_serve, _help_of_serve),
    "doctor": (_doctor, lambda: DOCTOR_HELP),
}

if __name__ == "__main__":
    sys.exit(main())
