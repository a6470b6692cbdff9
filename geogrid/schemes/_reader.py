"""Turn the text of a scheme file into a scheme, naming the line of every fault."""

from __future__ import annotations

import re
import tomllib
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

from geogrid.errors import InputError
from geogrid.model.scheme import CellException, HouseholdBand, Level, Scheme
from geogrid.schemes._checks import check_scheme
from geogrid.schemes._lines import SchemeText
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["parse_scheme"]

_SCHEME_FIELDS = {
    "key": str,
    "title": str,
    "source": str,
    "assumptions": list,
    "notes": list,
    "level": list,
    "exception": list,
}
_LEVEL_FIELDS = {
    "key": str,
    "name": str,
    "aliases": list,
    "contract": str,
    "locked": bool,
    "one_to_one": str,
    "count": int,
    "households": dict,
    "kinds": list,
    "code_width": int,
    "name_template": str,
    "head_title": str,
    "may_span_parents": bool,
}
_BAND_FIELDS = {"low": int, "high": int, "hard": bool, "assumption": bool}
_KIND_FIELDS = {
    "name": str,
    "in_balance": bool,
    "may_span_parents": bool,
    "counts": str,
    "count": int,
}
_EXCEPTION_FIELDS = {"code": str, "allows": list, "reason": str}
_COUNTED = ("households", "merchants")
_KIND_OF_TYPE = {
    str: ("text in quotes", "引号中的文字"),
    int: ("a whole number", "整数"),
    bool: ("true or false", "true 或 false"),
    list: ("a list in square brackets", "方括号中的列表"),
    dict: ("a table such as { low = 300, high = 500 }", "表，如 { low = 300, high = 500 }"),
}
_WIDEST_CODE = 9


def parse_scheme(text: str, *, file: str) -> Scheme:
    """Read a scheme.

    Parameters
    ----------
    text
        The TOML text.
    file
        Name of the file, for messages.

    Raises
    ------
    InputError
        If the text is not TOML, has an unknown, missing or wrong field, uses a name twice, or
        contradicts itself. The message is in English and Chinese and names the line.
    """
    try:
        # Notepad on Windows begins a file with a mark that TOML does not know.
        values = tomllib.loads(text.removeprefix("\ufeff"))
    except tomllib.TOMLDecodeError as error:
        msg = f"{file} is not TOML: {error}（{file} 不是 TOML 格式，请看所指的行）"
        raise InputError(msg) from error
    source = SchemeText(text, file)
    _check(source, values, _SCHEME_FIELDS, required=("key", "title", "level"))
    tables = values["level"]
    if not tables or not all(isinstance(table, dict) for table in tables):
        msg = "no level is given: write one [[level]] table a level, coarse to fine"
        zh = "没有层级：每个层级写一个 [[level]] 表，由粗到细"
        raise source.fault(msg, zh, key="level")
    levels = tuple(_level(source, table, at) for at, table in enumerate(tables))
    listed = values.get("exception", [])
    check_scheme(source, levels)
    return Scheme(
        key=values["key"],
        title=values["title"],
        levels=levels,
        source=values.get("source", ""),
        assumptions=_texts(source, values.get("assumptions", []), None, "assumptions"),
        notes=_texts(source, values.get("notes", []), None, "notes"),
        exceptions=tuple(_exception(source, table, at) for at, table in enumerate(listed)),
    )


def _check(
    source: SchemeText,
    values: Mapping[str, Any],
    fields: Mapping[str, type],
    *,
    required: tuple[str, ...],
    level: int | None = None,
    table: str = "level",
) -> None:
    """Refuse unknown, missing and wrongly typed fields."""
    where = "the scheme" if level is None else f"{table} {level + 1}"
    where_zh = "方案" if level is None else f"第 {level + 1} 个 [[{table}]]"
    for key, value in values.items():
        if key not in fields:
            guess = _nearest(key, fields)
            msg = f"{where} has an unknown field {key}{guess[0]}: use {', '.join(fields)}"
            zh = f"{where_zh}有不认识的字段 {key}{guess[1]}"
            raise source.fault(msg, zh, level=level, key=key, table=table)
        # In Python a bool is an int as well; in a scheme it is not.
        if type(value) is not fields[key]:
            wanted = _KIND_OF_TYPE[fields[key]]
            msg, zh = f"{key} must be {wanted[0]}, got {value!r}", f"{key} 应为{wanted[1]}"
            raise source.fault(msg, zh, level=level, key=key, table=table)
    for key in required:
        if key not in values or values[key] == "":
            msg, zh = f"{where} has no {key}: add it", f"{where_zh}缺少 {key}，请补上"
            raise source.fault(msg, zh, level=level, key=key, table=table)


def _nearest(key: str, fields: Iterable[str]) -> tuple[str, str]:
    """Return the question whether another field was meant, in both languages."""
    near = get_close_matches(key.lower(), list(fields), n=1, cutoff=0.5)
    return (f" (did you mean {near[0]}?)", f"，是否应为 {near[0]}？") if near else ("", "")


