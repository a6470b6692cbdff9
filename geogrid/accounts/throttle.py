"""How long somebody who failed to sign in must wait: states in, states out, no clock of its own.

Failures are counted twice, by account and by address: the first slows the guessing of one password
from many places, the second the trying of one password on many accounts. The wait doubles with each
failure and has an end, so that nobody can lock another person out for good.
"""

from __future__ import annotations

import ipaddress
import unicodedata
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from geogrid.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = [
    "ACCOUNT_POLICY",
    "ADDRESS_POLICY",
    "Failures",
    "ThrottlePolicy",
    "account_key",
    "address_key",
    "after_failure",
    "after_success",
    "remaining_wait",
    "without_forgotten",
]

# 2 to this power of seconds is longer than any wait that makes sense.
_MOST_DOUBLINGS = 32
# Whoever has one address of this kind has the whole block.
_IPV6_BLOCK = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class ThrottlePolicy:
    """How the wait grows.

    Attributes
    ----------
    free
        So many failures cost nothing: people mistype.
    first
        The wait after one more; it doubles with each that follows.
    longest
        Where it stops to grow.
    forget_after
        Failures are forgotten when none came for so long.
    """

    free: int
    first: timedelta = timedelta(seconds=1)
    longest: timedelta
    forget_after: timedelta

    def __post_init__(self) -> None:
        if self.free < 0 or not timedelta(0) < self.first <= self.longest <= self.forget_after:
            msg = "a throttle needs free >= 0 and 0 < first <= longest <= forget_after"
            raise InputError(msg)


@dataclass(frozen=True, slots=True)
class Failures:
    """How often the sign-in failed for one account or address, and when last."""

    count: int = 0
    last_at: datetime | None = None


# A locked door for everybody is an attack too: after five minutes the owner gets a try.
ACCOUNT_POLICY = ThrottlePolicy(
    free=5, longest=timedelta(minutes=5), forget_after=timedelta(hours=1)
)
# A whole office may share one address.
ADDRESS_POLICY = ThrottlePolicy(
    free=20, longest=timedelta(minutes=15), forget_after=timedelta(hours=1)
)


def after_failure(state: Failures, now: datetime, policy: ThrottlePolicy) -> Failures:
    """Return the state after one more failure.

    A try during the wait is refused without looking at the password and is not counted: else
    somebody who keeps trying would keep another person out.
    """
    if remaining_wait(state, now, policy) > timedelta(0):
        return state
    known = 0 if _is_forgotten(state, now, policy) else state.count
    return Failures(known + 1, now)


def after_success(state: Failures, *, is_account: bool) -> Failures:
    """Return the state after a right password: it clears the account, never the address.

    Otherwise an attacker with one account of their own could clear their address with it.
    """
    return Failures() if is_account else state


def remaining_wait(state: Failures, now: datetime, policy: ThrottlePolicy) -> timedelta:
    """Return how long to wait before the next try; zero where none is due."""
    if state.last_at is None or _is_forgotten(state, now, policy) or state.count <= policy.free:
        return timedelta(0)
    doublings = min(state.count - policy.free - 1, _MOST_DOUBLINGS)
    seconds = min(policy.first.total_seconds() * 2**doublings, policy.longest.total_seconds())
    return max(state.last_at + timedelta(seconds=seconds) - now, timedelta(0))


def without_forgotten(
    states: Mapping[str, Failures], now: datetime, policy: ThrottlePolicy
) -> dict[str, Failures]:
    """Return the states that still count, so that what is kept does not grow without end."""
    return {
        key: state
        for key, state in states.items()
        if state.count and not _is_forgotten(state, now, policy)
    }


def account_key(name: str) -> str:
    """Return what an account is counted under, however its name is typed."""
    return unicodedata.normalize("NFKC", name).strip().casefold()


def address_key(address: str) -> str:
    """Return what an address is counted under: of IPv6 the block that one subscriber has.

    A text that is no address is counted with all others that are none.
    """
    try:
        known = ipaddress.ip_address(address.strip())
    except ValueError:
        return "unknown"
    if isinstance(known, ipaddress.IPv4Address):
        return str(known)
    if known.ipv4_mapped is not None:
        return str(known.ipv4_mapped)
    plain = ipaddress.IPv6Address(int(known))
    return str(ipaddress.ip_network((plain, _IPV6_BLOCK), strict=False))


def _is_forgotten(state: Failures, now: datetime, policy: ThrottlePolicy) -> bool:
    return state.last_at is not None and now - state.last_at >= policy.forget_after
