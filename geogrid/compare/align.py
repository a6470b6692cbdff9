"""Fit the borders of one layer to those of a reference (边界统一)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.compare._crosswalk import add_shares, names_of, records
from geogrid.compare._layers import metric_crs, read_homes, read_layer_of
from geogrid.compare.overlay import fill, greatest_widths_m, is_wider, overlay, united
from geogrid.coverage import verify_coverage
from geogrid.errors import CoverageError, InputError
from geogrid.planar.edges import dissolve, rook_pairs

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry import MultiPolygon

    from geogrid.compare._layers import Homes, Layer
    from geogrid.compare.overlay import Overlay
    from geogrid.model.report import CoverageReport

__all__ = ["Alignment", "align"]

Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment:
    """Cells fitted to a reference.

    Attributes
    ----------
    cells
        The columns of the input with the fitted ``geometry`` and its ``area_m2``, sorted by code.
    changes
        The ground that changed hands, largest first: ``from to reference area_m2 width_m
        households geometry``. "" stands for no cell: ground that the cells gained or gave up.
    unfitted
        What does not fit and was left, most households first: ``cell reference belongs reason
        area_m2 width_m households geometry``. ``belongs`` is the reference cell to which the cell
        goes for the most part (where cells are the coarser layer: the cell to which the reference
        cell goes). "" as ``cell`` is ground of the reference that no cell has. ``reason`` is
        ``too_wide``, or ``no_neighbour`` where no cell that fits there borders the piece or its
        own cell would be lost.
    crosswalk
        ``old new households area_m2 weight by``: where the ground of each cell went, "" for ground
        that it gave up. The weights of every old cell sum to 1, by households where points were
        given and it has any, else by area.
    direction
        ``cells_in_reference``: each cell lies in one reference cell, and each reference cell is a
        union of whole cells. ``reference_in_cells``: the cells are the coarser layer, and each
        reference cell lies in one of them.
    limit
        The ground of the fitted cells, noded with them: what the proof is against.
    report
        The proof.
    notes
        Plain sentences about what was assumed.
    """

    cells: gpd.GeoDataFrame
    changes: gpd.GeoDataFrame
    unfitted: gpd.GeoDataFrame
    crosswalk: pd.DataFrame
    direction: str
    limit: MultiPolygon
    report: CoverageReport
    notes: tuple[str, ...] = ()

    @property
    def is_fitted(self) -> bool:
        """Whether nothing was left that does not fit."""
        return self.unfitted.empty

    def to_dict(self) -> dict[str, Any]:
        """Return the tables as plain JSON values, without geometry."""
        return {
            "direction": self.direction,
            "is_fitted": self.is_fitted,
            "changes": records(pd.DataFrame(self.changes.drop(columns="geometry"))),
            "unfitted": records(pd.DataFrame(self.unfitted.drop(columns="geometry"))),
            "crosswalk": records(self.crosswalk),
            "certificate": self.report.certificate.to_dict(),
            "notes": list(self.notes),
        }


@dataclass(frozen=True, slots=True, eq=False)
class _Fit:
    """Each face's cell before and after, its reference cell, whether it fits or may give way."""

    before: Indices
    after: Indices
    reference: Indices
    home: Indices
    is_coarse: bool
    fits: Flags
    thin: Flags

    def belongs(self) -> Indices:
        """Return where each face's cell (or reference cell) goes for the most part."""
        key = self.reference if self.is_coarse else self.before
        return np.append(self.home, -1)[key]


