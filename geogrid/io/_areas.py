"""Areas of a limit file: what they are called, which one is wanted, how far apart they lie."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import InputError
from geogrid.io._words import NAME_OPTION

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["choose_rows", "codes_of", "names_of", "parts_apart_km", "united_note"]

# Headers as they are met in the wild, the most telling first; upper and lower case are alike.
_NAMES = (
    "name", "名称", "mc", "区划名称", "行政区名", "行政区名称", "xzqmc", "xzqhmc", "jdmc", "xzmc",
    "sqmc", "cmc", "社区", "村", "村社区", "街道", "乡镇", "镇街", "区县",
)  # fmt: skip
_CODES = (
    "adcode", "code", "代码", "编码", "区划代码", "行政区代码", "xzqdm", "xzqhdm", "jddm", "sqdm",
    "qhdm", "dm",
)  # fmt: skip
# Of "province_name, city_name, town_name" the last is the finest, so these are tried backwards.
_LIKE_NAME = re.compile(r"(名称|_name|^name_\d)$", re.IGNORECASE)
_LIKE_CODE = re.compile(r"(代码|编码|_code|^code_?\d*)$", re.IGNORECASE)

_SHOWN = 8
# Parts are said to lie apart from this gap on; islands and enclaves of one district lie nearer.
_GAP_M = 1000.0
# Distances are printed in km, so outlines may be this much coarser.
_COARSE_M = 10.0


def names_of(table: pd.DataFrame) -> list[str]:
    """Return the distinct names of the areas, from the column that tells most of them apart."""
    found = [_distinct(table[column]) for column in _columns(table, _NAMES, _LIKE_NAME)]
    return max(found, key=len, default=[])


def codes_of(table: pd.DataFrame) -> list[str]:
    """Return the distinct codes of the areas, from the first column that holds any."""
    found = [_distinct(table[column]) for column in _columns(table, _CODES, _LIKE_CODE)]
    return next((codes for codes in found if codes), [])


def choose_rows(table: pd.DataFrame, wanted: str, shown: str) -> NDArray[np.bool_]:
    """Tell which areas have a name or code.

    Parameters
    ----------
    table
        Codes as text.
    wanted
        The name or code.
    shown
        Name of the file, for messages.

    Raises
    ------
    InputError
        If none has it, listing some that there are.
    """
    columns = _columns(table, _NAMES, _LIKE_NAME) + _columns(table, _CODES, _LIKE_CODE)
    is_it = np.zeros(len(table), dtype=bool)
    for column in columns:
        is_it |= np.array([_text(value) == wanted.strip() for value in table[column]], dtype=bool)
    if is_it.any():
        return is_it
    known = names_of(table) or codes_of(table)
    what = f"no area of {shown} is called {wanted}"
    if known:
        # 株洲市芦淞区 is what somebody means who asks for 芦淞区.
        known = sorted(known, key=lambda name: wanted not in name and name not in wanted)
        msg = f"{what}: choose one of {_listed(known)}"
    else:
        msg = f"{what}, no column of it holds names or codes: leave out {NAME_OPTION}"
    raise InputError(msg)


def united_note(count: int, names: Sequence[str], apart_km: float, *, is_chosen: bool) -> str:
    """Say that several areas became one district; ``apart_km`` is 0 where no gap is wide."""
    note = f"{count} areas were united into one district"
    if names:
        note += f": {_listed(names)}"
    if apart_km:
        note += f"; parts lie up to {apart_km:.{0 if apart_km >= 10 else 1}f} km apart"  # noqa: PLR2004 - two digits
    if is_chosen:
        return note
    if names:
        return f"{note}: choose one with {NAME_OPTION}" + ("" if apart_km else " if that is wrong")
    return f"{note}: if that is wrong, keep the wanted one in a file of its own"


def parts_apart_km(parts: NDArray[np.object_]) -> float:
    """Return the distance between the farthest two groups of parts, 0 where no gap exceeds 1 km.

    Parameters
    ----------
    parts
        Areas in metres; those with gaps up to 1 km between them are one group.
    """
    coarse = shapely.simplify(parts, _COARSE_M)
    reach = shapely.union_all(shapely.buffer(coarse, _GAP_M / 2))
    fields = shapely.get_parts(reach)
    if len(fields) < 2:  # noqa: PLR2004 - a gap needs two sides
        return 0.0
    part, field = shapely.STRtree(fields).query(coarse, predicate="intersects")
    groups = [shapely.multipolygons(coarse[part[field == at]]) for at in range(len(fields))]
    farthest = max(float(shapely.distance(one, groups).max()) for one in groups)
    return farthest / 1000


def _listed(names: Sequence[str]) -> str:
    rest = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + rest


def _columns(table: pd.DataFrame, usual: tuple[str, ...], like: re.Pattern[str]) -> list[str]:
    """Return the columns of one kind: the usual ones first, then the alike ones, finest first."""
    geometry = getattr(table, "_geometry_column_name", None)
    headers = [str(header) for header in table.columns if header != geometry]
    plain = {header: header.strip().lower() for header in headers}
    known = [header for header in headers if plain[header] in usual]
    known.sort(key=lambda header: usual.index(plain[header]))
    alike = [header for header in reversed(headers) if like.search(plain[header])]
    return known + [header for header in alike if header not in known]


def _distinct(column: pd.Series) -> list[str]:
    return list(dict.fromkeys(text for text in map(_text, column) if text))


def _text(value: object) -> str:
    return "" if value is None or value is pd.NA or value != value else str(value).strip()  # noqa: PLR0124 - only NaN differs from itself
