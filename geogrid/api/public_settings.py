"""What the web app must know of how the service is run."""

from __future__ import annotations

from fastapi import APIRouter

from geogrid.api.answers import DeskIs  # noqa: TC001 - FastAPI reads it
from geogrid.api.security import open_to_all

__all__ = ["router"]

router = APIRouter(prefix="/api/v1")


@router.get("/settings", summary="页面设置", dependencies=[open_to_all()])
def settings(desk: DeskIs) -> dict[str, str | None]:
    """Return what the web app may use: the key of 天地图, ``null`` where none was given.

    Browsers ask 天地图 themselves, so whoever opens the map can read the key.
    """
    return {"tianditu_key": desk.settings.tianditu_key or None}
