"""A plan, a check and a reach summed up as plain JSON values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from geogrid.model.plan import GridPlan
    from geogrid.model.reach import Reach
    from geogrid.model.report import CoverageReport

__all__ = ["summary_of"]


def summary_of(
    plan: GridPlan, report: CoverageReport | None = None, reach: Reach | None = None
) -> dict[str, Any]:
    """Sum a plan up as plain JSON values.

    Returns
    -------
    dict
        ``district``, ``area_km2``, ``households``, ``is_estimated``, ``levels`` (cells, households
        per cell, in band, deviation, proven), ``is_proven``, ``defects``, ``cut_buildings``
        (by a border), ``cut_by_limit`` and, with a reach, ``served`` per limit, ``stations`` and
        ``off_network``.
    """
    cut = plan.atoms.cut_buildings
    by_limit = int((cut["reason"] == "the limit cuts it").sum())
    result: dict[str, Any] = {
        "district": plan.district.name,
        "area_km2": round(plan.atoms.limit.area / 1e6, 4),
        "crs": "" if plan.district.crs is None else str(plan.district.crs.to_string()),
        "atoms": len(plan.atoms.frame),
        "households": plan.households,
        "is_estimated": any(source.is_estimated for source in plan.sources),
        "is_synthetic": any(source.is_synthetic for source in plan.sources),
        "scheme": plan.scheme.key,
        "version": plan.version,
        "levels": [
            _level_summary(plan, report, level.key)
            for level in plan.scheme.levels
            if plan.has_members(level)
        ],
        "cut_buildings": len(cut) - by_limit,
        "cut_by_limit": by_limit,
    }
    if report is not None:
        result |= {"is_proven": report.is_proven, "defects": len(report.defects)}
    if reach is not None:
        status = reach.stations["status"].astype(str)
        result |= {
            "stations": len(reach.stations),
            "off_network": int((status == "off_network").sum()),
            "served": {f"{limit:g}": reach.served_households(limit) for limit in reach.limits},
            "assumptions": dict(reach.assumptions),
        }
    return result


def _level_summary(plan: GridPlan, report: CoverageReport | None, key: str) -> dict[str, Any]:
    level = plan.scheme.level(key)
    is_area = level.contract is Contract.AREA
    held = (
        plan.cells(key)
        if is_area
        else plan.members(key).groupby("code", as_index=False)[["households"]].sum()
    )
    counts = held["households"]
    total = len(counts)
    if is_area and level.unbalanced_kinds:
        # 专属网格 and the like stand outside the balance.
        counts = counts[~held["kind"].isin(level.unbalanced_kinds)]
        counts = held["households"] if counts.empty else counts
    band = level.band
    mean = float(counts.mean())
    facts: dict[str, Any] = {
        "key": key,
        "name": level.name,
        "cells": total,
        "cells_in_balance": len(counts),
        "households_min": int(counts.min()),
        "households_mean": round(mean, 1),
        "households_max": int(counts.max()),
        "deviation": round(float((counts - mean).abs().max() / mean), 4) if mean else 0.0,
        "band": None if band is None else [band.low, band.high],
        "in_band": None if band is None else int(sum(count in band for count in counts)),
    }
    if report is not None:
        # A list has no polygons: all that is to prove of it is that nobody is missing or twice.
        open_edges = sum(one.uncancelled for one in report.certificate.levels if one.level == key)
        mine = report.defects[report.defects["level"] == key]
        facts["is_proven"] = open_edges == 0 and not len(
            mine[~mine["kind"].isin(["unmatched_edge", "multipart", "out_of_band"])]
        )
    return facts
