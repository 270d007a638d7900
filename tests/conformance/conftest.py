"""One embedded server per module; the client, its world and what a test spawned come as `session` (see tests/unit/sim)."""

from tests.unit.sim.conftest import _session, server, session, spawn_point

__all__ = ["_session", "server", "session", "spawn_point"]
