"""Households while a planner still drags: no cell is drawn and nothing is proven."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.edit._draft import members_of
from geogrid.edit.apply import draft_of
from geogrid.edit.change import BAND_ZH, band_state

if TYPE_CHECKING:
    import geopandas as gpd

    from geogrid.edit._draft import Draft
    from geogrid.edit.commands import Command
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["live_counts"]

_COLUMNS = ("level", "code", "before", "after", "band_before", "band_after", "band_zh")


def live_counts(
    plan: GridPlan, command: Command, *, households: gpd.GeoDataFrame | None = None
) -> pd.DataFrame:
    """Return the households of the cells that a command would change.

    Cells are neither drawn nor proven, codes are not issued and connection is not judged:
    :func:`geogrid.edit.apply` may still refuse the command.

    Parameters
    ----------
    plan, command, households
        As for :func:`geogrid.edit.apply`.

    Returns
    -------
    DataFrame
        ``level, code, before, after, band_before, band_after, band_zh``, coarse to fine; ``code``
        is ``new 1`` … for cells that would be new. ``attrs["estimated"]`` is how many households
        no point places.

    Raises
    ------
    EditError
        If the command names what is not there, or crosses a border.
    """
    draft = draft_of(plan, command, households=households)
    names = {token: f"new {at}" for at, token in enumerate(draft.fresh, start=1)}
    rows = [row for level in draft.levels for row in _rows(draft, level, names)]
    rows += [row for level in plan.scheme.levels for row in _list_rows(draft, level, names)]
    table = pd.DataFrame(rows, columns=list(_COLUMNS))
    table[["before", "after"]] = table[["before", "after"]].astype(np.int64)
    table.attrs["estimated"] = draft.estimated
    return table


def _list_rows(draft: Draft, level: Level, names: dict[str, str]) -> list[dict[str, object]]:
    """Return the lists of a level that a command would change."""
    now = draft.lists.get(level.key)
    if now is None:
        return []
    members = draft.plan.rosters[level.key]
    was, people = members["code"].to_numpy(object), members["households"].to_numpy(np.int64)
    changed = was != now
    found = []
    for code in sorted({*was[changed].tolist(), *now[changed].tolist()}):
        counts = [int(people[side == code].sum()) for side in (was, now)]
        states = [band_state(one, level.band, is_judged=True) for one in counts]
        values = (level.key, names.get(code, code), *counts, *states, BAND_ZH[states[1]])
        found.append(dict(zip(_COLUMNS, values, strict=True)))
    return found


def _rows(draft: Draft, level: Level, names: dict[str, str]) -> list[dict[str, object]]:
    rows = draft.changed_rows(level.key)
    base = draft.base[level.key]
    was = base[rows[rows < len(base)]]
    codes = sorted({*was.tolist(), *draft.labels[level.key][rows].tolist()})
    people = draft.plan.atoms.frame["households"].to_numpy()
    members = members_of(draft.plan, level.key)
    counts = [
        [int(people[members[code]].sum()) if code in members else 0 for code in codes],
        [int(draft.people[draft.rows_in(level.key, code)].sum()) for code in codes],
    ]
    kinds = draft.plan.cell_table["kind"]
    found = []
    for at, code in enumerate(codes):
        fresh = draft.fresh.get(code)
        kind = str(kinds[code]) if fresh is None else fresh.kind
        kind = draft.facts.get(code, {}).get("kind", kind)
        judged = kind not in level.unbalanced_kinds and level.counted_in(kind) == "households"
        states = [band_state(side[at], level.band, is_judged=judged) for side in counts]
        values = (level.key, names.get(code, code), counts[0][at], counts[1][at],
                  states[0], states[1], BAND_ZH[states[1]])  # fmt: skip
        found.append(dict(zip(_COLUMNS, values, strict=True)))
    return found
