"""Measure a plan: balance, shape, borders, what is cut, and who moves from an older plan.

Only arrays of atoms are counted: no polygon of a cell is made. Levels that promise households are
measured by their lists, and by the polygons of their compounds and buildings where they have any.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.divide._ground import compounds_of, footprints_of, ground_of
from geogrid.divide._kept import kept_homes, moves_of
from geogrid.errors import CrsError, InputError
from geogrid.model.quality import Balance, Floor, LevelQuality, QualityReport, Shape
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    import geopandas as gpd

    from geogrid.divide._ground import Compounds, Footprints, Ground
    from geogrid.divide._kept import Homes
    from geogrid.model.plan import GridPlan
    from geogrid.model.quality import Moves
    from geogrid.model.scheme import HouseholdBand, Level

__all__ = ["measure_quality"]

_ORDINARY = "households"
_BY_LIMIT = "the limit cuts it"
_TENTH = 10


def measure_quality(
    plan: GridPlan,
    *,
    households: gpd.GeoDataFrame | None = None,
    barriers: gpd.GeoDataFrame | None = None,
    buildings: gpd.GeoDataFrame | None = None,
    compounds: gpd.GeoDataFrame | None = None,
    near: GridPlan | None = None,
    near_name: str = "",
) -> QualityReport:
    """Measure how good a plan is, level by level.

    Parameters
    ----------
    plan
        The plan; its own counts of households are what is measured.
    households
        Points with ``households`` (1 where absent), to compare with ``near``; an inner point of
        each atom stands in where they are absent.
    barriers
        Lines with ``kind`` that borders may follow; those that the atoms were cut along where
        absent.
    buildings
        Areas that no border should cut.
    compounds
        Areas of residential compounds; one is cut where its buildings (its household points,
        where no buildings are given) are in several cells.
    near
        An older plan of the place, in any coordinate system.
    near_name
        What to call it.

    Returns
    -------
    QualityReport
        What a plan says nothing of is ``None`` there, and a note says so.

    Raises
    ------
    CrsError
        If only one of plan and another layer has a coordinate system.
    """
    areas = plan.scheme.area_levels
    named = {level.key: _cells_of(plan, level.key) for level in areas}
    lines = _in_frame(barriers, plan) if barriers is not None else plan.atoms.barriers
    walls, homes = _in_frame(buildings, plan), _in_frame(households, plan)
    estates = _in_frame(compounds, plan)
    standing = walls if walls is not None else homes
    estates_held = None
    if estates is not None and standing is not None:
        estates_held = compounds_of(plan.atoms, estates, standing)
    known = _Known(
        plan=plan,
        named=named,
        ground=ground_of(plan.atoms, [cell for _, cell in named.values()], lines),
        footprints=None if walls is None else footprints_of(plan.atoms, walls),
        compounds=estates_held,
        near=near,
        homes=None if near is None else kept_homes(plan, near, homes),
    )
    cut = plan.atoms.cut_buildings["reason"]
    by_limit = int((cut == _BY_LIMIT).sum())
    levels = [_measure(known, level) for level in plan.scheme.levels]
    return QualityReport(
        district=plan.district.name,
        scheme=plan.scheme.key,
        version=plan.version,
        households=plan.households,
        levels=tuple(level for level in levels if level is not None),
        sources=plan.sources,
        cut_by_borders=len(cut) - by_limit,
        cut_by_limit=by_limit,
        near="" if near is None else near_name or near.version or near.district.name,
        notes=_notes(known, has_points=households is not None),
    )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Known:
    """A plan with what was measured once for all levels."""

    plan: GridPlan
    named: dict[str, tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]]
    ground: Ground
    footprints: Footprints | None
    compounds: Compounds | None
    near: GridPlan | None
    homes: Homes | None


def _cells_of(plan: GridPlan, key: str) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.int64]]:
    """Return the codes of a level, sorted, and the position of each atom's among them."""
    cell, codes = pd.factorize(plan.labels[key].astype(object), sort=True)
    return np.asarray(codes, dtype=object), cell.astype(np.int64)


