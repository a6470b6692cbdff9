"""Chosen sites as files: a GeoPackage for the map, a workbook for the meeting."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.io._gpkg import META_LAYER, meta_table, write_layers
from geogrid.io._plan_meta import crs_text
from geogrid.io.files import require_suffix, writing

if TYPE_CHECKING:
    import geopandas as gpd

    from geogrid.model.plan import GridPlan
    from geogrid.model.siting import Siting

__all__ = ["SITING_SUFFIXES", "cell_counts", "write_siting"]

SITING_SUFFIXES = (".gpkg", ".xlsx")

_SHEETS = {
    "chosen": "选址",
    "candidates": "候选点",
    "cells": "分网格",
    "newly_served": "新增明细",
}
# Chinese heading of each column of a workbook.
_HEADINGS = {
    "rank": "序号",
    "station": "编号",
    "name": "名称",
    "newly_served": "新增服务户数",
    "cumulative": "累计新增",
    "in_reach": "可达户数",
    "one_more": "再加一处可增",
    "newly_in_reach": "可达盲区户数",
    "status": "状态",
    "code": "网格",
    "households": "户数",
    "served_before": "原已服务",
    "unserved": "仍为盲区",
    "share": "服务率",
    "saved_m": "节省步行（米）",
    "tier": "类别",
    "row": "行号",
}


def cell_counts(siting: Siting, plan: GridPlan, level: str) -> gpd.GeoDataFrame:
    """Return the cells of a level with who was served, is newly served and stays unserved."""
    cells = plan.cells(level)[["code", "name", "geometry"]]
    counts = siting.by_cell(plan, level)
    return cells.merge(counts.reset_index(), on="code", validate="one_to_one")


def write_siting(
    siting: Siting, path: str | Path, *, plan: GridPlan | None = None, level: str | None = None
) -> Path:
    """Write chosen sites to one file, completely or not at all.

    Households stay out of it: they are points of where people live. Cells hold their counts.

    Parameters
    ----------
    siting
        What was chosen.
    path
        ``.gpkg`` (layers ``chosen``, ``candidates`` and, with a plan, ``cells``; table
        ``newly_served``) or ``.xlsx``.
    plan, level
        Count by the cells of this level.

    Raises
    ------
    OutputError
        If the name has another suffix, openpyxl is missing for a workbook, or writing fails.
    """
    target = Path(path)
    require_suffix(target, SITING_SUFFIXES, what="sites")
    tables: dict[str, Any] = {"chosen": siting.chosen, "candidates": siting.candidates}
    if plan is not None and level is not None:
        tables["cells"] = cell_counts(siting, plan, level)
        tables["newly_served"] = siting.by_station(plan, level)
    if target.suffix.lower() == ".gpkg":
        summary = siting.summary()
        del summary["chosen"]
        meta = {
            "format": "geogrid-siting",
            "format_version": 1,
            "crs": crs_text(siting.chosen.crs),
            **summary,
            "assumptions": {key: str(value) for key, value in siting.assumptions.items()},
        }
        return write_layers({**tables, META_LAYER: meta_table(meta)}, target)
    with writing(target) as draft:
        _write_xlsx(tables, draft)
    return target


def _write_xlsx(tables: dict[str, Any], draft: Path) -> None:
    with pd.ExcelWriter(draft, engine="openpyxl") as book:
        for name, table in tables.items():
            plain = pd.DataFrame(table.drop(columns="geometry", errors="ignore"))
            plain = plain.rename(columns=_HEADINGS)
            plain.to_excel(book, sheet_name=_SHEETS[name], index=False, freeze_panes=(1, 0))
            for cell in (cell for row in book.sheets[_SHEETS[name]].iter_rows() for cell in row):
                if isinstance(cell.value, str):
                    # A name that starts with a sign of a formula is still a name.
                    cell.data_type = "s"
