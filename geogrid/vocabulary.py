"""The fixed words of the field, each with its Chinese label.

Only words that the code itself must tell apart are enumerated here. Levels, kinds of cells and
titles of heads differ from place to place: they are data, read from ``geogrid/schemes``.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Self

__all__ = [
    "BarrierKind",
    "Contract",
    "DefectKind",
    "FileRole",
    "JobKind",
    "JobState",
    "Labelled",
    "LinkKind",
    "PlanState",
    "ServiceAnswer",
    "StationStatus",
]


class Labelled(StrEnum):
    """A word with a Chinese label: ``member = value, label``."""

    label_zh: str

    def __new__(cls, value: str, label_zh: str = "") -> Self:
        """Make a member whose value is its word alone."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.label_zh = label_zh
        return member


class Contract(Labelled):
    """What a level promises about covering its parent."""

    AREA = "area", "全域覆盖"
    HOUSEHOLD = "household", "住户覆盖"
    ROSTER = "roster", "名册"


class DefectKind(Labelled):
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


class BarrierKind(Labelled):
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


class StationStatus(Labelled):
    """Whether a station or a household takes part in a reach."""

    REACHED = "reached", "已计算"
    OFF_NETWORK = "off_network", "离路网过远"
    NO_POINT = "no_point", "无坐标"


class ServiceAnswer(Labelled):
    """Whether a household is served, and if not, why."""

    SERVED = "served", "已服务"
    TOO_FAR = "too_far", "步行超限"
    NO_WAY = "no_way", "无路可达"
    OFF_NETWORK = "off_network", "离路网过远"
    BARRED = "barred", "与街道之间有阻隔"
    NO_POINT = "no_point", "无坐标"


class LinkKind(Labelled):
    """What a missing link between two streets would be."""

    GATE = "gate", "开门"
    PATH = "path", "通道"
    BRIDGE = "bridge", "桥或地道"


class PlanState(Labelled):
    """How far a stored version of a plan has come."""

    DRAFT = "draft", "草案"
    SUBMITTED = "submitted", "已提交"
    REVIEWED = "reviewed", "已审核"
    IN_FORCE = "in_force", "生效"
    ARCHIVED = "archived", "归档"


class JobState(Labelled):
    """How far a piece of work in the background has come."""

    QUEUED = "queued", "排队中"
    RUNNING = "running", "运行中"
    DONE = "done", "已完成"
    FAILED = "failed", "失败"
    CANCELLED = "cancelled", "已取消"
    INTERRUPTED = "interrupted", "中断"


class JobKind(Labelled):
    """What a piece of work in the background makes."""

    DIVIDE = "divide", "网格划分"
    CIRCLES = "circles", "服务圈计算"
    IMPORT = "import", "导入方案"


class FileRole(Labelled):
    """What a file is to the project or the plan that it belongs to."""

    LIMIT = "limit", "边界"
    HOUSEHOLDS = "households", "住户"
    STATIONS = "stations", "服务站"
    PLAN = "plan", "方案文件"
    MAP = "map", "底图"
    SERVICE = "service", "服务圈数据"
