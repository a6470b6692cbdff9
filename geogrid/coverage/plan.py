"""Judge a whole plan: every level by its own contract, nesting, bands, every household once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.coverage._allowed import sort_findings
from geogrid.coverage._cells import judge_cells
from geogrid.coverage._input import in_frame
from geogrid.coverage._members import judge_members
from geogrid.coverage._outlines import Outlines, judge_outlines
from geogrid.coverage._rows import joined, points_in, worst_first
from geogrid.errors import InputError
from geogrid.model.counts import household_counts
from geogrid.model.report import CoverageReport, LevelVerdict, LivedIn
from geogrid.planar.crs import to_metric
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry

    from geogrid.coverage._allowed import Sorted
    from geogrid.coverage._judged import Judged
    from geogrid.model.district import District
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate
    from geogrid.model.scheme import CellException, Level

__all__ = ["verify_levels", "verify_plan"]

_IN_GAPS = (DefectKind.GAP, DefectKind.INSIDE_SHORT, DefectKind.UNASSIGNED_HOUSEHOLD)
_IN_OVERLAPS = (
    DefectKind.OVERLAP,
    DefectKind.DUPLICATE,
    DefectKind.NESTED,
    DefectKind.DOUBLE_HOUSEHOLD,
)


def verify_plan(
    plan: GridPlan,
    *,
    limit: District | gpd.GeoDataFrame | None = None,
    households: gpd.GeoDataFrame | None = None,
    exceptions: Iterable[CellException] = (),
) -> CoverageReport:
    """Prove every level of a plan, each by its own contract.

    Parameters
    ----------
    plan
        The plan; how it was made plays no part.
    limit
        What it should cover; the plan's own noded limit when absent.
    households
        Points with ``households``; without them the counts of the plan are added up.
    exceptions
        Cells that may do what others may not, besides those that the plan's scheme lists.

    Returns
    -------
    CoverageReport
        Defects of all levels, worst first, ``level`` filled in; the certificate has one proof an
        area level. A cell outside a hard band is a defect; outside a soft one it is a note. Cells
        that are allowed to differ are in ``exceptions``.
    """
    against = plan.atoms.limit if limit is None else limit
    levels: dict[Level, gpd.GeoDataFrame | pd.DataFrame] = {}
    homes = None
    for level in plan.scheme.levels:
        if level.contract is Contract.AREA:
            levels[level] = plan.cells(level.key)
        elif plan.has_members(level):
            levels[level] = _with_facts(plan, level)
            homes = _homes(plan) if homes is None else homes
    return verify_levels(
        levels,
        against,
        homes=homes,
        households=households,
        exceptions=(*plan.scheme.exceptions, *exceptions),
        limit_is_noded=limit is None,
        outlines=_outlines(plan),
    )


def _outlines(plan: GridPlan) -> Outlines | None:
    """Return the polygons that a plan has of its lists."""
    drawn = [level for level in plan.scheme.levels if level.key in plan.shapes]
    if not drawn:
        return None
    shapes = {level: plan.cells(level.key) for level in drawn}
    return Outlines(shapes=shapes, atoms=plan.atoms.frame.set_index("atom_id"))


def _with_facts(plan: GridPlan, level: Level) -> pd.DataFrame:
    members = plan.members(level.key)
    facts = plan.cell_table.reindex(members["code"])
    return members.assign(kind=facts["kind"].to_numpy(), parent=facts["parent"].to_numpy())


def _homes(plan: GridPlan) -> gpd.GeoDataFrame:
    frame = plan.atoms.frame
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    return gpd.GeoDataFrame(
        {"households": frame["households"].to_numpy()},
        geometry=points,
        index=pd.Index(frame["atom_id"], name="atom_id"),
        crs=frame.crs,
    )


def verify_levels(
    levels: Mapping[Level, gpd.GeoDataFrame | pd.DataFrame],
    limit: District | gpd.GeoDataFrame | BaseGeometry | None,
    *,
    parents: gpd.GeoDataFrame | None = None,
    homes: gpd.GeoDataFrame | None = None,
    households: gpd.GeoDataFrame | None = None,
    exceptions: Iterable[CellException] = (),
    limit_is_noded: bool = False,
    outlines: Outlines | None = None,
) -> CoverageReport:
    """Prove levels, coarse to fine, each by its own contract.

    Parameters
    ----------
    levels
        Cells of each level with ``code`` (made where absent) and, where known, ``parent``,
        ``kind`` and ``households``. A level that is a mere list has a table of its members
        instead: ``code`` of the group and the key of ``homes``.
    limit
        What the cells should cover; their own outline when absent.
    parents
        Cells above the coarsest level, which are not judged themselves.
    homes
        Where the members of lists live: ``households`` and points, indexed by a named key
        (``atom_id``, ``household_id``).
    households, limit_is_noded
        See :func:`verify_plan` and :func:`geogrid.coverage.verify_coverage`.
    exceptions
        Cells that may do what others may not.
    outlines
        Polygons of levels that are lists: none may overlap another, and each must hold the
        households of its cell.

    Raises
    ------
    InputError
        If no level has polygons, or a list does not say who its members are.
    """
    if not any(isinstance(table, gpd.GeoDataFrame) for table in levels.values()):
        msg = "the scheme has no area level: there are no polygons to prove"
        raise InputError(msg)
    judged: list[Judged] = []
    above = None if parents is None else _usable(parents)
    for level, table in levels.items():
        if isinstance(table, gpd.GeoDataFrame):
            cells = _usable(table)
            judged.append(
                judge_cells(
                    level, cells, limit, households=households, parents=above,
                    limit_is_noded=limit_is_noded,
                )
            )  # fmt: skip
            above = cells
        else:
            lists = judge_members(level, table, homes, above)
            if outlines is not None:
                lists = judge_outlines(lists, table, outlines, households)
            judged.append(lists)
    listed = {one.code: one for one in exceptions}
    found = [sort_findings(one, listed) for one in judged]
    return _report(judged, found, listed, homes if households is None else households)


def _usable(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return cells in metres with codes as text and an index that counts them."""
    codes = cells["code"] if "code" in cells else pd.Series(range(1, len(cells) + 1))
    metric = cells if cells.crs is None else to_metric(cells)
    return metric.assign(code=codes.astype(str).to_numpy()).reset_index(drop=True)


