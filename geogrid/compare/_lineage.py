"""Which new cell an old one goes on as, who was split and who merged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd

if TYPE_CHECKING:
    from geogrid.compare._layers import Layer

__all__ = ["Lineage", "lineage_of"]

Indices = npt.NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Lineage:
    """Main successor of every old cell and main origin of every new one.

    Attributes
    ----------
    main_new
        For each old cell the new one that got most of it, -1 if most of it is in none.
    main_old
        For each new cell the old one that most of it comes from, -1 if from none.
    """

    main_new: Indices
    main_old: Indices

    def goes_on(self, old: Indices, new: Indices) -> npt.NDArray[np.bool_]:
        """Tell of pairs whether the old cell goes on as the new one: each is the other's main."""
        # The extra -1 at the end answers for cells that are none.
        forward = np.append(self.main_new, -1)[old]
        back = np.append(self.main_old, -1)[new]
        kept: npt.NDArray[np.bool_] = (old >= 0) & (new >= 0) & (forward == new) & (back == old)
        return kept

    def continued(self) -> list[tuple[int, int]]:
        """Return the pairs of old and new cells that go on as each other."""
        olds = np.arange(len(self.main_new), dtype=np.int64)
        kept = self.goes_on(olds, self.main_new)
        return list(zip(olds[kept].tolist(), self.main_new[kept].tolist(), strict=True))

    def splits(self, olds: npt.NDArray[np.object_], news: npt.NDArray[np.object_]) -> pd.DataFrame:
        """Return old cells that two or more new ones mostly come from."""
        found = _fans(self.main_old, self.main_new)
        rows = [(olds[one], tuple(news[few])) for one, few in found]
        return pd.DataFrame(rows, columns=["old", "new"], dtype=object)

    def merges(self, olds: npt.NDArray[np.object_], news: npt.NDArray[np.object_]) -> pd.DataFrame:
        """Return new cells that two or more old ones mostly go to."""
        found = _fans(self.main_new, self.main_old)
        rows = [(news[one], tuple(olds[few])) for one, few in found]
        return pd.DataFrame(rows, columns=["new", "old"], dtype=object)


def _fans(points_to: Indices, back: Indices) -> list[tuple[int, Indices]]:
    """Return those that several others point to, with their own main among them."""
    found = []
    for one, main in enumerate(back):
        few = np.flatnonzero(points_to == one)
        if not len(few):
            continue
        few = np.union1d(few, [main]) if main >= 0 else few
        if len(few) > 1:
            found.append((one, few))
    return found


def lineage_of(table: pd.DataFrame, old: Layer, new: Layer) -> Lineage:
    """Find mains from a crosswalk of positions.

    A code that stays on at least half of the smaller cell's ground is the same cell, however its
    people are spread: what is left of it is what the planner goes on calling so. For all others
    the mean share of households and area decides (area alone where nobody lives), ties by code.
    """
    is_same = np.append(old.codes, "")[table["old"]] == np.append(new.codes, "")[table["new"]]
    is_same &= (table["old"] >= 0).to_numpy() & (table["new"] >= 0).to_numpy()
    facts = table.assign(is_same=is_same)
    of_old, of_new = (
        facts.groupby(side)["area_m2"].transform("sum").to_numpy(float) for side in ("old", "new")
    )
    smaller = np.minimum(of_old, of_new)
    is_held = is_same & (facts["area_m2"] > 0) & (2 * facts["area_m2"] >= smaller)
    main_new = _mains(facts, "old", "new", len(old.codes))
    main_old = _mains(facts, "new", "old", len(new.codes))
    held = facts[is_held]
    main_new[held["old"].to_numpy()] = held["new"].to_numpy()
    main_old[held["new"].to_numpy()] = held["old"].to_numpy()
    return Lineage(main_new, main_old)


def _mains(table: pd.DataFrame, of: str, other: str, count: int) -> Indices:
    sums = table.groupby(of)[["households", "area_m2"]].transform("sum")
    people, area = (
        table[column].to_numpy(float) / np.where(sums[column] > 0, sums[column], 1)
        for column in ("households", "area_m2")
    )
    weight = np.where(sums["households"] > 0, (people + area) / 2, area)
    # Shares that differ by rounding are equal.
    ranked = table.assign(weight=weight.round(9)).sort_values(
        [of, "weight", "is_same", other], ascending=[True, False, False, True]
    )
    ranked = ranked[(ranked[of] >= 0) & (ranked["weight"] > 0)]
    first = ranked.drop_duplicates(of)
    main = np.full(count, -1, dtype=np.int64)
    main[first[of].to_numpy()] = first[other].to_numpy()
    return main
