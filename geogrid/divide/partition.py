"""Divide atoms into balanced, connected parts: a number of parts, or a household band."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.divide._problem import build_problem
from geogrid.divide._split import require_band, split_into_band, split_into_parts
from geogrid.divide.report import measure_partition
from geogrid.errors import InputError
from geogrid.model.atoms import Atoms
from geogrid.model.partition import Partition
from geogrid.model.scheme import HouseholdBand

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geogrid.divide._problem import IntArray, TextArray

__all__ = ["partition_atoms"]

_log = logging.getLogger(__name__)


def partition_atoms(
    atoms: Atoms | gpd.GeoDataFrame,
    *,
    parts: int | None = None,
    band: HouseholdBand | tuple[int, int] | None = None,
    tolerance: float = 0.1,
    locked: Mapping[str, int] | pd.Series | None = None,
    seed: int = 0,
) -> Partition:
    """Divide atoms into connected parts with as equal numbers of households as possible.

    Balance comes first, then borders along rivers, railways and main roads rather than through
    compounds, then compact shapes. A part is one connected piece unless the district itself is
    not: with ``parts``, every piece of the district gets at least one part as long as there are
    parts enough, and small pieces join the nearest one otherwise; with ``band``, pieces with fewer
    households than the band's lower end join the nearest one.

    Parameters
    ----------
    atoms
        Atoms, or polygons in metres with ``atom_id`` and ``households`` that share their borders
        vertex for vertex.
    parts
        Exactly how many parts; no part is ever empty.
    band
        Households per part instead of ``parts``; the number of parts follows from it. An atom
        above the band becomes a part of its own.
    tolerance
        With ``parts``: relative deviation from the mean that is to be kept where atoms allow it.
    locked
        Label of each locked atom, by ``atom_id``; it keeps that label.
    seed
        The same seed gives the same parts, in whatever order the rows are.

    Returns
    -------
    Partition
        Labels from 0 and a report; ``report.floor`` and ``report.floor_atom`` say when one atom
        alone keeps the parts from being equal, ``report.proposed_cuts`` how it could be cut, and
        ``report.notes`` the same in plain sentences.

    Raises
    ------
    InputError
        If neither or both of ``parts`` and ``band`` are given, or a lock names no atom.
    InfeasibleError
        If there are more parts than atoms, no number of parts can keep the band, or the locks
        cannot all be kept.
    """
    table = atoms if isinstance(atoms, Atoms) else Atoms.from_frame(atoms)
    wanted = _as_band(parts, band, tolerance)
    problem, rows = build_problem(table)
    ids = table.frame["atom_id"].to_numpy(str)[rows]
    fixed = _locks(ids, locked)
    if wanted is None:
        label = split_into_parts(
            problem, int(parts or 0), tolerance=tolerance, fixed=fixed, ids=ids, seed=seed
        )
    else:
        if (fixed < 0).all():
            require_band(problem, wanted)
        label = split_into_band(problem, wanted, fixed=fixed, ids=ids, seed=seed)
    by_row = np.empty_like(label)
    by_row[rows] = label
    index = pd.Index(table.frame["atom_id"].to_numpy(), name="atom_id")
    labels = pd.Series(by_row, index=index, name="part")
    report = measure_partition(table, labels, tolerance=tolerance, band=wanted)
    _log.debug("%d parts, deviation %.3f", report.parts, report.deviation)
    return Partition(labels=labels, report=report)


def _as_band(
    parts: int | None, band: HouseholdBand | tuple[int, int] | None, tolerance: float
) -> HouseholdBand | None:
    if (parts is None) == (band is None):
        msg = "give either a number of parts or a household band, and not both"
        raise InputError(msg)
    if tolerance < 0:
        msg = f"the tolerance is a share such as 0.1 for 10 %, got {tolerance}"
        raise InputError(msg)
    if parts is not None and parts < 1:
        msg = f"there must be at least 1 part, got {parts}"
        raise InputError(msg)
    if band is None or isinstance(band, HouseholdBand):
        return band
    low, high = band
    return HouseholdBand(low=low, high=high)


def _locks(ids: TextArray, locked: Mapping[str, int] | pd.Series | None) -> IntArray:
    """Return the locked label per node, -1 where free."""
    fixed = np.full(len(ids), -1, dtype=np.int64)
    if locked is None or not len(locked):
        return fixed
    pairs = {str(atom): int(label) for atom, label in dict(locked).items()}
    node = {atom: at for at, atom in enumerate(ids.tolist())}
    unknown = sorted(set(pairs) - set(node))
    if unknown:
        msg = f"{len(unknown)} locked atoms do not exist, first ones: {unknown[:5]}: check the ids"
        raise InputError(msg)
    negative = sorted(atom for atom, label in pairs.items() if label < 0)
    if negative:
        msg = f"atom {negative[0]} is locked to part {pairs[negative[0]]}: parts count from 0"
        raise InputError(msg)
    for atom, label in pairs.items():
        fixed[node[atom]] = label
    return fixed
