"""What was allowed, assumed or summed up in a check, said in Chinese and in English."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import shapely

from geogrid.coverage._faces import AT_LIMIT
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from geogrid.coverage._faces import Finding

__all__ = [
    "mended_limit_note",
    "rounding_notes",
    "shared_code_notes",
    "summary_notes",
    "unseen_note",
]

_MM = 1000.0
_SHOWN = 5
# Doubles of 40,000 km resolve far less than a thousandth of the lattice.
_LEAST_MM = 1e-3


def unseen_note(pieces: int) -> str:
    """Say that some left-over border pieces were not classified."""
    return (
        f"另有 {pieces} 段边线没有对应的邻边，合为一行；请修复或去掉其余问题后再检查 "
        f"{pieces} border pieces without a partner are listed in one row: repair or drop the "
        "rest and check again"
    )


def mended_limit_note() -> str:
    """Say that the limit crossed itself, so that no proof against it would mean anything."""
    return (
        "边界自相交或重叠，已按修正后的边界判断 "
        "the limit crosses or covers itself: the cells were judged by its mended outline"
    )


def shared_code_notes(codes: list[str]) -> Iterator[str]:
    """Say which codes several cells share."""
    shared = sorted(code for code, count in Counter(codes).items() if count > 1)
    if shared:
        named = ", ".join(shared[:_SHOWN])
        yield (
            f"{len(shared)} 个编码被多个网格使用：{named} "
            f"the code of several cells is the same, {len(shared)} in all: {named}"
        )


def rounding_notes(
    moved_mm: float, limit_shift_mm: float, rounding: list[Finding]
) -> Iterator[str]:
    """Say what rounding to the lattice did to coordinates, limit and cells."""
    if moved_mm > _LEAST_MM:
        yield (
            f"坐标已取整到毫米，最大移动 {moved_mm:.2f} 毫米 "
            f"coordinates were rounded to whole millimetres, by up to {moved_mm:.2f} mm"
        )
    if limit_shift_mm > 0:
        yield (
            f"边界为与网格相接移动了至多 {limit_shift_mm:.2f} 毫米 "
            f"the limit moved by up to {limit_shift_mm:.2f} mm to meet the cells"
        )
    if rounding:
        count = len({cell for one in rounding for cell in one.cells})
        width = max(one.width_m for one in rounding) * _MM
        yield (
            f"{count} 个网格取整后才与相邻网格吻合，原差至多 {width:.1g} 毫米 "
            f"{count} cells meet their neighbours only after rounding, by {width:.1g} mm"
        )


def summary_notes(findings: Iterable[Finding]) -> Iterator[str]:
    """Say what each row that stands for many pieces is about."""
    for one in findings:
        if not one.is_summary:
            continue
        pieces = int(shapely.get_num_geometries(one.geometry))
        if one.kind in AT_LIMIT:
            # A long strip is two sides and nothing else.
            km = float(shapely.length(one.geometry)) / 2000
            is_beyond = one.kind is DefectKind.OUTSIDE
            side_zh, side = ("超出", "beyond") if is_beyond else ("不到", "short of")
            cm = one.width_m * 100
            yield (
                f"网格{side_zh}边界至多 {cm:.1f} 厘米，共长 {km:.1f} 公里，{pieces} 处 "
                f"the cells end {side} the limit by up to {cm:.1f} cm along {km:.1f} km, "
                f"in {pieces} pieces"
            )
        else:
            mm = one.width_m * _MM
            yield (
                f"{pieces} 处{one.kind.label_zh}合为一行，最宽 {mm:.1f} 毫米 "
                f"{pieces} pieces of {one.kind.value} up to {mm:.1f} mm wide stand in one row"
            )
