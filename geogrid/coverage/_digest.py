"""A digest of polygons that depends on nothing but their borders and their codes."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from geogrid.planar.rings import LatticeRings, lattice_rings, unpack

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd
    import numpy.typing as npt

__all__ = ["canonical_rows", "cells_digest", "digest_of"]


def digest_of(rings: LatticeRings, codes: Sequence[str]) -> str:
    """Return the SHA-256 of polygons, the same in any order of rows and any start of rings.

    The bytes are the sorted codes, joined by newlines and closed by a zero byte, and then pairs of
    little-endian 64-bit numbers: for each ring the rank of its polygon's code and the number of
    its vertices, followed by x and y of each vertex in whole millimetres of the coordinate system
    itself. Rings are walked with their polygon on the left from their least vertex (by x, then y)
    and come in order of rank, then least vertex.
    """
    ordered = sorted(codes)
    rank = np.arange(len(codes))
    if ordered != list(codes) or len(set(codes)) < len(codes):
        place = dict(zip(reversed(ordered), reversed(range(len(codes))), strict=True))
        rank = np.array([place[code] for code in codes], dtype=np.int64)
    digest = hashlib.sha256()
    digest.update("\n".join(ordered).encode() + b"\0")
    digest.update(canonical_rows(rings, rank).astype("<i8", copy=False).tobytes())
    return digest.hexdigest()


def cells_digest(cells: gpd.GeoDataFrame) -> str:
    """Return the digest that a certificate holds for cells with ``code``."""
    codes = cells["code"].astype(str).tolist() if "code" in cells else [""] * len(cells)
    return digest_of(lattice_rings(cells.geometry.to_numpy()), codes)


def canonical_rows(rings: LatticeRings, rank: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return what is digested of rings behind the codes, shape (rings + vertices, 2)."""
    filled = np.flatnonzero(rings.length)
    if not len(filled):
        return np.zeros((0, 2), dtype=np.int64)
    length = rings.length[filled]
    start = np.cumsum(length) - length
    least = np.minimum.reduceat(rings.tail, start)
    hits = np.flatnonzero(rings.tail == np.repeat(least, length))
    # A ring that passes its least vertex twice is invalid: any start of it will do.
    least_at = hits[np.searchsorted(hits, start)]
    order = np.lexsort((least, rank[rings.owner[filled]]))
    row = np.empty(len(filled), dtype=np.int64)
    row[order] = np.cumsum(length[order] + 1) - (length[order] + 1)

    step = np.arange(len(rings.tail)) - np.repeat(least_at, length)
    step = np.where(np.repeat(rings.is_reversed[filled], length), -step, step)
    step = np.where(step < 0, step + np.repeat(length, length), step)
    rows = np.empty((len(rings.tail) + len(filled), 2), dtype=np.int64)
    rows[row] = np.column_stack((rank[rings.owner[filled]], length))
    rows[np.repeat(row + 1, length) + step] = unpack(rings.tail) + rings.origin
    return rows
