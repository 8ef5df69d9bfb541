"""A mirror of CDC on this machine for tests: an HTTP server, and files in CDC's formats."""

from __future__ import annotations

import hashlib
import math
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Mirror:
    """What the server serves, what it does wrong, and what it was asked for."""

    files: dict[str, bytes]
    break_once: dict[str, int] = field(default_factory=dict)
    """File → after how many bytes the connection is cut, once."""
    answers: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=dict)
    """File → statuses and headers to answer with before serving it."""
    layout: str = "Nchs/Data/Nhanes/Public"
    """What a path must contain; empty: a flat folder."""
    ranges: bool = True
    address: str = ""
    asked: list[tuple[str, str, int]] = field(default_factory=list)
    """File, Range header and status of every request."""
    at_once: int = 0
    most_at_once: int = 0

    def served(self, name: str) -> list[tuple[str, int]]:
        """Range header and status of every request for a file that was there."""
        return [(r, status) for file, r, status in self.asked if file == name and status < 400]


@contextmanager
def serving(mirror: Mirror) -> Iterator[Mirror]:
    """Serve on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            mirror.at_once += 1
            mirror.most_at_once = max(mirror.at_once, mirror.most_at_once)
            try:
                self._answer()
            finally:
                mirror.at_once -= 1

        def _answer(self) -> None:
            name = self.path.rsplit("/", 1)[-1]
            name = name.removesuffix(".xpt") + ".XPT" if name.endswith(".xpt") else name
            wanted = self.headers.get("Range", "")
            if mirror.answers.get(name):
                status, headers = mirror.answers[name].pop(0)
                return self._send(name, wanted, status, b"", headers)
            flat = self.path.count("/") == 1
            right = flat if not mirror.layout else mirror.layout in self.path or ".dat" in self.path
            if name not in mirror.files or not right:
                return self._send(name, wanted, 404, b"<html>not here</html>", {})
            body = mirror.files[name]
            tag = f'"{hashlib.sha256(body).hexdigest()[:12]}"'
            start, status, headers = 0, 200, {"ETag": tag}
            if wanted and mirror.ranges and self.headers.get("If-Range", tag) == tag:
                start = int(wanted.removeprefix("bytes=").removesuffix("-"))
                if start >= len(body):
                    return self._send(name, wanted, 416, b"", {})
                status = 206
                headers["Content-Range"] = f"bytes {start}-{len(body) - 1}/{len(body)}"
            return self._send(name, wanted, status, body[start:], headers)

        def _send(
            self, name: str, wanted: str, status: int, body: bytes, headers: Mapping[str, str]
        ) -> None:
            mirror.asked.append((name, wanted, status))
            self.send_response(status)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if status < 400 and name in mirror.break_once:
                body = body[: mirror.break_once.pop(name)]
                self.close_connection = True
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    mirror.address = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield mirror
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def xpt(columns: Mapping[str, list[float]]) -> bytes:
    """A SAS transport file (version 5) of numbers; NaN is SAS' missing value."""
    day = "01JAN00:00:00:00"

    def header(kind: str, tail: str = "0" * 30) -> bytes:
        return f"HEADER RECORD*******{kind:<8}HEADER RECORD!!!!!!!{tail}  ".encode()

    def padded(body: bytes) -> bytes:
        return body + b" " * (-len(body) % 80)

    names = b"".join(
        struct.pack(
            ">hhhh8s40s8shhh2s8shhl52s", 1, 0, 8, i + 1, name.ljust(8).encode(), b" " * 40,
            b" " * 8, 0, 0, 0, b"\0\0", b" " * 8, 0, 0, 8 * i, b"\0" * 52,
        )
        for i, name in enumerate(columns)
    )  # fmt: skip
    rows = b"".join(_ibm(value) for row in zip(*columns.values(), strict=True) for value in row)
    return (
        header("LIBRARY")
        + f"{'SAS':<8}{'SAS':<8}{'SASLIB':<8}{'9.4':<8}{'LIN X64':<32}{day}".encode()
        + f"{day:<80}".encode()
        + header("MEMBER", "000000000000000001600000000140")
        + header("DSCRPTR")
        + f"{'SAS':<8}{'DATASET':<8}{'SASDATA':<8}{'9.4':<8}{'LIN X64':<32}{day}".encode()
        + f"{day:<80}".encode()
        + header("NAMESTR", f"000000{len(columns):04d}00000000000000000000")
        + padded(names)
        + header("OBS")
        + padded(rows)
    )


def _ibm(value: float) -> bytes:
    """A number as IBM hexadecimal floating point."""
    if math.isnan(value):
        return b"." + b"\0" * 7
    if value == 0:
        return b"\0" * 8
    exponent = math.floor(math.log(abs(value), 16)) + 1
    mantissa = round(abs(value) / 16.0**exponent * 2**56)
    sign = 0x80 if value < 0 else 0
    return bytes([sign | (exponent + 64)]) + mantissa.to_bytes(7, "big")


def mortality(rows: list[tuple[int, str, str, str, str, str, str, str]]) -> bytes:
    """A linked mortality file: person, eligibility, status, cause, two flags, two durations."""
    return "".join(
        f"{seqn:<14}{eligible}{died}{cause:>3}{diabetes}{hypertension}{'':21}{interview:>3}{exam:>3}\n"
        for seqn, eligible, died, cause, diabetes, hypertension, interview, exam in rows
    ).encode()
