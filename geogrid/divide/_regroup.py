"""Who lies in whom after atoms changed hands: parents of finer cells, and torn lists."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.model.plan import GridPlan

__all__ = ["regrouped"]


def regrouped(plan: GridPlan) -> GridPlan:
    """Return a plan whose cells name the parents that they now lie in.

    A list whose members are now in two parents is divided; the heavier part keeps its code.
    """
    table = plan.cell_table.copy()
    rosters = dict(plan.rosters)
    torn = 0
    above: str | None = None
    parents: pd.Series | None = None
    rows = pd.Index(plan.labels.index)
    codes: npt.NDArray[np.object_] | None = None
    for level in plan.scheme.levels:
        if level.contract is Contract.AREA:
            if above is not None:
                pairs = plan.labels[[above, level.key]].drop_duplicates(level.key)
                table.loc[pairs[level.key], "parent"] = pairs[above].to_numpy()
            above, parents = level.key, plan.labels[level.key]
            codes = None
        elif level.key in rosters and parents is not None:
            members = rosters[level.key]
            if codes is None or len(codes) != len(members):
                at = rows.get_indexer(pd.Index(members["atom_id"]))
                codes = parents.to_numpy(object)[at]
            members, table, more = _divided(members, codes, table)
            torn += more
            rosters[level.key] = members
            codes = members["code"].to_numpy(object)
    notes = plan.notes
    if torn:
        notes = (*notes, f"{torn} lists had members on both sides and were divided")
    return replace(plan, cell_table=table, rosters=rosters, notes=notes)


def _divided(
    members: pd.DataFrame, parents: npt.NDArray[np.object_], table: pd.DataFrame
) -> tuple[pd.DataFrame, pd.DataFrame, int]:
    """Return members, facts of cells, and how many lists were divided."""
    pairs = pd.DataFrame(
        {"code": members["code"].to_numpy(), "parent": parents, "held": members["households"]}
    )
    held = pairs.groupby(["code", "parent"], as_index=False)[["held"]].sum()
    held = held.sort_values(["code", "held", "parent"], ascending=[True, False, True])
    held["rank"] = held.groupby("code").cumcount()
    first = held[held["rank"] == 0]
    table = table.copy()
    table.loc[first["code"], "parent"] = first["parent"].to_numpy()
    extra = held[held["rank"] > 0]
    if extra.empty:
        return members, table, 0
    # A sign that no code has; numbering gives the new list its code.
    fresh = [f"{code}~{rank}" for code, rank in zip(extra["code"], extra["rank"], strict=True)]
    facts = table.loc[extra["code"]].assign(parent=extra["parent"].to_numpy(), head="")
    facts.index = pd.Index(fresh, name=table.index.name)
    key = pd.MultiIndex.from_frame(extra[["code", "parent"]])
    at = key.get_indexer(pd.MultiIndex.from_frame(pairs[["code", "parent"]]))
    code = pairs["code"].to_numpy(object).copy()
    code[at >= 0] = np.array(fresh, dtype=object)[at[at >= 0]]
    return (
        members.assign(code=pd.Series(code, index=members.index).astype("str")),
        pd.concat([table, facts]),
        int(extra["code"].nunique()),
    )
