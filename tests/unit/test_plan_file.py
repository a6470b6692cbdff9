from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely
from pyproj import CRS
from shapely.geometry import LineString, MultiPolygon, Point, box

from geogrid.errors import InputError, MissingFileError, OutputError
from geogrid.io.layer import read_layer
from geogrid.io.plan_file import read_plan, read_plan_layers, write_plan, write_reach
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.plan import GridPlan
from geogrid.model.reach import Reach
from geogrid.model.report import Certificate, CoverageReport, LevelProof
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.model.source import Source
from geogrid.vocabulary import BarrierKind, Contract, StationStatus

if TYPE_CHECKING:
    from pathlib import Path

GK = CRS.from_epsg(4547)
SCHEME = Scheme(
    key="test",
    title="试行",
    source="a text",
    levels=(
        Level(key="community", name="社区", aliases=("村",), kinds=("社区", "村")),
        Level(
            key="micro",
            name="微网格",
            band=HouseholdBand(low=30, high=None, is_hard=True, is_assumption=True),
            head_title="网格长",
            code_width=3,
        ),
        Level(key="group", name="邻", contract=Contract.ROSTER),
    ),
)
# Not a sum of powers of two, and far enough from the origin to use every bit of a double.
X0, Y0 = 411_309.123, 3_076_603.457


def _atoms(crs: CRS | None = GK) -> Atoms:
    squares = [
        box(X0 + 100.1 * column, Y0 + 33.3 * row, X0 + 100.1 * (column + 1), Y0 + 33.3 * (row + 1))
        for row in range(2)
        for column in range(2)
    ]
    shapes = shapely.transform(squares, lambda xy: np.round(xy * 1000) / 1000)
    frame = gpd.GeoDataFrame(
        {
            "atom_id": ["a3", "a1", "a2", "a0"],
            "households": [5, 0, 7, 11],
            "kind": ["", "x", "", ""],
        },
        geometry=shapes,
        crs=crs,
    )
    barriers = gpd.GeoDataFrame(
        {"kind": [BarrierKind.RIVER.value, BarrierKind.LANE.value]},
        geometry=np.array(
            [
                LineString([(X0, Y0), (X0 + 1 / 3, Y0 + 0.1)]),
                shapely.multilinestrings([[(0, 0), (1, 1)], [(2, 2), (3, 1 / 3)]]),
            ],
            dtype=object,
        ),
        crs=crs,
    )
    atoms = Atoms.from_frame(frame, barriers=barriers)
    cut = pd.DataFrame({"building": ["w1"], "reason": ["larger than a grid"], "share": [1 / 3]})
    return replace(atoms, cut_buildings=cut)


def _certificate() -> Certificate:
    proof = LevelProof(
        level="micro", cells=3, edges=12, twice_area_mm2=2**61 + 1, uncancelled=0, digest="ab"
    )
    return Certificate(
        limit_digest="cd", limit_twice_area_mm2=2**61 + 1, limit_shift_mm=0.1, levels=(proof,)
    )


def _plan(crs: CRS | None = GK) -> GridPlan:
    atoms = _atoms(crs)
    labels = pd.DataFrame(
        {
            "community": ["01", "01", "01", "01"],
            "micro": ["01001", "01001", "01002", "01003"],
            "group": ["01001A", None, "01002A", "01002A"],
        },
        index=pd.Index(atoms.frame["atom_id"], name="atom_id"),
        dtype="str",
    )
    cells = pd.DataFrame(
        [
            ("01", "community", "红旗社区", "社区", "", ""),
            ("01001", "micro", "第一微网格", "普通", "01", "王"),
            ("01002", "micro", "第二微网格", "专属", "01", ""),
            ("01003", "micro", "第三微网格", "普通", "01", ""),
            ("01001A", "group", "一邻", "普通", "01001", "李"),
            ("01002A", "group", "二邻", "普通", "01002", ""),
        ],
        columns=["code", "level", "name", "kind", "parent", "head"],
        dtype="str",
    ).set_index("code")
    return GridPlan(
        district=District(
            limit=atoms.limit, crs=crs, name="芦淞区", code="430203", admin_rank="区"
        ),
        scheme=SCHEME,
        atoms=atoms,
        labels=labels,
        cell_table=cells,
        sources=(
            Source(role="limit", name="a.geojson", datum="gcj02", licence="ODbL"),
            Source(role="households", name="estimate", is_estimated=True, note="估算"),
        ),
        certificate=_certificate(),
        version="v2",
        parent_version="v1",
    )


