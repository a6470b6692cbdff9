"""Commands as browsers send them: places in degrees become the plan's own metres."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from pyproj import Transformer

from geogrid.edit import command_from_dict
from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS

    from geogrid.edit import Command
    from geogrid.model.plan import GridPlan

__all__ = ["command_of"]

_PLACES = ("at", "to", "line", "run", "path", "lines")
_DEEPEST = 3
# Each takes a thousandth of a second where a line is cut along all borders.
_MOST_PLACES = 5000
_MOST_LETTERS = 200
# Programs that read what is made of a plan stop at these, and databases do too.
_NO_LETTER = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


def command_of(plan: GridPlan, values: Mapping[str, Any], places: str) -> Command:
    """Return a command from plain JSON values.

    Parameters
    ----------
    places
        ``degrees`` where places are longitude and latitude, ``metres`` where they are the plan's.

    Raises
    ------
    InputError
        If it is no command, a place is none, or a text is too long or no text that people write.
    """
    for name, value in values.items():
        _require_plain(name, value)
        if name in _PLACES:
            _require_few(name, value)
    if places == "metres" or plan.district.crs is None:
        return command_from_dict(values)
    to_plan = _to_metres(plan.district.crs)
    moved = dict(values)
    for name in _PLACES:
        if name in moved:
            moved[name] = _moved(moved[name], to_plan, name, _DEEPEST)
    return command_from_dict(moved)


def _require_plain(name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    for one in value if isinstance(value, list) else [value]:
        if isinstance(one, str) and (len(one) > _MOST_LETTERS or _NO_LETTER.search(one)):
            msg = (
                f"{name} must be at most {_MOST_LETTERS} letters without control characters "
                f"(最多 {_MOST_LETTERS} 个字，不含控制字符)"
            )
            raise InputError(msg)


def _require_few(name: str, value: Any) -> None:  # noqa: ANN401 - JSON
    if _numbers(value, _DEEPEST + 1) > 2 * _MOST_PLACES:
        msg = f"{name} must have at most {_MOST_PLACES} places (最多 {_MOST_PLACES} 个点)"
        raise InputError(msg)


def _numbers(value: Any, depth: int) -> int:  # noqa: ANN401 - JSON
    """Count what is no list in lists within lists."""
    if not isinstance(value, list) or not depth:
        return 1
    return sum(_numbers(one, depth - 1) for one in value)


@lru_cache(maxsize=16)
def _to_metres(crs: CRS) -> Transformer:
    """Return the way from degrees to metres, which takes longer to find than a command to do."""
    return Transformer.from_crs(4326, crs, always_xy=True)


def _moved(value: Any, to_plan: Transformer, name: str, depth: int) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, list) or depth < 1:
        msg = f"{name} must be places of longitude and latitude, got something else"
        raise InputError(msg)
    if len(value) == 2 and all(_is_number(one) for one in value):  # noqa: PLR2004 - a place
        return [float(one) for one in to_plan.transform(*value)]
    return [_moved(one, to_plan, name, depth - 1) for one in value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
