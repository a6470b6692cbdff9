"""How good a plan is, level by level: figures to compare plans by, no judgement of its cover."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geogrid.vocabulary import BarrierKind, Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.scheme import HouseholdBand
    from geogrid.model.source import Source

__all__ = ["Balance", "Borders", "Floor", "LevelQuality", "Moves", "QualityReport", "Shape"]

_DECIMALS = 4
# A line that we drew, and one that only a document knows: nobody sees them on the ground.
_UNSEEN = (BarrierKind.CELL.value, BarrierKind.LIMIT.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Balance:
    """Households of the cells that are to be alike (任务相当).

    Attributes
    ----------
    cells, households
        How many cells are to be alike, and what they hold together.
    least, mean, most
        Households per cell; ``mean`` is what each would hold if all were equal: the target.
    deviation_max, deviation_mean
        Greatest and mean ``|households - mean| / mean``; 0 where nobody lives.
    cv
        Standard deviation of all cells, not of a sample, over the mean.
    in_band
        How many cells are inside the band; ``None`` where the level has none.
    """

    cells: int
    households: int
    least: int
    mean: float
    most: int
    deviation_max: float
    deviation_mean: float
    cv: float
    in_band: int | None

    @property
    def in_band_share(self) -> float | None:
        """Share of these cells inside the band."""
        return None if self.in_band is None else self.in_band / self.cells


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """Compactness of cells, 4πA/P²: 1 for a circle, 0.79 for a square.

    Attributes
    ----------
    mean, tenth, worst
        Mean, 10th percentile and least of all cells.
    worst_code
        The cell that is the least compact.
    """

    mean: float
    tenth: float
    worst: float
    worst_code: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Borders:
    """What the borders between cells run along (界定清晰).

    Attributes
    ----------
    length_m
        Borders between cells, each metre once; the district's limit is not in it.
    on_kind_m
        Metres on each kind of line, strongest kind first, what nobody sees last. A border on a
        river and a street at once counts once, for the river. What lies on no line is in none.
    """

    length_m: float
    on_kind_m: Mapping[str, float]

    @property
    def mapped_m(self) -> float:
        """Metres on lines that people see: not those drawn between buildings, nor a limit's."""
        return sum(metres for kind, metres in self.on_kind_m.items() if kind not in _UNSEEN)

    @property
    def mapped_share(self) -> float | None:
        """Share of the length on such lines; ``None`` where there is no inner border."""
        return self.mapped_m / self.length_m if self.length_m > 0 else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Moves:
    """What becomes of the households of an older plan.

    Attributes
    ----------
    households
        Those that have a cell in both plans.
    same_code
        Those whose cell has the code that their old cell had.
    same_cell
        Those whose cell goes on, whatever it is called: an old and a new cell of which each holds
        most of the other's households.
    """

    households: int
    same_code: int
    same_cell: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Floor:
    """What no division of these atoms can beat.

    Attributes
    ----------
    atom, households
        The heaviest atom of the cells that are to be alike.
    deviation
        How far it alone lies above the target; 0 where it fits the band, or the target.
    """

    atom: str
    households: int
    deviation: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelQuality:
    """One level; ``None`` stands for what cannot be known of it.

    Attributes
    ----------
    key, name, contract, band, is_locked
        Those of the level; a locked one is given from outside, so its figures blame no division.
    cells
        One row a cell: ``code, name, kind, parent, households, in_balance, in_band`` (also
        true where no band judges), ``allowed`` (an exception lets it leave the band),
        ``deviation``; ``area_m2`` and ``compactness`` where cells have polygons (NaN for one that
        has none), and on area levels ``atoms`` and ``pieces``.
    apart
        How many cells of each kind are outside the balance.
    balance, shape, borders, moves, floor
        See there.
    components
        Connected pieces of all cells together; the number of cells when each is in one piece.
    buildings_cut
        Buildings that the borders of this level cut; not those that only the limit cuts.
    compounds_cut
        ``compound, cells, buildings, apart, is_inner``: compounds with buildings in several cells,
        how many of these are not in the cell that has most, and whether no other building is in
        these cells: then the compound is divided within itself and not torn apart.
    """

    key: str
    name: str
    contract: Contract
    band: HouseholdBand | None
    cells: pd.DataFrame
    is_locked: bool = False
    apart: Mapping[str, int] = field(default_factory=dict)
    balance: Balance | None = None
    shape: Shape | None = None
    borders: Borders | None = None
    components: int | None = None
    buildings_cut: int | None = None
    compounds_cut: pd.DataFrame | None = None
    moves: Moves | None = None
    floor: Floor | None = None

    @property
    def out_of_band(self) -> pd.DataFrame:
        """``code, name, households, allowed`` of the cells outside the band, farthest first."""
        rows = self.cells[~self.cells["in_band"]]
        far = np.abs(rows["deviation"].to_numpy(float))
        rows = rows.iloc[np.lexsort((rows["code"].to_numpy(str), -far))]
        return rows[["code", "name", "households", "allowed"]].reset_index(drop=True)

    @property
    def disconnected(self) -> pd.DataFrame:
        """``code, name, pieces`` of the cells in several pieces."""
        if "pieces" not in self.cells:
            return pd.DataFrame({"code": [], "name": [], "pieces": []})
        rows = self.cells[self.cells["pieces"] > 1]
        return rows[["code", "name", "pieces"]].reset_index(drop=True)

    @property
    def compounds_torn(self) -> int | None:
        """How many compounds share a cell with buildings outside while they lie in several."""
        cut = self.compounds_cut
        return None if cut is None else int((~cut["is_inner"].astype(bool)).sum())

    def to_dict(self) -> dict[str, Any]:
        """Return the figures, and the cells that stand out, as plain JSON values."""
        band = self.band
        values: dict[str, Any] = {
            "level": self.key,
            "name": self.name,
            "contract": self.contract.value,
            "is_locked": self.is_locked,
            "cells": len(self.cells),
            "apart": dict(self.apart),
            "band": None if band is None else [band.low, band.high],
            "balance": None,
            "shape": _plain(self.shape),
            "borders": None,
            "components": self.components,
            "buildings_cut": self.buildings_cut,
            "compounds_cut": _records(self.compounds_cut),
            "compounds_torn": self.compounds_torn,
            "moves": _plain(self.moves),
            "floor": _plain(self.floor),
            "out_of_band": _records(self.out_of_band),
            "disconnected": _records(self.disconnected),
        }
        if self.balance is not None:
            share = {"in_band_share": _round(self.balance.in_band_share)}
            values["balance"] = (_plain(self.balance) or {}) | share
        if self.borders is not None:
            values["borders"] = {
                "length_m": round(self.borders.length_m, 2),
                "on_kind_m": {kind: round(m, 2) for kind, m in self.borders.on_kind_m.items()},
                "mapped_share": _round(self.borders.mapped_share),
            }
        return values


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class QualityReport:
    """The quality of a plan.

    Attributes
    ----------
    district, scheme, version
        What was measured.
    households
        Of the whole plan.
    levels
        Coarse to fine; levels of which the plan has no members are not in it.
    sources
        Where the plan's inputs came from.
    cut_by_borders, cut_by_limit
        Buildings that a border between atoms cuts, whether or not cells meet there, and those
        that the limit cuts, as noted when the atoms were made.
    near
        Name of the older plan, "" where there is none.
    notes
        Plain sentences about what was assumed or could not be measured.
    """

    district: str
    scheme: str
    version: str
    households: int
    levels: tuple[LevelQuality, ...]
    sources: tuple[Source, ...] = ()
    cut_by_borders: int = 0
    cut_by_limit: int = 0
    near: str = ""
    notes: tuple[str, ...] = ()

    @property
    def is_synthetic(self) -> bool:
        """Whether a generator made one of the inputs."""
        return any(source.is_synthetic for source in self.sources)

    @property
    def is_estimated(self) -> bool:
        """Whether the households were derived by a rule of thumb instead of counted."""
        return any(source.is_estimated for source in self.sources)

    def level(self, name: str) -> LevelQuality:
        """Return the level of a key or name.

        Raises
        ------
        KeyError
            If no level has it.
        """
        for level in self.levels:
            if name in (level.key, level.name):
                return level
        raise KeyError(name)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON values."""
        return {
            "district": self.district,
            "scheme": self.scheme,
            "version": self.version,
            "households": self.households,
            "is_synthetic": self.is_synthetic,
            "is_estimated": self.is_estimated,
            "cut_by_borders": self.cut_by_borders,
            "cut_by_limit": self.cut_by_limit,
            "near": self.near,
            "levels": [level.to_dict() for level in self.levels],
            "notes": list(self.notes),
        }


def _plain(part: Balance | Shape | Moves | Floor | None) -> dict[str, Any] | None:
    if part is None:
        return None
    return {
        name: _round(value) if isinstance(value, float) else value
        for name, value in asdict(part).items()
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _records(table: pd.DataFrame | None) -> list[dict[str, Any]] | None:
    if table is None:
        return None
    columns = [table[name].tolist() for name in table.columns]
    rows = zip(*columns, strict=True)
    return [dict(zip(map(str, table.columns), row, strict=True)) for row in rows]
