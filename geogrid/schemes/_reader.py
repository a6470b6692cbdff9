"""Turn the text of a scheme file into a scheme, naming the line of every fault."""

from __future__ import annotations

import re
import string
import tomllib
from typing import TYPE_CHECKING, Any

from geogrid.errors import InputError
from geogrid.model.scheme import CellException, HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["parse_scheme"]

_SCHEME_FIELDS = {"key": str, "title": str, "source": str, "level": list, "exception": list}
_LEVEL_FIELDS = {
    "key": str,
    "name": str,
    "aliases": list,
    "contract": str,
    "households": dict,
    "kinds": list,
    "code_width": int,
    "name_template": str,
    "head_title": str,
    "may_span_parents": bool,
}
_BAND_FIELDS = {"low": int, "high": int, "hard": bool, "assumption": bool}
_KIND_FIELDS = {"name": str, "in_balance": bool, "may_span_parents": bool}
_EXCEPTION_FIELDS = {"code": str, "allows": list, "reason": str}
_KIND_OF_TYPE = {
    str: "text in quotes",
    int: "a whole number",
    bool: "true or false",
    list: "a list in square brackets",
    dict: "a table such as { low = 300, high = 500 }",
}
_TEMPLATE_FIELDS = frozenset({"parent", "n", "code"})
_WIDEST_CODE = 9


