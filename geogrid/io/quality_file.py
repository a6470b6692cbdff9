"""A quality report as a table or an object: .xlsx, .csv, .json."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from geogrid.errors import OutputError
from geogrid.io.cell_file import write_text
from geogrid.io.files import writing
from geogrid.model.quality_words import (
    border_rows,
    cell_rows,
    compound_rows,
    flags_zh,
    metric_rows,
    notes_zh,
    out_of_band_rows,
    piece_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.model.quality import QualityReport

__all__ = ["QUALITY_TABLES", "write_quality"]

_WIDEST, _NARROWEST, _LOOKED_AT = 60, 8, 200


def write_quality(report: QualityReport, path: str | Path) -> Path:
    """Write a report to one file, completely or not at all.

    Parameters
    ----------
    report
        The report.
    path
        ``.json`` (all of it), ``.csv`` (one row a level, Excel opens it) or ``.xlsx`` (the same,
        what borders run along, every cell, and lists of those that stand out).

    Raises
    ------
    OutputError
        If the name has another suffix, openpyxl is missing for a workbook, or writing fails.
    """
    target = Path(path)
    writer = QUALITY_TABLES.get(target.suffix.lower())
    if writer is None:
        known = ", ".join(QUALITY_TABLES)
        msg = f"a quality report cannot be written as {target.name}: use {known}"
        raise OutputError(msg)
    writer(report, target)
    return target


def _write_json(report: QualityReport, path: Path) -> None:
    write_text(json.dumps(report.to_dict(), ensure_ascii=False, indent=1), path)


def _write_csv(report: QualityReport, path: Path) -> None:
    table = metric_rows(report).assign(**{"数据 data": " ".join(flags_zh(report))})
    with writing(path) as draft:
        # The mark at the start (utf-8-sig) tells Excel that the text is no GBK.
        table.to_csv(draft, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _write_xlsx(report: QualityReport, path: Path) -> None:
    try:
        import openpyxl  # noqa: PLC0415 - an extra
    except ImportError as error:
        msg = "writing Excel needs openpyxl: pip install geogrid[excel], or use .csv"
        raise OutputError(msg) from error
    book, bold = openpyxl.Workbook(), openpyxl.styles.Font(bold=True)
    book.remove(book.active)
    sheets = {
        "汇总": metric_rows(report),
        "户数超限": out_of_band_rows(report),
        "不连片": piece_rows(report),
        "跨网格小区": compound_rows(report),
        "界线": border_rows(report),
        "网格": cell_rows(report),
        "说明": _remarks(report),
    }
    with writing(path) as draft:
        for title, table in sheets.items():
            _fill(book.create_sheet(title), table, bold)
        book.save(draft)


def _remarks(report: QualityReport) -> pd.DataFrame:
    rows = [
        ("范围", report.district),
        ("方案", report.scheme),
        ("版本", report.version),
        ("户数", report.households),
        ("数据", " ".join(flags_zh(report))),
        ("基本单元界线切割的建筑", report.cut_by_borders),
        ("区划边界切割的建筑", report.cut_by_limit),
        *([("旧方案", report.near)] if report.near else []),
        *(("来源", f"{one.role}: {one.name} {one.attribution}") for one in report.sources),
        *(("说明", note) for note in notes_zh(report)),
    ]
    return pd.DataFrame(rows, columns=["项目", "值"])


def _fill(sheet: Any, table: pd.DataFrame, bold: Any) -> None:  # noqa: ANN401 - openpyxl publishes no types
    columns = [[_plain(value) for value in table[name]] for name in table.columns]
    for column, (name, values) in enumerate(zip(table.columns, columns, strict=True), start=1):
        head = sheet.cell(1, column, str(name))
        head.font = bold
        for row, value in enumerate(values, start=2):
            cell = sheet.cell(row, column)
            cell.value = value
            if isinstance(value, str):
                # A code that starts with a sign of a formula is still a code, in all its digits.
                cell.data_type, cell.number_format = "s", "@"
        longest = max(map(_width, [name, *values[:_LOOKED_AT]]))
        letter = head.column_letter
        sheet.column_dimensions[letter].width = min(max(longest + 2, _NARROWEST), _WIDEST)
    sheet.freeze_panes = "A2"


def _plain(value: Any) -> Any:  # noqa: ANN401 - figures and texts
    """Return what a sheet can hold: figures of Python, nothing where a figure is missing."""
    if isinstance(value, str):
        return value
    if pd.isna(value):
        return None
    return value.item() if hasattr(value, "item") else value


def _width(value: object) -> int:
    """Return the width of a text in letters: a Chinese sign is as wide as two."""
    return sum(1 if sign.isascii() else 2 for sign in str(value))


QUALITY_TABLES: dict[str, Callable[[QualityReport, Path], None]] = {
    ".json": _write_json,
    ".csv": _write_csv,
    ".xlsx": _write_xlsx,
}