def _bits(shapes: Any) -> list[bytes]:
    return list(shapely.to_wkb(np.asarray(shapes, dtype=object)))


@pytest.mark.parametrize("crs", [GK, CRS.from_epsg(32635), None])
def test_a_plan_comes_back_to_the_bit(tmp_path, crs):
    plan = _plan(crs)
    path = write_plan(plan, tmp_path / "plan.gpkg")
    back = read_plan(path)
    assert _bits(back.atoms.frame.geometry) == _bits(plan.atoms.frame.geometry)
    assert _bits([back.atoms.limit]) == _bits([plan.atoms.limit])
    assert plan.atoms.barriers is not None
    assert back.atoms.barriers is not None
    assert _bits(back.atoms.barriers.geometry) == _bits(plan.atoms.barriers.geometry)
    assert back.atoms.barriers["kind"].tolist() == ["river", "lane"]
    pd.testing.assert_frame_equal(
        back.atoms.frame.drop(columns="geometry"),
        plan.atoms.frame.drop(columns="geometry"),
        check_dtype=False,
    )
    assert back.atoms.frame["households"].dtype == np.int64
    pd.testing.assert_frame_equal(back.labels, plan.labels)
    pd.testing.assert_frame_equal(back.cell_table, plan.cell_table)
    pd.testing.assert_frame_equal(back.atoms.cut_buildings, plan.atoms.cut_buildings)
    assert back.scheme == plan.scheme
    assert back.sources == plan.sources
    assert back.certificate == plan.certificate
    assert (back.version, back.parent_version) == ("v2", "v1")
    assert back.district == plan.district
    assert back.atoms.frame.crs == crs
    for level in ("community", "micro"):
        assert _bits(back.cells(level).geometry) == _bits(plan.cells(level).geometry)
    pd.testing.assert_frame_equal(back.members("group"), plan.members("group"))


def test_writing_what_was_read_gives_the_same_layers(tmp_path):
    first = write_plan(_plan(), tmp_path / "a.gpkg")
    second = write_plan(read_plan(first), tmp_path / "b.gpkg")
    names = pyogrio.list_layers(first)[:, 0].tolist()
    assert names == pyogrio.list_layers(second)[:, 0].tolist()
    for name in names:
        one, two = (pyogrio.read_dataframe(path, layer=name) for path in (first, second))
        pd.testing.assert_frame_equal(pd.DataFrame(one), pd.DataFrame(two))


def test_the_file_holds_the_layers_that_were_promised(tmp_path):
    path = write_plan(_plan(), tmp_path / "plan.gpkg")
    found = pyogrio.list_layers(path)
    kinds = dict(zip(found[:, 0], found[:, 1], strict=True))
    assert kinds == {
        "district": "MultiPolygon",
        "community": "Polygon",
        "micro": "Polygon",
        "atoms": "Polygon",
        "barriers": "Unknown",
        "members_group": None,
        "geogrid_meta": None,
    }
    with sqlite3.connect(path) as database:
        columns = {
            table: dict(row[1:3] for row in database.execute(f"PRAGMA table_info({table})"))
            for table in ("micro", "atoms", "members_group", "geogrid_meta")
        }
    database.close()
    for table, column in (("micro", "code"), ("atoms", "micro"), ("members_group", "code")):
        assert columns[table][column] == "TEXT"
    assert set(columns["micro"]) == {
        "fid", "geom", "code", "name", "kind", "parent", "head", "households", "area_m2",
    }  # fmt: skip
    meta = pyogrio.read_dataframe(path, layer="geogrid_meta").set_index("key")["value"]
    assert json.loads(meta["estimated"]) is True
    assert json.loads(meta["synthetic"]) is False
    assert json.loads(meta["sources"])[0]["licence"] == "ODbL"


