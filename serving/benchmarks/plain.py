"""What is measured against: one empty FastAPI route in uvicorn, and nothing else."""

from __future__ import annotations

import json
import socket

import uvicorn
from fastapi import FastAPI

app = FastAPI(openapi_url=None)


@app.post("/empty")
async def empty() -> dict[str, str]:
    """Answer at once, whatever was sent."""
    return {}


@app.get("/ready")
async def ready() -> dict[str, str]:
    """Answer when the server does."""
    return {"status": "ready"}


if __name__ == "__main__":
    listener = socket.create_server(("127.0.0.1", 0), backlog=2048)
    url = "http://{}:{}".format(*listener.getsockname())
    print(json.dumps({"event": "listening", "url": url}), flush=True)
    config = uvicorn.Config(
        app, loop="uvloop", http="httptools", log_level="warning", access_log=False
    )
    uvicorn.Server(config).run(sockets=[listener])
