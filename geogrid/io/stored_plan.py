"""What a plan file holds, taken as it stands: for checks, which must not trust the plan."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import geopandas as gpd

from geogrid.errors import InputError
from geogrid.io._gpkg import META_LAYER, layer_names, read_layer_as_is, read_meta
from geogrid.io._plan_meta import PlanMeta

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry

    from geogrid.model.report import Certificate
    from geogrid.model.scheme import Level

__all__ = ["StoredPlan", "is_plan_file", "read_stored_plan"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredPlan:
    """The layers of a plan file, each as somebody may have left it.

    Attributes
    ----------
    limit, crs
        The district's limit and its coordinate system.
    levels
        The stored cells of every area level, coarse to fine.
    atoms
        The stored atoms with their households.
    certificate
        What was proven when the file was written.
    """

    limit: BaseGeometry
    crs: CRS | None
    levels: Mapping[Level, gpd.GeoDataFrame]
    atoms: gpd.GeoDataFrame
    certificate: Certificate | None


def is_plan_file(path: str | Path) -> bool:
    """Tell whether a file is a plan of geogrid."""
    file = Path(path)
    return file.suffix.lower() == ".gpkg" and META_LAYER in layer_names(file)


def read_stored_plan(path: str | Path) -> StoredPlan:
    """Read the layers of a plan file without putting a plan together from them.

    Raises
    ------
    InputError
        If a whole layer is missing or the meta data are damaged.
    """
    name = Path(path).name
    meta = PlanMeta(read_meta(path), name)

    def layer_of(key: str) -> gpd.GeoDataFrame:
        table = read_layer_as_is(path, key, crs=meta.crs)
        if not isinstance(table, gpd.GeoDataFrame):
            msg = f"layer {key} of {name} has no geometry: take the last good version of the file"
            raise InputError(msg)
        return table

    place = layer_of("district")
    if place.empty:
        msg = f"{name} holds no limit of the district: take the last good version of the file"
        raise InputError(msg)
    return StoredPlan(
        limit=place.geometry.iloc[0],
        crs=meta.crs,
        levels={level: layer_of(level.key) for level in meta.scheme.area_levels},
        atoms=layer_of("atoms"),
        certificate=meta.certificate,
    )
