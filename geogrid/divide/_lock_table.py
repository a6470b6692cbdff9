"""Locks as numbers: which atoms a level keeps together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._problem import pieces
from geogrid.errors import InfeasibleError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.divide._problem import IntArray, Problem, TextArray
    from geogrid.model.scheme import Scheme

__all__ = ["FREE", "fixed_numbers", "lock_table", "tied"]

# A cell that locks say nothing of.
FREE = -1


def lock_table(
    locked: Mapping[str, str] | pd.Series | pd.DataFrame | None, ids: TextArray, scheme: Scheme
) -> IntArray:
    """Return a number per atom and area level for what is locked together, -1 where free."""
    keys = [level.key for level in scheme.area_levels]
    table = np.full((len(ids), len(keys)), FREE, dtype=np.int64)
    if locked is None or not len(locked):
        return table
    frame = locked if isinstance(locked, pd.DataFrame) else pd.Series(locked).to_frame(keys[-1])
    frame = frame.set_axis(frame.index.astype(str))
    unknown = sorted(set(frame.columns) - set(keys))
    if unknown:
        msg = f"the locks name a level {unknown[0]}: use one of {', '.join(keys)}"
        raise InputError(msg)
    missing = frame.index.difference(pd.Index(ids))
    if len(missing):
        msg = f"{len(missing)} locked atoms do not exist, first ones: {list(missing[:5])}"
        raise InputError(msg)
    for at, key in enumerate(keys):
        if key in frame:
            names = frame[key].reindex(ids)
            is_free = names.isna().to_numpy() | (names.astype(str).to_numpy() == "")
            numbers = pd.factorize(names.astype(str))[0]
            table[:, at] = np.where(is_free, FREE, numbers)
    return table


def tied(problem: Problem, locks: IntArray, ids: TextArray, whole: IntArray) -> IntArray:
    """Return a group number per atom: one for what stays together, else its own.

    A lock of the level that is being divided ties nothing: its cell is grown around it.

    Parameters
    ----------
    locks
        Numbers of the level that is being divided and of all finer ones.
    whole
        Number of the group (村民小组) that each atom belongs to, -1 where it has none.
    """
    name = np.arange(problem.n)
    if (whole >= 0).any():
        first = np.full(int(whole.max()) + 1, problem.n, dtype=np.int64)
        inside = np.flatnonzero(whole >= 0)
        np.minimum.at(first, whole[inside], inside)
        name[inside] = first[whole[inside]]
    if (locks[:, 1:] == FREE).all():
        return np.unique(name, return_inverse=True)[1].ravel().astype(np.int64)
    for finer in range(locks.shape[1] - 1, 0, -1):
        column = locks[:, finer]
        for lock in np.unique(column[column != FREE]).tolist():
            same = np.isin(name, name[column == lock])
            name[same] = name[same].min()
    _require_touching(problem, name, ids, whole)
    return np.unique(name, return_inverse=True)[1].ravel().astype(np.int64)


def _require_touching(problem: Problem, name: IntArray, ids: TextArray, whole: IntArray) -> None:
    number = pieces(problem, name)
    many = np.bincount(name, minlength=problem.n)[name] > 1
    for lock in np.unique(name[many & (whole < 0)]).tolist():
        inside = np.flatnonzero(name == lock)
        if len(np.unique(number[inside])) > 1:
            msg = (
                f"the atoms locked together with {ids[inside[0]]} do not touch each other: lock "
                f"the atoms between them too, or lock them at every level"
            )
            raise InfeasibleError(msg)


def fixed_numbers(locks: IntArray, group: IntArray, ids: TextArray) -> IntArray:
    """Return the number of the cell that each group is locked to, from 0, -1 where free."""
    fixed = np.full(int(group.max()) + 1, FREE, dtype=np.int64)
    own = locks[:, 0] != FREE
    if not own.any():
        return fixed
    _, number = np.unique(locks[own, 0], return_inverse=True)
    fixed[group[own]] = number.ravel()
    torn = np.flatnonzero(fixed[group[own]] != number.ravel())
    if len(torn):
        msg = (
            f"atom {ids[own][torn[0]]} is locked to one cell here and to a finer cell or group "
            f"that lies in another: unlock one of them"
        )
        raise InfeasibleError(msg)
    return fixed
