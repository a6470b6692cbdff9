"""Put a version into the store: prove it, find out what is new in it, write that at once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from sqlalchemy import bindparam, func, insert, select, text, update

from geogrid.errors import CoverageError
from geogrid.io._plan_meta import crs_text
from geogrid.store._catalog import next_number
from geogrid.store._cells import all_cells, changed_cells
from geogrid.store._changes import changes_between
from geogrid.store._pages import paged
from geogrid.store._parts import meta_text, sheets_of
from geogrid.store._proof import Proof, prove, prove_edit, require_own
from geogrid.store._schema import FOREVER, branch, cell, span, standing, version
from geogrid.store._snapshot import Snapshot
from geogrid.store.audit import record
from geogrid.store.records import version_of
from geogrid.vocabulary import PlanState

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    from pyproj import CRS
    from shapely.geometry.base import BaseGeometry
    from sqlalchemy import Connection

    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate
    from geogrid.store._backend import Backend
    from geogrid.store._cells import LevelCells
    from geogrid.store._pages import PagedTable
    from geogrid.store.records import Branch

__all__ = ["Commit", "Prepared", "prepare", "write"]

_BATCH = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """Who commits what for, and where."""

    project_id: str
    branch: Branch
    author: str
    message: str
    at: str
    merged_id: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Prepared:
    """A plan that is ready to be written; ``pages`` holds those that may be new."""

    plan: GridPlan
    proof: Proof
    certificate: Certificate
    tables: Mapping[str, PagedTable]
    cells: Mapping[str, LevelCells]
    pages: Mapping[bytes, bytes]
    parts: str


def prepare(plan: GridPlan, base: Snapshot | None, *, allow_draft: bool) -> Prepared:
    """Prove a plan and find out what of it is new; the store is not touched.

    Raises
    ------
    CoverageError
        If it is not proven and no draft is wanted, or carries a certificate of something else.
    """
    try:
        proof, cells = _proven(plan, base)
    except shapely.errors.GEOSException as error:
        msg = (
            "the plan's atoms do not meet in common nodes, so that no cells can be made of them: "
            "build or repair the atoms first"
        )
        raise CoverageError(msg) from error
    if not proof.is_proven and not allow_draft:
        raise CoverageError(_what_is_open(proof))
    certificate = require_own(plan, proof)
    if plan.certificate is None and proof.is_proven:
        plan = replace(plan, certificate=certificate)
    known = {} if base is None else base.tables
    pages: dict[bytes, bytes] = {}
    tables = {one.name: paged(one, known.get(one.name), pages) for one in sheets_of(plan)}
    meta = b"o" + meta_text(plan).encode()
    digest = hashlib.sha256(meta).digest()
    pages[digest] = meta
    listing = {
        "meta": digest.hex(),
        "crs": crs_text(plan.district.crs),
        "tables": [one.listing() for one in tables.values()],
    }
    parts = json.dumps(listing, ensure_ascii=False, separators=(",", ":"))
    return Prepared(plan, proof, certificate, tables, cells, pages, parts)


def _proven(plan: GridPlan, base: Snapshot | None) -> tuple[Proof, dict[str, LevelCells]]:
    if base is None:
        return prove(plan), all_cells(plan)
    changes = changes_between(base.plan, plan)
    if not changes.is_same_frame:
        return prove(plan), all_cells(plan)
    cells = changed_cells(plan, changes, base.cells)
    proof = prove_edit(plan, changes, base.proof, base.cells, cells)
    return prove(plan) if proof is None else proof, cells


def _what_is_open(proof: Proof) -> str:
    if not proof.defects:
        return "the plan is not proven: repair it, or store it as a draft"
    worst = proof.defects[0]
    cells = ", ".join(worst["cells"][:3]) or "(none)"
    return (
        f"the plan has {len(proof.defects)} open defects, worst first: {worst['kind']} of "
        f"{worst['area_m2']:.2f} m² at cells {cells}: repair it, or store it as a draft"
    )


def write(
    connection: Connection, backend: Backend, ready: Prepared, base: Snapshot | None, what: Commit
) -> Snapshot:
    """Write a prepared plan as the next version of a branch, in the writer's transaction."""
    number = next_number(connection, what.branch.plan_id)
    row = _version_row(ready, base, what, number)
    _add_pages(connection, ready.pages)
    connection.execute(insert(version).values(row))
    cells = _add_cells(connection, backend, ready, what.branch.plan_id)
    _add_spans(connection, backend, what.branch.id, number, base, cells)
    connection.execute(
        update(branch).where(branch.c.id == what.branch.id).values(head_id=row["id"])
    )
    connection.execute(
        insert(standing).values(
            version_id=row["id"], project_id=what.project_id, state=PlanState.DRAFT.value,
            effective_from=None, effective_to=None, changed_at=what.at, changed_by=what.author,
        )
    )  # fmt: skip
    facts = {
        "plan": what.branch.plan_id, "branch": what.branch.name, "number": number,
        "parent": row["parent_id"], "is_draft": row["is_draft"],
        "sha256": version_digest(row),
    }  # fmt: skip
    record(connection, what.at, what.author, "commit", row["id"], facts)
    made = connection.execute(select(version).where(version.c.id == row["id"])).one()
    return Snapshot(version_of(made), ready.plan, ready.tables, cells, ready.proof)


