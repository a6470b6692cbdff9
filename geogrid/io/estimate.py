"""Households estimated from building footprints, where nobody has counted them.

The rule is one of thumb and says so wherever its numbers are shown: floor area (footprint times
levels) divided by the gross area per household, which includes stairs, walls and corridors.

Levels where the map does not say them:

==============================================  ==============================
``building``                                    levels
==============================================  ==============================
``house detached semidetached_house terrace``   2
``bungalow static_caravan cabin hut``           1
``apartments residential dormitory``            6
anything else, footprint below 150 m²           2
anything else                                   5
==============================================  ==============================

A single-family house is one household, whatever its area. Each building is rounded by itself, for
its number must not change because another one is added to the map. A dwelling is never rounded
away: it holds at least one, which lifts the total a little where small dwellings abound.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.planar.crs import require_metric

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["EstimateRule", "estimate_households"]

_LEVELS = MappingProxyType(
    {
        **dict.fromkeys(("house", "detached", "semidetached_house", "terrace"), 2.0),
        **dict.fromkeys(("bungalow", "static_caravan", "cabin", "hut"), 1.0),
        **dict.fromkeys(("apartments", "residential", "dormitory"), 6.0),
    }
)
_SHARES = MappingProxyType({"residential": 1.0, "mixed": 0.5, "other": 0.0})
_ONE_HOME = ("house", "detached", "bungalow", "static_caravan", "cabin")


@dataclass(frozen=True, slots=True, kw_only=True)
class EstimateRule:
    """How floor area becomes households.

    Attributes
    ----------
    gross_m2
        Gross floor area per household.
    smallest_m2
        Buildings with a smaller footprint are sheds: no household.
    small_m2, small_levels, large_levels
        Levels of a building of unknown kind, with a footprint below ``small_m2`` and from it.
    levels_of
        Levels by ``building`` tag where the map gives none.
    share_of
        Share of the floor area that is lived in, by ``use``.
    one_home
        ``building`` tags that are one household, whatever their area.
    """

    gross_m2: float = 110.0
    smallest_m2: float = 20.0
    small_m2: float = 150.0
    small_levels: float = 2.0
    large_levels: float = 5.0
    levels_of: Mapping[str, float] = field(default_factory=lambda: _LEVELS)
    share_of: Mapping[str, float] = field(default_factory=lambda: _SHARES)
    one_home: tuple[str, ...] = _ONE_HOME

    def __post_init__(self) -> None:
        if not self.gross_m2 > 0 or self.smallest_m2 < 0:
            msg = (
                "need a gross area per household above 0 and a smallest footprint from 0, got "
                f"{self.gross_m2:g} and {self.smallest_m2:g} m²"
            )
            raise InputError(msg)

    @property
    def note(self) -> str:
        """One sentence to print beside every number that comes from this rule."""
        return (
            "households are estimated, not counted: footprint x levels / "
            f"{self.gross_m2:g} m² gross per household; buildings of unknown kind (building=yes) "
            "count as homes unless the map shows another use"
        )

    @property
    def note_zh(self) -> str:
        """The same sentence in Chinese."""
        return (
            f"户数为估算值,非普查数:建筑占地面积×层数÷户均建筑面积{self.gross_m2:g}平方米;"
            "用途不明的建筑(building=yes)按住宅计"
        )


def estimate_households(
    buildings: gpd.GeoDataFrame, *, rule: EstimateRule | None = None
) -> gpd.GeoDataFrame:
    """Estimate the households of each building.

    Parameters
    ----------
    buildings
        Areas in metres with ``use``, ``building``, ``levels`` and ``osm_id``; a missing column
        counts as unknown, and a missing ``use`` as residential.
    rule
        The rule of thumb; see the module for its table.

    Returns
    -------
    GeoDataFrame
        One row a building, in the same order: ``building`` (its osm_id), ``households`` (int),
        ``estimated`` (True) and a point inside it. ``attrs["notes"]`` holds the rule's sentence.

    Raises
    ------
    CrsError
        If the areas are not in metres.
    InputError
        If a ``use`` is none that the rule knows.
    """
    rule = EstimateRule() if rule is None else rule
    require_metric(buildings)
    shapes = buildings.geometry.to_numpy()
    households = _households(buildings, np.nan_to_num(shapely.area(shapes)), rule)
    ids = _column(buildings, "osm_id", "")
    points = gpd.GeoDataFrame(
        {"building": ids.astype(str), "households": households, "estimated": True},
        geometry=shapely.point_on_surface(shapes),
        crs=buildings.crs,
        index=buildings.index,
    )
    points.attrs = {"notes": [rule.note, rule.note_zh]}
    return points


def _households(
    buildings: gpd.GeoDataFrame, footprint_m2: NDArray[np.float64], rule: EstimateRule
) -> NDArray[np.int64]:
    kinds = _column(buildings, "building", "yes")
    share = _share(_column(buildings, "use", "residential"), rule)
    floor_m2 = footprint_m2 * _levels(buildings, kinds, footprint_m2, rule) * share
    rounded = np.rint(floor_m2 / rule.gross_m2)
    is_dwelling = (share > 0) & (footprint_m2 >= rule.smallest_m2)
    counts = np.where(is_dwelling, np.maximum(rounded, 1.0), 0.0)
    one_home = is_dwelling & np.isin(kinds.astype(str), rule.one_home)
    return np.where(one_home, 1, counts).astype(np.int64)


def _levels(
    buildings: gpd.GeoDataFrame,
    kinds: NDArray[np.object_],
    footprint_m2: NDArray[np.float64],
    rule: EstimateRule,
) -> NDArray[np.float64]:
    by_size = np.where(footprint_m2 < rule.small_m2, rule.small_levels, rule.large_levels)
    usual = np.array([rule.levels_of.get(str(kind), np.nan) for kind in kinds], dtype=np.float64)
    usual = np.where(np.isnan(usual), by_size, usual)
    if "levels" not in buildings:
        return usual
    known: pd.Series = buildings["levels"].astype("float64")
    tagged = known.to_numpy()
    return np.where(np.isfinite(tagged) & (tagged > 0), tagged, usual)


def _share(uses: NDArray[np.object_], rule: EstimateRule) -> NDArray[np.float64]:
    strange = sorted({str(use) for use in uses} - set(rule.share_of))
    if strange:
        msg = f"the use {strange[0]!r} is not known: use one of {', '.join(rule.share_of)}"
        raise InputError(msg)
    return np.array([rule.share_of[str(use)] for use in uses], dtype=np.float64)


def _column(buildings: gpd.GeoDataFrame, name: str, default: str) -> NDArray[np.object_]:
    if name not in buildings:
        return np.full(len(buildings), default, dtype=object)
    return np.asarray(buildings[name].astype(object).fillna(default), dtype=object)
