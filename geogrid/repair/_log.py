"""The change log: what each cell gained and lost, and how many households with it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pandas as pd
import shapely

from geogrid.model.counts import households_in
from geogrid.repair._owners import NOBODY, Choice

if TYPE_CHECKING:
    from collections.abc import Sequence

    import geopandas as gpd

    from geogrid.repair._faces import Faces

__all__ = ["Log"]

CHANGE_COLUMNS = ("cell", "what", "other", "area_m2", "households")

# A gap at least half as large as a usual cell, and no strip, is a cell that somebody forgot.
_CELL_SHARE = 0.5
_NO_STRIP_M = 2.0


@dataclass(slots=True, eq=False)
class Log:
    """Rows of the log, summed over cell, what, and other.

    Attributes
    ----------
    codes
        Code of every cell.
    rows
        Square metres and households by row of the cell, what and other.
    """

    codes: Sequence[str]
    is_locked: npt.NDArray[np.bool_]
    rows: dict[tuple[int, str, str], list[float]] = field(
        default_factory=lambda: defaultdict(lambda: [0.0, 0.0])
    )

    def add(
        self, cell: int, what: str, other: str = "", *, area_m2: float = 0.0, households: int = 0
    ) -> None:
        """Add to one row."""
        entry = self.rows[cell, what, other]
        entry[0] += area_m2
        entry[1] += households

    def add_if_new(self, cell: int, what: str) -> None:
        """Add a row for a cell that has none yet."""
        if not any(row == cell for row, _, _ in self.rows):
            self.add(cell, what)

    def table(self) -> pd.DataFrame:
        """Return the log, most households first, then the largest areas."""
        values = [
            (self.codes[row], what, other, area, int(households))
            for (row, what, other), (area, households) in self.rows.items()
        ]
        frame = pd.DataFrame(values, columns=list(CHANGE_COLUMNS))
        frame = frame.astype(
            {"cell": "str", "what": "str", "other": "str", "area_m2": float, "households": "int64"}
        )
        frame = frame.sort_values(["cell", "what", "other"], kind="stable")
        order = ["households", "area_m2"]
        return frame.sort_values(order, ascending=False, kind="stable", ignore_index=True)

    def add_faces(
        self,
        faces: Faces,
        choice: Choice,
        *,
        changed: npt.NDArray[np.int64],
        usual_m2: float,
        households: gpd.GeoDataFrame | None,
    ) -> None:
        """Log the faces that the changed cells won or lost."""
        is_changed = set(changed.tolist())
        torn = set(choice.torn.tolist())
        for face, holders, count in _moves(faces, choice, households):
            area, owner = float(faces.area_m2[face]), int(choice.owner[face])
            if owner != NOBODY and not holders and owner in is_changed:
                what = _gap_name(faces, face, usual_m2)
                self.add(owner, what, area_m2=area, households=count)
            what, to = "trimmed_to_limit", ""
            if owner != NOBODY:
                what = "detached_given" if face in torn else "overlap_given"
                to = self.codes[owner]
            for cell in is_changed.intersection(holders) - {owner}:
                self.add(cell, what, to, area_m2=area, households=count)

    def add_questions(
        self, faces: Faces, choice: Choice, households: gpd.GeoDataFrame | None
    ) -> None:
        """Log whom each face would go to, and who else could have it."""
        for face, holders, count in _moves(faces, choice, households):
            if face in choice.asked:
                question = "ask_overlap" if holders else "ask_gap"
                owner = int(choice.owner[face])
                others = ", ".join(self.codes[one] for one in choice.asked[face] if one != owner)
                area = float(faces.area_m2[face])
                self.add(owner, question, others, area_m2=area, households=count)


def _moves(
    faces: Faces, choice: Choice, households: gpd.GeoDataFrame | None
) -> list[tuple[int, list[int], int]]:
    """Return the faces that change hands, who covered them, and the households there."""
    holders: dict[int, list[int]] = defaultdict(list)
    for face, cell in zip(faces.face.tolist(), faces.cell.tolist(), strict=True):
        holders[face].append(cell)
    owner = choice.owner.tolist()
    moved = [
        face
        for face in range(len(owner))
        if holders[face] != ([owner[face]] if owner[face] != NOBODY else [])
    ]
    counts = households_in(faces.in_metres(np.array(moved, dtype=np.int64)), households)
    return [(face, holders[face], count) for face, count in zip(moved, counts, strict=True)]


def _gap_name(faces: Faces, face: int, usual_m2: float) -> str:
    shape, area = faces.shapes[face], float(faces.area_m2[face])
    width_m = 2 * area / (float(shapely.length(shape)) / 1000)
    if area >= _CELL_SHARE * usual_m2 and width_m > _NO_STRIP_M:
        return "missing_cell_filled"
    return "extended_to_limit" if faces.at_limit[face] else "gap_filled"
