"""Which households are in another cell of one version than of another, as far as one may know.

The other version may be one of another plan: what moves is given as groups of households, one for
each pair of cells, whoever found them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geogrid.accounts.roles import Action
from geogrid.api.settled import settled
from geogrid.maps.disclosure import SMALLEST_SHOWN

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.api.security import Caller
    from geogrid.api.view import PlanView
    from geogrid.model.plan import GridPlan

__all__ = ["MOST_MOVES", "Groups", "atom_moves", "groups_of", "told_moves"]

MOST_MOVES = 500
_SMALL_TEXT, _WITHHELD_TEXT = f"<{SMALLEST_SHOWN}", f"≥{SMALLEST_SHOWN}"


def atom_moves(was: GridPlan, now: GridPlan) -> pd.DataFrame:
    """Return where the households of every atom were and are.

    An atom that was cut, or whose parts were joined, has other identifiers: its parts are found by
    their ground, from the side that has more of them.

    Returns
    -------
    DataFrame
        ``households``, and for each level two columns ``(level, "from")`` and ``(level, "to")``
        with codes, one row an atom.
    """
    old, new = was.atoms.frame, now.atoms.frame
    old_at = pd.Index(old["atom_id"]).get_indexer(pd.Index(new["atom_id"]))
    new_at = np.arange(len(new))
    fresh = np.flatnonzero(old_at < 0)
    gone = np.setdiff1d(np.arange(len(old)), old_at)
    kept = old_at >= 0
    pairs = np.column_stack((old_at[kept], new_at[kept]))
    homes = new["households"].to_numpy(np.int64)[kept]
    if len(fresh) >= len(gone):
        found = _holding(old, gone, new, fresh)
        more, counts = np.column_stack((found, fresh)), new["households"].to_numpy(np.int64)[fresh]
    else:
        found = _holding(new, fresh, old, gone)
        more, counts = np.column_stack((gone, found)), old["households"].to_numpy(np.int64)[gone]
    is_held = (more >= 0).all(axis=1)
    pairs = np.concatenate((pairs, more[is_held]))
    table: dict[Any, Any] = {"households": np.concatenate((homes, counts[is_held]))}
    for level in now.scheme.area_levels:
        if level.key not in was.labels:
            continue
        before = was.labels[level.key].loc[old["atom_id"]].to_numpy()
        after = now.labels[level.key].loc[new["atom_id"]].to_numpy()
        table |= {(level.key, "from"): before[pairs[:, 0]], (level.key, "to"): after[pairs[:, 1]]}
    return pd.DataFrame(table)


def _holding(
    wholes: pd.DataFrame, rows: np.ndarray[Any, Any], parts: pd.DataFrame, of: np.ndarray[Any, Any]
) -> np.ndarray[Any, Any]:
    """Return the row of the atom that holds each part, -1 where none of the rows does."""
    found = np.full(len(of), -1)
    if not len(rows) or not len(of):
        return found
    places = shapely.point_on_surface(parts["geometry"].to_numpy()[of])
    tree = shapely.STRtree(wholes["geometry"].to_numpy()[rows])
    part, whole = tree.query(places, predicate="intersects")
    found[part] = rows[whole]
    return found


class Groups(NamedTuple):
    """The households of one level by the pair of cells that holds them.

    Attributes
    ----------
    keys
        Of the level before, and of the one that answers to it after.
    table
        ``from to households is_move``, one row a pair in which somebody lives; "" stands for
        ground that no cell of that side holds.
    """

    keys: tuple[str, str]
    table: pd.DataFrame


def groups_of(table: pd.DataFrame, plan: GridPlan) -> dict[str, Groups]:
    """Return the groups of every level of two versions of one plan.

    Parameters
    ----------
    table
        What :func:`atom_moves` gave.
    plan
        The version after.
    """
    found = {}
    for level in plan.scheme.area_levels:
        if (level.key, "from") not in table:
            continue
        ends = {"from": table[level.key, "from"], "to": table[level.key, "to"]}
        one = pd.DataFrame(ends | {"households": table["households"]})
        one = one[one["households"] > 0]
        counted = one.groupby(["from", "to"], as_index=False)["households"].sum()
        is_move = counted["from"] != counted["to"]
        found[level.key] = Groups((level.key, level.key), counted.assign(is_move=is_move))
    return found


class _Move(NamedTuple):
    level: str
    source: str
    target: str
    households: int
    text: str

    @property
    def told(self) -> int:
        """The largest number that what is told proves."""
        return {_SMALL_TEXT: 1, _WITHHELD_TEXT: SMALLEST_SHOWN}.get(self.text, self.households)


def told_moves(
    groups: Mapping[str, Groups], views: tuple[PlanView, PlanView], caller: Caller
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the largest moves of each level, and how many moved, as far as the caller may know.

    Whoever may see households of both cells is told each count. Others are told no count below
    ten, and no count at all beside a cell whose own households are kept back: from it and what is
    shown that number could be computed. Nor are they told one from which, with the counts of cells,
    some other group below ten would follow. For the same reason a sum over a count that is not told
    is told as a lower bound.

    Parameters
    ----------
    groups
        By level what :func:`groups_of` gave, or the same of two plans.
    views
        The versions before and after, as the public sees them.
    """
    moves = {level: _moves_of(found, level, views, caller) for level, found in groups.items()}
    # Sorted by what is told: the order of counts that are not told would tell something of them.
    largest = [
        move for found in moves.values() for move in sorted(found, key=_order)[:MOST_MOVES]
    ]  # fmt: skip
    told = [
        {"level": one.level, "from": one.source, "to": one.target, "households_text": one.text}
        for one in sorted(largest, key=_order)
    ]
    return told, {level: _total(found) for level, found in moves.items()}


