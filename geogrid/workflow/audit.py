"""Judge a file: a plan of geogrid from what is stored in it, or any layer of polygons."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import pandas as pd
import shapely

from geogrid.coverage import NO_SUCH_CELL, Outlines, cells_digest, verify_levels
from geogrid.errors import InputError, MissingFileError
from geogrid.io.layer import read_layer
from geogrid.io.limit import check_overlap, read_limit
from geogrid.io.plan_file import read_plan
from geogrid.io.stored_members import read_stored_members, read_stored_outlines
from geogrid.io.stored_plan import is_plan_file, read_stored_plan
from geogrid.io.tables import read_households
from geogrid.model.district import District
from geogrid.model.scheme import Level
from geogrid.planar.crs import to_metric
from geogrid.planar.edges import directed_edges
from geogrid.planar.noding import as_multipolygon
from geogrid.vocabulary import Contract
from geogrid.workflow._second import SecondCheck, second_check

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from shapely.geometry.base import BaseGeometry

    from geogrid.io.stored_plan import StoredPlan
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate, CoverageReport
    from geogrid.model.scheme import CellException, HouseholdBand

__all__ = ["Audit", "LayerRules", "audit_file", "open_plan"]

_CODE_NAMES = ("code", "网格编码", "编码", "网格编号", "编号", "代码")
_COUNT_NAMES = ("households", "户数")


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerRules:
    """What a bare layer promises; a plan file says so itself.

    Attributes
    ----------
    contract
        ``area`` or ``household``.
    band
        Households that a cell should hold.
    parents
        A file with the cells above: each cell must lie in one of them.
    """

    contract: Contract = Contract.AREA
    band: HouseholdBand | None = None
    parents: Path | None = None

    def __post_init__(self) -> None:
        if self.contract is Contract.ROSTER:
            msg = "a layer of polygons is no list of members: give the contract area or household"
            raise InputError(msg)


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
    second
        What the independent second proof says; only of a plan against its own limit.
    levels, limit
        The cells that were judged, coarse to fine, and what they should cover, for pictures.
    """

    report: CoverageReport
    faults: tuple[str, ...] = ()
    is_plan: bool
    second: SecondCheck | None = None
    levels: Mapping[Level, gpd.GeoDataFrame] = field(default_factory=dict)
    limit: BaseGeometry | None = None

    @property
    def is_sound(self) -> bool:
        """Whether the cover is proven and nothing at all was found but allowed exceptions."""
        return self.report.is_sound and not self.faults


