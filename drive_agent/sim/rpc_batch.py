"""`apply_batch`: many commands in one request, each with its own result."""

from typing import Any

from drive_agent.sim.rpc import Client, Dispatcher, MethodTable
from drive_agent.sim.wire import COMMAND_METHODS, Encoded, RequestError, value_error, value_result

_SPAWN = COMMAND_METHODS.index("spawn_actor")
_WITHOUT_ACTOR = (_SPAWN, COMMAND_METHODS.index("console_command"))


def batch_methods(commands: MethodTable) -> MethodTable:
    """The table with `apply_batch`, whose commands run the methods of `commands`."""
    table = MethodTable()
    dispatcher = Dispatcher(commands)

    @table.bare
    def apply_batch(client: Client, batch: Any, do_tick: Any = False) -> Encoded:  # noqa: FBT002 - the wire's order
        """One result per command, in order; a failing command does not stop the others."""
        if not isinstance(batch, list):
            raise RequestError(f"batch is {type(batch).__name__}: expected a list of commands")
        return [_result(dispatcher, client, command) for command in batch]

    return table


def _result(dispatcher: Dispatcher, client: Client, command: Any) -> Encoded:
    try:
        (variant,) = command
        index, payload = variant
        return value_result(_run(dispatcher, client, index, payload, None))
    except RequestError as error:
        return value_error(str(error))
    except (TypeError, ValueError, IndexError, KeyError) as error:
        return value_error(f"bad command ({type(error).__name__}: {error})")


def _run(dispatcher: Dispatcher, client: Client, index: int, payload: Any, future_actor: int | None) -> int:
    """Run one command and what follows it; the id of the actor concerned. `future_actor` stands in for id 0."""
    if not 0 <= index < len(COMMAND_METHODS):
        raise RequestError(f"command {index!r} is unknown: expected 0 to {len(COMMAND_METHODS) - 1}")
    if index == _SPAWN:
        return _run_spawn(dispatcher, client, payload)
    arguments = list(payload) if isinstance(payload, list) else [payload]
    if future_actor is not None and index not in _WITHOUT_ACTOR:
        arguments[0] = future_actor
    dispatcher.call(client, COMMAND_METHODS[index], arguments)
    return arguments[0] if index not in _WITHOUT_ACTOR else 0


def _run_spawn(dispatcher: Dispatcher, client: Client, payload: Any) -> int:
    description, transform, parent = payload[0], payload[1], payload[2]
    if parent[0]:
        actor = dispatcher.call(client, "spawn_actor_with_parent", [description, transform, parent[1]])
    else:
        actor = dispatcher.call(client, "spawn_actor", [description, transform])
    for (variant,) in payload[-1] if isinstance(payload[-1], list) else []:
        _run(dispatcher, client, variant[0], variant[1], actor[0])
    return actor[0]
