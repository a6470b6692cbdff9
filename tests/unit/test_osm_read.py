"""OpenStreetMap files to tables."""

from __future__ import annotations

import gzip

import geopandas as gpd
import numpy as np
import pytest
import shapely
from osm_xml import LAT, LON, STEP, osm_xml, rectangle

from geogrid.errors import CrsError, InputError, MissingFileError
from geogrid.osm import read_osm
from geogrid.osm._tags import levels_of

HOUSE_NODES, HOUSE = rectangle(100, 0, 10)
COLUMNS = {
    "streets": [
        "highway",
        "foot",
        "oneway_foot",
        "is_tunnel",
        "is_bridge",
        "is_private",
        "is_stairs",
        "layer",
        "nodes",
    ],
    "squares": ["highway", "foot", "is_private", "nodes"],
    "rails": ["railway", "service", "is_tunnel", "is_bridge", "layer"],
    "waters": ["water", "is_tunnel"],
    "walls": ["wall", "is_locked"],
    "buildings": ["building", "use", "levels"],
    "limits": ["admin_level"],
    "pois": ["poi"],
}
TABLES = list(COLUMNS)


@pytest.fixture
def read(tmp_path):
    """Write a tiny file and read it back."""

    def read_text(nodes=None, ways=(), relations=(), *, limit=None, margin_m=1500.0, **more):
        street_nodes = {1: (0, 0), 2: (10, 0), 3: (20, 0)}
        street = (1, [1, 2, 3], {"highway": "residential", "name": "车站路"})
        file = tmp_path / "tiny.osm"
        text = osm_xml({**street_nodes, **(nodes or {})}, [street, *ways], relations, **more)
        file.write_text(text, encoding="utf-8")
        return read_osm(file, limit=limit, margin_m=margin_m)

    return read_text


def use_of(extract):
    return dict(zip(extract.buildings["osm_id"], extract.buildings["use"], strict=True))


@pytest.mark.parametrize(
    ("file", "counts", "epsg", "date"),
    [
        (
            "nanjing_gulou_xuanwu_2021",
            {"buildings": 1278, "streets": 383, "limits": 0, "incomplete_limits": 3},
            4549,
            "",
        ),
        ("jiangxi_guixi_2025", {"buildings": 165, "streets": 170, "limits": 1}, 4548, ""),
        ("helsinki", {"buildings": 500, "incomplete_limits": 14}, 32635, "2019-04-21"),
        (
            "liechtenstein",
            {"buildings": 8997, "streets": 4658, "limits": 14, "rails": 31},
            32632,
            "2015-07-27",
        ),
    ],
)
def test_real_extracts_hold_what_is_known_of_them(shared_data, file, counts, epsg, date):
    extract = read_osm(shared_data / "osm" / f"{file}.osm.pbf")
    assert {name: len(getattr(extract, name)) for name in counts} == counts
    assert extract.crs.to_epsg() == epsg
    assert extract.source.date == date
    assert extract.source.name == f"{file}.osm.pbf"
    assert (extract.source.role, extract.source.licence) == ("osm", "ODbL 1.0")
    assert extract.source.attribution == "© OpenStreetMap contributors"
    for name in TABLES:
        table = getattr(extract, name)
        assert table.crs == extract.crs
        assert table.columns.tolist() == ["osm_id", "name", *COLUMNS[name], "geometry"]
        assert table.is_valid.all()
    assert set(extract.buildings.geom_type) <= {"Polygon", "MultiPolygon"}
    assert set(extract.streets.geom_type) == {"LineString"}


@pytest.mark.parametrize(
    ("file", "relations"), [("nanjing_gulou_xuanwu_2021", 8), ("helsinki", 67)]
)
def test_buildings_of_relations_are_not_lost(shared_data, file, relations):
    buildings = read_osm(shared_data / "osm" / f"{file}.osm.pbf").buildings
    assert buildings["osm_id"].str.startswith("r").sum() == relations
    assert (buildings.area > 0).all()


