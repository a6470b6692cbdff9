"""Passwords: what is refused, how one is hashed and checked.

Argon2id with the settings of RFC 9106 for little memory (64 MiB, three passes). A check for a name
that nobody has costs as much as one for a name that somebody has, so that time tells nothing.
"""

from __future__ import annotations

import unicodedata
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.profiles import RFC_9106_LOW_MEMORY

from geogrid.errors import InputError

__all__ = [
    "MAX_LENGTH",
    "MIN_LENGTH",
    "check_password",
    "hash_password",
    "needs_rehash",
    "password_fault",
]

MIN_LENGTH = 10
# A longer text only makes the server work.
MAX_LENGTH = 256
# Fewer kinds of characters are one key held down.
_MIN_KINDS = 4
# Long enough and still the first that are tried.
_USUAL = frozenset({
    "0123456789", "1234567890", "12345678910", "123456789a", "1q2w3e4r5t", "abcdefghij",
    "abcd123456", "a123456789", "administrator", "admin12345", "admin123456", "iloveyou123",
    "passw0rd123", "password12", "password123", "password1234", "password12345", "qwerty12345",
    "qwerty123456", "qwertyuiop", "q1w2e3r4t5", "woaini1314", "woaini520", "woaini1314520",
    "1qaz2wsx3edc", "zxcvbnm123", "5201314520", "88888888aa",
})  # fmt: skip

_HASHER = PasswordHasher.from_parameters(RFC_9106_LOW_MEMORY)


def password_fault(password: str, *, name: str) -> str:
    """Return why a password is refused as one plain sentence, "" where it is not.

    Parameters
    ----------
    password
        What somebody wants to use.
    name
        The name of their account.
    """
    plain = _plain(password)
    if len(plain) < MIN_LENGTH:
        return f"the password is too short: use at least {MIN_LENGTH} characters"
    if len(plain) > MAX_LENGTH:
        return f"the password is too long: use at most {MAX_LENGTH} characters"
    small, own = plain.casefold().strip(), _plain(name).casefold().strip()
    if own and small.replace(own, "") == "":
        return "the password is the user name: choose another"
    if small in _USUAL or len(set(small)) < _MIN_KINDS:
        return "the password is among the first that are guessed: choose another"
    return ""


def hash_password(password: str, *, name: str) -> str:
    """Return the argon2id text of a password.

    Raises
    ------
    InputError
        If the password breaks a rule, see :func:`password_fault`.
    """
    fault = password_fault(password, name=name)
    if fault:
        raise InputError(fault)
    return _HASHER.hash(_plain(password))


def check_password(password_hash: str, password: str) -> bool:
    """Tell whether a password is the one of a hash; "" is the hash of an account without one.

    The answer takes as long for an unknown account as for a known one.
    """
    if len(password) > MAX_LENGTH:
        return False
    try:
        _HASHER.verify(password_hash or _nobodys_hash(), _plain(password))
    except (VerificationError, InvalidHashError):
        return False
    return password_hash != ""


def needs_rehash(password_hash: str) -> bool:
    """Tell whether a hash was made with weaker settings than today's: hash again after a check."""
    return _HASHER.check_needs_rehash(password_hash)


@cache
def _nobodys_hash() -> str:
    return _HASHER.hash("the password of nobody")


def _plain(text: str) -> str:
    """Keyboards write the same character in several ways; one way is compared."""
    return unicodedata.normalize("NFKC", text)