def _order(move: _Move) -> tuple[int, str, str, str]:
    return -move.told, move.level, move.source, move.target


def _moves_of(
    groups: Groups, level: str, views: tuple[PlanView, PlanView], caller: Caller
) -> list[_Move]:
    sources, targets, counts, is_move = (
        groups.table[name].tolist() for name in ("from", "to", "households", "is_move")
    )
    pairs = list(zip(sources, targets, strict=True))
    own = {
        code: caller.may(Action.VIEW_HOUSEHOLDS, [code]) for code in {*sources, *targets} if code
    }
    # Ground of no cell is nobody's: who may see the one cell is told how many are in no other.
    is_own = [all(own[code] for code in ends if code) for ends in pairs]
    hidden = tuple(_kept_back(views[at], groups.keys[at]) for at in (0, 1))
    # A cell that is kept back on one side is under its code on the other as well.
    beside = hidden[0] | hidden[1]
    texts = [
        str(count) if one else _public_text(count, is_open=beside.isdisjoint(ends))
        for count, ends, one in zip(counts, pairs, is_own, strict=True)
    ]
    told = {
        at for at, text in enumerate(texts) if is_move[at] and not is_own[at] and text.isdigit()
    }
    unknown = {
        at: [(side, code) for side, code in enumerate(ends)
             if code and (own[code] or code not in hidden[side])]
        for at, ends in enumerate(pairs) if not is_own[at]
    }  # fmt: skip
    small = {at for at in unknown if counts[at] < SMALLEST_SHOWN}
    for at in told - _harmless(told, unknown, small):
        texts[at] = _WITHHELD_TEXT
    return [
        _Move(level, *pairs[at], counts[at], texts[at]) for at in range(len(pairs)) if is_move[at]
    ]


def _harmless(
    told: set[int], unknown: Mapping[int, list[tuple[int, str]]], small: set[int]
) -> set[int]:
    """Return the groups that can be told without settling a small one.

    What the counts of cells settle by themselves is known to whoever sees both versions, whether
    moves are told or not.
    """
    kept = set(told)
    if not kept or not small:
        return kept
    by_cells = settled(unknown)
    while kept:
        rest = {at: cells for at, cells in unknown.items() if at not in kept}
        fresh = settled(rest) - by_cells
        if not fresh & small:
            break
        touched = {cell for at in fresh for cell in unknown[at]}
        kept = {at for at in kept if touched.isdisjoint(unknown[at])}
    return kept


def _total(moves: list[_Move]) -> str:
    is_told = all(one.text == str(one.households) for one in moves)
    if is_told:
        return str(sum(one.households for one in moves))
    least = sum(one.told for one in moves)
    return _SMALL_TEXT if len(moves) == 1 and least < SMALLEST_SHOWN else f"≥{least}"


def _kept_back(view: PlanView, level: str) -> frozenset[str]:
    if level not in view.tables:
        return frozenset()
    table = view.tables[level]
    return frozenset(table["code"].to_numpy()[table["public"].to_numpy() < 0].astype(str).tolist())


def _public_text(count: int, *, is_open: bool) -> str:
    if count < SMALLEST_SHOWN:
        return _SMALL_TEXT
    return str(count) if is_open else _WITHHELD_TEXT
