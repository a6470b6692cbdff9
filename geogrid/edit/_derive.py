"""From atoms and labels to a plan: only cells that changed get new polygons."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from geogrid.edit._draft import members_of
from geogrid.edit._ground import rewired, united, unlike_groups

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from shapely.geometry.base import BaseGeometry

    from geogrid.edit._draft import Draft, Indices, Texts
    from geogrid.edit._settle import Settled
    from geogrid.model.atoms import Atoms
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = [
    "LevelDraft",
    "derive_level",
    "new_atoms",
    "new_cells",
    "new_labels",
    "new_members",
    "new_table",
    "positions",
]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LevelDraft:
    """One area level before and after.

    Attributes
    ----------
    level
        The level.
    old, new
        Cells with ``code`` and ``geometry``, in the order of their codes; ``old`` as the plan
        derived them.
    before, after
        Codes of cells that hold changed atoms or held them: those that were there, and that are.
    households
        Of each code of ``after``.
    gone, redrawn
        Codes whose polygon is no longer there, and codes with a polygon that was not there.
    shapes
        The polygons of ``redrawn``.
    """

    level: Level
    old: gpd.GeoDataFrame
    before: tuple[str, ...]
    after: tuple[str, ...]
    households: Mapping[str, int]
    gone: tuple[str, ...]
    redrawn: tuple[str, ...]
    shapes: Texts


def positions(cells: pd.DataFrame, codes: Iterable[str]) -> list[int]:
    """Return the rows of codes among cells in the order of their codes, -1 where there is none."""
    held = cells["code"].to_numpy(object)
    found = []
    for code in codes:
        at = bisect_left(held, code)
        found.append(at if at < len(held) and held[at] == code else -1)
    return found


def derive_level(
    draft: Draft, level: Level, old: gpd.GeoDataFrame, below: gpd.GeoDataFrame | None
) -> LevelDraft:
    """Find out which cells of a level have another outline, and draw those.

    Parameters
    ----------
    old
        The cells as they were.
    below
        The new cells of the next finer level, to unite instead of atoms; ``None`` at the finest.
    """
    rows = draft.changed_rows(level.key)
    base, now = draft.base[level.key], draft.labels[level.key]
    # The largest piece of an atom keeps its row; the others were never in the plan.
    was = rows[rows < len(base)]
    codes = sorted({*base[was].tolist(), *now[rows].tolist()})
    place = {code: at for at, code in enumerate(codes)}
    before = [code for code, at in zip(codes, positions(old, codes), strict=True) if at >= 0]
    held = {code: draft.rows_in(level.key, code) for code in codes}
    after = [code for code in codes if len(held[code])]
    shapes = draft.plan.atoms.frame.geometry.to_numpy()[was]
    if draft.exact.inserts:
        shapes = _as_array([rewired(one, draft.exact) for one in shapes])
    unlike = unlike_groups(
        (shapes, np.array([place[code] for code in base[was]], dtype=np.int64)),
        (draft.shapes[rows], np.array([place[code] for code in now[rows]], dtype=np.int64)),
        len(codes),
    )
    gone = tuple(code for code in before if unlike[place[code]])
    redrawn = tuple(code for code in after if unlike[place[code]])
    return LevelDraft(
        level=level,
        old=old,
        before=tuple(before),
        after=tuple(after),
        households={code: int(draft.people[held[code]].sum()) for code in after},
        gone=gone,
        redrawn=redrawn,
        shapes=_drawn(draft, level, [held[code] for code in redrawn], below),
    )


def _as_array(shapes: list[BaseGeometry]) -> Texts:
    result = np.empty(len(shapes), dtype=object)
    result[:] = shapes
    return result


def _drawn(
    draft: Draft, level: Level, cells: list[Indices], below: gpd.GeoDataFrame | None
) -> Texts:
    """Unite the finer cells of each cell where they fill it, else its atoms."""
    return _as_array([_united(draft, level, rows, below) for rows in cells])


def _united(
    draft: Draft, level: Level, rows: Indices, below: gpd.GeoDataFrame | None
) -> BaseGeometry:
    parts = draft.shapes[rows]
    if below is not None:
        finer = draft.finer(level)[0].key
        children = sorted(set(draft.labels[finer][rows].tolist()))
        held = sum(len(draft.rows_in(finer, code)) for code in children)
        if held == len(rows):
            parts = below.geometry.to_numpy()[positions(below, children)]
    return united(parts)


def new_cells(
    draft: Draft, settled: Settled, one: LevelDraft, table: pd.DataFrame
) -> gpd.GeoDataFrame:
    """Return the cells of a level as the new plan would derive them.

    Parameters
    ----------
    table
        The new cell table.
    """
    cells, key = one.old.copy(deep=False), one.level.key
    stays = {*one.before} & {*one.after}
    gone = sorted({*one.before} - stays)
    new = sorted({*one.after} - stays)
    if gone or new:
        cells = _exchanged_rows(cells, positions(cells, gone), table, new)
    touched = list(one.after)
    at = np.array(positions(cells, touched), dtype=np.int64)
    geometry = cells.geometry.to_numpy().copy()
    geometry[positions(cells, one.redrawn)] = one.shapes
    values = {name: cells[name].to_numpy().copy() for name in ("households", "area_m2")}
    values["households"][at] = [one.households[code] for code in touched]
    values["area_m2"][at] = shapely.area(geometry[at])
    if "merchants" in cells:
        shops = draft.plan.atoms.frame["merchants"].to_numpy()
        held = [draft.rows_in(key, code) for code in touched]
        values["merchants"] = cells["merchants"].to_numpy().copy()
        values["merchants"][at] = [int(shops[rows[rows < len(shops)]].sum()) for rows in held]
    facts = positions(cells, [code for code in settled.changed if code in table.index])
    facts = [row for row in facts if row >= 0]
    if facts:
        codes = pd.Index(cells["code"].to_numpy(object)[facts])
        for name in ("name", "kind", "parent"):
            values[name] = cells[name].to_numpy(object).copy()
            values[name][facts] = table.loc[codes, name].to_numpy(object)
    for name, column in values.items():
        cells[name] = pd.Series(column, index=cells.index, dtype=cells[name].dtype)
    return cells.set_geometry(gpd.GeoSeries(geometry, index=cells.index, crs=cells.crs))


def _exchanged_rows(
    cells: gpd.GeoDataFrame, gone: list[int], table: pd.DataFrame, new: list[str]
) -> gpd.GeoDataFrame:
    """Take cells out and put others in, by their codes; what others hold is filled in later."""
    order = np.delete(np.arange(len(cells)), gone)
    if new:
        kept = cells["code"].to_numpy(object)[order]
        at = [bisect_left(kept, code) for code in new]
        order = np.insert(order, at, np.arange(len(cells), len(cells) + len(new)))
        facts = table.loc[new]
        more = pd.DataFrame(
            {name: facts[name].to_numpy() for name in cells.columns if name in facts}
            | {"code": new}
        )
        for name in cells.columns.difference(more.columns):
            more[name] = 0.0 if name == "area_m2" else 0
        more[cells.geometry.name] = None
        more = gpd.GeoDataFrame(more[list(cells.columns)], geometry=cells.geometry.name)
        cells = pd.concat([cells, more.set_crs(cells.crs) if cells.crs else more])
    return cells.iloc[order].reset_index(drop=True)


def new_members(draft: Draft, one: LevelDraft) -> dict[str, Indices]:
    """Return the atoms of each cell of a level after an edit."""
    key = one.level.key
    members = dict(members_of(draft.plan, key))
    for code in one.before:
        members.pop(code, None)
    members.update({code: draft.rows_in(key, code) for code in one.after})
    return members


def new_atoms(draft: Draft) -> Atoms:
    """Return the atoms after an edit; the plan's own where none changed."""
    atoms = draft.plan.atoms
    frame = atoms.frame
    same_people = len(draft.people) == len(frame) and bool(
        (draft.people == frame["households"].to_numpy()).all()
    )
    if not draft.redrawn and same_people:
        return atoms
    first = len(frame)
    table = frame
    if len(draft.ids) > first:
        more = frame.iloc[draft.origin[first:]].copy()
        more["atom_id"] = pd.Series(
            draft.ids[first:], index=more.index, dtype=more["atom_id"].dtype
        )
        # What is counted stays with the piece that keeps the id; what is said holds for all.
        for name in more.columns[[pd.api.types.is_numeric_dtype(one) for one in more.dtypes]]:
            more[name] = 0
        table = pd.concat([frame, more], ignore_index=True)
    table = table.assign(households=draft.people)
    table = table.set_geometry(gpd.GeoSeries(draft.shapes, index=table.index, crs=frame.crs))
    return replace(atoms, frame=table, limit=draft.limit)


