"""A plan file made ready for questions: public values only, with spatial indexes."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import shapely
from pyproj import Transformer
from rtree.index import Index

from geogrid.api.problems import NotInPlanError
from geogrid.errors import CrsError, InputError
from geogrid.io.plan_file import read_plan, read_plan_layers
from geogrid.maps.coding import DECIMALS, to_degrees
from geogrid.maps.data import cell_in_band, cell_tables, defect_rows, proof_badge
from geogrid.maps.disclosure import count_text
from geogrid.maps.service import limit_label, station_rows

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    import geopandas as gpd
    import numpy.typing as npt

    from geogrid.model.extract import OsmExtract
    from geogrid.model.plan import GridPlan

__all__ = ["Box", "FeatureTable", "PlanView", "shown_count"]


@dataclass(frozen=True, slots=True)
class Box:
    """A box in degrees."""

    west: float
    south: float
    east: float
    north: float

    @classmethod
    def parse(cls, text: str) -> Box:
        """Read ``west,south,east,north``.

        Raises
        ------
        InputError
            If that is no box on the globe.
        """
        try:
            west, south, east, north = (float(part) for part in text.split(","))
        except ValueError as fault:
            msg = "bbox must be four numbers west,south,east,north in degrees"
            raise InputError(msg) from fault
        if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):  # noqa: PLR2004 - the globe
            msg = "bbox must run west to east within 180 and south to north within 90 degrees"
            raise InputError(msg)
        return cls(west, south, east, north)


class FeatureTable:
    """GeoJSON features as ready text, found by box."""

    def __init__(self, shapes: gpd.GeoSeries, properties: Sequence[dict[str, Any]]) -> None:
        degrees = to_degrees(shapes).to_numpy()
        rounded = shapely.orient_polygons(
            shapely.transform(degrees, lambda xy: xy.round(DECIMALS)), exterior_cw=False
        )
        self._texts = [
            f'{{"type":"Feature","properties":{_json(values)},"geometry":{geometry}}}'
            for values, geometry in zip(properties, shapely.to_geojson(rounded), strict=True)
        ]
        self._index = bounds_index(shapely.bounds(rounded))

    def collection(self, box: Box | None) -> str:
        """Return the features that touch a box, or all, as one GeoJSON text in stable order."""
        rows: Iterable[int] = range(len(self._texts))
        if box is not None:
            rows = sorted(self._index.intersection((box.west, box.south, box.east, box.north)))
        features = ",".join(self._texts[row] for row in rows)
        return f'{{"type":"FeatureCollection","features":[{features}]}}'


def bounds_index(bounds: npt.NDArray[np.float64]) -> Index:
    """Return an R-tree of boxes by row; an empty shape is in no box."""
    entries = [
        (row, tuple(box), None) for row, box in enumerate(bounds.tolist()) if np.isfinite(box).all()
    ]
    # An R-tree cannot be loaded from nothing.
    return Index(entries) if entries else Index()


def shown_count(public: int | None) -> int | None:
    """Return a public count as a number, ``None`` where it is hidden or not known."""
    return None if public is None or public < 0 else public


def _json(values: dict[str, Any]) -> str:
    return json.dumps(values, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


class PlanView:
    """One plan file, read once.

    Parameters
    ----------
    path
        The plan file.
    extract
        Its streets become the base map of the page.
    """

    def __init__(self, path: Path, *, extract: OsmExtract | None = None) -> None:
        self.plan: GridPlan = read_plan(path)
        self.digest = hashlib.sha256(path.read_bytes()).hexdigest()
        self.layers = read_plan_layers(path)
        if self.plan.district.crs is None:
            msg = f"{path.name} is in plain local metres: to serve it, set a coordinate system"
            raise CrsError(msg)
        self._crs = self.plan.district.crs
        self._extract = extract
        self._lock = threading.Lock()
        self._page = ""
        self.tables = cell_tables(self.plan)
        self._to_metric = Transformer.from_crs(4326, self._crs, always_xy=True)

    @property
    def is_proven(self) -> bool:
        """Whether the certificate is a proof and the file lists no defects."""
        found = defect_rows(None, self.layers.defects)
        badge = proof_badge(self.plan.certificate, None, has_defects=bool(found))
        return bool(badge["proven"])

    def cells(self, level: str) -> FeatureTable:
        """Return the cells of a level by key, name or alias; the coarsest when empty."""
        areas = self.plan.scheme.area_levels
        if not level:
            return self._cells[areas[0].key]
        wanted = next((one for one in areas if one.answers_to(level)), None)
        if wanted is None:
            known = ", ".join(f"{one.key} ({one.name})" for one in areas)
            msg = f"this plan has no cells of level {level}: use one of {known}"
            raise NotInPlanError(msg)
        return self._cells[wanted.key]

    @cached_property
    def _cells(self) -> dict[str, FeatureTable]:
        return {
            key: FeatureTable(table.geometry, self._cell_properties(key, table))
            for key, table in self.tables.items()
        }

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
                "band": cell_in_band(level, kind, public),
                "area_m2": round(float(area_m2), 2),
            }
            for code, name, kind, parent, public, area_m2 in zip(
                table["code"], table["name"], table["kind"], table["parent"], table["public"],
                table["area_m2"], strict=True,
            )
        ]  # fmt: skip

    @cached_property
    def _stations(self) -> FeatureTable | None:
        stations = self.layers.stations
        if stations is None or stations.empty:
            return None
        return FeatureTable(stations.geometry, [_station_properties(row) for row in self._rows])

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return station_rows(self.layers.stations, None)

    def stations(self) -> str:
        """Return the stations as GeoJSON."""
        return _collection(self._stations, None)

    def circles(self, minutes: float | None, box: Box | None) -> str:
        """Return the circles of a limit, or of all, as GeoJSON."""
        if minutes is None:
            return _collection(self._circles.get(""), box)
        found = self._circles.get(f"{minutes:g}")
        if found is None:
            known = ", ".join(key for key in self._circles if key) or "none"
            msg = f"this plan has no circles of {minutes:g} minutes; it has: {known}"
            raise NotInPlanError(msg)
        return _collection(found, box)

    @cached_property
    def _circles(self) -> dict[str, FeatureTable]:
        circles = self.layers.circles
        if circles is None or circles.empty:
            return {}
        found = {"": _circle_table(circles)}
        if "minutes" in circles:
            of_row = circles["minutes"].to_numpy(float)
            for minutes in np.unique(of_row[np.isfinite(of_row)]):
                found[f"{minutes:g}"] = _circle_table(circles[of_row == minutes])
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

    @cached_property
    def _atoms(self) -> Index:
        return bounds_index(self.plan.atoms.frame.geometry.bounds.to_numpy(np.float64))

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
        }

    def page(self) -> str:
        """Return the map of the plan as one page, made once."""
        # Folium is heavy, and only whoever opens the page needs it.
        from geogrid.maps.plan_map import map_data, map_page  # noqa: PLC0415

        with self._lock:
            if not self._page:
                data = map_data(
                    self.plan, extract=self._extract, stations=self.layers.stations,
                    circles=self.layers.circles, service=self.layers.service,
                    defects=self.layers.defects,
                )  # fmt: skip
                self._page = map_page(data)
        return self._page


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
