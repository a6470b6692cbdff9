"""Routes that list plans and versions, and bring a version into force."""

from __future__ import annotations

from datetime import date  # noqa: TC003 - FastAPI reads it
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import BaseModel, ConfigDict

from geogrid.accounts.roles import Action
from geogrid.api.answers import AskedIs, DeskIs, tag_of
from geogrid.api.desk import BRANCH, Desk
from geogrid.api.edits import ExpectedIs, version_of
from geogrid.api.security import Caller, CallerIs, requires
from geogrid.api.sources import told_sources
from geogrid.api.steps import locks_of, top_codes
from geogrid.api.subtraction import told_by_subtraction
from geogrid.errors import NotStoredError
from geogrid.maps.data import district_layer
from geogrid.maps.disclosure import count_text
from geogrid.vocabulary import PlanState

if TYPE_CHECKING:
    from geogrid.api.view import PlanView
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level
    from geogrid.store import Version

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

# Who may bring a version into which state.
ACTION_OF_STATE = {
    PlanState.DRAFT: Action.REJECT_VERSION,
    PlanState.SUBMITTED: Action.SUBMIT_VERSION,
    PlanState.REVIEWED: Action.APPROVE_VERSION,
    PlanState.IN_FORCE: Action.PUBLISH_VERSION,
    PlanState.ARCHIVED: Action.WITHDRAW_VERSION,
}
_PAGE = 50
_MOST_VERSIONS = 500
_TOWARDS_PUBLIC = frozenset({PlanState.SUBMITTED, PlanState.REVIEWED, PlanState.IN_FORCE})
_SEEN = frozenset({PlanState.REVIEWED, PlanState.IN_FORCE, PlanState.ARCHIVED})

Limit = Annotated[int, Query(ge=1, le=_MOST_VERSIONS, description="At most so many, 条数")]
Before = Annotated[str, Query(description="Older than this version, 早于此版本")]


class StateIn(BaseModel):
    """Where a version goes, 流转."""

    model_config = ConfigDict(extra="forbid")

    to: PlanState
    effective_from: date | None = None
    effective_to: date | None = None
    supersede: bool = False


@router.get("/projects", summary="项目和方案", dependencies=[requires(Action.VIEW_MAP)])
def projects(desk: DeskIs, caller: CallerIs) -> list[dict[str, Any]]:
    """Return the projects with those of their plans that the caller may see."""
    return [
        {
            "id": one.id, "name": one.name,
            "plans": [
                {
                    "id": plan.id, "name": plan.name, "branch": BRANCH, "head": head,
                    "state": desk.store.standing(head).state,
                }
                for plan in desk.store.plans(one.id)
                if (head := desk.visible_head(plan.id, caller))
            ],
        }
        for one in desk.store.projects()
    ]  # fmt: skip


@router.get("/plans/{plan}", summary="方案概况", dependencies=[requires(Action.VIEW_MAP)])
def plan_summary(response: Response, desk: DeskIs, caller: CallerIs, plan: str) -> dict[str, Any]:
    """Return what a plan is, its levels, what was proven of it and where its data came from."""
    asked = desk.asked(plan, "head", caller)
    view, entry = desk.view(plan, asked.version), desk.entry(plan)
    version, held = desk.store.version(asked.version), view.plan
    district = district_layer(held)
    project = next(one for one in desk.store.projects() if one.id == entry.project_id)
    response.headers["ETag"] = tag_of(version.id)
    response.headers["Cache-Control"] = "private, no-cache"
    return {
        "id": plan,
        "name": entry.name,
        "project": {"id": project.id, "name": project.name},
        "branch": BRANCH,
        "head": version.id,
        "state": desk.store.standing(version.id).state,
        "state_zh": desk.store.standing(version.id).state.label_zh,
        "district": {"name": held.district.name, "code": held.district.code},
        "scheme": {"key": held.scheme.key, "title": held.scheme.title},
        "levels": [_level(held, level) for level in held.scheme.levels],
        "bounds": view.bounds,
        "households_text": count_text(district["households"]),
        "is_proven": view.is_proven and not version.is_draft,
        "is_synthetic": any(one.is_synthetic for one in held.sources),
        "is_estimated": any(one.is_estimated for one in held.sources),
        "limits": list(view.served.limits) if view.served else _circle_limits(view),
        "locks": locks_of(desk.store, plan).to_dict(),
        "steps": desk.steps(plan).for_caller(caller.actor)
        if caller.may_somewhere(Action.EDIT_PLAN)
        else {"can_undo": False, "can_redo": False},
        "has_households": desk.homes.file_of(plan) is not None,
        "sources": told_sources(held.sources, caller),
    }


