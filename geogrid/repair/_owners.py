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

__all__ = ["NOBODY", "POLICIES", "Choice", "choose_owners", "groundless"]

Indices = npt.NDArray[np.int64]
NOBODY = -1
POLICIES = ("longest_border", "fewest_households", "most_compact", "ask")

# A cell that would keep less than a tenth of its ground is erased in all but its name.
_LEAST_SHARE = 0.1


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


def groundless(faces: Faces, areas: npt.NDArray[np.float64]) -> list[int]:
    """Name the cells that others cover, smallest first, until each of the rest has ground.

    Parameters
    ----------
    faces
        Faces of all cells in question.
    areas
        Area of every cell in any unit: of two that cover each other, the smaller one yields, and
        of equal ones the later.

    Returns
    -------
    list of int
        Rows, also of cells that lie wholly outside the limit.
    """
    inside = faces.in_limit[faces.face]
    face, cell = faces.face[inside], faces.cell[inside]
    area = faces.area_m2[face]
    whole = np.bincount(faces.cell, faces.area_m2[faces.face], minlength=len(areas))
    rows = np.unique(faces.cell)
    named: list[int] = []
    kept = np.ones(len(cell), dtype=np.bool_)
    while True:
        covers = np.bincount(face[kept], minlength=len(faces.shapes))
        own = kept & (covers[face] == 1)
        share = np.bincount(cell[own], area[own], minlength=len(areas))
        bare = rows[(share[rows] <= _LEAST_SHARE * whole[rows]) & ~np.isin(rows, named)]
        # A big cell that mostly hangs over the limit but has that ground to itself is trimmed.
        held = np.bincount(cell[kept], area[kept], minlength=len(areas))
        bare = bare[(held[bare] > share[bare]) | (held[bare] == 0)]
        if not len(bare):
            return named
        last = int(bare[np.lexsort((-bare, areas[bare]))[0]])
        named.append(last)
        kept &= cell != last


@dataclass(slots=True, eq=False)
class _Board:
    """The state while faces are handed out."""

    faces: Faces
    owner: Indices
    neighbours: dict[int, list[tuple[int, float]]]
    part: dict[int, int] = field(default_factory=dict)
    area: dict[int, float] = field(default_factory=lambda: defaultdict(float))
    border: dict[int, float] = field(default_factory=lambda: defaultdict(float))

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
    parts = _parts(faces, owner)
    first: dict[int, int] = {}
    lengths = shapely.length(faces.shapes) / 1000
    for face in np.flatnonzero(owner != NOBODY).tolist():
        board.part[face] = first.setdefault(int(parts[face]), face)
        board.area[int(owner[face])] += float(faces.area_m2[face])
        board.border[int(owner[face])] += float(lengths[face])
    same = (owner[pairs.left] == owner[pairs.right]) & (owner[pairs.left] != NOBODY)
    for cell, metres in zip(owner[pairs.left[same]], pairs.shared_m[same], strict=True):
        board.border[int(cell)] -= 2 * float(metres)
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


def _pieces_before(faces: Faces, cell: int) -> int:
    """Count the separate pieces that a cell had before."""
    members = faces.face[faces.cell == cell]
    own = np.full(len(faces.shapes), NOBODY, dtype=np.int64)
    own[members] = cell
    return len(np.unique(_parts(faces, own)[members]))


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
        """Give pieces that were cut off from their cell to a neighbour of theirs."""
        faces, owner = self.board.faces, self.board.owner
        parts = _parts(faces, owner)
        area = np.bincount(parts, faces.area_m2)
        held = np.flatnonzero(owner != NOBODY)
        pieces = np.unique(np.column_stack((owner[held], parts[held])), axis=0)
        cells, counts = np.unique(pieces[:, 0], return_counts=True)
        torn: list[int] = []
        for cell in cells[(counts > 1) & ~self.is_locked[cells]].tolist():
            own = pieces[pieces[:, 0] == cell, 1]
            own = own[np.argsort(area[own], kind="stable")]
            for part in own[: max(0, len(own) - _pieces_before(faces, cell))].tolist():
                torn += self._hand_over(np.flatnonzero(parts == part), cell)
        return np.array(torn, dtype=np.int64)

    def _hand_over(self, members: Indices, cell: int) -> list[int]:
        given = []
        for face in members.tolist():
            metres = self.board.shared(face)
            among = [one for one in metres if one != cell and not self.is_locked[one]]
            if among:
                self.board.owner[face] = NOBODY
                to = self.best(face, among, metres)
                self.board.give(face, to, metres[to])
                given.append(face)
        return given
