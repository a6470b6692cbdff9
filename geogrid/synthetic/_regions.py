"""Towns, communities, villages and groups as regions of pieces."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from scipy.sparse.csgraph import dijkstra

from geogrid.errors import InfeasibleError
from geogrid.synthetic._grow import grow, grow_to_size, relaxed_seeds, spread_seeds, ways_from

if TYPE_CHECKING:
    from scipy.sparse import csr_array

    from geogrid.synthetic._pieces import Pieces
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["Regions", "make_groups", "make_regions"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

# Built-up land of a town seat that has no community of its own.
_SEAT_M2 = 350_000.0


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Regions:
    """Which region every piece belongs to.

    Attributes
    ----------
    town, unit
        Numbers of towns (in order of first mention) and of ``spec.units``.
    is_built
        Pieces with city blocks.
    town_seed, unit_seed
        The piece where each one's seat lies.
    """

    town: Indices
    unit: Indices
    is_built: Flags
    town_seed: Indices
    unit_seed: Indices


def town_numbers(spec: PlaceSpec) -> tuple[list[str], Indices]:
    """Return the towns' codes in order of first mention, and each unit's town."""
    codes = list(dict.fromkeys(unit.town_code for unit in spec.units))
    return codes, np.array([codes.index(unit.town_code) for unit in spec.units], dtype=np.int64)


def make_regions(spec: PlaceSpec, pieces: Pieces, centre: Floats, built_m2: float) -> Regions:
    """Divide the place into towns from the centre outwards, then each town into units.

    ``built_m2`` of it are city blocks, shared by communities and the seats of rural towns.
    """
    _, town_of_unit = town_numbers(spec)
    is_rural = np.array([unit.is_rural for unit in spec.units])
    count = int(town_of_unit.max()) + 1
    communities = np.bincount(town_of_unit[~is_rural], minlength=count)
    villages = np.bincount(town_of_unit[is_rural], minlength=count)
    area = float(pieces.area.sum())
    built = _built_area(min(built_m2, area), communities, villages)
    graph = pieces.graph()
    heart = int(np.argmin(((pieces.xy - centre) ** 2).sum(axis=1)))
    rural_share = villages / np.maximum(communities + villages, 1)
    wanted = _town_sizes(communities, villages, built, area)
    town, town_seed = _towns(pieces, graph, heart, wanted, np.lexsort((wanted, rural_share)))
    inner = pieces.graph(town)
    way = dijkstra(graph, indices=heart)
    unit = np.full(len(pieces), -1, dtype=np.int64)
    is_built = np.zeros(len(pieces), dtype=bool)
    unit_seed = np.full(len(spec.units), -1, dtype=np.int64)
    for number in range(count):
        members = np.flatnonzero(town == number)
        near = members[np.argmin(way[members])]
        # A town of villages has its seat in its middle, a town of the city on the city's side.
        is_city = communities[number] * 3 > villages[number] or count == 1
        anchor = near if is_city else _middle(pieces, members)
        town_seed[number] = anchor
        # Every community needs a block or two of its own.
        least = 2 * int(communities[number])
        zone, built_here = _zone(pieces, inner, members, int(anchor), (float(built[number]), least))
        is_built[built_here] = True
        own = np.flatnonzero(town_of_unit == number)
        _place_units(
            pieces, inner, (members, zone, built_here), own, is_rural, unit, unit_seed, anchor
        )
    return Regions(
        town=town, unit=unit, is_built=is_built, town_seed=town_seed, unit_seed=unit_seed
    )


def _built_area(whole: float, communities: Indices, villages: Indices) -> Floats:
    """Built-up m² of every town: by its communities, a seat where it has none."""
    has_seat = (communities == 0) & (villages > 0) & (whole > 0)
    # Seats take no more than half of what is built.
    seat = min(_SEAT_M2, 0.5 * whole / max(int(has_seat.sum()), 1))
    rest = max(whole - seat * float(has_seat.sum()), 0.0)
    share: Floats = communities / max(int(communities.sum()), 1)
    built: Floats = rest * share + seat * has_seat
    return built


def _town_sizes(communities: Indices, villages: Indices, built: Floats, area: float) -> Floats:
    open_land = max(area - float(built.sum()), 0.0)
    weight = villages.astype(float)
    if weight.sum() == 0:
        weight = communities.astype(float)
    # A town of communities only still has some open land round its blocks.
    weight = weight + 0.25 * (villages == 0)
    sizes: Floats = 1.02 * built + open_land * weight / weight.sum() + 1.0
    return sizes


def _towns(
    pieces: Pieces, graph: csr_array, heart: int, wanted: Floats, order: Indices
) -> tuple[Indices, Indices]:
    """Seed towns ring by ring round the centre, in an order from urban to rural."""
    if len(wanted) == 1:
        return np.zeros(len(pieces), dtype=np.int64), np.array([heart], dtype=np.int64)
    way = dijkstra(graph, indices=heart)
    far = np.where(np.isfinite(way), way, np.nanmax(np.where(np.isfinite(way), way, np.nan)) + 1)
    ring = np.argsort(far, kind="stable")
    inside = np.cumsum(pieces.area[ring])
    stops = np.concatenate([[0.0], np.cumsum(wanted[order])]) / wanted.sum() * inside[-1]
    seeds = np.full(len(wanted), -1, dtype=np.int64)
    taken: list[int] = []
    for rank, town in enumerate(order):
        low, high = np.searchsorted(inside, [stops[rank], stops[rank + 1]])
        band = ring[low : max(high, low + 1)]
        band = band[pieces.is_full[band]] if pieces.is_full[band].any() else band
        band = np.setdiff1d(band, taken) if len(np.setdiff1d(band, taken)) else _free(ring, taken)
        if taken:
            gap = ((pieces.xy[band, None] - pieces.xy[None, taken]) ** 2).sum(axis=2).min(axis=1)
            pick = int(band[gap.argmax()])
        else:
            pick = int(band[0])
        seeds[town] = pick
        taken.append(pick)
    label = grow_to_size(graph, seeds, pieces.area, wanted)
    lost = label < 0
    if lost.any():
        label[lost] = grow(graph, seeds, pieces.xy)[lost]
    return label, seeds


def _free(ring: Indices, taken: list[int]) -> Indices:
    free = ring[~np.isin(ring, taken)]
    if not len(free):
        msg = "the limit is too small for its towns: give a larger one"
        raise InfeasibleError(msg)
    return free


def _middle(pieces: Pieces, members: Indices) -> int:
    """Return the whole piece nearest to the middle of a town."""
    middle = np.average(pieces.xy[members], axis=0, weights=pieces.area[members])
    able = members[pieces.is_full[members]] if pieces.is_full[members].any() else members
    return int(able[np.argmin(((pieces.xy[able] - middle) ** 2).sum(axis=1))])


def _zone(
    pieces: Pieces, inner: csr_array, members: Indices, anchor: int, wanted: tuple[float, int]
) -> tuple[Indices, Indices]:
    """Return the pieces round an anchor that hold so many m² and cells of blocks, and these."""
    built, least = wanted
    if built <= 0:
        return members[:0], members[:0]
    way = dijkstra(inner, indices=anchor)[members]
    order = members[np.argsort(np.where(np.isfinite(way), way, 1e12), kind="stable")]
    size = np.cumsum(np.where(pieces.is_full[order], pieces.area[order], 0.0))
    cells = np.cumsum(pieces.is_full[order])
    stop = int(max(np.searchsorted(size, built), np.searchsorted(cells, least))) + 1
    zone = order[:stop]
    return zone, zone[pieces.is_full[zone]]


def _place_units(
    pieces: Pieces,
    inner: csr_array,
    parts: tuple[Indices, Indices, Indices],
    own: Indices,
    is_rural: Flags,
    unit: Indices,
    unit_seed: Indices,
    anchor: int,
) -> None:
    """Seed and grow the communities in the built zone and the villages outside of it."""
    members, zone, built = parts
    urban, rural = own[~is_rural[own]], own[is_rural[own]]
    in_zone = np.zeros(len(pieces), dtype=bool)
    in_zone[zone] = True
    if not len(rural):
        in_zone[members] = True
    if not len(urban):
        in_zone[:] = False
    part = np.where(np.isin(np.arange(len(pieces)), members), np.where(in_zone, 1, 2), 0)
    graph = pieces.graph(part)
    for chosen, where, candidates in (
        (urban, 1, built if len(built) else members),
        (rural, 2, members[~in_zone[members]]),
    ):
        if not len(chosen):
            continue
        whole = candidates[pieces.is_full[candidates]]
        able = whole if len(whole) >= len(chosen) else candidates
        if len(able) < len(chosen):
            msg = (
                f"{len(chosen)} units do not fit into {len(able)} blocks: give a larger area or "
                "smaller blocks"
            )
            raise InfeasibleError(msg)
        first = anchor if anchor in able else None
        seeds = spread_seeds(pieces.xy, able, len(chosen), first)
        may = np.zeros(len(pieces), dtype=bool)
        may[able] = True
        weight = np.where(part == where, np.where(may, pieces.area, 0.02 * pieces.area), 0.0)
        seeds = relaxed_seeds(graph, pieces.xy, weight, seeds, may)
        # The seat of the first unit is the town's.
        order = np.argsort(((pieces.xy[seeds] - pieces.xy[anchor]) ** 2).sum(axis=1), kind="stable")
        unit_seed[chosen] = seeds[order]
        _, label = ways_from(graph, seeds[order])
        unit[label >= 0] = chosen[label[label >= 0]]
    # Land cut off from every seed of its part joins what borders on it.
    lost = members[unit[members] < 0]
    if len(lost):
        known = members[unit[members] >= 0]
        unit[lost] = unit[known][grow(inner, known, pieces.xy)[lost]]


def make_groups(
    pieces: Pieces, regions: Regions, is_rural: Flags, settled: Indices, wanted: Indices
) -> tuple[Indices, Indices]:
    """Divide every village into groups round its settled pieces.

    Returns
    -------
    group : ndarray
        Group of each piece, -1 in communities.
    village : ndarray
        Village of each group.
    """
    seeds: list[Indices] = []
    villages: list[int] = []
    for unit in np.flatnonzero(is_rural):
        able = settled[regions.unit[settled] == unit]
        able = able if len(able) else regions.unit_seed[[unit]]
        count = int(min(max(wanted[unit], 1), len(able)))
        seeds.append(spread_seeds(pieces.xy, able, count))
        villages.extend([int(unit)] * count)
    village = np.array(villages, dtype=np.int64)
    if not len(village):
        return np.full(len(pieces), -1, dtype=np.int64), village
    joined = np.concatenate(seeds)
    _, group = ways_from(pieces.graph(regions.unit), joined)
    for piece in np.flatnonzero((group < 0) & is_rural[regions.unit]):
        # Cut off from the rest of its village: nearest as the crow flies.
        own = np.flatnonzero(village == regions.unit[piece])
        gap = ((pieces.xy[joined[own]] - pieces.xy[piece]) ** 2).sum(axis=1)
        group[piece] = own[gap.argmin()]
    return group, village
