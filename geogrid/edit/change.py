"""What an edit did, as a value that can be shown, stored and undone."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.edit.commands import Command
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate
    from geogrid.model.scheme import HouseholdBand

__all__ = ["BAND_ZH", "CellChange", "Change", "Edit", "LevelChange", "band_state"]

BAND_ZH = {"below": "低于标准", "in": "达标", "above": "高于标准", "": "不考核"}


def band_state(households: int | None, band: HouseholdBand | None, *, is_judged: bool) -> str:
    """Return ``below``, ``in`` or ``above`` the band, "" where there is none to judge by."""
    if band is None or not is_judged or households is None:
        return ""
    if households in band:
        return "in"
    return "below" if band.low is not None and households < band.low else "above"


@dataclass(frozen=True, slots=True, kw_only=True)
class CellChange:
    """One cell before and after.

    Attributes
    ----------
    code
        Its code.
    before, after
        Households; ``None`` where it is not there.
    band_before, band_after
        ``below``, ``in``, ``above``, or "" where no band judges it.
    is_redrawn
        Whether its border changed.
    """

    code: str
    before: int | None
    after: int | None
    band_before: str
    band_after: str
    is_redrawn: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelChange:
    """What changed at one level.

    Attributes
    ----------
    level, name
        Key and Chinese name.
    cells
        The cells that changed, by code.
    atoms_moved, households_moved
        Atoms, whole or pieces, and households that are now in another cell of this level.
    new, retired
        Codes that are used now, and codes that no longer are.
    recoded
        Pairs of the retired and the new code of a cell that has another parent now.
    """

    level: str
    name: str
    cells: tuple[CellChange, ...]
    atoms_moved: int
    households_moved: int
    new: tuple[str, ...]
    retired: tuple[str, ...]
    recoded: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Change:
    """What an edit did at every level.

    Attributes
    ----------
    levels
        Levels at which anything changed, coarse to fine.
    estimated_households
        Households of atoms that were cut or redrawn and that no points place: they stayed with
        the piece that kept the atom's id, which is the largest.
    atoms_cut, atoms_redrawn
        Atoms that are several now, and atoms whose border changed.
    limit_nodes
        New nodes on the district's limit.
    notes
        Plain sentences, English and Chinese.
    touched, reached
        By key of each level: codes of cells that changed, and of those in which any atom did.
    """

    levels: tuple[LevelChange, ...]
    estimated_households: int = 0
    atoms_cut: int = 0
    atoms_redrawn: int = 0
    limit_nodes: int = 0
    notes: tuple[str, ...] = ()
    touched: Mapping[str, frozenset[str]] = field(default_factory=dict)
    reached: Mapping[str, frozenset[str]] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing changed."""
        return not any(self.touched.values()) and not any(self.reached.values())

    def level(self, key: str) -> LevelChange | None:
        """Return what changed at a level, ``None`` where nothing did."""
        return next((one for one in self.levels if one.level == key), None)

    def to_dict(self) -> dict[str, Any]:
        """Return the change as plain JSON values."""
        return {
            "levels": [
                {
                    "level": one.level,
                    "name": one.name,
                    "atoms_moved": one.atoms_moved,
                    "households_moved": one.households_moved,
                    "new": list(one.new),
                    "retired": list(one.retired),
                    "recoded": [list(pair) for pair in one.recoded],
                    "cells": [
                        {
                            "code": cell.code,
                            "before": cell.before,
                            "after": cell.after,
                            "band_before": cell.band_before,
                            "band_after": cell.band_after,
                            "band_zh": BAND_ZH[cell.band_after],
                            "is_redrawn": cell.is_redrawn,
                        }
                        for cell in one.cells
                    ],
                }
                for one in self.levels
            ],
            "estimated_households": self.estimated_households,
            "atoms_cut": self.atoms_cut,
            "atoms_redrawn": self.atoms_redrawn,
            "limit_nodes": self.limit_nodes,
            "notes": list(self.notes),
        }


@dataclass(frozen=True, kw_only=True, eq=False)
class Edit:
    """A new plan, what changed, and its proof.

    Attributes
    ----------
    plan
        The plan after the edit; the same object where nothing changed.
    change
        What changed.
    command
        What was asked for; ``None`` where several edits were merged.
    """

    plan: GridPlan
    change: Change
    command: Command | None = None

    @property
    def certificate(self) -> Certificate:
        """The proof of every area level of the new plan."""
        certificate = self.plan.certificate
        if certificate is None:  # pragma: no cover - every edit proves
            msg = "an edited plan carries its certificate"
            raise AssertionError(msg)
        return certificate
