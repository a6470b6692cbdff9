"""Routes of signing in and out, and of those who keep accounts."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from geogrid.accounts.passwords import MAX_LENGTH, hash_password
from geogrid.accounts.roles import Action, Grant, Role, may_give
from geogrid.accounts.tokens import hash_secret, new_api_key, new_session
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.problems import AccessError
from geogrid.api.security import COOKIE, CallerIs, Door, open_to_all, requires
from geogrid.store import Grant as StoredGrant

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")

Name = Annotated[str, Field(min_length=1, max_length=100)]
Password = Annotated[str, Field(max_length=MAX_LENGTH)]


class LoginIn(BaseModel):
    """Name and password, 登录."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Password


class AccountIn(BaseModel):
    """A new account, 账号."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    display_name: Annotated[str, Field(max_length=100)] = ""
    password: Password
    grants: list[tuple[Role, str]] = Field(
        default_factory=list, max_length=100, description="Pairs of role and area code"
    )


class KeyIn(BaseModel):
    """What a new key is for, 密钥用途."""

    model_config = ConfigDict(extra="forbid")

    label: Name


def door_of(request: Request) -> Door:
    """Return whoever lets people in."""
    door: Door = request.app.state.door
    return door


@router.get("/me", summary="当前用户", dependencies=[open_to_all()])
def me(request: Request, response: Response, desk: DeskIs, caller: CallerIs) -> dict[str, Any]:
    """Tell who is signed in, what they may do, and the proof that writes must carry."""
    response.headers["Cache-Control"] = "no-store"
    user = None
    if caller.account is not None:
        grants = [
            {"role": one.role, "role_zh": one.role.label_zh, "project": None,
             "parents": [one.area] if one.area else []}
            for one in caller.grants
        ]  # fmt: skip
        user = {"name": caller.account.display_name, "roles": grants}
    return {
        "user": user,
        "csrf": door_of(request).csrf(caller),
        "anonymous_viewing": desk.settings.has_anonymous_viewing,
        "synthetic": _is_synthetic(desk),
    }


@router.post("/login", summary="登录", status_code=204, dependencies=[open_to_all()])
def login(request: Request, desk: DeskIs, body: LoginIn) -> Response:
    """Sign in by name and password."""
    now = desk.store.database.moment()
    address = request.client.host if request.client else ""
    known = door_of(request).sign_in(body.name, body.password, address, now)
    session = new_session(now, policy=desk.settings.session)
    desk.store.accounts.add_session(
        known.id, session.secret_hash, expires_at=now + desk.settings.session.longest
    )
    response = Response(status_code=204)
    response.set_cookie(
        COOKIE, session.token, httponly=True, samesite="lax", secure=desk.settings.is_https,
        path="/", max_age=int(desk.settings.session.longest.total_seconds()),
    )  # fmt: skip
    return response


@router.post("/logout", summary="退出登录", status_code=204, dependencies=[open_to_all()])
def logout(desk: DeskIs, caller: CallerIs) -> Response:
    """Sign out; the session opens nothing any more."""
    if caller.session:
        desk.store.accounts.end_session(hash_secret(caller.session))
    response = Response(status_code=204)
    response.delete_cookie(
        COOKIE, path="/", httponly=True, samesite="lax", secure=desk.settings.is_https
    )
    return response


@router.get("/accounts", summary="账号列表", dependencies=[requires(Action.MANAGE_ACCOUNTS)])
def accounts(desk: DeskIs, caller: CallerIs) -> list[dict[str, Any]]:
    """Return the accounts that the caller may keep, without any secret."""
    return [
        {
            "id": one.id, "name": one.name, "display_name": one.display_name,
            "is_active": one.is_active,
            "grants": [[grant.role, grant.area] for grant in one.grants],
        }
        for one in desk.store.accounts.all()
        if caller.may(Action.MANAGE_ACCOUNTS, [grant.area for grant in one.grants])
    ]  # fmt: skip


@router.post(
    "/accounts", summary="新建账号", status_code=201,
    dependencies=[requires(Action.MANAGE_ACCOUNTS)],
)  # fmt: skip
def add_account(desk: DeskIs, caller: CallerIs, body: AccountIn) -> dict[str, Any]:
    """Add an account; nobody gives away more than the area that they keep."""
    grants = [Grant(role, area) for role, area in body.grants]
    if not grants:
        caller.require(Action.MANAGE_ACCOUNTS)
    for grant in grants:
        if not may_give(caller.grants, grant):
            msg = f"the area {grant.area or '(everywhere)'} is not yours to give away"
            raise AccessError(msg)
    made = desk.store.accounts.add(
        body.name, actor=caller.actor, display_name=body.display_name,
        password_hash=hash_password(body.password, name=body.name),
        grants=[StoredGrant(grant.role.value, grant.area) for grant in grants],
    )  # fmt: skip
    return {"id": made.id, "name": made.name}


@router.post(
    "/me/keys", summary="新建自己的密钥", status_code=201,
    dependencies=[requires(Action.MANAGE_OWN_KEYS)],
)  # fmt: skip
def add_key(response: Response, desk: DeskIs, caller: CallerIs, body: KeyIn) -> dict[str, Any]:
    """Make a key for a program of one's own; it is told once."""
    response.headers["Cache-Control"] = "no-store"
    key = new_api_key()
    label = f"{key.prefix} {body.label}"
    stored = desk.store.accounts.add_key(
        caller.actor, key.secret_hash, label=label, actor=caller.actor
    )
    return {"id": stored.id, "key": key.key, "label": label}


def _is_synthetic(desk: DeskIs) -> bool:
    plans = [one.id for one in desk.plans() if desk.head(one.id)]
    return any(
        source.is_synthetic for plan in plans for source in desk.store.read(desk.head(plan)).sources
    )
