"""What the levels of a scheme may not say together, each fault with its line."""

from __future__ import annotations

import string
from typing import TYPE_CHECKING

from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from geogrid.model.scheme import Level
    from geogrid.schemes._lines import SchemeText

__all__ = ["check_scheme"]

_TEMPLATE_FIELDS = ("parent", "n", "code", "district")
# Those that tell the cells of one parent apart.
_ORDINALS = frozenset({"n", "code"})


def check_scheme(source: SchemeText, levels: tuple[Level, ...]) -> None:
    """Refuse levels that contradict each other.

    Raises
    ------
    InputError
        If a name is used twice, a level that tiles its parent lies below one that tiles nothing,
        an official level lies below one that is drawn, a band cannot fit into the one above, the
        stated cells do not fit into their parents or into the digits of a code, a one-to-one
        level does not name the level above, or a name template has an unknown field.
    """
    _check_names(source, levels)
    for at, level in enumerate(levels):
        _check_order(source, levels, at)
        _check_band(source, levels, at)
        _check_one_to_one(source, levels, at)
        _check_counts(source, levels, at)
        _check_template(source, levels[:at], level, at)


def _check_names(source: SchemeText, levels: tuple[Level, ...]) -> None:
    seen: dict[str, int] = {}
    for at, level in enumerate(levels):
        for key, names in (
            ("key", [level.key]),
            ("name", [level.name]),
            ("aliases", level.aliases),
        ):
            for name in names:
                if name in seen:
                    msg = f"the name {name} is already used by level {seen[name] + 1}: rename one"
                    zh = f"名称 {name} 已用于第 {seen[name] + 1} 个层级，请改名"
                    raise source.fault(msg, zh, level=at, key=key)
                seen[name] = at


def _check_order(source: SchemeText, levels: tuple[Level, ...], at: int) -> None:
    level = levels[at]
    for above in levels[:at]:
        if level.contract is Contract.AREA and above.contract is not Contract.AREA:
            msg = (
                f"area level {level.name} lies below {above.name}, a {above.contract} level that "
                f"does not cover the ground: move {above.name} below it, or change a contract"
            )
            zh = (
                f"{level.name} 要求全域覆盖，却排在{above.contract.label_zh}层级 {above.name} "
                f"之下：请调整顺序或 contract"
            )
            raise source.fault(msg, zh, level=at, key="contract")
        if level.locked and not above.locked:
            msg = (
                f"{level.name} is locked, an official level, but lies below {above.name}, which "
                f"is drawn: put official levels on top"
            )
            zh = f"{level.name} 是固定的行政层级，不能排在 {above.name} 之下"
            raise source.fault(msg, zh, level=at, key="locked")


def _check_band(source: SchemeText, levels: tuple[Level, ...], at: int) -> None:
    band = levels[at].band
    above = next((one for one in reversed(levels[:at]) if one.band is not None), None)
    if band is None or above is None or above.band is None:
        return
    for low_or_high in ("low", "high"):
        own, parents = getattr(band, low_or_high), getattr(above.band, low_or_high)
        if own is not None and parents is not None and own > parents:
            msg = (
                f"the band of {levels[at].name} is above that of its parent {above.name}: "
                f"{low_or_high} is {own} here and {parents} there, but a part is never larger "
                f"than the whole"
            )
            zh = (
                f"{levels[at].name} 的户数 {low_or_high} = {own}，大于上级 {above.name} 的 "
                f"{parents}：下级不能大于上级"
            )
            raise source.fault(msg, zh, level=at, key="households")


def _check_one_to_one(source: SchemeText, levels: tuple[Level, ...], at: int) -> None:
    level = levels[at]
    if level.one_to_one and (at == 0 or levels[at - 1].key != level.one_to_one):
        above = levels[at - 1].key if at else "a level above"
        msg = f"one_to_one must be the key of the level above, {above}, got {level.one_to_one!r}"
        zh = f"one_to_one 应写上一层级的 key（{above}）"
        raise source.fault(msg, zh, level=at, key="one_to_one")


def _check_counts(source: SchemeText, levels: tuple[Level, ...], at: int) -> None:
    level = levels[at]
    parents = levels[at - 1].count if at else 1
    if level.count is None or parents is None:
        return
    above = levels[at - 1].name if at else "the district"
    if level.one_to_one and level.count != parents:
        msg = (
            f"{level.name} is one-to-one with {above}, but counts {level.count} where that counts "
            f"{parents}: make them equal"
        )
        zh = f"{level.name} 与 {above} 一一对应，count 应同为 {parents}"
        raise source.fault(msg, zh, level=at, key="count")
    if level.contract is Contract.AREA and level.count < parents:
        msg = (
            f"count {level.count} of {level.name} is below the {parents} cells of {above}: each "
            f"of those has at least one"
        )
        zh = f"{level.name} 的 count = {level.count}，少于上级 {above} 的 {parents} 个"
        raise source.fault(msg, zh, level=at, key="count")
    mean = -(-level.count // parents)
    if mean >= 10**level.code_width and not level.locked:
        msg = (
            f"code_width {level.code_width} is too small: {level.count} cells in {parents} of "
            f"{above} are {mean} each, which takes {len(str(mean))} digits"
        )
        zh = (
            f"code_width = {level.code_width} 太小：每个上级平均 {mean} 个，"
            f"至少要 {len(str(mean))} 位"
        )
        raise source.fault(msg, zh, level=at, key="code_width")


def _check_template(source: SchemeText, above: tuple[Level, ...], level: Level, at: int) -> None:
    template = level.name_template
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        msg = f"name_template {template!r} has a brace without its partner"
        zh = f"name_template {template!r} 的花括号不成对"
        raise source.fault(msg, zh, level=at, key="name_template") from error
    known = {name for one in above for name in (one.key, one.name, *one.aliases)}
    unknown = sorted(used - known - set(_TEMPLATE_FIELDS))
    if unknown or not used & _ORDINALS:
        what = f"has the unknown field {{{unknown[0]}}}" if unknown else "lacks {n} and {code}"
        fields = ", ".join(f"{{{name}}}" for name in (*_TEMPLATE_FIELDS, *sorted(known)))
        msg = f"name_template {template!r} {what}: it must hold {{n}} or {{code}}; all are {fields}"
        zh = f"name_template 必须含 {{n}} 或 {{code}}，可用字段：{fields}"
        raise source.fault(msg, zh, level=at, key="name_template")
