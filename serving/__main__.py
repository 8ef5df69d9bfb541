"""
Serve in one process: ``python -m serving [--host 127.0.0.1] [--port 3000]``.

This is what BentoML's worker does, without the second process that watches over it: what starts
the service (systemd, a container) sees it refuse, crash or end. ``bentoml serve
serving.service:Cdss`` serves the same, without the limits of `serving.protocol`.

``python -m serving keys new --client NAME --scope SCOPE`` makes an API key.
"""

from __future__ import annotations

import argparse
import os
import re
import socket
import sys
from datetime import UTC, datetime, timedelta

import structlog
import uvicorn

from cdss import CdssError
from serving.apikeys import new_key
from serving.clients import NAME, SCOPES
from serving.jwks import is_loopback
from serving.protocol import Protocol
from serving.settings import read_settings


def main(arguments: list[str] | None = None) -> None:
    """
    Load the models and serve until told to stop, or make an API key.

    Parameters
    ----------
    arguments : list of str, optional
        Command line; that of the process by default.
    """
    options = _parser().parse_args(arguments)
    if options.command == "keys":
        _make_key(options)
    else:
        _serve(options.host, options.port)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("python -m serving", description="Serve the risk models.")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=3000, help="0: any free port")
    commands = parser.add_subparsers(dest="command", metavar="keys")
    keys = commands.add_parser("keys", help="API keys")
    new = keys.add_subparsers(required=True, metavar="new").add_parser(
        "new", help="make a key, shown once, and the table for the file CDSS_CLIENTS"
    )
    new.add_argument("--client", required=True, type=_name, help="whose key it is; is logged")
    new.add_argument(
        "--scope", required=True, action="append", choices=sorted(SCOPES), help="may be repeated"
    )
    new.add_argument("--days", type=int, default=365, help="how long it can be used")
    return parser


def _name(text: str) -> str:
    if not re.fullmatch(NAME, text):
        raise argparse.ArgumentTypeError("must be letters, digits, . _ -, at most 64")
    return text


def _make_key(options: argparse.Namespace) -> None:
    """Show a new key: itself on one stream, so that it can be piped, what to do on the other."""
    expires = datetime.now(UTC).date() + timedelta(days=options.days)
    key, table = new_key(options.client, dict.fromkeys(options.scope), expires)
    sys.stderr.write("The key, shown this once; the client sends Authorization: Bearer <key>\n")
    sys.stderr.flush()
    sys.stdout.write(f"{key}\n")
    sys.stdout.flush()
    sys.stderr.write(f"\nAdd to the file that CDSS_CLIENTS names, and restart:\n\n{table}")


def _serve(host: str, port: int) -> None:
    try:
        settings = read_settings(os.environ)
    except CdssError as error:
        sys.exit(f"cdss: not started: {error}")
    try:
        address = _bound(host, port)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        sys.exit(f"cdss: cannot listen on {host}:{port}: {reason}")
    if settings.clients is None and not is_loopback(address.getsockname()[0]):
        sys.exit("cdss: not started: without CDSS_CLIENTS it is open to whoever reaches it, so it "
                 "listens on 127.0.0.1 only")  # fmt: skip
    try:
        from serving.service import TIMEOUT_SECONDS, Cdss  # loads the models
    except CdssError as error:
        sys.exit(f"cdss: not started: {error}")
    config = uvicorn.Config(
        Cdss.to_asgi(),
        loop="uvloop",
        http=Protocol,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=TIMEOUT_SECONDS,
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