def test_nanjing_levels_and_walkable_length(shared_data):
    extract = read_osm(shared_data / "osm" / "nanjing_gulou_xuanwu_2021.osm.pbf")
    levels = extract.buildings["levels"].dropna()
    assert (len(levels), levels.median(), levels.max()) == (131, 6, 69)
    walkable = extract.streets[extract.streets["foot"]]
    # 87 km in all, less the road tunnel that nobody may walk through.
    assert walkable.length.sum() / 1000 == pytest.approx(84.8, abs=0.2)
    tunnels = extract.streets[extract.streets["name"] == "水西门隧道"]
    assert tunnels["is_tunnel"].all()
    assert not tunnels["foot"].any()


def test_guixi_names_sixteen_quarters(shared_data):
    pois = read_osm(shared_data / "osm" / "jiangxi_guixi_2025.osm.pbf").pois
    quarters = pois[pois["poi"] == "place=quarter"]
    assert len(quarters) == 16
    assert "花园社区" in set(quarters["name"])


def test_vertices_and_nodes_of_streets_correspond(helsinki_osm):
    streets = read_osm(helsinki_osm).streets
    counts = shapely.get_num_coordinates(streets.geometry.to_numpy())
    assert streets["nodes"].map(len).tolist() == counts.tolist()
    places: dict[int, tuple[float, ...]] = {}
    for nodes, line in zip(streets["nodes"], streets.geometry, strict=True):
        for node, place in zip(nodes, line.coords, strict=True):
            assert places.setdefault(node, place) == place


def test_no_table_names_a_mapper(helsinki_osm):
    extract = read_osm(helsinki_osm)
    for name in TABLES:
        assert not {"user", "uid", "changeset"} & set(getattr(extract, name).columns)


def test_helsinki_box_is_the_one_of_its_header(helsinki_osm):
    extract = read_osm(helsinki_osm)
    west, south, east, north = (
        gpd.GeoSeries([extract.box], crs=extract.crs).to_crs(4326).total_bounds
    )
    bounds = (24.9351762, 60.164155, 24.9534145, 60.179113)
    assert (west, south, east, north) == pytest.approx(bounds, abs=1e-6)


def test_a_limit_keeps_whole_features_within_the_margin(helsinki_osm):
    limit = gpd.GeoSeries([shapely.box(24.941, 60.168, 24.944, 60.170)], crs=4326)
    extract = read_osm(helsinki_osm, limit=limit, margin_m=100)
    near = limit.to_crs(extract.crs).union_all().buffer(100)
    everything = read_osm(helsinki_osm)
    assert extract.crs.to_epsg() == 32635
    for name in ("streets", "buildings", "rails", "waters"):
        table, whole = getattr(extract, name), getattr(everything, name)
        expected = whole[whole.intersects(near)]
        assert table["osm_id"].tolist() == expected["osm_id"].tolist()
        assert table.geometry.geom_equals(expected.geometry.reset_index(drop=True)).all()
    assert 0 < len(extract.buildings) < len(everything.buildings)
    assert not extract.streets.within(near).all()


def test_the_limit_brings_its_own_metric_frame(helsinki_osm):
    bare = shapely.box(24.94, 60.168, 24.945, 60.17)
    limit = gpd.GeoDataFrame(geometry=[bare], crs=4326)
    assert read_osm(helsinki_osm, limit=limit.to_crs(3879)).crs.to_epsg() == 3879
    assert read_osm(helsinki_osm, limit=bare).crs.to_epsg() == 32635
    assert read_osm(helsinki_osm, limit=limit.to_crs(3857)).crs.to_epsg() == 32635


def test_a_bare_polygon_in_metres_is_refused(helsinki_osm):
    with pytest.raises(CrsError, match="degrees"):
        read_osm(helsinki_osm, limit=shapely.box(385000, 6672000, 386000, 6673000))


def test_a_limit_without_crs_is_refused(helsinki_osm):
    with pytest.raises(CrsError, match="coordinate system"):
        read_osm(helsinki_osm, limit=gpd.GeoSeries([shapely.box(24, 60, 25, 61)]))


