"""Who is served in each cell, as it was counted when the plan came in, and may be shown."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from geogrid.maps.disclosure import SMALLEST_SHOWN
from geogrid.maps.unserved import HIDDEN, service_limits, unserved_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import pandas as pd

__all__ = ["Served"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Served:
    """Served households of cells; what may not be shown is ``None``.

    Attributes
    ----------
    limits
        Walking limits, rising.
    unserved, shares
        By level and code: one unserved number and one unserved share (0-1) a limit.
    """

    limits: tuple[float, ...]
    unserved: Mapping[str, Mapping[str, tuple[int | None, ...]]]
    shares: Mapping[str, Mapping[str, tuple[float | None, ...]]]

    @classmethod
    def of(
        cls,
        service: Mapping[str, pd.DataFrame],
        tables: Mapping[str, gpd.GeoDataFrame],
    ) -> Served:
        """Hide what must not be shown in the tables of a plan file.

        Parameters
        ----------
        service
            What ``read_plan_layers`` gave.
        tables
            What ``cell_tables`` gave for the plan that the service was counted for.
        """
        _, columns = unserved_layers(service, tables)
        unserved: dict[str, dict[str, tuple[int | None, ...]]] = {}
        shares: dict[str, dict[str, tuple[float | None, ...]]] = {}
        for key, table in tables.items():
            codes = table["code"].tolist()
            counts = zip(*columns[key]["unserved"], strict=True)
            unserved[key] = {
                code: tuple(None if one == HIDDEN else int(one) for one in row)
                for code, row in zip(codes, counts, strict=True)
            }
            parts = zip(*columns[key]["share"], strict=True)
            shares[key] = dict(zip(codes, map(tuple, parts), strict=True))
        return cls(limits=tuple(service_limits(service)), unserved=unserved, shares=shares)

    def share_columns(self, level: str, code: str, *, is_known: bool) -> dict[str, float | None]:
        """Return ``served_<limit>`` of a cell: the share of its households that is served."""
        found = self.shares.get(level, {}).get(code) if is_known else None
        values = found or (None,) * len(self.limits)
        return {
            f"served_{limit:g}": None if one is None else round(1 - one, 4)
            for limit, one in zip(self.limits, values, strict=True)
        }

    def ranked(self, level: str, limit: float, names: Mapping[str, str]) -> list[dict[str, Any]]:
        """Return the cells of a level with unserved households, most of them first.

        Parameters
        ----------
        level, limit
            Which level, and beyond which limit.
        names
            Name by code of the cells that are as they were counted.
        """
        at = self.limits.index(limit)
        shares = self.shares[level]
        rows = [
            (code, unserved[at], shares[code][at])
            for code, unserved in self.unserved[level].items()
            if code in names and unserved[at] is not None
        ]
        rows.sort(key=lambda row: (-(row[1] or 0), row[0]))
        return [
            {
                "code": code,
                "name": names[code],
                "unserved_text": f"<{SMALLEST_SHOWN}" if count < SMALLEST_SHOWN else str(count),
                "share": share,
            }
            for code, count, share in rows
            if count
        ]
