"""How a job asks the preloaded process of a run to do its work (`drp.preloaded`).

Imports next to nothing: this is what every job loads.
"""

import json
import os
import socket
from typing import Any

ADDRESS = "DRP_PRELOADED"  # the environment variable that leads to the process
STARTED = b"s"
_ENDED_EARLY = 3


def ask(address: str, arguments: list[str]) -> int | None:
    """Have a command done by the preloaded process, in this folder and with this output.

    Parameters
    ----------
    address : str
        Where the process listens.
    arguments : list of str
        The command line after ``drp``.

    Returns
    -------
    int or None
        The exit code; None if nobody answers, so that nothing was begun. A process that ends
        without an exit code, killed for its memory perhaps, counts as an internal error.

    Examples
    --------
    >>> ask("/nowhere/at/all", ["--version"]) is None
    True
    """
    with socket.socket(socket.AF_UNIX) as connection:
        try:
            connection.connect(address)
            _send(connection, arguments)
            if connection.recv(1) != STARTED:
                return None
        except OSError:
            return None
        code = connection.recv(1)
        return code[0] if code else _ENDED_EARLY


def _send(connection: socket.socket, arguments: list[str]) -> None:
    mask = os.umask(0)
    os.umask(mask)
    request = {
        "arguments": arguments,
        "folder": os.getcwd(),  # noqa: PTH109 (pathlib is not loaded here)
        "umask": mask,
        "environment": dict(os.environ),
    }
    content = json.dumps(request).encode()
    socket.send_fds(connection, [len(content).to_bytes(8, "big")], [1, 2])
    connection.sendall(content)


def receive(connection: socket.socket) -> tuple[dict[str, Any], list[int]]:
    """Take what `ask` sends: the request, and the file descriptors of its output."""
    head, descriptors, _, _ = socket.recv_fds(connection, 8, 2)
    size = int.from_bytes(head, "big")
    parts = []
    while size > 0:
        part = connection.recv(size)
        if not part:
            raise ConnectionError("the job that asked is gone")
        parts.append(part)
        size -= len(part)
    return json.loads(b"".join(parts)), descriptors
