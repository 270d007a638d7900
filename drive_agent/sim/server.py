"""The server: two listening sockets, one queue of requests in the order of their arrival, one world.

A request runs when those before it have run. A tick also waits until the pictures of the tick before are sent, and until
every subscriber has room for more; so nothing piles up and every stream is in order.
"""

import asyncio
import logging
import os
import socket
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from drive_agent.sim import (
    rpc_actors,
    rpc_control,
    rpc_episode,
    rpc_lights,
    rpc_parts,
    rpc_recorder,
    rpc_refusals,
    rpc_scene,
)
from drive_agent.sim.cameras import Cameras
from drive_agent.sim.client_threads import ManagerThreads
from drive_agent.sim.connection import Request, RpcConnection
from drive_agent.sim.maps import Town
from drive_agent.sim.ports import bind_pair
from drive_agent.sim.rpc import Client, Dispatcher, MethodTable
from drive_agent.sim.rpc_batch import batch_methods
from drive_agent.sim.sensors import Sensors
from drive_agent.sim.settings import starting_settings
from drive_agent.sim.streams import Streams
from drive_agent.sim.wakeups import WakeUps
from drive_agent.sim.wire import WORLD_STREAM_ID
from drive_agent.sim.world import DEFAULT_DELTA_S, World

log = logging.getLogger("drive_agent.sim")

_STALLED_SUBSCRIBER_S = 10.0
_LONGEST_FREE_TICK_S = 0.1
_PARENT_CHECK_S = 0.5
_MAX_QUEUED = 10_000
_TICK = "tick_cue"
_SETTINGS = "set_episode_settings"  # after it, as after a tick, the client calls its traffic managers
_LAST_BEFORE_SLEEP = "get_episode_settings"  # what a traffic manager asks when its step is over
_NEW_WORLD = {"load_new_episode", "replay_file"}  # a recording brings its own town
_MUST_WAIT = {_TICK, _SETTINGS, *_NEW_WORLD}
_QUIET_S = 0.002
_LONGEST_REST_S = 1.0  # a manager that nobody ticks never rests