def test_names_edited_in_another_program_are_read(tmp_path):
    path = write_plan(_plan(), tmp_path / "plan.gpkg")
    micro = pyogrio.read_dataframe(path, layer="micro")
    micro.loc[micro["code"] == "01002", ["name", "head"]] = ["校园网格", "赵"]
    pyogrio.write_dataframe(micro.sample(frac=1, random_state=1), path, layer="micro")
    back = read_plan(path)
    assert back.cell_table[["name", "head"]].to_dict("index")["01002"] == {
        "name": "校园网格",
        "head": "赵",
    }
    assert back.cell_table.index.tolist() == _plan().cell_table.index.tolist()


def test_a_plan_without_proof_barriers_or_cuts_comes_back(tmp_path):
    atoms = Atoms.from_frame(_atoms().frame)
    plan = replace(_plan(), atoms=atoms, certificate=None, sources=())
    back = read_plan(write_plan(plan, tmp_path / "plan.gpkg"))
    assert back.certificate is None
    assert back.atoms.barriers is None
    assert back.atoms.cut_buildings.empty
    assert list(back.atoms.cut_buildings.columns) == ["building", "reason", "share"]
    extras = read_plan_layers(tmp_path / "plan.gpkg")
    assert extras.stations is None
    assert extras.circles is None
    assert extras.defects is None


def _reach() -> Reach:
    at = [Point(X0 + 10, Y0 + 10), Point(X0 + 9000, Y0)]
    return Reach(
        circles=gpd.GeoDataFrame(
            {"station": ["S1", "S1"], "minutes": [5.0, 15.0], "metres": [400.0, 1200.0]},
            geometry=[at[0].buffer(5), MultiPolygon([at[0].buffer(15), at[1].buffer(1)])],
            crs=GK,
        ),
        lines=gpd.GeoDataFrame(
            {"station": ["S1"], "minutes": [5.0], "metres": [400.0], "length_m": [1.5]},
            geometry=[LineString([at[0], at[1]])],
            crs=GK,
        ),
        stations=gpd.GeoDataFrame(
            {
                "station": ["S1", "S2"],
                "status": [StationStatus.REACHED, StationStatus.OFF_NETWORK],
                "snap_m": [1.5, np.nan],
                "households": [12, 0],
            },
            geometry=at,
            crs=GK,
        ),
        households=gpd.GeoDataFrame(
            {"households": [9, 4], "served_5": [True, False], "served_15": [True, True]},
            geometry=[at[0], Point(X0 + 150, Y0 + 10)],
            crs=GK,
        ),
        limits=(5.0, 15.0),
        assumptions={"preset": "average", "speed_kmh": np.float64(4.8), "limits": (5.0, 15.0)},
    )


def _report() -> CoverageReport:
    defects = gpd.GeoDataFrame(
        {
            "kind": ["overlap", "gap"],
            "cells": pd.Series([("01001", "01002"), ()], dtype=object),
            "area_m2": [2.5, 1.0],
            "width_m": [0.1, 0.2],
            "households": [3, 0],
            "severity": ["", ""],
            "level": ["micro", "micro"],
        },
        geometry=np.array([box(0, 0, 1, 1), LineString([(0, 0), (1, 1)])], dtype=object),
        crs=GK,
    )
    return CoverageReport(defects=defects, certificate=_certificate())


