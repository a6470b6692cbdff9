"""Cells from any file: a level of a plan as it is stored, or a layer of polygons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.errors import CrsError, InputError
from geogrid.io.layer import read_layer
from geogrid.io.limit import LimitFile, check_overlap, read_limit
from geogrid.io.stored_plan import StoredPlan, is_plan_file, read_stored_plan
from geogrid.io.tables import read_households
from geogrid.model.district import District
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from geogrid.model.scheme import Level

__all__ = [
    "CellFile", "atom_points", "holds_plan", "in_frame_of", "outline_of", "read_cell_file",
    "read_limit_of", "read_points_of",
]  # fmt: skip

# Headers as they are met in offices, the most telling first; upper and lower case are alike.
CODE_NAMES = (
    "code", "网格编码", "编码", "网格编号", "编号", "网格代码", "代码", "grid_code", "gridcode",
    "grid_id", "cell_id", "wgbm", "wgdm", "adcode",
)  # fmt: skip
NAME_NAMES = ("name", "网格名称", "名称", "网格名", "grid_name", "gridname", "wgmc", "mc")
HEAD_NAMES = (
    "head", "网格长", "网格长姓名", "负责人", "网格负责人", "片长", "总网格长", "一般网格长",
    "微网格长", "网格员", "组长", "邻长", "楼栋长", "wgz",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CellFile:
    """Cells as somebody left them.

    Attributes
    ----------
    path
        The file.
    frame
        Every row and column, in metres; ``code`` (text) and, where some column says so, ``name``
        and ``head`` are added under these names.
    columns
        The columns that the file has.
    has_codes
        Whether one of them holds codes; else cells are named by their row.
    stored, level
        The plan and the level that the cells are, where the file is a plan of geogrid.
    notes
        Plain sentences about what was assumed.
    """

    path: Path
    frame: gpd.GeoDataFrame
    columns: tuple[str, ...]
    has_codes: bool = True
    stored: StoredPlan | None = None
    level: Level | None = None
    notes: tuple[str, ...] = ()

    def original(self, cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        """Return cells without what was added in reading, but named where they had no code."""
        added = {str(name) for name in self.frame.columns if name not in self.columns}
        return cells.drop(columns=sorted(added if self.has_codes else added - {"code"}))


def read_cell_file(
    path: Path, *, layer: str | None = None, datum: str | None = None, level: str | None = None
) -> CellFile:
    """Read cells from a plan file or a layer of polygons.

    Parameters
    ----------
    path
        The file.
    layer
        The layer, where a file that is no plan holds several.
    datum
        Datum of a file that is no plan.
    level
        Which level of a plan file; the finest area level where absent.

    Raises
    ------
    InputError
        If there is no such file, layer or level, or it holds no polygon.
    """
    if holds_plan(path, layer):
        if datum is not None:
            msg = f"{path.name} is a plan file and knows its own datum: leave its datum out"
            raise InputError(msg)
        return _of_plan(path, level)
    frame = read_layer(path, layer=layer, datum=datum)
    if level is not None:
        msg = f"{path.name} is no plan file and has no level {level}: leave --level out"
        raise InputError(msg)
    kinds = shapely.get_type_id(frame.geometry.to_numpy())
    if not np.isin(kinds, (3, 6)).any():
        msg = f"{path.name} holds no polygon: give a layer of grid cells"
        raise InputError(msg)
    columns = tuple(str(name) for name in frame.columns)
    notes = list(frame.attrs.get("notes", ()))
    return CellFile(
        path=path,
        frame=_with_facts(frame, path.name, notes),
        columns=columns,
        has_codes=_column(frame, CODE_NAMES) is not None,
        notes=tuple(notes),
    )


def holds_plan(path: Path, layer: str | None = None) -> bool:
    """Tell whether a file is a plan of geogrid, and not one layer of it is asked for."""
    return layer is None and path.is_file() and is_plan_file(path)


def _of_plan(path: Path, name: str | None) -> CellFile:
    stored = read_stored_plan(path)
    level = _level_of(stored, name, path.name)
    cells = stored.levels[level]
    if "code" not in cells:
        msg = f"layer {level.key} of {path.name} has no column code: take the last good version"
        raise InputError(msg)
    if cells.empty:
        msg = f"layer {level.key} of {path.name} holds no cell: take the last good version"
        raise InputError(msg)
    frame = cells.assign(code=_texts(cells["code"]))
    columns = tuple(str(column) for column in cells.columns)
    return CellFile(path=path, frame=frame, columns=columns, stored=stored, level=level)


def _level_of(stored: StoredPlan, name: str | None, shown: str) -> Level:
    levels = list(stored.levels)
    if name is None:
        return levels[-1]
    for level in levels:
        if level.answers_to(name):
            return level
    known = ", ".join(f"{level.key} ({level.name})" for level in levels)
    msg = f"{shown} has no area level {name}: use one of {known}"
    raise InputError(msg)


def _with_facts(frame: gpd.GeoDataFrame, shown: str, notes: list[str]) -> gpd.GeoDataFrame:
    facts: dict[str, list[str]] = {}
    code = _column(frame, CODE_NAMES)
    if code is None:
        width = len(str(len(frame)))
        facts["code"] = [f"{row:0{width}d}" for row in range(1, len(frame) + 1)]
        notes.append(f"{shown} has no column of codes: cells are named by their row")
    else:
        facts["code"] = _texts(frame[code])
        blank = [row for row, text in enumerate(facts["code"]) if not text]
        for row in blank:
            facts["code"][row] = f"row-{row + 1}"
        if blank:
            notes.append(f"{len(blank)} cells of {shown} have no code and are named by their row")
    for field, names in (("name", NAME_NAMES), ("head", HEAD_NAMES)):
        column = _column(frame, names)
        if column is not None:
            facts[field] = _texts(frame[column])
    return frame.assign(**facts)


def _column(frame: pd.DataFrame, names: Iterable[str]) -> str | None:
    plain = {str(header).strip().lower(): str(header) for header in reversed(list(frame.columns))}
    return next((plain[name] for name in names if name in plain), None)


def _texts(column: pd.Series) -> list[str]:
    """Return text as people write codes: a whole number without its decimal point."""
    found = []
    for value in column:
        whole = isinstance(value, float) and value.is_integer()
        found.append("" if pd.isna(value) else str(int(value) if whole else value).strip())
    return found


def read_limit_of(path: Path, cells: gpd.GeoDataFrame, *, datum: str | None = None) -> LimitFile:
    """Read a limit, that of a plan file its district, and refuse one of another place."""
    limit = read_limit(path, datum=datum, layer="district" if holds_plan(path) else None)
    check_overlap(limit.district, cells, what="cells")
    return limit


def read_points_of(
    path: Path | None,
    cells: gpd.GeoDataFrame,
    *,
    datum: str | None = None,
    plans: Iterable[CellFile] = (),
) -> tuple[gpd.GeoDataFrame | None, tuple[str, ...]]:
    """Read household points in the frame of the cells, and refuse those of another place.

    Parameters
    ----------
    path
        The file, if there is one.
    cells
        The cells.
    datum
        Datum of the file.
    plans
        Where there is no file, the atoms of the plan among these that has most of them stand in.

    Returns
    -------
    tuple
        Points with ``households``, ``None`` where there are none, and plain sentences.
    """
    if path is None:
        homes = [atom_points(one.stored) for one in plans if one.stored is not None]
        note = "households were counted at an inner point of their atom"
        return (max(homes, key=len), (note,)) if homes else (None, ())
    table = read_households(path, crs=cells.crs, datum=datum)
    points = in_frame_of(table.frame[["households", "geometry"]], cells, path.name)
    place = District(limit=outline_of(cells), crs=cells.crs, name="the cells")
    check_overlap(place, points, what="households")
    notes = list(table.notes)
    if len(table.rejected):
        notes.append(f"{len(table.rejected)} rows of {path.name} cannot be used")
    return points, tuple(notes)


def in_frame_of(frame: gpd.GeoDataFrame, cells: gpd.GeoDataFrame, name: str) -> gpd.GeoDataFrame:
    """Return a layer in the frame of the cells.

    Raises
    ------
    CrsError
        If only one of the two has a coordinate system.
    """
    if frame.crs == cells.crs:
        return frame
    if frame.crs is None or cells.crs is None:
        msg = f"{name} and the cells cannot be brought together: only one has a coordinate system"
        raise CrsError(msg)
    return frame.to_crs(cells.crs)


def outline_of(cells: gpd.GeoDataFrame) -> shapely.MultiPolygon:
    """Return the ground of cells with its holes filled: their limit where none is known."""
    shapes = shapely.force_2d(cells.geometry.to_numpy())
    shapes = shapes[~(shapely.is_missing(shapes) | shapely.is_empty(shapes))]
    bad = ~shapely.is_valid(shapes)
    shapes[bad] = shapely.make_valid(shapes[bad])
    parts = shapely.get_parts([as_multipolygon(shapely.union_all(shapes))])
    return as_multipolygon(shapely.union_all(shapely.polygons(shapely.get_exterior_ring(parts))))


def atom_points(stored: StoredPlan) -> gpd.GeoDataFrame:
    """Return an inner point of each atom in which somebody lives, with its households."""
    lived_in = stored.atoms[stored.atoms["households"] > 0]
    points = shapely.point_on_surface(lived_in.geometry.to_numpy())
    counts = lived_in["households"].to_numpy(np.int64)
    return gpd.GeoDataFrame({"households": counts}, geometry=points, crs=stored.crs)
