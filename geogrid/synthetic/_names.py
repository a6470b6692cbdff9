"""Made-up names of streets and compounds; official names are never made up."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

__all__ = ["compound_names", "street_names"]

_FIRST = (
    "锦", "翠", "金", "和", "康", "丽", "福", "龙", "清", "云", "星", "华", "阳", "春", "枫", "桂",
    "兰", "竹", "荷", "紫", "银", "东", "南", "新",
)  # fmt: skip
_SECOND = ("湖", "园", "景", "庭", "泰", "城", "苑", "江", "山", "月", "馨", "都")
_LAST = ("花园", "小区", "家园", "新村", "公寓", "雅苑", "名邸", "佳园", "华府", "里")
_STREETS = (
    "建设",
    "人民",
    "解放",
    "新华",
    "和平",
    "文化",
    "胜利",
    "团结",
    "工农",
    "友谊",
    "青年",
    "幸福",
)
_AGAIN = ("", "东", "南", "西", "北", "中", "一", "二", "三", "四", "五", "六")


def compound_names(count: int, rng: np.random.Generator) -> list[str]:
    """Return different names for compounds; a number follows when they run out."""
    names = [f"{a}{b}{c}" for a in _FIRST for b in _SECOND for c in _LAST]
    order = np.argsort(rng.random(len(names)), kind="stable")
    return [
        f"{names[order[at % len(names)]]}{'' if at < len(names) else f'{at // len(names) + 1}期'}"
        for at in range(count)
    ]


def street_names(lines: npt.NDArray[np.int64], *, is_flat: bool) -> list[str]:
    """Name lattice lines: 路 from west to east, 街 from south to north."""
    return [
        f"{_STREETS[line % len(_STREETS)]}{_AGAIN[line // len(_STREETS) % len(_AGAIN)]}"
        f"{'路' if is_flat else '街'}"
        for line in lines.tolist()
    ]
