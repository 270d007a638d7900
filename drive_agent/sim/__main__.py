"""`python -m drive_agent.sim`: the embedded CARLA server alone, for any CARLA client."""

import argparse
import asyncio
import logging
import os
import signal
import sys
from pathlib import Path

from drive_agent.sim.maps import MAPS_VARIABLE, SUFFIX, MapLibrary, Town, TownError, load_town
from drive_agent.sim.ports import HOST, PortInUseError
from drive_agent.sim.server import Server
from drive_agent.sim.tape import DEFAULT_FOLDER

_WRONG_CALL = 2


def _arguments(words: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m drive_agent.sim", description=__doc__)
    parser.add_argument(
        "--port", type=int, default=2000, help="RPC port; the next one carries the streams; 0: any free pair"
    )
    parser.add_argument("--town", required=True, help="a town's name, or the path of an .xodr file")
    parser.add_argument(
        "--maps",
        type=Path,
        default=os.environ.get(MAPS_VARIABLE) or None,
        help=f"a folder of .xodr files, which get names; default: what {MAPS_VARIABLE} says",
    )
    parser.add_argument(
        "--recordings",
        type=Path,
        default=DEFAULT_FOLDER,
        help="the one folder that the recorder writes into and reads from",
    )
    parser.add_argument("--seed", type=int, default=0, help="of everything random: scenery, sensor noise")
    parser.add_argument("--threads", type=int, default=1, help="threads that draw pictures")
    parser.add_argument("--no-rendering", action="store_true", help="cameras send nothing")
    parser.add_argument(
        "--synchronous", action="store_true", help="no tick before a client asks for one: runs repeat exactly"
    )
    parser.add_argument("--parent-pid", type=int, help="end when this parent process is gone")
    return parser.parse_args(words)


def _announce(port: int) -> None:
    print(f"listening on {HOST}:{port}", flush=True)


def _library(arguments: argparse.Namespace) -> MapLibrary:
    """The named maps, the one that is started with among them."""
    town = Path(arguments.town)
    return MapLibrary(arguments.maps, (town,) if town.suffix == SUFFIX else ())


async def _serve(town: Town, library: MapLibrary, arguments: argparse.Namespace) -> None:
    server = Server(
        town,
        arguments.seed,
        arguments.threads,
        rendering=not arguments.no_rendering,
        synchronous=arguments.synchronous,
    )
    server.world.library = library
    server.world.tape.folder = arguments.recordings
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, server.stop)
    await server.run(arguments.port, arguments.parent_pid, _announce)


def main(words: list[str] | None = None) -> int:
    """Serve until told to stop; 2 for a wrong call."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stderr)
    arguments = _arguments(words)
    try:
        library = _library(arguments)
        asyncio.run(_serve(load_town(arguments.town, library), library, arguments))
    except (TownError, PortInUseError) as error:
        print(error, file=sys.stderr)
        return _WRONG_CALL
    return 0


if __name__ == "__main__":
    sys.exit(main())