def _in_frame(layer: gpd.GeoDataFrame | None, plan: GridPlan) -> gpd.GeoDataFrame | None:
    crs = plan.district.crs
    if layer is None or layer.crs == crs:
        return layer
    if layer.crs is None or crs is None:
        msg = "the plan and a layer cannot be brought together: only one has a coordinate system"
        raise CrsError(msg)
    return layer.to_crs(crs)


def _measure(known: _Known, level: Level) -> LevelQuality | None:
    if level.contract is Contract.AREA:
        return _measure_area(known, level)
    try:
        members = known.plan.members(level.key)
    except (InputError, KeyError):
        return None
    held = members.groupby("code")["households"].sum().sort_index()
    if held.empty:
        return None
    codes = held.index.to_numpy(object)
    cells = _judged(known.plan, level, codes, held.to_numpy(np.int64))
    shape = None
    if level.key in known.plan.shapes:
        cells = cells.assign(**_outline_figures(known.plan.shapes[level.key], codes))
        drawn = cells["compactness"].notna().to_numpy()
        if drawn.any():
            shape = _shape(codes[drawn], cells["compactness"].to_numpy(float)[drawn])
    return LevelQuality(
        key=level.key,
        name=level.name,
        contract=level.contract,
        band=level.band,
        cells=cells,
        is_locked=level.locked,
        apart=_apart(cells),
        balance=_balance(cells, level.band),
        shape=shape,
        moves=_moves(known, level),
    )


def _outline_figures(
    shapes: gpd.GeoSeries, codes: npt.NDArray[np.object_]
) -> dict[str, npt.NDArray[np.float64]]:
    """Return area in m² and 4πA/P² of the polygon of each cell; NaN where it has none."""
    drawn = shapes.to_numpy()[shapes.index.get_indexer(pd.Index(codes))]
    border = shapely.length(drawn)
    area = np.where(border > 0, shapely.area(drawn), np.nan)
    border = np.where(border > 0, border, np.nan)
    return {"area_m2": area, "compactness": 4 * np.pi * area / border**2}


def _measure_area(known: _Known, level: Level) -> LevelQuality:
    plan, ground = known.plan, known.ground
    codes, cell = known.named[level.key]
    weight = plan.atoms.frame["households"].to_numpy(np.int64)
    held = np.bincount(cell, weights=weight, minlength=len(codes)).astype(np.int64)
    area, compactness = ground.compactness_of(cell)
    pieces = ground.pieces_of(cell)
    cells = _judged(plan, level, codes, held).assign(
        atoms=np.bincount(cell, minlength=len(codes)),
        area_m2=area,
        compactness=compactness,
        pieces=pieces,
    )
    balance = _balance(cells, level.band)
    estates = known.compounds
    return LevelQuality(
        key=level.key,
        name=level.name,
        contract=level.contract,
        band=level.band,
        cells=cells,
        is_locked=level.locked,
        apart=_apart(cells),
        balance=balance,
        shape=_shape(codes, compactness),
        borders=ground.borders_of(cell) if ground.has_lines else None,
        components=int(pieces.sum()),
        buildings_cut=None if known.footprints is None else known.footprints.cut_by(cell),
        compounds_cut=None if estates is None else estates.cut_by(cell, codes),
        moves=_moves(known, level),
        floor=_floor(plan, level.band, balance, cells["in_balance"].to_numpy(bool)[cell]),
    )


