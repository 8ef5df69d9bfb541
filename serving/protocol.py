"""
HTTP/1.1 with limits on what comes before the body.

uvicorn's httptools protocol reads a request line and headers of any length, for as long as it takes
to send them. Ours answers 431 above `MOST_HEAD` bytes, and closes after `HEAD_SECONDS`.
"""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

MOST_HEAD = 32_768
"""Bytes of request line and headers: a token has at most 8 kB."""

HEAD_SECONDS = 10.0

_FIELD = 4  # colon, space, line end


class _TooLarge(Exception):
    pass


class Protocol(HttpToolsProtocol):
    """One connection."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._in_head, self._unfinished, self._head = False, 0, 0
        self._too_late: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin, and wait for a head."""
        super().connection_made(transport)
        self._wait_for_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._head_is_here()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; count what belongs to a header without end, which `on_header` is not told of."""
        begun = self.headers if self._in_head else None
        super().data_received(data)
        if begun is not None and begun is self.headers and self._in_head:
            self._unfinished += len(data)
            if self._unfinished > MOST_HEAD and not self.transport.is_closing():
                self._head = self._unfinished
                self.send_400_response("")

    def on_message_begin(self) -> None:
        """Begin a request."""
        super().on_message_begin()
        self._in_head, self._unfinished, self._head = True, 0, 0
        if self._too_late is None:
            self._wait_for_head()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        super().on_url(url)
        self._count(len(url))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header, or a trailer."""
        self._count(len(name) + len(value) + _FIELD)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Let the request be answered."""
        self._head_is_here()
        self._in_head = False
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is not HTTP, or too long."""
        if self._head <= MOST_HEAD:
            super().send_400_response(msg)
            return
        self.transport.write(STATUS_LINE[431] + b"content-length: 0\r\nconnection: close\r\n\r\n")
        self.transport.close()

    def _count(self, size: int) -> None:
        self._head += size
        if self._head > MOST_HEAD:
            raise _TooLarge  # which httptools makes a parser error, and uvicorn a refusal

    def _wait_for_head(self) -> None:
        self._too_late = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _head_is_here(self) -> None:
        if self._too_late is not None:
            self._too_late.cancel()
            self._too_late = None
