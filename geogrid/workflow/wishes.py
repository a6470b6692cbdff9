"""What a division is asked to keep: official cells, numbers, special areas, locks, an old plan."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid import schemes
from geogrid.coverage import verify_coverage
from geogrid.divide import limits_as_barriers
from geogrid.errors import InputError
from geogrid.io.layer import read_layer
from geogrid.io.limit import check_overlap
from geogrid.io.plan_file import read_plan
from geogrid.io.stored_plan import is_plan_file
from geogrid.io.tables import read_seats
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.model.atoms import Atoms
    from geogrid.model.district import District
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Scheme
    from geogrid.workflow.inputs import Job

__all__ = ["Wishes", "read_wishes"]

_CODES = ("code", "编码", "网格编码", "代码", "code_12", "station")
_NAMES = ("name", "名称", "网格名称", "村社区", "社区名称")
_KINDS = ("kind", "类型", "网格类型")
_LEVELS = ("level", "层级")
_TABLES = frozenset({".csv", ".txt", ".xlsx", ".xls"})
_WRONG = (DefectKind.OVERLAP, DefectKind.DUPLICATE, DefectKind.NESTED, DefectKind.INVALID)


@dataclass(frozen=True, kw_only=True, eq=False)
class Wishes:
    """What a division is asked to keep; see :func:`geogrid.divide.divide`.

    Attributes
    ----------
    counts, upper, kinds, groups, near
        As there.
    locked
        Polygons with ``code`` (and ``level``): what lies in one stays in one cell.
    """

    counts: Mapping[str, int] = field(default_factory=dict)
    upper: Mapping[str, gpd.GeoDataFrame] = field(default_factory=dict)
    kinds: gpd.GeoDataFrame | None = None
    groups: gpd.GeoDataFrame | None = None
    near: GridPlan | None = None
    locked: gpd.GeoDataFrame | None = None

    def barriers(self, scheme: Scheme) -> gpd.GeoDataFrame:
        """Return the borders that the atoms must be cut along."""
        areas = {
            key: table
            for key, table in self.upper.items()
            if scheme.level(key).contract is Contract.AREA
        }
        return limits_as_barriers(areas, self.kinds, self.groups, self.locked)

    def locks(self, atoms: Atoms, scheme: Scheme) -> pd.DataFrame | None:
        """Return the locked atoms as :func:`geogrid.divide.divide` takes them."""
        if self.locked is None:
            return None
        frame = atoms.frame
        points = shapely.point_on_surface(frame.geometry.to_numpy())
        tree = shapely.STRtree(self.locked.geometry.to_numpy())
        atom, area = tree.query(points, predicate="intersects")
        leaf = scheme.area_levels[-1].key
        texts = self.locked["level"] if "level" in self.locked else [leaf] * len(self.locked)
        keys = [scheme.level(str(text)).key if text else leaf for text in texts]
        table = pd.DataFrame(
            {
                "atom_id": frame["atom_id"].to_numpy()[atom],
                "level": np.array(keys, dtype=object)[area],
                "code": self.locked["code"].astype(str).to_numpy()[area],
            }
        )
        return table.drop_duplicates(["atom_id", "level"]).pivot_table(
            index="atom_id", columns="level", values="code", aggfunc="first"
        )


def read_wishes(job: Job, district: District) -> Wishes:
    """Read the files that a job names for its division.

    Raises
    ------
    InputError
        If a file cannot be used, or shows another place.
    CoverageError
        If official polygons overlap; the words are those of a check.
    """
    scheme = schemes.load(job.scheme)
    counts = {scheme.level(name).key: count for name, count in job.counts.items()}
    upper = {}
    for name, path in job.upper.items():
        level = scheme.level(name)
        upper[level.key] = _official(path, district)
        if level.contract is Contract.AREA:
            _require_cover(upper[level.key], path)
    return Wishes(
        counts=counts,
        upper=upper,
        kinds=_areas(job.special, district, "special areas", "kind"),
        groups=_areas(job.groups, district, "groups", "code"),
        near=_old_plan(job.near),
        locked=_areas(job.locks, district, "locked cells", "code"),
    )


def _old_plan(path: Path | None) -> GridPlan | None:
    if path is None:
        return None
    if not path.exists() or not is_plan_file(path):
        msg = f"{path.name} is no plan file of geogrid: give last year's PLAN.gpkg"
        raise InputError(msg)
    return read_plan(path)


def _official(path: Path, district: District) -> gpd.GeoDataFrame:
    """Read official polygons, or a table of seats."""
    if path.suffix.lower() in _TABLES:
        seats = read_seats(path, crs=district.crs).frame
        return _named(_in_frame(seats, district), path, "code")
    return _named(_read(path, district, "official cells"), path, "code")


def _areas(
    path: Path | None, district: District, what: str, required: str
) -> gpd.GeoDataFrame | None:
    return None if path is None else _named(_read(path, district, what), path, required)


def _read(path: Path, district: District, what: str) -> gpd.GeoDataFrame:
    frame = read_layer(path)
    check_overlap(district, frame, what=what)
    return _in_frame(frame, district)


def _in_frame(frame: gpd.GeoDataFrame, district: District) -> gpd.GeoDataFrame:
    if frame.crs is None or district.crs is None or frame.crs == district.crs:
        return frame
    return frame.to_crs(district.crs)


def _named(frame: gpd.GeoDataFrame, path: Path, required: str) -> gpd.GeoDataFrame:
    """Return the columns that count, under their plain names."""
    found = {}
    for plain, names in (
        ("code", _CODES), ("name", _NAMES), ("kind", _KINDS), ("level", _LEVELS),
        ("parent", ("parent", "上级编码", "上级", "上级代码")), ("compound", ("compound",)),
        ("building", ("building",)),
    ):  # fmt: skip
        known = [name for name in names if name in frame]
        if known:
            found[plain] = frame[known[0]]
    if required not in found and not {"compound", "building"} & set(found):
        usual = _KINDS if required == "kind" else _CODES[:-1]
        msg = f"{path.name} has no column {required}: name it one of {', '.join(usual)}"
        raise InputError(msg)
    return gpd.GeoDataFrame(found, geometry=frame.geometry, crs=frame.crs)


def _require_cover(cells: gpd.GeoDataFrame, path: Path) -> None:
    """Refuse official polygons that overlap, with the finding of a check."""
    if not set(cells.geom_type) <= {"Polygon", "MultiPolygon"}:
        return
    report = verify_coverage(cells)
    wrong = report.defects[report.defects["kind"].isin(_WRONG) & (report.defects["area_m2"] > 1)]
    if wrong.empty:
        return
    first = wrong.iloc[0]
    kind = DefectKind(first["kind"])
    msg = (
        f"{path.name}: {kind.label_zh} {kind} of {first['area_m2']:.2f} m² between "
        f"{', '.join(first['cells'])}, {len(wrong)} in all: run geogrid repair {path.name}"
    )
    raise InputError(msg)
