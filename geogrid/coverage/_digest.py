"""A digest of polygons that depends on nothing but their borders and their codes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from geogrid.planar.edges import DirectedEdges

__all__ = ["digest_of"]


def digest_of(edges: DirectedEdges, codes: Sequence[str]) -> str:
    """Return the SHA-256 of polygons, the same in any order of rows and any start of rings.

    The bytes are: the sorted codes joined by newlines and closed by a zero byte, then one row of
    five little-endian 64-bit numbers a directed edge, sorted: rank of the polygon's code, and x
    and y of both ends in whole millimetres of the coordinate system itself.
    """
    order = np.argsort(np.asarray(codes, dtype=object), kind="stable")
    rank = np.empty(len(codes), dtype=np.int64)
    rank[order] = np.arange(len(codes))
    tail = edges.xy[edges.tail] + edges.origin
    head = edges.xy[edges.head] + edges.origin
    rows = np.column_stack((rank[edges.owner], tail, head))
    rows = rows[np.lexsort(rows.T[::-1])]
    digest = hashlib.sha256()
    digest.update("\n".join(codes[number] for number in order).encode() + b"\0")
    digest.update(rows.astype("<i8").tobytes())
    return digest.hexdigest()
