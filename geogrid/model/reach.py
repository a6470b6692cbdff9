"""Who reaches which station on foot."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geogrid.errors import InputError
from geogrid.model.whereabouts import cells_of_points

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
        One row a station and limit: ``station, minutes, metres, look, parts, geometry``; without
        ``minutes`` when metres were asked for. ``look`` is ``exact`` or ``display`` (for maps
        alone), ``parts`` counts the polygons: ground may be reached on a bridge, over a gap. The
        circles of a station lie in each other and hold it. A station off the network has none.
    lines
        Reachable pieces of streets, exact: ``station, minutes, metres`` (the limit that they
        belong to), ``length_m``, ``geometry``. Each limit lists all its pieces, those of the
        smaller limits as well.
    stations
        One row an input row: ``station, status, snap_m`` (NaN off the network), ``tier`` where it
        was given, ``truncated`` (it reaches the rim of the street data, so its circle is cut off
        there), ``households`` (within the largest limit for which the station counts),
        ``geometry``, and for each limit ``households_<limit>`` (its load), ``nearest_<limit>``
        (those to which no other station that counts is nearer) and ``only_here_<limit>`` (those
        that no other station reaches: what would be lost without it).
    households
        One row an input row, with its index: ``households``, ``served`` (within the largest limit),
        ``minutes`` (NaN beyond; absent when metres were asked for without a speed), ``metres``,
        ``station`` (the nearest of those that serve it, "" when none), ``count`` (stations that
        reach it within the largest limit and count for it), ``status``,
        one ``served_<limit>`` a limit, ``geometry``. No row when no households were given.
    limits
        The limits asked for, rising.
    assumptions
        What stands behind the numbers, for printing: preset, speed, direction, snapping, date, and
        the names of ``truncated`` stations.
    network
        The :class:`~geogrid.walking.network.WalkNetwork` that it was measured on, for what-ifs.
    """

    circles: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    stations: gpd.GeoDataFrame
    households: gpd.GeoDataFrame
    limits: tuple[float, ...]
    assumptions: Mapping[str, Any]
    network: Any = field(default=None, repr=False)

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
        codes, cell = cells_of_points(plan, level, self.households)
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
