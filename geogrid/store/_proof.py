"""Prove a plan before it is stored; after a small edit, only what the edit can have changed.

*Claim.* If the cells of a stored version cover the limit exactly once, and the cells that an edit
puts in the place of others cover exactly once what those others covered, then the edited cells
cover the limit exactly once.

*Why.* The indicator functions of all cells sum to that of the limit almost everywhere. The old
cells that went sum to the indicator of their union, because they overlap nowhere; so do the new
ones, by proof on whole millimetres. The sum over all cells is the same.

Validity, nesting, bands and parts of the new cells are judged by the same verifier as those of a
whole plan. Lists of households are judged by :mod:`geogrid.store._proof_lists`. Whatever does not
fit these premises (another limit or scheme, cells in several parts, a draft before) is proven from
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import shapely

from geogrid.coverage import verify_levels, verify_plan
from geogrid.coverage.running_digest import RunningDigest
from geogrid.errors import CoverageError
from geogrid.model.findings import AT_A_HOME
from geogrid.planar.edges import directed_edges
from geogrid.planar.noding import as_multipolygon
from geogrid.store._proof_lists import prove_lists

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd
    import numpy.typing as npt

    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate, CoverageReport, LevelProof
    from geogrid.model.scheme import Level
    from geogrid.store._cells import LevelCells
    from geogrid.store._changes import Changes

__all__ = ["Proof", "prove", "prove_edit", "require_own"]

# Beyond this share of changed cells the whole plan is proven as fast, unless they are few.
_MOST_CHANGED = 0.2
_FEW = 64


@dataclass(frozen=True, slots=True, eq=False)
class Proof:
    """What a store knows of a version.

    Attributes
    ----------
    certificate
        Of the plan itself, without points of households.
    is_proven
        Whether every level keeps its contract.
    defects
        Open defects, worst first, as JSON values: ``kind level cells area_m2 width_m households
        severity`` and, where it is nobody's home, ``wkb``.
    digests
        By key of each area level, what its digest is made of; empty until an edit asks for it.
    """

    certificate: Certificate
    is_proven: bool
    defects: tuple[dict[str, Any], ...]
    digests: Mapping[str, RunningDigest]


def prove(plan: GridPlan) -> Proof:
    """Prove a plan from its atoms and labels alone."""
    report = verify_plan(plan)
    return Proof(report.certificate, report.is_proven, _rows(report), {})


def prove_edit(
    plan: GridPlan,
    changes: Changes,
    before: Proof,
    old: Mapping[str, LevelCells],
    new: Mapping[str, LevelCells],
) -> Proof | None:
    """Prove a plan that differs little from a proven one.

    Parameters
    ----------
    plan, changes
        The new plan, and what differs.
    before, old
        What is known of the version before.
    new
        The cells of the new plan.

    Returns
    -------
    Proof or None
        Nothing where it must be proven from nothing, or is not right.
    """
    if not before.is_proven or not changes.is_same_frame or changes.has_new_members:
        return None
    proofs = {proof.level: proof for proof in before.certificate.levels}
    defects = list(before.defects)
    digests = dict(before.digests)
    above: Level | None = None
    for level in plan.scheme.area_levels:
        codes = changes.codes[level.key]
        if codes:
            step = _Step(level, codes, old[level.key], new[level.key])
            report = step.judged(plan, None if above is None else new[above.key].table)
            if report is None or not report.is_proven:
                return None
            gone = [one for one in defects if one["level"] == level.key and codes & {*one["cells"]}]
            defects = [one for one in defects if one not in gone] + list(_rows(report))
            digests[level.key] = step.digest(before.digests.get(level.key))
            proofs[level.key] = step.proof(proofs[level.key], digests[level.key])
        above = level
    listed = prove_lists(plan, changes, {key: one.table for key, one in new.items()})
    if listed is None:
        return None
    for one in listed:
        defects = [row for row in defects if not one.covers(row)] + list(
            _rows(one.report, one.keys)
        )
    held = plan.households
    levels = tuple(replace(one, households=held) for one in proofs.values())
    defects.sort(key=lambda one: (-one["households"], -one["area_m2"]))
    certificate = replace(before.certificate, levels=levels)
    return Proof(certificate, certificate.is_proof, tuple(defects), digests)


@dataclass(frozen=True, slots=True, eq=False)
class _Step:
    """The change of one level."""

    level: Level
    codes: frozenset[str]
    old: LevelCells
    new: LevelCells

    def judged(self, plan: GridPlan, above: gpd.GeoDataFrame | None) -> CoverageReport | None:
        """Judge the new cells on the ground of the old ones."""
        came, went = self.new.of(self.codes), self.old.of(self.codes)
        most = max(_FEW, _MOST_CHANGED * len(self.old.table))
        if len(self.codes) > most or came.empty or went.empty:
            return None
        if (shapely.get_num_geometries(came.geometry.to_numpy()) > 1).any():
            return None
        parents = None if above is None else above[above["code"].isin(came["parent"])]
        return verify_levels(
            {self.level: came.reset_index(drop=True)},
            as_multipolygon(shapely.coverage_union_all(went.geometry.to_numpy())),
            parents=parents,
            exceptions=plan.scheme.exceptions,
            limit_is_noded=True,
        )

    def digest(self, before: RunningDigest | None) -> RunningDigest:
        """Return what the new digest is made of."""
        known = (
            RunningDigest.of(self.old.codes.tolist(), self.old.shapes)
            if before is None
            else (before)
        )
        came = self.new.of(self.codes)
        gone = self.old.of(self.codes)["code"].tolist()
        return known.exchanged(gone, came["code"].tolist(), came.geometry.to_numpy())

    def proof(self, before: LevelProof, digest: RunningDigest) -> LevelProof:
        """Return the proof of the whole level; borders around the change stay as they are."""
        went, came = (one.of(self.codes).geometry.to_numpy() for one in (self.old, self.new))
        return replace(
            before,
            cells=len(self.new.table),
            edges=before.edges - _edges(went) + _edges(came),
            digest=digest.hexdigest(),
        )


def _edges(shapes: npt.NDArray[np.object_]) -> int:
    keys, _ = directed_edges(shapes).undirected()
    return len(np.unique(keys))


def require_own(plan: GridPlan, proof: Proof) -> Certificate:
    """Return the certificate to store: the plan's own if it has one, and it holds.

    Raises
    ------
    CoverageError
        If the plan carries a certificate of something else.
    """
    given = plan.certificate
    if given is None:
        return proof.certificate
    found, claimed = _facts(proof.certificate), _facts(given)
    area = {level.key for level in plan.scheme.area_levels}
    if not area <= set(claimed) or any(found.get(key) != claimed[key] for key in claimed):
        msg = (
            "the plan's certificate is not that of its cells: check the plan again, or give it "
            "without a certificate"
        )
        raise CoverageError(msg)
    return given


def _facts(certificate: Certificate) -> dict[str, tuple[object, ...]]:
    of_limit = (certificate.limit_digest, certificate.limit_twice_area_mm2)
    return {
        one.level: (
            *of_limit,
            one.cells,
            one.edges,
            one.twice_area_mm2,
            one.uncancelled,
            one.digest,
        )
        for one in certificate.levels
    }


def _rows(
    report: CoverageReport, levels: frozenset[str] | None = None
) -> tuple[dict[str, Any], ...]:
    table = report.defects
    if levels is not None:
        table = table[table["level"].isin(levels)]
    shapes = shapely.to_wkb(table.geometry.to_numpy(), hex=True).tolist()
    names = ("kind", "level", "cells", "area_m2", "width_m", "households", "severity")
    rows = []
    for row, wkb in zip(
        zip(*(table[name].tolist() for name in names), strict=True), shapes, strict=True
    ):
        one = dict(zip(names, row, strict=True)) | {"cells": list(row[2]), "wkb": wkb}
        if one["kind"] in AT_A_HOME:
            del one["wkb"]
        one["kind"] = str(one["kind"])
        rows.append(one)
    return tuple(rows)
