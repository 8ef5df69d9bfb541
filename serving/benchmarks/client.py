"""A keep-alive HTTP client that is not the bottleneck: raw sockets, requests built beforehand."""

from __future__ import annotations

import re
import selectors
import socket
from time import perf_counter

_LENGTH = re.compile(rb"content-length: (\d+)\r\n", re.IGNORECASE)


def request_bytes(path: str, body: bytes | None = None) -> bytes:
    """
    Build a request.

    Parameters
    ----------
    path : str
        Path and query.
    body : bytes, optional
        JSON of a POST; a GET without.

    Returns
    -------
    bytes
        HTTP/1.1.
    """
    if body is None:
        return f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n".encode() + body


def latencies(port: int, request: bytes, connections: int, requests: int) -> list[float]:
    """
    Send the same request again and again, one at a time on each connection.

    Parameters
    ----------
    port : int
        Of 127.0.0.1.
    request : bytes
        From `request_bytes`.
    connections : int
        Kept alive, all busy.
    requests : int
        Altogether.

    Returns
    -------
    list of float
        Seconds from sending a request to the last byte of its answer.

    Raises
    ------
    RuntimeError
        If an answer is not 200.
    """
    selector = selectors.DefaultSelector()
    started: dict[socket.socket, float] = {}
    took: list[float] = []
    for _ in range(connections):
        connection = socket.create_connection(("127.0.0.1", port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection.sendall(request)  # not measured: a busy server accepts one a turn
        _read_answer(connection)
        selector.register(connection, selectors.EVENT_READ)
        started[connection] = 0.0
    for connection in started:
        started[connection] = perf_counter()
        connection.sendall(request)
    sent = connections
    while started:
        for key, _ in selector.select():
            connection = key.fileobj
            _read_answer(connection)
            now = perf_counter()
            took.append(now - started.pop(connection))
            if sent < requests:
                sent += 1
                started[connection] = perf_counter()
                connection.sendall(request)
            else:
                selector.unregister(connection)
                connection.close()
    return took


def _read_answer(connection: socket.socket) -> None:
    """Read one whole answer; its first bytes are there."""
    answer = connection.recv(1 << 20)
    while (head := answer.find(b"\r\n\r\n")) < 0:
        answer += _more(connection)
    if not answer.startswith(b"HTTP/1.1 200"):
        raise RuntimeError(answer[:head].decode())
    length = _LENGTH.search(answer, 0, head + 2)
    missing = head + 4 + int(length[1]) - len(answer)
    while missing > 0:
        missing -= len(_more(connection))


def _more(connection: socket.socket) -> bytes:
    chunk = connection.recv(1 << 20)
    if not chunk:
        raise RuntimeError("the server closed the connection")
    return chunk
