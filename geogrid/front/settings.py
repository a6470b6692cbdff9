"""What the front must know of how the service is run."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["GRACE_S", "QUIET_S", "FrontSettings"]

# Whoever has an answer coming this long after the service was told to stop goes without.
GRACE_S = 3
# A browser that is quiet for so long calls again; people look at a map before they move it.
QUIET_S = 65


@dataclass(frozen=True, slots=True, kw_only=True)
class FrontSettings:
    """Settings of the front; all of them can be written as JSON.

    Attributes
    ----------
    policy
        Content-Security-Policy of answers that have none of their own.
    is_https
        Whether browsers come by https.
    most_body_bytes, most_upload_bytes
        Larger requests, and larger files that somebody uploads, are refused.
    requests_a_minute
        How many one address may make; answers from memory count as small parts of one.
    """

    policy: str
    is_https: bool
    most_body_bytes: int
    most_upload_bytes: int
    requests_a_minute: int
