"""Sign-in at another service (OpenID Connect): code with PKCE, checked claims, roles from them.

Only the parts that need no network are here; fetching the provider's document, its keys and the
token is the web layer's. Tokens are checked with PyJWT: a few checked lines on a document of keys
are all that is needed, it has types, and unlike Authlib it brings no clients of web frameworks.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import quote_plus, urlencode, urlsplit

import jwt

from geogrid.accounts.roles import Grant, grants_of
from geogrid.errors import InputError

if TYPE_CHECKING:
    from datetime import datetime

__all__ = [
    "OidcProvider",
    "OidcSettings",
    "SignIn",
    "account_name",
    "authorization_url",
    "bound_name",
    "challenge_of",
    "check_callback",
    "check_id_token",
    "display_name",
    "grants_of_claims",
    "is_oidc_name",
    "new_sign_in",
    "provider_of",
    "settings_of",
    "token_request",
]

_SECRET_BYTES = 32
_LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
# Signed with a key that only the provider has: none of these can be made with a public key.
_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "EdDSA")
_LEEWAY_S = 60.0
_REFUSED = "the sign-in was refused: begin it again (登录未成功，请重新登录)"
# No account that somebody makes by hand has a name of this kind.
_PREFIX = "oidc:"
# In the place of the issuer, for accounts of a time when nobody wrote it down.
_UNKNOWN = "?"
# As OpenID Connect Core bounds it.
_MOST_SUB = 255
_MOST_NAME = 100
_PAIR = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcSettings:
    """How this service is known to a provider.

    Attributes
    ----------
    issuer
        Address of the provider, ``https``.
    client_id, client_secret
        As the provider gave them; a public client has no secret.
    redirect_uri
        Where the provider sends the browser back to.
    scopes
        What is asked for.
    roles_claim
        Path of the claim that names groups or roles, such as ``groups`` or
        ``realm_access.roles``.
    roles
        What each of its words means: pairs of a role and the code prefix of an area.
    title
        What the button to sign in says.
    """

    issuer: str
    client_id: str
    redirect_uri: str
    client_secret: str = field(default="", repr=False)
    scopes: tuple[str, ...] = ("openid", "profile")
    roles_claim: str = "groups"
    roles: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    title: str = "统一认证"

    def __post_init__(self) -> None:
        for name in ("issuer", "redirect_uri"):
            _require_address(getattr(self, name), f"the {name} of the sign-in")
        if not self.client_id or "openid" not in self.scopes:
            msg = "the sign-in needs a client_id, and openid among its scopes"
            raise InputError(msg)
        # A role that does not exist shows at the start, not when somebody comes.
        for pairs in self.roles.values():
            grants_of(pairs)


@dataclass(frozen=True, slots=True, kw_only=True)
class OidcProvider:
    """What a provider says of itself."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    # How a client proves itself: in a header where the provider says nothing else.
    takes_header: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SignIn:
    """What to remember between sending a browser away and its coming back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)


def settings_of(table: Mapping[str, Any]) -> OidcSettings:
    """Read settings as an operator writes them.

    Parameters
    ----------
    table
        The attributes of :class:`OidcSettings` by name; ``roles`` names for each word of the
        provider a list of pairs of a role and the code prefix of an area.

    Raises
    ------
    InputError
        If a setting is missing, unknown or of the wrong kind.
    """
    texts = ("issuer", "client_id", "redirect_uri", "client_secret", "roles_claim", "title")
    wrong = sorted(table.keys() - {*texts, "scopes", "roles"})
    wrong += sorted({"issuer", "client_id", "redirect_uri"} - table.keys())
    wrong += [name for name in texts if not isinstance(table.get(name, ""), str)]
    if wrong:
        msg = f"the settings of the sign-in elsewhere are wrong at {', '.join(wrong)}: check them"
        raise InputError(msg)
    values = {name: table[name] for name in texts if name in table}
    scopes, roles = table.get("scopes", ["openid", "profile"]), table.get("roles", {})
    if not _are_texts(scopes) or not isinstance(roles, Mapping):
        msg = "the settings of the sign-in elsewhere need a list of scopes and a table of roles"
        raise InputError(msg)
    return OidcSettings(
        **values, scopes=tuple(scopes),
        roles={word: _pairs(word, pairs) for word, pairs in roles.items()},
    )  # fmt: skip


def provider_of(document: Mapping[str, Any], settings: OidcSettings) -> OidcProvider:
    """Read the provider's own document.

    Raises
    ------
    InputError
        If it is another provider's, or one of its addresses is missing or not safe.
    """
    if document.get("issuer") != settings.issuer:
        msg = f"the provider is not {settings.issuer} by its own words: check the issuer"
        raise InputError(msg)
    names = ("authorization_endpoint", "token_endpoint", "jwks_uri")
    for name in names:
        _require_address(document.get(name), f"the {name} of {settings.issuer}")
    known = {name: str(document[name]) for name in names}
    methods = document.get("token_endpoint_auth_methods_supported")
    takes_header = not isinstance(methods, list) or "client_secret_basic" in methods
    return OidcProvider(issuer=settings.issuer, takes_header=takes_header, **known)


def new_sign_in() -> SignIn:
    """Begin a sign-in with three new secrets."""
    state, nonce, verifier = (secrets.token_urlsafe(_SECRET_BYTES) for _ in range(3))
    return SignIn(state=state, nonce=nonce, verifier=verifier)


def challenge_of(verifier: str) -> str:
    """Return the S256 challenge of a PKCE verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return urlsafe_b64encode(digest).rstrip(b"=").decode()