def test_an_empty_limit_is_refused(helsinki_osm):
    with pytest.raises(InputError, match="empty"):
        read_osm(helsinki_osm, limit=shapely.Polygon())


def test_a_limit_elsewhere_says_how_far(helsinki_osm):
    with pytest.raises(InputError, match=r"outside helsinki\.osm\.pbf, 55\.\d km away"):
        read_osm(helsinki_osm, limit=shapely.box(25.953, 60.16, 26.0, 60.18))


def test_a_limit_with_nothing_near_is_refused(read):
    # Inside the box of the file's streets, yet 100 m and more from anything.
    far = {8: (200, 200), 9: (210, 200)}
    place = shapely.box(*(LON + 100 * STEP, LAT + 100 * STEP, LON + 101 * STEP, LAT + 101 * STEP))
    with pytest.raises(InputError, match="within 10 m of the limit"):
        read(far, [(2, [8, 9], {"highway": "path"})], limit=place, margin_m=10)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(MissingFileError, match=r"^the file .*nothing\.osm\.pbf does not exist"):
        read_osm(tmp_path / "nothing.osm.pbf")


def test_a_folder_is_no_extract(tmp_path):
    with pytest.raises(InputError, match="folder"):
        read_osm(tmp_path)


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("notes.txt", b"hello", "not an OpenStreetMap file"),
        ("track.osm", b"<gpx></gpx>", "not an OpenStreetMap file"),
        ("junk.osm.pbf", b"hello world" * 100, "damaged or cut short"),
        ("empty.osm.pbf", b"", "damaged or cut short"),
        ("cut.osm", b'<osm version="0.6"><node id="1"', "damaged or cut short"),
        ("cut.osm.gz", gzip.compress(b'<osm version="0.6"></osm>' * 9, mtime=0)[:30], "damaged"),
        ("blank.osm", b'<osm version="0.6"></osm>', "no street and no building"),
    ],
)
def test_bad_files_are_refused_in_one_plain_line(tmp_path, name, content, reason):
    file = tmp_path / name
    file.write_bytes(content)
    with pytest.raises(InputError, match=reason) as caught:
        read_osm(file)
    assert "\n" not in str(caught.value)
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_extract_is_refused(tmp_path, helsinki_osm, share):
    content = helsinki_osm.read_bytes()
    file = tmp_path / "part.osm.pbf"
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(InputError, match="download it again"):
        read_osm(file)


def test_a_negative_margin_is_refused(helsinki_osm):
    with pytest.raises(InputError, match="margin_m"):
        read_osm(helsinki_osm, margin_m=-1)


def test_empty_tables_have_their_columns_types_and_frame(read):
    extract = read()
    for name in TABLES:
        table = getattr(extract, name)
        assert table.columns.tolist() == ["osm_id", "name", *COLUMNS[name], "geometry"]
        assert table.crs == extract.crs
    assert extract.buildings["levels"].dtype == np.float64
    assert extract.limits["admin_level"].dtype == np.int64
    assert extract.incomplete_limits.empty
    assert extract.streets["name"].tolist() == ["车站路"]
    assert extract.crs.to_epsg() == 4547


def test_compressed_xml_reads_the_same(tmp_path):
    text = osm_xml({1: (0, 0), 2: (9, 0)}, [(1, [1, 2], {"highway": "path"})])
    file = tmp_path / "tiny.osm.gz"
    file.write_bytes(gzip.compress(text.encode()))
    assert read_osm(file).streets["nodes"].tolist() == [(1, 2)]


def test_files_with_nodes_after_ways_are_sorted_first(read):
    extract = read(HOUSE_NODES, [(2, HOUSE, {"building": "yes"})], nodes_last=True)
    assert extract.streets["osm_id"].tolist() == ["w1"]
    assert extract.buildings["osm_id"].tolist() == ["w2"]


