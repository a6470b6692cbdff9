"""What whoever runs the service decides."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.accounts.tokens import SessionPolicy
from geogrid.api.policy import policy_of
from geogrid.errors import InputError
from geogrid.front.settings import FrontSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.accounts.oidc import OidcSettings

__all__ = ["ServiceSettings", "front_settings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceSettings:
    """Settings of the service.

    Attributes
    ----------
    has_anonymous_viewing
        Whether the public map opens without signing in.
    shows_drafts
        Whether the public sees the newest version of a plan of which none is in force.
    is_https
        Whether browsers come by https: then cookies are never sent without it.
    first_plan
        Identifier of the plan that ``/`` shows; the oldest one when empty.
    maps
        By project, an OSM extract that is too large for the store and is read in its place.
    web
        Folder of the built web app.
    session
        How long somebody stays signed in.
    oidc
        Another service at which people may sign in too (OpenID Connect).
    most_body_bytes, most_upload_bytes
        Larger requests, and larger files that somebody uploads, are refused.
    requests_a_minute
        How many one address may make; tiles that are at hand count as small parts of one.
    tianditu_key
        Key of 天地图 for map tiles under the cells; browsers ask nobody for any when empty.
    """

    has_anonymous_viewing: bool = True
    shows_drafts: bool = True
    is_https: bool = False
    first_plan: str = ""
    maps: Mapping[str, Path] = field(default_factory=dict)
    web: Path = Path(__file__).resolve().parents[1] / "web" / "dist"
    session: SessionPolicy = field(default_factory=SessionPolicy)
    oidc: OidcSettings | None = None
    most_body_bytes: int = 1 << 20
    most_upload_bytes: int = 100 << 20
    requests_a_minute: int = 6000
    tianditu_key: str = ""

    def __post_init__(self) -> None:
        """Refuse what cannot stand in an address.

        Raises
        ------
        InputError
            If the key of 天地图 holds anything but letters and digits.
        """
        if not re.fullmatch(r"[0-9A-Za-z]*", self.tianditu_key):
            msg = "the key of 天地图 holds only letters and digits: check it in your account"
            raise InputError(msg)


def front_settings(settings: ServiceSettings) -> FrontSettings:
    """Return what the front must know of them."""
    return FrontSettings(
        policy=policy_of(settings.tianditu_key),
        is_https=settings.is_https,
        most_body_bytes=settings.most_body_bytes,
        most_upload_bytes=settings.most_upload_bytes,
        requests_a_minute=settings.requests_a_minute,
    )
