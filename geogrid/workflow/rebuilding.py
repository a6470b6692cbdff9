"""Put a plan together again from its finest cells: atoms cut where a border moved."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.compare.overlay import overlay, united
from geogrid.coverage import cells_digest, verify_plan
from geogrid.io.cell_file import add_layers
from geogrid.io.plan_file import write_plan
from geogrid.model.atoms import Atoms
from geogrid.model.plan import GridPlan
from geogrid.planar.edges import dissolve
from geogrid.workflow.lineage import cell_table_of

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.io.loose_plan import LoosePlan
    from geogrid.model.report import CoverageReport

__all__ = ["Rebuilt", "rebuild_plan", "write_rebuilt"]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, kw_only=True, eq=False)
class Rebuilt:
    """A plan with the proof that it carries, and plain sentences."""

    plan: GridPlan
    report: CoverageReport
    notes: tuple[str, ...]


def rebuild_plan(
    loose: LoosePlan,
    leaf: gpd.GeoDataFrame,
    lineage: pd.DataFrame,
    *,
    households: gpd.GeoDataFrame | None = None,
) -> Rebuilt:
    """Derive every level of a plan from its finest cells.

    Parameters
    ----------
    loose
        The parts of the plan that was.
    leaf
        The finest cells with ``code``; they cover their limit exactly once.
    lineage
        Indexed by ``code``: the cell of each area level.
    households
        Points to count anew; else each atom's count goes with its inner point.

    Returns
    -------
    Rebuilt
        The plan carries its certificate and knows the version it was made from.
    """
    atoms, of_atom, of_cell, notes = _atoms(loose, leaf)
    if households is not None:
        before = int(loose.stored.atoms["households"].sum())
        atoms = atoms.with_households(households)
        after = int(atoms.frame["households"].sum())
        if after != before:
            notes.append(f"the points count {after} households where the plan had {before}")
    codes = leaf["code"].to_numpy(dtype=object)[of_cell]
    labels = lineage.loc[codes].reset_index(drop=True)
    roster = [level.key for level in loose.scheme.levels if level.key not in lineage]
    for key in roster:
        if key in loose.stored.atoms:
            labels[key] = _taken(loose.stored.atoms[key], of_atom)
    labels.index = pd.Index(atoms.frame["atom_id"], name="atom_id")
    plan = GridPlan(
        district=replace(loose.district, limit=atoms.limit),
        scheme=loose.scheme,
        atoms=atoms,
        labels=labels,
        cell_table=cell_table_of(loose, leaf, lineage),
        sources=loose.sources,
        code_history=loose.code_history,
    )
    report = verify_plan(plan, households=households)
    version = report.certificate.levels[-1].digest[:12]
    is_same = version == loose.version
    plan = replace(
        plan,
        certificate=report.certificate,
        version=version,
        parent_version="" if is_same else loose.version,
    )
    return Rebuilt(plan=plan, report=report, notes=tuple(notes))


def write_rebuilt(
    rebuilt: Rebuilt,
    loose: LoosePlan,
    path: Path,
    *,
    more: Mapping[str, pd.DataFrame] | None = None,
) -> Path:
    """Write a plan with the stations and circles that the old file held, and further tables."""
    write_plan(rebuilt.plan, path, stations=loose.stations, report=rebuilt.report)
    layers = {} if loose.circles is None else {"circles": loose.circles}
    add_layers({**layers, **(more or {})}, path)
    return path


def _taken(labels: pd.Series, rows: Indices) -> pd.Series:
    values = labels.astype(object).to_numpy()[np.maximum(rows, 0)]
    return pd.Series(values).where(rows >= 0)


def _atoms(loose: LoosePlan, leaf: gpd.GeoDataFrame) -> tuple[Atoms, Indices, Indices, list[str]]:
    """Return atoms of which each lies in one cell, with the old atom and the cell of each."""
    stored = loose.stored.atoms
    kept = _if_unmoved(loose, leaf)
    if kept is not None:
        frame = gpd.GeoDataFrame(stored[["atom_id", "households", "kind", "geometry"]])
        frame = frame.assign(households=frame["households"].astype(np.int64))
        atoms = Atoms(
            frame=frame, limit=loose.district.limit, barriers=loose.barriers,
            cut_buildings=loose.cut_buildings,
        )  # fmt: skip
        return atoms, np.arange(len(stored)), kept, []
    old = shapely.make_valid(stored.geometry.to_numpy())
    faces = overlay([old, leaf.geometry.to_numpy()])
    inside = faces.owner[:, 1] >= 0
    shapes, owner = faces.faces[inside], faces.owner[inside]
    pairs, group = np.unique(owner, axis=0, return_inverse=True)
    parts, number = shapely.get_parts(dissolve(shapes, group.ravel()), return_index=True)
    of_atom, of_cell = pairs[number, 0], pairs[number, 1]
    counts, split, lost = _shared_out(stored, parts, of_atom)
    frame = gpd.GeoDataFrame(
        {
            "atom_id": _ids(stored["atom_id"].to_numpy(dtype=object), of_atom, parts),
            "households": counts,
            "kind": _taken(stored["kind"], of_atom).fillna("").to_numpy(),
        },
        geometry=parts,
        crs=leaf.crs,
    )
    atoms = Atoms(
        frame=frame, limit=united(shapes), barriers=loose.barriers,
        cut_buildings=loose.cut_buildings,
    )  # fmt: skip
    notes = []
    if split:
        notes.append(
            f"{split} households live in atoms that a border now cuts: they were counted at the "
            "atom's inner point, give --households to count them where they live"
        )
    if lost:
        notes.append(f"{lost} households live on ground that the limit leaves out")
    return atoms, of_atom, of_cell, notes


def _if_unmoved(loose: LoosePlan, leaf: gpd.GeoDataFrame) -> Indices | None:
    """Return each atom's cell where the cells still are unions of atoms, vertex for vertex."""
    key = list(loose.stored.levels)[-1].key
    stored = loose.stored.atoms
    if key not in stored:
        return None
    codes, group = np.unique(stored[key].astype(str).to_numpy(str), return_inverse=True)
    if set(codes) != set(leaf["code"]) or not stored.geometry.is_valid.all():
        return None
    whole = gpd.GeoDataFrame({"code": codes}, geometry=dissolve(stored.geometry.to_numpy(), group))
    if cells_digest(whole) != cells_digest(leaf):
        return None
    place = pd.Index(leaf["code"]).get_indexer(pd.Index(codes))
    cell: Indices = place[group].astype(np.int64)
    return cell


