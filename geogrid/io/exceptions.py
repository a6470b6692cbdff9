"""Exceptions as people list them: codes on the command line, or a small table."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import InputError, MissingFileError
from geogrid.io._text import ENCODINGS, decode_table
from geogrid.model.scheme import ALLOWABLE, CellException

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from geogrid.vocabulary import DefectKind

__all__ = ["read_exceptions"]

_SUFFIXES = (".csv", ".txt", ".tsv")
_DELIMITERS = ",\t;，"
_CODE = ("code", "网格编码", "编码", "网格编号", "编号", "代码")
_ALLOWS = ("allows", "允许", "例外类型")
_REASON = ("reason", "原因", "说明", "备注")
# A cell of the table may hold several, however people part them.
_BETWEEN = str.maketrans("、，；;/|", "      ")


def read_exceptions(words: Iterable[str]) -> tuple[CellException, ...]:
    """Read which cells may do what others may not.

    Parameters
    ----------
    words
        Each a code, or a CSV or text file: one code a line, or a table with a header ``code``
        (网格编码) and, if wanted, ``allows`` (允许: ``spans_parents``, ``out_of_band``,
        ``multipart`` or their Chinese names) and ``reason`` (原因).

    Raises
    ------
    MissingFileError
        If a word looks like a file and there is none.
    InputError
        If a file cannot be decoded, or a row allows what is never allowed.
    """
    found: dict[str, CellException] = {}
    for word in words:
        path = Path(word)
        if path.suffix.lower() in _SUFFIXES or "/" in word or "\\" in word:
            found |= {one.code: one for one in _of_file(path)}
        else:
            found[word] = CellException(code=word)
    return tuple(found.values())


def _of_file(path: Path) -> list[CellException]:
    if not path.is_file():
        msg = f"there is no file of exceptions {path}: check the name"
        raise MissingFileError(msg)
    decoded = decode_table(path.read_bytes())
    if decoded is None:
        msg = f"the text of {path.name} cannot be decoded: save it as one of {', '.join(ENCODINGS)}"
        raise InputError(msg)
    text = decoded[0].lstrip("\ufeff")
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)
    lines = [
        [value.strip() for value in line]
        for line in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    ]
    header = [value.lower() for value in lines[0]] if lines else []
    code = _column(header, _CODE)
    if code is None:
        return [_exception(path, at, line[0], "", "") for at, line in _filled(lines, 1)]
    allows, reason = _column(header, _ALLOWS), _column(header, _REASON)
    return [
        _exception(path, at, _value(line, code), _value(line, allows), _value(line, reason))
        for at, line in _filled(lines[1:], 2)
        if _value(line, code)
    ]


def _filled(lines: Sequence[list[str]], first: int) -> list[tuple[int, list[str]]]:
    return [(at, line) for at, line in enumerate(lines, start=first) if any(line)]


def _column(header: Sequence[str], names: Sequence[str]) -> int | None:
    return next((at for at, name in enumerate(header) if name in names), None)


def _value(line: Sequence[str], column: int | None) -> str:
    return line[column] if column is not None and column < len(line) else ""


def _exception(path: Path, row: int, code: str, allows: str, reason: str) -> CellException:
    words = allows.translate(_BETWEEN).split()
    kinds = {name: kind for kind in ALLOWABLE for name in (kind.value, kind.label_zh)}
    unknown = [word for word in words if word not in kinds]
    if unknown:
        msg = (
            f"{path.name}, row {row}: {unknown[0]} cannot be allowed: write some of "
            f"{', '.join(kinds)}, or leave it blank for all of them"
        )
        raise InputError(msg)
    listed: tuple[DefectKind, ...] = tuple(kinds[word] for word in words) or ALLOWABLE
    return CellException(code=code, allows=listed, reason=reason)
