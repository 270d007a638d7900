"""`apply_batch`: many commands in one request, each with its own result."""

from typing import Any

from drive_agent.sim.batch_controls import ControlBatch
from drive_agent.sim.rpc import Client, Dispatcher, MethodTable
from drive_agent.sim.wire import (
    COMMAND_METHODS,
    Encoded,
    Packed,
    RequestError,
    decode_bool,
    decode_id,
    decode_list,
    value_error,
    value_result,
)

_SPAWN = COMMAND_METHODS.index("spawn_actor")
_SPAWN_MEMBERS = 6
_WITHOUT_ACTOR = (_SPAWN, COMMAND_METHODS.index("console_command"))


def batch_methods(commands: MethodTable) -> MethodTable:
    """The table with `apply_batch`, whose commands run the methods of `commands`."""
    table = MethodTable()
    dispatcher = Dispatcher(commands)

    @table.bare
    def apply_batch(client: Client, batch: Any, do_tick: Any = False) -> Encoded | Packed:  # noqa: FBT002 - the wire's order
        """One result per command, in order; a failing command does not stop the others."""
        decode_bool(do_tick, "do_tick")
        if isinstance(batch, ControlBatch):
            results = batch.apply(client.world)
            if results is not None:
                return results
            batch = batch.commands
        return [_result(dispatcher, client, command) for command in decode_list(batch, "batch")]

    return table


def _result(dispatcher: Dispatcher, client: Client, command: Any) -> Encoded:
    try:
        index, payload = _variant(command)
        return value_result(_run(dispatcher, client, index, payload, None))
    except RequestError as error:
        return value_error(str(error))


def _run(dispatcher: Dispatcher, client: Client, index: int, payload: Any, future_actor: int | None) -> int:
    """Run one command and what follows it; the id of the actor concerned. `future_actor` stands in for id 0."""
    if isinstance(index, bool) or not isinstance(index, int) or not 0 <= index < len(COMMAND_METHODS):
        raise RequestError(f"command {index!r} is unknown: expected 0 to {len(COMMAND_METHODS) - 1}")
    if index == _SPAWN:
        return _run_spawn(dispatcher, client, payload)
    arguments = list(payload) if isinstance(payload, list) else [payload]
    if index not in _WITHOUT_ACTOR:
        arguments[:1] = [
            decode_id(arguments[0] if arguments else None) if future_actor is None else future_actor
        ]
    dispatcher.call(client, COMMAND_METHODS[index], arguments)
    return arguments[0] if index not in _WITHOUT_ACTOR else 0


def _run_spawn(dispatcher: Dispatcher, client: Client, payload: Any) -> int:
    description, transform, parent, _, _, do_after = decode_list(payload, "spawn command", _SPAWN_MEMBERS)
    do_after = decode_list(do_after, "commands that follow")
    if len(decode_list(parent, "optional parent")) == 2 and parent[0]:
        actor = dispatcher.call(client, "spawn_actor_with_parent", [description, transform, parent[1]])
    else:
        actor = dispatcher.call(client, "spawn_actor", [description, transform])
    for command in do_after:
        try:
            _run(dispatcher, client, *_variant(command), actor[0])
        except RequestError as error:  # the result is that of the spawn alone, as in CARLA
            dispatcher.log_once("apply_batch", f"after a spawn: {error}")
    return actor[0]


def _variant(command: Any) -> tuple[Any, Any]:
    """Index and payload of a command, or RequestError."""
    (variant,) = decode_list(command, "command", 1)
    index, payload = decode_list(variant, "command", 2)
    return index, payload
