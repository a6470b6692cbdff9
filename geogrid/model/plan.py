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
    from collections.abc import Mapping
    from pathlib import Path

    import numpy.typing as npt

    from geogrid.model.atoms import Atoms
    from geogrid.model.district import District
    from geogrid.model.report import Certificate
    from geogrid.model.scheme import Level, Scheme
    from geogrid.model.source import Source

__all__ = ["CELL_FIELDS", "HISTORY_FIELDS", "MEMBER_FIELDS", "GridPlan", "no_history"]

CELL_FIELDS = ("level", "name", "kind", "parent", "head")
MEMBER_FIELDS = ("code", "household_id", "households", "atom_id")
HISTORY_FIELDS = (
    "code", "level", "parent", "from_version", "to_version", "successors", "origins",
)  # fmt: skip


def no_history() -> pd.DataFrame:
    """Return the empty history of codes."""
    return pd.DataFrame({name: pd.Series([], dtype="str") for name in HISTORY_FIELDS})


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
    code_history
        Every code that was ever used, as texts: ``code, level, parent`` (the code in front of
        it), ``from_version`` ("" for this one), ``to_version`` (the last one that used it, "" while
        it is in use), ``successors`` and ``origins`` (codes that took its ground over, or had it
        before, the largest first). Empty until codes were kept through a redraw.
    rosters
        By key of a level that promises households and not ground: ``code, household_id,
        households, atom_id``, one row a row of the household table.
    shapes
        By key of such a level: the polygons of its cells by ``code``, where they have any.
    notes
        Plain sentences about what could not be kept when the plan was made.
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
    code_history: pd.DataFrame = field(default_factory=no_history)
    rosters: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    shapes: Mapping[str, gpd.GeoSeries] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    _cells: dict[str, gpd.GeoDataFrame] = field(default_factory=dict, repr=False, init=False)
    _kept: dict[str, object] = field(default_factory=dict, repr=False, init=False)

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
        """Return the cells of a level as polygons.

        Parameters
        ----------
        level
            Key, name or alias of the level.

        Returns
        -------
        GeoDataFrame
            ``code, name, kind, parent, households, area_m2, geometry``, sorted by code, and
            ``merchants`` where the atoms count them. Cells of a level that promises households
            lie where its buildings or compounds do; some may have an empty polygon.

        Raises
        ------
        InputError
            If the scheme has no such level, or it has no polygons of its own.
        """
        wanted = self.scheme.level(level)
        if wanted.contract is not Contract.AREA and wanted.key not in self.shapes:
            msg = f"level {wanted.key} ({wanted.name}) has no area cells: use plan.members"
            raise InputError(msg)
        if wanted.key not in self._cells:
            is_area = wanted.contract is Contract.AREA
            derive = self._derive if is_area else self._derive_shapes
            self._cells[wanted.key] = derive(wanted.key)
        return self._cells[wanted.key].copy()

    def recalled(self, name: str) -> object | None:
        """Return what is kept under a name, ``None`` where there is nothing."""
        return self._kept.get(name)

    def keep(self, name: str, found: object) -> None:
        """Keep what was found out about this plan, so that it is found out once."""
        self._kept[name] = found

    def keep_cells(self, level: str, cells: gpd.GeoDataFrame) -> None:
        """Keep the cells of a level, which must be what :meth:`cells` would derive."""
        self._cells[level] = cells

    def _derive(self, key: str) -> gpd.GeoDataFrame:
        codes, group = np.unique(self.labels[key].to_numpy(str), return_inverse=True)
        frame = self.atoms.frame
        counts = np.bincount(group, weights=frame["households"], minlength=len(codes))
        table = self._cell_frame(
            codes, counts.astype(np.int64), dissolve(frame.geometry.to_numpy(), group)
        )
        if "merchants" in frame:
            merchants = np.bincount(group, weights=frame["merchants"], minlength=len(codes))
            table.insert(5, "merchants", merchants.astype(np.int64))
        return table

    def _derive_shapes(self, key: str) -> gpd.GeoDataFrame:
        held = self.rosters[key].groupby("code")["households"].sum()
        shapes = gpd.GeoSeries(self.shapes[key].sort_index())
        codes = shapes.index.to_numpy(str)
        counts = held.reindex(pd.Index(codes)).fillna(0).to_numpy(np.int64)
        return self._cell_frame(codes, counts, shapes.array.to_numpy())

    def _cell_frame(
        self,
        codes: npt.NDArray[np.str_],
        counts: npt.NDArray[np.int64],
        geometry: npt.NDArray[np.object_],
    ) -> gpd.GeoDataFrame:
        facts = self.cell_table.loc[pd.Index(codes)]
        table = gpd.GeoDataFrame(
            {
                "code": codes,
                "name": facts["name"].to_numpy(),
                "kind": facts["kind"].to_numpy(),
                "parent": facts["parent"].to_numpy(),
                "households": counts,
            },
            geometry=geometry,
            crs=self.district.crs,
        )
        table.insert(5, "area_m2", table.geometry.area)
        return table

    def has_members(self, level: Level) -> bool:
        """Tell whether the plan says who belongs to which cell of a level."""
        return level.key in self.rosters or level.key in self.labels

    def members(self, level: str) -> pd.DataFrame:
        """Return who belongs to which cell of a level.

        Parameters
        ----------
        level
            Key, name or alias of the level.

        Returns
        -------
        DataFrame
            ``code, household_id, households, atom_id`` where single households are listed, else
            ``code, atom_id, households``.

        Raises
        ------
        InputError
            If the scheme has no such level, or the plan has no members of it.
        """
        wanted = self.scheme.level(level)
        if wanted.key in self.rosters:
            listed = self.rosters[wanted.key][list(MEMBER_FIELDS)]
            return listed.sort_values(["code", "household_id"], ignore_index=True)
        if wanted.key not in self.labels:
            msg = (
                f"the plan has no members of level {wanted.key} ({wanted.name}): divide it with a "
                f"table of households"
            )
            raise InputError(msg)
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
