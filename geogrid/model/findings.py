"""The findings of a check in the order and the words in which people read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.report import CoverageReport
    from geogrid.model.scheme import HouseholdBand

__all__ = [
    "AT_A_HOME",
    "SEVERITIES",
    "band_zh",
    "certificate_rows",
    "findings_table",
    "people_zh",
    "verdict_rows",
]

# A finding of these kinds lies where somebody lives: its place is given roughly, never as a point.
AT_A_HOME = frozenset({DefectKind.UNASSIGNED_HOUSEHOLD.value, DefectKind.DOUBLE_HOUSEHOLD.value})
# About a hundred metres and about a decimetre, in degrees.
_ROUGH, _FINE = 3, 6

SEVERITIES: Mapping[str, str] = {
    "real": "明显（宽于 2 米）",
    "sliver": "狭长（5 厘米至 2 米）",
    "hairline": "细微（不足 5 厘米）",
    "rounding": "取整差（不足 1 毫米）",
    "": "不以宽度计",
}


def findings_table(
    report: CoverageReport, names: Mapping[str, str] | None = None
) -> gpd.GeoDataFrame:
    """Return all findings of a report, defects before allowed exceptions, worst first.

    Parameters
    ----------
    report
        What a check found.
    names
        Chinese name by key of the level; those of the report's verdicts where absent.

    Returns
    -------
    GeoDataFrame
        ``number, status`` (``defect`` or ``allowed``), ``kind, kind_zh, severity, severity_zh,
        level, level_name, cells`` (a tuple of codes), ``households, area_m2, width_m, reason`` and,
        where there is a coordinate system, ``lon`` and ``lat`` in degrees; else these are missing.
    """
    known = {one.level: one.name for one in report.verdicts} if names is None else names
    tables = [
        report.defects.assign(status="defect", reason=""),
        report.exceptions.assign(status="allowed"),
    ]
    filled = [table for table in tables if len(table)] or tables[:1]
    crs = report.defects.crs
    table = gpd.GeoDataFrame(pd.concat(filled, ignore_index=True), crs=crs)
    kinds = {kind.value: kind.label_zh for kind in DefectKind}
    lon, lat = _places(table)
    columns = {
        "number": np.arange(1, len(table) + 1),
        "status": table["status"],
        "kind": table["kind"].astype("str"),
        "kind_zh": table["kind"].map(kinds).astype("str"),
        "severity": table["severity"].astype("str"),
        "severity_zh": table["severity"].map(SEVERITIES).astype("str"),
        "level": table["level"].astype("str"),
        "level_name": [known.get(key, key) for key in table["level"]],
        "cells": table["cells"],
        "households": table["households"].astype(np.int64),
        "area_m2": table["area_m2"].astype(float),
        "width_m": table["width_m"].astype(float),
        "reason": table["reason"].astype("str"),
        "lon": lon,
        "lat": lat,
    }
    return gpd.GeoDataFrame(columns, geometry=table.geometry.to_numpy(), crs=crs)


def _places(table: gpd.GeoDataFrame) -> tuple[pd.Series, pd.Series]:
    """Return where each finding is, in degrees, for people who look it up on another map."""
    if table.crs is None or table.empty:
        nowhere = pd.Series(np.nan, index=table.index)
        return nowhere, nowhere
    spots = gpd.GeoSeries(table.geometry.representative_point(), crs=table.crs).to_crs(4326)
    is_home = table["kind"].isin(AT_A_HOME)
    return (
        spots.x.round(_FINE).where(~is_home, spots.x.round(_ROUGH)),
        spots.y.round(_FINE).where(~is_home, spots.y.round(_ROUGH)),
    )


def people_zh(report: CoverageReport, *, least: int = 0) -> str:
    """Answer what is asked first: whether anybody lives where the cover is wrong.

    Parameters
    ----------
    report
        What a check found.
    least
        Smaller counts are not written as numbers, for pictures that many people see.
    """
    lived = report.lived_in
    if lived is None:
        return "没有住户数据，不知道漏的地方有没有人住"
    if lived.in_gaps == lived.in_overlaps == lived.outside == 0:
        return "缝隙、重叠和越界处都没有住户"

    def count(households: int) -> str:
        return f"不足 {least}" if 0 < households < least else str(households)

    return (
        f"缝隙里住着 {count(lived.in_gaps)} 户，重叠处 {count(lived.in_overlaps)} 户，"
        f"越界处 {count(lived.outside)} 户"
    )


def band_zh(band: HouseholdBand | None) -> str:
    """Return what people read for a band."""
    if band is None or not band.ends_zh:
        return "未规定"
    return band.ends_zh + (
        "（硬性）" if band.is_hard else "（假定）" if band.is_assumption else "（参考）"
    )


def verdict_rows(report: CoverageReport) -> list[dict[str, str | int]]:
    """Return one row a level: what it promises and how it keeps it, under Chinese headings."""
    return [
        {
            "层级": one.name or one.level or "网格",
            "覆盖要求": one.contract.label_zh,
            "网格数": one.cells,
            "户数": "" if one.households is None else one.households,
            "户数标准": band_zh(one.band),
            "户数超限": "" if one.band is None or one.households is None else one.beyond,
            "问题": one.defects,
            "允许的例外": one.allowed,
        }
        for one in report.verdicts
    ]


def certificate_rows(report: CoverageReport) -> list[tuple[str, str]]:
    """Return the certificate as pairs of term and text."""
    certificate = report.certificate
    rows = [
        ("边界摘要", certificate.limit_digest),
        ("边界面积（平方米）", f"{certificate.limit_twice_area_mm2 / 2e6:.6f}"),
        ("边界移动（毫米）", f"{certificate.limit_shift_mm:.2f}"),
    ]
    names = {one.level: one.name for one in report.verdicts}
    for proof in certificate.levels:
        name = names.get(proof.level) or proof.level or "网格"
        rows += [
            (f"{name} 摘要", proof.digest),
            (f"{name} 面积（平方米）", f"{proof.twice_area_mm2 / 2e6:.6f}"),
            (f"{name} 边界线段", str(proof.edges)),
            (f"{name} 未抵消线段", str(proof.uncancelled)),
        ]
    return rows
