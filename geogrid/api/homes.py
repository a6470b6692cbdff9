"""Where the households of plans live: for edits that cut atoms, and for those who draw there."""

from __future__ import annotations

import tempfile
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING

import geopandas as gpd
import numpy as np
import shapely

from geogrid.api.kept import Kept
from geogrid.vocabulary import FileRole
from geogrid.workflow.keeping import laid_out, newest

if TYPE_CHECKING:
    import numpy.typing as npt

    from geogrid.api.features import Box
    from geogrid.model.plan import GridPlan
    from geogrid.store import Store, StoredFile

__all__ = ["Homes", "rows_within"]

# A hundred thousand points are some tens of megabytes.
_PLANS = 3
_VERSIONS = 3


class Homes:
    """Household points of plans, read once for all who ask; they never leave by a public route."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = RLock()
        self._points: Kept[str, gpd.GeoDataFrame] = Kept(_PLANS)
        self._atoms: Kept[tuple[str, str], npt.NDArray[np.int64]] = Kept(_VERSIONS)

    def file_of(self, plan_id: str) -> StoredFile | None:
        """Return the file with the points of a plan, ``None`` where it has none."""
        return newest(self._store, FileRole.HOUSEHOLDS, plan_id=plan_id)

    def of(self, plan_id: str, plan: GridPlan) -> gpd.GeoDataFrame | None:
        """Return the points of a plan in its own metres: ``household_id, households, geometry``.

        Parameters
        ----------
        plan
            Any version of it: all have one coordinate system.
        """
        file = self.file_of(plan_id)
        if file is None:
            return None
        with self._lock:
            known = self._points.get(file.id)
            return self._points.put(file.id, self._read(file, plan)) if known is None else known

    def atoms_of(
        self, plan_id: str, version_id: str, plan: GridPlan
    ) -> tuple[gpd.GeoDataFrame, npt.NDArray[np.int64]] | None:
        """Return the points of a plan, and the row of the atom of a version that holds each."""
        points = self.of(plan_id, plan)
        file = self.file_of(plan_id)
        if points is None or file is None:
            return None
        with self._lock:
            key = (file.id, version_id)
            known = self._atoms.get(key)
            if known is None:
                known = self._atoms.put(key, plan.atoms.locate(points))
        return points, known

    def _read(self, file: StoredFile, plan: GridPlan) -> gpd.GeoDataFrame:
        with tempfile.TemporaryDirectory(prefix="geogrid-") as folder:
            table = gpd.read_file(laid_out(self._store, file, Path(folder)))
        points = table if plan.district.crs is None else table.to_crs(plan.district.crs)
        _ = points.sindex
        return points


def rows_within(points: gpd.GeoDataFrame | None, box: Box) -> npt.NDArray[np.int64]:
    """Return the rows of the points that lie in a box; none where nobody knows where they are."""
    if points is None or points.crs is None:
        return np.empty(0, dtype=np.int64)
    bounds = gpd.GeoSeries([shapely.box(box.west, box.south, box.east, box.north)], crs=4326)
    shape = bounds.to_crs(points.crs).iloc[0]
    return np.asarray(points.sindex.query(shape, predicate="intersects"), dtype=np.int64)
