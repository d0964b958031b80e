"""Clients that never end their request: uvicorn waits for them for good, each with a socket of the
process."""

from __future__ import annotations

import asyncio
from typing import Any

SECONDS = 10


def limit_half_requests(seconds: float = SECONDS) -> None:
    """Close a connection on which no whole request came for `seconds` (two looks apart). Does
    nothing with another server than uvicorn's own in Python."""
    try:
        import h11
        from uvicorn.protocols.http.h11_impl import H11Protocol
    except ImportError:
        return
    made = H11Protocol.connection_made

    def connection_made(self: Any, transport: asyncio.Transport) -> None:
        made(self, transport)
        unseen = object()

        def look(before: object) -> None:
            speaking: Any = transport.get_protocol()
            if transport.is_closing() or speaking is not self:
                return  # gone, or a websocket by now
            if self.conn.their_state is h11.IDLE and self.scope is before:
                transport.close()
                return
            self.loop.call_later(seconds, look, self.scope)

        self.loop.call_later(seconds, look, None if self.scope is None else unseen)

    H11Protocol.connection_made = connection_made  # type: ignore[method-assign]
