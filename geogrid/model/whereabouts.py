"""In which cell of a plan points lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import CrsError, InputError

if TYPE_CHECKING:
    import geopandas as gpd
    from numpy.typing import NDArray

    from geogrid.model.plan import GridPlan

__all__ = ["cells_of_points"]


def cells_of_points(
    plan: GridPlan, level: str, points: gpd.GeoDataFrame
) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the codes of a level and, for each point, the row of its cell (-1 for none).

    A point belongs to the atom that holds it; on a border, to the atom with the lowest
    ``atom_id``.

    Parameters
    ----------
    plan
        The plan; its frame may differ from that of the points.
    level
        Key, name or alias of a level with cells made of atoms.
    points
        Points, in any metric frame.

    Raises
    ------
    InputError
        If the plan has no such level, or its cells are not made of atoms.
    CrsError
        If only one of plan and points has a coordinate system.
    """
    codes, label = _cell_of_atoms(plan, level)
    atom = _atom_of_points(plan, points)
    if not len(label):
        return codes, np.full(len(atom), -1, dtype=np.int64)
    return codes, np.where(atom >= 0, label[atom], -1)


def _atom_of_points(plan: GridPlan, points: gpd.GeoDataFrame) -> NDArray[np.int64]:
    """Return the row of the atom that holds each point, -1 outside the plan."""
    crs = plan.district.crs
    if (points.crs is None) != (crs is None):
        msg = "only one of plan and reach has a coordinate system: set it on both"
        raise CrsError(msg)
    if crs is not None and points.crs != crs:
        points = points.to_crs(crs)
    frame = plan.atoms.frame
    tree = shapely.STRtree(frame.geometry.to_numpy())
    point, atom = tree.query(points.geometry.to_numpy(), predicate="intersects")
    rank = np.argsort(np.argsort(frame["atom_id"].to_numpy(str), kind="stable"))
    order = np.lexsort((rank[atom], point))
    found, first = np.unique(point[order], return_index=True)
    answer = np.full(len(points), -1, dtype=np.int64)
    answer[found] = atom[order][first]
    return answer


def _cell_of_atoms(plan: GridPlan, level: str) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the codes of a level and, for each atom, the row of its cell (-1 for none)."""
    wanted = plan.scheme.level(level)
    if wanted.key not in plan.labels.columns:
        msg = (
            f"the cells of level {wanted.key} ({wanted.name}) are not made of atoms: "
            f"use one of {', '.join(plan.labels.columns)}"
        )
        raise InputError(msg)
    labels = plan.labels[wanted.key]
    table = plan.cell_table
    known = table.index[table["level"] == wanted.key].to_numpy(dtype=str)
    codes = np.unique(np.concatenate([known, labels.dropna().to_numpy(dtype=str)]))
    return codes, pd.Index(codes).get_indexer(labels)