def test_tunnels_bridges_and_layers_are_told_apart(read):
    nodes = {10: (0, 5), 11: (9, 5)}
    tags = [
        {"highway": "primary", "tunnel": "yes", "layer": "-1"},
        {"highway": "primary", "bridge": "viaduct", "layer": "2"},
        {"highway": "primary", "tunnel": "no", "bridge": "no", "layer": "ground"},
        {"railway": "subway", "tunnel": "yes", "layer": "-2", "service": "yard"},
        {"waterway": "stream", "tunnel": "culvert"},
    ]
    extract = read(nodes, [(10 + i, [10, 11], one) for i, one in enumerate(tags)])
    streets = extract.streets.set_index("osm_id").loc[["w10", "w11", "w12"]]
    assert streets["is_tunnel"].tolist() == [True, False, False]
    assert streets["is_bridge"].tolist() == [False, True, False]
    assert streets["layer"].tolist() == [-1, 2, 0]
    assert extract.rails[["railway", "service", "is_tunnel", "layer"]].to_numpy().tolist() == [
        ["subway", "yard", True, -2]
    ]
    assert extract.waters[["water", "is_tunnel"]].to_numpy().tolist() == [["stream", True]]


@pytest.mark.parametrize(
    "tags",
    [
        {"highway": "proposed"},
        {"highway": "construction"},
        {"highway": "platform"},
        {"highway": "pedestrian", "area": "yes"},
        {"railway": "abandoned"},
        {"waterway": "dam"},
    ],
)
def test_what_is_not_there_is_not_read(read, tags):
    nodes, ring = rectangle(10, 0, 5)
    extract = read(nodes, [(2, ring, tags)])
    assert extract.streets["osm_id"].tolist() == ["w1"]
    assert extract.rails.empty
    assert extract.waters.empty


def test_a_line_walked_backwards_only_is_turned_round(read):
    tags = {"highway": "steps", "oneway:foot": "-1"}
    streets = read({10: (0, 5), 11: (9, 5)}, [(2, [10, 11], tags)]).streets
    steps = streets.set_index("osm_id").loc["w2"]
    assert steps["oneway_foot"]
    assert steps["nodes"] == (11, 10)
    assert steps.geometry.coords[0][0] > steps.geometry.coords[-1][0]


def test_a_street_with_an_unknown_node_keeps_its_known_stretches(read):
    nodes = {10: (0, 5), 11: (1, 5), 12: (2, 5), 14: (4, 5), 15: (5, 5), 17: (7, 5)}
    way = (2, [10, 11, 12, 13, 14, 15, 16, 17], {"highway": "path"})
    streets = read(nodes, [way]).streets
    assert streets.loc[streets["osm_id"] == "w2", "nodes"].tolist() == [(10, 11, 12), (14, 15)]


def test_water_comes_as_lines_and_areas(read):
    lake, lake_ring = rectangle(20, 0, 5)
    bank, bank_ring = rectangle(30, 10, 5)
    pond, pond_ring = rectangle(40, 20, 5)
    extract = read(
        {**lake, **bank, **pond},
        [
            (2, lake_ring, {"natural": "water", "water": "lake"}),
            (3, bank_ring, {"natural": "water", "water": "river", "name": "湘江"}),
            (4, pond_ring, {"landuse": "reservoir"}),
            (5, [1, 2], {"waterway": "river"}),
            (6, [2, 3], {"natural": "coastline"}),
        ],
    )
    waters = extract.waters.set_index("osm_id")
    kinds = {"w2": "water", "w3": "river", "w4": "reservoir", "w5": "river", "w6": "coastline"}
    assert waters["water"].to_dict() == kinds
    assert waters.geom_type.to_dict()["w2"] == "Polygon"
    assert waters.geom_type.to_dict()["w5"] == "LineString"


def test_a_river_cut_by_the_extract_keeps_its_bank(read):
    nodes = {10: (0, 5), 11: (9, 5)}
    relation = (
        7,
        [(2, "outer"), (99, "outer")],
        {"type": "multipolygon", "natural": "water", "water": "river"},
    )
    waters = read(nodes, [(2, [10, 11], {})], [relation]).waters
    assert waters[["osm_id", "water"]].to_numpy().tolist() == [["r7", "river"]]
    assert waters.geom_type.tolist() == ["LineString"]