def test_stations_circles_and_defects_come_back_beside_the_plan(tmp_path):
    stations = gpd.GeoDataFrame(
        {"station": ["S1", "S2"], "name": ["红旗站", "白果站"], "tier": ["社区", "社区"]},
        geometry=[Point(0, 0), Point(1, 1)],
        crs=GK,
    )
    path = tmp_path / "plan.gpkg"
    write_plan(_plan(), path, reach=_reach(), stations=stations, report=_report())
    extras = read_plan_layers(path)
    assert extras.stations is not None
    assert extras.circles is not None
    assert extras.defects is not None
    assert extras.stations["name"].tolist() == ["红旗站", "白果站"]
    assert extras.stations["status"].tolist() == ["reached", "off_network"]
    assert extras.stations["households"].tolist() == [12, 0]
    assert extras.stations["snap_m"].isna().tolist() == [False, True]
    assert extras.circles["minutes"].tolist() == [5.0, 15.0]
    assert extras.circles.crs == GK
    assert extras.defects["cells"].tolist() == [("01001", "01002"), ()]
    assert extras.defects["kind"].tolist() == ["overlap", "gap"]
    meta = pyogrio.read_dataframe(path, layer="geogrid_meta").set_index("key")["value"]
    assert json.loads(meta["reach_assumptions"]) == {
        "preset": "average", "speed_kmh": 4.8, "limits": [5.0, 15.0],
    }  # fmt: skip


def test_stations_in_degrees_are_stored_in_the_plans_frame(tmp_path):
    stations = gpd.GeoDataFrame({"station": ["S1"]}, geometry=[Point(X0, Y0)], crs=GK).to_crs(4490)
    write_plan(_plan(), tmp_path / "plan.gpkg", stations=stations)
    found = read_plan_layers(tmp_path / "plan.gpkg").stations
    assert found is not None
    assert found.crs == GK
    assert found.distance(Point(X0, Y0)).max() < 0.001


def test_a_sound_report_without_defects_can_be_written(tmp_path):
    report = _report()
    sound = replace(report, defects=report.defects.iloc[:0])
    write_plan(_plan(), tmp_path / "plan.gpkg", report=sound)
    found = read_plan_layers(tmp_path / "plan.gpkg").defects
    assert found is not None
    assert found.empty


def test_served_households_of_every_cell_come_back(tmp_path):
    path = write_plan(_plan(), tmp_path / "plan.gpkg", reach=_reach())
    service = read_plan_layers(path).service
    assert service is not None
    assert set(service) == {"community", "micro"}
    assert list(service["micro"].columns) == ["households", "served_5", "served_15"]
    assert service["community"].loc["01"].tolist() == [13, 9, 13]
    assert service["micro"].loc["01001"].tolist() == [13, 9, 13]
    assert service["micro"].loc["01003"].tolist() == [0, 0, 0]
    assert set(service["micro"].dtypes.astype(str)) == {"int64"}
    assert read_plan(path).cell_table.equals(_plan().cell_table)
    # Only counts of cells go into the file, no household points.
    assert "households" not in pyogrio.list_layers(path)[:, 0]


def test_a_plan_without_a_reach_keeps_no_served_households(tmp_path):
    assert read_plan_layers(write_plan(_plan(), tmp_path / "a.gpkg")).service is None
    reach = _reach()
    nobody = replace(reach, households=reach.households.iloc[:0])
    path = write_plan(_plan(), tmp_path / "b.gpkg", reach=nobody)
    assert read_plan_layers(path).service is None


@pytest.mark.parametrize("count", [np.nan, -1, 99])
def test_served_households_that_cannot_be_are_refused(tmp_path, count):
    path = write_plan(_plan(), tmp_path / "plan.gpkg", reach=_reach())
    micro = pyogrio.read_dataframe(path, layer="micro")
    micro["served_5"] = micro["served_5"].where(micro["code"] != "01001", count)
    pyogrio.write_dataframe(micro, path, layer="micro")
    with pytest.raises(InputError, match=r"layer micro of plan\.gpkg has served households"):
        read_plan_layers(path)


def test_a_reach_is_written_without_its_households(tmp_path):
    path = write_reach(_reach(), tmp_path / "reach.gpkg")
    names = pyogrio.list_layers(path)[:, 0].tolist()
    assert sorted(names) == ["circles", "geogrid_meta", "lines", "stations"]
    assert len(read_layer(path, layer="circles")) == 2
    with pytest.raises(InputError, match="is not a geogrid plan: use read_layer"):
        read_plan(path)


