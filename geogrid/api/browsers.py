"""How a browser stays signed in: a session begins, its token is exchanged, and it ends."""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.accounts.tokens import (
    SessionStanding,
    hash_secret,
    new_session,
    rotate_session,
    standing_of,
    use_session,
)
from geogrid.api.cookies import drop_cookie, put_cookie
from geogrid.front.lane import COOKIE

if TYPE_CHECKING:
    from fastapi import Request

    from geogrid.accounts.tokens import SessionPolicy
    from geogrid.store import OpenSession, Store

__all__ = ["COOKIE", "begin_session", "end_session", "find_session", "follow_session"]


def begin_session(
    request: Request, store: Store, account_id: str, *, policy: SessionPolicy
) -> None:
    """Sign a browser in: always with a new token, and the session that it had before ends."""
    before = find_session(request, store, policy=policy)
    if before is not None:
        store.sessions.end(before.id)
    session = new_session(store.database.moment(), policy=policy)
    store.sessions.begin(account_id, session)
    _send(request, session.token, policy)


def end_session(request: Request, store: Store, session_id: str) -> None:
    """Sign a browser out."""
    if session_id:
        store.sessions.end(session_id)
    drop_cookie(request, COOKIE)


def find_session(request: Request, store: Store, *, policy: SessionPolicy) -> OpenSession | None:
    """Return the session that a request comes with, ``None`` where it opens nothing."""
    token = request.cookies.get(COOKIE, "")
    found = store.sessions.find(hash_secret(token)) if token else None
    if found is None:
        return None
    standing = standing_of(found.session, store.database.moment(), policy=policy)
    return None if standing is SessionStanding.ENDED else found


def follow_session(
    request: Request, store: Store, found: OpenSession, *, policy: SessionPolicy
) -> None:
    """Note that a session is used, and exchange its token where that is due."""
    now = store.database.moment()
    session = found.session
    if found.is_newest:
        is_due = standing_of(session, now, policy=policy) is SessionStanding.ROTATE
    else:
        # The answer with the newest token was thrown away: maps give up what moves out of view.
        is_due = found.is_awaited and now - session.issued_at >= policy.grace
    if is_due:
        made = rotate_session(session, now, policy=policy)
        came_by = hash_secret(request.cookies[COOKIE])
        since = session.issued_at
        if store.sessions.exchange(found.id, made, came_by=came_by, since=since):
            _send(request, made.token, policy)
        return
    used = use_session(session, now, policy=policy)
    if found.is_newest and found.is_awaited:
        store.sessions.note(found.id, used, old_until=now + policy.grace)
    elif used is not session:
        store.sessions.note(found.id, used)


def _send(request: Request, token: str, policy: SessionPolicy) -> None:
    put_cookie(request, COOKIE, token, max_age_s=int(policy.longest.total_seconds()))
