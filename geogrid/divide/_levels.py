"""One area level divided inside the cells of the level above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from geogrid.divide._allot import allot
from geogrid.divide._codes import Given
from geogrid.divide._counts import share_count
from geogrid.divide._lock_table import FREE, fixed_numbers, tied
from geogrid.divide._parents import by_parent
from geogrid.divide._problem import contract
from geogrid.divide._shift import into_band
from geogrid.divide._split import split_into_band, split_into_parts
from geogrid.divide.near import follow
from geogrid.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from geogrid.divide._kinds import Special
    from geogrid.divide._problem import IntArray, Problem, TextArray
    from geogrid.divide._upper import Official
    from geogrid.model.scheme import HouseholdBand, Level

__all__ = ["Ground", "LevelWish", "divide_level"]

# Without a band, cells of a wanted number are to be this near to their mean.
_TOLERANCE = 0.1
_TIGHTEST, _LOOSEST = 0.02, 0.5
_MOST_STARTS = 8
# Per cell: a division that is still outside the band then has atoms that are too heavy.
_FEW_TRIES = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ground:
    """What every level is divided from: the atoms, in the order of their ids.

    ``whole`` numbers the group (村民小组) of each atom, -1 for none.
    """

    problem: Problem
    ids: TextArray
    whole: IntArray
    seed: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelWish:
    """What is asked of one level; ``locks`` are its own and those of all finer levels."""

    level: Level
    locks: IntArray
    at: int
    official: Official | None = None
    special: Special | None = None
    count: int | None = None
    near: IntArray | None = None


@dataclass(slots=True, eq=False)
class _Part:
    """One parent: its nodes, and the groups of them that stay together."""

    parent: int
    nodes: IntArray
    problem: Problem
    group: IntArray
    fixed: IntArray
    near: IntArray | None

    @property
    def locked(self) -> int:
        return int(self.fixed.max(initial=FREE)) + 1

    def most(self, *, whole: bool, lived: bool) -> int:
        """Return how many cells there can be: of whole groups, of those with households only."""
        group = self.group if whole else np.arange(len(self.nodes))
        fixed = self.fixed if whole else self.fixed[self.group]
        held = np.bincount(group, self.problem.weight, minlength=len(fixed))
        counts = (held > 0) | (not lived)
        return max(self.locked + int((counts & (fixed == FREE)).sum()), 1)


def divide_level(
    ground: Ground,
    cell: IntArray,
    wish: LevelWish,
    given: dict[int, Given],
    sealed: IntArray,
    notes: list[str],
) -> IntArray:
    """Return the cells of one level, given those of the level above.

    Parameters
    ----------
    given
        Is filled with what is known of the new cells.
    sealed
        1 for atoms in a special cell of a coarser level: its cells here are as it is.
    """
    if wish.official is not None and not len(wish.official.seat):
        return _official_cells(wish, wish.official, cell, given)
    found = np.full(len(cell), -1, dtype=np.int64)
    number = 0
    for parent in np.unique(cell[sealed > 0]).tolist():
        found[cell == parent] = number
        number += 1
    if wish.special is not None:
        number = _special_cells(wish, wish.special, cell, found, given, number)
    rest = np.where(found < 0, cell, -1)
    parts = [
        _part(ground, wish, parent, nodes, problem)
        for parent, nodes, problem in by_parent(ground.problem, rest)
    ]
    shares = _shares(wish, parts, number, notes)
    for part, share in zip(parts, shares, strict=True):
        label = _divide(ground, wish, part, share)
        found[part.nodes] = number + label
        _remember(wish, part, label, number, given)
        number += int(label.max()) + 1
    return found


def _official_cells(
    wish: LevelWish, official: Official, cell: IntArray, given: dict[int, Given]
) -> IntArray:
    pairs = np.unique(np.column_stack((official.owner, cell)), axis=0)
    twice = pairs[1:, 0][pairs[1:, 0] == pairs[:-1, 0]]
    if len(twice):
        msg = (
            f"the official cell {official.codes[twice[0]]} of level {wish.level.key} lies in two "
            f"cells of the level above: cut the atoms along both, or correct one of the files"
        )
        raise InputError(msg)
    for at, code in enumerate(official.codes):
        given[at] = Given(code=code, name=official.names[at], kind=official.kinds[at])
    return official.owner.copy()


def _special_cells(
    wish: LevelWish,
    special: Special,
    cell: IntArray,
    found: IntArray,
    given: dict[int, Given],
    number: int,
) -> int:
    """Give special areas cells of their own: one a parent, or one in all where it may span."""
    inside = (special.number >= 0) & (found < 0)
    for one in np.unique(special.number[inside]).tolist():
        nodes = np.flatnonzero(inside & (special.number == one))
        kind, name = special.kinds[one], special.names[one]
        spans = kind in wish.level.spanning_kinds or wish.level.may_span_parents
        parents = np.zeros(len(nodes), dtype=np.int64) if spans else cell[nodes]
        for parent in np.unique(parents).tolist():
            found[nodes[parents == parent]] = number
            given[number] = Given(name=name, kind=kind, is_one=spans)
            number += 1
    return number


def _part(ground: Ground, wish: LevelWish, parent: int, nodes: IntArray, problem: Problem) -> _Part:
    ids, locks = ground.ids[nodes], wish.locks[nodes]
    near = None if wish.near is None else wish.near[nodes]
    is_plain = (ground.whole[nodes] < 0).all() and (locks == FREE).all()
    if is_plain:
        group = np.arange(len(nodes))
        fixed = np.full(len(nodes), FREE, dtype=np.int64)
    else:
        group = tied(problem, locks, ids, ground.whole[nodes])
        fixed = fixed_numbers(locks, group, ids)
    part = _Part(parent, nodes, problem, group, fixed, near)
    if wish.official is not None:
        _fix_seats(wish, wish.official, part, ids)
    return part


def _fix_seats(wish: LevelWish, official: Official, part: _Part, ids: TextArray) -> None:
    """Lock the atom of each seat to the cell that grows round it."""
    place = {node: at for at, node in enumerate(part.nodes.tolist())}
    inside = [at for at, node in enumerate(official.seat.tolist()) if node in place]
    if not inside:
        msg = (
            f"no seat of level {wish.level.key} lies in one of the cells above, among the atoms "
            f"round {ids[0]}: give every cell above at least one seat"
        )
        raise InputError(msg)
    for number, at in enumerate(inside):
        group = part.group[place[int(official.seat[at])]]
        if part.fixed[group] != FREE:
            msg = (
                f"the seat of {official.codes[at]} at level {wish.level.key} lies in atoms that "
                f"stay together with another seat or lock: unlock them, or give polygons"
            )
            raise InfeasibleError(msg)
        part.fixed[group] = number


def _shares(wish: LevelWish, parts: list[_Part], taken: int, notes: list[str]) -> list[int | None]:
    """Return the number of cells of each parent; ``None`` leaves it to the band."""
    if wish.official is not None or wish.level.one_to_one:
        return [max(part.locked, 1) for part in parts]
    if wish.count is None:
        return [None if wish.level.band is not None else max(part.locked, 1) for part in parts]
    count = wish.count - taken
    mass = np.array([part.problem.weight.sum() for part in parts], dtype=np.float64)
    least = np.array([max(part.locked, 1) for part in parts], dtype=np.int64)
    most = least
    # Whole groups and cells with households as long as they can make up the number.
    for whole, lived in ((True, True), (False, True), (True, False), (False, False)):
        most = np.array([part.most(whole=whole, lived=lived) for part in parts], dtype=np.int64)
        if most.sum() >= count:
            break
    kept = _old_numbers(parts, least, most)
    if kept is not None and kept.sum() == count:
        return list(kept.tolist())
    shares = share_count(mass, count, least=least, most=most, level=wish.level, notes=notes)
    torn = sum(share > len(part.fixed) for part, share in zip(parts, shares.tolist(), strict=True))
    if torn:
        notes.append(
            f"{wish.count} cells of level {wish.level.key} are more than {torn} parents have "
            f"groups (村民小组) or locks for: groups were divided there, no cell has parts of two"
        )
    quota = count * mass / max(mass.sum(), 1.0)
    starved = int(((2 * shares <= np.floor(quota)) & (shares == most)).sum())
    if starved:
        notes.append(
            f"{starved} parents have too few groups (村民小组) for their part of {wish.count} "
            f"cells of level {wish.level.key}: their cells are over twice the usual size; give "
            f"smaller groups, or none there"
        )
    return list(shares.tolist())


def _old_numbers(parts: list[_Part], least: IntArray, most: IntArray) -> IntArray | None:
    """Return how many old cells each parent has for the most part."""
    if not parts or parts[0].near is None:
        return None
    names, home = np.unique(
        np.concatenate([part.near for part in parts if part.near is not None]), return_inverse=True
    )
    weight = np.concatenate([part.problem.weight + 1e-9 * part.problem.area for part in parts])
    of_part = np.repeat(np.arange(len(parts)), [len(part.nodes) for part in parts])
    held = np.zeros((len(names), len(parts)))
    np.add.at(held, (home.ravel(), of_part), weight)
    owner = held.argmax(axis=1)[names >= 0]
    return np.clip(np.bincount(owner, minlength=len(parts)), least, most)


def _divide(ground: Ground, wish: LevelWish, part: _Part, share: int | None) -> IntArray:
    """Divide one parent; what stays together is one node here."""
    n = len(part.fixed)
    if share == 1:
        return np.zeros(len(part.nodes), dtype=np.int64)
    if share is not None and share > n:
        return _divide_groups(ground, wish, part, share)
    is_plain = n == len(part.nodes)
    problem = part.problem if is_plain else contract(part.problem, part.group)
    ids = ground.ids[part.nodes]
    if not is_plain:
        ids = ids[np.unique(part.group, return_index=True)[1]]
    seed = (ground.seed, wish.at, part.parent)
    if part.near is not None and (part.near >= 0).any():
        old = part.near if is_plain else _of_groups(part)
        label = follow(
            problem, old, parts=share, band=wish.level.band, fixed=part.fixed, ids=ids, seed=seed
        )
    elif share is None and wish.level.band is not None:
        label = split_into_band(problem, wish.level.band, fixed=part.fixed, ids=ids, seed=seed)
    else:
        label = _best_start(problem, share or 1, wish.level, part.fixed, ids, seed)
    label = _touched_up(problem, label, wish.level.band, part.fixed)
    return label if is_plain else label[part.group]


def _best_start(
    problem: Problem,
    share: int,
    level: Level,
    fixed: IntArray,
    ids: TextArray,
    seed: tuple[int, ...],
) -> IntArray:
    """Divide into a number of cells; start again where a hard band is missed, keep the best.

    Heavy atoms make the search stop in odd places, and another start stops elsewhere.
    """
    tolerance = _tolerance(problem, share, level)
    starts = _MOST_STARTS if level.band is not None and level.band.is_hard else 1
    best, least = None, np.inf
    for start in range(starts):
        label = split_into_parts(
            problem, share, tolerance=tolerance, fixed=fixed, ids=ids, seed=(*seed, start)
        )
        label = _touched_up(problem, label, level.band, fixed)
        missed = _missed(problem, label, level.band)
        if best is None or missed < least:
            best, least = label, missed
        if not missed:
            break
    return np.zeros(problem.n, dtype=np.int64) if best is None else best


def _missed(problem: Problem, label: IntArray, band: HouseholdBand | None) -> float:
    """Return how many households cells have beyond a band, or lack."""
    if band is None:
        return 0.0
    held = np.bincount(label, problem.weight)
    high = np.inf if band.high is None else band.high
    beyond = np.maximum(held - high, 0) + np.maximum((band.low or 0) - held, 0)
    return float(beyond.sum())


def _touched_up(
    problem: Problem, label: IntArray, band: HouseholdBand | None, fixed: IntArray
) -> IntArray:
    """Bring cells that the division left outside the band into it, where few moves can."""
    if band is None:
        return label
    held = np.bincount(label, problem.weight)
    if all(count in band for count in held.tolist()):
        return label
    high = np.inf if band.high is None else float(band.high)
    low = float(band.low or 0)
    return into_band(
        problem, label, low=low, high=high, frozen=fixed != FREE, tries=_FEW_TRIES
    ).label


def _divide_groups(ground: Ground, wish: LevelWish, part: _Part, share: int) -> IntArray:
    """Divide every group of a parent by itself, where the number is above that of its groups."""
    size = np.bincount(part.group)
    mass = np.bincount(part.group, part.problem.weight).astype(np.float64)
    lived = np.bincount(part.group, part.problem.weight > 0).astype(np.int64)
    most = np.where(part.fixed == FREE, np.maximum(lived, 1), 1)
    if most.sum() < share:
        most = np.where(part.fixed == FREE, size, 1)
    if most.sum() < share:
        msg = (
            f"the locks leave {most.sum()} cells of level {wish.level.key}, {share} are wanted:"
            f" unlock atoms or ask for fewer cells"
        )
        raise InfeasibleError(msg)
    shares = allot(mass, share, least=np.ones(len(size), dtype=np.int64), most=most)
    label = np.empty(len(part.nodes), dtype=np.int64)
    first = 0
    for one, nodes, problem in by_parent(part.problem, part.group):
        parts = int(shares[one])
        label[nodes] = first
        if parts > 1:
            label[nodes] += split_into_parts(
                problem, parts, tolerance=_tolerance(problem, parts, wish.level),
                fixed=np.full(problem.n, FREE, dtype=np.int64), ids=ground.ids[part.nodes[nodes]],
                seed=(ground.seed, wish.at, part.parent, one),
            )  # fmt: skip
        first += parts
    return label


def _of_groups(part: _Part) -> IntArray:
    """Return for each group the old cell that most of its households (else its area) had."""
    weight = part.problem.weight + 1e-9 * part.problem.area
    if part.near is None:  # pragma: no cover - callers have asked
        return np.full(len(part.fixed), -1, dtype=np.int64)
    pairs, number = np.unique(np.column_stack((part.group, part.near)), axis=0, return_inverse=True)
    held = np.bincount(number.ravel(), weight)
    old = np.full(len(part.fixed), -1, dtype=np.int64)
    order = np.argsort(held, kind="stable")
    old[pairs[order, 0]] = pairs[order, 1]
    return old


def _tolerance(problem: Problem, parts: int, level: Level) -> float:
    """Return how far cells may be from their mean and still be in the band."""
    mean = float(problem.weight.sum()) / parts
    if level.band is None or not mean:
        return _TOLERANCE
    high = np.inf if level.band.high is None else level.band.high / mean - 1
    low = np.inf if level.band.low is None else 1 - level.band.low / mean
    return float(np.clip(min(high, low), _TIGHTEST, _LOOSEST))


def _remember(
    wish: LevelWish, part: _Part, label: IntArray, number: int, given: dict[int, Given]
) -> None:
    """Note the official code of the cell round each seat."""
    if wish.official is None:
        return
    place = {node: at for at, node in enumerate(part.nodes.tolist())}
    official = wish.official
    for at, node in enumerate(official.seat.tolist()):
        if node in place:
            given[number + int(label[place[node]])] = Given(
                code=official.codes[at], name=official.names[at], kind=official.kinds[at]
            )
