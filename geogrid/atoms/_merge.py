"""Faces to atoms: which faces belong together."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.planar.edges import RookPairs

__all__ = ["Regions"]


@dataclass(slots=True, eq=False)
class Regions:
    """Faces that are being joined into atoms, with their borders.

    Attributes
    ----------
    area, perimeter, households
        Of each region, in square metres, metres and households.
    borders
        For every region its neighbours, each with metres of border and the barrier's strength.
    limit
        Most households that joining may put into one region; None for any number.
    """

    area: list[float]
    perimeter: list[float]
    households: list[int]
    borders: list[dict[int, tuple[float, int]]]
    limit: int | None
    _parent: list[int] = field(default_factory=list)

    @classmethod
    def of_faces(
        cls,
        pairs: RookPairs,
        strength: npt.NDArray[np.int8],
        area: npt.NDArray[np.float64],
        perimeter: npt.NDArray[np.float64],
        households: npt.NDArray[np.int64],
        *,
        limit: int | None = None,
    ) -> Regions:
        """Start with one region a face."""
        borders: list[dict[int, tuple[float, int]]] = [{} for _ in area]
        for left, right, shared, strong in zip(
            pairs.left.tolist(),
            pairs.right.tolist(),
            pairs.shared_m.tolist(),
            strength.tolist(),
            strict=True,
        ):
            borders[left][right] = (shared, strong)
            borders[right][left] = (shared, strong)
        return cls(
            area.tolist(),
            perimeter.tolist(),
            households.tolist(),
            borders,
            limit,
            list(range(len(area))),
        )

    def find(self, face: int) -> int:
        """Return the region that holds a face."""
        root = face
        while self._parent[root] != root:
            root = self._parent[root]
        while self._parent[face] != root:
            self._parent[face], face = root, self._parent[face]
        return root

    def join(self, region: int, into: int) -> None:
        """Join one region into another that borders it."""
        region, into = self.find(region), self.find(into)
        if region == into:
            return
        shared, _ = self.borders[region].get(into, (0.0, 0))
        self._parent[region] = into
        self.area[into] += self.area[region]
        self.perimeter[into] += self.perimeter[region] - 2 * shared
        self.households[into] += self.households[region]
        for other, (metres, strength) in self.borders[region].items():
            if other == into:
                continue
            old, known = self.borders[into].get(other, (0.0, 0))
            # The longer of the two borders says what lies between.
            both = (old + metres, known if old >= metres else strength)
            self.borders[into][other] = both
            self.borders[other][into] = both
            del self.borders[other][region]
        self.borders[into].pop(region, None)
        self.borders[region] = {}

    def fits(self, region: int, into: int) -> bool:
        """Say whether two regions may become one: together no more households than allowed.

        What alone holds more may still take in what holds none.
        """
        one, other = self.households[region], self.households[into]
        return self.limit is None or not one or not other or one + other <= self.limit

    def weakest_longest(self, region: int) -> int | None:
        """Return the neighbour over the longest border that no weaker barrier beats."""
        sides = self.borders[region]
        fitting = [other for other in sides if self.fits(region, other)]
        if not fitting:
            return None
        return min(fitting, key=lambda other: (sides[other][1], -sides[other][0], other))

    def join_slivers(self, min_area_m2: float, thin_m: float) -> None:
        """Join every region that is too small to be an atom, smallest first.

        Parameters
        ----------
        min_area_m2
            Smaller regions are joined.
        thin_m
            So are regions without households of a smaller mean width (twice area by perimeter).
        """

        def is_sliver(region: int) -> bool:
            if self.area[region] < min_area_m2:
                return True
            width = 2 * self.area[region] / max(self.perimeter[region], 1e-9)
            return self.households[region] == 0 and width < thin_m

        queue = [(area, region) for region, area in enumerate(self.area) if is_sliver(region)]
        heapq.heapify(queue)
        while queue:
            area, region = heapq.heappop(queue)
            if self.find(region) != region or area != self.area[region]:
                continue
            into = self.weakest_longest(region)
            if into is None:
                continue
            self.join(region, into)
            if is_sliver(into):
                heapq.heappush(queue, (self.area[into], into))

    def join_shards(self, faces: npt.NDArray[np.int64], strength: int) -> None:
        """Join faces without households to a neighbour over a border no stronger than this."""
        for face in faces.tolist():
            region = self.find(face)
            if self.households[region]:
                continue
            into = self.weakest_longest(region)
            if into is not None and self.borders[region][into][1] <= strength:
                self.join(region, into)

    def join_alike(self, pairs: RookPairs, group: npt.NDArray[np.int64]) -> None:
        """Join neighbouring faces of the same group; faces of group -1 stay apart."""
        alike = (group[pairs.left] == group[pairs.right]) & (group[pairs.left] >= 0)
        for one, other in zip(pairs.left[alike].tolist(), pairs.right[alike].tolist(), strict=True):
            if self.fits(self.find(other), self.find(one)):
                self.join(other, one)

    def fill(self, faces: npt.NDArray[np.int64], strength: int) -> None:
        """Join what fits together over borders no stronger than this, emptiest first."""
        queue = [(self.households[one], one) for one in {self.find(f) for f in faces.tolist()}]
        heapq.heapify(queue)
        while queue:
            count, region = heapq.heappop(queue)
            if self.find(region) != region or count != self.households[region]:
                continue
            sides = self.borders[region]
            near = [one for one in sides if sides[one][1] <= strength and self.fits(region, one)]
            if not near:
                continue
            into = min(near, key=lambda one: (-sides[one][0], one))
            self.join(region, into)
            heapq.heappush(queue, (self.households[into], into))

    def labels(self) -> npt.NDArray[np.int64]:
        """Return a region number 0 … n-1 per face."""
        roots = np.array([self.find(face) for face in range(len(self._parent))], dtype=np.int64)
        return np.unique(roots, return_inverse=True)[1]
