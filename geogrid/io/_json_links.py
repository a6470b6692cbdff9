"""Refuse GeoJSON that would make the map library ask an address for its coordinate system.

The 2008 text of GeoJSON let a file link to its coordinate system, and the library follows such a
link as soon as it opens the file. Nobody who opens a map on an office computer expects that.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from geogrid.errors import InputError

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["require_no_link"]

_CRS = re.compile(rb'"crs"\s*:\s*\{')
_LINK = re.compile(rb'"link"')
# A letter written as a number could hide either word.
_HIDDEN_LETTER = re.compile(rb"\\u00[0-7]")
# An address of more bytes than this is none that a server answers.
_MOST_OF_A_CRS = 16_384


def require_no_link(file: Path, shown: str) -> None:
    """Refuse a GeoJSON file in UTF-8 of which a coordinate system is a link.

    Raises
    ------
    InputError
        If it holds one, or cannot be searched for one.
    """
    text = file.read_bytes()
    if _HIDDEN_LETTER.search(text):
        found = _links_when_parsed(text, shown)
    else:
        found = any(
            _LINK.search(text, at.end(), at.end() + _MOST_OF_A_CRS) for at in _CRS.finditer(text)
        )
    if found:
        msg = (
            f"{shown} asks to fetch its coordinate system from an address, which is not done: save "
            f"it again with a coordinate system of its own"
        )
        raise InputError(msg)


def _links_when_parsed(text: bytes, shown: str) -> bool:
    links: list[bool] = []

    def look(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        # Of a doubled key any may be the one that is followed.
        links.extend(
            True
            for key, value in pairs
            if key == "crs" and isinstance(value, dict) and value.get("type") == "link"
        )
        return found

    try:
        json.loads(text, object_pairs_hook=look)
    except (ValueError, RecursionError) as error:
        # The library forgives more than Python does, so what cannot be read here may hold a link.
        msg = f"{shown} is damaged or not a map file after all: it is no JSON"
        raise InputError(msg) from error
    return bool(links)