def version_digest(row: Mapping[str, Any]) -> str:
    """Return what seals a version in the audit log: its pages, certificate and defects."""
    sealed = [row["parts"], row["certificate"], row["defects"], row["author"], row["message"]]
    return hashlib.sha256(json.dumps(sealed, ensure_ascii=False).encode()).hexdigest()


def _version_row(
    ready: Prepared, base: Snapshot | None, what: Commit, number: int
) -> dict[str, Any]:
    identity = f"{what.branch.plan_id}\0{number}\0{what.at}\0{ready.parts}"
    return {
        "id": hashlib.sha256(identity.encode()).hexdigest()[:16],
        "plan_id": what.branch.plan_id,
        "branch_id": what.branch.id,
        "number": number,
        "parent_id": None if base is None else base.version.id,
        "merged_id": what.merged_id or None,
        "author": what.author,
        "message": what.message,
        "created_at": what.at,
        "is_draft": not ready.proof.is_proven,
        "holds_people": any(one.sheet.is_personal for one in ready.tables.values()),
        "certificate": json.dumps(ready.certificate.to_dict()),
        "defects": json.dumps(ready.proof.defects, ensure_ascii=False),
        "parts": ready.parts,
    }


def _add_pages(connection: Connection, pages: Mapping[bytes, bytes]) -> None:
    rows = [
        {"hash": digest, "is_personal": data[:1] == b"p", "data": data}
        for digest, data in pages.items()
    ]
    connection.execute(
        text(
            "INSERT INTO page (hash, is_personal, data) VALUES (:hash, :is_personal, :data) "
            "ON CONFLICT DO NOTHING"
        ),
        rows,
    )


def _add_cells(
    connection: Connection, backend: Backend, ready: Prepared, plan_id: str
) -> dict[str, LevelCells]:
    """Store cells that are not there yet; one that came back is the row it was."""
    known: dict[bytes, int] = {}
    fresh = [(key, one, np.flatnonzero(one.ids == 0)) for key, one in ready.cells.items()]
    hashes = [digest for _, one, rows in fresh for digest in one.hashes[rows]]
    query = select(cell.c.hash, cell.c.id).where(
        cell.c.plan_id == plan_id, cell.c.hash.in_(bindparam("wanted", expanding=True))
    )
    for start in range(0, len(hashes), _BATCH):
        found = connection.execute(query, {"wanted": hashes[start : start + _BATCH]})
        known |= {bytes(digest): int(one) for digest, one in found}
    last = int(connection.execute(select(func.max(cell.c.id))).scalar() or 0)
    new: list[dict[str, Any]] = []
    shapes: list[BaseGeometry] = []
    for key, one, rows in fresh:
        table = one.table.iloc[rows]
        facts = pd.DataFrame(table.drop(columns="geometry")).to_dict("records")
        for values, shape in zip(facts, one.shapes[rows], strict=True):
            if values["hash"] in known:
                continue
            row: dict[str, Any] = {"merchants": None, "plan_id": plan_id, "level": key}
            row |= {str(name): value for name, value in values.items()}
            known[row["hash"]] = row["id"] = last + len(new) + 1
            new.append(row)
            shapes.append(shape)
    _add_rows(connection, backend, new, shapes, ready.plan.district.crs)
    return {key: one.with_ids(known) for key, one in ready.cells.items()}


def _add_rows(
    connection: Connection,
    backend: Backend,
    rows: list[dict[str, Any]],
    shapes: list[BaseGeometry],
    crs: CRS | None,
) -> None:
    if not rows:
        return
    drawn: npt.NDArray[np.object_] = np.empty(len(shapes), dtype=object)
    drawn[:] = shapes
    for row, wkb in zip(rows, shapely.to_wkb(drawn).tolist(), strict=True):
        row["wkb"] = wkb
    backend.add_rows(connection, cell, rows)
    there = np.flatnonzero(~shapely.is_empty(drawn))
    backend.add_places(connection, [rows[at]["id"] for at in there], drawn[there], crs)


def _add_spans(
    connection: Connection,
    backend: Backend,
    branch_id: str,
    number: int,
    base: Snapshot | None,
    cells: Mapping[str, LevelCells],
) -> None:
    was = set() if base is None else _ids(base.cells)
    now = _ids(cells)
    gone = sorted(was - now)
    ending = (
        update(span)
        .where(
            span.c.branch_id == branch_id,
            span.c.to_number == FOREVER,
            span.c.cell_id.in_(bindparam("gone", expanding=True)),
        )
        .values(to_number=number)
    )
    for start in range(0, len(gone), _BATCH):
        connection.execute(ending, {"gone": gone[start : start + _BATCH]})
    rows = [
        {"branch_id": branch_id, "cell_id": one, "from_number": number, "to_number": FOREVER}
        for one in sorted(now - was)
    ]
    if rows:
        backend.add_rows(connection, span, rows)


def _ids(cells: Mapping[str, LevelCells]) -> set[int]:
    return {one for level in cells.values() for one in level.ids.tolist()}
