"""What the service holds in memory: views of versions, and one lock a plan for those who edit."""

from __future__ import annotations

import hashlib
import time
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock, RLock
from typing import TYPE_CHECKING

from geogrid.accounts.roles import Action
from geogrid.api.belongings import Belongings
from geogrid.api.follow import Follower
from geogrid.api.homes import Homes
from geogrid.api.kept import Kept
from geogrid.api.problems import AccessError
from geogrid.api.steps import StepBook
from geogrid.api.view import PlanView
from geogrid.errors import NotStoredError
from geogrid.io.plan_file import PlanExtras

if TYPE_CHECKING:
    from collections.abc import Callable

    import geopandas as gpd

    from geogrid.api.security import Caller
    from geogrid.api.settings import ServiceSettings
    from geogrid.api.steps import Steps
    from geogrid.model.plan import GridPlan
    from geogrid.store import PlanEntry, Store

__all__ = ["BRANCH", "Asked", "Desk"]

# The service works on this branch of each plan.
BRANCH = "main"
_VIEWS = 6
_PLANS = 1000
_VERSIONS = 20_000
# Another process may write to the same store.
_HEAD_S = 0.5
# Meanwhile one looks, the others take what was known.
_LOOKING_S = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which version somebody asks about.

    Attributes
    ----------
    plan, version
        Identifiers.
    is_named
        Whether the version was named, and not asked for as the head: its cells never change.
    mark
        Tells a later count of who is served from an earlier one; "" for that of the beginning.
    """

    plan: str
    version: str
    is_named: bool
    mark: str = ""

    @property
    def tag(self) -> str:
        """What tells this version, as it was counted last, from all others."""
        if not self.mark:
            return self.version
        return hashlib.sha256(f"{self.version} {self.mark}".encode()).hexdigest()[:16]


class Desk:
    """Views of versions, made once for all who ask.

    Attributes
    ----------
    on_moved
        Told the plan when another version of it became the head or the public one.
    """

    def __init__(self, store: Store, settings: ServiceSettings) -> None:
        self.store = store
        self.settings = settings
        self._lock = Lock()
        self._entries: Kept[str, PlanEntry] = Kept(_PLANS)
        self._versions: Kept[str, str] = Kept(_VERSIONS)
        self._synthetic: Kept[str, bool] = Kept(_VERSIONS)
        self._steps = StepBook(store, BRANCH)
        self._heads: dict[str, tuple[float, str]] = {}
        self._public: dict[str, tuple[float, str]] = {}
        self._views: OrderedDict[str, PlanView] = OrderedDict()
        self._marks: dict[str, str] = {}
        self.files = Belongings(store, settings)
        self.homes = Homes(store)
        self._making = RLock()
        self.follower = Follower()
        self.follower.on_shown = self._shown_anew
        self._editing: dict[str, RLock] = {}
        self._moves = 0
        self.on_moved: Callable[[str], None] = lambda _: None

    def entry(self, plan_id: str) -> PlanEntry:
        """Return what is known of a plan.

        Raises
        ------
        NotStoredError
            If there is none.
        """
        known = self._entries.get(plan_id)
        if known is None:
            known = next((one for one in self.plans() if one.id == plan_id), None)
            if known is None:
                msg = f"the store holds no plan {plan_id!r}: look at the list of what it holds"
                raise NotStoredError(msg)
            self._entries.put(plan_id, known)
        return known

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
            moves = self._moves
            known = self.store.branch(plan_id, BRANCH).head
            self._keep(self._heads, plan_id, known, moves)
        return known

    def _keep(
        self, table: dict[str, tuple[float, str]], plan_id: str, version: str, moves: int
    ) -> None:
        """Remember what the store said, unless something has moved since it was asked."""
        with self._lock:
            if moves == self._moves:
                table[plan_id] = (time.monotonic(), version)

    @staticmethod
    def _remembered(known: dict[str, tuple[float, str]], plan_id: str) -> str:
        """Return what is known; "" to the one who has to look, and to all where nothing is."""
        at, version = known.get(plan_id, (0.0, ""))
        now = time.monotonic()
        if now - at <= _HEAD_S:
            return version
        if version:
            known[plan_id] = (now - _HEAD_S + _LOOKING_S, version)
        return ""

    def is_at_hand(self, plan_id: str) -> bool:
        """Tell whether :meth:`asked` answers without asking the store."""
        now = time.monotonic()
        found = [known.get(plan_id, (0.0, "")) for known in (self._heads, self._public)]
        is_known = all(version and now - at <= _HEAD_S for at, version in found)
        return is_known and self.files.is_at_hand(plan_id)

    def has_moved(self, plan_id: str) -> None:
        """Look at the store again for the head of a plan."""
        with self._lock:
            self._moves += 1
            self._heads.pop(plan_id, None)
            self._public.clear()
        self.on_moved(plan_id)

    def has_come_into_force(self, plan_id: str) -> None:
        """Look again at all plans of a project: of one alone a version is in force."""
        self.has_moved(plan_id)
        for one in self.store.plans(self.entry(plan_id).project_id):
            if one.id != plan_id:
                self.on_moved(one.id)

    def _shown_anew(self, plan_id: str) -> None:
        with self._lock:
            self._moves += 1
            self._public.pop(plan_id, None)
        self.on_moved(plan_id)

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
        moves = self._moves
        found = self._public_now(plan_id)
        self._keep(self._public, plan_id, found, moves)
        return found

    def _public_now(self, plan_id: str) -> str:
        head = self.head(plan_id)
        day = self.store.database.moment().date()
        found = self.store.in_force(self.entry(plan_id).project_id, day)
        if found is not None and self.plan_of(found.version_id) == plan_id:
            return found.version_id
        if self.settings.shows_drafts and head:
            return self.follower.shown(plan_id, head)
        msg = f"no version of plan {plan_id} is in force: sign in to see its drafts"
        raise NotStoredError(msg)

    @property
    def is_synthetic(self) -> bool:
        """Whether the newest version of any plan was made from synthetic data."""
        heads = [head for one in self.plans() if (head := self.head(one.id))]
        return any(self._is_synthetic(head) for head in heads)

    def _is_synthetic(self, version_id: str) -> bool:
        # Every page asks for this, and to read all plans for it would take seconds.
        known = self._synthetic.get(version_id)
        if known is None:
            sources = self.store.read(version_id).sources
            known = self._synthetic.put(version_id, any(one.is_synthetic for one in sources))
        return known

    def plan_of(self, version_id: str) -> str:
        """Return the plan that a version belongs to."""
        known = self._versions.get(version_id)
        return known or self._versions.put(version_id, self.store.version(version_id).plan_id)

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
            return self._asked(plan_id, version, is_named=not is_head)
        public = self.public_version(plan_id)
        if not is_head and wanted != public:
            msg = "the public sees the version that is in force alone: sign in to see others"
            raise AccessError(msg)
        return self._asked(plan_id, public, is_named=not is_head)

    def _asked(self, plan_id: str, version: str, *, is_named: bool) -> Asked:
        mark = self.files.mark_of(plan_id)
        if self._marks.get(plan_id, mark) != mark:
            with self._lock:
                # They show who was served when it was counted before.
                self._views.clear()
        self._marks[plan_id] = mark
        return Asked(plan=plan_id, version=version, is_named=is_named, mark=mark)

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

    def households_of(self, plan_id: str, plan: GridPlan) -> gpd.GeoDataFrame | None:
        """Return the household points of a plan in its metres, ``None`` where it has none."""
        return self.homes.of(plan_id, plan)

    def steps(self, plan_id: str) -> Steps:
        """Return what can be undone and made again in a plan, as the store has it now."""
        return self._steps.of(plan_id)

    def view(self, plan_id: str, version_id: str) -> PlanView:
        """Return a version made ready for questions."""
        with self._lock:
            found = self._views.get(version_id)
            if found is not None:
                self._views.move_to_end(version_id)
                return found
        with self._making:
            mark = self._marks.get(plan_id)
            found = self._views.get(version_id) or self._made(plan_id, version_id)
            with self._lock:
                if self._marks.get(plan_id) == mark:
                    self._views[version_id] = found
                while len(self._views) > _VIEWS:
                    self._views.popitem(last=False)
            return found

    def view_at_hand(self, version_id: str) -> PlanView | None:
        """Return a version made ready for questions, ``None`` if it has to be made."""
        with self._lock:
            return self._views.get(version_id)

    def carry_over(self, plan_id: str, old: str, new: str) -> None:
        """Make the cells of a new version ready, if somebody looked at those of the old one."""
        before = self.view_at_hand(old)
        if before is not None and before.has_features:
            _ = self.view(plan_id, new).features

    def editing(self, plan_id: str) -> RLock:
        """Return the lock of those who change a plan; raises as :meth:`entry`."""
        self.entry(plan_id)
        with self._lock:
            return self._editing.setdefault(plan_id, RLock())

    def _made(self, plan_id: str, version_id: str) -> PlanView:
        counted = self.files.counted(plan_id)
        layers = counted.layers
        recounted: dict[str, frozenset[str]] = {}
        if version_id != counted.version:
            recounted = self.store.changed(counted.version, version_id)
            # What was found then is not what is wrong now.
            layers = PlanExtras(stations=layers.stations, circles=layers.circles)
        return PlanView(
            self.store.read(version_id), layers, served=counted.served, recounted=recounted,
            extract=lambda: self.files.extract_of(self.entry(plan_id), version_id),
            older=self._latest(plan_id),
        )  # fmt: skip

    def _latest(self, plan_id: str) -> PlanView | None:
        """Return the view of a plan that was asked for last, if there is one."""
        with self._lock:
            found = [one for name, one in self._views.items() if self.plan_of(name) == plan_id]
        return found[-1] if found else None
