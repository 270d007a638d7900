"""A world may be replaced right after a traffic manager was made: its first step, which it begins on its own, is let end."""

import subprocess
import sys

import pytest

from drive_agent.sim.process import ServerProcess

RUNS = 15  # unguarded, about every eighth client died of it
_CLIENT = """
import carla, sys
client = carla.Client("127.0.0.1", int(sys.argv[1]))
client.set_timeout(30.0)
client.get_world().apply_settings(carla.WorldSettings(synchronous_mode=True, fixed_delta_seconds=0.05))
manager = client.get_trafficmanager(int(sys.argv[2]))
manager.set_synchronous_mode(True)
world = client.load_world("Brookfield", reset_settings=False)
for _ in range(3):
    world.tick()
settings = world.get_settings()
settings.synchronous_mode = False
world.apply_settings(settings)
manager.set_synchronous_mode(False)
"""


@pytest.mark.slow
def test_a_client_with_a_new_traffic_manager_survives_a_new_world() -> None:
    with ServerProcess("Brookfield", rendering=False) as server:
        codes = [
            subprocess.run(
                [sys.executable, "-c", _CLIENT, str(server.port), str(9300 + k)],
                capture_output=True,
                check=False,
            ).returncode
            for k in range(RUNS)
        ]
    assert codes == [0] * RUNS
