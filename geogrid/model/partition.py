"""A partition of atoms and how good it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["Partition", "PartitionReport"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionReport:
    """How good a partition is.

    Attributes
    ----------
    parts
        How many parts there are; each holds at least one atom.
    households
        Households per part, indexed by label.
    deviation
        Largest ``|households - target| / target``; 0 when there are no households.
    components
        Connected pieces of all parts together; equals ``parts`` when each is connected.
    compactness
        Mean Polsby-Popper of the parts, 4πA/P².
    floor
        The deviation that no partition can beat, because one atom outweighs the target.
    floor_atom
        The atom that causes the floor; ``None`` when there is none.
    in_band
        Share of the parts inside the household band (or the tolerance).
    proposed_cuts
        Atoms with more households than a part may hold, and into how many pieces each would have
        to be cut; nothing is cut here.
    notes
        What keeps the parts from being better, in plain sentences.
    """

    parts: int
    households: pd.Series
    deviation: float
    components: int
    compactness: float
    floor: float
    floor_atom: str | None
    in_band: float
    proposed_cuts: Mapping[str, int] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Partition:
    """Labels of atoms: ``labels`` is a Series of int (0 … parts - 1) indexed by atom_id."""

    labels: pd.Series
    report: PartitionReport