def authorization_url(provider: OidcProvider, settings: OidcSettings, sign_in: SignIn) -> str:
    """Return where to send the browser."""
    query = {
        "response_type": "code", "client_id": settings.client_id,
        "redirect_uri": settings.redirect_uri, "scope": " ".join(settings.scopes),
        "state": sign_in.state, "nonce": sign_in.nonce,
        "code_challenge": challenge_of(sign_in.verifier), "code_challenge_method": "S256",
    }  # fmt: skip
    join = "&" if urlsplit(provider.authorization_endpoint).query else "?"
    return f"{provider.authorization_endpoint}{join}{urlencode(query)}"


def check_callback(query: Mapping[str, str], sign_in: SignIn, settings: OidcSettings) -> str:
    """Return the code that a browser brought back.

    Raises
    ------
    InputError
        If it is not the browser that was sent, another provider answered (RFC 9207), or the
        provider refused.
    """
    said = query.get("state", "").encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(said, sign_in.state.encode()):
        raise InputError(_REFUSED)
    if query.get("iss", settings.issuer) != settings.issuer:
        raise InputError(_REFUSED)
    code = query.get("code", "")
    if "error" in query or not code:
        raise InputError(_REFUSED)
    return code


def token_request(
    provider: OidcProvider, settings: OidcSettings, code: str, verifier: str
) -> tuple[dict[str, str], dict[str, str]]:
    """Return the form and the headers that a code is exchanged with."""
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": settings.redirect_uri,
        "code_verifier": verifier,
    }  # fmt: skip
    if settings.client_secret and provider.takes_header:
        pair = f"{quote_plus(settings.client_id)}:{quote_plus(settings.client_secret)}"
        return form, {"Authorization": f"Basic {b64encode(pair.encode()).decode()}"}
    secret = {"client_secret": settings.client_secret} if settings.client_secret else {}
    return form | {"client_id": settings.client_id} | secret, {}


