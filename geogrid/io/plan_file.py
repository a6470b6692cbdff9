"""The plan file: one GeoPackage with a plan, its proof and where everything came from.

Atoms and their labels are the plan; every other map layer is derived from them and there for
people and their programs. Coordinates come back to the bit. Households are in it as counts per
atom, never as points.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
from shapely.geometry import MultiPolygon, Polygon

from geogrid.errors import InputError
from geogrid.io._gpkg import (
    META_LAYER,
    layer_names,
    meta_table,
    named_crs,
    read_layer_as_is,
    read_meta,
)
from geogrid.io._gpkg import write_layers as _write_layers
from geogrid.io._plan_meta import PlanMeta, crs_text, plan_meta
from geogrid.io._plan_service import read_service, with_service
from geogrid.io.stored_members import read_rosters
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import (
    CELL_FIELDS,
    HISTORY_FIELDS,
    MEMBER_FIELDS,
    GridPlan,
    no_history,
)
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.reach import Reach
    from geogrid.model.report import CoverageReport
    from geogrid.model.scheme import Level

__all__ = [
    "PlanExtras",
    "read_code_history",
    "read_plan",
    "read_plan_layers",
    "write_defects",
    "write_plan",
    "write_reach",
]

_HISTORY = "code_history"
_LAYERS = (
    "district", "atoms", "barriers", "stations", "circles", "defects", _HISTORY, META_LAYER,
)  # fmt: skip
_ATOM_COLUMNS = ("atom_id", "households", "kind")
_MORE_COLUMNS = ("merchants",)
# Names that GeoPackage columns have already.
_TAKEN_COLUMNS = (*_ATOM_COLUMNS, *_MORE_COLUMNS, "fid", "geom", "geometry")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PlanExtras:
    """What a plan file may hold beside the plan; ``None`` where it does not.

    Attributes
    ----------
    stations
        One row a station, with ``status`` and ``households`` where a reach was measured.
    circles
        One row a station and limit.
    defects
        As in a coverage report: ``cells`` is a tuple of codes.
    service
        By key of each area level, indexed by ``code``: ``households`` that the reach counted and
        ``served_<limit>``, how many of them are served within each limit.
    """

    stations: gpd.GeoDataFrame | None = None
    circles: gpd.GeoDataFrame | None = None
    defects: gpd.GeoDataFrame | None = None
    service: Mapping[str, pd.DataFrame] | None = None


def write_plan(
    plan: GridPlan,
    path: str | Path,
    *,
    reach: Reach | None = None,
    stations: gpd.GeoDataFrame | None = None,
    report: CoverageReport | None = None,
) -> Path:
    """Write a plan to a GeoPackage, completely or not at all.

    Parameters
    ----------
    plan
        The plan.
    path
        A name that ends in ``.gpkg``; a file of this name is replaced on success.
    reach
        Its circles, the answers for its stations and the served households of every cell
        (``reached_of``, ``served_<limit>``) are written too, not its household points.
    stations
        Service stations; their names go to those of ``reach``.
    report
        Its defects are written too.

    Returns
    -------
    Path
        The file: layers ``district``, ``atoms``, one a level of area, ``members_<level>`` for the
        others, ``barriers``, ``stations``, ``circles``, ``defects``, ``code_history`` (a table of
        all codes that were ever used) where there are any, and
        ``geogrid_meta``.

    Raises
    ------
    InputError
        If a level's key is the name of another layer or column.
    OutputError
        If it cannot be written; nothing is left then.
    """
    _require_free_keys(plan)
    layers: dict[str, pd.DataFrame] = {"district": _district_layer(plan)}
    for level in plan.scheme.area_levels:
        layers[level.key] = _cell_layer(plan, level, reach)
    for level in _listed_levels(plan):
        layers[f"members_{level.key}"] = _member_table(plan, level)
        if level.key in plan.shapes:
            cells = _cell_layer(plan, level, None)
            layers[level.key] = cells.loc[~cells.geometry.is_empty]
    layers["atoms"] = _atom_layer(plan)
    if len(plan.code_history):
        layers[_HISTORY] = plan.code_history
    if plan.atoms.barriers is not None:
        layers["barriers"] = _to_frame(plan.atoms.barriers[["kind", "geometry"]], plan)
    known = _stations(stations, reach)
    if known is not None:
        layers["stations"] = _to_frame(known, plan)
    if reach is not None:
        layers["circles"] = _to_frame(reach.circles, plan)
    if report is not None:
        layers["defects"] = _to_frame(report.defects, plan)
    layers[META_LAYER] = meta_table(plan_meta(plan, reach.assumptions if reach else None))
    return _write_layers(layers, path)


def read_plan(path: str | Path) -> GridPlan:
    """Read a plan back, to the bit.

    Names, kinds and heads of cells are taken from the level layers, so that they may be edited in
    QGIS. The polygons come from the atoms: a border edited there is not read.

    Parameters
    ----------
    path
        What :func:`write_plan` wrote.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no plan of geogrid, or a damaged one.
    """
    meta = PlanMeta(read_meta(path), Path(path).name)
    layers = layer_names(path)
    atoms_layer = _map_layer(path, "atoms", meta)
    labels = _labels(atoms_layer, meta, path)
    rosters = read_rosters(path, meta, layers)
    barriers = _map_layer(path, "barriers", meta) if "barriers" in layers else None
    place = _map_layer(path, "district", meta)
    limit = place.geometry.iloc[0] if len(place) else None
    if not isinstance(limit, MultiPolygon) or set(atoms_layer.geom_type) != {"Polygon"}:
        raise _damaged(path, "its atoms or its limit are no areas")
    atoms = Atoms(
        frame=_atom_frame(atoms_layer),
        limit=limit,
        barriers=barriers,
        cut_buildings=meta.cut_buildings,
    )
    return GridPlan(
        district=District(
            limit=limit,
            crs=meta.crs,
            name=_first(place, "name"),
            code=_first(place, "code"),
            admin_rank=_first(place, "admin_rank"),
        ),
        scheme=meta.scheme,
        atoms=atoms,
        labels=labels,
        cell_table=_cell_table(path, meta, labels, rosters),
        sources=meta.sources,
        certificate=meta.certificate,
        version=meta.version,
        parent_version=meta.parent_version,
        rosters={key: table[list(MEMBER_FIELDS)] for key, table in rosters.items()},
        shapes={
            key: _shapes(path, key, meta, table) for key, table in rosters.items() if key in layers
        },
        notes=meta.notes,
        code_history=read_code_history(path),
    )


def read_plan_layers(path: str | Path) -> PlanExtras:
    """Read stations, circles, defects and served households of a plan file.

    Raises
    ------
    InputError
        If it is no plan of geogrid, or its served households are damaged.
    """
    meta = PlanMeta(read_meta(path), Path(path).name)
    there = layer_names(path)
    found = {
        name: _map_layer(path, name, meta)
        for name in ("stations", "circles", "defects")
        if name in there
    }
    if "defects" in found:
        codes = found["defects"]["cells"]
        split = [() if pd.isna(text) else tuple(text.split()) for text in codes]
        column = pd.Series(split, index=codes.index, dtype=object)
        found["defects"] = found["defects"].assign(cells=column)
    return PlanExtras(**found, service=read_service(path, meta))


def write_defects(report: CoverageReport, path: str | Path) -> None:
    """Replace the layer ``defects`` of a plan file in its place; nothing else is touched.

    Parameters
    ----------
    report
        What was found, written as :func:`write_plan` writes it.
    path
        A plan file; give a copy where half a file would do harm.

    Raises
    ------
    InputError
        If it is no plan of geogrid.
    """
    meta = PlanMeta(read_meta(path), Path(path).name)
    defects = named_crs(report.defects, report.defects.crs or meta.crs)
    if meta.crs is not None and defects.crs != meta.crs:
        defects = defects.to_crs(meta.crs)
    plain = defects.assign(cells=defects["cells"].map(" ".join).astype("str"))
    pyogrio.write_dataframe(
        plain, path, layer="defects", driver="GPKG", geometry_type="Unknown",
        promote_to_multi=False,
    )  # fmt: skip


def write_reach(reach: Reach, path: str | Path) -> Path:
    """Write circles, reachable streets and stations of a reach to a GeoPackage.

    Parameters
    ----------
    reach
        Its households stay out: they are points of where people live.
    path
        A name that ends in ``.gpkg``.

    Raises
    ------
    OutputError
        If it cannot be written; nothing is left then.
    """
    meta = {
        "format": "geogrid-reach",
        "format_version": 1,
        "crs": crs_text(reach.circles.crs),
        "limits": list(reach.limits),
        "assumptions": {str(key): str(value) for key, value in reach.assumptions.items()},
    }
    layers = {"circles": reach.circles, "lines": reach.lines, "stations": reach.stations}
    return _write_layers({**layers, META_LAYER: meta_table(meta)}, path)


def _require_free_keys(plan: GridPlan) -> None:
    for level in plan.scheme.levels:
        if level.key.lower() in (*_LAYERS, *_TAKEN_COLUMNS):
            msg = f"the level key {level.key} is a name that plan files use: choose another key"
            raise InputError(msg)


def _listed_levels(plan: GridPlan) -> list[Level]:
    """Return the levels without polygons of their own of which the plan has members."""
    levels = plan.scheme.levels
    return [
        level for level in levels if level.contract is not Contract.AREA and plan.has_members(level)
    ]


def _district_layer(plan: GridPlan) -> gpd.GeoDataFrame:
    place = plan.district
    facts = {"name": [place.name], "code": [place.code], "admin_rank": [place.admin_rank]}
    return gpd.GeoDataFrame(
        pd.DataFrame(facts, dtype="str"), geometry=[plan.atoms.limit], crs=place.crs
    )


def _atom_layer(plan: GridPlan) -> gpd.GeoDataFrame:
    known = [name for name in (*_ATOM_COLUMNS, *_MORE_COLUMNS) if name in plan.atoms.frame]
    frame = plan.atoms.frame[[*known, "geometry"]]
    labels = {str(key): plan.labels[key].to_numpy() for key in plan.labels.columns}
    table = frame.assign(atom_id=frame["atom_id"].astype(str), **labels)
    return named_crs(table[[*known, *labels, "geometry"]], plan.district.crs)


def _cell_layer(plan: GridPlan, level: Level, reach: Reach | None) -> gpd.GeoDataFrame:
    cells = plan.cells(level.key)
    heads = plan.cell_table.loc[cells["code"], "head"].to_numpy()
    cells.insert(4, "head", heads)
    return cells if reach is None else with_service(cells, plan, level, reach)


def _member_table(plan: GridPlan, level: Level) -> pd.DataFrame:
    members = plan.members(level.key).dropna(subset=["code"])
    facts = plan.cell_table.loc[members["code"], ["name", "kind", "parent", "head"]]
    return members.assign(**{str(name): facts[name].to_numpy() for name in facts.columns})


def _to_frame(layer: gpd.GeoDataFrame, plan: GridPlan) -> gpd.GeoDataFrame:
    crs = plan.district.crs
    if crs is None or layer.crs is None or layer.crs == crs:
        return named_crs(layer, crs)
    return layer.to_crs(crs)


def _stations(stations: gpd.GeoDataFrame | None, reach: Reach | None) -> gpd.GeoDataFrame | None:
    """Return the stations of a reach with what was known of them besides."""
    if reach is None or stations is None:
        return stations if reach is None else reach.stations
    known = reach.stations
    more = [str(name) for name in stations.columns if name not in known.columns]
    if not more or len(stations) != len(known):
        return known
    # A reach has one row for each station that it was given, in their order.
    return known.assign(**{name: stations[name].to_numpy() for name in more})


def _map_layer(path: str | Path, name: str, meta: PlanMeta) -> gpd.GeoDataFrame:
    table = read_layer_as_is(path, name, crs=meta.crs)
    if not isinstance(table, gpd.GeoDataFrame):
        raise _damaged(path, f"layer {name} has no geometry")
    return table


def _atom_frame(layer: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    counted = [name for name in ("households", *_MORE_COLUMNS) if name in layer]
    known = [name for name in (*_ATOM_COLUMNS, *_MORE_COLUMNS) if name in layer]
    return layer[[*known, "geometry"]].astype(dict.fromkeys(counted, np.int64))


def _shapes(path: str | Path, key: str, meta: PlanMeta, members: pd.DataFrame) -> gpd.GeoSeries:
    """Return the polygons of a level that promises households, empty where there is none."""
    layer = _map_layer(path, key, meta)
    if "code" not in layer:
        raise _damaged(path, f"layer {key} lacks the column code")
    codes = pd.Index(sorted(set(members["code"])), name="code")
    at = pd.Index(layer["code"].astype(str)).get_indexer(codes)
    shapes = np.full(len(codes), Polygon(), dtype=object)
    shapes[at >= 0] = layer.geometry.to_numpy()[at[at >= 0]]
    return gpd.GeoSeries(shapes, index=codes, crs=meta.crs)


def _labels(layer: gpd.GeoDataFrame, meta: PlanMeta, path: str | Path) -> pd.DataFrame:
    absent = {*_ATOM_COLUMNS, *(level.key for level in meta.scheme.area_levels)} - set(layer)
    if absent:
        raise _damaged(path, f"its atoms lack the column {min(absent)}")
    keys = [level.key for level in meta.scheme.levels if level.key in layer]
    return pd.DataFrame(
        {key: layer[key].astype("str").to_numpy() for key in keys},
        index=pd.Index(layer["atom_id"], name="atom_id"),
    )


def _cell_table(
    path: str | Path, meta: PlanMeta, labels: pd.DataFrame, rosters: Mapping[str, pd.DataFrame]
) -> pd.DataFrame:
    tables = []
    for level in meta.scheme.levels:
        if level.key in rosters:
            known = rosters[level.key].drop_duplicates("code").assign(level=level.key)
            tables.append(known.sort_values("code")[["code", *CELL_FIELDS]])
            continue
        if level.key not in labels:
            continue
        is_area = level.contract is Contract.AREA
        name = level.key if is_area else f"members_{level.key}"
        rows = read_layer_as_is(path, name, geometry=False)
        if not {"code", "name", "kind", "parent", "head"} <= set(rows):
            raise _damaged(path, f"layer {name} lacks a column")
        known = rows.drop_duplicates("code").assign(level=level.key)
        lost = sorted(set(labels[level.key].dropna()) - set(known["code"]))
        if lost:
            raise _damaged(path, f"layer {name} lacks cell {lost[0]}")
        tables.append(known.sort_values("code")[["code", *CELL_FIELDS]])
    table = pd.concat(tables, ignore_index=True)
    texts = {str(name): table[name].astype("str").fillna("") for name in table.columns}
    return pd.DataFrame(texts).set_index("code")


def read_code_history(path: str | Path) -> pd.DataFrame:
    """Read every code that a plan file remembers; empty where it remembers none.

    Raises
    ------
    InputError
        If it is no plan of geogrid, or a damaged one.
    """
    if _HISTORY not in layer_names(path):
        return no_history()
    table = read_layer_as_is(path, _HISTORY, geometry=False)
    if not set(HISTORY_FIELDS) <= set(table):
        raise _damaged(path, f"table {_HISTORY} lacks a column")
    return pd.DataFrame({name: table[name].fillna("").astype("str") for name in HISTORY_FIELDS})


def _first(place: gpd.GeoDataFrame, column: str) -> str:
    value = place[column].iloc[0] if column in place else ""
    return "" if pd.isna(value) else str(value)


def _damaged(path: str | Path, why: str) -> InputError:
    return InputError(
        f"{Path(path).name} is a damaged geogrid plan, {why}: take the last good version of it"
    )
