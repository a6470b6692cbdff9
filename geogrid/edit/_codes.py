"""The memory of codes after an edit: which were retired, and what took their ground over."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid.model.plan import HISTORY_FIELDS

if TYPE_CHECKING:
    from geogrid.edit._settle import Settled
    from geogrid.model.plan import GridPlan

__all__ = ["new_history"]

# What the history calls a plan that has no version.
_UNNAMED = "-"


def new_history(plan: GridPlan, settled: Settled) -> pd.DataFrame:
    """Return the history of codes; the plan's own where none came or went."""
    if not (settled.added or settled.retired):
        return plan.code_history
    version = plan.version or _UNNAMED
    told = _told(plan, version)
    if settled.retired:
        gone = told["code"].isin(settled.retired) & (told["to_version"] == "")
        into = {code: " ".join(settled.successors.get(code, ())) for code in settled.retired}
        told = told.assign(
            to_version=told["to_version"].mask(gone, version),
            successors=told["successors"].mask(gone, told["code"].map(into)),
        )
    top = plan.district.code
    rows = [
        {
            "code": code,
            "level": facts.level,
            "parent": facts.parent or top,
            "from_version": "",
            "to_version": "",
            "successors": "",
            "origins": " ".join(settled.origins.get(code, ())),
        }
        for code, facts in settled.added.items()
    ]
    added = pd.DataFrame(rows, columns=list(HISTORY_FIELDS), dtype="str")
    table = pd.concat([told, added], ignore_index=True)[list(HISTORY_FIELDS)]
    order = np.lexsort((table["code"].to_numpy(str), table["level"].to_numpy(str)))
    return table.iloc[order].reset_index(drop=True)


def _told(plan: GridPlan, version: str) -> pd.DataFrame:
    """Return the history so far, with every code in use in it."""
    told = plan.code_history
    told = told.assign(from_version=told["from_version"].replace("", version))
    table = plan.cell_table
    known = told["code"][told["to_version"] == ""]
    missing = table.index[~table.index.isin(known)]
    if not len(missing):
        return told
    facts = table.loc[missing]
    parents = facts["parent"].replace("", plan.district.code)
    live = pd.DataFrame(
        {
            "code": missing.to_numpy(object),
            "level": facts["level"].to_numpy(object),
            "parent": parents.to_numpy(object),
            "from_version": version,
            "to_version": "",
            "successors": "",
            "origins": "",
        },
        dtype="str",
    )
    return pd.concat([told, live], ignore_index=True)
