"""Hypothesis strategies shared by the property tests."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from hypothesis import strategies as st

__all__ = ["atom_frames", "cell_frames", "grid_frame", "grid_frames"]

STEP_M = 100.0


def grid_frame(columns, rows, households=1):
    """Square atoms of 100 m, ``a<column>-<row>``, row 0 in the south."""
    x, y = (values.ravel() for values in np.meshgrid(np.arange(columns), np.arange(rows)))
    ids = [f"a{column:03d}-{row:03d}" for column, row in zip(x, y, strict=True)]
    shapes = shapely.box(x * STEP_M, y * STEP_M, (x + 1) * STEP_M, (y + 1) * STEP_M)
    counts = np.broadcast_to(np.asarray(households), (columns * rows,)).astype(np.int64)
    return gpd.GeoDataFrame({"atom_id": ids, "households": counts}, geometry=shapes)


@st.composite
def grid_frames(draw, *, least=1, most=8):
    """Squares with random households, some squares missing: holes, islands, corner contacts."""
    columns = draw(st.integers(least, most))
    rows = draw(st.integers(least, most))
    size = columns * rows
    counts = draw(st.lists(st.integers(0, 20), min_size=size, max_size=size))
    kept = draw(st.lists(st.integers(0, 5), min_size=size, max_size=size))
    frame = grid_frame(columns, rows, counts)
    keep = np.array(kept) > 0
    keep[0] = True
    return frame[keep].reset_index(drop=True)


@st.composite
def cell_frames(draw):
    """Faces of a square cut by random lines: convex cells of very different sizes."""
    side = 1_000
    positions = st.integers(1, side - 1)
    count = draw(st.integers(1, 9))
    lines = [shapely.LineString(shapely.box(0, 0, side, side).exterior.coords)]
    for _ in range(count):
        one, two = draw(positions), draw(positions)
        ends = [(one, 0), (two, side)] if draw(st.booleans()) else [(0, one), (side, two)]
        lines.append(shapely.LineString(ends))
    noded = shapely.union_all(lines, grid_size=0.001)
    faces = [face for face in shapely.get_parts(shapely.polygonize([noded])) if face.area > 0.01]
    counts = draw(st.lists(st.integers(0, 50), min_size=len(faces), max_size=len(faces)))
    ids = [f"f{at:03d}" for at in range(len(faces))]
    return gpd.GeoDataFrame({"atom_id": ids, "households": counts}, geometry=faces)


def atom_frames():
    """Either kind of atoms."""
    return st.one_of(grid_frames(), cell_frames())
