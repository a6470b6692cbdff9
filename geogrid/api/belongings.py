"""What belongs to a plan besides its versions: stations, circles, who is served, and its map."""

from __future__ import annotations

import hashlib
import tempfile
import time
from collections import OrderedDict
from dataclasses import dataclass, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import geopandas as gpd

from geogrid.api.served import Served
from geogrid.io.plan_file import PlanExtras
from geogrid.maps.data import cell_tables
from geogrid.maps.unserved import public_loads
from geogrid.osm import read_osm
from geogrid.vocabulary import FileRole
from geogrid.workflow.keeping import first_version, laid_out, newest, stored_layers

if TYPE_CHECKING:
    from geogrid.api.settings import ServiceSettings
    from geogrid.model.extract import OsmExtract
    from geogrid.store import PlanEntry, Store, StoredFile

__all__ = ["Belongings", "Counted"]

# Another process may write to the same store.
_LOOK_S = 0.5
_EXTRACTS = 2


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Counted:
    """What was counted for a version of a plan.

    Attributes
    ----------
    file
        Where it is from, "" where nothing was counted.
    version
        The version that it was counted for.
    layers
        Stations, circles and defects.
    served
        Who is served in each cell; ``None`` where nobody counted.
    """

    file: str
    version: str
    layers: PlanExtras
    served: Served | None


class Belongings:
    """The newest files of plans and projects, read once for all who ask."""

    def __init__(self, store: Store, settings: ServiceSettings) -> None:
        self._store = store
        self._settings = settings
        self._lock = RLock()
        self._service: dict[str, tuple[float, StoredFile | None]] = {}
        self._maps: dict[str, tuple[float, str]] = {}
        self._counted: dict[str, Counted] = {}
        self._extracts: OrderedDict[tuple[str, str], OsmExtract] = OrderedDict()

    def service_of(self, plan_id: str) -> StoredFile | None:
        """Return the file of what was counted last for a plan."""
        at, found = self._service.get(plan_id, (0.0, None))
        if time.monotonic() - at > _LOOK_S:
            found = newest(self._store, FileRole.SERVICE, plan_id=plan_id)
            self._service[plan_id] = (time.monotonic(), found)
        return found

    def is_at_hand(self, plan_id: str) -> bool:
        """Tell whether :meth:`mark_of` answers without asking the store."""
        return time.monotonic() - self._service.get(plan_id, (0.0, None))[0] <= _LOOK_S

    def mark_of(self, plan_id: str) -> str:
        """Return what tells a count made by a job from those before it; "" before the first."""
        found = self.service_of(plan_id)
        return found.id if found is not None and "job" in found.facts else ""

    def counted(self, plan_id: str) -> Counted:
        """Return what was counted last for a plan."""
        file = self.service_of(plan_id)
        name = "" if file is None else file.id
        with self._lock:
            known = self._counted.get(plan_id)
            if known is None or known.file != name:
                known = self._counted[plan_id] = self._read(plan_id, file)
            return known

    def _read(self, plan_id: str, file: StoredFile | None) -> Counted:
        if file is None:
            first = first_version(self._store, plan_id)
            version = "" if first is None else first.id
            return Counted(file="", version=version, layers=PlanExtras(), served=None)
        layers, served = stored_layers(self._store, file), None
        if layers.service:
            tables = cell_tables(self._store.read(file.version_id))
            served = Served.of(layers.service, tables)
            stations = public_loads(layers.stations, layers.service)
            layers = replace(layers, stations=stations)
        return Counted(file=file.id, version=file.version_id, layers=layers, served=served)

    def map_of(self, project_id: str) -> str:
        """Return the name of the newest map of a project, "" where it has none."""
        known = self.map_at_hand(project_id)
        if known is None:
            found = newest(self._store, FileRole.MAP, project_id=project_id)
            known = "" if found is None else found.id
            self._maps[project_id] = (time.monotonic(), known)
        return known

    def map_at_hand(self, project_id: str) -> str | None:
        """Return the same where it is known, ``None`` where the store must be asked."""
        if project_id in self._settings.maps:
            place = str(self._settings.maps[project_id])
            return hashlib.sha256(place.encode()).hexdigest()[:16]
        at, known = self._maps.get(project_id, (0.0, ""))
        return known if time.monotonic() - at <= _LOOK_S else None

    def extract_of(self, entry: PlanEntry, version_id: str) -> OsmExtract | None:
        """Return the map around the district of a plan, ``None`` where its project has none.

        Parameters
        ----------
        entry, version_id
            The plan, and any version of it: all have one district.

        Raises
        ------
        InputError
            If the map shows another place.
        """
        name = self.map_of(entry.project_id)
        if not name:
            return None
        with self._lock:
            key = (entry.id, name)
            if key not in self._extracts:
                place = self._store.read(version_id).district
                limit = gpd.GeoSeries([place.limit], crs=place.crs)
                with tempfile.TemporaryDirectory(prefix="geogrid-") as folder:
                    path = self._map_path(entry.project_id, name, Path(folder))
                    self._extracts[key] = read_osm(path, limit=limit)
                while len(self._extracts) > _EXTRACTS:
                    self._extracts.popitem(last=False)
            self._extracts.move_to_end(key)
            return self._extracts[key]

    def _map_path(self, project_id: str, name: str, folder: Path) -> Path:
        if project_id in self._settings.maps:
            return self._settings.maps[project_id]
        return laid_out(self._store, self._store.files.get(name), folder)