def audit_file(
    path: Path,
    *,
    layer: str | None = None,
    limit: Path | None = None,
    households: Path | None = None,
    datum: str | None = None,
    exceptions: Sequence[CellException] = (),
    rules: LayerRules | None = None,
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
    exceptions
        Cells that may do what others may not, besides those that a plan's scheme lists.
    rules
        What a file that is no plan promises.

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
        if datum is not None or rules is not None:
            what = "datum: leave --datum" if datum is not None else "rules: leave --band and others"
            msg = f"a plan file knows its own {what} out"
            raise InputError(msg)
        return _audit_plan(path, whole, households, exceptions)
    cells = _with_plain_names(read_layer(path, layer=layer, datum=datum))
    if whole is not None:
        check_overlap(whole, cells, what="cells")
    people = None
    if households is not None:
        people = read_households(households, crs=cells.crs).frame
        if whole is not None:
            check_overlap(whole, people, what="households")
    return _audit_layer(cells, whole, people, exceptions, rules or LayerRules())


def _audit_layer(
    cells: gpd.GeoDataFrame,
    whole: District | None,
    people: gpd.GeoDataFrame | None,
    exceptions: Sequence[CellException],
    rules: LayerRules,
) -> Audit:
    level = Level(key="", name="网格", contract=rules.contract, band=rules.band)
    above = None
    if rules.parents is not None:
        above = to_metric(_with_plain_names(read_layer(rules.parents)), cells.crs)
        # Who the parent is follows from the place: a column of a bare layer may mean anything.
        cells = cells.drop(columns="parent", errors="ignore")
    report = verify_levels(
        {level: cells}, whole, parents=above, households=people, exceptions=exceptions
    )
    if rules.band is not None and report.verdicts[0].households is None:
        msg = "no household is known, so no band can be judged: give --households or a column 户数"
        raise InputError(msg)
    shape = None if whole is None else _shape_of(whole, cells)
    return Audit(report=report, is_plan=False, levels={level: cells}, limit=shape)


def _shape_of(limit: District, like: gpd.GeoDataFrame) -> BaseGeometry:
    given = gpd.GeoSeries([limit.limit], crs=limit.crs)
    if limit.crs is None or like.crs is None:
        return given.iloc[0]
    return given.to_crs(like.crs).iloc[0]


def _with_plain_names(cells: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    found = {
        plain: cells[names[0]]
        for plain, wanted in (("code", _CODE_NAMES), ("households", _COUNT_NAMES))
        if (names := [name for name in wanted if name in cells])
    }
    if "code" in found:
        found["code"] = found["code"].astype(str)
    return cells.assign(**found)


def _audit_plan(
    path: Path,
    limit: District | None,
    households: Path | None,
    exceptions: Sequence[CellException],
) -> Audit:
    stored = read_stored_plan(path)
    scheme, listed = read_stored_members(path)
    faults = [fault for level in stored.levels for fault in _faults_of(stored, level)]
    homes = _homes(stored.atoms)
    people = homes[homes["households"] > 0]
    if households is not None:
        people = read_households(households, crs=stored.crs).frame
        _require_touch(people, stored)
    tables: dict[Level, gpd.GeoDataFrame | pd.DataFrame] = {}
    for level in scheme.levels:
        if level in stored.levels:
            tables[level] = _judgeable(stored.levels[level])
        elif level in listed:
            tables[level] = listed[level]
    report = verify_levels(
        tables,
        stored.limit if limit is None else limit,
        homes=homes,
        households=people,
        exceptions=(*scheme.exceptions, *exceptions),
        limit_is_noded=limit is None,
        outlines=Outlines(
            shapes=read_stored_outlines(path), atoms=stored.atoms.set_index("atom_id")
        ),
    )
    strange = ("name a home that is not there", NO_SUCH_CELL)
    faults += [note for note in report.notes if any(one in note for one in strange)]
    absent = [level.name for level in scheme.levels if level not in tables]
    if absent:
        note = f"the file holds nothing of level {', '.join(absent)}: not judged"
        report = replace(report, notes=(*report.notes, note))
    second = None if limit is not None else second_check(path, report, stored.certificate)
    faults += _certificate_faults(stored, report, second, has_own_limit=limit is None)
    shapes = {
        level: table for level, table in tables.items() if isinstance(table, gpd.GeoDataFrame)
    }
    return Audit(
        report=report,
        faults=tuple(faults),
        is_plan=True,
        second=second,
        levels=shapes,
        limit=stored.limit if limit is None else _shape_of(limit, stored.atoms),
    )


def _certificate_faults(
    stored: StoredPlan, report: CoverageReport, second: SecondCheck | None, *, has_own_limit: bool
) -> Iterator[str]:
    if stored.certificate is None:
        yield (
            "文件没有证明，本次检查为首次 "
            "the file carries no certificate: this check made the first one"
        )
    elif has_own_limit and _proofs(stored.certificate) != _proofs(report.certificate):
        yield (
            "网格与文件中的证明不符（已改动） "
            "the cells are not those that the file's certificate was made for"
        )
    if second is not None and not second.agrees:
        named = ", ".join(second.differing)
        yield (
            f"复核在 {named} 层结论不一致，两者都不可信 "
            f"the second check does not agree about level {named}: do not rely on either"
        )


def _faults_of(stored: StoredPlan, level: Level) -> Iterator[str]:
    """Say what is wrong with the attributes of a stored level."""
    cells = stored.levels[level]
    absent = sorted({"code", "parent", "households"} - set(cells))
    if absent:
        yield (
            f"图层 {level.key} 缺少列 {absent[0]}，请从上一个完好版本取回 "
            f"layer {level.key} has no column {absent[0]}: take it from the last good version"
        )
    if "code" in cells:
        twice = cells["code"][cells["code"].duplicated()]
        if len(twice):
            yield (
                f"图层 {level.key} 的编码 {twice.iloc[0]} 重复，编码应唯一 "
                f"layer {level.key} has the code {twice.iloc[0]} more than once: codes are unique"
            )
    if "households" in cells:
        counts = pd.to_numeric(cells["households"], errors="coerce")
        total = int(stored.atoms["households"].sum())
        if counts.isna().any() or int(counts.sum()) != total:
            yield (
                f"图层 {level.key} 的户数合计与方案总数 {total} 不符 "
                f"the households of layer {level.key} do not add up to the plan's {total}"
            )


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
    return [
        (one.level, one.digest, one.twice_area_mm2)
        for one in certificate.levels
        if one.contract == Contract.AREA
    ]


def _homes(atoms: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """One point an atom with its households: enough to say how many live in a gap."""
    return gpd.GeoDataFrame(
        {"households": atoms["households"].to_numpy()},
        geometry=shapely.point_on_surface(atoms.geometry.to_numpy()),
        index=pd.Index(atoms["atom_id"].astype(str), name="atom_id"),
        crs=atoms.crs,
    )
