"""Which column of a table is what, by its Chinese or English header."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeAlias

from geogrid.errors import InputError
from geogrid.io._words import COLUMN_OPTION

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "HOUSEHOLD_FIELDS",
    "SEAT_FIELDS",
    "STATION_FIELDS",
    "Fields",
    "has_position",
    "match_columns",
]

Fields: TypeAlias = dict[str, tuple[str, ...]]

_POSITION: Fields = {
    "lon": ("经度", "lon", "lng", "longitude", "long", "经度坐标", "gpsx"),
    "lat": ("纬度", "lat", "latitude", "纬度坐标", "gpsy"),
    "x": ("x", "x坐标", "坐标x", "东坐标", "横坐标", "easting"),
    "y": ("y", "y坐标", "坐标y", "北坐标", "纵坐标", "northing"),
}
HOUSEHOLD_FIELDS: Fields = {
    **_POSITION,
    "households": ("households", "户数", "总户数", "住户数", "居民户数", "常住户数", "household"),
    "household_id": (
        "household_id", "户号", "户编号", "编号", "住户编号", "房屋编码", "户籍编号", "id",
    ),
    "compound": (
        "compound", "小区", "小区名称", "所属小区", "所在小区", "居民小区", "住宅小区", "院落",
        "小区院落", "院落名称", "compound_name",
    ),
    "building": (
        "building", "楼栋", "楼栋号", "楼栋名称", "栋", "栋号", "幢", "幢号", "楼号", "楼幢",
        "楼幢号", "所属楼栋", "所在楼栋", "building_id", "building_no", "building_number",
    ),
    "entrance": (
        "entrance", "单元", "单元号", "单元门", "所属单元", "所在单元", "楼门", "entrance_no",
        "stairwell", "entry",
    ),
    "floor": ("floor", "楼层", "楼层号", "层", "所在楼层", "所在层", "floor_no", "storey"),
    "merchants": (
        "merchants", "商户数", "商户", "商户数量", "商家数", "商家", "商铺数", "商铺", "门店数",
        "店铺数", "shops",
    ),
}  # fmt: skip
STATION_FIELDS: Fields = {
    **_POSITION,
    "station": ("station", "站点编号", "编号", "编码", "代码", "code", "station_id", "id"),
    "name": ("name", "名称", "站点名称", "服务站", "服务站名称", "党群服务站", "站点"),
    "tier": ("tier", "级别", "等级", "层级", "类型", "类别", "站点级别", "站点类型", "站点类别"),
}

SEAT_FIELDS: Fields = {
    **STATION_FIELDS,
    "station": (*STATION_FIELDS["station"], "网格编码", "code_12"),
    "parent": ("parent", "上级编码", "上级", "上级代码", "所属编码"),
}

# 经度(°), 经度（WGS84）, "X / m": units and remarks are no part of the name.
_REMARK = re.compile(r"[(（\[【/].*$")


def match_columns(
    headers: Iterable[str], fields: Fields, columns: Mapping[str, str] | None, name: str
) -> dict[str, str]:
    """Return the header of each field that is there.

    Parameters
    ----------
    headers
        Headers of the table.
    fields
        Usual headers of each field, the most usual first.
    columns
        What the user said, which wins.
    name
        Name of the file, for messages.

    Raises
    ------
    InputError
        If the user names a field that does not exist, or a header that is not there.
    """
    there = [str(header) for header in headers]
    plain: dict[str, str] = {}
    for header in there:
        plain.setdefault(_plain(header), header)
    found = {}
    for field, usual in fields.items():
        known = [plain[word] for word in usual if word in plain]
        if known:
            found[field] = known[0]
    for field, header in (columns or {}).items():
        if field not in fields:
            msg = f"{COLUMN_OPTION} knows no field {field!r}: use one of {', '.join(fields)}"
            raise InputError(msg)
        if header not in there:
            msg = f"{name} has no column {header!r}: its columns are {', '.join(there[:20])}"
            raise InputError(msg)
        found[field] = header
    return found


def has_position(found: Mapping[str, str]) -> bool:
    """Tell whether both coordinates are among the fields found."""
    return {"lon", "lat"} <= found.keys() or {"x", "y"} <= found.keys()


def _plain(header: str) -> str:
    return re.sub(r"\s", "", _REMARK.sub("", header)).lower()
