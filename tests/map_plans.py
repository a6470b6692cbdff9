"""Small plans, extracts and reaches for tests of maps and of the service."""

from __future__ import annotations

from types import SimpleNamespace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from pyproj import CRS
from shapely.geometry import LineString, Point, box

from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.extract import OsmExtract
from geogrid.model.plan import GridPlan
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.model.source import Source

CRS_ZHUZHOU = CRS.from_epsg(4547)
X0, Y0 = 415_000, 3_080_000
SIDE = 200
COUNT = 4
# Rows from south to north; the first column is the western one.
HOUSEHOLDS = np.array([[40, 7, 60, 30], [50, 20, 35, 45], [0, 80, 25, 15], [90, 12, 33, 70]])

SOURCES = (
    Source(
        role="osm",
        name="town.osm.pbf",
        date="2026-05-01",
        licence="ODbL-1.0",
        attribution="© OpenStreetMap contributors",
    ),
    Source(role="households", name="building estimate", is_estimated=True, note="按建筑面积估算"),
)


def square(column, row, *, size=SIDE):
    x, y = X0 + column * SIDE, Y0 + row * SIDE
    return box(x, y, x + size, y + size)


def make_plan(*, names=None, sources=SOURCES, crs=CRS_ZHUZHOU, households=HOUSEHOLDS, slant=0):
    """Sixteen squares: two 总网格 of two columns, each with eight 微网格 of one square.

    ``names`` replaces names of cells by code; ``slant`` leans the squares to the east by so many
    metres a metre.
    """
    places = [(column, row) for row in range(COUNT) for column in range(COUNT)]
    frame = gpd.GeoDataFrame(
        {
            "atom_id": [f"a{column}{row}" for column, row in places],
            "households": [int(households[row, column]) for column, row in places],
            "kind": "普通",
        },
        geometry=[
            shapely.affinity.affine_transform(square(column, row), [1, slant, 0, 1, -slant * Y0, 0])
            for column, row in places
        ],
        crs=crs,
    )
    atoms = Atoms.from_frame(frame)
    upper = [f"43020{1 + column // 2}" for column, _ in places]
    lower = [
        f"{above}{row * 2 + column % 2 + 1:02d}"
        for above, (column, row) in zip(upper, places, strict=True)
    ]
    labels = pd.DataFrame({"zong": upper, "wei": lower}, index=pd.Index(frame["atom_id"]))
    rows = {code: ("zong", f"建设第{code[-1]}总网格", "普通", "", "") for code in set(upper)}
    rows |= {
        code: ("wei", f"建设第{code[-3]}总网格{int(code[-2:])}号", "普通", above, "")
        for above, code in zip(upper, lower, strict=True)
    }
    table = pd.DataFrame.from_dict(
        rows, orient="index", columns=["level", "name", "kind", "parent", "head"]
    ).sort_index()
    for code, name in (names or {}).items():
        table.loc[code, "name"] = name
    return GridPlan(
        district=District(limit=atoms.limit, crs=crs, name="芦淞区建设街道", code="4302"),
        scheme=make_scheme(),
        atoms=atoms,
        labels=labels,
        cell_table=table.rename_axis("code"),
        sources=sources,
        version="v1",
    )


def make_scheme():
    return Scheme(
        key="town",
        title="两级网格",
        levels=(
            Level(key="zong", name="总网格", aliases=("大网格",), head_title="网格长"),
            Level(
                key="wei",
                name="微网格",
                band=HouseholdBand(low=20, high=60, is_assumption=True),
                head_title="微网格长",
            ),
        ),
    )


def frame_of(geometry, crs=CRS_ZHUZHOU, **columns):
    return gpd.GeoDataFrame(columns, index=range(len(geometry)), geometry=geometry, crs=crs)