def _judged(
    plan: GridPlan, level: Level, codes: npt.NDArray[np.object_], held: npt.NDArray[np.int64]
) -> pd.DataFrame:
    """Return the cells of a level with what is asked of their households."""
    facts = plan.cell_table.loc[pd.Index(codes)]
    kind = facts["kind"].to_numpy(object)
    elsewhere = [one for one in set(kind) if level.counted_in(one) != _ORDINARY]
    in_balance = ~np.isin(kind, [*level.unbalanced_kinds, *elsewhere])
    band = level.band
    low = -np.inf if band is None or band.low is None else band.low
    high = np.inf if band is None or band.high is None else band.high
    excused = [one.code for one in plan.scheme.exceptions if DefectKind.OUT_OF_BAND in one.allows]
    alike = held[in_balance]
    mean = float(alike.mean()) if len(alike) else 0.0
    deviation = np.zeros(len(held)) if mean == 0 else held / mean - 1
    return pd.DataFrame(
        {
            "code": codes,
            "name": facts["name"].to_numpy(),
            "kind": kind,
            "parent": facts["parent"].to_numpy(),
            "households": held,
            "in_balance": in_balance,
            "in_band": ~in_balance | ((held >= low) & (held <= high)),
            "allowed": np.isin(codes.astype(str), excused),
            "deviation": np.where(in_balance, deviation, 0.0),
        }
    )


def _apart(cells: pd.DataFrame) -> dict[str, int]:
    counts = cells.loc[~cells["in_balance"], "kind"].value_counts()
    return {str(kind): int(counts[kind]) for kind in sorted(counts.index)}


def _balance(cells: pd.DataFrame, band: HouseholdBand | None) -> Balance | None:
    alike = cells[cells["in_balance"]]
    if alike.empty:
        return None
    held = alike["households"].to_numpy(np.int64)
    off = np.abs(alike["deviation"].to_numpy(float))
    mean = float(held.mean())
    return Balance(
        cells=len(held),
        households=int(held.sum()),
        least=int(held.min()),
        mean=mean,
        most=int(held.max()),
        deviation_max=float(off.max()),
        deviation_mean=float(off.mean()),
        cv=float(held.std() / mean) if mean > 0 else 0.0,
        in_band=None if band is None else int(alike["in_band"].sum()),
    )


def _shape(codes: npt.NDArray[np.object_], compactness: npt.NDArray[np.float64]) -> Shape:
    worst = int(compactness.argmin())
    return Shape(
        mean=float(compactness.mean()),
        tenth=float(np.percentile(compactness, _TENTH)),
        worst=float(compactness[worst]),
        worst_code=str(codes[worst]),
    )


def _floor(
    plan: GridPlan,
    band: HouseholdBand | None,
    balance: Balance | None,
    is_alike: npt.NDArray[np.bool_],
) -> Floor | None:
    """Say what the heaviest atom of the cells that are to be alike makes impossible."""
    if balance is None or balance.mean == 0:
        return None
    weight = np.where(is_alike, plan.atoms.frame["households"].to_numpy(np.int64), -1)
    heaviest = int(weight.max())
    ids = plan.atoms.frame["atom_id"].to_numpy(str)
    most = balance.mean if band is None or band.high is None else max(band.high, balance.mean)
    return Floor(
        atom=str(min(ids[weight == heaviest])),
        households=heaviest,
        deviation=heaviest / balance.mean - 1 if heaviest > most else 0.0,
    )


def _moves(known: _Known, level: Level) -> Moves | None:
    if known.near is None or known.homes is None:
        return None
    return moves_of(known.plan, known.near, level, known.homes)


def _notes(known: _Known, *, has_points: bool) -> tuple[str, ...]:
    """Say what was assumed, and what could not be measured."""
    notes = []
    if not known.ground.has_lines:
        notes.append("the lines of the map are not known: give barriers to judge the borders")
    if known.footprints is None:
        notes.append(
            "without buildings, those cut are known for borders between atoms only, not by level"
        )
    if known.compounds is None:
        notes.append("compounds cut are not known: give compounds and buildings")
    if known.homes is not None and not has_points:
        notes.append("households were compared at an inner point of their atom")
    if known.homes is not None and known.homes.lost:
        notes.append(
            f"{known.homes.lost} households lie in only one of the two plans and are not compared"
        )
    return tuple(notes)
