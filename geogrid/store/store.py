"""The store: everything that planners keep, behind one door."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from geogrid.errors import StaleVersionError, StoreError
from geogrid.model.plan import GridPlan
from geogrid.store import _catalog, _queries, _standing
from geogrid.store._backend import connect, unreachable
from geogrid.store._backup import back_up
from geogrid.store._cells import all_cells
from geogrid.store._commit import Commit, prepare, version_digest, write
from geogrid.store._database import Database
from geogrid.store._migrate import upgrade
from geogrid.store._proof import prove, require_own
from geogrid.store._schema import plan as plan_table
from geogrid.store._schema import version as version_table
from geogrid.store._snapshot import Shelf, Snapshot, load
from geogrid.store.accounts import Accounts
from geogrid.store.audit import AuditLog
from geogrid.store.files import Files, put_file
from geogrid.store.jobs import Jobs
from geogrid.store.sessions import Sessions

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date
    from types import TracebackType

    import geopandas as gpd
    from pyproj import CRS

    from geogrid.store._commit import Prepared
    from geogrid.store.files import NewFile
    from geogrid.store.records import (
        Branch,
        PlanEntry,
        Project,
        Standing,
        Step,
        Version,
        VersionDiff,
    )
    from geogrid.vocabulary import PlanState

    Merge = Callable[[GridPlan, GridPlan, GridPlan], GridPlan | object]

__all__ = ["Store", "open_store"]

_LOG = logging.getLogger(__name__)
_MERGES = 5


def _utc_now() -> datetime:
    return datetime.now(UTC)


def open_store(
    where: str | Path, *, kept: int = 3, clock: Callable[[], datetime] = _utc_now
) -> Store:
    """Open a store, making it or bringing its tables up to date first.

    Parameters
    ----------
    where
        The path of a SQLite file, ``sqlite:///FILE`` or ``postgresql://user@host/name``.
    kept
        How many versions stay in memory.
    clock
        Says what time it is.

    Raises
    ------
    StoreError
        If it cannot be reached, or was written by a newer geogrid.
    """
    engine, backend = connect(where)
    try:
        upgrade(engine, backend)
    except SQLAlchemyError as error:
        engine.dispose()
        raise unreachable(error, engine.url) from error
    except StoreError:
        engine.dispose()
        raise
    return Store(Database(engine, backend, clock), kept=kept)


class Store:
    """Projects, plans and their versions; what else is kept beside them.

    Every method is one transaction: it happens completely or not at all, whatever becomes of the
    process. Methods may be called from several threads.

    Attributes
    ----------
    audit, jobs, accounts, sessions, files
        What was done, what is to do, who may come in, who is in, and what else belongs to a plan.
    database
        Its transactions, for those who ask questions of their own (tiles).
    """

    def __init__(self, database: Database, *, kept: int) -> None:
        self.database = database
        self._shelf = Shelf(kept)
        self.audit = AuditLog(database)
        self.jobs = Jobs(database)
        self.accounts = Accounts(database)
        self.files = Files(database)
        self.sessions = Sessions(database)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    @property
    def kind(self) -> str:
        """``sqlite`` or ``postgresql``."""
        return self.database.backend.name

    @property
    def address(self) -> str:
        """What :func:`open_store` needs to open it again. It may hold a password: never show it."""
        url = self.database.engine.url
        plain = url.set(drivername=url.get_backend_name())
        return plain.render_as_string(hide_password=False)

    def create_project(self, name: str, *, actor: str) -> Project:
        """Add a project; :class:`~geogrid.errors.StoreError` if the name is empty or taken."""
        return _catalog.make_project(self.database, name, actor)

    def projects(self) -> list[Project]:
        """Return all projects, the oldest first."""
        return _catalog.list_projects(self.database)

    def create_plan(self, project_id: str, name: str, *, actor: str) -> PlanEntry:
        """Add a plan without versions to a project; its branch is ``main``."""
        return _catalog.make_plan(self.database, project_id, name, actor)

    def plans(self, project_id: str) -> list[PlanEntry]:
        """Return the plans of a project, the oldest first."""
        return _catalog.list_plans(self.database, project_id)

    def create_branch(self, plan_id: str, name: str, *, from_version: str, actor: str) -> Branch:
        """Let a branch leave from a version of a plan."""
        return _catalog.make_branch(self.database, plan_id, name, from_version, actor)

    def branches(self, plan_id: str) -> list[Branch]:
        """Return the branches of a plan, the oldest first."""
        return _catalog.list_branches(self.database, plan_id)

    def branch(self, plan_id: str, name: str = _catalog.MAIN) -> Branch:
        """Return a branch; its ``head`` is what a commit must expect."""
        with self.database.reading() as connection:
            return _catalog.find_branch(connection, plan_id, name)

    def history(
        self,
        plan_id: str,
        branch: str | None = None,
        *,
        limit: int | None = None,
        before: str | None = None,
    ) -> list[Version]:
        """Return the versions of a plan, or those behind the tip of a branch, the latest first.

        Parameters
        ----------
        limit
            At most so many; all when absent.
        before
            Only those that are older than this version.
        """
        return _catalog.history_of(self.database, plan_id, branch, limit, before)

    def steps(self, plan_id: str, branch: str = _catalog.MAIN, *, after: int = 0) -> list[Step]:
        """Return how the versions behind the tip of a branch were made, the oldest first.

        Parameters
        ----------
        after
            Only versions with a greater number: what came in since somebody looked last.
        """
        return _catalog.steps_of_branch(self.database, plan_id, branch, after)

    def version(self, version_id: str) -> Version:
        """Return what is known of a version; :class:`~geogrid.errors.NotStoredError` if none."""
        with self.database.reading() as connection:
            return _catalog.find_version(connection, version_id)

    def commit(  # noqa: PLR0913 - all that a version is
        self,
        plan_id: str,
        branch: str,
        expected_version: str | None,
        new_plan: GridPlan,
        *,
        author: str,
        message: str,
        allow_draft: bool = False,
        merge: Merge | None = None,
        beside: Sequence[NewFile] = (),
    ) -> Version:
        """Store a plan as the next version of a branch.

        Parameters
        ----------
        expected_version
            The version that the plan was made from; ``None`` or "" for the first.
        new_plan
            Proven anew here from its atoms and labels. A certificate that it carries must be
            that of its cells; without one it gets the one that was proven.
        allow_draft
            Whether a plan that is not proven is stored as a draft with its defects.
        merge
            Asked when somebody else was faster: takes the expected version, ``new_plan`` and the
            version that is there now, and gives the plan to store instead, or anything else as a
            description of the conflict.
        beside
            Files that belong to the version: nobody sees it without them.

        Raises
        ------
        StaleVersionError
            If the branch has another version at its tip by now; it names the cells that differ.
        CoverageError
            If the plan is not proven, or its certificate is of something else.
        NotStoredError
            If there is no such plan or branch.
        """
        start, plan = expected_version or "", new_plan
        for _ in range(_MERGES):
            found = self.branch(plan_id, branch)
            merged_id = ""
            if found.head != start:
                if merge is None or not start or not found.head:
                    raise self._stale(plan_id, branch, start, found.head)
                plan = self._merged(merge, plan_id, branch, start, found.head, new_plan)
                merged_id = start
            base = self._snapshot(found.head) if found.head else None
            ready = prepare(plan, base, allow_draft=allow_draft)
            made = self._written(found, ready, base, (author, message, merged_id), beside)
            if made is not None:
                _LOG.info("version %s of plan %s stored", made.version.number, plan_id)
                self._shelf.put(made)
                return made.version
        raise self._stale(plan_id, branch, start, self.branch(plan_id, branch).head)

    def read(self, version_id: str) -> GridPlan:
        """Return the plan of a version, to the bit as it was committed.

        Raises
        ------
        NotStoredError
            If there is no such version.
        StoreError
            If the store is damaged.
        """
        return self._snapshot(version_id).plan

    def recheck(self, version_id: str) -> bool:
        """Prove a version again from the database alone, trusting nothing in memory.

        Returns
        -------
        bool
            Whether its pages are whole, it is what the audit log sealed, its cells are those of
            its atoms, its certificate is theirs, and it is proven unless it is a draft.
        """
        with self.database.reading() as connection:
            stored = load(connection, version_id)
            row = _catalog.row_of(connection, version_table, version_id)
            sealed = version_digest(row._asdict())
        entries = [one for one in self.audit.entries(subject=version_id) if one.action == "commit"]
        proof = prove(stored.plan)
        own = all_cells(stored.plan)
        same = all(own[key].is_same_as(one) for key, one in stored.cells.items())
        require_own(stored.plan, proof)
        is_sealed = [one.details["sha256"] for one in entries] == [sealed]
        return same and is_sealed and (proof.is_proven or stored.version.is_draft)

    def cells(
        self,
        version_id: str,
        level: str | None = None,
        *,
        box: Sequence[float] | None = None,
        box_crs: CRS | str | int | None = None,
    ) -> gpd.GeoDataFrame:
        """Return cells of a version.

        Parameters
        ----------
        level
            Key of a level; all levels that have polygons when absent.
        box, box_crs
            West, south, east, north: only cells that meet it. In the plan's own metres unless
            ``box_crs`` says otherwise.

        Returns
        -------
        GeoDataFrame
            ``level, code, name, kind, parent, head, households, area_m2, geometry`` and
            ``merchants`` where they are counted, sorted by level and code.
        """
        with self.database.reading() as connection:
            backend = self.database.backend
            return _queries.cells_at(connection, backend, version_id, level, box, box_crs)

    def cell(self, version_id: str, code: str) -> gpd.GeoDataFrame:
        """Return the cell of a code, as :meth:`cells` does; ``NotStoredError`` if none."""
        with self.database.reading() as connection:
            return _queries.cell_at(connection, version_id, code)

    def diff(self, before: str, after: str) -> VersionDiff:
        """Say which cells of each level two versions of a plan do not have in common."""
        with self.database.reading() as connection:
            return _queries.diff_of(connection, before, after)

    def changed(self, before: str, after: str) -> dict[str, frozenset[str]]:
        """Return by level the codes of cells that two versions do not have in common."""
        with self.database.reading() as connection:
            return _queries.changed_codes(connection, before, after)

    def standing(self, version_id: str) -> Standing:
        """Return how far a version has come, and who brought it there."""
        return _standing.standing_at(self.database, version_id)

    def advance(
        self,
        version_id: str,
        state: PlanState,
        *,
        actor: str,
        effective_from: date | None = None,
        effective_to: date | None = None,
        supersede: bool = False,
    ) -> Standing:
        """Bring a version into another state.

        Parameters
        ----------
        effective_from, effective_to
            Days between which it is in force, the last one excluded; open when absent. One that
            is archived ends on ``effective_to``, or today.
        supersede
            Whether the version that is in force on that day ends with it.

        Raises
        ------
        StateError
            If the step is not allowed, the version is not proven, or another version of the
            project is in force on one of the days.
        """
        return _standing.advance(
            self.database, version_id, state, actor, effective_from=effective_from,
            effective_to=effective_to, supersede=supersede,
        )  # fmt: skip

    def in_force(self, project_id: str, day: date) -> Standing | None:
        """Return which version of a project is, or was, in force on a day."""
        return _standing.in_force_at(self.database, project_id, day)

    def backup(self, path: str | Path) -> Path:
        """Copy a SQLite store to a new file while it is in use.

        A PostGIS store is copied with ``pg_dump -Fc NAME > FILE`` and brought back with
        ``pg_restore``.

        Raises
        ------
        StoreError
            If it is a PostGIS store.
        OutputError
            If the copy cannot be written; nothing is left then.
        """
        return back_up(self.database, Path(path))

    def _snapshot(self, version_id: str) -> Snapshot:
        known = self._shelf.get(version_id)
        if known is None:
            with self.database.reading() as connection:
                known = load(connection, version_id)
            self._shelf.put(known)
        return known

    def _written(
        self, found: Branch, ready: Prepared, base: Snapshot | None, who: tuple[str, str, str],
        beside: Sequence[NewFile],
    ) -> Snapshot | None:  # fmt: skip
        """Write unless somebody else was faster; then nothing happened."""
        author, message, merged_id = who
        with self.database.writing() as connection:
            now = _catalog.find_branch(connection, found.plan_id, found.name)
            if now.head != found.head:
                return None
            query = select(plan_table.c.project_id).where(plan_table.c.id == found.plan_id)
            what = Commit(
                project_id=str(connection.execute(query).scalar_one()), branch=now, author=author,
                message=message, at=self.database.now(), merged_id=merged_id,
            )  # fmt: skip
            made = write(connection, self.database.backend, ready, base, what)
            place = (what.project_id, found.plan_id, made.version.id)
            for one in beside:
                put_file(connection, one, place, actor=author, at=what.at)
            return made

    def _merged(
        self, merge: Merge, plan_id: str, branch: str, start: str, head: str, ours: GridPlan
    ) -> GridPlan:
        answer = merge(self.read(start), ours, self.read(head))
        if isinstance(answer, GridPlan):
            return answer
        raise self._stale(plan_id, branch, start, head, conflict=answer)

    def _stale(
        self, plan_id: str, branch: str, start: str, head: str, *, conflict: object = None
    ) -> StaleVersionError:
        changed: dict[str, tuple[str, ...]] = {}
        if start and head:
            levels = self.diff(start, head).levels
            changed = {level: one.codes for level, one in levels.items()}
        told = ", ".join(f"{level}: {len(codes)}" for level, codes in changed.items())
        msg = (
            f"branch {branch} of plan {plan_id} is at version {head or '(none)'} by now, not at "
            f"{start or '(none)'}; cells changed since: {told or 'none'}: read it again and repeat "
            "the edit (方案已有新版本：请载入后再改一次)"
        )
        return StaleVersionError(
            msg, expected=start, current=head, changed=changed, conflict=conflict
        )
