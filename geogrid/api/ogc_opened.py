"""What every page of the standard interface begins with: a plan, its version, and addresses."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.ogc_crs import served_systems
from geogrid.api.ogc_shown import Facts
from geogrid.api.problems import NotInPlanError
from geogrid.api.security import CallerIs  # noqa: TC001 - FastAPI reads it

if TYPE_CHECKING:
    from geogrid.api.desk import Asked, Desk
    from geogrid.api.features import FeatureTable
    from geogrid.api.ogc_shown import Shelf
    from geogrid.api.view import PlanView

__all__ = ["JSON", "Opened", "OpenedIs", "link", "root_of"]

JSON = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Opened:
    """A plan that somebody looks at.

    Attributes
    ----------
    view, asked
        Its version.
    facts
        What is known of that.
    base
        The address of its first page.
    shelf
        Features that are ready to be sent.
    """

    view: PlanView
    asked: Asked
    facts: Facts
    base: str
    shelf: Shelf

    def table(self, name: str) -> FeatureTable:
        """Return a collection.

        Raises
        ------
        NotInPlanError
            If there is none of this name.
        """
        tables = self.view.collections
        if name not in tables:
            msg = f"there is no collection {name}: use one of {', '.join(tables)}"
            raise NotInPlanError(msg)
        return tables[name]

    def title(self, name: str) -> str:
        """Return what people call a collection."""
        titles = {level.key: level.name for level in self.view.plan.scheme.area_levels}
        return (titles | {"stations": "党群服务站", "circles": "服务圈"})[name]


def root_of(request: Request) -> str:
    """Return the address of the service."""
    return str(request.base_url).rstrip("/")


def link(href: str, rel: str, media: str = JSON, title: str = "") -> dict[str, str]:
    """Return a link as the standard writes it."""
    found = {"href": href, "rel": rel, "type": media}
    return found | {"title": title} if title else found


async def opened_of(request: Request, desk: DeskIs, caller: CallerIs, plan: str) -> Opened:
    """Return a plan at the version that the caller sees first."""
    shelf: Shelf = request.app.state.shelf
    if desk.is_at_hand(plan):
        asked = desk.asked(plan, "head", caller)
    else:
        asked = await run_in_threadpool(desk.asked, plan, "head", caller)
    view = desk.view_at_hand(asked.version)
    known = None if view is None else shelf.facts(view)
    base = f"{root_of(request)}/ogc/{plan}"
    if view is None or known is None:
        made, facts = await run_in_threadpool(_made_ready, desk, shelf, asked)
        return Opened(view=made, asked=asked, facts=facts, base=base, shelf=shelf)
    return Opened(view=view, asked=asked, facts=known, base=base, shelf=shelf)


def _made_ready(desk: Desk, shelf: Shelf, asked: Asked) -> tuple[PlanView, Facts]:
    view = desk.view(asked.plan, asked.version)
    systems, storage = served_systems(view.plan.district.crs)
    stamp = desk.store.version(asked.version).created_at
    # The features are made here, where nobody else waits for it.
    _ = view.collections
    facts = Facts(stamp=stamp, systems=systems, storage=storage)
    shelf.learn(view, facts)
    return view, facts


OpenedIs = Annotated[Opened, Depends(opened_of)]
