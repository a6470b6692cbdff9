"""The fixed words of the field, each with its Chinese label.

Only words that the code itself must tell apart are enumerated here. Levels, kinds of cells and
titles of heads differ from place to place: they are data, read from ``geogrid/schemes``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = ["BarrierKind", "Contract", "DefectKind", "StationStatus"]


class _Labelled(StrEnum):
    """A word with a Chinese label: ``member = value, label``."""

    label_zh: str

    def __new__(cls, value: str, label_zh: str = "") -> Self:
        member = str.__new__(cls, value)
        member._value_ = value
        member.label_zh = label_zh
        return member


class Contract(_Labelled):
    """What a level promises about covering its parent."""

    AREA = "area", "全域覆盖"
    HOUSEHOLD = "household", "住户覆盖"
    ROSTER = "roster", "名册"


class DefectKind(_Labelled):
    """What can be wrong with a plan."""

    GAP = "gap", "缝隙"
    OVERLAP = "overlap", "重叠"
    OUTSIDE = "outside", "越界"
    INSIDE_SHORT = "inside_short", "未达边界"
    UNMATCHED_EDGE = "unmatched_edge", "边界节点不匹配"
    DUPLICATE = "duplicate", "重复网格"
    NESTED = "nested", "网格套叠"
    INVALID = "invalid", "图形无效"
    MULTIPART = "multipart", "网格不连片"
    SPANS_PARENTS = "spans_parents", "跨上级网格"
    UNASSIGNED_HOUSEHOLD = "unassigned_household", "漏户"
    DOUBLE_HOUSEHOLD = "double_household", "重户"
    OUT_OF_BAND = "out_of_band", "户数超限"


class BarrierKind(_Labelled):
    """What a border can follow, strongest first.

    ``strength`` orders the kinds: a sliver never joins its neighbour across a stronger barrier
    while a weaker one is at hand, and a border along a strong barrier is cheap.
    """

    LIMIT = "limit", "区划边界"
    RIVER = "river", "河流"
    RAIL = "rail", "铁路"
    ARTERIAL = "arterial", "主干道"
    COMPOUND = "compound", "小区边界"
    STREET = "street", "街道"
    WALL = "wall", "围墙"
    WATER = "water", "水体"
    LANE = "lane", "小巷"
    CELL = "cell", "楼间线"

    @property
    def strength(self) -> int:
        """Rank from 1 (a line between two buildings) to 10 (the district's limit)."""
        members = list(BarrierKind)
        return len(members) - members.index(self)


class StationStatus(_Labelled):
    """Whether a station takes part in a reach."""

    REACHED = "reached", "已计算"
    OFF_NETWORK = "off_network", "离路网过远"
