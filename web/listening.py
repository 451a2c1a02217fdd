"""The address that the server listens on."""

import errno
import socket

from tools.domain.errors import BadInput, OutOfReach

REMEDIES = {
    errno.EADDRINUSE: "Another program has the port: `jit serve --port 0` takes a free one.",
    errno.EACCES: "This port needs more rights: give one from 1024 on with --port.",
}


def listening(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes a free one. OutOfReach or BadInput say what to give instead."""
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OverflowError as error:
        listener.close()
        raise BadInput(f"{port} is no port.", remedy="Give one from 0 to 65535 with --port or JIT_PORT.") from error
    except OSError as error:
        listener.close()
        raise OutOfReach(
            f"Cannot listen on {host}:{port}: {error.strerror}.",
            remedy=REMEDIES.get(error.errno or 0, "Give an address of this machine with --host or JIT_HOST."),
        ) from error
    return listener