def _shared_out(
    stored: gpd.GeoDataFrame, parts: npt.NDArray[np.object_], of_atom: Indices
) -> tuple[Indices, int, int]:
    """Give each old atom's households to the piece of it that holds its inner point.

    Return the counts, how many of them live in atoms that were cut, and how many in none.
    """
    counts = np.zeros(len(parts), dtype=np.int64)
    people = stored["households"].to_numpy(np.int64)
    area = shapely.area(parts)
    order = np.lexsort((-area, of_atom))
    order = order[of_atom[order] >= 0]
    atoms, first = np.unique(of_atom[order], return_index=True)
    target = np.full(len(stored), -1, dtype=np.int64)
    target[atoms] = order[first]
    points = shapely.point_on_surface(stored.geometry.to_numpy())
    point, part = shapely.STRtree(parts).query(points, predicate="intersects")
    own = of_atom[part] == point
    target[point[own]] = part[own]
    there = target >= 0
    np.add.at(counts, target[there], people[there])
    pieces = np.bincount(of_atom[of_atom >= 0], minlength=len(stored))
    return counts, int(people[pieces > 1].sum()), int(people[~there].sum())


def _ids(
    ids: npt.NDArray[np.object_], of_atom: Indices, parts: npt.NDArray[np.object_]
) -> list[str]:
    """Keep an atom's id for its largest piece; the others get a number behind it."""
    used = {str(one) for one in ids}
    result = [""] * len(parts)
    seen: set[int] = set()
    for row in np.lexsort((-shapely.area(parts), of_atom)).tolist():
        atom = int(of_atom[row])
        if atom >= 0 and atom not in seen:
            seen.add(atom)
            result[row] = str(ids[atom])
            continue
        stem = str(ids[atom]) if atom >= 0 else "new"
        number = 2
        while f"{stem}-{number}" in used:
            number += 1
        result[row] = f"{stem}-{number}"
        used.add(result[row])
    return result
