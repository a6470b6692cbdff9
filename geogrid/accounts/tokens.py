"""Secrets that open the service: keys of programs, sessions of browsers, proofs against forgery.

Each is 256 random bits. Its holder has it once; the server keeps the SHA-256 alone, which is
enough for a secret that cannot be guessed, and compares in constant time.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

from geogrid.errors import InputError

__all__ = [
    "ApiKey",
    "Session",
    "SessionPolicy",
    "SessionStanding",
    "check_csrf_token",
    "csrf_token",
    "hash_secret",
    "is_secret",
    "new_api_key",
    "new_session",
    "prefix_of_key",
    "rotate_session",
    "standing_of",
]

_SECRET_BYTES = 32
_MIN_SERVER_KEY_BYTES = 32
_KEY = re.compile(r"ggk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")
_CSRF_PURPOSE = b"geogrid csrf\0"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """A new key of a program.

    Attributes
    ----------
    key
        The whole key: shown once, stored nowhere.
    prefix
        Its start, by which its holder knows it again in a list.
    secret_hash
        What is stored.
    """

    key: str = field(repr=False)
    prefix: str
    secret_hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionPolicy:
    """How long a session lives.

    Attributes
    ----------
    idle
        It ends when nothing came for so long.
    rotate_after
        Its token is exchanged when it is so old: a stolen one soon opens nothing.
    longest
        It ends so long after the sign-in, whatever came.
    """

    idle: timedelta = timedelta(hours=2)
    rotate_after: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.rotate_after <= self.idle <= self.longest:
            msg = "a session needs 0 < rotate_after <= idle <= longest"
            raise InputError(msg)


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A session of a browser.

    Attributes
    ----------
    token
        What the cookie holds; "" once it was read back from where sessions are stored.
    secret_hash
        What is stored.
    started_at, issued_at, expires_at
        The sign-in, when this token was made, and when it opens nothing any more.
    """

    token: str = field(default="", repr=False)
    secret_hash: str
    started_at: datetime
    issued_at: datetime
    expires_at: datetime


class SessionStanding(Enum):
    """What to do with a session that comes in."""

    OPEN = "open"
    ROTATE = "rotate"
    ENDED = "ended"


_USUAL_POLICY = SessionPolicy()


def new_api_key() -> ApiKey:
    """Make a key of a program."""
    prefix = f"ggk_{secrets.token_hex(4)}"
    key = f"{prefix}_{secrets.token_urlsafe(_SECRET_BYTES)}"
    return ApiKey(key=key, prefix=prefix, secret_hash=hash_secret(key))


def prefix_of_key(key: str) -> str:
    """Return the start of a key that may be shown, "" where the text is no key."""
    return key.rsplit("_", key.count("_") - 1)[0] if _KEY.fullmatch(key) else ""


def hash_secret(secret: str) -> str:
    """Return the SHA-256 of a key or a token as 64 hexadecimal digits."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def is_secret(secret: str, secret_hash: str) -> bool:
    """Tell in constant time whether a key or a token is the one of a hash."""
    return hmac.compare_digest(hash_secret(secret).encode(), secret_hash.encode())


def new_session(now: datetime, *, policy: SessionPolicy = _USUAL_POLICY) -> Session:
    """Begin a session; always at a sign-in, so that no token from before it stays good.

    Raises
    ------
    InputError
        If ``now`` has no time zone.
    """
    moment = _aware(now)
    return _session(moment, moment, policy)


def rotate_session(
    session: Session, now: datetime, *, policy: SessionPolicy = _USUAL_POLICY
) -> Session:
    """Exchange the token of a session; its longest life counts on from the sign-in.

    Raises
    ------
    InputError
        If the session has ended, or ``now`` has no time zone.
    """
    moment = _aware(now)
    if standing_of(session, moment, policy=policy) is SessionStanding.ENDED:
        msg = "the session has ended: sign in again"
        raise InputError(msg)
    return _session(session.started_at, moment, policy)


def standing_of(
    session: Session, now: datetime, *, policy: SessionPolicy = _USUAL_POLICY
) -> SessionStanding:
    """Tell whether a session is open, due for another token, or over."""
    moment = _aware(now)
    if moment >= min(session.expires_at, session.started_at + policy.longest):
        return SessionStanding.ENDED
    is_old = moment - session.issued_at >= policy.rotate_after
    return SessionStanding.ROTATE if is_old else SessionStanding.OPEN


def csrf_token(session_token: str, server_key: bytes) -> str:
    """Return the proof that a form or a script was made for this session.

    An HMAC of the session's token: nothing has to be stored, it changes with the token, and who
    has the proof does not have the token.

    Raises
    ------
    InputError
        If the key of the server is shorter than 32 bytes.
    """
    if len(server_key) < _MIN_SERVER_KEY_BYTES:
        msg = f"the key of the server is too short: use {_MIN_SERVER_KEY_BYTES} random bytes"
        raise InputError(msg)
    text = _CSRF_PURPOSE + session_token.encode("utf-8", "surrogatepass")
    proof = hmac.new(server_key, text, hashlib.sha256).digest()
    return urlsafe_b64encode(proof).rstrip(b"=").decode()


def check_csrf_token(proof: str, session_token: str, server_key: bytes) -> bool:
    """Tell in constant time whether a proof belongs to a session; raises as the making of one."""
    wanted = csrf_token(session_token, server_key)
    return hmac.compare_digest(wanted.encode(), proof.encode("utf-8", "surrogatepass"))


def _session(started_at: datetime, now: datetime, policy: SessionPolicy) -> Session:
    token = secrets.token_urlsafe(_SECRET_BYTES)
    return Session(
        token=token, secret_hash=hash_secret(token), started_at=started_at, issued_at=now,
        expires_at=min(now + policy.idle, started_at + policy.longest),
    )  # fmt: skip


def _aware(moment: datetime) -> datetime:
    if moment.tzinfo is None:
        msg = f"the moment {moment} has no time zone: give it one"
        raise InputError(msg)
    return moment.astimezone(UTC)
