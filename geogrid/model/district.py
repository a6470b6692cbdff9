"""The area being divided, in one metric frame."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyproj import CRS
    from shapely.geometry import MultiPolygon

__all__ = ["District"]


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    """A district of any rank (区, 县, 街道) and its one metric coordinate system.

    Attributes
    ----------
    limit
        The limit on the millimetre grid, in metres of ``crs``; holes and several parts are fine.
    crs
        The projected coordinate system; ``None`` means plain local metres.
    name, code
        The official name and the administrative code that prefixes every cell's code.
    admin_rank
        The rank (``区``, ``县``, ``街道`` …) where it is known.
    """

    limit: MultiPolygon
    crs: CRS | None
    name: str = "district"
    code: str = ""
    admin_rank: str = ""
