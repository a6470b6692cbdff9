"""What is told of where a plan's data came from: the public never reads the name of a file.

Whoever uploads a file calls it as they like: after the person who counted, or after a matter of the
office. What a map must say, licence, date and whether the data is made up, is said to everybody.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.maps.notes import SOURCE_ROLES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.api.security import Caller
    from geogrid.model.plan import GridPlan
    from geogrid.model.source import Source

__all__ = ["public_plan", "public_sources", "told_sources"]

_OTHER = "其他资料"


def public_sources(sources: Iterable[Source]) -> tuple[Source, ...]:
    """Return sources that are called by what they were used for, and not as their files."""
    return tuple(replace(one, name=SOURCE_ROLES.get(one.role, _OTHER)) for one in sources)


def public_plan(plan: GridPlan) -> GridPlan:
    """Return a plan with the sources that the public reads of, and its cells at hand."""
    shown = replace(plan, sources=public_sources(plan.sources))
    for level in plan.scheme.area_levels:
        shown.keep_cells(level.key, plan.cells(level.key))
    return shown


def told_sources(sources: Iterable[Source], caller: Caller) -> list[dict[str, str | bool]]:
    """Return sources as plain JSON values: names of files are for those alone who plan."""
    listed = tuple(sources)
    is_planner = caller.may_somewhere(Action.VIEW_PLAN)
    return [one.to_dict() for one in (listed if is_planner else public_sources(listed))]
