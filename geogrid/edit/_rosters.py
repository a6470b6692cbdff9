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

    from geogrid.edit._draft import Draft, Indices, Texts
    from geogrid.edit._settle import Settled
    from geogrid.model.scheme import Level

__all__ = ["added_list", "alike", "settle_rosters"]


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
    upper = ""
    for level in draft.plan.scheme.levels:
        if level.contract is Contract.AREA:
            above, before, now = level.key, None, None
            continue
        if level.key not in rosters or above is None:
            continue
        members = _with_new_atoms(draft, rosters[level.key])
        at = None if before is None else alike(draft.plan.rosters[upper], members)
        if before is None or now is None or at is None:
            before, now = _containers(draft, above, rosters[level.key], members)
        else:
            before, now = before[at], now[at]
        was = members["code"].to_numpy(object)
        code = _relisted(draft, settled, level, was, now)
        code = _settled_codes(draft, settled, level, members.assign(code=code), before, now)
        # The same table says that nobody moved: nobody needs to look for who did.
        if members is not rosters[level.key] or (code != was).any():
            column = pd.Series(code, index=members.index).astype("str")
            rosters[level.key] = members.assign(code=column)
        if level.key in shapes:
            shapes[level.key] = _renamed(shapes[level.key], settled, level)
        before, now, upper = was, code, level.key
    return rosters, shapes


def alike(upper: pd.DataFrame, lower: pd.DataFrame) -> Indices | None:
    """Return the row of each household of a list in the lists above it.

    ``None`` if those list other households. Files keep the rows of each level in the order of its
    own codes.
    """
    if len(upper) != len(lower):
        return None
    mine, theirs = (one["household_id"].to_numpy(object) for one in (upper, lower))
    if np.array_equal(mine, theirs):
        return np.arange(len(lower), dtype=np.int64)
    index = pd.Index(mine)
    if not index.is_unique:
        return None
    at: Indices = index.get_indexer(pd.Index(theirs)).astype(np.int64)
    return at if (at >= 0).all() else None


def _relisted(draft: Draft, settled: Settled, level: Level, was: Texts, now: Texts) -> Texts:
    """Return the list that a command gave each household, new ones with a code of their own.

    Parameters
    ----------
    now
        The cell or list above each household, after the command.
    """
    wanted = draft.lists.get(level.key)
    if wanted is None:
        return was
    code: Texts = wanted.copy()
    changed = np.flatnonzero(was != wanted)
    for token in sorted({one for one in wanted[changed].tolist() if one in draft.fresh}):
        rows = np.flatnonzero(wanted == token)
        new, origin = draft.fresh[token], str(was[rows[0]])
        old = draft.plan.cell_table.loc[origin].to_dict()
        facts = old | {"name": new.name or old["name"], "kind": new.kind or old["kind"]}
        code[rows] = added_list(
            draft, settled, level, facts, str(now[rows[0]]), is_named=bool(new.name)
        )
    left = set(code.tolist())
    for old_code, new_code in dict.fromkeys(
        zip(was[changed].tolist(), code[changed].tolist(), strict=True)
    ):
        if old_code in left:
            settled.changed.setdefault(old_code, {})
        else:
            settled.retired[old_code] = level.key
            settled.successors.setdefault(old_code, []).append(new_code)
        if new_code in settled.added:
            settled.origins.setdefault(new_code, []).append(old_code)
        else:
            settled.changed.setdefault(new_code, {})
    return code


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
    # A list that a command has just made lies where it was made.
    is_new = np.isin(code.astype(str), [one for one in settled.added if one])
    changed = np.flatnonzero((before != now) & ~is_new)
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
    is_named: bool = False,
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
    is_named
        Whether its name is one that somebody gave, and stays.
    """
    taken = settled.codes.take(wanted)
    issued = taken or settled.codes.issue(level, parent)
    name = str(facts["name"])
    if not taken and not is_named and settled.codes.is_made(level, name):
        name = settled.codes.name(level, issued, parent, _names_above(draft, settled, parent))
    settled.added[issued] = Facts(
        level=level.key, name=name, kind=str(facts["kind"]), parent=parent, head=head
    )
    return issued


def _names_above(draft: Draft, settled: Settled, parent: str) -> dict[str, str]:
    """Return the names of a cell or list and of all above it, by level, coarse to fine."""
    names: dict[str, str] = {}
    table, code = draft.plan.cell_table, parent
    while code:
        added = settled.added.get(code)
        if added:
            names[added.level], code = added.name, added.parent
        else:
            facts = table.loc[code]
            names[str(facts["level"])], code = str(facts["name"]), str(facts["parent"])
    return dict(reversed(names.items()))


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
