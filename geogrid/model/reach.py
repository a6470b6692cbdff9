"""Who reaches which station on foot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely

from geogrid.errors import CrsError, InputError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    from numpy.typing import NDArray

    from geogrid.model.plan import GridPlan

__all__ = ["Reach", "limit_column"]


def limit_column(limit: float, prefix: str = "served") -> str:
    """Name the column of a limit: ``served_5``."""
    return f"{prefix}_{limit:g}"


@dataclass(frozen=True, kw_only=True, eq=False)
class Reach:
    """What can be walked within some limits, counted on the network.

    A household's distance is the walk along the network plus the legs at both ends; it is served
    when that is no longer than the limit. Polygons only show it: never count by them.

    Attributes
    ----------
    circles
        One row a station and limit: ``station, minutes, metres, geometry``; without ``minutes``
        when metres were asked for. A station off the network has none.
    lines
        Reachable pieces of streets, exact: ``station, minutes, metres`` (the limit that they
        belong to), ``length_m``, ``geometry``. Each limit lists all its pieces, those of the
        smaller limits as well.
    stations
        One row an input row: ``station, status, snap_m, households, geometry``; ``households``
        counts those within the largest limit, ``snap_m`` is NaN off the network.
    households
        One row an input row, with its index: ``households``, ``served`` (within the largest limit),
        ``minutes`` (NaN beyond; absent when metres were asked for without a speed), ``metres``,
        ``station`` (the nearest, "" when none), ``count`` (stations that reach it), ``status``,
        one ``served_<limit>`` a limit, ``geometry``. No row when no households were given.
    limits
        The limits asked for, rising.
    assumptions
        What stands behind the numbers, for printing: preset, speed, direction, snapping, date.
    """

    circles: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    limits: tuple[float, ...]
    assumptions: Mapping[str, Any]

    def served_households(self, limit: float) -> int:
        """Return how many households are served within one of the limits.

        Raises
        ------
        InputError
            If the reach was not measured for this limit.
        """
        if limit not in self.limits:
            known = ", ".join(f"{known:g}" for known in self.limits)
            msg = f"this reach holds no limit {limit:g}: use one of {known}, or measure it again"
            raise InputError(msg)
        served = self.households[limit_column(limit)]
        return int(self.households["households"][served].sum())

    def by_cell(self, plan: GridPlan, level: str) -> pd.DataFrame:
        """Count served and unserved households per cell.

        A household belongs to the atom that holds its point; on a border, to the atom with the
        lowest ``atom_id``.

        Parameters
        ----------
        plan
            The plan; its frame may differ from the network's.
        level
            Key, name or alias of a level with cells made of atoms.

        Returns
        -------
        DataFrame
            Indexed by ``code``, every cell of the level: ``households``, ``served_<limit>`` each,
            ``unserved`` (beyond the largest limit), ``share_<limit>`` each (NaN in a cell without
            households). ``attrs["outside"]`` counts households in no cell.

        Raises
        ------
        InputError
            If the plan has no such level, or its cells are not made of atoms.
        CrsError
            If only one of plan and reach has a coordinate system.
        """
        codes, label = _cell_of_atoms(plan, level)
        atom = self._atom_of_households(plan)
        cell = np.where(atom >= 0, label[atom], -1) if len(label) else np.full(len(atom), -1)
        counts = self.households["households"].to_numpy()
        inside = cell >= 0

        def total(rows: NDArray[np.bool_]) -> NDArray[np.int64]:
            sums = np.zeros(len(codes), dtype=np.int64)
            np.add.at(sums, cell[rows], counts[rows])
            return sums

        table = pd.DataFrame({"households": total(inside)}, index=pd.Index(codes, name="code"))
        for limit in self.limits:
            served = self.households[limit_column(limit)].to_numpy(dtype=bool)
            table[limit_column(limit)] = total(inside & served)
        table["unserved"] = table["households"] - table[limit_column(self.limits[-1])]
        some = table["households"].where(table["households"] > 0)
        for limit in self.limits:
            table[limit_column(limit, "share")] = table[limit_column(limit)] / some
        table.attrs["outside"] = int(counts[~inside].sum())
        return table

    def _atom_of_households(self, plan: GridPlan) -> NDArray[np.int64]:
        """Return the row of the atom that holds each household, -1 outside the plan."""
        households, crs = self.households, plan.district.crs
        if (households.crs is None) != (crs is None):
            msg = "only one of plan and reach has a coordinate system: set it on both"
            raise CrsError(msg)
        if crs is not None and households.crs != crs:
            households = households.to_crs(crs)
        frame = plan.atoms.frame
        tree = shapely.STRtree(frame.geometry.to_numpy())
        point, atom = tree.query(households.geometry.to_numpy(), predicate="intersects")
        rank = np.argsort(np.argsort(frame["atom_id"].to_numpy(str), kind="stable"))
        order = np.lexsort((rank[atom], point))
        found, first = np.unique(point[order], return_index=True)
        answer = np.full(len(households), -1, dtype=np.int64)
        answer[found] = atom[order][first]
        return answer


def _cell_of_atoms(plan: GridPlan, level: str) -> tuple[NDArray[np.str_], NDArray[np.int64]]:
    """Return the codes of a level and, for each atom, the row of its cell (-1 for none)."""
    wanted = plan.scheme.level(level)
    if wanted.key not in plan.labels.columns:
        msg = (
            f"the cells of level {wanted.key} ({wanted.name}) are not made of atoms: "
            f"use one of {', '.join(plan.labels.columns)}"
        )
        raise InputError(msg)
    labels = plan.labels[wanted.key]
    table = plan.cell_table
    known = table.index[table["level"] == wanted.key].to_numpy(dtype=str)
    codes = np.unique(np.concatenate([known, labels.dropna().to_numpy(dtype=str)]))
    return codes, pd.Index(codes).get_indexer(labels)
