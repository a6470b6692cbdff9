"""Judge a file: a plan of geogrid from what is stored in it, or any layer of polygons."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from geogrid.coverage import cells_digest, verify_coverage, verify_levels
from geogrid.errors import InputError, MissingFileError
from geogrid.io.layer import read_layer
from geogrid.io.limit import check_overlap, read_limit
from geogrid.io.plan_file import read_plan
from geogrid.io.stored_plan import is_plan_file, read_stored_plan
from geogrid.io.tables import read_households
from geogrid.model.district import District
from geogrid.planar.edges import directed_edges
from geogrid.planar.noding import as_multipolygon

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from geogrid.io.stored_plan import StoredPlan
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate, CoverageReport
    from geogrid.model.scheme import Level

__all__ = ["Audit", "audit_file", "open_plan"]

_CODE_NAMES = ("code", "网格编码", "编码", "网格编号", "编号", "代码")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audit:
    """What a file holds and what was found in it.

    Attributes
    ----------
    report
        The defects of the polygons and the certificate.
    faults
        Plain sentences about what else is wrong: codes, parents, counts.
    is_plan
        Whether the file is a plan of geogrid; else it is a bare layer of polygons.
    """

    report: CoverageReport
    faults: tuple[str, ...] = ()
    is_plan: bool

    @property
    def is_sound(self) -> bool:
        """Whether the cover is proven and nothing at all was found."""
        return self.report.is_sound and not self.faults


def audit_file(
    path: Path,
    *,
    layer: str | None = None,
    limit: Path | None = None,
    households: Path | None = None,
    datum: str | None = None,
) -> Audit:
    """Prove the cells stored in a file, or say what is wrong with them.

    Parameters
    ----------
    path
        A plan file, or any file with a layer of polygons.
    layer
        The layer, where a file that is no plan holds several.
    limit
        What the cells should cover: the plan's own limit, or the outline of the cells, if absent.
    households
        Points that must each lie in one cell; a plan's own counts per atom stand in for them.
    datum
        Datum of a file that is no plan.

    Returns
    -------
    Audit
        For a plan every area level is judged from its stored layer, not from the atoms, so a
        polygon changed in another program is found.
    """
    if not path.exists():
        msg = f"there is no file {path}: check the name"
        raise MissingFileError(msg)
    whole = read_limit(limit).district if limit is not None else None
    if layer is None and is_plan_file(path):
        if datum is not None:
            msg = "a plan file knows its own datum: leave --datum out"
            raise InputError(msg)
        return _audit_plan(path, whole, households)
    cells = _with_codes(read_layer(path, layer=layer, datum=datum))
    if whole is not None:
        check_overlap(whole, cells, what="cells")
    people = None
    if households is not None:
        people = read_households(households, crs=cells.crs).frame
        if whole is not None:
            check_overlap(whole, people, what="households")
    return Audit(report=verify_coverage(cells, whole, households=people), is_plan=False)


def _with_codes(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    for name in _CODE_NAMES:
        if name in cells:
            return cells.assign(code=cells[name].astype(str))
    return cells


def _audit_plan(path: Path, limit: District | None, households: Path | None) -> Audit:
    stored = read_stored_plan(path)
    faults = [fault for level in stored.levels for fault in _faults_of(stored, level)]
    if households is None:
        people = _atom_points(stored.atoms)
    else:
        people = read_households(households, crs=stored.crs).frame
        _require_touch(people, stored)
    levels = {level: _judgeable(cells) for level, cells in stored.levels.items()}
    report = verify_levels(
        levels,
        stored.limit if limit is None else limit,
        households=people,
        limit_is_noded=limit is None,
    )
    if stored.certificate is None:
        faults.append("the file carries no certificate: this check made the first one")
    elif limit is None and _proofs(stored.certificate) != _proofs(report.certificate):
        faults.append("the cells are not those that the file's certificate was made for")
    return Audit(report=report, faults=tuple(faults), is_plan=True)


def _faults_of(stored: StoredPlan, level: Level) -> Iterator[str]:
    """Say what is wrong with the attributes of a stored level."""
    cells = stored.levels[level]
    absent = sorted({"code", "parent", "households"} - set(cells))
    if absent:
        yield f"layer {level.key} has no column {absent[0]}: take it from the last good version"
    if "code" in cells:
        twice = cells["code"][cells["code"].duplicated()]
        if len(twice):
            yield f"layer {level.key} has the code {twice.iloc[0]} more than once: codes are unique"
    if "households" in cells:
        counts = pd.to_numeric(cells["households"], errors="coerce")
        total = int(stored.atoms["households"].sum())
        if counts.isna().any() or int(counts.sum()) != total:
            yield f"the households of layer {level.key} do not add up to the plan's {total}"


def _judgeable(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Return cells that can be judged: an emptied layer is one empty cell, which is a defect."""
    if len(cells) and "code" in cells:
        return cells
    codes = [str(row) for row in range(1, len(cells) + 1)] or ["(none)"]
    shapes = cells.geometry.to_numpy() if len(cells) else [shapely.Polygon()]
    return gpd.GeoDataFrame({"code": codes}, geometry=shapes, crs=cells.crs)


def _require_touch(people: gpd.GeoDataFrame, stored: StoredPlan) -> None:
    whole = District(limit=as_multipolygon(stored.limit), crs=stored.crs, name="the plan")
    check_overlap(whole, people, what="households")


def open_plan(path: Path) -> GridPlan:
    """Read a plan whose stored cells are those that were certified.

    Raises
    ------
    InputError
        If a border was changed in another program: the plan's atoms do not know of it, so a map
        or an answer made from them would be wrong.
    """
    stored = read_stored_plan(path)
    proofs = {} if stored.certificate is None else {
        proof.level: proof.digest for proof in stored.certificate.levels
    }  # fmt: skip
    for level, cells in stored.levels.items():
        if proofs.get(level.key, "") not in {"", cells_digest(cells)}:
            msg = (
                f"the cells of layer {level.key} in {path.name} were changed after they were "
                f"certified: run geogrid check {path.name} to see what is wrong"
            )
            raise InputError(msg)
    plan = read_plan(path)
    if plan.certificate is not None:
        found = sum(directed_edges(plan.atoms.frame.geometry.to_numpy()).twice_area.tolist())
        if found != plan.certificate.limit_twice_area_mm2:
            msg = f"the atoms in {path.name} do not fill its district: take the last good version"
            raise InputError(msg)
    return plan


def _proofs(certificate: Certificate) -> list[tuple[str, str, int]]:
    return [(one.level, one.digest, one.twice_area_mm2) for one in certificate.levels]


def _atom_points(atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One point an atom with its households: enough to say how many live in a gap."""
    lived_in = atoms[atoms["households"] > 0]
    points = shapely.point_on_surface(lived_in.geometry.to_numpy())
    return gpd.GeoDataFrame(
        {"households": lived_in["households"].to_numpy()}, geometry=points, crs=atoms.crs
    )
