"""How long the code of a cell is: presets of published texts, and what was seen of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.scheme import Level

__all__ = ["PRESETS", "CodeFormat", "code_format", "width_of"]

_WIDEST = 9


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeFormat:
    """How codes are built.

    Attributes
    ----------
    key
        Name of the preset.
    ends
        Digits after which a part of the code ends, from the left; empty where the scheme's
        ``code_width`` says it alone. Below the last one the scheme's digits go on.
    object_code
        Digits in front of every code that is made, if the text asks for any.
    has_whole
        Whether the only cell of its parent at the last end is numbered 0.
    widths
        By level key, digits that differ from the scheme's.
    standing, standing_zh
        Which text it follows and how much of that text was seen.
    """

    key: str
    standing: str
    standing_zh: str
    ends: tuple[int, ...] = ()
    object_code: str = ""
    has_whole: bool = False
    widths: Mapping[str, int] = field(default_factory=dict)


PRESETS = {
    one.key: one
    for one in (
        CodeFormat(
            key="geogrid",
            standing=(
                "geogrid's own default, no standard: the official code in front (12 digits for a "
                "community), then the digits of the scheme for every level. The text of GB/T "
                "34300-2017 was not seen: nothing here claims to follow it."
            ),
            standing_zh=(
                "geogrid 自定的缺省编码，不是标准：官方代码（社区为 12 位）在前，其后各层级按方案"
                "规定的位数。未见 GB/T 34300-2017 原文，不声称符合。"
            ),
        ),
        CodeFormat(
            key="bj15",
            ends=(6, 9, 12, 15),
            standing=(
                "15 digits = 6 county (GB/T 2260) + 3 street + 3 community + 3 sequence, west to "
                "east, then north to south inside a community: Beijing's DB11 on the division of "
                "unit grids, of which only an excerpt was seen (renrendoc.com/paper/357496345.html)"
                "; the standard itself was not."
            ),
            standing_zh=(
                "15 位 = 6（GB/T 2260）+ 3 街道 + 3 社区(村) + 3 顺序码，社区内从西向东、由北至南："
                "北京市 DB11 单元网格划分，只见到摘录，未见标准原文。"
            ),
        ),
        CodeFormat(
            key="cjt349-20",
            ends=(6, 9, 12, 14),
            object_code="000000",
            has_whole=True,
            standing=(
                "20 digits = 6 object + 6 county + 3 street + 3 community + 2 sequence (00 where "
                "a community is not divided), left to right, top to bottom: CJ/T 349-2010, of "
                "which only an excerpt was seen (wnwk.com/doc/48162.html). Its table of object "
                "codes was not: 000000 stands in their place until another is given. Numbers from "
                "601 for merged communities are not made."
            ),
            standing_zh=(
                "20 位 = 6 对象代码 + 6 县级区划 + 3 街道 + 3 社区 + 2 顺序码"
                "（未划分的社区为 00），"
                "从左到右、从上到下：CJ/T 349-2010，只见到摘录；未见对象代码表，未给出时以 000000 "
                "占位；合并社区从 601 起编的规则未实现。"
            ),
        ),
    )
}


def code_format(
    preset: str, *, object_code: str | None = None, widths: Mapping[str, int] | None = None
) -> CodeFormat:
    """Return a preset, with what a place decides itself.

    Parameters
    ----------
    preset
        One of ``PRESETS``.
    object_code
        Six digits that stand in front (``cjt349-20`` only).
    widths
        By level key, digits that a cell adds where the preset leaves them to the scheme.

    Raises
    ------
    InputError
        If there is no such preset, or it has no place for what is given.
    """
    if preset not in PRESETS:
        msg = f"there is no code preset {preset}: use one of {', '.join(PRESETS)}"
        raise InputError(msg)
    chosen = PRESETS[preset]
    if object_code is not None:
        digits = len(chosen.object_code)
        if not digits or len(object_code) != digits or not object_code.isdecimal():
            msg = (
                f"preset {preset} takes no object code"
                if not digits
                else f"an object code has {digits} digits, got {object_code!r}"
            )
            raise InputError(msg)
        chosen = replace(chosen, object_code=object_code)
    for level, width in (widths or {}).items():
        if not 1 <= width <= _WIDEST:
            msg = f"level {level} must get 1 to {_WIDEST} digits, got {width}"
            raise InputError(msg)
    return replace(chosen, widths=dict(widths or {}))


def width_of(format_: CodeFormat | None, level: Level, above: str) -> int:
    """Return how many digits a cell adds to the code above it.

    Parameters
    ----------
    format_
        ``None`` follows the scheme.
    level
        Its level.
    above
        A code of the level above, or the district's, without the object code.

    Raises
    ------
    InputError
        If the preset has no part that begins after so many digits.
    """
    if format_ is None:
        return level.code_width
    width = format_.widths.get(level.key, level.code_width)
    if not format_.ends or len(above) >= format_.ends[-1]:
        return width
    if len(above) not in format_.ends or not above.isdecimal():
        starts = ", ".join(map(str, format_.ends[:-1]))
        msg = (
            f"preset {format_.key} needs an official code of {starts} digits above level "
            f"{level.name}, got {above or 'none'}: give it with --prefix"
        )
        raise InputError(msg)
    return format_.ends[format_.ends.index(len(above)) + 1] - len(above)