def test_walls_gates_and_compounds(read):
    nodes, ring = rectangle(10, 0, 5)
    named = {"landuse": "residential", "name": "荷塘小区"}
    extract = read(
        {**nodes, 20: (2, 5), 21: (3, 9)},
        [
            (2, ring, named),
            (3, ring, {"landuse": "residential"}),
            (4, ring, {"barrier": "wall"}),
            (5, [10, 11], {"barrier": "gate"}),
            (6, [10, 11], {"barrier": "kerb"}),
        ],
        points=[(20, {"barrier": "gate"}), (21, {"barrier": "bollard"})],
    )
    walls = extract.walls.set_index("osm_id")
    assert walls["wall"].to_dict() == {"w4": "wall", "w5": "gate", "n20": "gate", "w2": "compound"}
    kinds = {"w4": "LineString", "w5": "Point", "n20": "Point", "w2": "Polygon"}
    assert walls.geom_type.to_dict() == kinds
    assert walls.loc["w2", "name"] == "荷塘小区"


@pytest.mark.parametrize(
    ("tags", "use"),
    [
        ({"building": "apartments"}, "residential"),
        ({"building": "yes"}, "residential"),
        ({"building": "dormitory", "amenity": "parking"}, "residential"),
        ({"building": "apartments", "shop": "convenience"}, "mixed"),
        ({"building": "yes", "building:flats": "12", "office": "yes"}, "mixed"),
        ({"building": "commercial", "building:use": "residential;retail"}, "mixed"),
        ({"building": "yes", "building:use": "residential"}, "residential"),
        ({"building": "yes", "building:use": "office"}, "other"),
        ({"building": "yes", "shop": "supermarket"}, "other"),
        ({"building": "yes", "amenity": "school"}, "other"),
        ({"building": "yes", "name": "株洲市第二中学"}, "other"),
        ({"building": "yes", "office": "company"}, "other"),
        ({"building": "yes", "government": "ministry"}, "other"),
        ({"building": "yes", "tourism": "museum"}, "other"),
        ({"building": "yes", "historic": "castle"}, "other"),
        ({"building": "yes", "railway": "station"}, "other"),
        ({"building": "yes", "public_transport": "station"}, "other"),
        ({"building": "yes", "club": "sport"}, "other"),
        ({"building": "yes", "landuse": "retail"}, "other"),
        ({"building": "yes", "landuse": "residential"}, "residential"),
        ({"building": "yes", "historic": "no"}, "residential"),
        ({"building": "yes", "name": "National Archives"}, "residential"),
        ({"building": "apartments", "historic": "yes"}, "residential"),
        ({"building": "school"}, "other"),
        ({"building": "garage"}, "other"),
    ],
)
def test_use_follows_the_tags(read, tags, use):
    assert use_of(read(HOUSE_NODES, [(2, HOUSE, tags)])) == {"w2": use}


@pytest.mark.parametrize(
    ("line", "use"),
    [
        ({"railway": "rail"}, "other"),
        ({"railway": "tram"}, "residential"),
        ({"railway": "rail", "tunnel": "yes"}, "residential"),
        ({"highway": "residential"}, "residential"),
    ],
)
def test_a_plain_building_above_open_tracks_is_no_home(read, line, use):
    nodes, ring = rectangle(10, 0, 5, width=20, height=20)
    home, home_ring = rectangle(20, 60, 5, width=20, height=20)
    flats, flats_ring = rectangle(30, 30, 5, width=20, height=20)
    track = {40: (-10, 15), 41: (52, 15)}
    extract = read(
        {**nodes, **home, **flats, **track},
        [
            (2, ring, {"building": "yes"}),
            (3, home_ring, {"building": "yes"}),
            (4, flats_ring, {"building": "apartments"}),
            (5, [40, 41], line),
        ],
    )
    assert use_of(extract) == {"w2": use, "w3": "residential", "w4": "residential"}


def test_the_station_of_helsinki_is_no_home(helsinki_osm):
    uses = use_of(read_osm(helsinki_osm))
    # The hall, the building over its tracks, and the old head office beside it.
    assert {uses[one] for one in ("w122595198", "w29072452", "w655097862")} == {"other"}


