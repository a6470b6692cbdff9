"""What whoever runs the service decides."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.accounts.tokens import SessionPolicy

if TYPE_CHECKING:
    from geogrid.model.extract import OsmExtract

__all__ = ["ServiceSettings"]


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
    data
        Folder of what belongs to plans and is no part of their versions: ``<plan id>.gpkg`` with
        stations and circles. ``None`` where there is none.
    first_plan
        Identifier of the plan that ``/`` shows; the oldest one when empty.
    extract
        Its streets become the base map.
    web
        Folder of the built web app.
    session
        How long somebody stays signed in.
    most_body_bytes
        Larger requests are refused.
    requests_a_minute
        How many one address may make.
    """

    has_anonymous_viewing: bool = True
    shows_drafts: bool = True
    is_https: bool = False
    data: Path | None = None
    first_plan: str = ""
    extract: OsmExtract | None = field(default=None, repr=False)
    web: Path = Path(__file__).resolve().parents[1] / "web" / "dist"
    session: SessionPolicy = field(default_factory=SessionPolicy)
    most_body_bytes: int = 1 << 20
    requests_a_minute: int = 6000
