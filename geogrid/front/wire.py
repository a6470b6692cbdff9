"""The wire between the front and the application: frames over a pair of sockets.

A frame is its kind, the stream that it belongs to, a head as JSON, and bytes. Frames arrive in the
order in which they were sent, so what the application tells of itself is known before the answer
that it gave afterwards.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from dataclasses import dataclass, field
from enum import IntEnum, auto
from typing import TYPE_CHECKING, Any, cast

from geogrid.errors import places_of

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Frame", "Kind", "Wire"]

_LOG = logging.getLogger(__name__)
_FORM = struct.Struct("!BIII")


class Kind(IntEnum):
    """What a frame says."""

    # From the front.
    ASKED = auto()
    """A request: its head as in ASGI."""
    CAME = auto()
    """A piece of the body of a request that was wanted."""
    GONE = auto()
    """Whoever asked is no longer there."""
    TAKEN = auto()
    """So many bytes of an answer were passed on."""
    WATCHED = auto()
    """Plans whose tiles were asked for lately."""
    # From the application.
    WANTED = auto()
    """The next piece of the body of a request is wanted."""
    STARTED = auto()
    """Status and headers of an answer."""
    SENT = auto()
    """A piece of the body of an answer."""
    FAILED = auto()
    """There will be no answer, or no more of it."""
    SHOWN = auto()
    """What the public sees of a plan."""
    TOUCHED = auto()
    """Tiles that an edit touched."""
    TILE = auto()
    """A tile that was made."""
    STOP = auto()
    """Answer what was asked, and end."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message; ``stream`` tells requests apart, 0 belongs to none."""

    kind: Kind
    stream: int = 0
    head: dict[str, Any] = field(default_factory=dict)
    body: bytes = b""

    def to_bytes(self) -> bytes:
        """Return the frame as it is sent."""
        head = json.dumps(self.head, separators=(",", ":")).encode() if self.head else b""
        form = _FORM.pack(self.kind, self.stream, len(head), len(self.body))
        return b"".join((form, head, self.body))


class Wire(asyncio.Protocol):
    """One end of the wire.

    Parameters
    ----------
    take
        Given each frame, in the order in which they were sent.
    lost
        Called once when the other end is gone.
    """

    def __init__(self, take: Callable[[Frame], None], lost: Callable[[], None]) -> None:
        self._take, self._lost = take, lost
        self._transport: asyncio.Transport | None = None
        self._buffer = bytearray()
        self._loop = asyncio.get_running_loop()
        self._has_room = asyncio.Event()
        self._has_room.set()

    @property
    def is_open(self) -> bool:
        """Whether somebody is at the other end."""
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the connection."""
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio gives it
        """Say that nobody is there."""
        self._transport = None
        self._has_room.set()
        self._lost()

    def pause_writing(self) -> None:
        """Let those wait who send much."""
        self._has_room.clear()

    def resume_writing(self) -> None:
        """Let them go on."""
        self._has_room.set()

    def data_received(self, data: bytes) -> None:
        """Take bytes, and give on each frame that is whole."""
        buffer = self._buffer
        buffer += data
        at = 0
        while len(buffer) - at >= _FORM.size:
            kind, stream, heading, size = _FORM.unpack_from(buffer, at)
            start = at + _FORM.size
            end = start + heading + size
            if len(buffer) < end:
                break
            with memoryview(buffer) as view:
                head = json.loads(bytes(view[start : start + heading])) if heading else {}
                body = bytes(view[start + heading : end])
            at = end
            if not self._taken(Frame(Kind(kind), stream, head, body)):
                return
        if at:
            del buffer[:at]

    def _taken(self, frame: Frame) -> bool:
        """Give a frame on; what is unforeseen there ends the wire, and its words stay unsaid."""
        try:
            self._take(frame)
        except Exception as fault:  # noqa: BLE001 - all of them
            kind, places = type(fault).__name__, places_of(fault)
            _LOG.error("unforeseen error at a frame %s: %s at %s", frame.kind.name, kind, places)
            self.close()
            return False
        return True

    def send(self, frame: Frame) -> None:
        """Send a frame, from the thread of the loop; nothing where nobody is at the other end."""
        if self._transport is not None:
            self._transport.write(frame.to_bytes())

    def send_soon(self, frame: Frame) -> None:
        """Send a frame from any thread, after all that this thread sent before."""
        self._loop.call_soon_threadsafe(self.send, frame)

    async def room(self) -> None:
        """Wait until the other end has taken most of what was sent."""
        await self._has_room.wait()

    def close(self) -> None:
        """Hang up once everything was sent."""
        if self._transport is not None:
            self._transport.close()
