"""Judge a file: a plan of geogrid from what is stored in it, or any layer of polygons."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import shapely

from geogrid.coverage import verify_coverage, verify_levels
from geogrid.errors import MissingFileError
from geogrid.io.layer import read_layer
from geogrid.io.limit import check_overlap, read_limit
from geogrid.io.stored_plan import is_plan_file, read_stored_plan
from geogrid.io.tables import read_households

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.model.district import District
    from geogrid.model.report import Certificate, CoverageReport

__all__ = ["Audit", "audit_file"]

_CODE_NAMES = ("code", "网格编码", "编码", "网格编号", "编号", "代码")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Audit:
    """What a file holds and what was found in it.

    Attributes
    ----------
    report
        The findings and the certificate.
    is_plan
        Whether the file is a plan of geogrid; else it is a bare layer of polygons.
    """

    report: CoverageReport
    is_plan: bool


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
        return _audit_plan(path, whole, households)
    cells = _with_codes(read_layer(path, layer=layer, datum=datum))
    if whole is not None:
        check_overlap(whole, cells, what="cells")
    people = None if households is None else read_households(households, crs=cells.crs).frame
    return Audit(report=verify_coverage(cells, whole, households=people), is_plan=False)


def _with_codes(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    for name in _CODE_NAMES:
        if name in cells:
            return cells.assign(code=cells[name].astype(str))
    return cells


def _audit_plan(path: Path, limit: District | None, households: Path | None) -> Audit:
    stored = read_stored_plan(path)
    if households is None:
        people = _atom_points(stored.atoms)
    else:
        people = read_households(households, crs=stored.crs).frame
    report = verify_levels(
        stored.levels,
        stored.limit if limit is None else limit,
        households=people,
        limit_is_noded=limit is None,
    )
    notes = list(report.notes)
    if stored.certificate is None:
        notes.append("the file carries no certificate: this check made the first one")
    elif limit is None and _proofs(stored.certificate) != _proofs(report.certificate):
        notes.append("the cells are not those that the file's certificate was made for")
    return Audit(report=replace(report, notes=tuple(notes)), is_plan=True)


def _proofs(certificate: Certificate) -> list[tuple[str, str, int]]:
    return [(one.level, one.digest, one.twice_area_mm2) for one in certificate.levels]


def _atom_points(atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One point an atom with its households: enough to say how many live in a gap."""
    lived_in = atoms[atoms["households"] > 0]
    points = shapely.point_on_surface(lived_in.geometry.to_numpy())
    return gpd.GeoDataFrame(
        {"households": lived_in["households"].to_numpy()}, geometry=points, crs=atoms.crs
    )
