"""Routes that change a plan: commands, undo, redo, locks."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any, Literal

import shapely
from fastapi import APIRouter, BackgroundTasks, Depends, Header, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from geogrid.accounts.roles import Action
from geogrid.api.answers import DeskIs, tag_of
from geogrid.api.areas import area_codes, areas_of
from geogrid.api.desk import BRANCH, Desk
from geogrid.api.places import command_of
from geogrid.api.problems import PreconditionError
from geogrid.api.security import Caller, CallerIs, requires
from geogrid.api.steps import REDO, UNDO, change_between, locks_of, set_locks, top_codes
from geogrid.api.told import counted, told_of
from geogrid.edit import Locks, apply, live_counts, merge_edits
from geogrid.errors import EditError, InputError, NotStoredError, StaleVersionError
from geogrid.maps.coding import to_degrees

if TYPE_CHECKING:
    from collections.abc import Callable

    from geogrid.api.steps import Steps
    from geogrid.edit import Change, Edit
    from geogrid.model.plan import GridPlan
    from geogrid.store import Version

__all__ = ["ExpectedIs", "router", "version_of"]

router = APIRouter(prefix="/api/v1/plans/{plan}")

# Outlines that an editor draws over the map while a command is tried.
_MOST_DRAWN = 60


class CommandIn(BaseModel):
    """A command of an editor, 编辑命令."""

    model_config = ConfigDict(extra="forbid")

    command: dict[str, Any]
    places: Literal["degrees", "metres"] = Field(
        default="degrees",
        description="Whether places are longitude and latitude (WGS 84) or the plan's own metres",
    )


class TriedIn(CommandIn):
    """A command that is tried, 预演的命令."""

    prove: bool = Field(
        default=False,
        description="Whether the cells are drawn and proven as well, as storing would do",
    )


class LocksIn(BaseModel):
    """What stays as it is, 锁定."""

    model_config = ConfigDict(extra="forbid")

    levels: list[str] = Field(default_factory=list, max_length=50)
    cells: list[tuple[str, str]] = Field(
        default_factory=list, max_length=10_000, description="Pairs of level and code"
    )


def expected_of(
    if_match: Annotated[str, Header(description='The version that it starts from, "<id>"')] = "",
) -> str:
    """Return the version that a write starts from.

    Raises
    ------
    PreconditionError
        If it names none.
    """
    version = if_match.removeprefix("W/").strip('" ')
    if not version or version == "*":
        msg = 'a write must say which version it starts from: send If-Match: "<head>"'
        raise PreconditionError(msg)
    return version


ExpectedIs = Annotated[str, Depends(expected_of)]
Planner = requires(Action.EDIT_PLAN)


@router.post("/edits", summary="执行编辑命令", dependencies=[Planner])
def edit(
    request: Request, response: Response, after: BackgroundTasks, desk: DeskIs, caller: CallerIs,
    expected: ExpectedIs, plan: str, body: CommandIn,
) -> dict[str, Any]:  # fmt: skip
    """Do a command; edits of other cells that came in meanwhile are merged."""
    with desk.editing(plan):
        base = version_of(desk, plan, expected)
        command = command_of(base, body.command, body.places)
        locks, reserved = locks_of(desk.store, plan), set(desk.steps(plan).reserved)
        homes = desk.households_of(plan, base)
        made = apply(base, command, households=homes, locks=locks, reserved=reserved)
        caller.require(Action.EDIT_PLAN, areas_of(made.change, base, made.plan))
        if made.change.is_empty:
            return _answer(desk, response, desk.store.version(desk.head(plan)), made.change)
        version = desk.store.commit(
            plan, BRANCH, expected, made.plan, author=caller.actor,
            message=f"{command.label_zh} {command.command}", merge=_merge_under(locks, reserved),
        )  # fmt: skip
        _moved(request, after, desk, version)
    return _answer(desk, response, version, made.change)


@router.post("/preview", summary="预演编辑命令（不保存）", dependencies=[Planner])
def preview(
    desk: DeskIs, caller: CallerIs, expected: ExpectedIs, plan: str, body: TriedIn
) -> dict[str, Any]:
    """Return the households that a command would give to cells; nothing is stored.

    With ``prove`` the cells are drawn and proven too: what storing would refuse is refused.
    """
    base = version_of(desk, plan, expected)
    try:
        command = command_of(base, body.command, body.places)
        homes = desk.households_of(plan, base)
        table = live_counts(base, command, households=homes)
    except EditError as fault:
        return _refusal(str(fault))
    known = set(base.cell_table.index)
    # Even the own cell would tell how many live in what it takes from somebody else's.
    others = area_codes((code for code in table["code"] if code in known), base)
    others = {code for code in others if not caller.may(Action.EDIT_PLAN, [code])}
    if others:
        named = ", ".join(sorted(others)[:5])
        return _refusal(
            f"these cells are outside the area that was given to you: {named} ({named}不在您的辖区)"
        )
    drawn: list[dict[str, Any]] = []
    if body.prove:
        try:
            locks = locks_of(desk.store, plan)
            drawn = _drawn(apply(base, command, households=homes, locks=locks))
        except EditError as fault:
            return _refusal(str(fault))
    cells = [
        {
            "level": row["level"],
            "code": row["code"],
            "before": row["before"],
            "households": row["after"],
            "band": row["band_after"] or None,
        }
        for row in table.to_dict("records")
    ]
    return {"cells": cells, "refused": None, "drawn": drawn}


def _refusal(sentence: str) -> dict[str, Any]:
    return {"cells": [], "refused": sentence, "drawn": []}


def _drawn(made: Edit) -> list[dict[str, Any]]:
    """Return the outlines of the finest cells that changed, as GeoJSON geometries."""
    finest = made.plan.scheme.area_levels[-1].key
    codes = sorted(made.change.touched.get(finest, ()))[:_MOST_DRAWN]
    if made.plan.district.crs is None or not codes:
        return []
    cells = made.plan.cells(finest)
    shapes = cells[cells["code"].isin(codes)].geometry
    return [json.loads(one) for one in shapely.to_geojson(to_degrees(shapes).to_numpy())]


@router.post("/undo", summary="撤销", dependencies=[Planner])
def undo(
    request: Request, response: Response, after: BackgroundTasks, desk: DeskIs, caller: CallerIs,
    expected: ExpectedIs, plan: str,
) -> dict[str, Any]:  # fmt: skip
    """Bring back the plan before the last step, if the caller made it."""
    with desk.editing(plan):
        steps = _steps_at(desk, plan, expected)
        step = steps.to_undo(caller.actor)
        version, change = _brought_back(
            desk, caller, plan, expected, (step.parent_id, f"{UNDO} {step.id}")
        )
        _moved(request, after, desk, version)
    return _answer(desk, response, version, change, before=expected)


@router.post("/redo", summary="重做", dependencies=[Planner])
def redo(
    request: Request, response: Response, after: BackgroundTasks, desk: DeskIs, caller: CallerIs,
    expected: ExpectedIs, plan: str,
) -> dict[str, Any]:  # fmt: skip
    """Make the step again that was undone last."""
    with desk.editing(plan):
        steps = _steps_at(desk, plan, expected)
        step = steps.to_redo(caller.actor)
        version, change = _brought_back(
            desk, caller, plan, expected, (step.id, f"{REDO} {step.id}")
        )
        _moved(request, after, desk, version)
    return _answer(desk, response, version, change, before=expected)


@router.put("/locks", summary="锁定层级和网格", dependencies=[Planner])
def lock(
    desk: DeskIs, caller: CallerIs, expected: ExpectedIs, plan: str, body: LocksIn
) -> dict[str, Any]:
    """Say anew which levels and cells stay as they are."""
    with desk.editing(plan):
        _require_head(desk, plan, expected)
        base = desk.store.read(expected)
        wanted = Locks(levels=frozenset(body.levels), cells=frozenset(body.cells))
        _require_there(base, wanted)
        known = locks_of(desk.store, plan)
        # A lock of a level holds everywhere, so it takes somebody who may edit everywhere.
        if wanted.levels != known.levels:
            caller.require(Action.EDIT_PLAN, top_codes(base))
        caller.require(Action.EDIT_PLAN, {code for _, code in wanted.cells ^ known.cells})
        set_locks(desk.store, plan, wanted, actor=caller.actor)
    return wanted.to_dict()


def version_of(desk: Desk, plan: str, version: str) -> GridPlan:
    """Return a version of a plan; ``NotStoredError`` if it is none of this plan."""
    desk.entry(plan)
    if desk.plan_of(version) != plan:
        msg = f"plan {plan} has no version {version!r}"
        raise NotStoredError(msg)
    return desk.store.read(version)


def _require_head(desk: Desk, plan: str, expected: str) -> None:
    version_of(desk, plan, expected)
    head = desk.store.branch(plan, BRANCH).head
    if head == expected:
        return
    levels = desk.store.diff(expected, head).levels
    msg = (
        f"the plan is at version {head} by now, not at {expected}: read it again "
        f"(方案已有新版本：请载入后再操作)"
    )
    changed = {level: one.codes for level, one in levels.items()}
    raise StaleVersionError(msg, expected=expected, current=head, changed=changed)


def _steps_at(desk: Desk, plan: str, expected: str) -> Steps:
    _require_head(desk, plan, expected)
    return desk.steps(plan)


def _merge_under(
    locks: Locks, reserved: set[str]
) -> Callable[[GridPlan, GridPlan, GridPlan], object]:
    def merge(base: GridPlan, ours: GridPlan, theirs: GridPlan) -> object:
        try:
            return merge_edits(base, theirs, ours, locks=locks, reserved=reserved).plan
        except (EditError, InputError) as conflict:
            return conflict

    return merge


def _brought_back(
    desk: Desk, caller: Caller, plan: str, expected: str, step: tuple[str, str]
) -> tuple[Version, Change]:
    """Commit the plan of an earlier version again; ``step`` is that version and the message."""
    wanted, message = step
    now, then = desk.store.read(expected), desk.store.read(wanted)
    change = change_between(now, then, desk.store.diff(expected, wanted))
    locks_of(desk.store, plan).require(change)
    caller.require(Action.EDIT_PLAN, areas_of(change, now, then))
    version = desk.store.commit(plan, BRANCH, expected, then, author=caller.actor, message=message)
    return version, change


def _require_there(plan: GridPlan, locks: Locks) -> None:
    levels = {level.key for level in plan.scheme.area_levels}
    strange = sorted(locks.levels - levels)
    strange += sorted(
        code
        for level, code in locks.cells
        if level not in levels
        or code not in plan.cell_table.index
        or plan.cell_table.loc[code, "level"] != level
    )
    if strange:
        msg = (
            f"the plan has no level or cell {strange[0]}: lock what is there "
            f"(方案中没有{strange[0]}，不能锁定)"
        )
        raise InputError(msg)


def _moved(request: Request, after: BackgroundTasks, desk: Desk, version: Version) -> None:
    if version.parent_id:
        tiles = request.app.state.tiles
        # Known before anybody looks for the head: nobody sees what is not ready.
        desk.follower.moved(version.plan_id, version.parent_id, version.id)
        after.add_task(desk.follower.catch_up, version.plan_id, tiles.carry_over)
    desk.has_moved(version.plan_id)


def _answer(
    desk: Desk, response: Response, version: Version, change: Change, *, before: str = ""
) -> dict[str, Any]:
    response.headers["ETag"] = tag_of(version.id)
    told = told_of(change) if not before else counted(desk, before, version.id, change)
    return {
        "version": version.id,
        "change": told,
        "certificate": None if version.certificate is None else version.certificate.to_dict(),
        "is_proven": not version.is_draft,
    }
