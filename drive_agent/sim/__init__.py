"""The embedded server: CARLA 0.9.16's wire protocol over a small world of its own. Knows nothing of the agent.

It is reached only over its socket, from another process: several calls of the `carla` client hold Python's global
lock while they wait for the reply, so a server thread in the client's own process would deadlock.
"""
