"""What a check found, and the certificate of what it proved."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import geopandas as gpd

from geogrid.errors import CoverageError
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping

    from geogrid.model.scheme import HouseholdBand

__all__ = [
    "DEFECT_COLUMNS",
    "Certificate",
    "CoverageReport",
    "LevelProof",
    "LevelVerdict",
    "LivedIn",
]

DEFECT_COLUMNS = (
    "kind",
    "cells",
    "area_m2",
    "width_m",
    "households",
    "severity",
    "level",
    "geometry",
)


# What is wrong with a cell but not with the cover.
_HARMLESS = frozenset({DefectKind.UNMATCHED_EDGE, DefectKind.MULTIPART, DefectKind.OUT_OF_BAND})


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelProof:
    """The proof of one level.

    Attributes
    ----------
    level
        Key of the level; empty for a bare set of polygons.
    cells, edges
        How many cells, and how many undirected border pieces they have together.
    twice_area_mm2
        Twice the summed area of the cells in whole square millimetres: an exact integer.
    uncancelled
        Directed edges left over after cancelling against the limit: 0 in a proof.
    digest
        SHA-256 of the cells' rings in canonical order.
    households
        Households counted in the cells; ``None`` when none were given.
    contract
        ``area`` cells must fill the limit; ``household`` cells only their own outline, each place
        of it once.
    """

    level: str
    cells: int
    edges: int
    twice_area_mm2: int
    uncancelled: int
    digest: str
    households: int | None = None
    contract: str = Contract.AREA.value

    def is_proof_of(self, limit_twice_area_mm2: int) -> bool:
        """Whether the edges cancel and, if the cells must fill it, the area is the limit's."""
        is_full = self.twice_area_mm2 == limit_twice_area_mm2
        return self.uncancelled == 0 and (is_full or self.contract != Contract.AREA)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """Integer proof that cells cover a limit exactly once; see ``geogrid.coverage``.

    Attributes
    ----------
    limit_digest, limit_twice_area_mm2
        SHA-256 of the limit's rings and twice its area in square millimetres.
    limit_shift_mm
        How far the limit had to move to meet the cells on the millimetre grid (0 for plan files).
    levels
        One proof a level, coarse to fine.
    """

    limit_digest: str
    limit_twice_area_mm2: int
    limit_shift_mm: float
    levels: tuple[LevelProof, ...]

    @property
    def is_proof(self) -> bool:
        """Whether every level cancels and, if it must fill the limit, its area is the limit's."""
        return bool(self.levels) and all(
            proof.is_proof_of(self.limit_twice_area_mm2) for proof in self.levels
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the certificate as plain JSON values."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Certificate:
        """Read back what :meth:`to_dict` gave."""
        levels = tuple(LevelProof(**proof) for proof in values["levels"])
        return cls(**{**values, "levels": levels})


@dataclass(frozen=True, slots=True, kw_only=True)
class LivedIn:
    """How many households live where the cover is wrong, each counted once.

    Attributes
    ----------
    in_gaps, in_overlaps
        In no cell, though inside the limit, and in several.
    outside
        Beyond the limit, in cells that reach there.
    """

    in_gaps: int
    in_overlaps: int
    outside: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelVerdict:
    """How a level keeps its own contract.

    Attributes
    ----------
    level, name
        Key and Chinese name of the level.
    contract
        What it promises.
    cells
        How many cells or member groups it has.
    households
        Households in them, each once; ``None`` when none were given.
    band
        Households a cell should hold.
    beyond
        Cells outside the band that no exception allows; defects only where the band is hard.
    defects, allowed
        Rows of this level among the defects and among the allowed exceptions.
    """

    level: str
    name: str
    contract: Contract
    cells: int
    households: int | None
    band: HouseholdBand | None
    beyond: int
    defects: int
    allowed: int


def _no_exceptions() -> gpd.GeoDataFrame:
    columns: dict[str, list[object]] = {name: [] for name in (*DEFECT_COLUMNS[:-1], "reason")}
    return gpd.GeoDataFrame(columns, geometry=[])


@dataclass(frozen=True, kw_only=True, eq=False)
class CoverageReport:
    """The answer of a check: what is wrong, worst first, and what is proven.

    Attributes
    ----------
    defects
        One row a defect: ``kind cells area_m2 width_m households severity level geometry``;
        ``cells`` is a tuple of codes. Sorted by households, then area.
    certificate
        The integer proof, also when it fails (then it says how many edges are left).
    notes
        Plain sentences about what was allowed or assumed.
    exceptions
        What would be defects had the plan or the user not allowed them: the same columns and
        ``reason``.
    verdicts
        One a level, coarse to fine, where levels were judged.
    lived_in
        Households where the cover is wrong; ``None`` when it is not known where they live.
    """

    defects: gpd.GeoDataFrame
    certificate: Certificate
    notes: tuple[str, ...] = field(default=())
    exceptions: gpd.GeoDataFrame = field(default_factory=_no_exceptions)
    verdicts: tuple[LevelVerdict, ...] = ()
    lived_in: LivedIn | None = None

    @property
    def is_proven(self) -> bool:
        """Whether the cells are proven to cover the limit exactly once.

        On levels that promise households and not ground, each household is in exactly one cell or
        group and no cells overlap.

        A vertex exactly on another cell's edge, a cell in several pieces or a cell outside its
        band is a defect, but leaves the cover itself proven.
        """
        return self.certificate.is_proof and self.defects["kind"].isin(_HARMLESS).all().item()

    @property
    def is_sound(self) -> bool:
        """Whether the cover is proven and nothing was found but allowed exceptions."""
        return self.is_proven and self.defects.empty

    def raise_for_defects(self) -> None:
        """Raise :class:`~geogrid.errors.CoverageError` unless the coverage is proven."""
        if self.is_proven:
            return
        if self.defects.empty:
            left = sum(proof.uncancelled for proof in self.certificate.levels)
            msg = f"the coverage is not proven: {left} border pieces have no partner"
            raise CoverageError(msg)
        worst = self.defects.iloc[0]
        msg = (
            f"{len(self.defects)} defects, worst first: {worst['kind']} of "
            f"{worst['area_m2']:.2f} m² "
            f"at cells {', '.join(worst['cells']) or '(none)'}: repair the plan or look at .defects"
        )
        raise CoverageError(msg)
