"""Commands as browsers send them: places in degrees become the plan's own metres."""

from __future__ import annotations

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
_MOST_PLACES = 20_000


def command_of(plan: GridPlan, values: Mapping[str, Any], places: str) -> Command:
    """Return a command from plain JSON values.

    Parameters
    ----------
    places
        ``degrees`` where places are longitude and latitude, ``metres`` where they are the plan's.

    Raises
    ------
    InputError
        If it is no command, or a place is none.
    """
    if places == "metres" or plan.district.crs is None:
        return command_from_dict(values)
    to_plan = _to_metres(plan.district.crs)
    moved = dict(values)
    for name in _PLACES:
        if name in moved:
            moved[name] = _moved(moved[name], to_plan, name, _DEEPEST)
    return command_from_dict(moved)


@lru_cache(maxsize=16)
def _to_metres(crs: CRS) -> Transformer:
    """Return the way from degrees to metres, which takes longer to find than a command to do."""
    return Transformer.from_crs(4326, crs, always_xy=True)


def _moved(value: Any, to_plan: Transformer, name: str, depth: int) -> Any:  # noqa: ANN401 - JSON
    if not isinstance(value, list) or len(value) > _MOST_PLACES or depth < 1:
        msg = f"{name} must be places of longitude and latitude, got something else"
        raise InputError(msg)
    if len(value) == 2 and all(_is_number(one) for one in value):  # noqa: PLR2004 - a place
        return [float(one) for one in to_plan.transform(*value)]
    return [_moved(one, to_plan, name, depth - 1) for one in value]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
