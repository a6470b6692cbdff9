"""Divide a district level by level: every cell lies inside its parent because it is made of it."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid import schemes
from geogrid.divide._problem import build_problem, contract, pieces, subset
from geogrid.divide._split import split_into_band
from geogrid.divide.number import number_cells
from geogrid.errors import InfeasibleError, InputError
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import Scheme

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geogrid.divide._problem import IntArray, Problem, TextArray
    from geogrid.model.atoms import Atoms
    from geogrid.model.scheme import HouseholdBand, Level
    from geogrid.model.source import Source

__all__ = ["divide"]

_log = logging.getLogger(__name__)

# A cell that locks say nothing of.
_FREE = -1


def divide(
    district: District | None,
    atoms: Atoms,
    scheme: Scheme | str,
    *,
    households: gpd.GeoDataFrame | None = None,
    locked: Mapping[str, str] | pd.Series | pd.DataFrame | None = None,
    seed: int = 0,
    sources: tuple[Source, ...] = (),
) -> GridPlan:
    """Divide a district into the nested grids of a scheme.

    Each level is divided inside the cells of the level above: into as many cells as the level's
    household band asks for, or one per parent where the level states no band. A parent with fewer
    households than the band's lower end becomes one cell.

    Parameters
    ----------
    district
        What is divided; ``None`` takes limit and coordinate system from the atoms.
    atoms
        Faces that are not cut any more.
    scheme
        A scheme, the name of one that ships, or the path of a TOML file.
    households
        Points with ``households`` (1 where absent), each counted in the one atom that holds it;
        ``None`` takes the counts that the atoms have. Points outside every atom are in no cell;
        they are logged by number here, and a check of the plan lists them.
    locked
        Atoms that stay together: by ``atom_id`` the name of a cell of the finest level, or a
        table with a column per level key, as ``plan.labels``; missing and empty values are free.
        Atoms of one name are in one cell, atoms of two names at one level are in two.
    seed
        The same seed gives the same plan, in whatever order the rows are.
    sources
        Where the inputs came from; kept in the plan.

    Returns
    -------
    GridPlan
        Cells numbered from west to east and north to south.

    Raises
    ------
    InputError
        If the scheme has no level that covers its parent, or a lock names no atom or level.
    InfeasibleError
        If the locks cannot all be kept.
    """
    wanted = scheme if isinstance(scheme, Scheme) else schemes.load(scheme)
    if not wanted.area_levels:
        msg = f"scheme {wanted.key} has no area level to divide into: add one"
        raise InputError(msg)
    counted = atoms if households is None else _count(atoms, households)
    place = district or District(limit=counted.limit, crs=counted.frame.crs)
    problem, rows = build_problem(counted)
    ids = counted.frame["atom_id"].to_numpy(str)[rows]
    locks = _lock_table(locked, ids, wanted)
    groups = pd.DataFrame(index=pd.Index(ids, name="atom_id"))
    cell = np.zeros(len(ids), dtype=np.int64)
    for at, level in enumerate(wanted.area_levels):
        cell = _divide_level(problem, cell, level, ids, locks[:, at:], (seed, at))
        groups[level.key] = cell
    numbering = number_cells(counted, groups, wanted, prefix=place.code, district=place.name)
    return GridPlan(
        district=place,
        scheme=wanted,
        atoms=counted,
        labels=numbering.labels,
        cell_table=numbering.cell_table,
        sources=tuple(sources),
    )


def _count(atoms: Atoms, households: gpd.GeoDataFrame) -> Atoms:
    crs = atoms.frame.crs
    if crs is not None and households.crs is not None and households.crs != crs:
        households = households.to_crs(crs)
    outside = int((atoms.locate(households) < 0).sum())
    if outside:
        _log.warning("%d of %d household points lie outside every atom", outside, len(households))
    return atoms.with_households(households)


def _lock_table(
    locked: Mapping[str, str] | pd.Series | pd.DataFrame | None, ids: TextArray, scheme: Scheme
) -> IntArray:
    """Return a number per atom and area level for what is locked together, -1 where free."""
    keys = [level.key for level in scheme.area_levels]
    table = np.full((len(ids), len(keys)), _FREE, dtype=np.int64)
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
            table[:, at] = np.where(is_free, _FREE, numbers)
    return table


def _divide_level(
    problem: Problem,
    cell: IntArray,
    level: Level,
    ids: TextArray,
    locks: IntArray,
    seed: tuple[int, int],
) -> IntArray:
    """Return the cells of one level, given those of the level above."""
    found = np.empty_like(cell)
    given = 0
    for parent in range(int(cell.max()) + 1):
        nodes = np.flatnonzero(cell == parent)
        if level.band is None:
            found[nodes] = given
            given += 1
            continue
        label = _divide_cell(
            subset(problem, nodes), level.band, ids[nodes], locks[nodes], (*seed, parent)
        )
        found[nodes] = given + label
        given += int(label.max()) + 1
    return found


def _divide_cell(
    problem: Problem,
    band: HouseholdBand,
    ids: TextArray,
    locks: IntArray,
    seed: tuple[int, ...],
) -> IntArray:
    """Divide one parent; what finer levels lock together is one node here."""
    if (locks == _FREE).all():
        return split_into_band(
            problem, band, fixed=np.full(problem.n, _FREE, dtype=np.int64), ids=ids, seed=seed
        )
    group = _tied(problem, locks, ids)
    _, first = np.unique(group, return_index=True)
    fixed = np.full(len(first), _FREE, dtype=np.int64)
    own = locks[:, 0] != _FREE
    _, number = np.unique(locks[own, 0], return_inverse=True)
    fixed[group[own]] = number.ravel()
    torn = np.flatnonzero(fixed[group[own]] != number.ravel())
    if len(torn):
        msg = (
            f"atom {ids[own][torn[0]]} is locked to one cell here and to a finer cell that lies in "
            f"another: unlock one of them"
        )
        raise InfeasibleError(msg)
    label = split_into_band(contract(problem, group), band, fixed=fixed, ids=ids[first], seed=seed)
    return label[group]


def _tied(problem: Problem, locks: IntArray, ids: TextArray) -> IntArray:
    """Return a group number per atom: one for what finer levels lock together, else its own.

    A lock of the level that is being divided ties nothing: its cell is grown around it.
    """
    name = np.arange(problem.n)
    for finer in range(locks.shape[1] - 1, 0, -1):
        column = locks[:, finer]
        for lock in np.unique(column[column != _FREE]).tolist():
            tied = np.isin(name, name[column == lock])
            name[tied] = name[tied].min()
    number = pieces(problem, name)
    for lock in np.unique(name[np.bincount(name, minlength=problem.n)[name] > 1]).tolist():
        inside = np.flatnonzero(name == lock)
        if len(np.unique(number[inside])) > 1:
            msg = (
                f"the atoms locked together with {ids[inside[0]]} do not touch each other: lock "
                f"the atoms between them too, or lock them at every level"
            )
            raise InfeasibleError(msg)
    return np.unique(name, return_inverse=True)[1].ravel().astype(np.int64)