def new_labels(draft: Draft) -> pd.DataFrame:
    """Return the labels after an edit; columns that stay are shared with the plan's."""
    labels = draft.plan.labels
    if len(draft.ids) == len(labels):
        changed = {
            str(key): pd.Series(column, index=labels.index, dtype=labels[key].dtype)
            for key, column in draft.labels.items()
            if len(draft.moved(key))
        }
        return labels.assign(**changed) if changed else labels
    index = pd.Index(draft.ids, name=labels.index.name, dtype=labels.index.dtype)
    columns = {
        str(key): pd.Series(
            draft.labels[str(key)]
            if key in draft.labels
            else labels[key].to_numpy(object)[draft.origin],
            index=index,
            dtype=labels[key].dtype,
        )
        for key in labels.columns
    }
    return pd.DataFrame(columns, index=index)


def new_table(plan: GridPlan, settled: Settled) -> pd.DataFrame:
    """Return the cell table after an edit; the plan's own where nothing changed."""
    table = plan.cell_table
    if settled.added or settled.retired:
        table = _exchanged(plan, settled)
    if settled.changed:
        places = table.index.get_indexer(pd.Index(list(settled.changed)))
        columns = {}
        pairs = list(zip(places.tolist(), settled.changed.values(), strict=True))
        for name in {name for values in settled.changed.values() for name in values}:
            column = table[name].to_numpy(object).copy()
            for at, values in pairs:
                if at >= 0 and name in values:
                    column[at] = values[name]
            columns[name] = pd.Series(column, index=table.index, dtype=table[name].dtype)
        table = table.assign(**columns)
    return table


