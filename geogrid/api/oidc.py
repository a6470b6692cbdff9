"""Routes of signing in at another service (OpenID Connect).

What must be known again when the browser comes back lies in a cookie that the service signed: so
any of its processes can go on, and nothing is kept for those who never come back.
"""

from __future__ import annotations

import json
import logging
import time
import tomllib
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Query, Request
from fastapi.responses import RedirectResponse

from geogrid.accounts.oidc import (
    OidcProvider,
    OidcSettings,
    SignIn,
    account_name,
    authorization_url,
    bound_name,
    check_callback,
    check_id_token,
    display_name,
    grants_of_claims,
    new_sign_in,
    provider_of,
    settings_of,
    token_request,
)
from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.browser_pages import BrowserRoute
from geogrid.api.browsers import begin_session
from geogrid.api.cookies import drop_cookie, put_cookie
from geogrid.api.fetch import fetch_json
from geogrid.api.problems import AccessError, SignInError, UpstreamError
from geogrid.api.security import DoorIs, open_to_all
from geogrid.errors import InputError, MissingFileError, NotStoredError
from geogrid.store import Grant

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from pathlib import Path

    from geogrid.store import Account, Store

__all__ = ["SIGN_IN_COOKIE", "OidcDesk", "read_oidc_settings", "router"]

_LOG = logging.getLogger(__name__)

SIGN_IN_COOKIE = "geogrid_sign_in"
_PATH = "/api/v1/login/oidc"
_BACK = f"{_PATH}/callback"
_PURPOSE = "oidc"
_ACTOR = "oidc"
# Long enough to find one's second factor.
_WAIT_S = 600
# A provider that moves its addresses is followed so soon.
_KEPT_S = 600.0
_MOST_PATH = 2000
_PRINTABLE = range(0x21, 0x7F)
_REFUSED = "the sign-in was refused: begin it again (登录未成功，请重新登录)"

router = APIRouter(prefix="/api/v1", route_class=BrowserRoute)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Begun:
    """A sign-in that a browser was sent away for."""

    sign_in: SignIn
    path: str


class OidcDesk:
    """What is asked of the provider, its own document once in ten minutes."""

    def __init__(self, settings: OidcSettings) -> None:
        self.settings = settings
        self._known: tuple[float, OidcProvider] | None = None
        self._has_bound = False

    def bind(self, store: Store) -> None:
        """Write down who vouches for accounts of a time when nobody did; once a process.

        There was one provider then, and this service asks it before another can take its place.
        """
        if self._has_bound:
            return
        for one in store.accounts.all():
            name = bound_name(one.name, self.settings)
            if name != one.name:
                store.accounts.rename(one.id, name, actor=_ACTOR)
        self._has_bound = True

    def provider(self) -> OidcProvider:
        """Return what the provider says of itself.

        Raises
        ------
        UpstreamError
            If it does not answer.
        InputError
            If it is another one, or one of its addresses is not safe.
        """
        known = self._known
        if known is None or time.monotonic() - known[0] > _KEPT_S:
            address = f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration"
            found = provider_of(fetch_json(address), self.settings)
            known = self._known = (time.monotonic(), found)
        return known[1]

    def claims(self, code: str, sign_in: SignIn, now: datetime) -> dict[str, Any]:
        """Exchange a code for who it is.

        Raises
        ------
        SignInError
            If the provider takes the code for wrong.
        UpstreamError
            If it does not answer.
        InputError
            If its token does not hold.
        """
        provider = self.provider()
        form, headers = token_request(provider, self.settings, code, sign_in.verifier)
        try:
            answer = fetch_json(provider.token_endpoint, form=form, headers=headers)
        except UpstreamError as fault:
            # The log says which of the two sides to look at; the code itself is in no log.
            _LOG.warning("the provider answered %d to a code", fault.status)
            if fault.status == HTTPStatus.BAD_REQUEST:
                raise SignInError(_REFUSED) from fault
            raise
        keys = fetch_json(provider.jwks_uri)
        token = str(answer.get("id_token", ""))
        return check_id_token(token, keys, self.settings, nonce=sign_in.nonce, now=now)


def read_oidc_settings(path: Path) -> OidcSettings:
    """Read the settings of the sign-in elsewhere from a TOML file.

    Raises
    ------
    MissingFileError
        If there is no such file.
    InputError
        If it is no TOML, or a setting is wrong.
    """
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as fault:
        msg = f"{path} cannot be read ({fault.strerror}): check the name"
        raise MissingFileError(msg) from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        msg = f"{path} is no TOML file: {fault}"
        raise InputError(msg) from fault
    settings = settings_of(table)
    if urlsplit(settings.redirect_uri).path != _BACK:
        msg = f"the redirect_uri must end in {_BACK}, where the service waits: change it"
        raise InputError(msg)
    return settings


