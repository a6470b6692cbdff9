"""Bands and exceptions: what of the findings is wrong, what is allowed, what is only remarked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.coverage._rows import defect_rows, joined
from geogrid.model.scheme import ALLOWABLE
from geogrid.vocabulary import DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geogrid.coverage._judged import Judged
    from geogrid.model.scheme import CellException, HouseholdBand, Level

__all__ = ["Sorted", "sort_findings"]

_LISTED = "已列为例外"


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Sorted:
    """The findings of a level: defects, allowed exceptions (with ``reason``), and what is said.

    ``beyond`` counts the cells outside the band that nothing allows.
    """

    defects: gpd.GeoDataFrame
    allowed: gpd.GeoDataFrame
    notes: tuple[str, ...]
    beyond: int


def sort_findings(judged: Judged, exceptions: Mapping[str, CellException]) -> Sorted:
    """Add the cells outside the band of a level, and part defects from allowed exceptions."""
    level = judged.level
    out = _out_of_band(judged)
    table = joined([judged.defects, out], judged.units.crs)
    kinds = dict(zip(map(str, judged.units.index), judged.units["kind"].astype(str), strict=True))
    reasons = [
        _reason(level, DefectKind(kind), cells, kinds, exceptions)
        for kind, cells in zip(table["kind"], table["cells"], strict=True)
    ]
    reason = pd.Series(reasons, index=table.index, dtype=object)
    is_allowed = reason.notna()
    defects = table[~is_allowed]
    is_beyond = defects["kind"] == DefectKind.OUT_OF_BAND
    beyond = int(is_beyond.sum())
    notes: tuple[str, ...] = ()
    if level.band is not None and not level.band.is_hard and beyond:
        notes = (_band_note(level, level.band, judged, defects[is_beyond]),)
        defects = defects[~is_beyond]
    return Sorted(
        defects=defects,
        allowed=table[is_allowed].assign(reason=reason[is_allowed]),
        notes=notes,
        beyond=beyond,
    )


def _reason(
    level: Level,
    kind: DefectKind,
    cells: tuple[str, ...],
    kinds: Mapping[str, str],
    exceptions: Mapping[str, CellException],
) -> str | None:
    """Say why a finding is allowed; ``None`` where it is not."""
    if kind not in ALLOWABLE or len(cells) != 1:
        return None
    listed = exceptions.get(cells[0])
    if listed is not None and kind in listed.allows:
        return listed.reason or _LISTED
    of_cell = kinds.get(cells[0], "")
    if kind is DefectKind.OUT_OF_BAND and of_cell in level.unbalanced_kinds:
        return f"{of_cell}网格不参与户数均衡"
    if kind is DefectKind.SPANS_PARENTS and of_cell in level.spanning_kinds:
        return f"{of_cell}网格可跨上级"
    if kind is DefectKind.SPANS_PARENTS and level.may_span_parents:
        return f"{level.name or level.key}允许跨上级"
    return None


def _out_of_band(judged: Judged) -> gpd.GeoDataFrame:
    band, counts, units = judged.level.band, judged.counts, judged.units
    if band is None or counts is None:
        return joined([], units.crs)
    rows = np.array([count not in band for count in counts.tolist()], dtype=bool)
    return defect_rows(
        DefectKind.OUT_OF_BAND,
        [(str(code),) for code in units.index[rows]],
        units.geometry.to_numpy()[rows],
        households=counts.to_numpy()[rows],
        level=judged.level.key,
        crs=units.crs,
    )


def _band_note(level: Level, band: HouseholdBand, judged: Judged, beyond: gpd.GeoDataFrame) -> str:
    low = "0" if band.low is None else str(band.low)
    high = "any number" if band.high is None else str(band.high)
    which = "assumed" if band.is_assumption else "soft"
    return (
        f"{len(beyond)} of {len(judged.units)} cells of level {level.key or '(cells)'} lie outside "
        f"the {which} band of {low} to {high} households, from {beyond['households'].min()} to "
        f"{beyond['households'].max()}"
    )
