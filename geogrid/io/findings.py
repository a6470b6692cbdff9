"""The findings of a check as files: GeoPackage, Excel, CSV, GeoJSON, or a layer of the plan."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd
import pyogrio

from geogrid.errors import OutputError
from geogrid.io.files import writing
from geogrid.io.plan_file import write_defects
from geogrid.model.findings import (
    certificate_rows,
    findings_table,
    people_zh,
    verdict_rows,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    import geopandas as gpd

    from geogrid.model.report import CoverageReport

__all__ = ["FINDING_SUFFIXES", "require_findings_path", "write_findings", "write_into_plan"]

# Chinese heading of each column, its width in letters and the format of its numbers.
_HEADINGS: tuple[tuple[str, str, int, str], ...] = (
    ("number", "序号", 6, "0"),
    ("kind_zh", "问题", 14, "@"),
    ("severity_zh", "程度", 24, "@"),
    ("level_name", "层级", 12, "@"),
    ("cells", "网格", 34, "@"),
    ("households", "户数", 8, "0"),
    ("area_m2", "面积（平方米）", 15, "0.00"),
    ("width_m", "最大宽度（米）", 15, "0.000"),
    ("lon", "经度", 12, "0.000000"),
    ("lat", "纬度", 12, "0.000000"),
    ("reason", "允许的原因", 28, "@"),
)


def require_findings_path(path: Path) -> None:
    """Refuse a name that no report can have, and a workbook that cannot be made, before the work.

    Raises
    ------
    OutputError
        If the suffix is unknown, or openpyxl is missing and a workbook is wanted.
    """
    suffix = path.suffix.lower()
    if suffix not in FINDING_SUFFIXES:
        known = ", ".join(FINDING_SUFFIXES)
        msg = f"a report cannot be written as {path.name}: use {known}, .html, or the word plan"
        raise OutputError(msg)
    if suffix == ".xlsx":
        _openpyxl(path)


def write_findings(
    report: CoverageReport, path: str | Path, *, remarks: Iterable[str] = ()
) -> Path:
    """Write the findings of a check to one file, completely or not at all.

    Parameters
    ----------
    report
        What was found; allowed exceptions are written too, marked as such.
    path
        ``.gpkg`` (layer ``defects``, in the metric frame), ``.geojson`` (degrees), ``.csv`` or
        ``.xlsx`` (sheets 缺陷, 例外 and 汇总).
    remarks
        What the summary of a workbook says besides: other faults, notes.

    Raises
    ------
    OutputError
        If the name has another suffix, openpyxl is missing for a workbook, or writing fails.
    """
    target = Path(path)
    require_findings_path(target)
    with writing(target) as draft:
        _WRITERS[target.suffix.lower()](report, draft, tuple(remarks))
    return target


def write_into_plan(report: CoverageReport, path: str | Path) -> Path:
    """Put the defects into the plan file itself, in the place of those that it held.

    QGIS and ``geogrid map`` show them with the plan. The file is replaced as a whole, on success.
    """
    target = Path(path)
    with writing(target) as draft:
        shutil.copyfile(target, draft)
        write_defects(report, draft)
    return target


def _plain(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return table.assign(cells=table["cells"].map(", ".join).astype("str"))


def _write_gpkg(report: CoverageReport, draft: Path, _remarks: Sequence[str]) -> None:
    table = _plain(findings_table(report))
    pyogrio.write_dataframe(
        table, draft, layer="defects", driver="GPKG", geometry_type="Unknown",
        promote_to_multi=False,
    )  # fmt: skip


def _write_geojson(report: CoverageReport, draft: Path, _remarks: Sequence[str]) -> None:
    table = _plain(findings_table(report))
    degrees = table if table.crs is None else table.to_crs(4326)
    pyogrio.write_dataframe(degrees, draft, driver="GeoJSON", layer="defects")


def _write_csv(report: CoverageReport, draft: Path, _remarks: Sequence[str]) -> None:
    table = pd.DataFrame(_plain(findings_table(report)).drop(columns="geometry"))
    # The mark at the start makes office programs read it as UTF-8.
    table.to_csv(draft, index=False, encoding="utf-8-sig", lineterminator="\r\n")


def _verdict(report: CoverageReport) -> str:
    if not report.is_proven:
        return "未证明"
    return "已证明：全覆盖、无重叠" if report.is_sound else "图形已证明，但有所列问题"


def _write_xlsx(report: CoverageReport, draft: Path, remarks: Sequence[str]) -> None:
    openpyxl = _openpyxl(draft)
    book, bold = openpyxl.Workbook(), openpyxl.styles.Font(bold=True)
    table = findings_table(report)
    defects, allowed = (table[table["status"] == status] for status in ("defect", "allowed"))
    sheet = book.active
    sheet.title = "缺陷"
    _fill(sheet, defects, _HEADINGS[:-1], bold)
    _fill_summary(book.create_sheet("汇总"), report, remarks, bold)
    _fill(book.create_sheet("例外"), allowed, _HEADINGS, bold)
    book.save(draft)


def _fill(
    sheet: Any,  # noqa: ANN401 - openpyxl publishes no types
    table: gpd.GeoDataFrame,
    headings: Sequence[tuple[str, str, int, str]],
    bold: Any,  # noqa: ANN401 - as above
) -> None:
    _row(sheet, [heading for _, heading, _, _ in headings], bold=bold)
    plain = _plain(table)
    columns = [plain[name].tolist() for name, *_ in headings]
    for row, values in enumerate(zip(*columns, strict=True), start=2):
        for column, (value, (*_, style)) in enumerate(zip(values, headings, strict=True), start=1):
            _cell(sheet, row, column, None if pd.isna(value) else value, style)
    for column, (_, _, width, _) in enumerate(headings):
        sheet.column_dimensions[chr(ord("A") + column)].width = width
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions


def _fill_summary(
    sheet: Any,  # noqa: ANN401 - as above
    report: CoverageReport,
    remarks: Sequence[str],
    bold: Any,  # noqa: ANN401 - as above
) -> None:
    _row(sheet, ["结论", _verdict(report)], bold=bold)
    _row(sheet, ["住户", people_zh(report)], bold=bold)
    _row(sheet, [])
    rows = verdict_rows(report)
    if rows:
        _row(sheet, list(rows[0]), bold=bold)
        for row in rows:
            _row(sheet, list(row.values()))
        _row(sheet, [])
    _row(sheet, ["证明", ""], bold=bold)
    for pair in certificate_rows(report):
        _row(sheet, list(pair))
    if remarks:
        _row(sheet, [])
        _row(sheet, ["说明", ""], bold=bold)
        for text in remarks:
            _row(sheet, ["", text])
    for column, width in zip("ABCDEFGH", (22, 30, 10, 10, 22, 10, 8, 12), strict=True):
        sheet.column_dimensions[column].width = width


def _row(sheet: Any, values: Sequence[str | int], *, bold: Any = None) -> None:  # noqa: ANN401 - as above
    at = 1 if sheet.max_row == 1 and sheet["A1"].value is None else sheet.max_row + 1
    for column, value in enumerate(values or [" "], start=1):
        cell = _cell(sheet, at, column, value, "@" if isinstance(value, str) else "0")
        if bold is not None:
            cell.font = bold


def _cell(sheet: Any, row: int, column: int, value: Any, style: str) -> Any:  # noqa: ANN401 - as above
    cell = sheet.cell(row, column)
    cell.value = value
    if isinstance(value, str):
        # A code that starts with a sign of a formula is still a code, and keeps all its digits.
        cell.data_type = "s"
    cell.number_format = style
    return cell


def _openpyxl(path: Path) -> Any:  # noqa: ANN401 - as above
    try:
        import openpyxl  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        msg = (
            f"{path.suffix} needs the openpyxl package: install geogrid[excel], or write the "
            "report as .csv"
        )
        raise OutputError(msg) from error
    return openpyxl


_WRITERS: dict[str, Callable[[CoverageReport, Path, Sequence[str]], None]] = {
    ".gpkg": _write_gpkg,
    ".xlsx": _write_xlsx,
    ".csv": _write_csv,
    ".geojson": _write_geojson,
}
FINDING_SUFFIXES = tuple(_WRITERS)