@router.get("/login/oidc", summary="统一认证登录", dependencies=[open_to_all()])
def leave(
    request: Request,
    desk: DeskIs,
    door: DoorIs,
    path: Annotated[
        str, Query(alias="next", description="Path to come back to, 登录后的页面")
    ] = "/app/",
) -> RedirectResponse:
    """Send the browser to the other service."""
    oidc = _desk_of(request)
    oidc.bind(desk.store)
    if not _is_local(path):
        msg = "next must be a path of this service, such as /app/: leave it away"
        raise InputError(msg)
    sign_in = new_sign_in()
    until = desk.store.database.moment().timestamp() + _WAIT_S
    begun = {
        "state": sign_in.state, "nonce": sign_in.nonce, "verifier": sign_in.verifier,
        "path": path, "until": until,
    }  # fmt: skip
    signed = door.sign(json.dumps(begun), purpose=_PURPOSE)
    address = authorization_url(oidc.provider(), oidc.settings, sign_in)
    put_cookie(request, SIGN_IN_COOKIE, signed, max_age_s=_WAIT_S, path=_PATH)
    return RedirectResponse(address, HTTPStatus.FOUND)


@router.get("/login/oidc/callback", summary="统一认证返回", dependencies=[open_to_all()])
def come_back(request: Request, desk: DeskIs, door: DoorIs) -> RedirectResponse:
    """Let in whom the other service has sent back, with the roles that it names."""
    oidc = _desk_of(request)
    oidc.bind(desk.store)
    # One try for one sign-in, whatever comes of it.
    drop_cookie(request, SIGN_IN_COOKIE, path=_PATH)
    now = desk.store.database.moment()
    kept = request.cookies.get(SIGN_IN_COOKIE, "")
    begun = _begun(door.signed(kept, purpose=_PURPOSE), now)
    try:
        code = check_callback(dict(request.query_params), begun.sign_in, oidc.settings)
        claims = oidc.claims(code, begun.sign_in, now)
        known = _account_of(desk.store, claims, oidc.settings)
    except InputError as fault:
        raise SignInError(str(fault)) from fault
    begin_session(request, desk.store, known.id, policy=desk.settings.session)
    return RedirectResponse(begun.path, HTTPStatus.FOUND)


def _desk_of(request: Request) -> OidcDesk:
    found: OidcDesk | None = request.app.state.oidc
    if found is None:
        msg = "no sign-in elsewhere is set up: sign in by name and password (未配置统一认证)"
        raise NotStoredError(msg)
    return found


def _begun(text: str | None, now: datetime) -> _Begun:
    """Return the sign-in that this browser was sent away for."""
    if text is not None:
        one = json.loads(text)
        if now.timestamp() < one["until"]:
            names = ("state", "nonce", "verifier")
            return _Begun(sign_in=SignIn(**{name: one[name] for name in names}), path=one["path"])
    msg = "this browser did not begin the sign-in, or too long ago: begin it again (请重新登录)"
    raise SignInError(msg)


def _account_of(store: Store, claims: Mapping[str, Any], settings: OidcSettings) -> Account:
    """Return the account of whoever signed in, with what their claims let them do."""
    name = account_name(claims, settings)
    grants = [Grant(one.role.value, one.area) for one in grants_of_claims(claims, settings)]
    known = store.accounts.by_name(name)
    if known is not None and set(known.grants) != set(grants):
        # Before anything is refused: who has lost their roles there has lost them here.
        known = store.accounts.set_grants(known.id, grants, actor=_ACTOR)
    if not grants:
        msg = "you have no role here: ask whoever gives roles at the sign-in (尚未分配角色)"
        raise AccessError(msg)
    if known is None:
        shown = display_name(claims)
        known = store.accounts.add(name, actor=_ACTOR, display_name=shown, grants=grants)
    if not known.is_active:
        msg = "this account is closed: ask whoever keeps the accounts (账号已停用)"
        raise SignInError(msg)
    return known


def _is_local(path: str) -> bool:
    r"""Tell whether a browser that gets a path stays on this host.

    Browsers take ``\`` for ``/``, drop tabs and line ends, and read ``//host`` as a host.
    """
    is_plain = len(path) <= _MOST_PATH and all(ord(one) in _PRINTABLE for one in path)
    return is_plain and path.startswith("/") and not path.startswith("//") and "\\" not in path
