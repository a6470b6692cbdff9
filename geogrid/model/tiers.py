"""Which tier of station counts for which circle: data, never a branch on a name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from geogrid.errors import InputError
from geogrid.model.counts import row_list

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["TIER_RULES", "TierRule", "tier_rule"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TierRule:
    """Which stations count for a limit, by their tier.

    Attributes
    ----------
    key
        Name of a preset, ``custom`` for a rule of the user's own.
    tiers
        For each limit the tiers that count, ``None`` for every tier. A limit that is not named
        counts every tier. Names that mean one tier may stand side by side.
    title_zh
        The rule in words, for a map.
    note
        Where the rule comes from.
    """

    key: str = "custom"
    tiers: Mapping[float, tuple[str, ...] | None]
    title_zh: str = ""
    note: str = ""

    def counts_for(self, stations: pd.DataFrame, limits: Sequence[float]) -> NDArray[np.bool_]:
        """Return which limit (row) counts for which station (column).

        Parameters
        ----------
        stations
            With a column ``tier``.
        limits
            The limits that are measured, in the unit of the rule.

        Raises
        ------
        InputError
            If there is no column ``tier``, a station has none, the rule names a limit that is not
            measured, or no station has a tier that it names.
        """
        tier = _tiers_of(stations)
        self._require_known(tier, limits)
        table = np.ones((len(limits), len(tier)), dtype=bool)
        for row, limit in enumerate(limits):
            wanted = self.tiers.get(limit)
            if wanted is not None:
                table[row] = np.isin(tier, wanted)
        return table

    def text(self) -> str:
        """Return the rule for printing, empty when every tier counts for every limit."""
        if self.title_zh or not self.tiers:
            return self.title_zh
        return "，".join(
            f"{limit:g}: {'各级' if names is None else '、'.join(names)}"
            for limit, names in sorted(self.tiers.items())
        )

    def _require_known(self, tier: NDArray[np.str_], limits: Sequence[float]) -> None:
        is_preset = self.key in TIER_RULES
        stray = [limit for limit in self.tiers if limit not in limits]
        if stray and not is_preset:
            known = ", ".join(f"{limit:g}" for limit in limits)
            msg = f"the tiers name the limit {stray[0]:g}, which is not measured: use {known}"
            raise InputError(msg)
        have = "、".join(np.unique(tier).tolist())
        for limit, wanted in self.tiers.items():
            missing = [name for name in wanted or () if name not in tier]
            # The names of a preset mean one tier, so one of them is enough.
            if missing and (not is_preset or len(missing) == len(wanted or ())):
                msg = f"no station has the tier {missing[0]} of limit {limit:g}: there are {have}"
                raise InputError(msg)


TIER_RULES: Mapping[str, TierRule] = MappingProxyType(
    {
        rule.key: rule
        for rule in (
            TierRule(
                key="community15",
                tiers=MappingProxyType(
                    {
                        15.0: ("社区", "社区中心", "社区党群服务中心", "社区网格党群服务中心"),
                        5.0: None,
                    }
                ),
                title_zh="15分钟圈只计社区中心，5分钟圈各级站点均计",
                note="an assumption: no text of the systems says which tier serves which circle",
            ),
        )
    }
)


def tier_rule(given: str | TierRule | Mapping[float, Sequence[str] | None] | None) -> TierRule:
    """Return the rule that a user asked for: a preset, a table, or every tier for every limit.

    Raises
    ------
    InputError
        If there is no such preset, or the table is none of limits and lists of tiers.
    """
    if given is None:
        return TierRule(tiers=MappingProxyType({}))
    if isinstance(given, TierRule):
        return given
    if isinstance(given, str):
        if given not in TIER_RULES:
            msg = f"there is no tier preset {given}: use one of {', '.join(sorted(TIER_RULES))}"
            raise InputError(msg)
        return TIER_RULES[given]
    return TierRule(tiers=MappingProxyType(_table(given)))


def _table(given: Mapping[Any, Any]) -> dict[float, tuple[str, ...] | None]:
    example = 'give limits with lists of tiers, such as {15: ["社区"], 5: None}'
    if not isinstance(given, Mapping):
        msg = f"tiers={given!r} is no table: {example}"
        raise InputError(msg)
    table: dict[float, tuple[str, ...] | None] = {}
    for limit, tiers in given.items():
        if not isinstance(limit, int | float) or (tiers is not None and not len(tiers)):
            msg = f"tiers cannot hold {limit!r}: {tiers!r}: {example}"
            raise InputError(msg)
        names = [tiers] if isinstance(tiers, str) else tiers
        table[float(limit)] = None if names is None else tuple(str(name) for name in names)
    return table


def _tiers_of(stations: pd.DataFrame) -> NDArray[np.str_]:
    if "tier" not in stations.columns:
        msg = "the stations have no column tier: add it, or leave tiers= out"
        raise InputError(msg)
    column = stations["tier"]
    text = column.astype(str).str.strip()
    missing = np.flatnonzero(column.isna().to_numpy() | (text == "").to_numpy())
    if len(missing):
        msg = f"{len(missing)} stations have no tier (rows {row_list(missing)}): fill it in"
        raise InputError(msg)
    return text.to_numpy(dtype=str)
