"""Lists of households after atoms changed hands: a list lies in one cell above."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.divide.fresh import carries
from geogrid.edit._settle import Facts
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    import geopandas as gpd

    from geogrid.edit._draft import Draft, Texts
    from geogrid.edit._settle import Settled
    from geogrid.model.scheme import Level

__all__ = ["added_list", "settle_rosters"]


def settle_rosters(
    draft: Draft, settled: Settled
) -> tuple[dict[str, pd.DataFrame], dict[str, gpd.GeoSeries]]:
    """Return the lists and their polygons after an edit.

    A list whose members are now in two cells is divided; the heavier part keeps what it was. A
    list that lies in another cell now gets the next code there, as cells do.
    """
    rosters, shapes = dict(draft.plan.rosters), dict(draft.plan.shapes)
    above: str | None = None
    before: Texts | None = None
    now: Texts | None = None
    for level in draft.plan.scheme.levels:
        if level.contract is Contract.AREA:
            above, before, now = level.key, None, None
            continue
        if level.key not in rosters or above is None:
            continue
        members = _with_new_atoms(draft, rosters[level.key])
        if before is None or now is None or len(before) != len(members):
            before, now = _containers(draft, above, rosters[level.key], members)
        was = members["code"].to_numpy(object)
        code = _settled_codes(draft, settled, level, members, before, now)
        rosters[level.key] = members.assign(code=pd.Series(code, index=members.index).astype("str"))
        if level.key in shapes:
            shapes[level.key] = _renamed(shapes[level.key], settled, level)
        before, now = was, code
    return rosters, shapes


def _with_new_atoms(draft: Draft, members: pd.DataFrame) -> pd.DataFrame:
    """Put households whose points are in another piece of their atom there."""
    if not draft.placed:
        return members
    ids = members["household_id"].astype(str)
    there = ids.map(draft.placed)
    atom = members["atom_id"].where(there.isna(), there)
    return members.assign(atom_id=atom.astype("str"))


def _containers(
    draft: Draft, above: str, old: pd.DataFrame, new: pd.DataFrame
) -> tuple[Texts, Texts]:
    """Return the cell above each member, before and after."""
    base = draft.plan.labels[above]
    before = base.to_numpy(object)[pd.Index(base.index).get_indexer(pd.Index(old["atom_id"]))]
    at = pd.Index(draft.ids).get_indexer(pd.Index(new["atom_id"]))
    return before, draft.labels[above][at]


def _settled_codes(
    draft: Draft,
    settled: Settled,
    level: Level,
    members: pd.DataFrame,
    before: Texts,
    now: Texts,
) -> Texts:
    code: Texts = members["code"].to_numpy(object).copy()
    changed = np.flatnonzero(before != now)
    if not len(changed):
        return code
    torn = 0
    for one in sorted(set(code[changed].tolist())):
        rows = np.flatnonzero(code == one)
        held = pd.Series(members["households"].to_numpy()[rows]).groupby(now[rows]).sum()
        order = sorted(held.index, key=lambda parent: (-int(held[parent]), str(parent)))
        torn += len(order) > 1
        kept = [
            _code_below(draft, settled, level, one, str(parent), is_first=not at)
            for at, parent in enumerate(order)
        ]
        code[rows] = np.array(kept, dtype=object)[[order.index(parent) for parent in now[rows]]]
        if one not in kept:
            settled.retired[one] = level.key
            settled.successors[one] = kept
        for new in kept:
            if new != one:
                settled.origins[new] = [one]
    if torn:
        draft.notes.append(
            f"{torn} lists of level {level.key} had members on both sides and were divided "
            f"（{level.name}名册已拆分）"
        )
    return code


def _code_below(
    draft: Draft, settled: Settled, level: Level, code: str, parent: str, *, is_first: bool
) -> str:
    old = draft.plan.cell_table.loc[code].to_dict()
    was = str(old["parent"])
    if is_first and (parent == was or not carries(code, was or draft.plan.district.code)):
        if parent != was:
            settled.changed[code] = {"parent": parent}
        return code
    issued = added_list(
        draft, settled, level, old, parent, head=str(old["head"]) if is_first else ""
    )
    if is_first:
        settled.recoded.setdefault(level.key, {})[code] = issued
    return issued


def added_list(
    draft: Draft,
    settled: Settled,
    level: Level,
    facts: Mapping[Hashable, object],
    parent: str,
    *,
    wanted: str = "",
    head: str = "",
) -> str:
    """Add a list below a cell or another list; return its code.

    Parameters
    ----------
    facts
        ``name`` and ``kind`` of the list that it was; a name that was made from its code is made
        anew.
    wanted
        The code that it should get if nobody has it.
    head
        Who heads it.
    """
    taken = settled.codes.take(wanted)
    issued = taken or settled.codes.issue(level, parent)
    name = str(facts["name"])
    if not taken and settled.codes.is_made(level, name):
        above = settled.added.get(parent)
        upper = above.name if above else str(draft.plan.cell_table.loc[parent, "name"])
        holder = above.level if above else str(draft.plan.cell_table.loc[parent, "level"])
        name = settled.codes.name(level, issued, parent, {holder: upper})
    settled.added[issued] = Facts(
        level=level.key, name=name, kind=str(facts["kind"]), parent=parent, head=head
    )
    return issued


def _renamed(shapes: gpd.GeoSeries, settled: Settled, level: Level) -> gpd.GeoSeries:
    """Rename polygons with their lists; a list that was divided off has none of its own."""
    named: gpd.GeoSeries = shapes.rename(index=settled.recoded.get(level.key, {}))
    more = [
        code
        for code, facts in settled.added.items()
        if facts.level == level.key and code not in named.index
    ]
    if not more:
        return named
    empty = type(shapes)([shapely.Polygon()] * len(more), index=more, crs=shapes.crs)
    return type(shapes)(pd.concat([named, empty]))
