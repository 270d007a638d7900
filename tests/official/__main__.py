"""ScenarioRunner's scenarios on the embedded server, with the official programs.

  python -m tests.official routes [CLASS ...]    route scenarios in the Leaderboard's evaluator
  python -m tests.official examples [NAME ...]   ScenarioRunner's own example files
  python -m tests.official compare [TYPE ...]    ten types there and here: the table of docs/scenarios.md
  python -m tests.official page                  writes the outcomes to docs/carla_compatibility/leaderboard.md

Without names: everything that has no good outcome yet. Needs LEADERBOARD_ROOT and SCENARIO_RUNNER_ROOT (checkouts that
belong together), CARLA_AGENTS_ROOT (the folder that has CARLA's `agents` package), LEADERBOARD_PYTHON (an interpreter that
has their requirements; default: this one) and CARLA_XODR_DIR (a folder with CARLA's Town01.xodr and Town02.xodr).
"""

import argparse
import sys
from itertools import count, groupby
from pathlib import Path

from tests.official import compare, examples, outcomes, page, run

_FIRST_PORT = 8600  # of the traffic managers: each run gets a fresh one


def main() -> int:
    """0 if everything that was run is good."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.official",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", choices=("routes", "examples", "compare", "page"))
    parser.add_argument("names", nargs="*", help="scenario classes, or names of examples")
    parser.add_argument("--folder", type=Path, default=Path("runs/official"), help="logs and outcomes")
    arguments = parser.parse_args()
    if (reason := run.missing()) is not None:
        print(reason, file=sys.stderr)
        return 2
    arguments.folder.mkdir(parents=True, exist_ok=True)
    if arguments.what == "page":
        problems = page.write(arguments.folder)
        print("\n".join(problems) or "complete, nothing failed")
        return 1 if problems else 0
    plays = {"routes": _play_routes, "examples": _play_examples, "compare": _compare}
    return 0 if plays[arguments.what](arguments.names, arguments.folder) else 1


def _compare(names: list[str], folder: Path) -> bool:
    chosen = [case for case in run.cases() if case.scenario in (names or compare.TYPES)]
    ports = count(_FIRST_PORT)
    print(compare.HEAD)
    for town, group in groupby(chosen, key=lambda case: case.town):
        with run.server_of(town) as server:
            for case in group:
                print(compare.compare(case, server, next(ports), folder), flush=True)
    return True


def _play_routes(names: list[str], folder: Path) -> bool:
    path = folder / outcomes.ROUTES
    good = {outcome.scenario for outcome in outcomes.read(path, outcomes.Outcome) if outcome.good}
    chosen = [
        case for case in run.cases() if (case.scenario in names if names else case.scenario not in good)
    ]
    ports, all_good = count(_FIRST_PORT), True
    for town, group in groupby(chosen, key=lambda case: case.town):
        with run.server_of(town) as server:
            for case in group:
                outcome = run.run_case(case, server, next(ports), folder)
                outcomes.append(path, outcome)
                all_good &= outcome.good
                print(outcome, flush=True)
    return all_good


def _play_examples(names: list[str], folder: Path) -> bool:
    path = folder / outcomes.EXAMPLES
    good = {played.name for played in outcomes.read(path, outcomes.Played) if played.good}
    here, _ = examples.examples()
    chosen = [example for example in here if (example.name in names if names else example.name not in good)]
    ports, all_good = count(_FIRST_PORT), True
    for town, group in groupby(
        sorted(chosen, key=lambda example: example.town), key=lambda example: example.town
    ):
        with run.server_of(town) as server:
            for example in group:
                played = examples.play(example, server, next(ports), folder)
                outcomes.append(path, played)
                all_good &= played.good
                print(played, flush=True)
    return all_good


if __name__ == "__main__":
    raise SystemExit(main())
