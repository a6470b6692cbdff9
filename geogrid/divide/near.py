"""Stay as close to an older plan as balance allows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np

from geogrid.divide._allot import link_pieces
from geogrid.divide._overlap import holders
from geogrid.divide._problem import pieces, subset
from geogrid.divide._shift import into_band
from geogrid.divide._split import split_into_parts
from geogrid.errors import InputError
from geogrid.model.plan import GridPlan
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.divide._problem import IntArray, Problem, TextArray
    from geogrid.model.scheme import HouseholdBand, Scheme

__all__ = ["OldCells", "follow", "old_cells"]

# Cells of a wanted number are brought this near to their mean where no band is given.
_ROOM = 0.15
_ROUNDS = 50

# Old labels of the atoms of a level, and code, name, kind, head and parent of each.
OldCells = tuple["IntArray", gpd.GeoDataFrame]


def old_cells(
    near: GridPlan | Mapping[str, gpd.GeoDataFrame] | None,
    scheme: Scheme,
    atoms: gpd.GeoDataFrame,
) -> dict[str, OldCells]:
    """Return by level key the old cell that holds most of each atom, and the old cells.

    Raises
    ------
    InputError
        If the old plan has no level of the scheme.
    """
    if near is None:
        return {}
    tables = dict(_tables(near, scheme)) if isinstance(near, GridPlan) else {
        scheme.level(name).key: table for name, table in near.items()
    }  # fmt: skip
    found: dict[str, OldCells] = {}
    for level in scheme.area_levels:
        if level.key not in tables:
            continue
        table = tables[level.key].sort_values("code", ignore_index=True)
        if table.crs is not None and atoms.crs is not None and table.crs != atoms.crs:
            table = table.to_crs(atoms.crs)
        held = holders(atoms.geometry.to_numpy(), table.geometry.to_numpy())
        found[level.key] = held.owner, table
    if not found:
        msg = f"the old plan has no level of scheme {scheme.key}: give one with such cells"
        raise InputError(msg)
    return found


def _tables(plan: GridPlan, scheme: Scheme) -> dict[str, gpd.GeoDataFrame]:
    tables = {}
    for old in plan.scheme.area_levels:
        if old.contract is not Contract.AREA:
            continue
        names = (old.key, old.name, *old.aliases)
        same = [one for one in scheme.area_levels if any(one.answers_to(name) for name in names)]
        if same:
            cells = plan.cells(old.key)
            head = plan.cell_table["head"].reindex(cells["code"]).fillna("").to_numpy()
            tables[same[0].key] = cells.assign(head=head)
    return tables


def follow(
    problem: Problem,
    old: IntArray,
    *,
    parts: int | None,
    band: HouseholdBand | None,
    fixed: IntArray,
    ids: TextArray,
    seed: tuple[int, ...],
) -> IntArray:
    """Divide one parent into cells as near to the old ones as balance allows.

    Parameters
    ----------
    old
        Old cell of each node, -1 where there was none.
    parts
        Number of cells; ``None`` keeps the old number as far as the band allows.
    fixed
        Cell that each node is locked to, -1 where free.
    """
    if (fixed >= 0).any():
        # Locks name new cells: what they hold together outweighs the old plan.
        old = np.where(fixed >= 0, old.max() + 1 + fixed, old)
    linked = link_pieces(problem, lambda mass: np.argsort(mass)[:1])
    label = _grown(linked, np.unique(old, return_inverse=True)[1].ravel() - int((old < 0).any()))
    wanted = _number(problem, label, parts, band)
    label = _merged(linked, label, wanted, fixed)
    label = _halved(linked, label, wanted, fixed, ids, seed)
    low, high = _room(problem, wanted, band)
    frozen = fixed >= 0
    return into_band(linked, label, low=low, high=high, frozen=frozen).label


def _number(
    problem: Problem, label: IntArray, parts: int | None, band: HouseholdBand | None
) -> int:
    there = int(label.max()) + 1
    if parts is not None:
        return parts
    if band is None:
        return 1
    total = float(problem.weight.sum())
    least = max(math.ceil(total / band.high) if band.high else 1, 1)
    most = max(math.floor(total / band.low) if band.low else problem.n, 1)
    return min(max(there, min(least, most)), max(least, most), problem.n)


def _room(problem: Problem, parts: int, band: HouseholdBand | None) -> tuple[float, float]:
    mean = float(problem.weight.sum()) / parts
    low, high = (1 - _ROOM) * mean, (1 + _ROOM) * mean
    if band is not None and mean in band:
        low = band.low if band.low is not None else 0.0
        high = band.high if band.high is not None else math.inf
    return math.floor(low), high if math.isinf(high) else math.ceil(high)


def _grown(problem: Problem, label: IntArray) -> IntArray:
    """Keep the heaviest piece of each old cell; what is left goes to the neighbour it borders."""
    label = label.copy()
    number = pieces(problem, label)
    mass = np.bincount(number, problem.weight + 1e-9 * problem.area)
    order = np.lexsort((-number, mass[number]))
    best = np.full(int(label.max()) + 2, -1, dtype=np.int64)
    best[label[order]] = number[order]
    label[(label >= 0) & (best[label] != number)] = -1
    while (label < 0).any():
        left, right = label[problem.left], label[problem.right]
        into_left, into_right = (left < 0) & (right >= 0), (right < 0) & (left >= 0)
        node = np.concatenate((problem.left[into_left], problem.right[into_right]))
        name = np.concatenate((right[into_left], left[into_right]))
        cost = np.concatenate((problem.cost[into_left], problem.cost[into_right]))
        if not len(node):
            label[label < 0] = 0
            break
        pairs, at = np.unique(np.column_stack((node, name)), axis=0, return_inverse=True)
        shared = np.bincount(at.ravel(), cost)
        order = np.lexsort((-pairs[:, 1], shared))
        label[pairs[order, 0]] = pairs[order, 1]
    return np.unique(label, return_inverse=True)[1].ravel().astype(np.int64)


def _merged(problem: Problem, label: IntArray, wanted: int, fixed: IntArray) -> IntArray:
    """Join the lightest cell to its lightest neighbour until there are not too many."""
    while int(label.max()) + 1 > wanted:
        mass = np.bincount(label, problem.weight)
        locked = np.zeros(len(mass), dtype=bool)
        locked[label[fixed >= 0]] = True
        order = np.lexsort((mass, locked))
        one = int(order[0])
        ends = np.column_stack((label[problem.left], label[problem.right]))
        touching = ends[(ends == one).any(axis=1)]
        others = np.setdiff1d(np.unique(touching), [one])
        others = others if len(others) else np.setdiff1d(np.arange(len(mass)), [one])
        free = others[~locked[others]] if locked[one] and (~locked[others]).any() else others
        other = int(free[np.argmin(mass[free])])
        label = np.where(label == one, other, label)
        label = np.unique(label, return_inverse=True)[1].ravel().astype(np.int64)
    return label


def _halved(
    problem: Problem,
    label: IntArray,
    wanted: int,
    fixed: IntArray,
    ids: TextArray,
    seed: tuple[int, ...],
) -> IntArray:
    """Halve the heaviest cell that can be until there are enough."""
    label = label.copy()
    while (count := int(label.max()) + 1) < wanted:
        size = np.bincount(label)
        mass = np.where(size > 1, np.bincount(label, problem.weight), -1.0)
        nodes = np.flatnonzero(label == int(np.argmax(mass)))
        own = np.where(fixed[nodes] >= 0, 0, -1)
        half = split_into_parts(
            subset(problem, nodes), 2, tolerance=_ROOM, fixed=own, ids=ids[nodes], seed=seed
        )
        label[nodes[half == 1]] = count
    return label
