"""Which households are in another cell of one version than of another, as far as one may know."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import shapely

from geogrid.accounts.roles import Action
from geogrid.maps.disclosure import SMALLEST_SHOWN

if TYPE_CHECKING:
    from geogrid.api.security import Caller
    from geogrid.api.view import PlanView
    from geogrid.model.plan import GridPlan

__all__ = ["MOST_MOVES", "atom_moves", "told_moves"]

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
    table: pd.DataFrame, views: tuple[PlanView, PlanView], caller: Caller
) -> tuple[list[dict[str, str]], dict[str, str]]:
    """Return the largest moves, and how many moved a level, as far as the caller may know.

    Whoever may see households of both cells is told each count. Others are told no count below
    ten, and no count at all beside a cell whose own households are kept back: from it and what is
    shown that number could be computed. For the same reason a sum over a count that is not told is
    told as a lower bound.

    Parameters
    ----------
    table
        What :func:`atom_moves` gave.
    views
        The versions before and after, as the public sees them.
    """
    levels = [level.key for level in views[1].plan.scheme.area_levels]
    moves = {
        level: _moves_of(table, level, views, caller)
        for level in levels
        if (level, "from") in table
    }
    # Sorted by what is told: the order of counts that are not told would tell something of them.
    rows = sorted(
        (move for found in moves.values() for move in found),
        key=lambda move: (-move.told, move.level, move.source, move.target),
    )
    told = [
        {"level": one.level, "from": one.source, "to": one.target, "households_text": one.text}
        for one in rows[:MOST_MOVES]
    ]
    return told, {level: _total(found) for level, found in moves.items()}


def _moves_of(
    table: pd.DataFrame, level: str, views: tuple[PlanView, PlanView], caller: Caller
) -> list[_Move]:
    ends = {"from": table[level, "from"], "to": table[level, "to"]}
    one = pd.DataFrame(ends | {"households": table["households"]})
    one = one[(one["from"] != one["to"]) & (one["households"] > 0)]
    counted = one.groupby(["from", "to"], as_index=False)["households"].sum()
    hidden = _kept_back(level, views)
    return [
        _Move(
            level, str(a), str(b), int(count), _text(int(count), (str(a), str(b)), hidden, caller)
        )
        for a, b, count in counted.itertuples(index=False)
    ]


def _total(moves: list[_Move]) -> str:
    is_told = all(one.text == str(one.households) for one in moves)
    if is_told:
        return str(sum(one.households for one in moves))
    least = sum(one.told for one in moves)
    return _SMALL_TEXT if len(moves) == 1 and least < SMALLEST_SHOWN else f"≥{least}"


def _kept_back(level: str, views: tuple[PlanView, PlanView]) -> frozenset[str]:
    tables = [view.tables[level] for view in views if level in view.tables]
    return frozenset(
        str(code)
        for table in tables
        for code in table["code"].to_numpy()[table["public"].to_numpy() < 0]
    )


def _text(count: int, ends: tuple[str, str], hidden: frozenset[str], caller: Caller) -> str:
    if all(caller.may(Action.VIEW_HOUSEHOLDS, [code]) for code in ends):
        return str(count)
    if count < SMALLEST_SHOWN:
        return _SMALL_TEXT
    return _WITHHELD_TEXT if hidden & set(ends) else str(count)
