"""In whose area a change lies: codes of area cells, which are what a grant speaks of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.edit import Change
    from geogrid.model.plan import GridPlan

__all__ = ["area_codes", "areas_of"]


def area_codes(codes: Iterable[str], *plans: GridPlan) -> set[str]:
    """Return cells as they are, and for lists of households the area cells that they lie in.

    A list may have any code: that of 浏阳's 微网格 says nothing of the street.

    Parameters
    ----------
    plans
        Where the codes are looked up, before and after a change; one that none of them has stays.
    """
    found: set[str] = set()
    for code in codes:
        holders = {_holder(code, plan) for plan in plans if code in plan.cell_table.index}
        found |= holders or {code}
    return found


def areas_of(change: Change, before: GridPlan, after: GridPlan) -> set[str]:
    """Return the codes that say in whose area a change lies: what it touched, and the ground."""
    finest = before.scheme.area_levels[-1].key
    codes = {code for level in change.touched.values() for code in level}
    return area_codes(codes, before, after) | set(change.reached.get(finest, ()))


def _holder(code: str, plan: GridPlan) -> str:
    """Return the area cell that a list lies in; a cell of an area is its own."""
    areas = {level.key for level in plan.scheme.levels if level.contract is Contract.AREA}
    table = plan.cell_table
    at = code
    while at and str(table.at[at, "level"]) not in areas:
        at = str(table.at[at, "parent"])
    return at or code
