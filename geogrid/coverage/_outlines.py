"""Polygons of levels that promise households: drawn beside the lists, judged with them.

The list says who belongs to a cell; a polygon that is drawn for it must not overlap another, and
must hold the households of its cell.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage._cells import judge_cells
from geogrid.coverage._input import in_frame
from geogrid.coverage._rows import defect_rows, joined
from geogrid.model.counts import household_counts
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.coverage._judged import Judged
    from geogrid.model.scheme import Level

__all__ = ["NO_SUCH_CELL", "Outlines", "judge_outlines"]

NO_SUCH_CELL = "name a cell that is not there"
_SHARED = frozenset(
    {DefectKind.OVERLAP, DefectKind.DUPLICATE, DefectKind.NESTED, DefectKind.INVALID}
)
# Outlines of compounds and buildings come from surveys; a division accepts so much of an overlap.
_MIN_OVERLAP_M2 = 1.0
# Degrees with six decimals place a household to a tenth of a metre.
_NEAR_M = 0.2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Outlines:
    """Polygons of cells that are lists of households.

    Attributes
    ----------
    shapes
        By level: ``code`` and polygons; cells without a polygon are not in it.
    atoms
        The ground of the plan, indexed by ``atom_id``: where a household is of which no more is
        known.
    """

    shapes: Mapping[Level, gpd.GeoDataFrame]
    atoms: gpd.GeoDataFrame


def judge_outlines(
    judged: Judged,
    members: pd.DataFrame,
    outlines: Outlines,
    households: gpd.GeoDataFrame | None,
) -> Judged:
    """Add to what was found in the lists of a level what is wrong with its polygons.

    Parameters
    ----------
    judged, members
        The level, and its list: ``code, atom_id`` and, where single households are listed,
        ``household_id`` and ``households``.
    outlines
        The polygons.
    households
        Points with ``household_id``; a household that is not among them is known by its atom.
    """
    level = judged.level
    drawn = outlines.shapes.get(level)
    if drawn is None or level.contract is not Contract.HOUSEHOLD:
        return judged
    drawn = in_frame(drawn, outlines.atoms)
    shapes = drawn[~(drawn.geometry.is_empty | drawn.geometry.isna())]
    codes = pd.Index(sorted(set(members["code"].dropna().astype(str))))
    notes = []
    is_known = shapes["code"].astype(str).isin(codes)
    if not is_known.all():
        named = ", ".join(shapes["code"][~is_known].astype(str).head(5))
        notes.append(f"polygons of level {level.key} {NO_SUCH_CELL}: {named}")
    shapes = shapes[is_known]
    if shapes.empty:
        return replace(judged, notes=(*judged.notes, *notes))
    found = judge_cells(
        level,
        gpd.GeoDataFrame(shapes[["code", shapes.geometry.name]], crs=shapes.crs),
        None,
        households=None,
        parents=None,
        limit_is_noded=False,
    ).defects
    is_wrong = found["kind"].isin(_SHARED) & (
        found["kind"].eq(DefectKind.INVALID.value) | (found["area_m2"] > _MIN_OVERLAP_M2)
    )
    without = len(codes) - shapes["code"].astype(str).nunique()
    if without:
        notes.append(f"{without} of {len(codes)} cells of level {level.key} have no polygon")
    places, is_exact = _places(members, outlines.atoms, households)
    if not is_exact:
        notes.append(
            f"the polygons of level {level.key} were compared with the atoms of their households: "
            "give the households with their household_id (户号) for their exact places"
        )
    beyond = _beyond(level, places, shapes)
    return replace(
        judged,
        defects=joined([judged.defects, found[is_wrong], beyond], judged.defects.crs),
        notes=(*judged.notes, *notes),
    )


def _places(
    members: pd.DataFrame, atoms: gpd.GeoDataFrame, households: gpd.GeoDataFrame | None
) -> tuple[gpd.GeoDataFrame, bool]:
    """Return ``code, households`` and where each member is: its point, else its atom."""
    held = members.dropna(subset=["code"])
    known = np.isin(held["atom_id"].astype(str), atoms.index.astype(str))
    held = held[known]
    at_atom = atoms.index.get_indexer(pd.Index(held["atom_id"].astype(str)))
    shapes = atoms.geometry.to_numpy()[at_atom]
    exact = np.zeros(len(held), dtype=bool)
    counts = household_counts(held) if "households" in held else np.ones(len(held))
    if households is not None and "household_id" in households and "household_id" in held:
        points = in_frame(households, atoms).drop_duplicates("household_id")
        at = pd.Index(points["household_id"].astype(str)).get_indexer(
            pd.Index(held["household_id"].astype(str))
        )
        exact = at >= 0
        shapes = shapes.copy()
        shapes[exact] = points.geometry.to_numpy()[at[exact]]
    table = gpd.GeoDataFrame(
        {"code": held["code"].astype(str).to_numpy(), "households": counts},
        geometry=shapes,
        crs=atoms.crs,
    )
    return table[table["households"] > 0].reset_index(drop=True), bool(exact.all())


def _beyond(level: Level, places: gpd.GeoDataFrame, shapes: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Find households outside the polygon of their cell: in none, or in that of another."""
    ground = shapes.geometry.to_numpy()
    ground = np.where(shapely.is_valid(ground), ground, shapely.make_valid(ground))
    own = pd.Series(ground).groupby(shapes["code"].astype(str).to_numpy()).agg(shapely.union_all)
    judged = places[places["code"].isin(own.index)].reset_index(drop=True)
    where = judged.geometry.to_numpy()
    mine = own.reindex(judged["code"]).to_numpy(object)
    far = shapely.distance(where, mine) > _NEAR_M
    lost = judged[far].reset_index(drop=True)
    tree = shapely.STRtree(own.to_numpy(object))
    inner = shapely.point_on_surface(lost.geometry.to_numpy())
    at, other = tree.query(inner, predicate="intersects")
    owner = np.full(len(lost), "", dtype=object)
    owner[at[::-1]] = own.index.to_numpy(object)[other[::-1]]
    lost = lost.assign(owner=owner, place=inner)
    tables = [
        _rows(level, kind, lost[is_kind], places)
        for kind, is_kind in (
            (DefectKind.UNASSIGNED_HOUSEHOLD, lost["owner"].eq("")),
            (DefectKind.DOUBLE_HOUSEHOLD, lost["owner"].ne("")),
        )
    ]
    return joined(tables, places.crs)


def _rows(
    level: Level, kind: DefectKind, lost: pd.DataFrame, places: gpd.GeoDataFrame
) -> gpd.GeoDataFrame:
    """Return one defect for each cell and the one that holds its households instead."""
    pairs = pd.MultiIndex.from_frame(lost[["code", "owner"]])
    group, named = pd.factorize(pairs, sort=True)
    points = lost["place"].to_numpy(object)
    shapes = np.empty(len(named), dtype=object)
    shapes[:] = [shapely.union_all(points[group == at]) for at in range(len(named))]
    held = np.bincount(group, lost["households"].to_numpy(float), minlength=len(named))
    return defect_rows(
        kind,
        [tuple(str(one) for one in pair if one) for pair in named.tolist()],
        shapes,
        households=held.astype(np.int64),
        level=level.key,
        crs=places.crs,
    )
