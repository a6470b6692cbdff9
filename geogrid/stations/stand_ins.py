"""Public services of a map that stand in for stations where no station list is given."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.district import District
    from geogrid.model.extract import OsmExtract

__all__ = ["STAND_INS", "stand_in_stations"]

# What residents go to for a public service, nearest first to what a station offers.
STAND_INS: Mapping[str, str] = MappingProxyType(
    {
        "amenity=townhall": "政府办事处",
        "office=government": "政府机构",
        "amenity=community_centre": "社区中心",
        "amenity=social_centre": "社会活动中心",
        "amenity=social_facility": "社会服务设施",
        "amenity=public_building": "公共建筑",
        "amenity=library": "图书馆",
        "amenity=post_office": "邮局",
        "amenity=arts_centre": "文化中心",
        "amenity=clinic": "诊所",
        "place=quarter": "社区所在地",
    }
)
# The same service is often mapped twice, as a point and as its building.
_SAME_PLACE_M = 30.0


def stand_in_stations(extract: OsmExtract, district: District) -> gpd.GeoDataFrame:
    """Return the services inside a district that can stand in for stations.

    Parameters
    ----------
    extract
        Its ``pois``.
    district
        Only services inside its limit.

    Returns
    -------
    GeoDataFrame
        ``station`` (the OSM id), ``name``, ``tier`` and ``stand_in`` (Chinese name of the service
        that it really is), ``geometry``.
    """
    pois = extract.pois[extract.pois["poi"].isin(list(STAND_INS))]
    inside = pois[shapely.intersects(district.limit, pois.geometry.to_numpy())]
    kinds = inside["poi"].map(STAND_INS)
    names = inside["name"].fillna("").astype(str).to_numpy()
    table = gpd.GeoDataFrame(
        {
            "station": inside["osm_id"].to_numpy(),
            "name": np.where(names == "", kinds.to_numpy(), names),
            "tier": "stand_in",
            "stand_in": kinds.to_numpy(),
        },
        geometry=inside.geometry.to_numpy(),
        crs=inside.crs,
    ).sort_values("station", ignore_index=True)
    points = table.geometry.to_numpy()
    left, right = table.sindex.query(points, predicate="dwithin", distance=_SAME_PLACE_M)
    kind = table["stand_in"].to_numpy()
    is_twin = (left < right) & (kind[left] == kind[right])
    is_first = np.ones(len(table), dtype=np.bool_)
    is_first[right[is_twin]] = False
    return table[is_first].reset_index(drop=True)
