"""Who asks, and whether they may: one dependency, from the one table of permissions."""

from __future__ import annotations

from dataclasses import dataclass
from threading import BoundedSemaphore, Lock
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import Depends, Request
from starlette.concurrency import run_in_threadpool

from geogrid.accounts.passwords import check_password, hash_password
from geogrid.accounts.roles import PERMISSIONS, Action, Grant, Role, Scope, grants_of, may
from geogrid.accounts.throttle import (
    ACCOUNT_POLICY,
    ADDRESS_POLICY,
    Failures,
    account_key,
    address_key,
    after_failure,
    after_success,
    remaining_wait,
    without_forgotten,
)
from geogrid.accounts.tokens import (
    check_csrf_token,
    csrf_token,
    hash_secret,
    sign_text,
    signed_text,
)
from geogrid.api.browsers import COOKIE, find_session, follow_session
from geogrid.api.problems import AccessError, SignInError, TooManyError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from geogrid.api.settings import ServiceSettings
    from geogrid.store import Account, Store

__all__ = [
    "Caller",
    "CallerIs",
    "Door",
    "DoorIs",
    "actions_of",
    "open_to_all",
    "requires",
]

_BEARER = "bearer "
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_ANYBODY = (Grant(Role.VIEWER),)
_MANY = 10_000
_HASHES = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Whoever asks.

    Attributes
    ----------
    account
        ``None`` where nobody is signed in.
    grants
        What they may do, and where.
    session
        What names the session of their browser, "" where they have none; never its token.
    """

    account: Account | None
    grants: tuple[Grant, ...]
    session: str = ""

    def __repr__(self) -> str:
        # What is printed ends in logs.
        return f"Caller(account={self.account!r})"

    @property
    def actor(self) -> str:
        """The identifier under which what they do is written down."""
        return "" if self.account is None else self.account.id

    def may_somewhere(self, action: Action) -> bool:
        """Tell whether they may do something anywhere at all."""
        scopes = PERMISSIONS[action].scopes
        return any(scopes[grant.role] is not Scope.NOWHERE for grant in self.grants)

    def may(self, action: Action, areas: Iterable[str] = (), *, is_own: bool = False) -> bool:
        """Tell whether they may do something to all of some areas, given by codes."""
        return may(self.grants, action, areas=areas, is_own=is_own)

    def require(self, action: Action, areas: Iterable[str] = (), *, is_own: bool = False) -> None:
        """Refuse what they may not do.

        Raises
        ------
        AccessError
            If one of the areas is not theirs.
        """
        touched = sorted(areas)
        if self.may(action, touched, is_own=is_own):
            return
        others = [code for code in touched if not self.may(action, [code])]
        if others:
            named = ", ".join(others[:5])
            msg = (
                f"these cells are outside the area that was given to you: {named} "
                f"({_zh(action)}：{named}不在您的辖区)"
            )
        else:
            msg = (
                f"you may not do this to the whole plan or to your own work "
                f"({_zh(action)}：只能对辖区内、非本人绘制的方案操作)"
            )
        raise AccessError(msg)


class Door:
    """Lets people in: passwords, sessions, keys, and how long somebody who failed must wait."""

    def __init__(self, store: Store, settings: ServiceSettings) -> None:
        self._store = store
        self._settings = settings
        # One key for all processes: a page that one of them gave is known to the others.
        self._key = store.sessions.server_key()
        self._lock = Lock()
        self._hashing = BoundedSemaphore(_HASHES)
        self._failures: dict[bool, dict[str, Failures]] = {True: {}, False: {}}

    def caller(self, request: Request) -> Caller:
        """Return who asks.

        Raises
        ------
        SignInError
            If a key opens nothing.
        AccessError
            If a browser's request does not prove that our own page made it.
        """
        words = request.headers.get("authorization", "")
        if words.lower().startswith(_BEARER):
            known = self._store.accounts.of_key(hash_secret(words[len(_BEARER) :].strip()))
            if known is None:
                msg = "this key opens nothing: ask for a new one"
                raise SignInError(msg)
            return _caller_of(known)
        policy = self._settings.session
        found = find_session(request, self._store, policy=policy)
        if found is None:
            return self.stranger()
        if request.method not in _SAFE:
            proof = request.headers.get("x-csrf-token", "")
            if not check_csrf_token(proof, found.id, self._key):
                msg = (
                    "the request lacks its X-CSRF-Token: ask /api/v1/me for it and send it along "
                    "(登录已失效：请刷新页面)"
                )
                raise AccessError(msg)
        follow_session(request, self._store, found, policy=policy)
        return _caller_of(found.account, found.id)

    def again(self, request: Request, caller: Caller) -> Caller | None:
        """Return who asked, as they are by now; ``None`` once what they came in by is over.

        What is answered for long asks this: the token that it came by may be exchanged meanwhile.
        """
        if caller.account is None:
            return self.stranger()
        if caller.session:
            known = self._store.sessions.account(caller.session)
        else:
            words = request.headers.get("authorization", "")
            known = self._store.accounts.of_key(hash_secret(words[len(_BEARER) :].strip()))
        return None if known is None else _caller_of(known, caller.session)

    def stranger(self) -> Caller:
        """Return somebody who is not signed in."""
        grants = _ANYBODY if self._settings.has_anonymous_viewing else ()
        return Caller(account=None, grants=grants)

    def csrf(self, caller: Caller) -> str:
        """Return the proof that a browser must send along with what it changes."""
        return csrf_token(caller.session, self._key) if caller.session else ""

    def sign(self, text: str, *, purpose: str) -> str:
        """Return a text that only this service can have written."""
        return sign_text(text, self._key, purpose=purpose)

    def signed(self, signed: str, *, purpose: str) -> str | None:
        """Return what this service signed, ``None`` where it did not."""
        return signed_text(signed, self._key, purpose=purpose)

    def hash(self, password: str, *, name: str) -> str:
        """Return the hash of a new password; ``InputError`` if it breaks a rule."""
        with self._hashing:
            return hash_password(password, name=name)

    def sign_in(self, name: str, password: str, address: str, now: datetime) -> Account:
        """Return the account that a name and a password open.

        Raises
        ------
        TooManyError
            If too many tries failed before.
        SignInError
            If they open nothing; it does not say which of them is wrong.
        """
        keys = ((True, account_key(name)), (False, address_key(address)))
        # A hash takes much memory: only a few are made at a time, and each try is counted.
        with self._hashing:
            return self._signed_in(name, password, keys, now)

    def _signed_in(
        self, name: str, password: str, keys: tuple[tuple[bool, str], ...], now: datetime
    ) -> Account:
        wait = max(self._wait(is_account, key, now) for is_account, key in keys)
        if wait > 0:
            msg = f"too many tries failed: wait {wait} seconds"
            raise TooManyError(msg, wait)
        known = self._store.accounts.by_name(name)
        is_right = check_password(known.password_hash if known else "", password)
        if known is None or not is_right or not known.is_active:
            for is_account, key in keys:
                self._failed(is_account, key, now)
            msg = "name and password do not belong together"
            raise SignInError(msg)
        with self._lock:
            state = self._failures[True].pop(keys[0][1], Failures())
            kept = after_success(state, is_account=True)
            if kept.count:
                self._failures[True][keys[0][1]] = kept
        return known

    def _wait(self, is_account: bool, key: str, now: datetime) -> int:  # noqa: FBT001 - a key
        policy = ACCOUNT_POLICY if is_account else ADDRESS_POLICY
        with self._lock:
            state = self._failures[is_account].get(key, Failures())
        left = remaining_wait(state, now, policy).total_seconds()
        return 0 if left <= 0 else int(left) + 1

    def _failed(self, is_account: bool, key: str, now: datetime) -> None:  # noqa: FBT001 - a key
        policy = ACCOUNT_POLICY if is_account else ADDRESS_POLICY
        with self._lock:
            states = self._failures[is_account]
            if len(states) >= _MANY:
                states = self._failures[is_account] = without_forgotten(states, now, policy)
            states[key] = after_failure(states.get(key, Failures()), now, policy)


def _caller_of(account: Account, session: str = "") -> Caller:
    grants = grants_of((grant.role, grant.area) for grant in account.grants)
    return Caller(account=account, grants=grants, session=session)


def _zh(action: Action) -> str:
    return action.label_zh


def door_of(request: Request) -> Door:
    """Return whoever lets people in."""
    door: Door = request.app.state.door
    return door


async def caller_of(request: Request) -> Caller:
    """Return who asks, found out once a request."""
    door = door_of(request)
    if "authorization" in request.headers or COOKIE in request.cookies:
        return await run_in_threadpool(door.caller, request)
    return door.stranger()


CallerIs = Annotated[Caller, Depends(caller_of)]
DoorIs = Annotated[Door, Depends(door_of)]


def requires(*actions: Action) -> Any:  # noqa: ANN401 - what FastAPI's Depends gives
    """Return the dependency of a route that does something, or one of several things.

    It refuses who may not do any of that anywhere; a handler that knows which cells it touches
    asks again with their codes.
    """

    async def _check(caller: CallerIs) -> None:
        if any(caller.may_somewhere(action) for action in actions):
            return
        if caller.account is None:
            msg = f"sign in first: this is not open to everyone ({_zh(actions[0])}：请先登录)"
            raise SignInError(msg)
        zh = f"您没有“{_zh(actions[0])}”的权限：请联系管理员"
        msg = f"your roles do not allow this: ask whoever keeps the accounts ({zh})"
        raise AccessError(msg)

    _check.actions = actions  # type: ignore[attr-defined]
    return Depends(_check)


def open_to_all() -> Any:  # noqa: ANN401 - what FastAPI's Depends gives
    """Return the dependency that says of a route, on purpose, that anybody may use it."""
    return Depends(_anybody)


async def _anybody() -> None:
    return None


_anybody.actions = ()  # type: ignore[attr-defined]


def actions_of(route: Any) -> list[tuple[Action, ...]]:  # noqa: ANN401 - a route of FastAPI
    """Return what a route declares: the actions of each declaration, none where it is open."""
    calls = [one.call for one in route.dependant.dependencies]
    return [call.actions for call in calls if hasattr(call, "actions")]
