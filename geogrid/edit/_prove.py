"""Prove an edited level from the proof of the plan before: only what changed is looked at."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.coverage import cells_digest
from geogrid.coverage.running_digest import RunningDigest
from geogrid.edit._derive import positions
from geogrid.edit._draft import listed
from geogrid.edit._ground import NOT_MEETING, balance, rewired, valid
from geogrid.errors import EditError
from geogrid.planar.rings import lattice_rings

if TYPE_CHECKING:
    from shapely.geometry.base import BaseGeometry

    from geogrid.edit._derive import LevelDraft
    from geogrid.edit._draft import Draft, Texts
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate, LevelProof

__all__ = ["digest_name", "is_base", "prove_level", "require_connected", "with_limit"]


def digest_name(key: str) -> str:
    """Return the name under which a plan keeps the walked rings of a level."""
    return f"running_digest:{key}"


def is_base(plan: GridPlan) -> bool:
    """Tell whether a plan's certificate can be carried on: it proves every area level."""
    certificate = plan.certificate
    return (
        certificate is not None
        and certificate.is_proof
        and certificate.limit_shift_mm == 0
        and [proof.level for proof in certificate.levels]
        == [level.key for level in plan.scheme.area_levels]
    )


def _was(one: LevelDraft) -> Texts:
    shapes: Texts = one.old.geometry.to_numpy()[positions(one.old, one.gone)]
    return shapes


def prove_level(
    draft: Draft, one: LevelDraft, proof: LevelProof
) -> tuple[LevelProof, RunningDigest | None]:
    """Carry the proof of a level on.

    All cells together wind round every place as the limit does. If those that changed do so
    together as before, less what the limit changed by, and each is valid, all still do.

    Raises
    ------
    EditError
        If it fails: nothing was changed then.
    """
    if not one.gone and not one.redrawn:
        return proof, None
    was, now = _was(one), one.shapes
    limits = None
    if draft.limit is not draft.plan.atoms.limit:
        limits = (draft.plan.atoms.limit, draft.limit)
    noded = was
    if draft.exact.inserts:
        noded = np.empty(len(was), dtype=object)
        noded[:] = [rewired(shape, draft.exact) for shape in was]
    found = balance(noded, now, limits)
    if not found.is_even or not valid(now).all():
        codes = [code for code in one.redrawn if code not in draft.fresh]
        msg = f"{listed(codes)}: {NOT_MEETING}"
        raise EditError(msg, tuple((one.level.key, code) for code in codes))
    edges = found.edges if noded is was else balance(was, now).edges
    running = _running(draft.plan, one).exchanged(one.gone, one.redrawn, now)
    return (
        replace(
            proof,
            cells=len(running.codes),
            edges=proof.edges + edges,
            twice_area_mm2=proof.twice_area_mm2 + found.twice_area,
            digest=running.hexdigest(),
        ),
        running,
    )


def known_digest(plan: GridPlan, key: str, cells: gpd.GeoDataFrame) -> str:
    """Return the digest of a level, walked once a plan."""
    name = digest_name(key)
    text = plan.recalled(f"{name}:text")
    if isinstance(text, str) and plan.recalled(name) is not None:
        return text
    running = RunningDigest.of(cells["code"].tolist(), cells.geometry.to_numpy())
    plan.keep(name, running)
    plan.keep(f"{name}:text", running.hexdigest())
    return running.hexdigest()


def _running(plan: GridPlan, one: LevelDraft) -> RunningDigest:
    kept = plan.recalled(digest_name(one.level.key))
    if isinstance(kept, RunningDigest):
        return kept
    return RunningDigest.of(one.old["code"].tolist(), one.old.geometry.to_numpy())


def with_limit(certificate: Certificate, limit: BaseGeometry) -> Certificate:
    """Return a certificate that speaks of another limit."""
    area = int(lattice_rings([limit]).twice_area[0])
    digest = cells_digest(gpd.GeoDataFrame({"code": [""]}, geometry=[limit]))
    return replace(certificate, limit_digest=digest, limit_twice_area_mm2=area)


def require_connected(one: LevelDraft) -> None:
    """Refuse cells that fall apart; those that were in pieces may stay in as many.

    Raises
    ------
    EditError
        It names the cells.
    """
    parts = shapely.get_num_geometries(one.shapes)
    torn = []
    shapes, places = one.old.geometry.to_numpy(), positions(one.old, one.redrawn)
    for code, number, at in zip(one.redrawn, parts.tolist(), places, strict=True):
        before = int(shapely.get_num_geometries(shapes[at])) if at >= 0 else 1
        if number > max(before, 1):
            torn.append(code)
    if torn:
        level = one.level
        msg = (
            f"{listed(torn)} of level {level.key} ({level.name}) would fall into pieces that do "
            f"not touch along a border: leave a link, or allow it "
            f"({listed(torn)}将不连片：请保留相连的部分，或勾选允许不连片)"
        )
        raise EditError(msg, tuple((level.key, code) for code in torn))
