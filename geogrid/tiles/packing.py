"""Compressing tiles."""

from __future__ import annotations

import gzip

__all__ = ["packed"]

# Level 4 takes half the time of the usual 6 and a few hundredths more room.
_LEVEL = 4


def packed(tile: bytes) -> bytes:
    """Compress a tile, to the same bytes at any time; an empty one stays empty."""
    return gzip.compress(tile, _LEVEL, mtime=0) if tile else b""