class Server:
    """Owns the world and everything that talks about it."""

    def __init__(self, town: Town, seed: int, threads: int, *, rendering: bool, synchronous: bool) -> None:
        self.world = World(town, seed, starting_settings(synchronous=synchronous))
        self._sensors = Sensors(self.world)
        self._cameras = Cameras(self.world, self._sensors, threads) if rendering else None
        self._streams = Streams(lambda: self.world.snapshot, self.pump)
        self.world.on_stream_closed = self._streams.close
        self._dispatcher = Dispatcher(all_methods())
        self._manager_threads = ManagerThreads(self.world.traffic_managers)
        self._wake_ups = WakeUps(self.world.traffic_managers, self._manager_threads, self.pump)
        self._quiet_before: Request | None = None
        self._load_after_s: float | None = None
        self._queue: deque[Request] = deque()
        self._waiting_connections: list[RpcConnection] = []
        self._failure: Exception | None = None
        self._pumping = False
        self._rendering: Future[Any] | None = None
        self._render_thread = ThreadPoolExecutor(1, thread_name_prefix="render")
        self._cut_off: asyncio.TimerHandle | None = None
        self._next_client_id = 1
        self._stopped = asyncio.Event()

    # ---- requests ----------------------------------------------------------------------------------------------------

    def new_connection(self) -> "RpcConnection":
        """Protocol factory of the RPC socket."""
        self._next_client_id += 1
        return RpcConnection(self, Client(self.world, self._next_client_id - 1))

    def enqueue(self, requests: list[Request]) -> None:
        """Take requests in the order given; who sends more than can be kept is not read from until they are done."""
        self._queue.extend(requests)
        self.pump()
        if len(self._queue) > _MAX_QUEUED and requests:
            requests[-1].connection.pause_reading()
            self._waiting_connections.append(requests[-1].connection)

    def pump(self) -> None:
        """Run what can run."""
        if self._pumping or self._wake_ups.waking or self._failure is not None:
            return
        self._pumping = True
        try:
            while self._queue:
                if self._queue[0].method in _MUST_WAIT and not self._may_serve(self._queue[0]):
                    break
                self._serve(self._queue.popleft())
        except Exception as error:  # noqa: BLE001 - a broken tick: `run` raises it, a half-moved world must not go on
            self._failure = error
            self.stop()
        finally:
            self._pumping = False
        if self._waiting_connections and len(self._queue) <= _MAX_QUEUED:
            for connection in self._waiting_connections:
                connection.resume_reading()
            self._waiting_connections.clear()

    def _may_serve(self, request: Request) -> bool:
        """Whether it is time for one that must wait for others; if not yet, `pump` comes back."""
        if request.method in _NEW_WORLD:
            return self._managers_rest()
        ticks = request.method == _TICK and self.world.settings.synchronous
        return self._managers_have_asked() and (not ticks or self._may_tick())

    def _serve(self, request: Request) -> None:
        connection, method = request.connection, request.method
        if connection.is_cut_off:
            return
        client = connection.client
        result = self._dispatcher.dispatch(
            client, method, request.arguments, nobody_waits=request.nobody_waits
        )
        if method == "get_sensor_token" and request.arguments[:1] and isinstance(request.arguments[0], int):
            self._streams.promise(request.arguments[0])
        if method == _TICK and self.world.settings.synchronous:
            self._tick(request, result)
            return
        self._wake_ups.requested(client.id, method)
        _answer(request, result)

    def _tick(self, request: Request, result: Any) -> None:
        client_id = request.connection.client.id
        # once it has its answer the client looks for the snapshot without a pause, on a processor that others may need
        answers_late = self._wake_ups.know_ticking(client_id)
        if not answers_late:
            _answer(request, result)
        self.world.step(self.world.settings.fixed_delta_s or DEFAULT_DELTA_S)
        self._wake_ups.snapshot_leaves(client_id)
        self._send_snapshot()
        if answers_late:
            _answer(request, result)
        self._send_readings()
        self._wake_ups.ticked(client_id)

    def _managers_have_asked(self) -> bool:
        """Whether those that are about to sleep have their last answer; if not yet, `pump` comes back."""
        if not self.world.traffic_managers or not self.world.settings.synchronous:
            return True
        if len(self._queue) > 1:
            for request in [request for request in self._queue if request.method == _LAST_BEFORE_SLEEP]:
                self._queue.remove(request)
                self._serve(request)
        return not self._wake_ups.question_due()

    def _managers_rest(self) -> bool:
        """Whether no traffic manager is amid a step; if not yet, `pump` comes back.

        One that is (its first step begins on its own) looks up actors, and ends its process when their world is gone.
        """
        if not self.world.traffic_managers:
            self._quiet_before = self._load_after_s = None
            return True
        load, now_s = self._queue[0], time.monotonic()
        self._load_after_s = self._load_after_s or now_s + _LONGEST_REST_S
        asked = [
            request
            for request in self._queue
            if request.connection is load.connection and request is not load
        ]
        for request in asked:
            self._queue.remove(request)
            self._serve(request)
        rests = self._manager_threads.sleep() and not asked and self._quiet_before is load
        if rests or now_s > self._load_after_s:
            self._quiet_before = self._load_after_s = None
            return True
        self._quiet_before = None if asked else load  # what it may have asked just now is read first
        asyncio.get_running_loop().call_later(_QUIET_S, self.pump)
        return False

    def connected(self, client: Client, connection: socket.socket) -> None:
        """A client is there."""
        self._manager_threads.connected(client.id, connection)

    def forget_client(self, client: Client) -> None:
        """A connection has ended: its traffic managers are gone, or the next client would try to reach them."""
        self._wake_ups.forget(client.id)
        self._manager_threads.forget(client.id)
        managers = self.world.traffic_managers
        for port in [port for port, (_, owner) in managers.items() if owner == client.id]:
            del managers[port]
        self.pump()  # a tick may have waited for its last question

    # ---- ticks -------------------------------------------------------------------------------------------------------

    def _may_tick(self) -> bool:
        if self._rendering is not None or (self._streams.promised and self.world.settings.synchronous):
            return False
        if not self._streams.congested or not self.world.settings.synchronous:
            return True
        if self._cut_off is None:
            self._cut_off = asyncio.get_running_loop().call_later(
                _STALLED_SUBSCRIBER_S, self._cut_off_stalled
            )
        return False

    def _cut_off_stalled(self) -> None:
        self._cut_off = None
        self._streams.cut_off_congested()
        self.pump()

    def _send_snapshot(self) -> None:
        if self._cut_off is not None:
            self._cut_off.cancel()
            self._cut_off = None
        self._streams.send(WORLD_STREAM_ID, self.world.snapshot)

    def _send_readings(self) -> None:
        """Send what sensors tell after a step of the world; pictures come later from the render thread."""
        if not self.world.sensors:
            return
        job = self._cameras.capture(self._streams) if self._cameras is not None else None
        if job is not None:
            loop = asyncio.get_running_loop()
            self._rendering = self._render_thread.submit(job.run)
            self._rendering.add_done_callback(
                lambda done: loop.call_soon_threadsafe(self._send_pictures, done)
            )
        # rays are cast while the render thread draws
        for stream_id, payload in self._sensors.messages(self._streams):
            self._streams.send(stream_id, payload)

    def _send_pictures(self, done: "Future[Any]") -> None:
        self._rendering = None
        error = done.exception()
        if error is not None:
            log.error("rendering failed: cameras stay without a picture for this tick", exc_info=error)
        else:
            for stream_id, header, pixels in done.result():
                self._streams.send(stream_id, header, pixels)
        self.pump()

    async def _run_freely(self) -> None:
        """Asynchronous mode: ticks by the wall clock; a fixed step if one is set."""
        last = time.monotonic()
        while True:
            fixed = self.world.settings.fixed_delta_s
            await asyncio.sleep(fixed or DEFAULT_DELTA_S)
            now = time.monotonic()
            if not self.world.settings.synchronous and self._may_tick():
                self.world.step(fixed or min(_LONGEST_FREE_TICK_S, max(1e-3, now - last)))
                self._send_snapshot()
                self._send_readings()
            last = now

    # ---- life --------------------------------------------------------------------------------------------------------

    async def run(self, port: int, parent_pid: int | None, announce: Any) -> None:
        """Listen, call `announce(port)`, serve until `stop`; PortInUseError if the ports are taken."""
        loop = asyncio.get_running_loop()
        rpc_socket, stream_socket = bind_pair(port)
        self.world.stream_port = stream_socket.getsockname()[1]
        rpc_server = await loop.create_server(self.new_connection, sock=rpc_socket)
        stream_server = await loop.create_server(self._streams.new_subscriber, sock=stream_socket)
        tasks = [asyncio.create_task(self._run_freely()), asyncio.create_task(self._wake_ups.run())]
        if parent_pid is not None:
            tasks.append(asyncio.create_task(self._follow_parent(parent_pid)))
        announce(rpc_socket.getsockname()[1])
        try:
            stopped = asyncio.create_task(self._stopped.wait())
            done, _ = await asyncio.wait([stopped, *tasks], return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
            if self._failure is not None:
                raise self._failure
        finally:
            for task in tasks:
                task.cancel()
            rpc_server.close()
            stream_server.close()
            self._render_thread.shutdown(wait=True, cancel_futures=True)
            self.world.tape.episode_ends()

    def stop(self) -> None:
        """End `run`."""
        self._stopped.set()

    async def _follow_parent(self, parent_pid: int) -> None:
        """End when the process that started this one is gone."""
        while os.getppid() == parent_pid:
            await asyncio.sleep(_PARENT_CHECK_S)
        self.stop()


def _answer(request: Request, result: Any) -> None:
    if request.message_id is not None:
        request.connection.reply(request.message_id, result)


def all_methods() -> MethodTable:
    """Everything this server answers."""
    table = MethodTable()
    for part in (
        rpc_episode,
        rpc_actors,
        rpc_control,
        rpc_lights,
        rpc_parts,
        rpc_recorder,
        rpc_refusals,
        rpc_scene,
    ):
        table.include(part.TABLE)
    table.include(batch_methods(table))
    return table