@router.get("/plans/{plan}/versions", summary="版本", dependencies=[requires(Action.VIEW_MAP)])
def versions(
    desk: DeskIs, caller: CallerIs, plan: str, limit: Limit = 50, before: Before = ""
) -> list[dict[str, Any]]:
    """Return the latest versions of a plan, the latest first, or those before a version.

    The public sees the one that it may see.
    """
    desk.entry(plan)
    if not caller.may_somewhere(Action.VIEW_PLAN):
        return [_version(desk, desk.store.version(desk.public_version(plan)), caller)]
    if before and desk.plan_of(before) != plan:
        msg = f"plan {plan} has no version {before!r}"
        raise NotStoredError(msg)
    found = desk.store.history(plan, BRANCH, limit=limit, before=before or None)
    return [_version(desk, one, caller) for one in found]


@router.get(
    "/plans/{plan}/versions/{v}",  # noqa: FAST003 - AskedIs reads them
    summary="一个版本",
    dependencies=[requires(Action.VIEW_MAP)],
)
def version(response: Response, desk: DeskIs, caller: CallerIs, asked: AskedIs) -> dict[str, Any]:
    """Return what is known of a version."""
    response.headers["ETag"] = tag_of(asked.version)
    return _version(desk, desk.store.version(asked.version), caller)


@router.post(
    "/plans/{plan}/state", summary="提交、审核、生效、归档",
    dependencies=[requires(*ACTION_OF_STATE.values())],
)  # fmt: skip
def advance(
    desk: DeskIs, caller: CallerIs, expected: ExpectedIs, plan: str, body: StateIn
) -> dict[str, Any]:
    """Bring the version that If-Match names into another state.

    Who drew it neither approves nor publishes it, and nobody ends a version of another's area by
    one of their own. Notes say what the public could compute from this version and the one before.
    """
    areas = top_codes(version_of(desk, plan, expected))
    is_own = _has_drawn(desk, plan, expected, caller)
    caller.require(ACTION_OF_STATE[body.to], areas, is_own=is_own)
    if body.supersede and body.effective_from is not None:
        # A project may hold plans of several areas, and one version of all is in force.
        ended = desk.store.in_force(desk.entry(plan).project_id, body.effective_from)
        if ended is not None:
            caller.require(Action.WITHDRAW_VERSION, top_codes(desk.store.read(ended.version_id)))
    notes = _notes(desk, plan, expected) if body.to in _TOWARDS_PUBLIC else []
    standing = desk.store.advance(
        expected, body.to, actor=caller.actor, effective_from=body.effective_from,
        effective_to=body.effective_to, supersede=body.supersede,
    )  # fmt: skip
    desk.has_come_into_force(plan)
    return {
        "version": expected,
        "state": standing.state,
        "state_zh": standing.state.label_zh,
        "effective_from": standing.effective_from or None,
        "effective_to": standing.effective_to or None,
        "notes": notes,
    }


def _notes(desk: Desk, plan: str, version_id: str) -> list[str]:
    """Return what whoever brings a version on its way to the public must know of it."""
    try:
        before = desk.public_version(plan)
    except NotStoredError:
        return []
    told = told_by_subtraction(desk.view(plan, before), desk.view(plan, version_id))
    if not told:
        return []
    msg = (
        f"from this version and the one that is public now anybody can compute at least {told} "
        "counts below ten: publish more changes together "
        f"(公众把本版与现行公开版相减，至少可得出{told}处少于10户的数，宜攒成一批再发布)"
    )
    return [msg]


def _has_drawn(desk: Desk, plan: str, version_id: str, caller: Caller) -> bool:
    """Tell whether somebody made a step since the last version that others looked at."""
    page = [desk.store.version(version_id)]
    while page:
        for one in page:
            if one.author == caller.actor:
                return True
            if one.id != version_id and desk.store.standing(one.id).state in _SEEN:
                return False
        page = desk.store.history(plan, BRANCH, limit=_PAGE, before=page[-1].id)
    return False


def _level(plan: GridPlan, level: Level) -> dict[str, Any]:
    band = level.band
    return {
        "key": level.key,
        "name": level.name,
        "head_title": level.head_title,
        "band": None
        if band is None
        else {"low": band.low, "high": band.high, "is_hard": band.is_hard},
        "cells": int((plan.cell_table["level"] == level.key).sum()),
        "contract": level.contract,
        "kinds": list(level.kinds),
        "is_official": level.locked,
    }


def _circle_limits(view: PlanView) -> list[float]:
    return sorted(float(key) for key in view.circle_tables if key)


def _version(desk: Desk, one: Version, caller: Caller) -> dict[str, Any]:
    is_planner = caller.may_somewhere(Action.VIEW_PLAN)
    state = desk.store.standing(one.id).state
    return {
        "id": one.id,
        "number": one.number,
        "parent": one.parent_id or None,
        # Who drew what is nobody's business outside the office.
        "author": desk.name_of(one.author) if is_planner else None,
        "time": one.created_at,
        "message": one.message if is_planner else "",
        "is_draft": one.is_draft,
        "is_proven": not one.is_draft,
        "state": state,
        "state_zh": state.label_zh,
    }