class _File:
    """The text of a scheme file, to find the line of a fault."""

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.splitlines()
        self.name = name
        tables = [
            (at, found[1])
            for at, line in enumerate(self.lines)
            if (found := re.match(r"\s*\[\[\s*(level|exception)\s*\]\]", line))
        ]
        self.ends = [*(at for at, _ in tables), len(self.lines)]
        self.starts = {
            table: [at for at, name in tables if name == table] for table in ("level", "exception")
        }

    def fault(
        self, why: str, *, level: int | None = None, key: str = "", table: str = "level"
    ) -> InputError:
        """Return an error that names the line of ``key`` in a table (or above all of them)."""
        starts = self.starts[table]
        first = 0
        if level is not None:
            first = starts[level] if level < len(starts) else len(self.lines)
        last = min((end for end in self.ends if level is None or end > first), default=first)
        named = [
            at
            for at in range(first, last)
            if re.match(rf"\s*\"?{re.escape(key)}\"?\s*[=.]", self.lines[at])
        ]
        line = named[0] if key and named else min(first, max(len(self.lines) - 1, 0))
        return InputError(f"{self.name}, line {line + 1}: {why}")


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
        If the text is not TOML, has an unknown, missing or wrong field, or uses a name twice.
    """
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{file} is not TOML: {error}"
        raise InputError(msg) from error
    source = _File(text, file)
    _check(source, values, _SCHEME_FIELDS, required=("key", "title", "level"))
    tables = values["level"]
    if not tables or not all(isinstance(table, dict) for table in tables):
        msg = "no level is given: write one [[level]] table a level, coarse to fine"
        raise source.fault(msg, key="level")
    levels = tuple(_level(source, table, at) for at, table in enumerate(tables))
    _check_names(source, levels)
    listed = values.get("exception", [])
    return Scheme(
        key=values["key"],
        title=values["title"],
        levels=levels,
        source=values.get("source", ""),
        exceptions=tuple(_exception(source, table, at) for at, table in enumerate(listed)),
    )


def _check(
    source: _File,
    values: Mapping[str, Any],
    fields: Mapping[str, type],
    *,
    required: tuple[str, ...],
    level: int | None = None,
    table: str = "level",
) -> None:
    """Refuse unknown, missing and wrongly typed fields."""
    where = "the scheme" if level is None else f"{table} {level + 1}"
    for key, value in values.items():
        if key not in fields:
            msg = f"{where} has an unknown field {key}: use {', '.join(fields)}"
            raise source.fault(msg, level=level, key=key, table=table)
        # In Python a bool is an int as well; in a scheme it is not.
        if type(value) is not fields[key]:
            msg = f"{key} must be {_KIND_OF_TYPE[fields[key]]}, got {value!r}"
            raise source.fault(msg, level=level, key=key, table=table)
    for key in required:
        if key not in values or values[key] == "":
            msg = f"{where} has no {key}: add it"
            raise source.fault(msg, level=level, key=key, table=table)


def _level(source: _File, values: Mapping[str, Any], at: int) -> Level:
    _check(source, values, _LEVEL_FIELDS, required=("key", "name"), level=at)
    if not re.fullmatch(r"[a-z][a-z0-9_]*", values["key"]):
        msg = f"the key {values['key']!r} must be small ASCII letters, digits and _"
        raise source.fault(msg, level=at, key="key")
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
        raise source.fault(msg, level=at, key="code_width")
    _check_template(source, fields.get("name_template", "{parent}{n}"), at)
    return Level(**fields)


def _kinds(source: _File, values: list[Any], at: int) -> dict[str, tuple[str, ...]]:
    """Read kinds, each a text or a table that says how it differs from the ordinary one."""
    tables = [value if isinstance(value, dict) else {"name": value} for value in values]
    for table in tables:
        for key, value in table.items():
            if key not in _KIND_FIELDS or (key != "name" and type(value) is not bool):
                msg = "a kind takes name, in_balance and may_span_parents (true or false), "
                msg += f"got {key} = {value!r}"
                raise source.fault(msg, level=at, key="kinds")
    return {
        "kinds": _texts(source, [table.get("name") for table in tables], at, "kinds"),
        "unbalanced_kinds": tuple(
            table["name"] for table in tables if not table.get("in_balance", True)
        ),
        "spanning_kinds": tuple(
            table["name"] for table in tables if table.get("may_span_parents", False)
        ),
    }


def _exception(source: _File, values: Any, at: int) -> CellException:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(values, dict):
        msg = "an exception is a table: write [[exception]] and below it code, allows and reason"
        raise source.fault(msg, key="exception")
    _check(source, values, _EXCEPTION_FIELDS, required=("code",), level=at, table="exception")
    fields = dict(values)
    if "allows" in fields:
        fields["allows"] = _texts(source, fields["allows"], at, "allows")
    try:
        return CellException(**fields)
    except InputError as error:
        raise source.fault(str(error), level=at, key="allows", table="exception") from error


def _texts(source: _File, values: list[Any], at: int, key: str) -> tuple[str, ...]:
    if not all(isinstance(value, str) and value for value in values) or (
        key == "kinds" and not values
    ):
        msg = f'{key} must be a list of texts such as ["居住"], got {values!r}'
        raise source.fault(msg, level=at, key=key)
    return tuple(values)


def _contract(source: _File, value: str, at: int) -> Contract:
    try:
        return Contract(value)
    except ValueError as error:
        msg = f"contract must be one of {', '.join(Contract)}, got {value!r}"
        raise source.fault(msg, level=at, key="contract") from error


def _band(source: _File, values: Mapping[str, Any], at: int) -> HouseholdBand:
    for key, value in values.items():
        if key not in _BAND_FIELDS or type(value) is not _BAND_FIELDS[key]:
            msg = "households takes low, high (whole numbers), hard, assumption (true or false), "
            msg += f"got {key} = {value!r}"
            raise source.fault(msg, level=at, key="households")
    try:
        return HouseholdBand(
            low=values.get("low"),
            high=values.get("high"),
            is_hard=values.get("hard", False),
            is_assumption=values.get("assumption", False),
        )
    except InputError as error:
        raise source.fault(str(error), level=at, key="households") from error


def _check_template(source: _File, template: str, at: int) -> None:
    try:
        used = {name for _, name, _, _ in string.Formatter().parse(template) if name is not None}
    except ValueError as error:
        msg = f"name_template {template!r} has a brace without its partner"
        raise source.fault(msg, level=at, key="name_template") from error
    if not used <= _TEMPLATE_FIELDS or not used & {"n", "code"}:
        msg = f"name_template {template!r} must hold {{n}} or {{code}}, and at most {{parent}} else"
        raise source.fault(msg, level=at, key="name_template")


def _check_names(source: _File, levels: tuple[Level, ...]) -> None:
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
                    raise source.fault(msg, level=at, key=key)
                seen[name] = at
