"""What the service holds in memory: views of versions, and one lock a plan for those who edit."""

from __future__ import annotations

import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock, RLock
from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.api.problems import AccessError
from geogrid.api.served import Served
from geogrid.api.view import PlanView
from geogrid.errors import NotStoredError
from geogrid.io.plan_file import PlanExtras, read_plan_layers
from geogrid.maps.data import cell_tables

if TYPE_CHECKING:
    from geogrid.api.security import Caller
    from geogrid.api.settings import ServiceSettings
    from geogrid.store import PlanEntry, Store, Version

__all__ = ["BRANCH", "Asked", "Desk"]

# The service works on this branch of each plan.
BRANCH = "main"
_VIEWS = 6
# Another process may write to the same store.
_HEAD_S = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which version somebody asks about.

    Attributes
    ----------
    plan, version
        Identifiers.
    is_named
        Whether the version was named, and not asked for as the head: its answer never changes.
    """

    plan: str
    version: str
    is_named: bool


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Counted:
    """What came with the file of a plan: for which version, and who was served in it."""

    version: str
    layers: PlanExtras
    served: Served | None


class Desk:
    """Views of versions, made once for all who ask."""

    def __init__(self, store: Store, settings: ServiceSettings) -> None:
        self.store = store
        self.settings = settings
        self._lock = Lock()
        self._entries: dict[str, PlanEntry] = {}
        self._versions: dict[str, str] = {}
        self._retired: dict[str, tuple[str, ...]] = {}
        self._heads: dict[str, tuple[float, str]] = {}
        self._public: dict[str, tuple[float, str]] = {}
        self._views: OrderedDict[str, PlanView] = OrderedDict()
        self._counted: dict[str, _Counted] = {}
        self._making = RLock()
        self._editing: dict[str, RLock] = {}

    def entry(self, plan_id: str) -> PlanEntry:
        """Return what is known of a plan.

        Raises
        ------
        NotStoredError
            If there is none.
        """
        if plan_id not in self._entries:
            self._entries |= {one.id: one for one in self.plans()}
        if plan_id not in self._entries:
            msg = f"the store holds no plan {plan_id!r}: look at the list of what it holds"
            raise NotStoredError(msg)
        return self._entries[plan_id]

    def plans(self) -> list[PlanEntry]:
        """Return all plans, the oldest first."""
        return [one for project in self.store.projects() for one in self.store.plans(project.id)]

    def first_plan(self) -> str:
        """Return the plan that the start page shows.

        Raises
        ------
        NotStoredError
            If the store holds none.
        """
        if self.settings.first_plan:
            return self.settings.first_plan
        for one in self.plans():
            if self.head(one.id):
                return one.id
        msg = "the store holds no plan yet: import one with geogrid serve PLAN"
        raise NotStoredError(msg)

    def head(self, plan_id: str) -> str:
        """Return the newest version of a plan, "" before the first."""
        known = self._remembered(self._heads, plan_id)
        if not known:
            known = self.store.branch(plan_id, BRANCH).head
            self._heads[plan_id] = (time.monotonic(), known)
        return known

    @staticmethod
    def _remembered(known: dict[str, tuple[float, str]], plan_id: str) -> str:
        at, version = known.get(plan_id, (0.0, ""))
        return version if time.monotonic() - at <= _HEAD_S else ""

    def is_at_hand(self, plan_id: str) -> bool:
        """Tell whether :meth:`asked` answers without asking the store."""
        tables = (self._heads, self._public)
        return all(self._remembered(known, plan_id) for known in tables)

    def has_moved(self, plan_id: str) -> None:
        """Look at the store again for the head of a plan."""
        self._heads.pop(plan_id, None)
        self._public.clear()

    def public_version(self, plan_id: str) -> str:
        """Return the version that the public sees: the one in force, or the newest.

        Raises
        ------
        NotStoredError
            If nothing is public.
        """
        known = self._remembered(self._public, plan_id)
        if known:
            return known
        found = self._public_now(plan_id)
        self._public[plan_id] = (time.monotonic(), found)
        return found

    def _public_now(self, plan_id: str) -> str:
        day = self.store.database.moment().date()
        found = self.store.in_force(self.entry(plan_id).project_id, day)
        if found is not None and self.plan_of(found.version_id) == plan_id:
            return found.version_id
        if self.settings.shows_drafts and (head := self.head(plan_id)):
            return head
        msg = f"no version of plan {plan_id} is in force: sign in to see its drafts"
        raise NotStoredError(msg)

    def plan_of(self, version_id: str) -> str:
        """Return the plan that a version belongs to."""
        if version_id not in self._versions:
            self._versions[version_id] = self.store.version(version_id).plan_id
        return self._versions[version_id]

    def asked(self, plan_id: str, wanted: str, caller: Caller) -> Asked:
        """Return which version somebody may see.

        Parameters
        ----------
        wanted
            A version, or ``head``: the newest one for those who plan, the public one for others.

        Raises
        ------
        NotStoredError
            If there is none.
        AccessError
            If it is one that the public does not see.
        """
        self.entry(plan_id)
        is_head = wanted == "head"
        if caller.may_somewhere(Action.VIEW_PLAN):
            version = self.head(plan_id) if is_head else wanted
            if not version or self.plan_of(version) != plan_id:
                msg = f"plan {plan_id} has no version {version or wanted!r}"
                raise NotStoredError(msg)
            return Asked(plan=plan_id, version=version, is_named=not is_head)
        public = self.public_version(plan_id)
        if not is_head and wanted != public:
            msg = "the public sees the version that is in force alone: sign in to see others"
            raise AccessError(msg)
        return Asked(plan=plan_id, version=public, is_named=not is_head)

    def visible_head(self, plan_id: str, caller: Caller) -> str:
        """Return the version that somebody sees first, "" where there is none."""
        if caller.may_somewhere(Action.VIEW_PLAN):
            return self.head(plan_id)
        try:
            return self.public_version(plan_id)
        except NotStoredError:
            return ""

    def name_of(self, actor: str) -> str:
        """Return how an account is called in the office; another actor is its own name."""
        try:
            return self.store.accounts.get(actor).display_name
        except NotStoredError:
            return actor

    def retired_in(self, version: Version) -> tuple[str, ...]:
        """Return the codes that a version no longer has, found out once."""
        if version.id not in self._retired:
            levels = self.store.diff(version.parent_id, version.id).levels.values()
            self._retired[version.id] = tuple(code for one in levels for code in one.removed)
        return self._retired[version.id]

    def view(self, plan_id: str, version_id: str) -> PlanView:
        """Return a version made ready for questions."""
        with self._lock:
            found = self._views.get(version_id)
            if found is not None:
                self._views.move_to_end(version_id)
                return found
        with self._making:
            found = self._views.get(version_id) or self._made(plan_id, version_id)
            with self._lock:
                self._views[version_id] = found
                while len(self._views) > _VIEWS:
                    self._views.popitem(last=False)
            return found

    def editing(self, plan_id: str) -> RLock:
        """Return the lock of those who change a plan."""
        with self._lock:
            return self._editing.setdefault(plan_id, RLock())

    def _made(self, plan_id: str, version_id: str) -> PlanView:
        counted = self._counted_of(plan_id)
        layers, recounted = counted.layers, {}
        if version_id != counted.version:
            levels = self.store.diff(counted.version, version_id).levels
            recounted = {key: frozenset(one.codes) for key, one in levels.items()}
            # What was found then is not what is wrong now.
            layers = PlanExtras(stations=layers.stations, circles=layers.circles)
        return PlanView(
            self.store.read(version_id), layers, served=counted.served, recounted=recounted,
            extract=self.settings.extract,
        )  # fmt: skip

    def _counted_of(self, plan_id: str) -> _Counted:
        if plan_id not in self._counted:
            first = self.store.history(plan_id)[-1].id
            layers = self._layers_of(plan_id)
            served = None
            if layers.service:
                served = Served.of(layers.service, cell_tables(self.store.read(first)))
            self._counted[plan_id] = _Counted(version=first, layers=layers, served=served)
        return self._counted[plan_id]

    def _layers_of(self, plan_id: str) -> PlanExtras:
        folder = self.settings.data
        file = None if folder is None else folder / f"{plan_id}.gpkg"
        return PlanExtras() if file is None or not file.exists() else read_plan_layers(file)
