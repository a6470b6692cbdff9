"""A place before anything is built: limit, lattice, regions and how many live where."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geogrid.errors import InfeasibleError
from geogrid.planar.crs import district_crs
from geogrid.synthetic._lattice import make_lattice
from geogrid.synthetic._lines import LineWork
from geogrid.synthetic._pieces import make_pieces
from geogrid.synthetic._regions import make_regions

if TYPE_CHECKING:
    from pyproj import CRS

    from geogrid.model.district import District
    from geogrid.synthetic._draws import Draws
    from geogrid.synthetic._lattice import Lattice
    from geogrid.synthetic._pieces import Pieces
    from geogrid.synthetic._regions import Regions
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["Site", "make_site"]

_LEAST_CITY_M = 400.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Site:
    """The ground of a place, and the lines that its streets are added to.

    Attributes
    ----------
    centre, city_m
        The town centre, and how far the city reaches from it, in metres.
    urban, rural
        Households on city blocks and outside of them.
    is_rural
        For each unit, whether it is a village.
    """

    spec: PlaceSpec
    draws: Draws
    district: District
    crs: CRS
    centre: npt.NDArray[np.float64]
    city_m: float
    lattice: Lattice
    pieces: Pieces
    regions: Regions
    work: LineWork
    urban: int
    rural: int
    is_rural: npt.NDArray[np.bool_]

    @property
    def rural_pieces(self) -> npt.NDArray[np.int64]:
        """Whole pieces of villages outside the city blocks."""
        is_village = self.is_rural[self.regions.unit]
        return np.flatnonzero(self.pieces.is_full & ~self.regions.is_built & is_village)


def make_site(
    spec: PlaceSpec, district: District, centre: npt.NDArray[np.float64], draws: Draws
) -> Site:
    """Lay the lattice over a limit and divide it into regions.

    Raises
    ------
    InfeasibleError
        If the limit has no room for the units, or villagers have no land.
    """
    is_rural = np.array([unit.is_rural for unit in spec.units])
    urban = round(spec.households * spec.urban_share) if is_rural.any() else spec.households
    built_km2 = urban / spec.density
    city_m = max(float(1.2 * np.sqrt(built_km2 / np.pi) * 1000), _LEAST_CITY_M)
    lattice = make_lattice(spec, district.limit, centre, city_m, draws)
    pieces = make_pieces(lattice, district.limit)
    regions = make_regions(spec, pieces, centre, built_km2 * 1e6)
    urban = urban if regions.is_built.any() else 0
    site = Site(
        spec=spec,
        draws=draws,
        district=district,
        crs=district_crs(*spec.location),
        centre=centre,
        city_m=city_m,
        lattice=lattice,
        pieces=pieces,
        regions=regions,
        work=LineWork(lattice.xy, lattice.edge_ends),
        urban=urban,
        rural=spec.households - urban,
        is_rural=is_rural,
    )
    if site.rural and not len(site.rural_pieces):
        msg = f"{site.rural} households of {spec.key} have no land to build on: give a larger area"
        raise InfeasibleError(msg)
    return site