def test_other_files_are_no_plan(tmp_path, shared_data):
    with pytest.raises(InputError, match="is not a geogrid plan: use read_layer"):
        read_plan(shared_data / "population" / "helsinki_population_grid.gpkg")
    text = tmp_path / "a.gpkg"
    text.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(InputError, match="is not a geogrid plan"):
        read_plan(text)
    with pytest.raises(MissingFileError):
        read_plan(tmp_path / "none.gpkg")


def _edit(path: Path, *statements: str) -> Path:
    with sqlite3.connect(path) as database:
        for statement in statements:
            database.execute(statement)
    database.close()
    return path


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("UPDATE geogrid_meta SET value = '{' WHERE key = 'scheme'", "damaged geogrid file"),
        ("DELETE FROM geogrid_meta WHERE key = 'scheme'", "damaged geogrid file"),
        ("UPDATE geogrid_meta SET value = '99' WHERE key = 'format_version'", "another version"),
        ("DELETE FROM members_group WHERE code = '01002A'", "lacks cell 01002A"),
        ("ALTER TABLE atoms DROP COLUMN micro", "lack the column micro"),
        ("ALTER TABLE members_group DROP COLUMN head", "lacks a column"),
    ],
)
def test_a_damaged_plan_is_refused_and_says_where(tmp_path, statement, words):
    path = _edit(write_plan(_plan(), tmp_path / "plan.gpkg"), statement)
    with pytest.raises(InputError, match=words):
        read_plan(path)


def test_a_plan_needs_a_geopackage_name_and_free_level_keys(tmp_path):
    with pytest.raises(OutputError, match=r"ends in \.gpkg"):
        write_plan(_plan(), tmp_path / "plan.shp")
    plan = _plan()
    taken = replace(SCHEME, levels=(*SCHEME.levels, Level(key="Stations", name="站")))
    object.__setattr__(plan, "scheme", taken)
    with pytest.raises(InputError, match="level key Stations is a name that plan files use"):
        write_plan(plan, tmp_path / "plan.gpkg")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_writing_keeps_the_last_plan(tmp_path, monkeypatch):
    path = write_plan(_plan(), tmp_path / "plan.gpkg")
    before = path.read_bytes()
    written = pyogrio.write_dataframe

    def full(table: Any, *rest: Any, **more: Any) -> None:
        if more["layer"] == "atoms":
            message = "database or disk is full"
            raise pyogrio.errors.DataLayerError(message)
        written(table, *rest, **more)

    monkeypatch.setattr(pyogrio, "write_dataframe", full)
    with pytest.raises(OutputError, match="perhaps the disk is full"):
        write_plan(_plan(), path)
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["plan.gpkg"]


def test_the_plan_writes_and_reads_itself(tmp_path):
    plan = _plan()
    back = GridPlan.from_file(plan.to_file(tmp_path / "plan.gpkg"))
    assert back.labels.equals(plan.labels)


def test_lists_of_households_and_notes_come_back_and_a_damaged_list_is_refused(
    tmp_path: Path,
) -> None:
    members = pd.DataFrame(
        {
            "code": ["01001A", "01002A", "01002A"],
            "household_id": ["h1", "h2", "h3"],
            "households": [11, 1, 4],
            "atom_id": ["a0", "a1", "a2"],
        }
    ).astype({"code": "str", "household_id": "str", "atom_id": "str"})
    plan = _plan()
    plan = replace(
        plan,
        labels=plan.labels.drop(columns="group"),
        rosters={"group": members},
        notes=("8032 cells contradict the band",),
    )
    file = write_plan(plan, tmp_path / "plan.gpkg")
    back = read_plan(file)
    pd.testing.assert_frame_equal(back.members("group"), plan.members("group"))
    assert back.notes == plan.notes
    assert back.cell_table["name"]["01001A"] == "一邻"
    assert back.cell_table["head"]["01001A"] == "李"
    with sqlite3.connect(file) as base:
        base.execute("UPDATE members_group SET households = NULL WHERE household_id = 'h1'")
    base.close()
    with pytest.raises(InputError, match="members_group has rows without a code or number"):
        read_plan(file)
