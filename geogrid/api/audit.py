"""The route of those who look after what was done."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Query

from geogrid.accounts.roles import Action
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.security import CallerIs, requires
from geogrid.api.steps import top_codes

if TYPE_CHECKING:
    from geogrid.api.desk import Desk
    from geogrid.api.security import Caller
    from geogrid.store import AuditEntry

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

_MOST = 500
# What is told of an entry. A name of a file that somebody sent may be the name of a person.
_TOLD = frozenset({
    "branch", "by", "effective_from", "effective_to", "from", "id", "is_draft", "key", "number",
    "parent", "plan", "project", "role", "roles", "sha256", "to",
})  # fmt: skip
_NAMED = frozenset({"create project", "create plan", "create branch"})


@router.get("/audit", summary="操作日志", dependencies=[requires(Action.VIEW_AUDIT)])
def audit(
    desk: DeskIs,
    caller: CallerIs,
    plan: Annotated[str, Query(max_length=32, description="Only of this plan, 方案")] = "",
    limit: Annotated[int, Query(ge=1, le=_MOST, description="At most so many, 条数")] = 100,
    before: Annotated[
        int | None, Query(ge=1, le=2**62, description="Only smaller numbers, 早于此编号")
    ] = None,
) -> dict[str, Any]:
    """Return what was done, the newest first, and whether the sealed list is as it was written.

    Whoever looks after an area sees the plans that lie in it; the rest takes the whole store.
    """
    caller.require(Action.VIEW_AUDIT, _areas_of(desk, plan, caller) if plan else ())
    found = desk.store.audit.page(limit=limit, before=before, plan_id=plan or None)
    names = {one.actor: desk.name_of(one.actor) for one in found}
    return {
        "entries": [_shown(one, names[one.actor]) for one in found],
        "is_whole": desk.store.audit.is_whole(),
    }


def _areas_of(desk: Desk, plan: str, caller: Caller) -> set[str]:
    """Return the coarsest cells of a plan; none, which is the whole store, while it has none."""
    desk.entry(plan)
    head = desk.visible_head(plan, caller)
    if not head:
        return set()
    return top_codes(desk.store.read(head))


def _shown(entry: AuditEntry, name: str) -> dict[str, Any]:
    told = _TOLD | ({"name"} if entry.action in _NAMED else set())
    return {
        "number": entry.seq, "at": entry.at, "actor_name": name, "action": entry.action,
        "subject": entry.subject, "hash": entry.hash,
        "details": {key: value for key, value in entry.details.items() if key in told},
    }  # fmt: skip
