"""A version of a plan made ready for questions: public values only, with spatial indexes."""

from __future__ import annotations

import threading
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer

from geogrid.api.features import BoxIndex, FeatureTable
from geogrid.api.problems import NotInPlanError
from geogrid.api.sources import public_plan
from geogrid.errors import CrsError
from geogrid.maps.data import (
    cell_in_band,
    cell_tables,
    defect_rows,
    district_layer,
    proof_badge,
)
from geogrid.maps.disclosure import count_text
from geogrid.maps.service import limit_label, station_rows

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import geopandas as gpd
    from pyproj import CRS

    from geogrid.api.features import Box
    from geogrid.api.served import Served
    from geogrid.io.plan_file import PlanExtras
    from geogrid.model.extract import OsmExtract
    from geogrid.model.plan import GridPlan

__all__ = ["BAND_WORDS", "PlanView", "shown_count"]

BAND_WORDS = {-1: "below", 0: "in", 1: "above", None: None}

_SHOWN = ("code", "name", "kind", "parent", "public", "area_m2")


def shown_count(public: int | None) -> int | None:
    """Return a public count as a number, ``None`` where it is hidden or not known."""
    return None if public is None or public < 0 else public


class PlanView:
    """One version of a plan, made ready once.

    Parameters
    ----------
    plan
        The plan.
    layers
        Stations, circles, and what was counted and found when its file was written.
    served
        Who is served in each cell, as it was counted then.
    recounted
        By level, codes of cells that are not as they were then: who is served in them is not known.
    extract
        Gives the map whose streets become the base map of the page.
    older
        A view of an earlier version: what is the same in it is not made again.

    Raises
    ------
    CrsError
        If the plan is in plain local metres.
    """

    def __init__(
        self,
        plan: GridPlan,
        layers: PlanExtras,
        *,
        served: Served | None = None,
        recounted: Mapping[str, frozenset[str]] | None = None,
        extract: Callable[[], OsmExtract | None] = lambda: None,
        older: PlanView | None = None,
    ) -> None:
        self.plan = plan
        self.layers = layers
        self.served = served
        self.recounted = dict(recounted or {})
        if plan.district.crs is None:
            msg = f"{plan.district.name} is in plain local metres: set a coordinate system first"
            raise CrsError(msg)
        self._crs = plan.district.crs
        self._extract = extract
        self._lock = threading.Lock()
        self._page = ""
        # Not the view itself, or each version would hold all before it.
        self._older: dict[str, FeatureTable] = (
            older.features if older is not None and older.has_features else {}
        )
        self.tables = cell_tables(self.plan)
        self._to_metric = _to_metric(self._crs)

    @cached_property
    def bounds(self) -> list[float]:
        """West, south, east and north of the district in degrees."""
        found: list[float] = district_layer(self.plan)["bounds"]
        return found

    @property
    def is_proven(self) -> bool:
        """Whether the certificate is a proof and the file lists no defects."""
        found = defect_rows(None, self.layers.defects)
        badge = proof_badge(self.plan.certificate, None, has_defects=bool(found))
        return bool(badge["proven"])

    def cells(self, level: str) -> FeatureTable:
        """Return the cells of a level by key, name or alias; the coarsest when empty."""
        return self.features[self.level_key(level)]

    def level_key(self, level: str) -> str:
        """Return the key of a level by key, name or alias; of the coarsest when empty.

        Raises
        ------
        NotInPlanError
            If the plan has no cells of it.
        """
        areas = self.plan.scheme.area_levels
        if not level:
            return areas[0].key
        wanted = next((one for one in areas if one.answers_to(level)), None)
        if wanted is None:
            known = ", ".join(f"{one.key} ({one.name})" for one in areas)
            msg = f"this plan has no cells of level {level}: use one of {known}"
            raise NotInPlanError(msg)
        return wanted.key

    @property
    def has_features(self) -> bool:
        """Whether :attr:`features` are made already."""
        return "features" in self.__dict__

    @cached_property
    def features(self) -> dict[str, FeatureTable]:
        """The cells of every level by key, coarse to fine."""
        found = {
            key: FeatureTable(
                table.geometry, self._cell_properties(key, table), older=self._older.get(key)
            )
            for key, table in self.tables.items()
        }
        self._older = {}
        return found

    def _cell_properties(self, key: str, table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
        level = self.plan.scheme.level(key)
        return [
            {
                "code": code,
                "name": name,
                "level": key,
                "kind": kind,
                "parent": parent,
                "households": shown_count(public),
                "households_text": count_text(public),
                "band": BAND_WORDS[cell_in_band(level, kind, public)],
                "area_m2": round(float(area_m2), 2),
                **self._served_in(key, code),
            }
            for code, name, kind, parent, public, area_m2 in zip(
                *(table[name].tolist() for name in _SHOWN), strict=True
            )
        ]

    def _served_in(self, key: str, code: str) -> dict[str, float | None]:
        if self.served is None:
            return {}
        return self.served.share_columns(key, code, is_known=code in self._served_codes[key])

    @cached_property
    def _served_codes(self) -> dict[str, frozenset[str]]:
        """By level, the cells of which may be told who is served in them.

        Those that are as they were counted, and whose households are shown in this version: a
        number beside its share tells the households, and an edit of other cells may hide them.
        """
        return {
            key: frozenset(table["code"].to_numpy()[table["public"].to_numpy() >= 0])
            - frozenset(self.recounted.get(key, ()))
            for key, table in self.tables.items()
        }

    def served_columns(self, level: str) -> dict[str, list[float | None]]:
        """Return ``served_<limit>`` of each cell of a level in order; none if not counted."""
        if self.served is None:
            return {}
        rows = [self._served_in(level, code) for code in self.tables[level]["code"].tolist()]
        names = [f"served_{limit:g}" for limit in self.served.limits]
        return {name: [row[name] for row in rows] for name in names}

    def unserved(self, level: str, minutes: float | None) -> list[dict[str, Any]]:
        """Return the cells of a level with unserved households, most of them first.

        Cells that were changed since the households were counted are left out, as are those whose
        households are not shown.

        Raises
        ------
        NotInPlanError
            If there is no such level, nobody was counted, or not for this limit.
        """
        key = self.level_key(level)
        if self.served is None:
            msg = "nobody counted who is served in this plan: make it with stations and households"
            raise NotInPlanError(msg)
        limits = self.served.limits
        limit = limits[-1] if minutes is None else minutes
        if limit not in limits:
            known = ", ".join(f"{one:g}" for one in limits)
            msg = f"nobody counted who is served within {limit:g}; counted are: {known}"
            raise NotInPlanError(msg)
        table = self.tables[key]
        told = self._served_codes[key]
        names = {
            code: name
            for code, name in zip(table["code"], table["name"], strict=True)
            if code in told
        }
        public = dict(zip(table["code"], table["public"], strict=True))
        rows = self.served.ranked(key, limit, names)
        return [row | {"households_text": count_text(public[row["code"]])} for row in rows]

    @cached_property
    def station_table(self) -> FeatureTable | None:
        """The stations, ``None`` where there are none."""
        stations = self.layers.stations
        if stations is None or stations.empty:
            return None
        return FeatureTable(stations.geometry, [_station_properties(row) for row in self._rows])

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return station_rows(self.layers.stations, None)

    def stations(self) -> str:
        """Return the stations as GeoJSON."""
        return _collection(self.station_table, None)

    def circles(self, minutes: float | None, box: Box | None) -> str:
        """Return the circles of a limit, or of all, as GeoJSON."""
        if minutes is None:
            return _collection(self.circle_tables.get(""), box)
        found = self.circle_tables.get(f"{minutes:g}")
        if found is None:
            known = ", ".join(key for key in self.circle_tables if key) or "none"
            msg = f"this plan has no circles of {minutes:g} minutes; it has: {known}"
            raise NotInPlanError(msg)
        return _collection(found, box)

    @cached_property
    def circle_tables(self) -> dict[str, FeatureTable]:
        """The circles of every limit in minutes, and all of them under ""."""
        circles = self.layers.circles
        if circles is None or circles.empty:
            return {}
        found = {"": _circle_table(circles)}
        if "minutes" in circles:
            of_row = circles["minutes"].to_numpy(float)
            for minutes in np.unique(of_row[np.isfinite(of_row)]):
                found[f"{minutes:g}"] = _circle_table(circles[of_row == minutes])
        return found

    @cached_property
    def collections(self) -> dict[str, FeatureTable]:
        """The cells of every level, and stations and circles where there are any, by name."""
        found = dict(self.features)
        if self.station_table is not None:
            found["stations"] = self.station_table
        if "" in self.circle_tables:
            found["circles"] = self.circle_tables[""]
        return found

    def where(self, lon: float, lat: float) -> dict[str, Any]:
        """Return the chain of cells that hold a place, and the nearest station.

        Raises
        ------
        NotInPlanError
            If the place lies outside the district.
        """
        x, y = self._to_metric.transform(lon, lat)
        point = shapely.Point(x, y)
        frame = self.plan.atoms.frame
        shapes = frame.geometry.to_numpy()
        near = [] if not np.isfinite([x, y]).all() else self._atoms.intersection((x, y, x, y))
        held = [row for row in near if shapes[row].intersects(point)]
        if not held:
            msg = f"the place {lon:g}, {lat:g} is outside {self.plan.district.name}"
            raise NotInPlanError(msg)
        # A place on a border belongs to the atom that comes first by name, as households do.
        atom_id = min(str(frame["atom_id"].iloc[row]) for row in held)
        chain = [self._link(level.key, atom_id) for level in self.plan.scheme.area_levels]
        return {"lon": lon, "lat": lat, "chain": chain, "station": self._nearest(x, y)}

    def atom_rows(self, box: Box | None) -> list[int]:
        """Return the rows of the atoms whose boxes meet a box in degrees, or of all."""
        if box is None:
            return list(range(len(self.plan.atoms.frame)))
        bounds = self._to_metric.transform_bounds(box.west, box.south, box.east, box.north)
        return sorted(self._atoms.intersection(bounds)) if np.isfinite(bounds).all() else []

    @cached_property
    def _atoms(self) -> BoxIndex:
        return BoxIndex(self.plan.atoms.frame.geometry.bounds.to_numpy(np.float64))

    def _link(self, key: str, atom_id: str) -> dict[str, str]:
        code = str(self.plan.labels[key].loc[atom_id])
        cell, level = self.plan.cell_table.loc[code], self.plan.scheme.level(key)
        return {
            "level": key,
            "level_name": level.name,
            "code": code,
            "name": str(cell["name"]),
            "kind": str(cell["kind"]),
            "head_title": level.head_title,
        }

    def _nearest(self, x: float, y: float) -> dict[str, Any] | None:
        stations = self.layers.stations
        if stations is None or stations.empty:
            return None
        places = stations.to_crs(self._crs).geometry.to_numpy()
        distance = shapely.distance(places, shapely.Point(x, y))
        row = int(np.argmin(distance))
        return {
            "station": self._rows[row]["id"],
            "name": self._rows[row]["name"],
            "distance_m": round(float(distance[row])),
            "distance_kind": "straight line",
        }

    def page(self) -> str:
        """Return the map of the plan as one page, made once."""
        # Folium is heavy, and only whoever opens the page needs it.
        from geogrid.maps.plan_map import map_data, map_page  # noqa: PLC0415

        with self._lock:
            if not self._page:
                data = map_data(
                    public_plan(self.plan), extract=self._extract(), stations=self.layers.stations,
                    circles=self.layers.circles, service=self.layers.service,
                    defects=self.layers.defects,
                )  # fmt: skip
                self._page = map_page(data)
        return self._page


@lru_cache(maxsize=16)
def _to_metric(crs: CRS) -> Transformer:
    """Return what leads from degrees to metres; to make it takes a tenth of a second."""
    return Transformer.from_crs(4326, crs, always_xy=True)


def _collection(table: FeatureTable | None, box: Box | None) -> str:
    return table.collection(box) if table else '{"type":"FeatureCollection","features":[]}'


def _station_properties(row: dict[str, Any]) -> dict[str, Any]:
    public = row["households"]
    return {
        "station": row["id"],
        "name": row["name"],
        "stand_in": row["standIn"],
        "status": row["status"],
        "households": shown_count(public),
        "households_text": "" if public is None else count_text(public),
    }


def _circle_table(rows: gpd.GeoDataFrame) -> FeatureTable:
    limits = [name for name in ("minutes", "metres") if name in rows]
    properties = []
    for position in range(len(rows)):
        fact = rows.iloc[position]
        known = {name: float(fact[name]) for name in limits if pd.notna(fact[name])}
        properties.append({"station": str(fact["station"]), "label": limit_label(known), **known})
    return FeatureTable(rows.geometry, properties)
