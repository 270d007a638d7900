"""The page's server: loopback only, read only, and nothing but the logs it was given and the page's own files.

An address names a run and a drive by their place in a list made at the start (and made anew when a run grows), never a
path, so no address can reach another file. Knows HTTP; what a drive holds is `drive`'s.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import orjson

from drive_agent.log.store import Episode
from drive_agent.score.judged import logs_in
from replay.viewer.drive import DriveLog
from replay.viewer.losses import Losses

HERE = Path(__file__).parent
TYPES = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}
PAGE_FILES = {path.name: path for path in HERE.iterdir() if path.suffix in TYPES}
HEADERS = {  # even if something slipped through the page's escaping, it could neither run nor call home
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_LOOPBACK = re.compile(r"(127\.0\.0\.1|localhost|\[::1\])(:\d+)?")


class Run:
    """A run folder, the folder of one route, or a single log."""

    def __init__(self, path: Path) -> None:
        self.path = path
        folder = path.resolve() if path.is_dir() else path.resolve().parent
        self.name = folder.parent.parent.name if folder.parent.name == "routes" else folder.name
        self._drives: dict[str, DriveLog] = {}

    def drives(self) -> dict[str, DriveLog]:
        """The logs by name, in order; new ones are found while a run goes on."""
        for log in _logs(self.path):
            self._drives.setdefault(log.parent.name, DriveLog(log))
        return self._drives


def _logs(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if (path / "log.mcap").is_file():
        return [path / "log.mcap"]
    return [log for log in logs_in(path) if log.is_file()]


def open_runs(paths: list[str]) -> list[Run]:
    """Runs of these paths. Raises ValueError, one line, for a path that holds no log."""
    runs = []
    for word in paths:
        path = Path(word)
        if not path.exists():
            raise ValueError(f"{word} does not exist, expected a run folder (runs/NAME) or a log.mcap")
        if path.is_dir() and not (path / "config.yaml").is_file() and not _logs(path):
            raise ValueError(
                f"{word} holds no drive, expected a run folder with routes/*/log.mcap; give runs/NAME"
            )
        if path.is_file():
            with Episode.open(path):  # says what is wrong with a file that is no log
                pass
        runs.append(Run(path))
    return runs


class ViewerServer:
    """Serves some runs; a context manager. `port` 0 takes a free one, which `address` tells."""

    def __init__(self, runs: list[Run], port: int = 0) -> None:
        site = self._site = Site(runs)

        class Handler(_Handler):
            answer = site.answer

        try:
            self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        except OSError as error:
            raise OSError(
                f"port={port} cannot be opened ({error.strerror}); give another, or 0 for a free one"
            ) from error
        self._server.daemon_threads = True
        self.address = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def serve(self) -> None:
        """Answer until interrupted."""
        self._server.serve_forever(poll_interval=0.2)

    def __enter__(self) -> ViewerServer:
        threading.Thread(target=self.serve, name="viewer", daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._site.close()


class Site:
    """Address in, content out."""

    def __init__(self, runs: list[Run]) -> None:
        self._runs = runs
        self._losses = Losses()
        # Whoever starts the server opens the page next: what it will ask first is read while the browser comes.
        threading.Thread(target=self._prepare, name="viewer first", daemon=True).start()

    def _prepare(self) -> None:
        for run in self._runs:
            for drive in list(run.drives().values())[:1]:
                with suppress(
                    ValueError, OSError, RuntimeError
                ):  # who asks for it is told; or closed meanwhile
                    self._losses.begin(drive.path)
                    drive.head()

    def answer(self, target: str) -> tuple[bytes, str, str]:
        """Body, content type, cache rule. Raises KeyError for an address that names nothing, ValueError for a bad log."""
        parts = urlsplit(target)
        words = [unquote(word) for word in parts.path.split("/") if word]
        if len(words) <= 1:
            return self._page(words[0] if words else "page.html")
        query = {key: values[0] for key, values in parse_qs(parts.query).items()}
        match words:
            case ["api", "runs"]:
                return _json([{"name": run.name, "drives": list(run.drives())} for run in self._runs])
            case ["api", what, run, drive]:
                return _json(self._asked(what, self._drive(run, drive), query))
            case ["pictures", run, drive]:
                times_us = {camera: int(time) for camera, time in query.items()}
                return _packed(self._drive(run, drive).pictures(times_us))
        raise KeyError(target)

    def _page(self, name: str) -> tuple[bytes, str, str]:
        path = PAGE_FILES[name]
        return path.read_bytes(), f"{TYPES[path.suffix]}; charset=utf-8", "no-cache"

    def _drive(self, run: str, drive: str) -> DriveLog:
        if not run.isdecimal() or int(run) >= len(self._runs):
            raise KeyError(run)
        return self._runs[int(run)].drives()[drive]

    def _asked(self, what: str, drive: DriveLog, query: dict[str, str]) -> Any:
        known: dict[str, Callable[[], Any]] = {
            "head": drive.head,
            "overview": lambda: drive.overview(int(query.get("first", "0"))),
            "block": lambda: drive.block(int(query["number"])),
            "events": lambda: self._losses.of(drive.path),
        }
        return known[what]()

    def close(self) -> None:
        self._losses.close()


def _packed(pictures: list[bytes]) -> tuple[bytes, str, str]:
    """Several pictures in one answer: a line with their lengths in JSON, then one after the other."""
    lengths = orjson.dumps([len(jpeg) for jpeg in pictures])
    return b"".join([lengths, b"\n", *pictures]), "application/octet-stream", "no-store"


def _json(value: Any) -> tuple[bytes, str, str]:
    return orjson.dumps(value, option=orjson.OPT_SERIALIZE_NUMPY), "application/json", "no-store"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # the page asks for thirty pictures a second: connections stay open
    disable_nagle_algorithm = (
        True  # else an answer's body waits up to 40 ms for the browser's word about its head
    )
    wbufsize = -1  # head and body leave together
    answer: Callable[[str], tuple[bytes, str, str]]

    def handle(self) -> None:
        """A page that is closed drops its connections in the middle of whatever they are doing."""
        try:
            super().handle()
        except ConnectionError:
            self.close_connection = True

    def do_GET(self) -> None:
        """Answer one request; what is wrong with it becomes its status."""
        if not _LOOPBACK.fullmatch(
            self.headers.get("Host", "")
        ):  # another site's page that looks us up by its own name
            return self._send(403, b"only for this machine", "text/plain", "no-store")
        try:
            body, kind, cache = type(self).answer(self.path)
        except (KeyError, FileNotFoundError) as error:
            return self._send(404, f"nothing here: {error}".encode(), "text/plain", "no-store")
        except ValueError as error:
            return self._send(422, " ".join(str(error).split()).encode(), "text/plain", "no-store")
        return self._send(200, body, kind, cache)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the terminal belongs to whoever started us."""

    def _send(self, status: int, body: bytes, kind: str, cache: str) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, "Content-Type": kind, "Cache-Control": cache}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
