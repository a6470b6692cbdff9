"""A grid plan: one label per atom and level; polygons are derived."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd

from geogrid.errors import CoverageError, InputError
from geogrid.planar.edges import dissolve
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from pathlib import Path

    from geogrid.model.atoms import Atoms
    from geogrid.model.district import District
    from geogrid.model.report import Certificate
    from geogrid.model.scheme import Scheme
    from geogrid.model.source import Source

__all__ = ["CELL_FIELDS", "GridPlan"]

CELL_FIELDS = ("level", "name", "kind", "parent", "head")


@dataclass(frozen=True, eq=False, kw_only=True)
class GridPlan:
    """A district divided into nested grids; immutable, every change gives a new plan.

    Attributes
    ----------
    district, scheme, atoms
        What is divided, into which levels, from which faces.
    labels
        Indexed by ``atom_id``; one text column a level key with the code of the cell that holds
        the atom (area levels).
    cell_table
        Indexed by ``code``: ``level, name, kind, parent, head``; ``parent`` is "" on top.
    sources
        Where each input came from, with licence and date.
    certificate
        What was proven of this plan; ``None`` before it was checked.
    version, parent_version
        Identifiers of this plan and of the one it was made from.
    """

    district: District
    scheme: Scheme
    atoms: Atoms
    labels: pd.DataFrame
    cell_table: pd.DataFrame
    sources: tuple[Source, ...] = ()
    certificate: Certificate | None = None
    version: str = ""
    parent_version: str = ""
    _cells: dict[str, gpd.GeoDataFrame] = field(default_factory=dict, repr=False, init=False)

    def __post_init__(self) -> None:
        ids = self.atoms.frame["atom_id"]
        if len(self.labels) != len(ids) or not self.labels.index.equals(pd.Index(ids)):
            msg = "the labels do not name the plan's atoms in their order: build labels from them"
            raise CoverageError(msg)
        for level in self.scheme.area_levels:
            missing = self.labels.index[self.labels[level.key].isna()]
            if len(missing):
                msg = (
                    f"{len(missing)} atoms have no cell at level {level.key}, first ones: "
                    f"{list(missing[:5])}: assign them"
                )
                raise CoverageError(msg)

    @property
    def leaf(self) -> pd.Series:
        """Code of the finest area cell of each atom, indexed by ``atom_id``."""
        return self.labels[self.scheme.area_levels[-1].key]

    @cached_property
    def households(self) -> int:
        """Households of the whole plan."""
        return int(self.atoms.frame["households"].sum())

    def cells(self, level: str) -> gpd.GeoDataFrame:
        """Return the cells of an area level.

        Parameters
        ----------
        level
            Key, name or alias of the level.

        Returns
        -------
        GeoDataFrame
            ``code, name, kind, parent, households, area_m2, geometry``, sorted by code.

        Raises
        ------
        InputError
            If the scheme has no such level, or it has no polygons of its own.
        """
        wanted = self.scheme.level(level)
        if wanted.contract is not Contract.AREA:
            msg = f"level {wanted.key} ({wanted.name}) has no area cells: use plan.members"
            raise InputError(msg)
        if wanted.key not in self._cells:
            self._cells[wanted.key] = self._derive(wanted.key)
        return self._cells[wanted.key].copy()

    def _derive(self, key: str) -> gpd.GeoDataFrame:
        codes, group = np.unique(self.labels[key].to_numpy(str), return_inverse=True)
        frame = self.atoms.frame
        counts = np.bincount(group, weights=frame["households"], minlength=len(codes))
        facts = self.cell_table.loc[codes]
        geometry = dissolve(frame.geometry.to_numpy(), group)
        table = gpd.GeoDataFrame(
            {
                "code": codes,
                "name": facts["name"].to_numpy(),
                "kind": facts["kind"].to_numpy(),
                "parent": facts["parent"].to_numpy(),
                "households": counts.astype(np.int64),
            },
            geometry=geometry,
            crs=self.district.crs,
        )
        table.insert(5, "area_m2", table.geometry.area)
        return table

    def members(self, level: str) -> pd.DataFrame:
        """Return which atoms belong to which cell: ``code, atom_id, households``."""
        wanted = self.scheme.level(level)
        table = pd.DataFrame(
            {
                "code": self.labels[wanted.key].to_numpy(),
                "atom_id": self.labels.index.to_numpy(),
                "households": self.atoms.frame["households"].to_numpy(),
            }
        )
        return table.sort_values(["code", "atom_id"], ignore_index=True)

    def to_file(self, path: str | Path) -> Path:
        """Write the plan, its proof and its provenance to a GeoPackage that QGIS opens."""
        from geogrid.io.plan_file import write_plan  # noqa: PLC0415 - see the layers contract

        return write_plan(self, path)

    @classmethod
    def from_file(cls, path: str | Path) -> GridPlan:
        """Read back what :meth:`to_file` wrote, to the bit.

        Raises
        ------
        InputError
            If the file is not a plan of geogrid.
        """
        from geogrid.io.plan_file import read_plan  # noqa: PLC0415 - see the layers contract

        return read_plan(path)
