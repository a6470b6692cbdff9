"""Edits of labels: paint, create, merge; atoms change hands and no border is redrawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from geogrid.edit._draft import listed
from geogrid.errors import EditError

if TYPE_CHECKING:
    from geogrid.edit._draft import Draft, Indices
    from geogrid.edit.commands import AssignKind, Create, Merge, Paint, Rename
    from geogrid.model.scheme import Level

__all__ = ["assign_kind", "create", "merge", "paint", "put_under", "rename"]


def paint(draft: Draft, command: Paint) -> None:
    """Give atoms to a cell."""
    level = draft.area_level(command.level)
    held = draft.rows_of(level, command.target)
    rows = _chosen(draft, level, command)
    put_under(draft, level, rows, command.target, like=held)


def create(draft: Draft, command: Create) -> None:
    """Make a new cell from atoms."""
    level = draft.area_level(command.level)
    rows = _chosen(draft, level, command)
    if command.kind and command.kind not in level.kinds:
        raise _no_kind(level, command.kind)
    like = rows
    above = draft.coarser(level)
    if above and command.parent:
        like = draft.rows_of(above[-1], command.parent)
    elif above:
        # Most of its households say where it belongs, and its atoms where nobody lives.
        parents, group = np.unique(
            draft.labels[above[-1].key][rows].astype(str), return_inverse=True
        )
        held = np.bincount(group, draft.people[rows] + 1e-6, minlength=len(parents))
        like = rows[group == int(held.argmax())]
    token = draft.new_cell(level, name=command.name, kind=command.kind)
    put_under(draft, level, rows, token, like=like)


def merge(draft: Draft, command: Merge) -> None:
    """Make one cell of several."""
    level = draft.area_level(command.level)
    if len(command.cells) < 2:  # noqa: PLR2004 - one cell is one already
        msg = (
            "merging takes at least two different cells of one level: name them "
            "(合并至少要选两个同级网格)"
        )
        raise EditError(msg)
    rows = {code: draft.rows_of(level, code) for code in command.cells}
    into = command.into or max(
        command.cells, key=lambda code: (int(draft.people[rows[code]].sum()), len(rows[code]), code)
    )
    if into not in rows:
        msg = (
            f"cell {into} is not among those to merge: merge into one of {listed(rows)} "
            f"({into}不在要合并的网格之中：请从{listed(rows)}中选一个保留)"
        )
        raise EditError(msg, ((level.key, into),))
    gone = [code for code in command.cells if code != into]
    draft.may_vanish |= {(level.key, code) for code in gone}
    taken = np.concatenate([rows[code] for code in gone])
    put_under(draft, level, taken, into, like=rows[into])


def assign_kind(draft: Draft, command: AssignKind) -> None:
    """Say of which kind a cell is."""
    level = draft.area_level(command.level)
    draft.rows_of(level, command.cell)
    if command.kind not in level.kinds:
        raise _no_kind(level, command.kind)
    _require_free(draft, level, command.cell)
    draft.facts[command.cell] = {"kind": command.kind}


def rename(draft: Draft, command: Rename) -> None:
    """Give a cell another name."""
    level = draft.area_level(command.level)
    draft.rows_of(level, command.cell)
    if not command.name.strip():
        msg = f"cell {command.cell} needs a name: the new one is empty (名称不能为空)"
        raise EditError(msg, ((level.key, command.cell),))
    _require_free(draft, level, command.cell)
    draft.facts[command.cell] = {"name": command.name.strip()}


def _require_free(draft: Draft, level: Level, code: str) -> None:
    if level.locked:
        msg = (
            f"level {level.key} ({level.name}) is official: cell {code} stays as it was given "
            f"({level.name}为行政层级，{code}不可改名或改类型)"
        )
        raise EditError(msg, ((level.key, code),))
    del draft


def _no_kind(level: Level, kind: str) -> EditError:
    known = ", ".join(level.kinds)
    return EditError(
        f"level {level.key} ({level.name}) has no kind {kind}: use one of {known} "
        f"({level.name}没有“{kind}”这种类型：可选{'、'.join(level.kinds)})"
    )


def _chosen(draft: Draft, level: Level, command: Paint | Create) -> Indices:
    """Return the atoms that a command names, whole finer cells above the finest level."""
    finer = draft.finer(level)
    rows = draft.rows_of_atoms(command.atoms)
    if command.cells and not finer:
        msg = (
            f"level {level.key} ({level.name}) is the finest: name atoms, not cells "
            f"({level.name}已是最细层级：请选地块)"
        )
        raise EditError(msg)
    if finer:
        below = finer[0]
        column = draft.labels[below.key]
        codes = sorted({*command.cells, *column[rows].tolist()})
        whole = np.unique(np.concatenate([draft.rows_of(below, code) for code in codes] or [rows]))
        if command.atoms and len(whole) > len(rows) and not command.cells:
            draft.notes.append(
                f"whole cells of level {below.key} were taken: {listed(codes)} "
                f"（{below.name}整格划入）"
            )
        rows = whole
    if not len(rows):
        msg = "name at least one atom or cell: nothing was chosen (没有选中任何地块)"
        raise EditError(msg)
    return rows


def put_under(draft: Draft, level: Level, rows: Indices, code: str, *, like: Indices) -> None:
    """Give atoms to a cell of a level, and to the cells above it.

    Parameters
    ----------
    like
        Atoms that lie where the cell does. Where it lies in several cells above, an atom that is
        in one of them stays there.
    """
    for above in draft.coarser(level):
        column = draft.labels[above.key]
        there, count = np.unique(column[like].astype(str), return_counts=True)
        stays = np.isin(column[rows].astype(str), there)
        draft.assign(above.key, rows[~stays], str(there[count.argmax()]))
    draft.assign(level.key, rows, code)
