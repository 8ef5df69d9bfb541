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
        family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
        listener = socket.create_server((options.host, options.port), family=family, backlog=2048)
    except OSError as error:
        sys.exit(f"cdss: cannot listen on {options.host}:{options.port}: {error.strerror}")
    try:
        from serving.service import Cdss  # loads the models
    except CdssError as error:
        sys.exit(f"cdss: not started: {error}")

    import structlog
    import uvicorn

    structlog.get_logger().info("listening", url="http://{}:{}".format(*listener.getsockname()))
    config = uvicorn.Config(
        Cdss.to_asgi(),
        loop="uvloop",
        http="httptools",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    uvicorn.Server(config).run(sockets=[listener])


if __name__ == "__main__":
    main()
