"""What was found at one level, before bands and exceptions are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import geopandas as gpd
    import pandas as pd

    from geogrid.model.report import Certificate, LevelProof
    from geogrid.model.scheme import Level

__all__ = ["Judged"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Judged:
    """One level, judged by its own contract.

    Attributes
    ----------
    level
        The level.
    defects
        In the columns of a report.
    notes
        Plain sentences.
    units
        One row a cell or group, indexed by code: ``kind`` and ``geometry``.
    counts
        Households of each unit, in the order of ``units``; ``None`` where none are known.
    proof, certificate
        Of the polygons; ``None`` for groups without any.
    """

    level: Level
    defects: gpd.GeoDataFrame
    notes: tuple[str, ...]
    units: gpd.GeoDataFrame
    counts: pd.Series | None
    proof: LevelProof | None = None
    certificate: Certificate | None = None