def align(
    cells: gpd.GeoDataFrame,
    reference: gpd.GeoDataFrame,
    *,
    tolerance_m: float,
    households: gpd.GeoDataFrame | None = None,
) -> Alignment:
    """Fit cells to a reference within a tolerance, and list what does not fit.

    Every cell belongs to the reference cell that holds most of its ground. A piece of it in
    another one, in which no circle of ``tolerance_m`` fits, goes to the reference's side: to the
    neighbour there with which it shares most border (ties: the lowest code). Beyond the
    reference's outline such a piece is given up, and such a piece of the reference without a cell
    is taken in. Wider pieces stay as they are and are listed, and no cell is ever lost. Where the
    cells are the coarser layer, each reference cell goes to the cell that holds most of it.

    Parameters
    ----------
    cells
        Cells with ``code`` (made where absent); overlaps of them within the tolerance go to the
        lowest code.
    reference
        Cells that do not change.
    tolerance_m
        Greatest width of a piece that may change hands.
    households
        Points with ``households`` (1 where absent), to say who lives where something changed.

    Returns
    -------
    Alignment
        Fitted cells with their proof.

    Raises
    ------
    InputError
        If the tolerance is below zero or a side has no polygon.
    CoverageError
        If cells of one side overlap by more than the tolerance.
    CrsError
        If only one side has a coordinate system.
    """
    if not tolerance_m >= 0:
        msg = f"the tolerance is a width in metres from 0 up, not {tolerance_m:g}"
        raise InputError(msg)
    crs = metric_crs(cells)
    one = read_layer_of(cells, "the cells", crs)
    two = read_layer_of(reference, "the reference", crs)
    homes = read_homes(households, crs)
    faces = overlay([one.shapes, two.shapes])
    fit = _fit(faces, len(one.codes), len(two.codes), tolerance_m)
    notes = [*one.notes, *two.notes, *_stale(one, households)]
    for number, side in enumerate((one, two)):
        notes += _overlaps(faces, number, side, tolerance_m)
    fitted = _fitted(faces, fit, one, homes if households is not None else None, crs)
    limit = united(faces.faces[fit.after >= 0])
    report = verify_coverage(fitted, limit, limit_is_noded=True)
    if not report.is_proven:
        msg = "the fitted cells could not be proven: check both layers for spikes thinner than 1 mm"
        raise CoverageError(msg)
    counts = homes.counts_in(faces.faces)
    listed = _Listed(faces, fit, one.codes, two.codes, counts, crs)
    return Alignment(
        cells=fitted,
        changes=_changes(listed),
        unfitted=_unfitted(listed),
        crosswalk=_crosswalk(listed),
        direction="reference_in_cells" if fit.is_coarse else "cells_in_reference",
        limit=limit,
        report=report,
        notes=tuple(notes),
    )


def _overlaps(faces: Overlay, number: int, side: Layer, tolerance_m: float) -> list[str]:
    """Refuse overlaps wider than the tolerance; narrower ones go to the lowest code."""
    narrow = faces.overlapped(number)
    is_wide = np.ones(len(narrow), dtype=bool)
    if tolerance_m > 0:
        is_wide = is_wider(faces.faces[narrow], tolerance_m)
    twice = narrow[is_wide]
    if not len(narrow):
        return []
    if not len(twice):
        area = float(shapely.area(faces.faces[narrow]).sum())
        where = f"{len(narrow)} narrow places, {area:.1f} m² together"
        return [f"{side.name}: cells overlap in {where}: the lowest code has them"]
    face, cell = faces.holders(number)
    worst = twice[np.argmax(shapely.area(faces.faces[twice]))]
    names = ", ".join(side.codes[cell[face == worst]])
    where = f"{len(twice)} places wider than {tolerance_m:g} m, largest at {names}"
    msg = f"{side.name}: cells overlap in {where}: repair them first"
    raise CoverageError(msg)


def _stale(one: Layer, households: gpd.GeoDataFrame | None) -> list[str]:
    if households is None and "households" in one.facts:
        return ["the household counts of the cells are those from before: give points to recount"]
    return []


def _homes_by_area(
    key: Indices, other: Indices, area: npt.NDArray[np.float64], count: int
) -> tuple[Indices, float]:
    """Return for each cell of one layer where most of it lies in the other, and that area."""
    table = pd.DataFrame({"key": key, "other": other, "area": area})
    shared = table[table["key"] >= 0].groupby(["key", "other"])["area"].sum().reset_index()
    ranked = shared.sort_values(["key", "area", "other"], ascending=[True, False, True])
    main = ranked.drop_duplicates("key")
    home = np.full(count, -1, dtype=np.int64)
    home[main["key"].to_numpy()] = main["other"].to_numpy()
    return home, float(main.loc[main["other"] >= 0, "area"].sum())


def _fit(faces: Overlay, cells: int, references: int, tolerance_m: float) -> _Fit:
    before, reference = faces.owner[:, 0], faces.owner[:, 1]
    area = shapely.area(faces.faces)
    of_cell, fine = _homes_by_area(before, reference, area, cells)
    of_reference, coarse = _homes_by_area(reference, before, area, references)
    # Whichever way round more ground already fits is the way in which the two layers nest.
    is_coarse = coarse > fine
    home = of_reference if is_coarse else of_cell
    key, other = (reference, before) if is_coarse else (before, reference)
    # No cell at all fits nowhere; a cell mostly beyond the reference has no side to go to.
    fits = np.append(home, -2)[key] == other
    thin = np.zeros(len(fits), dtype=bool)
    if tolerance_m > 0:
        thin[~fits] = ~is_wider(faces.faces[~fits], tolerance_m)
    filled = _filled(faces, np.where(fits, before, -1), thin)
    after = np.where(thin & (filled >= 0), filled, before)
    after[thin & (reference < 0)] = -1
    after = _keep_every_cell(before, after, cells)
    return _Fit(before, after, reference, home, is_coarse, fits | (after != before), thin)


