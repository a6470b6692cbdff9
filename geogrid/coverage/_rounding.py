"""Vertices that meet only after rounding: the same lattice point from different doubles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geogrid.coverage._faces import Finding
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.coverage._frame import Frame
    from geogrid.planar.rings import LatticeRings

__all__ = ["rounding_findings"]

# More cells than a person looks at one by one become one finding.
_MOST = 100


def rounding_findings(rings: LatticeRings, frame: Frame) -> list[Finding]:
    """Find cells whose borders differ from their neighbours' by less than the lattice shows.

    Parameters
    ----------
    rings
        Of all polygons.
    frame
        The same polygons; only those off the lattice and their neighbours are looked at.

    Returns
    -------
    list of Finding
        ``unmatched_edge``, in metres, at most one a cell: the cell that differs from the most of
        those that meet there, or each of them where there is no most.
    """
    off = np.flatnonzero(frame.is_off[:-1])
    if not len(off):
        return []
    some, _ = rings.of(_neighbourhood(frame, off))
    given = frame.xy[some.vertex]
    is_reversed = np.repeat(some.is_reversed, some.length)
    key = np.where(is_reversed, some.head, some.tail)
    order = np.lexsort((given[:, 1], given[:, 0], key))
    key, given, owner = key[order], given[order], some.edge_owner[order]
    is_place = np.append(True, key[1:] != key[:-1])
    is_value = is_place | np.append(True, (given[1:] != given[:-1]).any(axis=1))
    place, value = np.cumsum(is_place) - 1, np.cumsum(is_value) - 1
    values = np.bincount(place[is_value])
    if (values < 2).all():  # noqa: PLR2004 - a place with two values
        return []
    votes = np.bincount(value)[value]
    most = np.maximum.reduceat(votes, np.flatnonzero(is_place))[place]
    leaders = np.bincount(place, weights=is_value & (votes == most))[place]
    is_off = (values[place] > 1) & ((votes < most) | (leaders > 1))
    spread = _spread(given, np.flatnonzero(is_place))[place]
    return _by_cell(owner[is_off], given[is_off], spread[is_off])


def _neighbourhood(frame: Frame, off: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    is_there = np.zeros(len(frame.shapes), dtype=np.bool_)
    if 2 * len(off) > frame.count:
        is_there[:-1] = True
    else:
        is_there[frame.cells_at(frame.boxes[:, off] + np.array([[-1], [-1], [1], [1]]))] = True
    return is_there


def _spread(
    given: npt.NDArray[np.float64], first: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    span = np.maximum.reduceat(given, first) - np.minimum.reduceat(given, first)
    lengths: npt.NDArray[np.float64] = np.hypot(span[:, 0], span[:, 1])
    return lengths


def _by_cell(
    owner: npt.NDArray[np.int64],
    places: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
) -> list[Finding]:
    cells = np.unique(owner)
    groups = [cells.tolist()] if len(cells) > _MOST else [[cell] for cell in cells.tolist()]
    findings = []
    for group in groups:
        rows = np.isin(owner, group)
        shape: Any = shapely.multipoints(places[rows])
        kind = DefectKind.UNMATCHED_EDGE
        findings.append(Finding(kind, tuple(group), shape, float(spread[rows].max())))
    return findings
