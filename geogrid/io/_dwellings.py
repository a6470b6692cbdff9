"""Where in a building a household lives, and how many shops stand there: texts, as they are typed.

A value that cannot be used leaves its household in the table and is told by its row.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DWELLING_FIELDS", "FIELD_ZH", "dwelling_columns", "split_notes"]

DWELLING_FIELDS = ("compound", "building", "entrance", "floor")
FIELD_ZH = {
    "compound": "小区",
    "building": "楼栋",
    "entrance": "单元",
    "floor": "楼层",
    "merchants": "商户数",
}

_SHOWN = 5
# A column of which more than this share is blank was perhaps merged over several rows.
_MANY = 0.5
# What OpenStreetMap writes in building=* and entrance=*: a sort of house, not which one it is.
_SORTS = frozenset({
    "yes", "no", "house", "houses", "residential", "apartments", "detached", "semidetached_house",
    "terrace", "dormitory", "hut", "cabin", "bungalow", "farm", "barn", "shed", "garage",
    "garages", "roof", "commercial", "retail", "office", "industrial", "warehouse", "school",
    "hospital", "hotel", "public", "civic", "construction", "main", "staircase", "home",
    "service",
})  # fmt: skip
# Excel turns 3-1 (building 3, entrance 1) into the first of March.
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}( \d{2}:\d{2}:\d{2})?")
_FAULT = re.compile(r"#(N/A|REF!|VALUE!|NAME\?|DIV/0!|NULL!|NUM!)")
_FLOOR_ENDING = re.compile(r"(层|楼|F|FL)$", re.IGNORECASE)
_BELOW = re.compile(r"^(B|-|负|地下第?|地下室)(?=[\d一二三四五六七八九十]|$)", re.IGNORECASE)
_ENDING = re.compile(r"(单元门|单元|号楼|号栋|号幢|栋|幢|楼|号)$")
_DIGITS = {one: at for at, one in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
# Two buildings of one number in different streets, not one long building.
_APART_M = 300.0


def dwelling_columns(
    values: pd.DataFrame, headers: dict[str, str]
) -> tuple[dict[str, npt.NDArray[np.object_]], list[str]]:
    """Return the columns that say where in a building a household lives, and its shops.

    Parameters
    ----------
    values
        Texts by field, "" where blank, with ``row`` of the sheet.
    headers
        The header of each field in the file.

    Returns
    -------
    columns
        ``compound, building, entrance, floor`` as text, those that the file has; ``merchants`` as
        whole numbers.
    notes
        Plain sentences about values that cannot be used.
    """
    found: dict[str, npt.NDArray[np.object_]] = {}
    notes: list[str] = []
    for field in DWELLING_FIELDS:
        if field not in values:
            continue
        named = f"column {headers[field]} (as {FIELD_ZH[field]} {field})"
        texts = values[field].astype(str)
        if _are_sorts(texts):
            notes.append(f"{named} gives the sort of house and not which one: it was left out")
            continue
        texts = _without_faults(texts, values["row"], named, notes)
        if field == "floor":
            texts = _floors(texts, values["row"], named, notes)
        else:
            notes += _two_ways(texts, named)
        if texts.eq("").all():
            notes.append(f"{named} holds nothing that can be used: it was left out")
            continue
        found[field] = texts.to_numpy(object)
        if field != "floor":
            notes += _blank(texts, values["row"], named)
    if "merchants" in values:
        shops = _merchants(values, f"column {headers['merchants']} (as 商户数 merchants)", notes)
        if shops is not None:
            found["merchants"] = shops
    return found, notes


def split_notes(
    columns: dict[str, npt.NDArray[np.object_]], xy: npt.NDArray[np.float64]
) -> list[str]:
    """Point out numbers of buildings that stand for several buildings.

    Parameters
    ----------
    columns
        As :func:`dwelling_columns` gives them.
    xy
        Place of each row in metres.
    """
    if "building" not in columns:
        return []
    table = pd.DataFrame({"building": columns["building"], "x": xy[:, 0], "y": xy[:, 1]})
    table["compound"] = columns.get("compound", "")
    named = table[table["building"] != ""]
    groups = named.groupby(["compound", "building"])[["x", "y"]]
    width = np.hypot(*(groups.max() - groups.min()).to_numpy().T)
    far = np.flatnonzero(width > _APART_M)
    if not len(far):
        return []
    keys = groups.size().index[far]
    shown = ", ".join("".join(key) for key in keys[:_SHOWN].tolist())
    what = "correct the names" if "compound" in columns else "give a column 小区 (compound) too"
    text = (
        f"{len(far)} buildings (楼栋) have households more than {_APART_M:.0f} m apart, first "
        f"ones: {shown}: one name may stand for several buildings, {what}"
    )
    return [text]


def _are_sorts(texts: pd.Series) -> bool:
    told = set(texts.str.lower()) - {""}
    return bool(told) and told <= _SORTS


def _without_faults(texts: pd.Series, rows: pd.Series, named: str, notes: list[str]) -> pd.Series:
    is_date = texts.str.fullmatch(_DATE)
    is_fault = texts.str.fullmatch(_FAULT)
    if is_date.any():
        notes.append(
            f"{named} holds a date in {_rows(is_date, rows)}: Excel changed what was typed, "
            "format the column as text and type it again; taken as blank"
        )
    if is_fault.any():
        notes.append(f"{named} holds an error of Excel in {_rows(is_fault, rows)}: taken as blank")
    return texts.mask(is_date | is_fault, "")


def _blank(texts: pd.Series, rows: pd.Series, named: str) -> list[str]:
    is_blank = texts.eq("")
    if not is_blank.any():
        return []
    merged = " (merged cells are blank but for the first)" if is_blank.mean() > _MANY else ""
    text = (
        f"{named} is blank in {_rows(is_blank, rows)}{merged}: these households are put together, "
        "one in each cell above, where cells are made of it"
    )
    return [text]


def _two_ways(texts: pd.Series, named: str) -> list[str]:
    """Point out 3, 03 and 3栋 in one column; nothing is made one by guessing."""
    told = pd.Series(sorted(set(texts) - {""}), dtype=object)
    if told.empty:
        return []
    alike = told.map(_plain)
    twice = told.groupby(alike).agg(list)
    twice = twice[twice.map(len) > 1]
    if twice.empty:
        return []
    shown = ", ".join("/".join(ways) for ways in twice.head(_SHOWN))
    text = (
        f"{named} writes {len(twice)} values in several ways ({shown}): they count as different, "
        "write them alike"
    )
    return [text]


def _plain(text: str) -> str:
    plain = re.sub(r"\s", "", unicodedata.normalize("NFKC", text)).lower()
    bare = _ENDING.sub("", plain) or plain
    return bare.lstrip("0") or "0"


def _floors(texts: pd.Series, rows: pd.Series, named: str, notes: list[str]) -> pd.Series:
    """Return floors as whole numbers in text, below ground negative; "" where none is told."""
    told = {text: _floor(text) for text in set(texts)}
    floors = texts.map(told)
    wrong = floors.isna()
    if wrong.any():
        notes.append(
            f"{named} names no floor by number in {_rows(wrong, rows)}: these households are "
            "placed in their building without it"
        )
    return floors.fillna("")


def _floor(text: str) -> str | None:
    plain = re.sub(r"[\s第]", "", unicodedata.normalize("NFKC", text))
    if not plain:
        return ""
    sign = -1 if _BELOW.match(plain) else 1
    number = _FLOOR_ENDING.sub("", _BELOW.sub("", plain))
    if sign < 0 and not number:
        return "-1"
    if number.isascii() and number.isdigit():
        return str(sign * int(number))
    spoken = _spoken(number)
    return None if spoken is None else str(sign * spoken)


def _spoken(text: str) -> int | None:
    """Read 三, 十二, 二十一."""
    match = re.fullmatch(r"([一二两三四五六七八九]?)(十?)([一二三四五六七八九]?)", text)
    if not text or match is None:
        return None
    tens, ten, ones = match.groups()
    if not ten:
        return _DIGITS[tens] if tens and not ones else None
    return 10 * (_DIGITS[tens] if tens else 1) + (_DIGITS[ones] if ones else 0)


def _merchants(
    values: pd.DataFrame, named: str, notes: list[str]
) -> npt.NDArray[np.object_] | None:
    texts = values["merchants"].astype(str).str.replace(r"[\s,，]|[家户个]$", "", regex=True)
    numbers = pd.to_numeric(texts, errors="coerce").to_numpy(np.float64)
    is_count = np.isfinite(numbers) & (numbers >= 0) & (numbers == np.rint(numbers))
    if not is_count.any():
        notes.append(f"{named} gives no number: shops are not counted")
        return None
    wrong = pd.Series(~is_count, index=values.index) & texts.ne("")
    if wrong.any():
        notes.append(
            f"{named} is not a whole number from 0 in {_rows(wrong, values['row'])}: "
            "no shop was counted there"
        )
    return np.where(is_count, numbers, 0).astype(np.int64).astype(object)


def _rows(which: pd.Series, rows: pd.Series) -> str:
    at = rows[which.to_numpy()].tolist()
    shown = ", ".join(map(str, at[:_SHOWN])) + (", …" if len(at) > _SHOWN else "")
    return f"row {shown}" if len(at) == 1 else f"{len(at)} rows, first ones: {shown}"
