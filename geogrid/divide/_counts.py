"""An exact number of cells of a level, shared among the parents."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._allot import allot, crowd
from geogrid.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.divide._problem import FloatArray, IntArray
    from geogrid.model.scheme import HouseholdBand, Level, Scheme

__all__ = ["band_shares", "read_counts", "share_count"]


def read_counts(counts: Mapping[str, int] | None, scheme: Scheme) -> dict[str, int]:
    """Return the wanted number of cells by level key.

    Raises
    ------
    InputError
        If a level is unknown or named twice, or a number is not 1 or more.
    """
    wanted: dict[str, int] = {}
    for name, count in (counts or {}).items():
        key = scheme.level(name).key
        if key in wanted:
            msg = f"the number of cells of level {key} is given twice: give it once"
            raise InputError(msg)
        if int(count) != count or count < 1:
            msg = f"level {key} cannot have {count} cells: ask for a whole number from 1 up"
            raise InputError(msg)
        wanted[key] = int(count)
    return wanted


def share_count(
    mass: FloatArray,
    count: int,
    *,
    least: IntArray,
    most: IntArray,
    level: Level,
    notes: list[str],
) -> IntArray:
    """Share ``count`` cells among parents by largest remainder over households.

    Parameters
    ----------
    mass
        Households of each parent.
    least, most
        Cells that a parent must have and can have, whatever the band says.
    notes
        Is told when the band of the level cannot be kept by this number.

    Raises
    ------
    InfeasibleError
        If the parents cannot have this number of cells in all.
    """
    if least.sum() > count or most.sum() < count:
        msg = (
            f"level {level.key} ({level.name}) cannot have {count} cells: its {len(mass)} parents "
            f"allow {least.sum()} to {most.sum()}, at least one each and no more than they have "
            f"atoms or households for; ask for such a number"
        )
        raise InfeasibleError(msg)
    if level.band is None:
        return allot(mass, count, least=least, most=most)
    fewest, greatest = _within(mass, level.band)
    fewest, greatest = np.clip(fewest, least, most), np.clip(greatest, least, most)
    greatest = np.maximum(fewest, greatest)
    if fewest.sum() <= count <= greatest.sum():
        return allot(mass, count, least=fewest, most=greatest)
    low, high = level.band.low or 0, level.band.high
    notes.append(
        f"{count} cells of level {level.key} contradict its band of {low} to "
        f"{'any number of' if high is None else high} households: {fewest.sum()} to "
        f"{greatest.sum()} would keep it; the number was kept"
    )
    if high is not None and count < fewest.sum():
        return crowd(mass, count, least=least, most=fewest, high=high)
    return allot(mass, count, least=greatest, most=most)


def band_shares(mass: FloatArray, band: HouseholdBand | None, *, most: IntArray) -> IntArray:
    """Return the number of cells per parent that a band asks for, one where there is no band."""
    target = None if band is None else band.target
    if band is None or not target:
        return np.minimum(np.ones(len(mass), dtype=np.int64), most)
    fewest, greatest = _within(mass, band)
    wanted = np.round(mass / target).astype(np.int64)
    few = np.maximum(greatest, 1)
    # Where no number keeps the band, the one that leaves it by the smaller factor is taken.
    over = mass / few / (band.high or np.inf)
    under = (band.low or 0) / np.maximum(mass / np.maximum(fewest, 1), 1e-9)
    fallback = np.where(over <= under, few, np.maximum(fewest, 1))
    shares = np.where(fewest <= greatest, np.clip(wanted, fewest, greatest), fallback)
    return np.clip(np.maximum(shares, 1), np.minimum(1, most), most)


def _within(mass: FloatArray, band: HouseholdBand) -> tuple[IntArray, IntArray]:
    """Return the least and the greatest number of cells whose mean can lie in the band."""
    high = math.inf if band.high is None else max(band.high, 1)
    fewest = np.maximum(np.ceil(mass / high), 1).astype(np.int64)
    if not band.low:
        return fewest, np.full(len(mass), np.iinfo(np.int32).max, dtype=np.int64)
    return fewest, np.floor(mass / band.low).astype(np.int64)