def make_extract():
    """A main street, a path, a tunnel, a river, a pond, a railway and two buildings."""
    east, north = X0 + COUNT * SIDE, Y0 + COUNT * SIDE
    streets = frame_of(
        [
            LineString([(X0 - 900, Y0 + 400), (east + 900, Y0 + 400)]),
            LineString([(X0 + 100, Y0), (X0 + 100, north)]),
            LineString([(X0 + 300, Y0), (X0 + 300, north)]),
        ],
        osm_id=["w1", "w2", "w3"],
        name=["建设南路", "", "地下道"],
        highway=["primary", "footway", "secondary"],
        is_tunnel=[False, False, True],
    )
    river = LineString([(X0, Y0 + 500), (east, Y0 + 650)])
    waters = frame_of(
        [river, Point(X0 + 600, Y0 + 150).buffer(40)],
        osm_id=["w4", "w5"],
        name="",
        water=["river", "water"],
        is_tunnel=[False, False],
    )
    rails = frame_of(
        [LineString([(X0, north), (east, Y0)])], osm_id="w6", name="", is_tunnel=[False]
    )
    buildings = frame_of(
        [square(0, 0, size=20), shapely.affinity.translate(square(2, 2, size=30), 50, 50)],
        osm_id=["w7", "w8"],
        name="",
        building="yes",
    )
    nothing = frame_of([], osm_id=[], name=[])
    return OsmExtract(
        streets=streets,
        rails=rails,
        waters=waters,
        walls=nothing,
        buildings=buildings,
        limits=nothing,
        pois=nothing,
        incomplete_limits=pd.DataFrame(),
        box=box(X0, Y0, east, north),
        crs=CRS_ZHUZHOU,
        source=SOURCES[0],
    )


def make_stations():
    return frame_of(
        [Point(X0 + 210, Y0 + 210), Point(X0 + 650, Y0 + 650)],
        station=["s1", "s2"],
        name=["建设党群服务站", "新华图书馆"],
        stand_in=["", "图书馆"],
    )


def make_circles():
    places = make_stations().geometry
    near, far = places.buffer(120), places.buffer(300)
    return frame_of(
        [*near, *far],
        station=["s1", "s2", "s1", "s2"],
        minutes=[5.0, 5.0, 15.0, 15.0],
        metres=[400.0, 400.0, 1200.0, 1200.0],
    )


def make_reach(plan, *, unserved, near=None):
    """What the maps ask of a reach.

    ``unserved`` counts households beyond 15 minutes by atom_id, ``near`` those beyond 5 minutes;
    the same where absent.
    """
    stations = make_stations()[["station", "geometry"]].assign(
        status=["reached", "off_network"], snap_m=[3.0, np.nan], households=[420, 4]
    )
    homes = plan.atoms.frame.set_index("atom_id")["households"]
    far, close = (
        homes - pd.Series(lost, dtype=float).reindex(homes.index).fillna(0).astype(int)
        for lost in (unserved, unserved if near is None else near)
    )

    def by_cell(asked, level):
        codes = asked.labels[level]
        columns = {
            "households": homes,
            "served_5": close,
            "served_15": far,
            "unserved": homes - far,
        }
        return pd.DataFrame(columns).groupby(codes).sum().rename_axis("code")

    return SimpleNamespace(
        circles=make_circles(),
        stations=stations,
        households=frame_of([Point(X0 + 111, Y0 + 111)], households=[1]),
        limits=(5.0, 15.0),
        assumptions={
            "preset": "adult",
            "speed_kmh": 4.8,
            "limits_m": (400.0, 1200.0),
            "direction": "to_station",
            "max_snap_m": 100.0,
        },
        by_cell=by_cell,
    )


def make_defects():
    """A gap with a place, and a lost household that is somebody's home."""
    return frame_of(
        [square(1, 1, size=10), Point(X0 + 333, Y0 + 333)],
        kind=["gap", "unassigned_household"],
        cells=[("4302010102",), ("43020104",)],
        area_m2=[100.0, 0.0],
        width_m=[10.0, 0.0],
        households=[12, 1],
        severity=[1.0, 1.0],
        level=["wei", "wei"],
    )
