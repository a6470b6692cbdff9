"""Where layers of cells do not agree, and who got the ground."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.compare._crosswalk import names_of
from geogrid.compare.overlay import greatest_widths_m, united

if TYPE_CHECKING:
    from geogrid.compare._layers import Homes, Layer
    from geogrid.compare.overlay import Overlay

__all__ = ["conflicts_of"]

Indices = npt.NDArray[np.int64]


def conflicts_of(
    faces: Overlay, layers: list[Layer], given: Indices, cells: gpd.GeoDataFrame, homes: Homes
) -> gpd.GeoDataFrame:
    """Group the faces on which layers do not agree by the cells that claim them.

    Two cells correspond where most of one's ground lies in the other: grids of one office that
    nest in another's agree with it. Where they do not, each thinks the ground belongs elsewhere.

    Parameters
    ----------
    faces
        Overlay of the layers, the limit last.
    layers
        The layers in order of priority.
    given
        Position of the cell that each face was given to, -1 outside the limit.
    cells
        The cells of the result.
    homes
        Household points: each counts in the lowest face that it touches.
    """
    kind = _kinds(faces, len(layers))
    rows = np.flatnonzero(kind != "")
    table = pd.DataFrame(
        {
            "kind": kind[rows],
            "cells": _claims(faces, layers, rows),
            "given_to": names_of(cells["code"].to_numpy(dtype=object), given[rows]),
            "area_m2": shapely.area(faces.faces[rows]),
            "households": homes.counts_in(faces.faces)[rows],
            "row": rows,
        }
    )
    keys = ["kind", "cells", "given_to"]
    grouped = table.groupby(keys, sort=True)
    sums = grouped[["area_m2", "households"]].sum().reset_index()
    shapes, widths = [], []
    for some in grouped["row"].agg(list):
        part = united(faces.faces[some])
        shapes.append(part)
        widths.append(float(greatest_widths_m(np.asarray(part.geoms, dtype=object)).max()))
    frame = gpd.GeoDataFrame(
        {
            "kind": sums["kind"].to_numpy(dtype=object),
            "cells": sums["cells"].to_numpy(dtype=object),
            "given_to": sums["given_to"].to_numpy(dtype=object),
            "area_m2": sums["area_m2"].to_numpy(float),
            "width_m": np.array(widths, dtype=float),
            "households": sums["households"].to_numpy(np.int64),
        },
        geometry=shapes,
        crs=cells.crs,
    )
    return frame.sort_values(
        ["households", "area_m2"], ascending=False, kind="stable", ignore_index=True
    )


def _kinds(faces: Overlay, layers: int) -> npt.NDArray[np.object_]:
    """Name what is wrong on each face, "" where nothing is; the gravest word wins."""
    owner = faces.owner[:, :layers]
    has = owner >= 0
    kind = np.full(len(owner), "", dtype=object)
    kind[~has.all(axis=1)] = "missing"
    area = shapely.area(faces.faces)
    for one in range(layers):
        for two in range(one + 1, layers):
            kind[_disagree(owner[:, one], owner[:, two], area)] = "disagree"
    for one in range(layers):
        kind[faces.overlapped(one)] = "overlap"
    kind[~has.any(axis=1)] = "unclaimed"
    kind[faces.owner[:, -1] < 0] = "outside"
    return kind


def _disagree(one: Indices, two: Indices, area: npt.NDArray[np.float64]) -> npt.NDArray[np.bool_]:
    """Tell where cells of two layers meet that are neither's main counterpart."""
    both = (one >= 0) & (two >= 0)
    if not both.any():
        return both
    table = pd.DataFrame({"one": one[both], "two": two[both], "area": area[both]})
    shared = table.groupby(["one", "two"])["area"].sum().reset_index()
    agrees = np.zeros(len(table), dtype=bool)
    for of, other in (("one", "two"), ("two", "one")):
        ranked = shared.sort_values([of, "area", other], ascending=[True, False, True])
        main = ranked.drop_duplicates(of).set_index(of)[other]
        agrees |= main.loc[table[of]].to_numpy() == table[other].to_numpy()
    result = both.copy()
    result[both] = ~agrees
    return result


def _claims(faces: Overlay, layers: list[Layer], rows: Indices) -> list[tuple[str, ...]]:
    """Return for each face the cells that hold it as ``layer:code``, all layers together."""
    is_layer = faces.layer < len(layers)
    wanted = np.isin(faces.face, rows) & is_layer
    held: dict[int, list[str]] = {int(row): [] for row in rows}
    order = np.lexsort((faces.cell, faces.layer, faces.face))
    for at in order[wanted[order]]:
        layer = layers[faces.layer[at]]
        held[int(faces.face[at])].append(f"{layer.name}:{layer.codes[faces.cell[at]]}")
    return [tuple(held[int(row)]) for row in rows]