def _level(source: SchemeText, values: Mapping[str, Any], at: int) -> Level:
    _check(source, values, _LEVEL_FIELDS, required=("key", "name"), level=at)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", values["key"]):
        msg = f"the key {values['key']!r} must be small ASCII letters, digits and _"
        zh = f"key {values['key']!r} 只能用小写英文字母、数字和下划线"
        raise source.fault(msg, zh, level=at, key="key")
    fields = dict(values)
    if "kinds" in fields:
        fields |= _kinds(source, fields["kinds"], at)
    if "aliases" in fields:
        fields["aliases"] = _texts(source, fields["aliases"], at, "aliases")
    if "contract" in fields:
        fields["contract"] = _contract(source, fields["contract"], at)
    if "households" in fields:
        fields["band"] = _band(source, fields.pop("households"), at)
    if not 1 <= fields.get("code_width", 1) <= _WIDEST_CODE:
        msg = f"code_width must be 1 to {_WIDEST_CODE} digits, got {fields['code_width']}"
        zh = f"code_width 应为 1 至 {_WIDEST_CODE} 位"
        raise source.fault(msg, zh, level=at, key="code_width")
    if fields.get("count", 1) < 1:
        msg = f"count must be at least 1, got {fields['count']}: leave it out if it is not known"
        raise source.fault(msg, "count 至少为 1，不知道就不写", level=at, key="count")
    return Level(**fields)


def _kinds(source: SchemeText, values: list[Any], at: int) -> dict[str, tuple[Any, ...]]:
    """Read kinds, each a text or a table that says how it differs from the ordinary one."""
    tables = [value if isinstance(value, dict) else {"name": value} for value in values]
    for table in tables:
        _check_kind(source, table, at)
    return {
        "kinds": _texts(source, [table.get("name") for table in tables], at, "kinds"),
        "unbalanced_kinds": tuple(
            table["name"] for table in tables if not table.get("in_balance", True)
        ),
        "spanning_kinds": tuple(
            table["name"] for table in tables if table.get("may_span_parents", False)
        ),
        "kind_counts": tuple(
            (table["name"], table["counts"])
            for table in tables
            if table.get("counts", "households") != "households"
        ),
        "kind_totals": tuple(
            (table["name"], table["count"]) for table in tables if "count" in table
        ),
    }


def _check_kind(source: SchemeText, table: Mapping[str, Any], at: int) -> None:
    for key, value in table.items():
        if key == "name":
            continue
        is_wrong = key not in _KIND_FIELDS or type(value) is not _KIND_FIELDS[key]
        if is_wrong or (key == "counts" and value not in _COUNTED):
            guess = ("", "") if key in _KIND_FIELDS else _nearest(key, _KIND_FIELDS)
            msg = (
                f"a kind takes name, in_balance and may_span_parents (true or false), counts "
                f"({' or '.join(_COUNTED)}) and count (a whole number), got {key} = "
                f"{value!r}{guess[0]}"
            )
            zh = f"网格类型 kinds 不能写 {key} = {value!r}{guess[1]}"
            raise source.fault(msg, zh, level=at, key="kinds", part=key)


def _exception(source: SchemeText, values: Any, at: int) -> CellException:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(values, dict):
        msg = "an exception is a table: write [[exception]] and below it code, allows and reason"
        raise source.fault(
            msg, "例外写成 [[exception]] 表，含 code、allows、reason", key="exception"
        )
    _check(source, values, _EXCEPTION_FIELDS, required=("code",), level=at, table="exception")
    fields = dict(values)
    if "allows" in fields:
        fields["allows"] = _texts(source, fields["allows"], at, "allows", table="exception")
    try:
        return CellException(**fields)
    except InputError as error:
        raise source.fault(
            str(error), "allows 只能写 spans_parents、out_of_band、multipart",
            level=at, key="allows", table="exception",
        ) from error  # fmt: skip


def _texts(
    source: SchemeText, values: list[Any], at: int | None, key: str, *, table: str = "level"
) -> tuple[str, ...]:
    if not all(isinstance(value, str) and value for value in values) or (
        key == "kinds" and not values
    ):
        msg = f'{key} must be a list of texts such as ["居住"], got {values!r}'
        raise source.fault(msg, f'{key} 应为文字列表，如 ["居住"]', level=at, key=key, table=table)
    return tuple(values)


def _contract(source: SchemeText, value: str, at: int) -> Contract:
    try:
        return Contract(value)
    except ValueError as error:
        known = "、".join(f"{one}（{one.label_zh}）" for one in Contract)
        msg = f"contract must be one of {', '.join(Contract)}, got {value!r}"
        zh = f"contract 应为 {known} 之一"
        raise source.fault(msg, zh, level=at, key="contract") from error


def _band(source: SchemeText, values: Mapping[str, Any], at: int) -> HouseholdBand:
    for key, value in values.items():
        if key not in _BAND_FIELDS or type(value) is not _BAND_FIELDS[key]:
            guess = ("", "") if key in _BAND_FIELDS else _nearest(key, _BAND_FIELDS)
            msg = (
                "households takes low and high (whole numbers), hard and assumption (true or "
                f"false), got {key} = {value!r}{guess[0]}"
            )
            zh = (
                "户数 households 只能写 low、high（整数）和 hard、assumption（true 或 false），"
                f"不能写 {key} = {value!r}{guess[1]}"
            )
            raise source.fault(msg, zh, level=at, key="households", part=key)
    try:
        return HouseholdBand(
            low=values.get("low"),
            high=values.get("high"),
            is_hard=values.get("hard", False),
            is_assumption=values.get("assumption", False),
        )
    except InputError as error:
        zh = "户数上下限写反或为负，请检查 low 和 high"
        raise source.fault(str(error), zh, level=at, key="households") from error
