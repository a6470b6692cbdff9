"""Kinds of houses, and how many floors each needs for its households."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from geogrid.errors import InfeasibleError
from geogrid.synthetic._draws import apportion
from geogrid.synthetic._slots import RowRule

__all__ = ["HOUSE", "TYPES", "HomeType", "choose_types", "floors_and_numbers", "rule_of"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, kw_only=True)
class HomeType:
    """One kind of house, in metres.

    ``entrance_m`` is the width of one entrance's part, ``per_floor`` the households on each of its
    floors, ``low`` and ``high`` the usual floors.
    """

    entrance_m: float
    depth: float
    spacing: float
    gap: float
    margin: float
    aisle: float
    per_floor: int
    low: int
    high: int


TYPES = (
    HomeType(entrance_m=15.0, depth=12.0, spacing=27.0, gap=10.0, margin=8.0, aisle=6.0,
             per_floor=2, low=6, high=8),
    HomeType(entrance_m=19.0, depth=14.0, spacing=38.0, gap=14.0, margin=10.0, aisle=7.0,
             per_floor=2, low=9, high=18),
    HomeType(entrance_m=30.0, depth=20.0, spacing=48.0, gap=20.0, margin=12.0, aisle=8.0,
             per_floor=4, low=18, high=33),
)  # fmt: skip
# Grounds where houses are taller than they need be.
_HIGHER_SHARE = 0.3
HOUSE = HomeType(entrance_m=11.0, depth=9.0, spacing=22.0, gap=5.0, margin=4.0, aisle=4.5,
                 per_floor=1, low=1, high=1)  # fmt: skip


def rule_of(types: Indices, entrances: Floats, kinds: tuple[HomeType, ...] = TYPES) -> RowRule:
    """Return the row rule of each ground from its type of house and entrances a house."""

    def column(name: str) -> Floats:
        return np.array([getattr(kind, name) for kind in kinds], dtype=float)[types]

    return RowRule(
        length=column("entrance_m") * entrances,
        depth=column("depth"),
        spacing=column("spacing"),
        gap=column("gap"),
        margin=column("margin"),
        aisle=column("aisle"),
    )


def choose_types(
    wanted: Floats, capacity: npt.NDArray[np.float64], rng: np.random.Generator
) -> Indices:
    """Choose the lowest type of house that holds what is wanted, sometimes the next higher.

    Parameters
    ----------
    wanted
        Households on each ground.
    capacity
        The most that each type holds there, shape (grounds, types).
    """
    fits = capacity >= wanted[:, None]
    lowest = np.where(fits.any(axis=1), fits.argmax(axis=1), capacity.argmax(axis=1))
    higher = np.minimum(lowest + 1, capacity.shape[1] - 1)
    can = capacity[np.arange(len(wanted)), higher] >= wanted
    # A ground that needs fewer than three tall houses keeps to low ones.
    can &= wanted > np.array([0, 110, 330])[higher]
    is_higher = can & (rng.random(len(wanted)) < _HIGHER_SHARE)
    types: Indices = np.where(is_higher, higher, lowest)
    return types


def floors_and_numbers(
    wanted: Floats, slots: Indices, per_level: Indices, bounds: tuple[Indices, Indices], total: int
) -> tuple[Indices, Indices]:
    """Return how many houses stand on each ground and how many floors they have.

    Parameters
    ----------
    wanted
        Rooms for households on each ground.
    slots
        Places for houses there.
    per_level
        Households on one floor of one house.
    bounds
        Lowest and highest usual number of floors.
    total
        Exact number of houses, 0 for as many as are needed.

    Raises
    ------
    InfeasibleError
        If there are fewer places than houses.
    """
    low, high = bounds
    if total:
        if total > slots.sum():
            msg = f"{int(slots.sum())} places for {total} buildings: give smaller gaps or more area"
            raise InfeasibleError(msg)
        number = apportion(total, wanted, slots, least=1)
    else:
        floors = np.clip(np.ceil(wanted / np.maximum(slots * per_level, 1)), low, high)
        number = np.minimum(np.ceil(wanted / (per_level * floors)).astype(np.int64), slots)
    number = np.maximum(number, np.minimum(slots, 1))
    floors = np.ceil(wanted / np.maximum(number * per_level, 1)).astype(np.int64)
    return number, np.clip(floors, np.minimum(low, 3) if total else low, 33)