def _exchanged(plan: GridPlan, settled: Settled) -> pd.DataFrame:
    """Take retired codes out and put new ones in, each behind the next lesser one of its level."""
    table = plan.cell_table
    codes, levels = table.index.to_numpy(object), table["level"].to_numpy(object)
    gone = table.index.get_indexer(pd.Index(list(settled.retired)))
    order = (
        np.delete(np.arange(len(table)), gone[gone >= 0]) if len(gone) else np.arange(len(table))
    )
    added = sorted(settled.added)
    if not added:
        return table.iloc[order]
    own = {key: np.flatnonzero(levels[order] == key) for key in set(levels.tolist())}
    codes = codes[order]
    at = [_place(codes, own.get(settled.added[code].level, order[:0]), code) for code in added]
    order = np.insert(order, at, np.arange(len(table), len(table) + len(added)))
    more = pd.DataFrame(
        {
            name: [getattr(settled.added[code], name, "") for code in added]
            for name in table.columns
        },
        index=pd.Index(added, name=table.index.name, dtype=table.index.dtype),
    ).astype(table.dtypes.to_dict())
    return pd.concat([table, more]).iloc[order]


def _place(codes: Texts, own: Indices, code: str) -> int:
    """Return where a code belongs among those of its level, which stand together."""
    if not len(own):
        return len(codes)
    behind = bisect_left(own, code, key=lambda row: codes[row])
    return int(own[behind]) if behind < len(own) else int(own[-1]) + 1
