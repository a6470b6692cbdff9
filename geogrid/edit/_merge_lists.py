"""Lists of households of two edits of one plan, put together row by row.

An edit never adds, drops or reorders the rows of a list: it says of some households that they are
in another list, or in another piece of their atom. So each row is as the side left it that changed
it, and every household stays in exactly one list of each level. What has to be looked at again are
the codes: a new list of the second side may find its number taken, or its cell numbered anew.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely

from geogrid.divide.fresh import carries
from geogrid.edit._draft import listed
from geogrid.edit._rosters import added_list, alike
from geogrid.errors import EditError, InputError
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    import geopandas as gpd
    import numpy.typing as npt
    from shapely.geometry.base import BaseGeometry

    from geogrid.edit._draft import Draft, Texts
    from geogrid.edit._settle import Settled
    from geogrid.model.plan import GridPlan
    from geogrid.model.scheme import Level

__all__ = ["MergedLists", "SideLists"]

_OWN = ("household_id", "households")
# No code has such a sign in it.
_MARK = "\0"


@dataclass(frozen=True, slots=True, eq=False)
class _Rows:
    """What one side did to the lists of a level, row by row."""

    code: Texts
    atom_id: Texts
    is_recoded: npt.NDArray[np.bool_]
    is_placed: npt.NDArray[np.bool_]


class SideLists:
    """What one edited plan did to the lists of households.

    Raises
    ------
    InputError
        If its lists are not those of the first plan.
    """

    def __init__(self, base: GridPlan, edited: GridPlan) -> None:
        self.base, self.edited = base, edited
        if base.rosters.keys() != edited.rosters.keys():
            msg = "only edits of one plan can be merged: these list the households of other levels"
            raise InputError(msg)
        self.levels = {key: self._rows(key) for key in base.rosters}

    def _rows(self, key: str) -> _Rows:
        old, new = self.base.rosters[key], self.edited.rosters[key]
        if len(old) != len(new) or any(
            not np.array_equal(old[name].to_numpy(object), new[name].to_numpy(object))
            for name in _OWN
        ):
            msg = f"only edits of one plan can be merged: level {key} lists other households"
            raise InputError(msg)
        code, atom_id = new["code"].to_numpy(object), new["atom_id"].to_numpy(object)
        return _Rows(
            code, atom_id, code != old["code"].to_numpy(object),
            atom_id != old["atom_id"].to_numpy(object),
        )  # fmt: skip

    def cells(self) -> set[tuple[str, str]]:
        """Return level and code of the lists that have other members or another parent."""
        found: set[tuple[str, str]] = set()
        before, after = self.base.cell_table["parent"], self.edited.cell_table["parent"]
        both = before.index.intersection(after.index)
        moved = set(both[(before.loc[both] != after.loc[both]).to_numpy()])
        levels = self.base.cell_table["level"]
        for key, rows in self.levels.items():
            was = self.base.rosters[key]["code"].to_numpy(object)[rows.is_recoded]
            codes = {*was.tolist(), *rows.code[rows.is_recoded].tolist()} | {
                code for code in moved if levels[code] == key
            }
            found |= {(key, code) for code in codes if code in levels.index}
        return found


class MergedLists:
    """Puts the lists of two sides together; in place of ``settle_rosters``."""

    def __init__(self, sides: tuple[SideLists, SideLists]) -> None:
        self.sides = sides

    def __call__(
        self, draft: Draft, settled: Settled
    ) -> tuple[dict[str, pd.DataFrame], dict[str, gpd.GeoSeries]]:
        """Return the lists and their polygons after both edits.

        Raises
        ------
        EditError
            If a list would lie in several cells above: it names the list.
        """
        rosters, shapes = dict(draft.plan.rosters), dict(draft.plan.shapes)
        above, holder, upper = "", "", None
        for level in draft.plan.scheme.levels:
            if level.contract is Contract.AREA:
                above, upper = level.key, None
                continue
            if level.key not in rosters or not above:
                continue
            one = _LevelLists(draft, settled, level, self.sides)
            if upper is not None:
                at = alike(draft.plan.rosters[holder], draft.plan.rosters[level.key])
                upper = None if at is None else (upper[0][at], upper[1][at])
            upper, holder = one.settled_codes(above, upper), level.key
            rosters[level.key] = one.members(upper[1])
            if level.key in shapes:
                shapes[level.key] = one.shapes(self.sides)
        return rosters, shapes


Pair = tuple["Texts", "Texts"]


class _LevelLists:
    """The lists of one level in the making."""

    def __init__(
        self, draft: Draft, settled: Settled, level: Level, sides: tuple[SideLists, SideLists]
    ) -> None:
        self.draft, self.settled, self.level, self.sides = draft, settled, level, sides
        self.old = draft.plan.rosters[level.key]
        self.was: Texts = self.old["code"].to_numpy(object)
        self.group: Texts = self.was.copy()
        self.atoms: Texts = self.old["atom_id"].to_numpy(object).copy()
        self.known = draft.plan.cell_table.index
        for number, side in enumerate(sides):
            rows = side.levels[level.key]
            self.atoms[rows.is_placed] = rows.atom_id[rows.is_placed]
            for row in np.flatnonzero(rows.is_recoded).tolist():
                self.group[row] = self._name(number, str(rows.code[row]))
        self.issued: dict[str, str] = {}

    def _name(self, number: int, code: str) -> str:
        return code if code in self.known else f"{_MARK}{number}{_MARK}{code}"

    def settled_codes(self, above: str, upper: Pair | None) -> Pair:
        """Return the list of each household before and after, each with a code of its own.

        Parameters
        ----------
        above
            Key of the area level that the lists lie in.
        upper
            The same for the lists above, if there are any.
        """
        before, now = self._containers(above) if upper is None else upper
        touched = (before != now) | (self.group != self.was)
        names = sorted(set(self.group[touched].tolist()))
        self._require_whole(names, now)
        for name in names:
            parent = str(now[np.flatnonzero(self.group == name)[0]])
            self.issued[name] = self._code_of(name, parent)
        code: Texts = np.array(
            [self.issued.get(one, one) for one in self.group.tolist()], dtype=object
        )
        self._trace(code)
        return self.was, code

    def _containers(self, above: str) -> Pair:
        base = self.draft.plan.labels[above]
        before = base.to_numpy(object)[base.index.get_indexer(pd.Index(self.old["atom_id"]))]
        at = pd.Index(self.draft.ids).get_indexer(pd.Index(self.atoms))
        return before, self.draft.labels[above][at]

    def _require_whole(self, names: list[str], now: Texts) -> None:
        rows = np.isin(self.group.astype(str), np.array(names, dtype=str))
        pairs = set(zip(self.group[rows].tolist(), now[rows].tolist(), strict=True))
        held = [name for name, _ in pairs]
        torn = sorted({name.rsplit(_MARK, 1)[-1] for name in held if held.count(name) > 1})
        if torn:
            level = self.level
            msg = (
                f"{listed(torn)} of level {level.key} ({level.name}) would lie in several cells "
                f"after both edits: take one of them and make the other again (编辑冲突)"
            )
            raise EditError(msg, tuple((level.key, code) for code in torn))

    def _code_of(self, name: str, parent: str) -> str:
        """Return the code of a list, the one that it has if that still names its place."""
        table, settled = self.draft.plan.cell_table, self.settled
        if _MARK not in name:
            was = str(table["parent"][name])
            if parent == was:
                return name
            if not carries(name, was or self.draft.plan.district.code):
                settled.changed[name] = settled.changed.get(name, {}) | {"parent": parent}
                return name
            facts = table.loc[name].to_dict()
            code = added_list(
                self.draft, settled, self.level, facts, parent, head=str(facts["head"])
            )
            settled.recoded.setdefault(self.level.key, {})[name] = code
            return code
        _, number, wanted = name.split(_MARK)
        facts = self.sides[int(number)].edited.cell_table.loc[wanted].to_dict()
        # A cell that got another number lends it to its lists.
        own = wanted if str(facts["parent"]) == parent else ""
        return added_list(
            self.draft, settled, self.level, facts, parent, wanted=own, head=str(facts["head"])
        )

    def _trace(self, code: Texts) -> None:
        """Note which lists are no longer there, and what took their households over."""
        changed = np.flatnonzero(code != self.was)
        left = set(code.tolist())
        pairs = dict.fromkeys(zip(self.was[changed].tolist(), code[changed].tolist(), strict=True))
        for old, new in pairs:
            if old not in left:
                self.settled.retired[old] = self.level.key
                self.settled.successors.setdefault(old, []).append(new)
            if new in self.settled.added:
                self.settled.origins.setdefault(new, []).append(old)

    def members(self, code: Texts) -> pd.DataFrame:
        """Return the lists as a table."""
        columns = {"code": code, "atom_id": self.atoms}
        return self.old.assign(
            **{
                name: pd.Series(values, index=self.old.index).astype("str")
                for name, values in columns.items()
            }
        )

    def shapes(self, sides: tuple[SideLists, SideLists]) -> gpd.GeoSeries:
        """Return the polygons of the lists, each as the side has it that changed the list."""
        key = self.level.key
        base = self.draft.plan.shapes[key]
        found: dict[str, BaseGeometry] = dict(
            zip(base.index.astype(str).tolist(), base.to_numpy().tolist(), strict=True)
        )
        for number, side in enumerate(sides):
            mine = side.edited.shapes[key]
            names = mine.index.astype(str).tolist()
            for code, shape in zip(names, mine.to_numpy().tolist(), strict=True):
                if code not in found or shape is not found[code]:
                    found[self._name(number, code)] = shape
        final = {self.issued.get(name, name): shape for name, shape in found.items()}
        final = {code: shape for code, shape in final.items() if self._is_there(code)}
        more = (code for code, facts in self.settled.added.items() if facts.level == key)
        final |= {code: shapely.Polygon() for code in more if code not in final}
        return type(base)(list(final.values()), index=list(final), crs=base.crs)

    def _is_there(self, code: str) -> bool:
        return _MARK not in code and code not in self.settled.retired
