"""
Serve in one process: ``python -m serving [--host 127.0.0.1] [--port 3000]``.

This is what BentoML's worker does, without the second process that watches over it: what starts
the service (systemd, a container) sees it refuse, crash or end. ``bentoml serve
serving.service:Cdss`` serves the same.
"""

from __future__ import annotations

import argparse
import socket
import sys

import structlog
import uvicorn

from cdss import CdssError


def main(arguments: list[str] | None = None) -> None:
    """
    Load the models and serve until told to stop.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process by default.
    """
    parser = argparse.ArgumentParser("python -m serving", description="Serve the risk models.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=3000, help="0: any free port")
    options = parser.parse_args(arguments)
    try:
        address = _bound(options.host, options.port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"cdss: cannot listen on {options.host}:{options.port}: {reason}")
    try:
        from serving.service import Cdss  # loads the models
    except CdssError as error:
        sys.exit(f"cdss: not started: {error}")
    config = uvicorn.Config(
        Cdss.to_asgi(),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    try:
        _Server(config).run(sockets=[address])
    except KeyboardInterrupt:  # uvicorn has ended in order and raises it again
        sys.exit(130)


def _bound(host: str, port: int) -> socket.socket:
    """
    Take the address without listening yet.

    That it is taken must be known before the models load; that the service answers, only after.
    """
    address = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    address.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    address.bind((host, port))
    return address


class _Server(uvicorn.Server):
    """Says where it listens, when it does: the port may be any free one."""

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for address in sockets or ():
            host, port = address.getsockname()[:2]
            host = f"[{host}]" if ":" in host else host
            structlog.get_logger().info("listening", url=f"http://{host}:{port}")


if __name__ == "__main__":
    main()
