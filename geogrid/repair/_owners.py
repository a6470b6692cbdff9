"""One owner a face: by policy, locked cells first, no cell torn apart."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.repair._faces import Faces

__all__ = ["NOBODY", "POLICIES", "Choice", "choose_owners"]

Indices = npt.NDArray[np.int64]
NOBODY = -1
POLICIES = ("longest_border", "fewest_households", "most_compact", "ask")


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Who gets which face.

    Attributes
    ----------
    owner
        The row of the cell, or ``NOBODY``.
    asked
        Faces somebody had to choose for, and among whom.
    torn
        Faces that a cell lost because the rest of the mending cut them off from it.
    """

    owner: Indices
    asked: dict[int, tuple[int, ...]]
    torn: Indices


@dataclass(slots=True, eq=False)
class _Board:
    """The state while faces are handed out."""

    faces: Faces
    owner: Indices
    neighbours: dict[int, list[tuple[int, float]]]
    part: dict[int, int] = field(default_factory=dict)
    area: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    border: dict[int, float] = field(default_factory=lambda: defaultdict(float))

    def count(self) -> None:
        """Find the connected parts, areas and borders of all cells anew."""
        faces, owner, pairs = self.faces, self.owner, self.faces.pairs
        self.part, self.area = {}, defaultdict(float)
        self.border = defaultdict(float)
        parts = _parts(faces, owner)
        first: dict[int, int] = {}
        lengths = shapely.length(faces.shapes) / 1000
        for face in np.flatnonzero(owner != NOBODY).tolist():
            self.part[face] = first.setdefault(int(parts[face]), face)
            self.area[int(owner[face])] += float(faces.area_m2[face])
            self.border[int(owner[face])] += float(lengths[face])
        same = (owner[pairs.left] == owner[pairs.right]) & (owner[pairs.left] != NOBODY)
        for cell, metres in zip(owner[pairs.left[same]], pairs.shared_m[same], strict=True):
            self.border[int(cell)] -= 2 * float(metres)

    def shared(self, face: int) -> dict[int, float]:
        """Metres that a face shares with each cell's own ground."""
        metres: dict[int, float] = defaultdict(float)
        for other, length in self.neighbours.get(face, ()):
            if self.owner[other] != NOBODY:
                metres[int(self.owner[other])] += length
        return metres

    def find(self, face: int) -> int:
        """Return the connected part that a face belongs to."""
        while self.part.get(face, face) != face:
            face = self.part[face]
        return face

    def joined(self, face: int, cell: int) -> int:
        """Count the separate parts of a cell that a face would join."""
        return len(
            {self.find(one) for one, _ in self.neighbours.get(face, ()) if self.owner[one] == cell}
        )

    def give(self, face: int, cell: int, metres: float) -> None:
        """Hand a face to a cell."""
        self.owner[face] = cell
        self.area[cell] += float(self.faces.area_m2[face])
        self.border[cell] += float(shapely.length(self.faces.shapes[face])) / 1000 - 2 * metres
        for one, _ in self.neighbours.get(face, ()):
            if self.owner[one] == cell:
                self.part[self.find(one)] = self.find(face)


def _board(faces: Faces, owner: Indices) -> _Board:
    neighbours: dict[int, list[tuple[int, float]]] = defaultdict(list)
    pairs = faces.pairs
    for left, right, metres in zip(
        pairs.left.tolist(), pairs.right.tolist(), pairs.shared_m.tolist(), strict=True
    ):
        neighbours[left].append((right, metres))
        neighbours[right].append((left, metres))
    board = _Board(faces, owner, neighbours)
    board.count()
    return board


def _parts(faces: Faces, owner: Indices) -> Indices:
    """Label faces by connected ground of one owner."""
    pairs = faces.pairs
    same = (owner[pairs.left] == owner[pairs.right]) & (owner[pairs.left] != NOBODY)
    ones = np.ones(int(same.sum()), dtype=np.int8)
    size = len(owner)
    graph = coo_array((ones, (pairs.left[same], pairs.right[same])), shape=(size, size))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _longest_border(_board: _Board, _face: int, _cell: int, metres: float) -> float:
    return metres


def _most_compact(board: _Board, face: int, cell: int, metres: float) -> float:
    """How much 4πA/P² of the cell gains by the face."""

    def quotient(area: float, border: float) -> float:
        return 4 * np.pi * area / border**2 if border > 0 else 0.0

    area, border = board.area[cell], board.border[cell]
    more = float(board.faces.area_m2[face])
    length = float(shapely.length(board.faces.shapes[face])) / 1000
    return quotient(area + more, border + length - 2 * metres) - quotient(area, border)


def _score(policy: str, households: Indices | None) -> Callable[[_Board, int, int, float], float]:
    if policy == "most_compact":
        return _most_compact
    if policy == "fewest_households" and households is not None:
        return lambda _board, _face, cell, _metres: -float(households[cell])
    return _longest_border


def choose_owners(
    faces: Faces,
    *,
    policy: str,
    is_locked: npt.NDArray[np.bool_],
    households: Indices | None,
    rank: Indices,
) -> Choice:
    """Give every face inside the limit to one cell.

    Parameters
    ----------
    faces
        The faces.
    policy
        One of ``POLICIES``; to ask is to suggest the longest border.
    is_locked
        Cells that neither gain nor lose ground.
    households
        Households per cell, for the policy that needs them.
    rank
        Order of the cells' codes, which breaks ties.
    """
    board = _board(faces, _settled(faces, is_locked))
    chooser = _Chooser(board, _score(policy, households), is_locked, rank)
    asked = chooser.hand_out()
    torn = chooser.rejoin()
    return Choice(board.owner, asked, torn)


