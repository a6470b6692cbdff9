"""Atoms: the indivisible faces of a district, and who borders whom."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.model.counts import household_counts
from geogrid.planar.edges import RookPairs, dissolve, rook_pairs
from geogrid.planar.noding import as_multipolygon
from geogrid.vocabulary import BarrierKind

if TYPE_CHECKING:
    from shapely.geometry import MultiPolygon

__all__ = ["AtomGraph", "Atoms"]

# Noding moves a border by less than a millimetre at each end.
_ON_BARRIER_M = 0.003


@dataclass(frozen=True, slots=True, eq=False)
class AtomGraph:
    """Rook neighbours among atoms.

    Attributes
    ----------
    left, right
        Row positions, ``left < right``, one row a pair.
    shared_m
        Metres of common border.
    strength
        Of at least half of the common border, ``BarrierKind.strength``; 0 where none is known.
    n
        Number of atoms.
    """

    left: npt.NDArray[np.int64]
    right: npt.NDArray[np.int64]
    shared_m: npt.NDArray[np.float64]
    strength: npt.NDArray[np.int8]
    n: int

    def components(self) -> npt.NDArray[np.int64]:
        """Return a component number per atom."""
        # Whoever only shows a plan does not wait for these.
        from scipy.sparse import coo_array  # noqa: PLC0415 - heavy
        from scipy.sparse.csgraph import connected_components  # noqa: PLC0415 - as above

        ones = np.ones(len(self.left), dtype=np.int8)
        matrix = coo_array((ones, (self.left, self.right)), shape=(self.n, self.n))
        _, labels = connected_components(matrix, directed=False)
        return np.asarray(labels, dtype=np.int64)


def barrier_strengths(pairs: RookPairs, barriers: gpd.GeoDataFrame | None) -> npt.NDArray[np.int8]:
    """Return for each pair the strength that at least half of its border has."""
    strengths = np.zeros(len(pairs.left), dtype=np.int8)
    if barriers is None or barriers.empty or not len(strengths):
        return strengths
    of_kind = {kind.value: kind.strength for kind in BarrierKind}
    known = barriers["kind"].map(of_kind).fillna(0).to_numpy(np.int8)
    middle = shapely.points(pairs.edge_xy.mean(axis=1))
    piece, barrier = barriers.sindex.query(middle, predicate="dwithin", distance=_ON_BARRIER_M)
    of_piece = np.zeros(len(middle), dtype=np.int8)
    np.maximum.at(of_piece, piece, known[barrier])
    span = pairs.edge_xy[:, 1] - pairs.edge_xy[:, 0]
    length = np.hypot(span[:, 0], span[:, 1])
    order = np.lexsort((-of_piece.astype(np.int16), pairs.edge_pair))
    pair_sorted = pairs.edge_pair[order]
    run = np.cumsum(length[order])
    first = np.searchsorted(pair_sorted, np.arange(len(strengths)))
    before = run[first] - length[order][first]
    half = before + pairs.shared_m / 2
    at = np.searchsorted(run, half - 1e-9)
    last = np.searchsorted(pair_sorted, np.arange(len(strengths)), side="right") - 1
    strengths[:] = of_piece[order][np.minimum(at, last)]
    return strengths


@dataclass(frozen=True, eq=False, kw_only=True)
class Atoms:
    """The atoms of a district; together they are its limit, vertex for vertex.

    Attributes
    ----------
    frame
        ``atom_id`` (text), ``households`` (int), ``kind`` (text), ``geometry`` (Polygon).
    limit
        The noded limit: the union of the atoms.
    barriers
        ``kind`` and ``geometry`` of the lines that the atoms were cut along, where known.
    cut_buildings
        Buildings that a border still cuts: ``building, reason, share``.
    """

    frame: gpd.GeoDataFrame
    limit: MultiPolygon
    barriers: gpd.GeoDataFrame | None = None
    cut_buildings: pd.DataFrame = field(
        default_factory=lambda: pd.DataFrame({"building": [], "reason": [], "share": []})
    )

    @classmethod
    def from_frame(
        cls, frame: gpd.GeoDataFrame, *, barriers: gpd.GeoDataFrame | None = None
    ) -> Atoms:
        """Take polygons that share their borders vertex for vertex as atoms.

        Parameters
        ----------
        frame
            Polygons in metres; ``atom_id`` and ``kind`` are made and ``households`` is 0 where
            absent.
        barriers
            Lines with ``kind`` that some borders follow.

        Raises
        ------
        InputError
            If there is no polygon, or an ``atom_id`` occurs twice.
        """
        if frame.empty:
            msg = "there is no atom to divide: the table is empty"
            raise InputError(msg)
        ids = frame["atom_id"] if "atom_id" in frame else pd.RangeIndex(len(frame))
        table = gpd.GeoDataFrame(
            {
                "atom_id": [str(value) for value in ids],
                "households": household_counts(frame, default=0),
                "kind": frame["kind"].to_numpy() if "kind" in frame else "",
            },
            geometry=frame.geometry.to_numpy(),
            crs=frame.crs,
        )
        twice = table["atom_id"][table["atom_id"].duplicated()]
        if len(twice):
            msg = f"atom_id {twice.iloc[0]} occurs twice: atom ids must be unique"
            raise InputError(msg)
        shapes = table.geometry.to_numpy()
        limit = as_multipolygon(dissolve(shapes, np.zeros(len(shapes), dtype=np.int64))[0])
        return cls(frame=table, limit=limit, barriers=barriers)

    @cached_property
    def pairs(self) -> RookPairs:
        """Neighbours with the border pieces between them."""
        return rook_pairs(self.frame.geometry.to_numpy())

    @cached_property
    def graph(self) -> AtomGraph:
        """Rook neighbours with metres of border and the barrier between."""
        pairs = self.pairs
        strength = barrier_strengths(pairs, self.barriers)
        return AtomGraph(pairs.left, pairs.right, pairs.shared_m, strength, len(self.frame))

    def locate(self, points: gpd.GeoSeries | gpd.GeoDataFrame) -> npt.NDArray[np.int64]:
        """Return the row position of the atom that holds each point, -1 outside.

        A point on a border belongs to the atom with the lowest ``atom_id``: to exactly one.
        """
        shapes = points.geometry.to_numpy()
        point, atom = self.frame.sindex.query(shapes, predicate="intersects")
        rank = np.argsort(np.argsort(self.frame["atom_id"].to_numpy(str), kind="stable"))
        order = np.lexsort((rank[atom], point))
        held, first = np.unique(point[order], return_index=True)
        position = np.full(len(shapes), -1, dtype=np.int64)
        position[held] = atom[order][first]
        return position

    def with_households(self, households: gpd.GeoDataFrame) -> Atoms:
        """Count households (points with ``households``, 1 where absent) onto the atoms.

        Points outside every atom are not counted here: split them off and list them first.
        """
        position = self.locate(households)
        counts = household_counts(households)
        inside = position >= 0
        total = np.bincount(
            position[inside], weights=counts[inside], minlength=len(self.frame)
        ).astype(np.int64)
        return replace(self, frame=self.frame.assign(households=total))