def test_plain_buildings_follow_the_smallest_ground_round_them(read):
    works, works_ring = rectangle(10, 0, 5, width=60, height=40)
    homes, homes_ring = rectangle(20, 30, 10, width=10, height=10)
    shed, shed_ring = rectangle(30, 5, 10)
    home, home_ring = rectangle(40, 32, 12)
    hall, hall_ring = rectangle(50, 12, 10)
    extract = read(
        {**works, **homes, **shed, **home, **hall},
        [
            (2, works_ring, {"landuse": "industrial"}),
            (3, homes_ring, {"landuse": "residential"}),
            (4, shed_ring, {"building": "yes"}),
            (5, home_ring, {"building": "yes"}),
            (6, hall_ring, {"building": "dormitory"}),
        ],
    )
    assert use_of(extract) == {"w4": "other", "w5": "residential", "w6": "residential"}


def test_buildings_that_do_not_stand_are_dropped(read):
    extract = read(
        HOUSE_NODES, [(2, HOUSE, {"building": "no"}), (3, HOUSE, {"building:part": "yes"})]
    )
    assert extract.buildings.empty


def test_a_building_of_a_relation_has_its_yard(read):
    outer, outer_ring = rectangle(10, 0, 5, width=10, height=10)
    inner, inner_ring = rectangle(20, 3, 8)
    relation = (9, [(2, "outer"), (3, "inner")], {"type": "multipolygon", "building": "yes"})
    buildings = read(
        {**outer, **inner}, [(2, outer_ring, {}), (3, inner_ring, {})], [relation]
    ).buildings
    assert buildings["osm_id"].tolist() == ["r9"]
    assert len(buildings.geometry.iloc[0].interiors) == 1


@pytest.mark.parametrize(
    ("known", "corners"), [([0, 1, 2, 3], 4), ([0, 1, 2], 3), ([0, 1], 0), ([0], 0)]
)
def test_a_building_cut_by_the_extract_keeps_its_row(read, known, corners):
    nodes = {node: place for i, (node, place) in enumerate(HOUSE_NODES.items()) if i in known}
    (building,) = read(nodes, [(2, HOUSE, {"building": "house"})]).buildings.geometry
    assert building.area > 0
    if corners:
        assert len(building.exterior.coords) == corners + 1
    else:
        assert building.area < 60


def test_a_building_whose_yard_is_missing_keeps_its_outline(read):
    relation = (9, [(2, "outer"), (99, "inner")], {"type": "multipolygon", "building": "yes"})
    (building,) = read(HOUSE_NODES, [(2, HOUSE, {})], [relation]).buildings.geometry
    assert building.area == pytest.approx(39.4 * 44.3, rel=0.01)


@pytest.mark.parametrize(
    ("text", "levels"),
    [
        ("5", 5),
        ("5.5", 5.5),
        ("3;4", 4),
        ("2-3", 3),
        ("", np.nan),
        ("many", np.nan),
        ("0", np.nan),
        ("-1", np.nan),
        ("5000", np.nan),
    ],
)
def test_levels_are_read_as_people_write_them(text, levels):
    assert levels_of({"building:levels": text}) == pytest.approx(levels, nan_ok=True)


def test_services_come_from_nodes_and_areas(read):
    extract = read(
        {**HOUSE_NODES, 50: (1, 1), 51: (2, 1), 52: (3, 1)},
        [(2, HOUSE, {"building": "yes", "amenity": "library", "name": "图书馆"})],
        points=[
            (50, {"place": "quarter", "name": "花园社区"}),
            (51, {"office": "government"}),
            (52, {"amenity": "bench"}),
        ],
    )
    pois = extract.pois.set_index("osm_id")["poi"].to_dict()
    assert pois == {"n50": "place=quarter", "n51": "office=government", "w2": "amenity=library"}
    library = extract.pois.set_index("osm_id").geometry["w2"]
    assert library.within(extract.buildings.geometry.iloc[0])
