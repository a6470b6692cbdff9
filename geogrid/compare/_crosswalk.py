"""How much of each old cell is in which new one: areas from faces, households from points."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

if TYPE_CHECKING:
    from geogrid.compare._layers import Homes, Layer
    from geogrid.compare.overlay import Overlay

__all__ = ["add_shares", "cross", "names_of", "records"]


def cross(
    faces: Overlay, old: Layer, new: Layer, homes: Homes, *, limit: int | None
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Cross layer 0 with layer 1.

    Where cells of the old layer overlap, each keeps its own ground; where cells of the new layer
    do, the one of the lowest code has it. So the rows of an old cell add up to it, whatever the
    two layers look like.

    Parameters
    ----------
    faces
        Overlay of the two layers.
    old, new
        The layers.
    homes
        Household points.
    limit
        Number of the layer outside which nothing counts.

    Returns
    -------
    table : DataFrame
        Positions ``old new`` (-1 for none), ``households area_m2 share by``.
    pair : DataFrame
        ``face old new``: the faces behind each row.
    lost : int
        Households in no cell of either layer.
    """
    face, cell = faces.holders(0)
    bare = np.flatnonzero(faces.owner[:, 0] < 0)
    rows = np.concatenate((face, bare))
    pair = pd.DataFrame(
        {
            "face": rows,
            "old": np.concatenate((cell, np.full(len(bare), -1))),
            "new": faces.owner[rows, 1],
            "area_m2": shapely.area(faces.faces[rows]),
        }
    )
    if limit is not None:
        pair = pair[faces.owner[rows, limit] >= 0]
    pair = pair[(pair["old"] >= 0) | (pair["new"] >= 0)]
    people = pd.DataFrame(
        {
            "old": homes.cells_of(old.shapes),
            "new": homes.cells_of(new.shapes),
            "households": homes.counts,
        }
    )
    is_lost = (people["old"] < 0) & (people["new"] < 0)
    lost = int(people.loc[is_lost, "households"].sum())
    people = people[~is_lost]
    table = pd.concat(
        [
            pair.groupby(["old", "new"])["area_m2"].sum(),
            people.groupby(["old", "new"])["households"].sum(),
        ],
        axis=1,
    ).reset_index()
    # A cell thinner than the lattice, or wholly outside the limit, has no row of its own yet.
    absent = np.setdiff1d(np.arange(len(old.codes)), table["old"])
    table = pd.concat([table, pd.DataFrame({"old": absent, "new": -1})], ignore_index=True)
    table["households"] = table["households"].fillna(0).astype(np.int64)
    table["area_m2"] = table["area_m2"].fillna(0.0).astype(float)
    return add_shares(table.sort_values(["old", "new"], ignore_index=True), ["old"]), pair, lost


def add_shares(table: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add ``share`` within each group: by households where it has any, else by area.

    A group without either has its rows share alike, so every group sums to 1.
    """
    groups = table.groupby(keys)
    people = groups["households"].transform("sum").to_numpy(float)
    area = groups["area_m2"].transform("sum").to_numpy(float)
    alike = groups["area_m2"].transform("size").to_numpy(float)
    by_area = np.where(area > 0, table["area_m2"] / np.where(area > 0, area, 1), 1 / alike)
    by_people = table["households"].to_numpy(float) / np.where(people > 0, people, 1)
    by = np.where(people > 0, "households", np.where(area > 0, "area", "nothing"))
    return table.assign(share=np.where(people > 0, by_people, by_area), by=by)


def names_of(
    names: npt.NDArray[np.object_], positions: pd.Series | npt.NDArray[np.int64]
) -> npt.NDArray[np.object_]:
    """Return names by position, "" for -1."""
    return np.append(names, "")[np.asarray(positions, dtype=np.int64)]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as plain JSON values."""
    columns = [
        [list(value) if isinstance(value, tuple) else value for value in table[name].tolist()]
        for name in table.columns
    ]
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*columns, strict=True)]
