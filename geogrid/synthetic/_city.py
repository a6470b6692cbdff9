"""City blocks: compounds, open quarters and public grounds, with what stands on them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

from geogrid.synthetic._draws import apportion, fill_up
from geogrid.synthetic._homes import TYPES, choose_types, floors_and_numbers, rule_of
from geogrid.synthetic._lines import Street
from geogrid.synthetic._parcels import building_table, lay_lanes
from geogrid.synthetic._slots import Frames, RowRule, Slots, row_slots
from geogrid.synthetic._uses import ROOM, Ground, Use, Wanted, choose_uses

if TYPE_CHECKING:
    from geogrid.synthetic._blocks import Blocks
    from geogrid.synthetic._parcels import Parcels
    from geogrid.synthetic._site import Site
    from geogrid.synthetic._spec import PlaceSpec

__all__ = ["City", "build_city", "with_households"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_USUAL_ENTRANCES = 2.0
# Floors: of a low house where it must grow, and of any house.
_TALLEST_SLAB, _MOST_FLOORS = 12, 33
_GROWTHS, _LEAST_ROOM = 30, 1.005
# Blocks through which the spine runs from street to street.
_THROUGH_SHARE = 0.6
# length, depth, spacing, gap, most buildings, levels of what is no home.
_PUBLIC = {
    Use.SCHOOL: (58.0, 14.0, 40.0, 18.0, 3, 5),
    Use.HOSPITAL: (50.0, 24.0, 52.0, 22.0, 3, 10),
    Use.MARKET: (52.0, 34.0, 50.0, 14.0, 3, 2),
    Use.COMMERCIAL: (44.0, 34.0, 58.0, 20.0, 4, 14),
    Use.INDUSTRIAL: (72.0, 36.0, 52.0, 16.0, 6, 2),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class City:
    """What stands on the blocks.

    Attributes
    ----------
    wanted
        Use of each block.
    parcels
        Their grounds.
    buildings
        One row a building, see :func:`building_table`.
    compound
        The blocks that are compounds.
    has_north_gate
        For every block, whether its spine runs through.
    """

    wanted: Wanted
    parcels: Parcels
    buildings: pd.DataFrame
    compound: Indices
    has_north_gate: Flags


def build_city(site: Site, blocks: Blocks, parcels: Parcels, ground: Ground) -> City:
    """Choose uses, put up houses and lay the lanes of every city block.

    ``ground`` says what is known of the blocks before their capacity is.
    """
    spec, rng = site.spec, site.draws.stream("city")
    entrances = _entrances_a_house(spec, len(blocks), rng)
    slots, capacity = _places(parcels, entrances)
    capacity = np.where((parcels.is_sound & ground.is_city)[:, None], capacity, 0.0)
    if spec.buildings:
        # Where the number of houses is given they are all low, and grow instead.
        capacity = capacity[:, :1] * _TALLEST_SLAB / TYPES[0].high
    ground = replace(
        ground,
        capacity=capacity.max(axis=1),
        places=np.bincount(slots[0].ground, minlength=len(blocks)) * parcels.is_sound,
    )
    wanted = choose_uses(spec, ground, site.urban, rng)
    homes = np.flatnonzero(np.isin(wanted.use, (Use.COMPOUND, Use.OPEN)))
    types = np.zeros(len(blocks), dtype=np.int64)
    types[homes] = choose_types(wanted.households[homes] * ROOM, capacity[homes], rng)
    # Open blocks are low wherever low houses hold what is wanted.
    types[(wanted.use == Use.OPEN) & (capacity[:, 0] >= wanted.households * ROOM)] = 0
    houses = _houses(spec, _Choice(homes, types, entrances, wanted), slots, rng)
    through = (wanted.use == Use.OPEN) | (rng.random(len(blocks)) < _THROUGH_SHARE)
    streets = (Street.SERVICE, Street.FOOTWAY)
    lay_lanes(blocks, parcels, houses, site.work, through=through, path=streets)
    others = _public_buildings(parcels, wanted, rng)
    parts = [building_table(parcels, one, wanted.use) for one in (houses, others)]
    return City(
        wanted=wanted,
        parcels=parcels,
        buildings=pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True),
        compound=np.flatnonzero(wanted.use == Use.COMPOUND),
        has_north_gate=through,
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Choice:
    """The inhabited blocks, the type and entrances of their houses, and the households wanted."""

    homes: Indices
    types: Indices
    entrances: Floats
    wanted: Wanted


def _entrances_a_house(spec: PlaceSpec, count: int, rng: np.random.Generator) -> Floats:
    """Draw the entrances of houses, the same on one ground, shape (grounds, types)."""
    if spec.buildings:
        low = np.full(count, np.ceil(_mean_entrances(spec)))
    else:
        low = 2 + np.floor(3 * rng.random(count))
    return np.column_stack([low, np.full(count, 2.0), np.ones(count)])


def _mean_entrances(spec: PlaceSpec) -> float:
    return spec.entrances / spec.buildings if spec.entrances else _USUAL_ENTRANCES


def _places(parcels: Parcels, entrances: Floats) -> tuple[list[Slots], Floats]:
    """Find the places for each type of house on each ground, and the households they hold."""
    found, capacity = [], []
    count = len(parcels.share)
    for number, kind in enumerate(TYPES):
        rule = rule_of(np.full(count, number, dtype=np.int64), entrances[:, number])
        slots = row_slots(parcels.corner, parcels.frames, rule)
        found.append(slots)
        houses = np.bincount(slots.ground, minlength=count)
        capacity.append(houses * entrances[:, number] * kind.per_floor * kind.high)
    return found, np.column_stack(capacity)


def _houses(
    spec: PlaceSpec, choice: _Choice, slots: list[Slots], rng: np.random.Generator
) -> pd.DataFrame:
    """Choose places for the houses of every inhabited ground."""
    homes, types, wanted = choice.homes, choice.types, choice.wanted
    count = len(types)
    own = choice.entrances[np.arange(count), types]
    table = _open_places(choice, slots)
    per_floor, low, high = (
        np.array([getattr(kind, name) for kind in TYPES])[types]
        for name in ("per_floor", "low", "high")
    )
    # Where entrances are counted some houses get one fewer than they have room for.
    mean = _mean_entrances(spec)
    spare = ROOM * (np.ceil(mean) / mean if spec.entrances else 1.0)
    number, floors = floors_and_numbers(
        wanted.households[homes] * spare,
        np.bincount(table["ground"], minlength=count)[homes],
        (per_floor * own)[homes].astype(np.int64),
        (low[homes], high[homes]),
        spec.buildings,
    )
    keep, levels = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    keep[homes], levels[homes] = number, floors
    table = table[_first_of(table["ground"].to_numpy(), keep, rng)].reset_index(drop=True)
    at = table["ground"].to_numpy()
    table["floors"] = table["levels"] = levels[at]
    table["wish"] = wanted.households[at] / keep[at]
    table["entrances"] = own[at].astype(np.int64)
    table["per_floor"] = per_floor[at]
    rule = rule_of(types[at], own[at])
    table["length"], table["depth"] = rule.length, rule.depth
    if spec.entrances:
        table["entrances"] = _exact_entrances(len(table), spec.entrances, rng)
    return table


def _open_places(choice: _Choice, slots: list[Slots]) -> pd.DataFrame:
    """Return the places for houses of the chosen type on every inhabited ground."""
    is_home = np.zeros(len(choice.types), dtype=bool)
    is_home[choice.homes] = True
    parts = []
    for number, one in enumerate(slots):
        rows = is_home[one.ground] & (choice.types[one.ground] == number)
        values = {name: getattr(one, name)[rows] for name in ("ground", "row", "u", "v")}
        parts.append(pd.DataFrame(values))
    table = pd.concat(parts, ignore_index=True)
    return table.sort_values(["ground", "row", "u"], ignore_index=True)


def _exact_entrances(count: int, total: int, rng: np.random.Generator) -> Indices:
    """Share entrances over houses: nearly the same in each, some with one more."""
    base, more = divmod(total, count)
    entrances = np.full(count, base, dtype=np.int64)
    entrances[np.argsort(rng.random(count), kind="stable")[:more]] += 1
    return entrances


def _first_of(owner: Indices, number: Indices, rng: np.random.Generator) -> Flags:
    """Choose ``number`` rows at random of each owner."""
    key = rng.random(len(owner))
    order = np.lexsort((key, owner))
    size = np.bincount(owner, minlength=len(number))
    rank = np.empty(len(owner), dtype=np.int64)
    rank[order] = np.arange(len(owner)) - np.repeat(np.cumsum(size) - size, size)
    chosen: Flags = rank < number[owner]
    return chosen


def _public_buildings(parcels: Parcels, wanted: Wanted, rng: np.random.Generator) -> pd.DataFrame:
    values = np.zeros((len(Use), 6))
    for use, numbers in _PUBLIC.items():
        values[use] = numbers
    uses = wanted.use.astype(np.int64)
    grounds = np.flatnonzero(np.isin(uses, list(_PUBLIC)) & parcels.is_sound)
    of = values[uses[grounds]]
    rule = RowRule(
        length=of[:, 0],
        depth=of[:, 1],
        spacing=of[:, 2],
        gap=of[:, 3],
        margin=np.full(len(grounds), 8.0),
        aisle=np.full(len(grounds), -1.0),
    )
    frames = Frames(origin=parcels.frames.origin[grounds], north=parcels.frames.north[grounds])
    slots = row_slots(parcels.corner[grounds], frames, rule)
    keep = _first_of(slots.ground, of[:, 4].astype(np.int64), rng)
    ground = slots.ground[keep]
    return pd.DataFrame(
        {
            "ground": grounds[ground],
            "row": slots.row[keep],
            "u": slots.u[keep],
            "v": slots.v[keep],
            "wish": 0.0,
            "floors": 0,
            "entrances": 0,
            "per_floor": 0,
            "length": of[ground, 0],
            "depth": of[ground, 1],
            "levels": np.maximum(
                np.round(of[ground, 5] * (0.7 + 0.5 * rng.random(len(ground)))), 1
            ),
        }
    )


def with_households(buildings: pd.DataFrame, households: int, *, fill: int = 0) -> pd.DataFrame:
    """Share households over houses as their grounds wish, never more than they have dwellings.

    Houses grow where rounding left too few dwellings. ``fill`` is the size of a group of
    neighbours that houses are filled to whole ones of, as far as can be; 0 for no such groups.
    """
    table = buildings.copy()
    is_home = table["floors"].to_numpy() > 0
    for _ in range(_GROWTHS):
        dwellings = (table["floors"] * table["entrances"] * table["per_floor"]).to_numpy(np.int64)
        if dwellings.sum() >= _LEAST_ROOM * households:
            break
        table["floors"] = np.minimum(table["floors"] + is_home, _MOST_FLOORS)
        table.loc[is_home, "levels"] = table.loc[is_home, "floors"]
    counts = apportion(households, table["wish"].to_numpy(float), dwellings)
    table["households"] = fill_up(counts, dwellings, fill) if fill else counts
    return table
