"""A site's server, and a connection to it that breaks where it is told to."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from serving.problems import HANDLERS
from serving.sync import RecordStore, SyncApi

PORTAL = b"<html><body>Welcome to our network. Please log in.</body></html>"


class Site:
    """The server of a site, with the page; keeps records, and says which models it has."""

    def __init__(self, folder: Path, store: RecordStore, models: dict[str, str]) -> None:
        self.models, self.refuse = models, 0
        routes = [
            Route("/v1/models", self._models),
            *self._guarded(SyncApi(store).routes()),
            Mount("/", StaticFiles(directory=folder, html=True)),
        ]
        app = Starlette(routes=routes, exception_handlers=HANDLERS)
        self._server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="error"))

    def _models(self, request: Request) -> JSONResponse:
        listed = [{"model": m, "version": v, "off": False, "demonstration": False}
                  for m, v in self.models.items()]  # fmt: skip
        return JSONResponse({"models": listed})

    def _guarded(self, routes: list[Route]) -> list[Route]:
        async def answer(request: Request) -> JSONResponse:
            if self.refuse:
                problems = [{"code": "refused", "variable": "request", "detail": "was refused"}]
                return JSONResponse({"problems": problems}, self.refuse)
            return await routes[0].endpoint(request)  # type: ignore[no-any-return]

        return [Route(routes[0].path, answer, methods=["POST"])]

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Serve; gives the port."""
        thread = threading.Thread(target=self._server.run, daemon=True)
        thread.start()
        while not self._server.started:
            time.sleep(0.01)
        try:
            yield self._server.servers[0].sockets[0].getsockname()[1]
        finally:
            self._server.should_exit = True
            thread.join(5)


class Connection:
    """
    What lies between a station and the server, one request a connection.

    ``GET /control?mode,mode,…`` says what befalls the next requests that send records, the last for
    all that follow: ``pass``; ``before`` (cut before the server saw anything); ``body`` (half of it
    arrives); ``after`` (the server has kept the record, its answer is lost); ``answer`` (half of it
    arrives); ``portal`` (somebody else answers 200 with a page).
    """

    def __init__(self, port: int) -> None:
        self.port, self.modes, self.seen = port, ["pass"], []
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://localhost:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        """End."""
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                threading.Thread(target=self._one, args=(client,), daemon=True).start()

    def _one(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError):
            head, body = _request(client)
            path = head.split(b" ", 2)[1].decode() if head else ""
            if path.startswith("/control?"):
                self.modes = path.partition("?")[2].split(",")
                client.sendall(_answer(b"ok"))
            elif head:
                self._forward(client, head, body, self._mode(path))

    def _mode(self, path: str) -> str:
        if path != "/v1/records":
            return "pass"
        mode = self.modes.pop(0) if len(self.modes) > 1 else self.modes[0]
        self.seen.append(mode)
        return mode

    def _forward(self, client: socket.socket, head: bytes, body: bytes, mode: str) -> None:
        if mode == "before":
            return
        if mode == "portal":
            client.sendall(_answer(PORTAL))
            return
        lines = [
            line for line in head.split(b"\r\n") if not line.lower().startswith(b"connection:")
        ]
        head = b"\r\n".join([*lines, b"connection: close", b"", b""])
        with socket.create_connection(("127.0.0.1", self.port)) as server:
            if mode == "body":
                server.sendall(head + body[: len(body) // 2])
                return
            server.sendall(head + body)
            answer = b"".join(iter(lambda: server.recv(65536), b""))
        if mode == "after":
            return
        client.sendall(answer[: len(answer) - 40] if mode == "answer" else answer)


def _request(client: socket.socket) -> tuple[bytes, bytes]:
    data = b""
    while b"\r\n\r\n" not in data:
        if not (part := client.recv(65536)):
            return b"", b""
        data += part
    head, _, body = data.partition(b"\r\n\r\n")
    length = next(
        (int(line.partition(b":")[2]) for line in head.split(b"\r\n")
         if line.lower().startswith(b"content-length:")), 0,
    )  # fmt: skip
    while len(body) < length:
        body += client.recv(65536)
    return head, body


def _answer(content: bytes) -> bytes:
    return (
        b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\nconnection: close\r\n"
        + f"content-length: {len(content)}\r\n\r\n".encode()
        + content
    )
