"""Dispatch: method name -> handler and kind of reply. Whatever a client sends, it gets a typed reply and the server lives.

Handlers are plain functions `handler(client, *arguments)` registered in a MethodTable; their names are the wire's.
"""

import inspect
import logging
import reprlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from drive_agent.sim import wire
from drive_agent.sim.actors import Actor, ActorError, Kind
from drive_agent.sim.wire import Encoded, RequestError
from drive_agent.sim.world import World

log = logging.getLogger("drive_agent.sim")
_MOST_LOGGED = 1000
_LONGEST_NAME = 80


@dataclass(frozen=True)
class Client:
    """Who asks: one RPC connection."""

    world: World
    id: int

    def vehicle(self, actor_id: Any) -> np.void:
        """The row of a vehicle, or ActorError."""
        return self.world.vehicles.rows[self.vehicle_actor(actor_id).slot]

    def vehicle_actor(self, actor_id: Any) -> Actor:
        """A vehicle, or ActorError."""
        return self._of_kind(actor_id, Kind.VEHICLE, "Actor is not a Vehicle")

    def walker(self, actor_id: Any) -> np.void:
        """The row of a walker that lives, or ActorError."""
        actor = self._of_kind(actor_id, Kind.WALKER, "Actor is not a Walker")
        if actor.dead:
            raise ActorError("Walker is already dead", actor_id)
        return self.world.walkers.rows[actor.slot]

    def light(self, actor_id: Any) -> int:
        """The index of a traffic light, or ActorError."""
        return self._of_kind(actor_id, Kind.LIGHT, "Actor is not a traffic light").slot

    def body(self, actor_id: Any) -> np.void | None:
        """The row of anything with a body; None for sensors, signals and the spectator."""
        world, actor = self.world, self.world.actors.get(actor_id)
        tables = {Kind.VEHICLE: world.vehicles, Kind.WALKER: world.walkers, Kind.PROP: world.props}
        table = tables.get(actor.kind)
        return table.rows[actor.slot] if table is not None else None

    def _of_kind(self, actor_id: Any, kind: Kind, reason: str) -> Actor:
        actor = self.world.actors.get(actor_id)
        if actor.kind is not kind:
            raise ActorError(reason, actor_id)
        return actor


@dataclass(frozen=True)
class Returns:
    """How a result and a failure are wrapped."""

    success: Callable[[Any], Encoded]
    failure: Callable[[str], Encoded]


VALUE = Returns(wire.value_result, wire.value_error)  # Response<T>
VOID = Returns(lambda _: wire.void_result(), wire.void_error)  # Response<void>
BARE = Returns(
    lambda results: results, lambda message: [wire.value_error(message)]
)  # apply_batch: a list of results

Handler = Callable[..., Any]


@dataclass(frozen=True)
class Method:
    """A handler with what the dispatcher must know of it."""

    handler: Handler
    returns: Returns
    fewest_arguments: int
    most_arguments: int


class MethodTable:
    """Methods by their name on the wire."""

    def __init__(self) -> None:
        self.methods: dict[str, Method] = {}

    def value(self, handler: Handler, name: str = "") -> Handler:
        """Register a handler that returns something."""
        return self._register(handler, VALUE, name)

    def void(self, handler: Handler, name: str = "") -> Handler:
        """Register a handler that returns nothing."""
        return self._register(handler, VOID, name)

    def bare(self, handler: Handler) -> Handler:
        """Register a handler whose result is sent as it is."""
        return self._register(handler, BARE, "")

    def _register(self, handler: Handler, returns: Returns, name: str) -> Handler:
        parameters = list(inspect.signature(handler).parameters.values())[1:]
        if any(p.kind is inspect.Parameter.VAR_POSITIONAL for p in parameters):
            fewest, most = 0, 1000
        else:
            fewest = sum(p.default is inspect.Parameter.empty for p in parameters)
            most = len(parameters)
        self.methods[name or handler.__name__] = Method(handler, returns, fewest, most)
        return handler

    def include(self, other: "MethodTable") -> None:
        """Take over all methods of another table."""
        self.methods |= other.methods


class Dispatcher:
    """Runs requests against a table; logs every kind of failure once."""

    def __init__(self, table: MethodTable) -> None:
        self._methods = table.methods
        self._logged: set[tuple[str, str]] = set()

    def dispatch(
        self, client: Client, name: str, arguments: list[Any], *, nobody_waits: bool = False
    ) -> Encoded:
        """The encoded result, success or failure; a failure that nobody waits for is logged."""
        method = self._methods.get(name)
        if method is None:
            self.log_once(name, "unknown method: not part of what this server offers")
            return wire.value_error(
                f"unknown method {name[:_LONGEST_NAME]!r}: this server speaks a part of CARLA {wire.PROTOCOL_VERSION}"
            )
        try:
            result = self.call(client, name, arguments)
        except RequestError as error:
            if nobody_waits:
                self.log_once(name, str(error))
            return method.returns.failure(str(error))
        except Exception as error:
            if (name, type(error).__name__) not in self._logged:
                log.exception("%s%s failed", name, reprlib.repr(tuple(arguments)))
            self._logged.add((name, type(error).__name__))
            return method.returns.failure(f"{name}: bad arguments ({type(error).__name__}: {error})")
        return method.returns.success(result)

    def call(self, client: Client, name: str, arguments: list[Any]) -> Any:
        """Run a method; its plain result, or RequestError."""
        method = self._methods[name]
        if not method.fewest_arguments <= len(arguments) <= method.most_arguments:
            raise RequestError(f"{name} got {len(arguments)} arguments: expected {method.fewest_arguments}")
        try:
            return method.handler(client, *arguments)
        except ActorError as error:
            raise RequestError(f"Responding error from function {name}: {error}") from error
        except RecursionError as error:  # on the way to the text of another error
            raise RequestError(f"{name}: the arguments are lists in lists, too deep to be shown") from error

    def log_once(self, name: str, text: str) -> None:
        """A warning about a request, unless the same was logged before."""
        if (name, text) not in self._logged and len(self._logged) < _MOST_LOGGED:
            self._logged.add((name, text))
            log.warning("%s: %s", name[:_LONGEST_NAME], text)