def check_id_token(
    token: str,
    keys: Mapping[str, Any],
    settings: OidcSettings,
    *,
    nonce: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the claims of an identity token whose signature and claims hold.

    Parameters
    ----------
    token
        The token as the provider gave it.
    keys
        The provider's document of keys (JWKS).
    nonce
        The one of this sign-in.
    now
        The time, with a zone.

    Raises
    ------
    InputError
        If it is forged, expired, for somebody else, or of another sign-in.
    """
    try:
        claims: dict[str, Any] = jwt.decode(
            token, _signing_key(token, keys), algorithms=list(_ALGORITHMS),
            audience=settings.client_id, issuer=settings.issuer,
            options={
                "require": ["exp", "iat", "iss", "aud", "sub", "nonce"],
                # The clock is the caller's, so the times are checked below.
                "verify_exp": False, "verify_iat": False, "verify_nbf": False,
            },
        )  # fmt: skip
    except (jwt.PyJWTError, ValueError, TypeError, KeyError) as error:
        raise InputError(_REFUSED) from error
    _require_timely(claims, now.timestamp())
    said = str(claims["nonce"]).encode("utf-8", "surrogatepass")
    if not hmac.compare_digest(said, nonce.encode()) or not claims["sub"]:
        raise InputError(_REFUSED)
    is_shared = isinstance(claims["aud"], list) and len(claims["aud"]) > 1
    if claims.get("azp", settings.client_id) != settings.client_id:
        raise InputError(_REFUSED)
    if is_shared and "azp" not in claims:
        raise InputError(_REFUSED)
    return claims


def is_oidc_name(name: str) -> bool:
    """Tell whether a name is one of the accounts that come from a provider."""
    return name.strip().casefold().startswith(_PREFIX)


def account_name(claims: Mapping[str, Any], settings: OidcSettings) -> str:
    """Return the name of the account of whoever signed in: who vouches for them, and as whom.

    Providers number their people on their own: a number of one says nothing at another.

    Raises
    ------
    InputError
        If the provider names them in a way in which two could be taken for one.
    """
    subject = claims["sub"]
    is_text = isinstance(subject, str) and subject.isprintable() and subject == subject.strip()
    if not is_text or not 0 < len(subject) <= _MOST_SUB:
        raise InputError(_REFUSED)
    return f"{_PREFIX}{settings.issuer} {subject}"


def bound_name(name: str, settings: OidcSettings) -> str:
    """Return the name of an account as :func:`account_name` makes it.

    One of a time when nobody wrote down who vouched for it gets the issuer; others keep theirs.
    """
    waiting = f"{_PREFIX}{_UNKNOWN} "
    if not name.startswith(waiting):
        return name
    return f"{_PREFIX}{settings.issuer} {name.removeprefix(waiting)}"


def display_name(claims: Mapping[str, Any]) -> str:
    """Return what others see of whoever signed in."""
    told = (claims.get(name) for name in ("name", "preferred_username"))
    shown = next((one for one in told if isinstance(one, str) and one.strip()), "")
    return "".join(one for one in shown.strip() if one.isprintable())[:_MOST_NAME]


def grants_of_claims(claims: Mapping[str, Any], settings: OidcSettings) -> tuple[Grant, ...]:
    """Return what somebody may do by the words of their claims; unknown words give nothing."""
    found: Any = claims
    for part in settings.roles_claim.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    words = [found] if isinstance(found, str) else found if isinstance(found, list) else []
    pairs = [
        pair for word in words if isinstance(word, str) for pair in settings.roles.get(word, ())
    ]
    return grants_of(pairs)


def _pairs(word: str, pairs: object) -> tuple[tuple[str, str], ...]:
    if isinstance(pairs, list) and all(_are_texts(one) and len(one) == _PAIR for one in pairs):
        return tuple((role, area) for role, area in pairs)
    msg = f'the roles of {word} must be pairs such as ["planner", "430203"]: check the settings'
    raise InputError(msg)


def _are_texts(values: object) -> bool:
    return isinstance(values, list) and all(isinstance(one, str) for one in values)


def _signing_key(token: str, keys: Mapping[str, Any]) -> jwt.PyJWK:
    """Return the provider's key that a token names; the only one where it names none."""
    usable = [
        key
        for key in keys.get("keys", ())
        if isinstance(key, Mapping) and key.get("use", "sig") == "sig"
    ]
    header = jwt.get_unverified_header(token)
    wanted = header.get("kid")
    named = [key for key in usable if wanted is None or key.get("kid") == wanted]
    if len(named) != 1 or header.get("alg") not in _ALGORITHMS:
        raise InputError(_REFUSED)
    return jwt.PyJWK(dict(named[0]), algorithm=str(header["alg"]))


def _require_timely(claims: Mapping[str, Any], now: float) -> None:
    times = [claims["exp"], claims["iat"], claims.get("nbf", claims["iat"])]
    if not all(isinstance(one, (int, float)) and not isinstance(one, bool) for one in times):
        raise InputError(_REFUSED)
    expires, issued, begins = times
    if expires + _LEEWAY_S <= now or max(issued, begins) - _LEEWAY_S > now:
        raise InputError(_REFUSED)


def _require_address(address: object, what: str) -> None:
    """Require https; plain http only on this computer."""
    parts = urlsplit(address) if isinstance(address, str) else None
    is_local = parts is not None and parts.scheme == "http" and parts.hostname in _LOCAL_HOSTS
    if parts is None or not parts.hostname or not (parts.scheme == "https" or is_local):
        msg = f"{what} must be an https address: check the settings"
        raise InputError(msg)
    has_blank = any(one.isspace() for one in str(address))
    if parts.fragment or parts.username is not None or has_blank:
        msg = (
            f"{what} must be an address without name, password, fragment or blanks: check the "
            "settings"
        )
        raise InputError(msg)
