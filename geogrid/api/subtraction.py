"""What whoever kept the counts of an earlier version learns by subtracting those of a later one.

Within a version no count below ten can be computed (:mod:`geogrid.maps.disclosure`); between two
that both were public some can. They are counted here, so that whoever publishes knows before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from geogrid.api.moves import atom_moves
from geogrid.api.settled import settled
from geogrid.maps.disclosure import SMALLEST_SHOWN

if TYPE_CHECKING:
    import pandas as pd

    from geogrid.api.view import PlanView

__all__ = ["told_by_subtraction"]

# Whether a cell is of the version before, and its code.
_Cell = tuple[bool, str]


def told_by_subtraction(was: PlanView, now: PlanView) -> int:
    """Return how many groups of one to nine households two versions tell, at least.

    The households that are in one cell of the version before and in one of the version after are a
    group. Its borders are public; its count is not, but the counts of shown cells are sums of such
    groups: where all other groups of a cell are known, the last one is too, and so on. What only
    follows from several levels together, or from more versions, is not counted.
    """
    table = atom_moves(was.plan, now.plan)
    levels = [level.key for level in now.plan.scheme.area_levels if (level.key, "from") in table]
    return sum(_told_on_level(table, level, was, now) for level in levels)


def _told_on_level(table: pd.DataFrame, level: str, was: PlanView, now: PlanView) -> int:
    ends = {"from": table[level, "from"], "to": table[level, "to"]}
    counts = table["households"].groupby([ends["from"], ends["to"]]).sum()
    shown = {(True, code) for code in _shown(was, level)}
    shown |= {(False, code) for code in _shown(now, level)}
    groups = {
        at: [cell for cell in ((True, str(a)), (False, str(b))) if cell in shown]
        for at, (a, b) in enumerate(counts.index)
    }
    found = counts.to_numpy()[sorted(settled(groups))]
    return int(((found > 0) & (found < SMALLEST_SHOWN)).sum())


def _shown(view: PlanView, level: str) -> list[str]:
    cells = view.tables[level]
    codes: list[str] = (
        cells["code"].to_numpy()[cells["public"].to_numpy() >= 0].astype(str).tolist()
    )
    return codes
