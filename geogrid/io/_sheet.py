"""CSV and Excel tables as text: nothing guessed, no digit lost."""

from __future__ import annotations

import csv
import io
import warnings
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geogrid.errors import InputError
from geogrid.io._archive import refuse_bomb
from geogrid.io._columns import Fields, has_position, match_columns
from geogrid.io._sniff import local_file
from geogrid.io._text import ENCODINGS, decode_table
from geogrid.io._words import COLUMN_OPTION

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = ["Sheet", "cell_text", "csv_lines", "is_table", "read_sheet"]

_CSV, _EXCEL, _OLD_EXCEL = (".csv", ".txt", ".tsv"), (".xlsx", ".xlsm"), ".xls"
# Titles and remarks above the header of an office table take a few rows.
_HEADER_ROWS = 10
_DELIMITERS = ",\t;，"


@dataclass(frozen=True, slots=True, eq=False)
class Sheet:
    """A table as text.

    Attributes
    ----------
    table
        Every value as text without blanks around it; missing is "".
    rows
        Row numbers as in the sheet, counted from 1 with the header.
    name
        Name of the file.
    notes
        Plain sentences about the reading.
    """

    table: pd.DataFrame
    rows: NDArray[np.int64]
    name: str
    notes: tuple[str, ...]


def is_table(path: str | Path) -> bool:
    """Tell by its suffix whether a file is a table rather than a map."""
    return Path(path).suffix.lower() in (*_CSV, *_EXCEL, _OLD_EXCEL)


def read_sheet(path: str | Path, fields: Fields, columns: Mapping[str, str] | None) -> Sheet:
    """Read the first sheet of a table; titles above its header are skipped.

    Parameters
    ----------
    path
        CSV (comma, semicolon or tab; UTF-8, UTF-16 or GB18030) or XLSX.
    fields
        What to look for, to find the header.
    columns
        Headers that the user named.

    Raises
    ------
    InputError
        If it cannot be read, or no row of it names the coordinates.
    """
    file = local_file(path)
    suffix = file.suffix.lower()
    if suffix == _OLD_EXCEL:
        msg = f"{file.name} is an old Excel file: save it as .xlsx or .csv"
        raise InputError(msg)
    lines, notes = csv_lines(file) if suffix in _CSV else _excel_lines(file)
    at = _header_row(lines, fields, columns, file.name)
    header = _unique(lines[at])
    body = [line[: len(header)] + [""] * (len(header) - len(line)) for line in lines[at + 1 :]]
    if not any(any(line) for line in body):
        msg = f"{file.name} holds no row below its header: check which sheet was exported"
        raise InputError(msg)
    table = pd.DataFrame(body, columns=header, dtype="str")
    rows = np.arange(at + 2, at + 2 + len(body), dtype=np.int64)
    return Sheet(table, rows, file.name, notes)


def csv_lines(file: Path) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the values of each line of a CSV file, and notes.

    Raises
    ------
    InputError
        If its text cannot be decoded or is no table.
    """
    decoded = decode_table(file.read_bytes())
    if decoded is None:
        msg = f"the text of {file.name} cannot be decoded: save it as one of {', '.join(ENCODINGS)}"
        raise InputError(msg)
    text, encoding = decoded
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    try:
        reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
        lines = [[value.strip() for value in line] for line in reader]
    except csv.Error as error:
        msg = f"{file.name} is not a table of text: save it as CSV or XLSX ({error})"
        raise InputError(msg) from error
    is_usual = encoding.startswith("utf-8")
    return lines, () if is_usual else (f"the text was read as {encoding.upper()}",)


def _excel_lines(file: Path) -> tuple[list[list[str]], tuple[str, ...]]:
    try:
        import openpyxl  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        msg = f"{file.name} needs the openpyxl package: install geogrid[excel], or save it as CSV"
        raise InputError(msg) from error
    try:
        with zipfile.ZipFile(file) as bundle:
            refuse_bomb(bundle, file.name)
        with warnings.catch_warnings():
            # It warns of styles and checks of the sheet, which do not matter here.
            warnings.simplefilter("ignore", UserWarning)
            book = openpyxl.load_workbook(file, read_only=True, data_only=True)
            rows = book.worksheets[0].iter_rows(values_only=True)
            lines = [[cell_text(value) for value in row] for row in rows]
            first, *others = book.sheetnames
            book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, OSError) as error:
        msg = f"{file.name} is not a readable Excel file: open it and save it again as .xlsx"
        raise InputError(msg) from error
    if not others:
        return lines, ()
    return lines, (f"only the first sheet, {first}, was read, not {', '.join(others)}",)


def cell_text(value: Any) -> str:  # noqa: ANN401 - a cell holds anything
    """Return what a cell of Excel holds as text; whole numbers have no decimals."""
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value).strip()


def _header_row(
    lines: list[list[str]], fields: Fields, columns: Mapping[str, str] | None, name: str
) -> int:
    """Return the position of the first row that names both coordinates."""
    said = set((columns or {}).values())
    for position, line in enumerate(lines[:_HEADER_ROWS]):
        if said <= set(line) and has_position(match_columns(line, fields, columns, name)):
            return position
    first = next((line for line in lines if any(line)), None)
    if first is None:
        msg = f"{name} is empty: give a table with a header and rows"
        raise InputError(msg)
    # Say which named header is missing, if that is the reason.
    match_columns(first, fields, columns, name)
    msg = (
        f"{name} has no columns for the coordinates among {', '.join(filter(None, first[:20]))}: "
        f"name them 经度 and 纬度 (lon, lat), or say which they are with {COLUMN_OPTION}"
    )
    raise InputError(msg)


def _unique(header: list[str]) -> list[str]:
    """Give each column its own name, also where headers are blank or occur twice."""
    seen: dict[str, int] = {}
    names = []
    for position, name in enumerate(header):
        plain = name or f"column {position + 1}"
        seen[plain] = seen.get(plain, 0) + 1
        names.append(plain if seen[plain] == 1 else f"{plain} ({seen[plain]})")
    return names
