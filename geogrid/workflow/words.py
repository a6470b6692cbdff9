"""What lists call things: Chinese labels of changes, conflicts and columns."""

from __future__ import annotations

from geogrid.vocabulary import DefectKind

__all__ = ["HEADERS", "change_label", "conflict_label"]

_CHANGES = {
    "gap_filled": "缝隙并入",
    "missing_cell_filled": "缺失网格并入",
    "extended_to_limit": "补齐到边界",
    "overlap_given": "重叠划给对方",
    "detached_given": "零碎部分划给对方",
    "trimmed_to_limit": "按边界裁去",
    "node_added": "补充节点",
    "vertex_matched": "节点对齐",
    "made_valid": "图形修正",
    "ask_gap": "缝隙待定",
    "ask_overlap": "重叠待定",
    "restored": "恢复丢失的网格",
    "dissolved": "网格已撤销",
    "rows_united": "同编码图形合并",
    "follows_children": "按下级网格重新合成",
    "no_children": "没有下级网格，未保留",
}
_CONFLICTS = {
    "disagree": "归属不一致",
    "missing": "部分图层无网格",
    "unclaimed": "无人认领",
    "too_wide": "超出容差",
    "no_neighbour": "无可并入的相邻网格",
    "missing_code": "缺编码",
    "repeated_code": "编码重复",
    **{kind.value: kind.label_zh for kind in DefectKind},
}

# Headers of lists that people open in Excel.
HEADERS = {
    "level": "层级", "cell": "网格", "cells": "网格", "what": "变更代码", "label": "说明",
    "other": "对方网格", "area_m2": "面积平方米", "households": "户数", "kind": "问题代码",
    "width_m": "宽度米", "given_to": "划给", "layer": "图层", "old": "原网格", "new": "新网格",
    "weight": "权重", "share": "占比", "by": "权重依据", "old_name": "原名称", "new_name": "新名称",
    "from": "原网格", "to": "新网格", "households_out": "划出户数", "households_in": "划入户数",
    "area_out_m2": "划出面积平方米", "area_in_m2": "划入面积平方米", "head_before": "原负责人",
    "head_after": "新负责人", "name_before": "原名称", "name_after": "新名称",
    "reference": "参照网格", "belongs": "应属", "reason": "原因代码", "code": "编码",
    "name": "名称", "head": "负责人", "source_code": "来源编码",
}  # fmt: skip


def change_label(what: str) -> str:
    """Return what people read for a change."""
    return f"{_CHANGES.get(what, what)} {what}"


def conflict_label(kind: str) -> str:
    """Return what people read for a conflict."""
    return f"{_CONFLICTS.get(kind, kind)} {kind}"
