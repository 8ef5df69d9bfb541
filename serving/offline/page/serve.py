"""
Show the edition in this folder in a browser: ``python serve.py [PORT]``.

Needs Python 3 and nothing else. Browsers keep pages for use without a network only from https or
from this machine itself, so it answers this machine only; opening index.html as a file will not do.
"""

import contextlib
import functools
import http.server
import pathlib
import sys
import webbrowser

TYPES = {
    ".js": "text/javascript",
    ".mjs": "text/javascript",
    ".webmanifest": "application/manifest+json",
    ".packed": "application/octet-stream",
}  # some systems say otherwise, and browsers then refuse
FOLDER = pathlib.Path(__file__).resolve().parent


class Handler(http.server.SimpleHTTPRequestHandler):
    """Files with the types that browsers ask for; asks them to look again before using old ones."""

    extensions_map = {**http.server.SimpleHTTPRequestHandler.extensions_map, **TYPES}  # noqa: RUF012

    def end_headers(self) -> None:
        """Add headers to every answer."""
        self.send_header("Cache-Control", "no-cache")
        self.send_header("X-Content-Type-Options", "nosniff")
        super().end_headers()

    def log_message(self, *_: object) -> None:
        """Write no log: it would fill the screen."""


def main() -> None:
    """Serve until interrupted."""
    port = int(sys.argv[1]) if len(sys.argv) > 1 else 8080
    handler = functools.partial(Handler, directory=str(FOLDER))
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        # What is kept belongs to this very port: another would show none of it.
        sys.exit(f"Port {port} is in use. Is it open already? http://localhost:{port}/")
    with server:
        address = f"http://localhost:{server.server_port}/"
        print(f"{address} - Ctrl+C to end", flush=True)  # noqa: T201
        if len(sys.argv) < 2:
            webbrowser.open(address)
        with contextlib.suppress(KeyboardInterrupt):
            server.serve_forever()


if __name__ == "__main__":
    main()
