"""Routes of signing in and out, and of what everyone keeps of their own: password and keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from geogrid.accounts.passwords import MAX_LENGTH
from geogrid.accounts.roles import Action
from geogrid.accounts.tokens import new_api_key
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.browsers import begin_session, end_session
from geogrid.api.problems import AccessError, SignInError
from geogrid.api.security import CallerIs, DoorIs, open_to_all, requires
from geogrid.errors import StateError

__all__ = ["Name", "Password", "router"]

router = APIRouter(prefix="/api/v1")

_MOST_KEYS = 20

Name = Annotated[str, Field(min_length=1, max_length=100)]
Password = Annotated[str, Field(max_length=MAX_LENGTH)]


class LoginIn(BaseModel):
    """Name and password, 登录."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    password: Password


class NewPasswordIn(BaseModel):
    """The password of before and the one that takes its place, 修改密码."""

    model_config = ConfigDict(extra="forbid")

    old: Password
    new: Password


class KeyIn(BaseModel):
    """What a new key is for, 密钥用途."""

    model_config = ConfigDict(extra="forbid")

    label: Name


@router.get("/me", summary="当前用户", dependencies=[open_to_all()])
def me(response: Response, desk: DeskIs, caller: CallerIs, door: DoorIs) -> dict[str, Any]:
    """Tell who is signed in, what they may do, and the proof that writes must carry."""
    response.headers["Cache-Control"] = "no-store"
    user = None
    if caller.account is not None:
        grants = [
            {"role": one.role, "role_zh": one.role.label_zh, "project": None,
             "parents": [one.area] if one.area else []}
            for one in caller.grants
        ]  # fmt: skip
        user = {
            "name": caller.account.display_name,
            "roles": grants,
            "has_password": caller.account.password_hash != "",
        }
    elsewhere = desk.settings.oidc
    return {
        "user": user,
        "csrf": door.csrf(caller),
        "anonymous_viewing": desk.settings.has_anonymous_viewing,
        "synthetic": desk.is_synthetic,
        "sign_in": {
            "password": True,
            "oidc": None if elsewhere is None else {"title": elsewhere.title},
        },
    }


@router.post("/login", summary="登录", status_code=204, dependencies=[open_to_all()])
def login(request: Request, desk: DeskIs, door: DoorIs, body: LoginIn) -> Response:
    """Sign in by name and password."""
    now = desk.store.database.moment()
    known = door.sign_in(body.name, body.password, _address_of(request), now)
    begin_session(request, desk.store, known.id, policy=desk.settings.session)
    return Response(status_code=204)


@router.post("/logout", summary="退出登录", status_code=204, dependencies=[open_to_all()])
def logout(request: Request, desk: DeskIs, caller: CallerIs) -> Response:
    """Sign out; the session opens nothing any more."""
    end_session(request, desk.store, caller.session)
    return Response(status_code=204)


@router.put(
    "/me/password", summary="修改自己的密码", status_code=204,
    dependencies=[requires(Action.CHANGE_OWN_PASSWORD)],
)  # fmt: skip
def change_password(
    request: Request, desk: DeskIs, caller: CallerIs, door: DoorIs, body: NewPasswordIn
) -> Response:
    """Change one's own password; every session ends, and this browser gets a new one."""
    known = caller.account
    if known is None:
        msg = "sign in first: only who is signed in has a password to change (请先登录)"
        raise SignInError(msg)
    if not known.password_hash:
        msg = "this account signs in without a password: there is none to change (该账号没有密码)"
        raise AccessError(msg)
    now = desk.store.database.moment()
    try:
        # The wait of those who fail holds here too: an open browser is no place to guess at.
        door.sign_in(known.name, body.old, _address_of(request), now)
    except SignInError as fault:
        msg = "the old password is not the right one: type it again (原密码不正确)"
        raise AccessError(msg) from fault
    made = door.hash(body.new, name=known.name)
    desk.store.accounts.set_password(known.id, made, actor=known.id)
    if caller.session:
        begin_session(request, desk.store, known.id, policy=desk.settings.session)
    return Response(status_code=204)


@router.get("/me/keys", summary="自己的密钥", dependencies=[requires(Action.MANAGE_OWN_KEYS)])
def keys(desk: DeskIs, caller: CallerIs) -> list[dict[str, Any]]:
    """Return one's own keys, the oldest first, without what opens."""
    return [
        {"id": one.id, "label": one.label, "created_at": one.created_at,
         "expires_at": one.expires_at or None, "revoked_at": one.revoked_at or None}
        for one in desk.store.accounts.keys(caller.actor)
    ]  # fmt: skip


@router.post(
    "/me/keys", summary="新建自己的密钥", status_code=201,
    dependencies=[requires(Action.MANAGE_OWN_KEYS)],
)  # fmt: skip
def add_key(response: Response, desk: DeskIs, caller: CallerIs, body: KeyIn) -> dict[str, Any]:
    """Make a key for a program of one's own; it is told once."""
    response.headers["Cache-Control"] = "no-store"
    if sum(not one.revoked_at for one in desk.store.accounts.keys(caller.actor)) >= _MOST_KEYS:
        msg = f"you have {_MOST_KEYS} keys: revoke one that is not used (密钥已达上限)"
        raise StateError(msg)
    key = new_api_key()
    label = f"{key.prefix} {body.label}"
    stored = desk.store.accounts.add_key(
        caller.actor, key.secret_hash, label=label, actor=caller.actor
    )
    return {"id": stored.id, "key": key.key, "label": label}


@router.delete(
    "/me/keys/{key}", summary="停用自己的密钥", status_code=204,
    dependencies=[requires(Action.MANAGE_OWN_KEYS)],
)  # fmt: skip
def revoke_key(desk: DeskIs, caller: CallerIs, key: str) -> Response:
    """Let a key of one's own open nothing any more."""
    desk.store.accounts.revoke_key(key, actor=caller.actor, account_id=caller.actor)
    return Response(status_code=204)


def _address_of(request: Request) -> str:
    return request.client.host if request.client else ""
