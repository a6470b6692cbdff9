"""The digest of a certificate when only a few cells change: the others are not walked again."""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from dataclasses import dataclass
from itertools import chain
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
        rings = list(chain.from_iterable(self.walks))
        rank = np.repeat(np.arange(len(self.walks)), [len(walk) for walk in self.walks])
        length = np.fromiter(map(len, rings), dtype="<i8", count=len(rings)) // _VERTEX_BYTES
        heads = np.column_stack((rank, length)).astype("<i8")
        # Head and ring in turn; lists are filled faster than a loop appends.
        parts: list[bytes] = [b""] * (2 * len(rings) + 1)
        parts[0] = "\n".join(self.codes).encode() + b"\0"
        parts[1::2] = heads.view(f"V{_VERTEX_BYTES}").ravel().tolist()
        parts[2::2] = rings
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
