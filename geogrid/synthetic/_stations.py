"""Stations of every tier, at places where one would look for them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.errors import InfeasibleError
from geogrid.planar.lattice import round_coordinates
from geogrid.synthetic._people import LABEL
from geogrid.synthetic._regions import town_numbers

if TYPE_CHECKING:
    from geogrid.synthetic._draws import Draws
    from geogrid.synthetic._spec import PlaceSpec, StationTier
    from geogrid.synthetic._stage import Stage

__all__ = ["station_table"]

Floats = npt.NDArray[np.float64]
Sites = tuple[list[str], Floats]


def station_table(
    spec: PlaceSpec,
    stage: Stage,
    compounds: gpd.GeoDataFrame,
    grounds: gpd.GeoDataFrame,
    draws: Draws,
) -> gpd.GeoDataFrame:
    """Return ``station, name, tier, services, note`` and points, in the order of the tiers.

    Raises
    ------
    InfeasibleError
        If a tier has more stations than the place has sites for it.
    """
    parts = []
    for tier in spec.stations:
        names, xy = _sites(spec, stage, tier, compounds, grounds, draws)
        if len(names) < tier.count:
            msg = (
                f"{spec.key} has {len(names)} sites for {tier.count} stations of tier {tier.tier}: "
                "ask for fewer"
            )
            raise InfeasibleError(msg)
        parts.append(
            pd.DataFrame(
                {
                    "name": names[: tier.count],
                    "tier": tier.tier,
                    "services": tier.services,
                    "note": LABEL,
                    "x": xy[: tier.count, 0],
                    "y": xy[: tier.count, 1],
                }
            )
        )
    columns = ["name", "tier", "services", "note", "x", "y"]
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    table.insert(0, "station", [f"{spec.key}-S{at:03d}" for at in range(1, len(table) + 1)])
    points = shapely.points(round_coordinates(table[["x", "y"]].to_numpy(float)))
    return gpd.GeoDataFrame(
        table.drop(columns=["x", "y"]),
        geometry=points if len(table) else np.empty(0, dtype=object),
        crs=stage.site.crs,
    )


def _sites(
    spec: PlaceSpec,
    stage: Stage,
    tier: StationTier,
    compounds: gpd.GeoDataFrame,
    grounds: gpd.GeoDataFrame,
    draws: Draws,
) -> Sites:
    if tier.site == "community":
        return _community_sites(spec, stage, tier)
    if tier.site == "town":
        return _town_sites(spec, stage, tier)
    rng = draws.stream(f"stations {tier.tier}")
    if tier.site == "compound":
        order = np.argsort(rng.random(len(compounds)), kind="stable")
        blocks = stage.city.compound[order]
        parcels = stage.city.parcels
        # Beside the gate, on the lane inside.
        inside = parcels.frames.world(blocks, np.full(len(blocks), 2.5), parcels.south[blocks] + 3)
        return [tier.name.format(place=name) for name in compounds["name"].iloc[order]], inside
    # A public ground has one station; the others stand where shops are.
    order = np.argsort(rng.random(len(grounds)), kind="stable")
    chosen = grounds.iloc[order]
    shops = stage.buildings[stage.buildings["use"].eq("mixed")].drop_duplicates("ground")
    names = [tier.name.format(place=name) for name in chosen["name"]]
    names += [tier.name.format(place=f"第{at}单位") for at in range(1, len(shops) + 1)]
    xy = np.concatenate([chosen[["x", "y"]].to_numpy(float), shops[["x", "y"]].to_numpy(float)])
    return names, xy


def _community_sites(spec: PlaceSpec, stage: Stage, tier: StationTier) -> Sites:
    rows = [at for at, unit in enumerate(spec.units) if not unit.is_rural]
    names = [tier.name.format(unit=_short(spec.units[at].name)) for at in rows]
    unit = stage.site.regions.unit[stage.buildings["piece"].to_numpy(np.int64)]
    return names, np.array(
        [_building_near(stage, unit == at, int(stage.site.regions.unit_seed[at])) for at in rows]
    ).reshape(-1, 2)


def _town_sites(spec: PlaceSpec, stage: Stage, tier: StationTier) -> Sites:
    codes, _ = town_numbers(spec)
    titles = {unit.town_code: unit.town_name for unit in spec.units}
    names = [tier.name.format(town=titles[code]) for code in codes]
    town = stage.site.regions.town[stage.buildings["piece"].to_numpy(np.int64)]
    places = [
        _building_near(stage, town == at, int(stage.site.regions.town_seed[at]))
        for at in range(len(codes))
    ]
    # One more is the district's own, in the middle of the town.
    names.append(tier.name.format(town=spec.name))
    xy = stage.buildings[["x", "y"]].to_numpy(float)
    gap = ((xy - stage.site.centre) ** 2).sum(axis=1) if len(xy) else np.zeros(0)
    places.append(xy[gap.argmin()] if len(xy) else stage.site.centre)
    return names, np.array(places)


def _building_near(stage: Stage, is_own: npt.NDArray[np.bool_], seat: int) -> Floats:
    """Return the middle of the building nearest to a seat, shops and public ones preferred."""
    wanted = stage.site.pieces.xy[seat]
    rows = np.flatnonzero(is_own)
    if not len(rows):
        return np.asarray(wanted)
    xy = stage.buildings[["x", "y"]].to_numpy(float)[rows]
    is_home = stage.buildings["use"].eq("residential").to_numpy()[rows]
    gap = np.hypot(*(xy - wanted).T) + 250.0 * is_home
    return np.asarray(xy[gap.argmin()])


def _short(name: str) -> str:
    """Drop the committee from a community's official name."""
    for ending in ("居民委员会", "居委会", "村民委员会", "村委会"):
        name = name.removesuffix(ending)
    return name
