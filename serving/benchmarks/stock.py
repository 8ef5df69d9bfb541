"""What is measured against: an empty route mounted in BentoML as it comes."""

from __future__ import annotations

import json
import os
import socket

os.environ["BENTOML_DO_NOT_TRACK"] = "True"

import bentoml
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def empty(request: Request) -> Response:
    """Answer at once, whatever was sent."""
    return Response(b"{}", media_type="application/json")


app = Starlette(
    routes=[Route("/empty", empty, methods=["POST"]), Route("/ready", empty, methods=["GET"])]
)


@bentoml.service(name="stock", logging={"access": {"enabled": False}})
@bentoml.asgi_app(app, path="/")
class Stock:
    """Nothing but the mounted app."""


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    url = "http://{}:{}".format(*listener.getsockname())
    print(json.dumps({"event": "listening", "url": url}), flush=True)
    config = uvicorn.Config(
        Stock.to_asgi(), loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])