def _filled(faces: Overlay, start: Indices, thin: Flags) -> Indices:
    """Fill thin faces from fitting ones, each reference cell on its own."""
    pairs = rook_pairs(faces.faces)
    reference = faces.owner[:, 1]
    takes_part = thin | (start >= 0)
    among = (reference[pairs.left] == reference[pairs.right]) & (reference[pairs.left] >= 0)
    among &= takes_part[pairs.left] & takes_part[pairs.right]
    return fill(pairs, start, np.arange(len(start)), among=among)


def _keep_every_cell(before: Indices, after: Indices, cells: int) -> Indices:
    """Give back the ground of cells that would have lost all of it."""
    lost = np.bincount(after[after >= 0], minlength=cells) == 0
    is_back = (before >= 0) & np.append(lost, False)[before]
    return np.where(is_back, before, after)


def _fitted(
    faces: Overlay, fit: _Fit, one: Layer, homes: Homes | None, crs: CRS | None
) -> gpd.GeoDataFrame:
    rows = np.flatnonzero(fit.after >= 0)
    numbers, group = np.unique(fit.after[rows], return_inverse=True)
    shapes = np.full(len(one.codes), shapely.Polygon(), dtype=object)
    shapes[numbers] = dissolve(faces.faces[rows], group)
    table = one.facts.reset_index().assign(area_m2=shapely.area(shapes))
    if homes is not None:
        table["households"] = homes.counts_in(shapes)
    return gpd.GeoDataFrame(table, geometry=shapes, crs=crs)


@dataclass(frozen=True, slots=True, eq=False)
class _Listed:
    """All that a list of faces needs."""

    faces: Overlay
    fit: _Fit
    cells: npt.NDArray[np.object_]
    references: npt.NDArray[np.object_]
    households: Indices
    crs: CRS | None

    def table(self, rows: Indices, names: dict[str, npt.NDArray[np.object_]]) -> gpd.GeoDataFrame:
        shapes = self.faces.faces[rows]
        facts = {
            **names,
            "area_m2": shapely.area(shapes),
            "width_m": greatest_widths_m(shapes),
            "households": self.households[rows],
        }
        frame = gpd.GeoDataFrame(facts, geometry=shapes, crs=self.crs)
        return frame.sort_values(
            ["households", "area_m2"], ascending=False, kind="stable", ignore_index=True
        )


def _changes(listed: _Listed) -> gpd.GeoDataFrame:
    fit = listed.fit
    rows = np.flatnonzero(fit.after != fit.before)
    names = {
        "from": names_of(listed.cells, fit.before[rows]),
        "to": names_of(listed.cells, fit.after[rows]),
        "reference": names_of(listed.references, fit.reference[rows]),
    }
    return listed.table(rows, names)


def _unfitted(listed: _Listed) -> gpd.GeoDataFrame:
    fit = listed.fit
    rows = np.flatnonzero(~fit.fits)
    belongs = listed.cells if fit.is_coarse else listed.references
    names = {
        "cell": names_of(listed.cells, fit.before[rows]),
        "reference": names_of(listed.references, fit.reference[rows]),
        "belongs": names_of(belongs, fit.belongs()[rows]),
        "reason": np.where(fit.thin[rows], "no_neighbour", "too_wide").astype(object),
    }
    return listed.table(rows, names)


def _crosswalk(listed: _Listed) -> pd.DataFrame:
    """Say where each cell's own ground went; ground that two cells held counts for the lowest."""
    fit = listed.fit
    held = fit.before >= 0
    table = pd.DataFrame(
        {
            "old": fit.before[held],
            "new": fit.after[held],
            "households": listed.households[held],
            "area_m2": shapely.area(listed.faces.faces[held]),
        }
    )
    sums = table.groupby(["old", "new"])[["households", "area_m2"]].sum().reset_index()
    absent = np.setdiff1d(np.arange(len(listed.cells)), sums["old"])
    gone = pd.DataFrame({"old": absent, "new": -1, "households": 0, "area_m2": 0.0})
    whole = pd.concat([sums, gone], ignore_index=True).sort_values(["old", "new"])
    shared = add_shares(whole.reset_index(drop=True), ["old"]).rename(columns={"share": "weight"})
    return shared.assign(
        old=names_of(listed.cells, shared["old"]), new=names_of(listed.cells, shared["new"])
    )[["old", "new", "households", "area_m2", "weight", "by"]]
