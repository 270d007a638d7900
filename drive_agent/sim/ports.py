"""The two neighbouring ports that a server listens on."""

import contextlib
import errno
import socket

HOST = "127.0.0.1"
_PORT_TRIES = 100


class PortInUseError(Exception):
    """The wanted pair of ports is taken; the text is one line."""


def bind_pair(port: int) -> tuple[socket.socket, socket.socket]:
    """Sockets on `port` and the next; 0 finds a free pair. PortInUseError where they are taken."""
    if port:
        return _bind(port), _bind(port + 1)
    for _ in range(_PORT_TRIES):
        first = _bind(0)
        number = first.getsockname()[1]
        with contextlib.suppress(PortInUseError, OverflowError):
            return first, _bind(number + 1)
        first.close()
    raise PortInUseError(f"no two neighbouring free ports found in {_PORT_TRIES} tries")


def _bind(port: int) -> socket.socket:
    bound = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        bound.bind((HOST, port))
        bound.listen(64)
    except OSError as error:
        bound.close()
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise
        raise PortInUseError(
            f"port {port} is in use: choose another with --port (it and the next are needed), or 0"
        ) from error
    return bound
