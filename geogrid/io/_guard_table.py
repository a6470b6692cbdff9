"""The lines of an uploaded table, within bounds that hold before the memory is taken."""

from __future__ import annotations

import re
import warnings
import zipfile
from typing import TYPE_CHECKING

from geogrid.errors import InputError
from geogrid.io._sheet import cell_text, csv_lines

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.io._guard_limits import UploadLimits

__all__ = ["table_lines"]

_CHUNK_BYTES = 1024**2
_LINE_END = re.compile(rb"\r\n|\r|\n")
# What may part values; a comma inside quotes counts too, which errs on the safe side.
_PARTING = (b",", b"\t", b";", "，".encode(), "，".encode("gb18030"))


def table_lines(
    file: Path, name: str, kind: str, limits: UploadLimits
) -> tuple[list[list[str]], tuple[str, ...]]:
    """Return the values of each line of a table as text, and notes.

    Parameters
    ----------
    file
        Where the bytes are.
    name
        What messages call it.
    kind
        ``CSV`` or ``XLSX``.

    Raises
    ------
    InputError
        If it cannot be read or is beyond the limits.
    """
    if kind == "XLSX":
        return _sheet_lines(file, name, limits)
    _require_short_lines(file, name, limits)
    return csv_lines(file)


def _require_short_lines(file: Path, name: str, limits: UploadLimits) -> None:
    """Count lines and values in pieces, so that nothing is held that is too much."""
    lines = values = running = 0
    with file.open("rb") as handle:
        while piece := handle.read(_CHUNK_BYTES):
            # Windows ends a line with both; cut in two between pieces it counts as one more.
            lengths = [len(line) for line in _LINE_END.split(piece)]
            lengths[0] += running
            if max(lengths) > limits.line_bytes:
                msg = f"{name} has a line of endless length: save it again as CSV or XLSX"
                raise InputError(msg)
            running = lengths[-1]
            lines += len(lengths) - 1
            values += len(lengths) - 1 + sum(piece.count(mark) for mark in _PARTING)
            _require_size(lines, values, name, limits)


def _sheet_lines(
    file: Path, name: str, limits: UploadLimits
) -> tuple[list[list[str]], tuple[str, ...]]:
    try:
        import openpyxl  # noqa: PLC0415 - an optional dependency
    except ImportError as error:
        msg = f"{name} needs the openpyxl package: install geogrid[excel], or give it as CSV"
        raise InputError(msg) from error
    lines: list[list[str]] = []
    values = 0
    try:
        with file.open("rb") as handle, warnings.catch_warnings():
            # It warns of styles and checks of the sheet, which do not matter here.
            warnings.simplefilter("ignore", UserWarning)
            # Formulas are never computed: what the office program saw last is what counts.
            book = openpyxl.load_workbook(handle, read_only=True, data_only=True, keep_links=False)
            sheet = book.worksheets[0]
            # The size that a sheet claims may be false, and each row would be filled up to it.
            sheet.reset_dimensions()
            for row in sheet.iter_rows(values_only=True):
                values += max(len(row), 1)
                _require_size(len(lines), values, name, limits)
                lines.append([cell_text(value) for value in row])
            first, *others = book.sheetnames
            book.close()
    except (zipfile.BadZipFile, KeyError, ValueError, IndexError, TypeError, OSError) as error:
        if isinstance(error, InputError):
            raise
        msg = f"{name} is not a readable Excel file: open it and save it again as .xlsx"
        raise InputError(msg) from error
    notes = (f"only the first sheet, {first}, was read, not {', '.join(others)}",)
    return lines, notes if others else ()


def _require_size(lines: int, values: int, name: str, limits: UploadLimits) -> None:
    # Titles above the header are no rows, and a file of the allowed size must pass.
    if lines > limits.features + 100:
        msg = f"{name} has more than {limits.features} rows: split it"
        raise InputError(msg)
    if values > limits.cells:
        msg = f"{name} has more than {limits.cells} values: leave out what is not needed"
        raise InputError(msg)