def _settled(faces: Faces, is_locked: npt.NDArray[np.bool_]) -> Indices:
    """Return the owners of faces that nobody disputes, and of those under locked cells."""
    owner = np.full(len(faces.shapes), NOBODY, dtype=np.int64)
    single = faces.covers[faces.face] == 1
    owner[faces.face[single]] = faces.cell[single]
    owner[~faces.in_limit] = NOBODY
    locked = is_locked[faces.cell]
    owner[faces.face[locked]] = faces.cell[locked]
    return owner


def _steady_order(faces: Faces, rows: Indices) -> Indices:
    """Biggest first, then by place: the same in any order of rows."""
    bounds = shapely.bounds(faces.shapes[rows])
    return np.lexsort((bounds[:, 1], bounds[:, 0], -faces.area_m2[rows]))


@dataclass(frozen=True, slots=True, eq=False)
class _Chooser:
    """Hands out what is open on a board."""

    board: _Board
    score: Callable[[_Board, int, int, float], float]
    is_locked: npt.NDArray[np.bool_]
    rank: Indices

    def best(self, face: int, among: list[int], metres: dict[int, float]) -> int:
        """Choose a cell: one that the face holds together, else by policy; ties by code."""

        def worth(cell: int) -> tuple[bool, float, float, int]:
            length = metres.get(cell, 0.0)
            joins = self.board.joined(face, cell) > 1
            value = self.score(self.board, face, cell, length)
            return joins, value, length, -int(self.rank[cell])

        return max(among, key=worth)

    def hand_out(self) -> dict[int, tuple[int, ...]]:
        """Give every open face inside the limit to a cell next to it.

        A face waits until one of its cells owns ground beside it; if none ever does, any of the
        cells that covered it will do. What only locked cells border stays open.
        """
        faces, owner = self.board.faces, self.board.owner
        holders: dict[int, list[int]] = defaultdict(list)
        for face, cell in zip(faces.face.tolist(), faces.cell.tolist(), strict=True):
            holders[face].append(cell)
        asked: dict[int, tuple[int, ...]] = {}
        waiting = np.flatnonzero(faces.in_limit & (owner == NOBODY))
        waiting = waiting[_steady_order(faces, waiting)]
        for must in (False, True):
            before = -1
            while len(waiting) and before != len(waiting):
                before = len(waiting)
                waiting = np.array(
                    [
                        face
                        for face in waiting.tolist()
                        if not self._give(face, holders[face], asked, must=must)
                    ],
                    dtype=np.int64,
                )
        return asked

    def _give(
        self, face: int, holders: list[int], asked: dict[int, tuple[int, ...]], *, must: bool
    ) -> bool:
        metres = self.board.shared(face)
        among = [cell for cell in metres if not self.is_locked[cell]]
        if holders:
            among = [cell for cell in holders if must or cell in metres]
        if not among:
            return False
        asked[face] = tuple(sorted(among))
        cell = self.best(face, among, metres)
        self.board.give(face, cell, metres.get(cell, 0.0))
        return True

    def rejoin(self) -> Indices:
        """Give pieces that were cut off from their cell to a neighbour of theirs.

        All are taken back before the first is given away, so that none is hung onto another.
        """
        owner = self.board.owner
        before = owner.copy()
        waiting = self._cut_off()
        if not len(waiting):
            return waiting
        owner[waiting] = NOBODY
        self.board.count()
        count = -1
        while len(waiting) and count != len(waiting):
            count = len(waiting)
            still = [face for face in waiting.tolist() if not self._give(face, [], {}, must=False)]
            waiting = np.array(still, dtype=np.int64)
        # Only locked cells border these.
        owner[waiting] = before[waiting]
        return np.flatnonzero(owner != before)

    def _cut_off(self) -> Indices:
        """Return the faces of the smallest pieces by which a cell has more than it came with.

        In each part of the limit a cell may have as many pieces as it had there, and one at least.
        """
        faces, owner = self.board.faces, self.board.owner
        pieces = _parts(faces, owner)
        area = np.bincount(pieces, faces.area_m2)
        rows = np.flatnonzero((owner != NOBODY) & faces.in_limit & ~self.is_locked[owner])
        rows = rows[_steady_order(faces, rows)]
        first = rows[np.sort(np.unique(pieces[rows], return_index=True)[1])]
        first = first[np.argsort(-area[pieces[first]], kind="stable")]
        kept = owner[faces.face] == faces.cell
        came = np.column_stack((faces.cell, faces.body[faces.face], faces.part))
        left = _counts(np.unique(came[kept], axis=0))
        loose = []
        for face in first.tolist():
            place = int(owner[face]), int(faces.body[face])
            room = left.get(place, 1)
            left[place] = room - 1
            if room <= 0:
                loose.append(int(pieces[face]))
        cut = np.flatnonzero(np.isin(pieces, loose))
        return cut[_steady_order(faces, cut)]


def _counts(rows: Indices) -> dict[tuple[int, int], int]:
    """Count rows by their first two numbers."""
    places, counts = np.unique(rows[:, :2], axis=0, return_counts=True)
    return {
        (row[0], row[1]): count for row, count in zip(places.tolist(), counts.tolist(), strict=True)
    }
