"""Secrets that open the service: keys of programs, sessions of browsers, proofs against forgery.

Each is 256 random bits. Its holder has it once; the server keeps the SHA-256 alone, which is
enough for a secret that cannot be guessed, and compares in constant time.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass, field, replace
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
    "new_server_key",
    "new_session",
    "prefix_of_key",
    "rotate_session",
    "sign_text",
    "signed_text",
    "standing_of",
    "use_session",
]

_SECRET_BYTES = 32
_MIN_SERVER_KEY_BYTES = 32
_KEY = re.compile(r"ggk_[0-9a-f]{8}_[A-Za-z0-9_-]{43}")
_CSRF_PURPOSE = "csrf"


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
    grace
        For so long the old token goes on to open, once the new one has come back: requests that
        were under way do not fail.
    note_every
        Use is written down at most so often, so a session may end by so much early.
    """

    idle: timedelta = timedelta(hours=2)
    rotate_after: timedelta = timedelta(minutes=30)
    longest: timedelta = timedelta(hours=12)
    grace: timedelta = timedelta(minutes=1)
    note_every: timedelta = timedelta(minutes=1)

    def __post_init__(self) -> None:
        if not timedelta(0) < self.rotate_after <= self.idle <= self.longest:
            msg = "a session needs 0 < rotate_after <= idle <= longest"
            raise InputError(msg)
        if not (timedelta(0) <= self.grace <= self.idle and timedelta(0) <= self.note_every):
            msg = "a session needs 0 <= grace <= idle and 0 <= note_every"
            raise InputError(msg)
        if self.note_every >= self.idle:
            msg = "a session whose use is noted less often than it ends cannot be used: note sooner"
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
    _require_open(session, moment, policy)
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


def use_session(
    session: Session, now: datetime, *, policy: SessionPolicy = _USUAL_POLICY
) -> Session:
    """Move the end of a session on because it is used.

    Returns
    -------
    Session
        The very same one where the last use that was written down is recent enough.

    Raises
    ------
    InputError
        If the session has ended, or ``now`` has no time zone.
    """
    moment = _aware(now)
    _require_open(session, moment, policy)
    ends = min(moment + policy.idle, session.started_at + policy.longest)
    is_recent = ends - session.expires_at < policy.note_every
    return session if is_recent else replace(session, expires_at=ends)


def new_server_key() -> bytes:
    """Make the secret that a server signs with."""
    return secrets.token_bytes(_MIN_SERVER_KEY_BYTES)


def csrf_token(session: str, server_key: bytes) -> str:
    """Return the proof that a form or a script was made for a session.

    An HMAC of what names the session for as long as it lives: nothing has to be stored, a page
    that is open goes on when the token of its session is exchanged, a proof of one session is
    none of another, and who has the proof has not the session.

    Raises
    ------
    InputError
        If the key of the server is shorter than 32 bytes.
    """
    return _proof(session, server_key, _CSRF_PURPOSE)


def check_csrf_token(proof: str, session: str, server_key: bytes) -> bool:
    """Tell in constant time whether a proof belongs to a session; raises as the making of one."""
    return _is_proof(proof, session, server_key, _CSRF_PURPOSE)


def sign_text(text: str, server_key: bytes, *, purpose: str) -> str:
    """Return a text that only the server can have written; whoever has it can read it.

    Parameters
    ----------
    text
        What to sign.
    server_key
        At least 32 random bytes.
    purpose
        What it is for: a text that was signed for one thing is good for no other.

    Raises
    ------
    InputError
        If the key of the server is shorter than 32 bytes.
    """
    packed = urlsafe_b64encode(text.encode("utf-8", "surrogatepass")).rstrip(b"=").decode()
    return f"{packed}.{_proof(packed, server_key, purpose)}"


def signed_text(signed: str, server_key: bytes, *, purpose: str) -> str | None:
    """Return what was signed, ``None`` where the server did not; raises as :func:`sign_text`."""
    packed, _, proof = signed.rpartition(".")
    if not _is_proof(proof, packed, server_key, purpose):
        return None
    try:
        return urlsafe_b64decode(packed + "=" * (-len(packed) % 4)).decode()
    except (binascii.Error, UnicodeDecodeError):
        return None


def _proof(text: str, server_key: bytes, purpose: str) -> str:
    if len(server_key) < _MIN_SERVER_KEY_BYTES:
        msg = f"the key of the server is too short: use {_MIN_SERVER_KEY_BYTES} random bytes"
        raise InputError(msg)
    words = f"geogrid {purpose}\0{text}".encode("utf-8", "surrogatepass")
    return urlsafe_b64encode(hmac.digest(server_key, words, "sha256")).rstrip(b"=").decode()


def _is_proof(proof: str, text: str, server_key: bytes, purpose: str) -> bool:
    wanted = _proof(text, server_key, purpose)
    return hmac.compare_digest(wanted.encode(), proof.encode("utf-8", "surrogatepass"))


def _require_open(session: Session, now: datetime, policy: SessionPolicy) -> None:
    if standing_of(session, now, policy=policy) is SessionStanding.ENDED:
        msg = "the session has ended: sign in again"
        raise InputError(msg)


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
