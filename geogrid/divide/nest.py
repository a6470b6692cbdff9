"""Divide a district level by level: every cell lies inside its parent because it is made of it."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from geogrid import schemes
from geogrid.divide._codes import Given, give_codes
from geogrid.divide._counts import read_counts
from geogrid.divide._fit import Groups, fit_groups
from geogrid.divide._homes import read_homes
from geogrid.divide._kinds import read_groups, read_kinds
from geogrid.divide._levels import Ground, LevelWish, divide_level
from geogrid.divide._lock_table import FREE, lock_table
from geogrid.divide._memory import are_alike, levels_with_cells
from geogrid.divide._problem import build_problem
from geogrid.divide._roster import build_members
from geogrid.divide._upper import read_official, require_parents, split_upper
from geogrid.divide.near import old_cells
from geogrid.divide.number import number_plan
from geogrid.errors import InputError
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import Scheme
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Mapping

    import geopandas as gpd

    from geogrid.divide._kinds import Special
    from geogrid.divide._problem import IntArray
    from geogrid.divide._upper import Official
    from geogrid.divide.near import OldCells
    from geogrid.model.atoms import Atoms
    from geogrid.model.scheme import Level
    from geogrid.model.source import Source

__all__ = ["divide"]

_log = logging.getLogger(__name__)


def divide(  # noqa: PLR0913 - one call says all that a district asks for
    district: District | None,
    atoms: Atoms,
    scheme: Scheme | str,
    *,
    households: gpd.GeoDataFrame | None = None,
    locked: Mapping[str, str] | pd.Series | pd.DataFrame | None = None,
    seed: int = 0,
    counts: Mapping[str, int] | None = None,
    upper: Mapping[str, pd.DataFrame] | None = None,
    kinds: pd.DataFrame | None = None,
    groups: gpd.GeoDataFrame | None = None,
    near: GridPlan | Mapping[str, gpd.GeoDataFrame] | None = None,
    sources: tuple[Source, ...] = (),
) -> GridPlan:
    """Divide a district into the nested grids of a scheme.

    Each level is divided inside the cells of the level above: into as many cells as ``counts`` or
    the level's household band ask for, or one per parent where neither does. A parent with fewer
    households than the band's lower end becomes one cell. Levels that promise households and not
    ground are lists of the rows of ``households``.

    Parameters
    ----------
    district
        What is divided; ``None`` takes limit and coordinate system from the atoms.
    atoms
        Faces that are not cut any more.
    scheme
        A scheme, the name of one that ships, or the path of a TOML file.
    households
        Points with ``households`` (1 where absent), each counted in the one atom that holds it;
        ``None`` takes the counts that the atoms have. Points outside every atom are in no cell;
        they are logged by number here, and a check of the plan lists them. ``household_id,
        building, entrance, floor, compound`` say who is in which list, and a column
        ``merchants`` counts shops: the cells tell how many they hold, and none is moved to
        balance them. Without points there are no lists.
    locked
        Atoms that stay together: by ``atom_id`` the name of a cell of the finest level, or a
        table with a column per level key, as ``plan.labels``; missing and empty values are free.
        Atoms of one name are in one cell, atoms of two names at one level are in two.
    seed
        The same seed gives the same plan, in whatever order the rows are.
    counts
        By level: exactly how many cells in the whole district, special ones included. Parents
        get theirs by largest remainder over households, at least one each, inside the band where
        that can be; ``plan.notes`` says where not.
    upper
        By level: official cells that stay as they are. Polygons with ``code`` and ``name`` that
        fill the district, or seats (points, or columns ``x`` and ``y``) round which one cell each
        is grown; a column ``parent`` must name the official cell above that each lies in. For a
        level that promises households: the outlines of its compounds or buildings.
    kinds
        Special areas (专属网格) with ``kind`` and ``name``: polygons, or ``atom_id``. Each is a
        cell of its own inside its parent, outside the balance; ``level`` says of which level.
    groups
        村民小组 with ``code``, polygons: cells are unions of whole groups where there are any.
    near
        An older plan, or its cells by level: as few households as balance allows change cells,
        and cells keep their codes.
    sources
        Where the inputs came from; kept in the plan.

    Returns
    -------
    GridPlan
        Cells numbered from west to east and north to south; ``plan.notes`` says what could not
        be kept.

    Raises
    ------
    InputError
        If the scheme has no level that covers its parent, or a lock, number, official cell,
        special area or old plan names something that is not there.
    CoverageError
        If official polygons overlap or leave a gap.
    InfeasibleError
        If the locks or numbers cannot all be kept.
    """
    loaded = scheme if isinstance(scheme, Scheme) else schemes.load(scheme)
    upper = _with_official(upper, near, loaded)
    wanted = loaded.given([*upper, *(counts or {})])
    if not wanted.area_levels:
        msg = f"scheme {wanted.key} has no area level to divide into: add one"
        raise InputError(msg)
    counted = atoms if households is None else _count(atoms, households)
    place = district or District(limit=counted.limit, crs=counted.frame.crs)
    numbers = read_counts(counts, wanted)
    areas, outlines = split_upper(upper, wanted)
    job = _Job.read(counted, wanted, locked, seed, areas, kinds, groups, near)
    result, given = job.levels(numbers)
    numbering = give_codes(counted, result, wanted, given, prefix=place.code, district=place.name)
    plan = GridPlan(
        district=place,
        scheme=wanted,
        atoms=counted,
        labels=numbering.labels,
        cell_table=numbering.cell_table,
        sources=tuple(sources),
        notes=(*loaded.left_out(wanted), *job.notes),
    )
    plan = _with_members(plan, households, numbers, outlines)
    return plan if near is None else _with_old_codes(plan, near, job)


def _count(atoms: Atoms, households: gpd.GeoDataFrame) -> Atoms:
    crs = atoms.frame.crs
    if crs is not None and households.crs is not None and households.crs != crs:
        households = households.to_crs(crs)
    position = atoms.locate(households)
    outside = int((position < 0).sum())
    if outside:
        _log.warning("%d of %d household points lie outside every atom", outside, len(households))
    counted = atoms.with_households(households)
    if "merchants" not in households:
        return counted
    inside = position >= 0
    shops = pd.to_numeric(households["merchants"], errors="coerce").fillna(0).to_numpy()
    held = np.bincount(position[inside], shops[inside], minlength=len(counted.frame))
    frame = counted.frame.assign(merchants=held.astype(np.int64))
    # Geometry stays the last column, as everywhere.
    columns = [name for name in frame.columns if name != "geometry"]
    return replace(counted, frame=frame[[*columns, "geometry"]])


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Job:
    """Everything that was asked for, read against the atoms in the order of their ids."""

    scheme: Scheme
    ground: Ground
    locks: IntArray
    official: dict[str, Official]
    special: dict[str, Special]
    old: dict[str, OldCells]
    notes: list[str]

    @classmethod
    def read(
        cls,
        atoms: Atoms,
        scheme: Scheme,
        locked: Mapping[str, str] | pd.Series | pd.DataFrame | None,
        seed: int,
        upper: Mapping[str, pd.DataFrame],
        kinds: pd.DataFrame | None,
        groups: gpd.GeoDataFrame | None,
        near: GridPlan | Mapping[str, gpd.GeoDataFrame] | None,
    ) -> _Job:
        problem, rows = build_problem(atoms)
        frame = atoms.frame.iloc[rows].reset_index(drop=True)
        ids = frame["atom_id"].to_numpy(str)
        notes: list[str] = []
        whole = read_groups(groups, frame, notes)
        return cls(
            scheme=scheme,
            ground=Ground(problem=problem, ids=ids, whole=whole, seed=seed),
            locks=lock_table(locked, ids, scheme),
            official={
                key: read_official(scheme.level(key), table, frame, notes)
                for key, table in upper.items()
            },
            special=read_kinds(kinds, scheme, set(upper), frame),
            old=old_cells(near, scheme, frame),
            notes=notes,
        )

    def levels(
        self, numbers: Mapping[str, int]
    ) -> tuple[pd.DataFrame, dict[str, dict[int, Given]]]:
        """Divide all area levels; return their cells by atom, and what is known of them."""
        ids = self.ground.ids
        cell = np.zeros(len(ids), dtype=np.int64)
        sealed = np.zeros(len(ids), dtype=np.int64)
        kind_of: dict[int, str] = {}
        columns: dict[str, IntArray] = {}
        given: dict[str, dict[int, Given]] = {}
        for at, level in enumerate(self.scheme.area_levels):
            wish = LevelWish(
                level=level,
                locks=self.locks[:, at:],
                at=at,
                official=self.official.get(level.key),
                special=self.special.get(level.key),
                count=numbers.get(level.key),
                near=None if level.key not in self.old else self.old[level.key][0],
            )
            known: dict[int, Given] = {}
            cell = divide_level(self.ground, cell, wish, known, sealed, self.notes)
            self._inherit(wish, cell, sealed, kind_of, known)
            columns[level.key] = cell
            if wish.official is not None:
                above = [(columns[key], given[key]) for key in given]
                require_parents(level, wish.official, above, self.notes)
            given[level.key] = known
            self._check_count(wish, cell)
        last = self.scheme.area_levels[-1]
        columns[last.key] = self._fit_lists(last, numbers, columns, sealed)
        index = pd.Index(ids, name="atom_id")
        return pd.DataFrame(columns, index=index), given

    def _inherit(
        self,
        wish: LevelWish,
        cell: IntArray,
        sealed: IntArray,
        kind_of: dict[int, str],
        known: dict[int, Given],
    ) -> None:
        """Cells inside a special cell are of its kind, where their level has it."""
        for node in np.flatnonzero(sealed).tolist():
            kind = kind_of[node]
            if kind in wish.level.kinds:
                known.setdefault(int(cell[node]), Given(kind=kind, is_one=True))
        if wish.special is not None:
            inside = np.flatnonzero((wish.special.number >= 0) & (sealed == 0))
            sealed[inside] = 1
            for node in inside.tolist():
                kind_of[node] = wish.special.kinds[int(wish.special.number[node])]

    def _fit_lists(
        self,
        last: Level,
        numbers: Mapping[str, int],
        columns: dict[str, IntArray],
        sealed: IntArray,
    ) -> IntArray:
        """Return the finest cells so that the lists next below them can keep their band."""
        cell = columns[last.key]
        at = self.scheme.levels.index(last) + 1
        below = self.scheme.levels[at] if at < len(self.scheme.levels) else None
        is_free = last.key not in self.official and last.key not in self.old
        if below is None or below.band is None or not below.band.is_hard or not is_free:
            return cell
        coarser = [columns[level.key] for level in self.scheme.area_levels[-2:-1]]
        together = np.column_stack((*coarser, self.ground.whole, sealed))
        apart = np.unique(together, axis=0, return_inverse=True)[1].ravel()
        count = numbers.get(below.key)
        done = fit_groups(
            self.ground.problem, cell, apart=apart.astype(np.int64),
            frozen=(sealed > 0) | (self.locks[:, -1] != FREE), band=last.band,
            groups=Groups(band=below.band, count=count),
        )  # fmt: skip
        if count is not None and not done.least <= count <= done.most and done.single:
            self.notes.append(
                f"{done.single} of {int(cell.max()) + 1} cells of level {last.key} have their "
                f"households in one atom, so that none can be moved to make {count} cells of level "
                f"{below.key} fit: {done.least} to {done.most} would; cut large buildings and "
                f"groups smaller, or ask for such a number"
            )
        return done.label

    def _check_count(self, wish: LevelWish, cell: IntArray) -> None:
        made = len(np.unique(cell))
        if wish.official is not None and wish.count not in (None, made):
            self.notes.append(
                f"level {wish.level.key} has {made} official cells, not {wish.count}: all stay"
            )


def _with_official(
    upper: Mapping[str, pd.DataFrame] | None,
    near: GridPlan | Mapping[str, gpd.GeoDataFrame] | None,
    scheme: Scheme,
) -> dict[str, pd.DataFrame]:
    """Take the administrative cells of an old plan where no others are given."""
    known = {scheme.level(name).key: table for name, table in (upper or {}).items()}
    if len(known) < len(upper or {}):
        msg = "a level is given two official tables, by its key and by its name: give one"
        raise InputError(msg)
    if isinstance(near, GridPlan):
        for old in near.scheme.locked_levels:
            if old.key not in known and any(old.key == one.key for one in scheme.locked_levels):
                known[old.key] = near.cells(old.key)
    return known


def _with_old_codes(
    plan: GridPlan, near: GridPlan | Mapping[str, gpd.GeoDataFrame], job: _Job
) -> GridPlan:
    """Give cells the codes that they had, and say who is in another cell than before."""
    if isinstance(near, GridPlan):
        plan = _numbered_near(plan, near)
    weight = job.ground.problem.weight
    sentences = []
    for key, (owner, _) in job.old.items():
        now = plan.labels[key].reindex(pd.Index(job.ground.ids)).to_numpy(object)
        pairs = pd.DataFrame({"old": owner, "now": now, "households": weight})
        held = pairs[owner >= 0].groupby(["old", "now"])["households"].sum().sort_values()
        heirs = held.reset_index().drop_duplicates("old", keep="last").drop_duplicates("now")
        total = float(weight.sum())
        kept = float(heirs["households"].sum()) / total if total else 1.0
        sentences.append(
            f"level {key}: {kept:.1%} of the households stay in the cell that they had"
        )
    return replace(plan, notes=(*plan.notes, *sentences))


def _numbered_near(plan: GridPlan, near: GridPlan) -> GridPlan:
    have = [levels_with_cells(one) for one in (near, plan)]
    if are_alike(*have):
        return number_plan(plan, near=near)
    why = (
        f"the old plan has the levels {', '.join(have[0])} and this one {', '.join(have[1])}: "
        f"codes are new, because a code begins with those of the levels above it"
    )
    return replace(plan, notes=(*plan.notes, why))


def _with_members(
    plan: GridPlan,
    households: gpd.GeoDataFrame | None,
    numbers: Mapping[str, int],
    outlines: Mapping[str, pd.DataFrame],
) -> GridPlan:
    """Add the lists of levels that promise households and not ground."""
    listed = [level for level in plan.scheme.levels if level.contract is not Contract.AREA]
    if not listed:
        return plan
    if households is None:
        asked = [level.key for level in listed if level.key in numbers or level.key in outlines]
        if asked:
            msg = f"level {asked[0]} is a list of households: give their table with households="
            raise InputError(msg)
        return plan
    homes = read_homes(plan.atoms, households)
    members = build_members(
        homes,
        plan.scheme,
        plan.labels,
        plan.cell_table,
        counts=numbers,
        shapes=outlines,
        district=plan.district.name,
    )
    return replace(
        plan,
        cell_table=members.cell_table,
        rosters=members.rosters,
        shapes=members.shapes,
        notes=(*plan.notes, *members.notes),
    )
