"""Routes of those who keep accounts: nobody gives more than they have, nobody locks the door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, ConfigDict, Field

from geogrid.accounts.oidc import is_oidc_name
from geogrid.accounts.roles import Action, Grant, Role, may_give
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.problems import AccessError
from geogrid.api.security import CallerIs, DoorIs, requires
from geogrid.api.session import Name, Password  # noqa: TC001 - FastAPI reads them
from geogrid.errors import StateError, StoreError
from geogrid.store import Grant as StoredGrant

if TYPE_CHECKING:
    from collections.abc import Iterable

    from geogrid.api.security import Caller
    from geogrid.store import Account, Store

__all__ = ["router"]

router = APIRouter(prefix="/api/v1/accounts")

Keeper = requires(Action.MANAGE_ACCOUNTS)
# Somebody must be able to keep every account, or nobody gets in again.
_LAST = StoredGrant(Role.ADMIN.value)

GrantsOf = Annotated[
    list[tuple[Role, Annotated[str, Field(max_length=64)]]],
    Field(max_length=100, description="Pairs of role and area code, 角色与辖区"),
]


class AccountIn(BaseModel):
    """A new account, 账号."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    display_name: Annotated[str, Field(max_length=100)] = ""
    password: Password
    grants: GrantsOf = Field(default_factory=list)


class GrantsIn(BaseModel):
    """What an account may do, and where, 角色."""

    model_config = ConfigDict(extra="forbid")

    grants: GrantsOf


class PasswordIn(BaseModel):
    """A new password of somebody else, 重置密码."""

    model_config = ConfigDict(extra="forbid")

    new: Password


class ActiveIn(BaseModel):
    """Whether an account may come in, 启用或停用."""

    model_config = ConfigDict(extra="forbid")

    is_active: bool


@router.get("", summary="账号列表", dependencies=[Keeper])
def accounts(desk: DeskIs, caller: CallerIs) -> list[dict[str, Any]]:
    """Return the accounts that the caller may keep, without any secret."""
    return [_shown(one) for one in desk.store.accounts.all() if _keeps(caller, one.grants)]


@router.post("", summary="新建账号", status_code=201, dependencies=[Keeper])
def add_account(desk: DeskIs, caller: CallerIs, door: DoorIs, body: AccountIn) -> dict[str, Any]:
    """Add an account; nobody gives away more than the area that they keep."""
    grants = _given(caller, body.grants)
    if is_oidc_name(body.name):
        # Else somebody could wait inside for whoever comes from there.
        msg = f"the name {body.name} is one of the sign-in elsewhere: choose another (请换一个名称)"
        raise StoreError(msg)
    made = desk.store.accounts.add(
        body.name, actor=caller.actor, display_name=body.display_name,
        password_hash=door.hash(body.password, name=body.name), grants=grants,
    )  # fmt: skip
    return _shown(made)


@router.put("/{account}/grants", summary="设置账号角色", dependencies=[Keeper])
def set_grants(desk: DeskIs, caller: CallerIs, account: str, body: GrantsIn) -> dict[str, Any]:
    """Say anew what an account may do, within the area that the caller keeps."""
    known = _kept(desk.store, caller, account)
    _require_ours(known)
    grants = _given(caller, body.grants)
    if known.id == caller.actor:
        _require_still_in(known, grants)
    changed = desk.store.accounts.set_grants(known.id, grants, actor=caller.actor, must_stay=_LAST)
    return _shown(changed)


@router.put(
    "/{account}/password", summary="重置账号密码", status_code=204, dependencies=[Keeper]
)  # fmt: skip
def set_password(
    desk: DeskIs, caller: CallerIs, door: DoorIs, account: str, body: PasswordIn
) -> Response:
    """Give somebody else a new password; all their sessions end."""
    known = _kept(desk.store, caller, account)
    _require_ours(known)
    if known.id == caller.actor:
        msg = "this is your own account: change its password with the old one (请用原密码修改)"
        raise AccessError(msg)
    made = door.hash(body.new, name=known.name)
    desk.store.accounts.set_password(known.id, made, actor=caller.actor)
    return Response(status_code=204)


@router.put("/{account}/active", summary="启用或停用账号", dependencies=[Keeper])
def set_active(desk: DeskIs, caller: CallerIs, account: str, body: ActiveIn) -> dict[str, Any]:
    """Let an account in again, or keep it out; all its sessions end, and its keys open nothing."""
    known = _kept(desk.store, caller, account)
    if known.id == caller.actor and not body.is_active:
        msg = "this is your own account: somebody else must close it (不能停用自己的账号)"
        raise StateError(msg)
    desk.store.accounts.set_active(
        known.id, is_active=body.is_active, actor=caller.actor, must_stay=_LAST
    )
    return _shown(desk.store.accounts.get(known.id))


def _shown(account: Account) -> dict[str, Any]:
    return {
        "id": account.id, "name": account.name, "display_name": account.display_name,
        "is_active": account.is_active, "has_password": account.password_hash != "",
        "grants": [[grant.role, grant.area] for grant in account.grants],
    }  # fmt: skip


def _keeps(caller: Caller, grants: Iterable[StoredGrant]) -> bool:
    """Tell whether somebody keeps an account: all that it may do lies within their area."""
    return caller.may(Action.MANAGE_ACCOUNTS, [grant.area for grant in grants])


def _kept(store: Store, caller: Caller, account_id: str) -> Account:
    known = store.accounts.get(account_id)
    if not _keeps(caller, known.grants):
        msg = "this account reaches beyond the area that you keep (超出你的管理范围)"
        raise AccessError(msg)
    return known


def _given(caller: Caller, pairs: Iterable[tuple[Role, str]]) -> list[StoredGrant]:
    """Return grants that somebody may give."""
    grants = [Grant(role, area) for role, area in pairs]
    if not grants:
        # An account of no area is in nobody's area but the whole.
        caller.require(Action.MANAGE_ACCOUNTS)
    for grant in grants:
        if not may_give(caller.grants, grant):
            where = grant.area or "(everywhere)"
            msg = f"the area {where} is not yours to give away (超出你的管理范围)"
            raise AccessError(msg)
    return [StoredGrant(grant.role.value, grant.area) for grant in grants]


def _require_ours(account: Account) -> None:
    if is_oidc_name(account.name):
        msg = (
            "this account comes from the sign-in elsewhere, which says its roles and its password: "
            "change them there (该账号由统一认证管理)"
        )
        raise StateError(msg)


def _require_still_in(account: Account, grants: Iterable[StoredGrant]) -> None:
    """Refuse to take from oneself what one would have to give back."""
    held = {grant.area for grant in account.grants if grant.role == Role.ADMIN}
    kept = {grant.area for grant in grants if grant.role == Role.ADMIN}
    if any(not any(area.startswith(prefix) for prefix in kept) for area in held):
        msg = (
            "you would keep accounts no more: somebody else must take that away "
            "(不能撤销自己的管理权限)"
        )
        raise StateError(msg)
