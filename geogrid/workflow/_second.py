"""The second, independent proof of a plan file, and whether both say the same."""

from __future__ import annotations

import sqlite3
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import shapely

from geogrid.coverage.recheck import recheck
from geogrid.vocabulary import Contract, DefectKind

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from geogrid.model.report import Certificate, CoverageReport

__all__ = ["SecondCheck", "second_check"]

# What somebody else's program may leave in a file, and a plain reader stumbles over.
_UNREADABLE = (
    sqlite3.Error, KeyError, IndexError, TypeError, ValueError, AttributeError, struct.error,
    OverflowError, shapely.errors.ShapelyError,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class SecondCheck:
    """What the plain second proof says of the area levels of a plan file.

    Attributes
    ----------
    levels
        By key, whether the level is proven; empty when the file could not be read that way.
    differing
        Levels of which the two proofs do not say the same.
    """

    levels: Mapping[str, bool]
    differing: tuple[str, ...]

    @property
    def agrees(self) -> bool:
        """Whether both proofs say the same of every level."""
        return not self.differing


def second_check(path: Path, report: CoverageReport, stored: Certificate | None) -> SecondCheck:
    """Prove a plan file again by other means and compare.

    Parameters
    ----------
    path
        The plan file.
    report
        What the verifier found in it, judged against the file's own limit.
    stored
        The certificate in the file: the second proof compares its digests as well.
    """
    mine = _verdicts(report, stored)
    try:
        other = recheck(path)
    except _UNREADABLE:
        other = {}
    # What cannot be read is not proven; the verifier must not say that it is.
    differing = tuple(key for key, is_proof in mine.items() if other.get(key, False) != is_proof)
    return SecondCheck(levels=other, differing=differing)


def _verdicts(report: CoverageReport, stored: Certificate | None) -> dict[str, bool]:
    certificate = report.certificate
    kinds = report.defects[["level", "kind"]]
    invalid = set(kinds.loc[kinds["kind"] == DefectKind.INVALID, "level"])
    known = {} if stored is None else {proof.level: proof for proof in stored.levels}
    verdicts = {}
    for proof in certificate.levels:
        if proof.contract != Contract.AREA:
            continue
        is_proof = (
            proof.is_proof_of(certificate.limit_twice_area_mm2) and proof.level not in invalid
        )
        before = known.get(proof.level)
        if before is not None and stored is not None:
            is_proof &= (before.cells, before.twice_area_mm2, before.digest) == (
                proof.cells, proof.twice_area_mm2, proof.digest
            )  # fmt: skip
            is_proof &= stored.limit_digest == certificate.limit_digest
        verdicts[proof.level] = is_proof
    return verdicts
