"""What stands on each block, and how many households it should hold."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from geogrid.errors import InfeasibleError

if TYPE_CHECKING:
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["ROOM", "Ground", "Use", "Wanted", "choose_uses"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]


class Use(IntEnum):
    """What a block is for."""

    VACANT = 0
    COMPOUND = 1
    OPEN = 2
    SCHOOL = 3
    HOSPITAL = 4
    MARKET = 5
    PARK = 6
    COMMERCIAL = 7
    INDUSTRIAL = 8
    VILLAGE = 9


# Sizes of compounds in households: the source texts speak of 200 to 2,000.
_LEAST, _MOST = 225.0, 1900.0
# Households that an open block of six floors holds on a hectare, streets excluded.
_OPEN_PER_HA = 105.0
# One public ground for so many communities.
_PER_COMMUNITIES = {Use.SCHOOL: 1.6, Use.HOSPITAL: 9.0, Use.MARKET: 3.0, Use.PARK: 1.4}
_BUSINESS_SHARE = {Use.COMMERCIAL: 0.25, Use.INDUSTRIAL: 0.5}
# The edge of the city, in city radii.
_EDGE = 1.1
# Fewer houses than these make no compound.
_FEWEST_HOUSES = 4
# Places are left over where the number of buildings is given.
_SPARE_PLACES = 1.12
# Rooms stand empty: this much more is built than is lived in.
ROOM = 1.05


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Wanted:
    """Use of each block, households wanted on it, and which special cell it belongs to (-1)."""

    use: npt.NDArray[np.int8]
    households: Floats
    special: Indices


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """What a choice needs to know of every block.

    ``capacity`` is the most households that its best buildings hold, ``places`` the number of its
    low buildings, ``far`` the way from the centre in city radii; ``is_city`` tells city blocks
    from those of villages.
    """

    net_ha: Floats
    capacity: Floats
    places: Indices
    unit: Indices
    cell: Indices
    far: Floats
    is_city: Flags
    is_sound: Flags


def choose_uses(
    spec: PlaceSpec, ground: Ground, households: int, rng: np.random.Generator
) -> Wanted:
    """Choose a use for every city block.

    Raises
    ------
    InfeasibleError
        If the blocks cannot hold the compounds or the households.
    """
    count = len(ground.unit)
    use = np.zeros(count, dtype=np.int8)
    special = _reserve(spec, ground, use)
    free = ground.is_city & ground.is_sound & (use == Use.VACANT)
    if households == 0:
        _public_uses(spec, ground, use, free, rng)
        return Wanted(use=use, households=np.zeros(count), special=special)
    inhabited = _compounds(spec, ground, free, rng)
    use[inhabited] = Use.COMPOUND
    in_compounds = _share_in(spec, len(inhabited), households)
    opened = _open_blocks(
        ground,
        free & (use == Use.VACANT),
        inhabited,
        households - min(in_compounds, 0.9 * float(ground.capacity[inhabited].sum())),
        _SPARE_PLACES * spec.buildings - float(ground.places[inhabited].sum()),
    )
    use[opened] = Use.OPEN
    if not len(opened):
        in_compounds = households
    wanted = np.zeros(count)
    spread = (
        ground.net_ha**0.9
        * (0.55 + 0.9 * rng.random(count))
        * (1.25 - 0.4 * np.clip(ground.far, 0, 1.5))
    )
    capacity = ground.capacity / (ROOM + 0.03)
    if len(inhabited):
        mean = in_compounds / len(inhabited)
        low = min(_LEAST, 0.8 * mean)
        high = np.minimum(capacity[inhabited], max(_MOST, 1.3 * mean))
        wanted[inhabited] = _scaled(spread[inhabited], in_compounds, low, high)
    rest = households - float(wanted.sum())
    if len(opened):
        wanted[opened] = _scaled(spread[opened], rest, 1.0, capacity[opened])
    if wanted.sum() < households - 0.5:
        msg = (
            f"the blocks of {spec.key} hold {int(wanted.sum())} of {households} urban households: "
            "give a larger area or a lower density"
        )
        raise InfeasibleError(msg)
    _public_uses(spec, ground, use, ground.is_city & (use == Use.VACANT), rng)
    return Wanted(use=use, households=wanted, special=special)


def _share_in(spec: PlaceSpec, compounds: int, households: int) -> int:
    return round(households * spec.compound_share) if compounds else 0


def _reserve(spec: PlaceSpec, ground: Ground, use: npt.NDArray[np.int8]) -> Indices:
    """Keep blocks for the special cells: business by the centre, industry at the edge."""
    special = np.full(len(use), -1, dtype=np.int64)
    for number, one in enumerate(spec.specials):
        able = np.flatnonzero(ground.is_city & ground.is_sound & (use == Use.VACANT))
        # A tenth of the city at most: a small place keeps its blocks for homes.
        if len(able) < 10 or one.use not in {"commercial", "industrial"}:  # noqa: PLR2004 - a tenth
            continue
        if one.use == "commercial":
            chosen = able[[np.argmin(np.abs(ground.far[able] - 0.12))]]
            use[chosen] = Use.COMMERCIAL
        else:
            # Not in the seat of a town far away.
            edge = min(float(np.quantile(ground.far[able], 0.9)), _EDGE)
            outer = able[ground.far[able] <= max(edge, float(ground.far[able].min()))]
            cell = ground.cell[outer[np.argmax(ground.far[outer])]]
            chosen = able[ground.cell[able] == cell]
            use[chosen] = Use.INDUSTRIAL
        special[chosen] = number
    return special


def _compounds(spec: PlaceSpec, ground: Ground, free: Flags, rng: np.random.Generator) -> Indices:
    """Choose the blocks of gated compounds: one a community first, then anywhere."""
    able = np.flatnonzero(free & (ground.capacity > 0))
    if len(able) < spec.compounds:
        msg = (
            f"{spec.key} has {len(able)} blocks for {spec.compounds} compounds: "
            "give a larger area or smaller blocks"
        )
        raise InfeasibleError(msg)
    # Small and awkward blocks come last.
    is_small = (ground.capacity[able] < 1.2 * _LEAST) | (ground.places[able] < _FEWEST_HOUSES)
    key = rng.random(len(able)) + is_small
    order = able[np.argsort(key, kind="stable")]
    _, first = np.unique(ground.unit[order], return_index=True)
    is_first = np.zeros(len(order), dtype=bool)
    is_first[first] = True
    return np.concatenate([order[is_first], order[~is_first]])[: spec.compounds]


def _open_blocks(
    ground: Ground, free: Flags, inhabited: Indices, households: float, places: float
) -> Indices:
    """Choose blocks without a wall, old ones near the centre first; one a unit without homes.

    They hold at least so many more ``households`` and ``places`` for buildings.
    """
    able = np.flatnonzero(free & (ground.capacity > 0))
    order = able[np.argsort(ground.far[able], kind="stable")]
    bare = ~np.isin(ground.unit[order], ground.unit[inhabited])
    _, first = np.unique(ground.unit[order], return_index=True)
    must = np.zeros(len(order), dtype=bool)
    must[first] = True
    must &= bare
    room = np.minimum(_OPEN_PER_HA * ground.net_ha[order], 0.9 * ground.capacity[order])
    queue = np.concatenate([order[must], order[~must]])
    room = np.concatenate([room[must], room[~must]])
    count = int(must.sum())
    for held, needed in ((room, households), (ground.places[queue], places)):
        if needed > 0:
            count = max(count, int(np.searchsorted(np.cumsum(held), needed)) + 1)
    return queue[:count]


def _scaled(weight: Floats, total: float, low: float, high: Floats) -> Floats:
    """Scale weights so that they sum to ``total`` between two bounds, as far as they can."""
    below, above = 0.0, 4.0 * total / max(float(weight.min()), 1e-9)
    for _ in range(80):
        factor = (below + above) / 2
        if np.minimum(np.maximum(weight * factor, low), high).sum() < total:
            below = factor
        else:
            above = factor
    return np.minimum(np.maximum(weight * above, low), high)


def _public_uses(
    spec: PlaceSpec,
    ground: Ground,
    use: npt.NDArray[np.int8],
    free: Flags,
    rng: np.random.Generator,
) -> None:
    able = np.flatnonzero(free)
    able = able[np.argsort(rng.random(len(able)), kind="stable")]
    communities = sum(not unit.is_rural for unit in spec.units)
    for kind, each in _PER_COMMUNITIES.items():
        number = min(max(round(communities / each), 1), len(able))
        use[able[:number]] = kind
        able = able[number:]
    # Business keeps to the middle and industry to the edge, but not in rings.
    able = able[np.argsort(ground.far[able] + 0.5 * rng.random(len(able)), kind="stable")]
    number = round(_BUSINESS_SHARE[Use.COMMERCIAL] * len(able))
    use[able[:number]] = Use.COMMERCIAL
    outer = able[number:][::-1]
    number = round(_BUSINESS_SHARE[Use.INDUSTRIAL] * len(outer))
    use[outer[:number]] = Use.INDUSTRIAL
    # Half of what is left is green; the other half waits for builders.
    use[outer[number::2]] = Use.PARK
