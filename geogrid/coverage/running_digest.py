"""The digest of a certificate when only a few cells change: the others are not walked again."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geogrid.coverage._digest import canonical_rows
from geogrid.planar.rings import lattice_rings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Walk = tuple[bytes, ...]

__all__ = ["RunningDigest"]

_VERTEX_BYTES = 16


@dataclass(frozen=True, slots=True, eq=False)
class RunningDigest:
    """The rings of all cells of a level, each as the bytes that are digested.

    The format is that of a certificate: a ring is headed by the rank of its cell's code, which
    changes when codes come and go, and by its length. So the bytes of the vertices are kept cell
    by cell, shared between versions of a plan, and only the headers are written anew.

    Attributes
    ----------
    codes
        Sorted codes.
    walks
        For each, the bytes of its rings, by their least vertices.
    """

    codes: tuple[str, ...]
    walks: tuple[Walk, ...]

    @classmethod
    def of(cls, codes: Sequence[str], shapes: npt.NDArray[np.object_]) -> RunningDigest:
        """Walk polygons in metres, in the order of their sorted, different codes."""
        return cls(tuple(codes), tuple(_walks(shapes)))

    def exchanged(
        self, gone: Iterable[str], codes: Sequence[str], shapes: npt.NDArray[np.object_]
    ) -> RunningDigest:
        """Return the digest without some cells and with others, which may have the same codes."""
        all_codes, walks = list(self.codes), list(self.walks)
        for code in gone:
            at = bisect_left(all_codes, code)
            del all_codes[at], walks[at]
        for code, walk in zip(codes, _walks(shapes), strict=True):
            at = bisect_left(all_codes, code)
            all_codes.insert(at, code)
            walks.insert(at, walk)
        return RunningDigest(tuple(all_codes), tuple(walks))

    def hexdigest(self) -> str:
        """Return the SHA-256, the same as a full walk of all cells gives."""
        rank = np.repeat(np.arange(len(self.walks)), [len(walk) for walk in self.walks])
        rings = [ring for walk in self.walks for ring in walk]
        length = np.array([len(ring) // _VERTEX_BYTES for ring in rings], dtype="<i8")
        heads = np.column_stack((rank, length)).astype("<i8").tobytes()
        parts = ["\n".join(self.codes).encode() + b"\0"]
        starts = range(0, len(heads), _VERTEX_BYTES)
        headed = zip(starts, rings, strict=True)
        parts += [piece for at, ring in headed for piece in (heads[at : at + _VERTEX_BYTES], ring)]
        return hashlib.sha256(b"".join(parts)).hexdigest()


def _walks(shapes: npt.NDArray[np.object_]) -> list[Walk]:
    if not len(shapes):
        return []
    rings = lattice_rings(shapes)
    filled = rings.length > 0
    rows = canonical_rows(rings, np.arange(len(shapes))).astype("<i8", copy=False).tobytes()
    count = np.bincount(rings.owner[filled], minlength=len(shapes)).tolist()
    walks: list[Walk] = []
    at = 0
    for number in count:
        walk = []
        for _ in range(number):
            head = int.from_bytes(rows[at + 8 : at + _VERTEX_BYTES], "little")
            start, at = at + _VERTEX_BYTES, at + (head + 1) * _VERTEX_BYTES
            walk.append(rows[start:at])
        walks.append(tuple(walk))
    return walks