def _report(
    judged: list[Judged],
    found: list[Sorted],
    listed: Mapping[str, CellException],
    people: gpd.GeoDataFrame | None,
) -> CoverageReport:
    crs = next(one.units.crs for one in judged if one.certificate is not None)
    defects = worst_first(joined([one.defects for one in found], crs))
    allowed = joined([one.allowed for one in found], crs)
    if "reason" not in allowed:
        allowed = allowed.assign(reason=pd.Series(dtype="str"))
    notes = [note for one, sort in zip(judged, found, strict=True) for note in
             (*one.notes, *sort.notes)]  # fmt: skip
    codes = {str(code) for one in judged for code in one.units.index}
    unknown = sorted(set(listed) - codes)
    if unknown:
        named = ", ".join(unknown[:5])
        notes.append(
            f"例外名单中有不存在的网格：{named} exceptions name cells that are not there: {named}"
        )
    return CoverageReport(
        defects=defects,
        certificate=_certificate(judged),
        notes=tuple(dict.fromkeys(notes)),
        exceptions=worst_first(allowed),
        verdicts=tuple(_verdict(*pair) for pair in zip(judged, found, strict=True)),
        lived_in=None if people is None else _lived_in(defects, people),
    )


def _certificate(judged: list[Judged]) -> Certificate:
    """Join the proofs; the facts of the limit are those of levels that fill it, if any do."""
    proven = [one for one in judged if one.certificate is not None and one.proof is not None]
    full = [one for one in proven if one.level.contract is Contract.AREA] or proven
    certificate = full[-1].certificate
    proofs = tuple(one.proof for one in proven if one.proof is not None)
    if certificate is None:  # pragma: no cover - callers have refused it
        msg = "there are no polygons to prove"
        raise InputError(msg)
    return replace(certificate, levels=proofs)


def _verdict(judged: Judged, found: Sorted) -> LevelVerdict:
    level = judged.level
    held = None if judged.counts is None else int(judged.counts.sum())
    return LevelVerdict(
        level=level.key,
        name=level.name,
        contract=level.contract,
        cells=len(judged.units),
        households=held,
        band=level.band,
        beyond=found.beyond,
        defects=len(found.defects),
        allowed=len(found.allowed),
    )


def _lived_in(defects: gpd.GeoDataFrame, people: gpd.GeoDataFrame) -> LivedIn:
    points = in_frame(people, defects)
    counts = household_counts(points)

    def within(*kinds: DefectKind) -> int:
        shapes = defects[defects["kind"].isin(kinds)].geometry.to_numpy()
        _, point = points_in(shapes, points)
        return int(counts[np.unique(point)].sum())

    return LivedIn(
        in_gaps=within(*_IN_GAPS),
        in_overlaps=within(*_IN_OVERLAPS),
        outside=within(DefectKind.OUTSIDE),
    )
