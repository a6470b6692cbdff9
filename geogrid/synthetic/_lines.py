"""Lines between numbered nodes: streets meet where they share one."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
import numpy.typing as npt
import shapely

from geogrid.planar.lattice import round_coordinates

__all__ = ["HALF_WIDTH_M", "LineWork", "Polylines", "Street"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


class Street(IntEnum):
    """Classes of streets; the name is the value of ``highway``."""

    NONE = 0
    PRIMARY = 1
    SECONDARY = 2
    TERTIARY = 3
    RESIDENTIAL = 4
    UNCLASSIFIED = 5
    SERVICE = 6
    FOOTWAY = 7


# From the middle of a street to the fence of a block beside it, pavement included.
HALF_WIDTH_M = np.array([9.0, 17.0, 14.0, 11.0, 8.5, 8.0, 6.0, 4.0])


@dataclass(frozen=True, slots=True, eq=False)
class Polylines:
    """Node numbers of several lines, one after the other; line i holds ``start[i]:stop[i]``."""

    node: Indices
    start: Indices
    stop: Indices
    xy: Floats

    def shapes(self) -> npt.NDArray[np.object_]:
        """Return the lines."""
        owner = np.repeat(np.arange(len(self.start)), self.stop - self.start)
        if not len(owner):
            return np.empty(0, dtype=object)
        return np.asarray(shapely.linestrings(self.xy[self.node], indices=owner))


class LineWork:
    """A growing set of nodes, of lines between two of them, and of nodes placed on lines.

    A node placed on a line makes its corner there, so that every table made from the lines meets
    vertex for vertex.
    """

    def __init__(self, xy: Floats, ends: Indices) -> None:
        self._xy = [xy]
        self._nodes = len(xy)
        self._ends = [ends]
        self.kind = np.zeros(len(ends), dtype=np.int8)
        self.is_bridge = np.zeros(len(ends), dtype=bool)
        self._on: list[tuple[Indices, Floats, Indices]] = []

    @property
    def xy(self) -> Floats:
        """All nodes, shape (nodes, 2)."""
        return np.concatenate(self._xy)

    @property
    def ends(self) -> Indices:
        """First and last node of every line, shape (lines, 2)."""
        return np.concatenate(self._ends)

    def add_nodes(self, xy: Floats) -> Indices:
        """Add nodes, rounded to the millimetre; returns their numbers."""
        self._xy.append(round_coordinates(xy))
        first, self._nodes = self._nodes, self._nodes + len(xy)
        return np.arange(first, self._nodes)

    def add_lines(self, tail: Indices, head: Indices, kind: Indices | int) -> Indices:
        """Add lines; returns their numbers."""
        first = len(self.kind)
        self._ends.append(np.column_stack([tail, head]))
        kinds = np.broadcast_to(np.asarray(kind, dtype=np.int8), len(tail))
        self.kind = np.concatenate([self.kind, kinds])
        self.is_bridge = np.concatenate([self.is_bridge, np.zeros(len(tail), dtype=bool)])
        return np.arange(first, first + len(tail))

    def place(self, line: Indices, share: Floats, node: Indices) -> None:
        """Place nodes on lines, ``share`` of the way along."""
        self._on.append((line, share, node))

    def polylines(self, lines: Indices) -> Polylines:
        """Return some lines with all the nodes on them."""
        ends = self.ends
        slot = np.full(len(self.kind), -1, dtype=np.int64)
        slot[lines] = np.arange(len(lines))
        empty = np.empty(0, dtype=np.int64)
        on_line = np.concatenate([empty, *(one[0] for one in self._on)])
        on_share = np.concatenate([np.empty(0), *(one[1] for one in self._on)])
        on_node = np.concatenate([empty, *(one[2] for one in self._on)])
        wanted = slot[on_line] >= 0
        number = np.arange(len(lines))
        owner = np.concatenate([number, slot[on_line[wanted]], number])
        share = np.concatenate(
            [np.full(len(lines), -1.0), on_share[wanted], np.full(len(lines), 2.0)]
        )
        node = np.concatenate([ends[lines, 0], on_node[wanted], ends[lines, 1]])
        order = np.lexsort((node, share, owner))
        stop = np.cumsum(np.bincount(owner, minlength=len(lines)))
        start = np.concatenate([[0], stop[:-1]]).astype(np.int64)
        return Polylines(node[order], start, stop, self.xy)
