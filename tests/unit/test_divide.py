import logging
from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from strategies import grid_frame

from geogrid.atoms import build_atoms
from geogrid.coverage import verify_plan
from geogrid.divide import divide, limits_as_barriers
from geogrid.errors import CoverageError, InfeasibleError, InputError
from geogrid.model.atoms import Atoms
from geogrid.model.district import District
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.model.source import Source
from geogrid.vocabulary import Contract

SCHEME = Scheme(
    key="three",
    title="",
    levels=(
        Level(key="pian", name="片"),
        Level(key="wangge", name="网格", band=HouseholdBand(low=300, high=500)),
        Level(key="lin", name="邻", contract=Contract.ROSTER),
        Level(key="wei", name="微网格", band=HouseholdBand(low=30, high=100)),
    ),
)


@pytest.fixture(scope="module")
def atoms():
    counts = np.random.default_rng(2).integers(0, 21, 144)
    return Atoms.from_frame(grid_frame(12, 12, counts))


@pytest.fixture(scope="module")
def plan(atoms):
    return divide(None, atoms, SCHEME)


def test_every_level_is_divided_inside_the_one_above(plan, atoms):
    total = int(atoms.frame["households"].sum())
    assert len(plan.cells("pian")) == 1
    assert 3 <= len(plan.cells("wangge")) <= 4
    for key in ("pian", "wangge", "wei"):
        cells = plan.cells(key)
        assert cells["households"].sum() == total
        assert set(cells.geom_type) == {"Polygon"}
        assert cells.geometry.area.sum() == pytest.approx(144 * 10_000)
    for key in ("wangge", "wei"):
        band = SCHEME.level(key).band
        assert all(count in band for count in plan.cells(key)["households"])
    pairs = plan.labels[["wangge", "wei"]].drop_duplicates()
    assert pairs["wei"].is_unique


def test_the_district_gives_prefix_name_and_sources(atoms):
    district = District(limit=atoms.limit, crs=None, name="华阳", code="510116110")
    source = Source(role="limit", name="limit.gpkg")
    plan = divide(district, atoms, "huayang", sources=(source,))
    assert plan.district is district
    assert plan.sources == (source,)
    assert plan.cells("总网格")["code"].tolist() == ["51011611001"]
    assert plan.cell_table.loc["51011611001", "name"] == "华阳第1总网格"
    assert plan.cells("wei")["name"].str.fullmatch(r"华阳第1总网格第\d网格\d+号微网格").all()
    assert set(plan.cell_table["kind"]) == {"居住"}


def test_a_parent_below_the_band_is_one_cell():
    plan = divide(None, Atoms.from_frame(grid_frame(4, 4, 1)), SCHEME)
    assert len(plan.cells("wangge")) == len(plan.cells("wei")) == 1


def test_a_district_without_households_is_one_cell_and_ordinary():
    plan = divide(None, Atoms.from_frame(grid_frame(4, 4, 0)), SCHEME)
    cells = plan.cells("wei")
    assert cells["households"].tolist() == [0]
    assert cells["kind"].tolist() == ["普通"]


def test_household_points_are_counted_once_each_also_on_a_border():
    atoms = Atoms.from_frame(grid_frame(2, 1, 7))
    points = gpd.GeoDataFrame(
        {"households": [3, 4, 5]}, geometry=shapely.points([(50, 50), (100, 50), (150, 50)])
    )
    plan = divide(None, atoms, SCHEME, households=points)
    members = plan.members("wei").set_index("atom_id")["households"]
    assert members.to_dict() == {"a000-000": 7, "a001-000": 5}
    assert atoms.frame["households"].tolist() == [7, 7]


def test_points_in_degrees_are_brought_to_the_atoms_frame():
    frame = grid_frame(2, 1)
    frame = frame.set_geometry(frame.geometry.translate(500_000, 5_200_000)).set_crs(32632)
    points = gpd.GeoDataFrame(
        geometry=gpd.points_from_xy([500_050], [5_200_050]), crs=32632
    ).to_crs(4326)
    plan = divide(None, Atoms.from_frame(frame), SCHEME, households=points)
    assert plan.households == 1


def test_points_outside_are_logged_by_number(caplog):
    points = gpd.GeoDataFrame(geometry=shapely.points([(50, 50), (999, 999)]))
    with caplog.at_level(logging.WARNING):
        plan = divide(None, Atoms.from_frame(grid_frame(2, 1)), SCHEME, households=points)
    assert plan.households == 1
    assert "1 of 2 household points lie outside every atom" in caplog.text


def test_locked_atoms_stay_together_and_apart(atoms):
    locked = {"a005-005": "A", "a006-005": "A", "a006-006": "B"}
    plan = divide(None, atoms, SCHEME, locked=locked)
    assert plan.leaf["a005-005"] == plan.leaf["a006-005"] != plan.leaf["a006-006"]


def test_a_lock_at_a_coarser_level_binds_that_level(plan, atoms):
    kept = plan.labels.iloc[:40][["wangge"]]
    again = divide(None, atoms, SCHEME, locked=kept, seed=7)
    together = pd.crosstab(kept["wangge"], again.labels.loc[kept.index, "wangge"])
    assert ((together > 0).sum(axis=0) == 1).all()
    assert ((together > 0).sum(axis=1) == 1).all()


@pytest.mark.parametrize(
    ("locked", "error", "says"),
    [
        ({"nowhere": "A"}, InputError, "nowhere"),
        (pd.DataFrame({"xyz": ["A"]}, index=["a000-000"]), InputError, "level xyz"),
        ({"a000-000": "A", "a011-011": "A"}, InfeasibleError, "do not touch"),
    ],
)
def test_locks_that_cannot_be_kept_are_refused(atoms, locked, error, says):
    with pytest.raises(error, match=says):
        divide(None, atoms, SCHEME, locked=locked)


def test_contradicting_locks_of_two_levels_are_refused(atoms):
    locked = pd.DataFrame({"wangge": ["X", "Y"], "wei": ["A", "A"]}, index=["a000-000", "a001-000"])
    with pytest.raises(InfeasibleError, match="finer cell"):
        divide(None, atoms, SCHEME, locked=locked)


def test_a_scheme_without_area_levels_cannot_divide(atoms):
    roster = Level(key="lin", name="邻", contract=Contract.ROSTER)
    scheme = Scheme(key="only", title="", levels=(roster,))
    with pytest.raises(InputError, match="no area level"):
        divide(None, atoms, scheme)


def test_islands_make_cells_of_several_pieces_only_where_the_district_has_them():
    frame = grid_frame(12, 6, 10)
    island = grid_frame(1, 1, 2)
    island = island.assign(atom_id="z").set_geometry(island.geometry.translate(2000, 0))
    atoms = Atoms.from_frame(pd.concat([frame, island], ignore_index=True))
    plan = divide(None, atoms, SCHEME)
    many = plan.cells("wei")[lambda cells: cells.geom_type == "MultiPolygon"]
    assert len(many) == 1
    assert many["code"].item() == plan.leaf["z"]


NESTED = Scheme(
    key="nested",
    title="",
    levels=(
        Level(key="cunshe", name="村社区"),
        Level(
            key="pian",
            name="片",
            kinds=("综合", "专属", "特色"),
            unbalanced_kinds=("专属", "特色"),
            spanning_kinds=("特色",),
        ),
        Level(key="zu", name="组", kinds=("综合", "专属"), band=HouseholdBand(low=20, high=60)),
    ),
)


def halves(atoms, at=6, codes=("430203001001", "430203001002")):
    """Two official polygons, noded with the atoms."""
    column = atoms.frame["atom_id"].str[1:4].astype(int).to_numpy()
    shapes = [
        shapely.coverage_union_all(atoms.frame.geometry.to_numpy()[side])
        for side in (column < at, column >= at)
    ]
    return gpd.GeoDataFrame({"code": codes, "name": ["东社区", "西社区"]}, geometry=shapes)


@pytest.fixture(scope="module")
def official(atoms):
    return divide(
        None, atoms, NESTED, upper={"村社区": halves(atoms)}, counts={"pian": 9, "zu": 31}
    )


def test_official_cells_keep_code_name_and_geometry(official, atoms):
    table = halves(atoms)
    cells = official.cells("cunshe")
    assert cells["code"].tolist() == table["code"].tolist()
    assert cells["name"].tolist() == table["name"].tolist()
    for mine, theirs in zip(cells.geometry, table.geometry, strict=True):
        assert shapely.to_wkb(shapely.normalize(mine)) == shapely.to_wkb(shapely.normalize(theirs))
    pian = official.cells("pian")
    assert all(code.startswith("430203001") for code in pian["code"])
    assert pian["name"].str.startswith(("东社区", "西社区")).all()


def test_exact_numbers_are_shared_by_largest_remainder(official):
    assert len(official.cells("pian")) == 9
    assert len(official.cells("zu")) == 31
    mass = official.cells("cunshe")["households"].to_numpy()
    quota = 9 * mass / mass.sum()
    shares = official.cells("pian")["parent"].value_counts().sort_index().to_numpy()
    assert (np.abs(shares - quota) < 1).all()
    assert all(
        count in HouseholdBand(low=20, high=60) for count in official.cells("zu")["households"]
    )
    assert official.notes == ()


def test_numbers_shuffled_rows_and_seeds_are_repeatable(official, atoms):
    shuffled = Atoms.from_frame(atoms.frame.sample(frac=1, random_state=4))
    table = halves(atoms).iloc[::-1]
    again = divide(None, shuffled, NESTED, upper={"cunshe": table}, counts={"pian": 9, "zu": 31})
    pd.testing.assert_frame_equal(
        again.labels.sort_index(), official.labels.sort_index(), check_like=True
    )


@pytest.mark.parametrize(
    ("counts", "error", "says"),
    [
        ({"pian": 1000}, InfeasibleError, "cannot have 1000 cells"),
        ({"cunshe": 2, "pian": 1}, InfeasibleError, "allow 2 to"),
        ({"pian": 0}, InputError, "whole number"),
        ({"pian": 3, "片": 4}, InputError, "given twice"),
        ({"xyz": 3}, InputError, "no level xyz"),
    ],
)
def test_numbers_that_cannot_be_had_are_refused(atoms, counts, error, says):
    with pytest.raises(error, match=says):
        divide(None, atoms, NESTED, counts=counts)


def test_a_number_that_contradicts_the_band_is_kept_and_said(atoms):
    plan = divide(None, atoms, NESTED, counts={"zu": 90})
    assert len(plan.cells("zu")) == 90
    assert "contradict its band of 20 to 60" in " ".join(plan.notes)


def test_a_district_without_households_has_its_number_of_cells():
    plan = divide(None, Atoms.from_frame(grid_frame(4, 4, 0)), NESTED, counts={"zu": 5})
    assert len(plan.cells("zu")) == 5


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            lambda one: one.set_geometry([one.geometry[0], shapely.box(500, 0, 1200, 1200)]),
            "重叠 overlap",
        ),
        (
            lambda one: one.set_geometry([one.geometry[0], shapely.box(700, 0, 1200, 1200)]),
            "缝隙 gap",
        ),
        (lambda one: one.iloc[[0]], "gap: the official"),
    ],
)
def test_official_polygons_that_overlap_or_leave_gaps_are_refused(atoms, change, says):
    with pytest.raises(CoverageError, match=says):
        divide(None, atoms, NESTED, upper={"cunshe": change(halves(atoms))})


def test_official_codes_must_be_there_and_unique(atoms):
    with pytest.raises(InputError, match="occurs twice"):
        divide(None, atoms, NESTED, upper={"cunshe": halves(atoms).assign(code="1")})
    with pytest.raises(InputError, match="no code"):
        divide(None, atoms, NESTED, upper={"cunshe": halves(atoms).drop(columns="code")})


def test_an_atom_across_an_official_border_goes_whole_and_is_said(atoms):
    table = halves(atoms).set_geometry(
        [shapely.box(0, 0, 620, 1200), shapely.box(620, 0, 1200, 1200)]
    )
    plan = divide(None, atoms, NESTED, upper={"cunshe": table})
    assert len(plan.cells("cunshe")) == 2
    assert "12 atoms cross an official border" in " ".join(plan.notes)


def test_barriers_along_official_limits_cut_the_atoms():
    table = gpd.GeoDataFrame(
        {"code": ["1", "2"]}, geometry=[shapely.box(0, 0, 333, 900), shapely.box(333, 0, 900, 900)]
    )
    lines = limits_as_barriers({"cunshe": table}, None)
    assert set(lines["kind"]) == {"limit"}
    atoms = build_atoms(shapely.box(0, 0, 900, 900), lines, min_area_m2=0)
    plan = divide(None, atoms, NESTED, upper={"cunshe": table})
    assert plan.notes == ()
    assert plan.cells("cunshe").geometry.area.tolist() == [333 * 900, 567 * 900]


def test_cells_grow_round_their_seats(atoms):
    seats = pd.DataFrame(
        {
            "code": ["B", "A", "C"],
            "name": ["乙", "甲", "丙"],
            "x": [950, 150, 650],
            "y": [950, 150, 350],
        }
    )
    plan = divide(None, atoms, NESTED, upper={"cunshe": seats})
    cells = plan.cells("cunshe").set_index("code")
    assert cells.index.tolist() == ["A", "B", "C"]
    assert cells.loc["A", "name"] == "甲"
    for row in seats.to_dict("records"):
        assert cells.geometry[row["code"]].contains(shapely.Point(row["x"], row["y"]))
    assert set(cells.geom_type) == {"Polygon"}
    mean = cells["households"].mean()
    assert (cells["households"] - mean).abs().max() < 0.2 * mean


@pytest.mark.parametrize(
    ("xy", "error", "says"),
    [
        ([(150, 150), (160, 160)], InfeasibleError, "lie in one atom"),
        ([(150, 150), (5000, 160)], InputError, "outside the district"),
    ],
)
def test_seats_that_cannot_be_used_are_refused(atoms, xy, error, says):
    seats = gpd.GeoDataFrame({"code": ["A", "B"]}, geometry=shapely.points(xy))
    with pytest.raises(error, match=says):
        divide(None, atoms, NESTED, upper={"cunshe": seats})


def test_a_special_area_is_a_cell_of_its_own_in_a_hole_of_the_others(atoms):
    market = gpd.GeoDataFrame(
        {"kind": ["专属"], "name": ["诚意商圈"]}, geometry=[shapely.box(200, 200, 400, 400)]
    )
    plan = divide(
        None, atoms, NESTED, kinds=market, upper={"cunshe": halves(atoms)}, counts={"pian": 7}
    )
    pian = plan.cells("pian")
    special = pian[pian["kind"] == "专属"]
    assert len(pian) == 7
    assert special["name"].tolist() == ["诚意商圈"]
    assert special.geometry.item().equals(shapely.box(200, 200, 400, 400))
    below = plan.cells("zu")[lambda one: one["kind"] == "专属"]
    assert below["parent"].tolist() == special["code"].tolist()
    assert below["name"].str.startswith("诚意商圈").all()
    assert verify_plan(plan).defects.empty


def test_a_special_area_across_a_border_is_cut_there_unless_it_may_span(atoms):
    area = gpd.GeoDataFrame(
        {"kind": ["专属"], "name": ["园区"]}, geometry=[shapely.box(500, 0, 700, 200)]
    )
    upper = {"cunshe": halves(atoms)}
    plan = divide(None, atoms, NESTED, kinds=area, upper=upper)
    assert (plan.cells("pian")["kind"] == "专属").sum() == 2
    plan = divide(None, atoms, NESTED, kinds=area.assign(kind="特色"), upper=upper)
    pian = plan.cells("pian")
    assert (pian["kind"] == "特色").sum() == 1
    report = verify_plan(plan)
    assert report.defects.empty
    assert len(report.exceptions) >= 1


@pytest.mark.parametrize(
    ("kinds", "error", "says"),
    [
        (
            pd.DataFrame({"kind": ["公园"], "atom_id": ["a000-000"]}),
            InputError,
            "no level has cells of kind 公园",
        ),
        (pd.DataFrame({"kind": ["专属"], "atom_id": ["nowhere"]}), InputError, "atom nowhere"),
        (pd.DataFrame({"kind": ["专属"]}), InputError, "neither polygons nor"),
        (pd.DataFrame({"atom_id": ["a000-000"]}), InputError, "no column kind"),
        (
            gpd.GeoDataFrame({"kind": ["专属"]}, geometry=[shapely.box(1, 1, 9, 9)]),
            InfeasibleError,
            "no whole atom",
        ),
    ],
)
def test_special_areas_that_cannot_be_made_are_refused(atoms, kinds, error, says):
    with pytest.raises(error, match=says):
        divide(None, atoms, NESTED, kinds=kinds)


def test_shops_are_counted_beside_households():
    points = gpd.GeoDataFrame(
        {"households": [0, 3], "merchants": [4, 0]}, geometry=shapely.points([(50, 50), (150, 50)])
    )
    plan = divide(None, Atoms.from_frame(grid_frame(2, 1)), NESTED, households=points)
    cells = plan.cells("zu")
    assert (cells["households"].sum(), cells["merchants"].sum()) == (3, 4)


def test_cells_are_unions_of_whole_groups(atoms):
    groups = gpd.GeoDataFrame(
        {"code": [f"g{at}" for at in range(12)]},
        geometry=[shapely.box(600, 100 * at, 1200, 100 * at + 100) for at in range(12)],
    )
    plan = divide(
        None, atoms, NESTED, upper={"cunshe": halves(atoms)}, groups=groups, counts={"pian": 9}
    )
    row = atoms.frame["atom_id"].str[5:].to_numpy()
    rural = (atoms.frame["atom_id"].str[1:4].astype(int) >= 6).to_numpy()
    for key in ("pian", "zu"):
        labels = plan.labels[key].to_numpy()
        assert pd.Series(labels[rural]).groupby(row[rural]).nunique().max() == 1


def test_groups_are_divided_only_where_the_number_demands_it(atoms):
    groups = gpd.GeoDataFrame({"code": ["g1", "g2"]}, geometry=halves(atoms).geometry)
    plan = divide(None, atoms, NESTED, groups=groups, counts={"pian": 1, "zu": 30})
    assert len(plan.cells("zu")) == 30
    assert "groups were divided" in " ".join(plan.notes)
    side = (atoms.frame["atom_id"].str[1:4].astype(int) >= 6).to_numpy()
    assert pd.Series(side).groupby(plan.labels["zu"].to_numpy()).nunique().max() == 1


def test_parents_starved_of_groups_are_named(atoms):
    groups = gpd.GeoDataFrame({"code": ["g1"]}, geometry=[halves(atoms).geometry.iloc[1]])
    plan = divide(
        None, atoms, NESTED, upper={"cunshe": halves(atoms)}, groups=groups, counts={"pian": 9}
    )
    assert len(plan.cells("pian")) == 9
    assert "1 parents have too few groups" in " ".join(plan.notes)


def test_an_old_plan_is_kept_where_it_is_balanced(official, atoms):
    again = divide(
        None, atoms, NESTED, near=official, upper={"cunshe": halves(atoms)},
        counts={"pian": 9, "zu": 31}, seed=9,
    )  # fmt: skip
    pd.testing.assert_frame_equal(again.labels, official.labels)
    assert sum("100.0% of the households stay" in note for note in again.notes) == 3


def test_few_households_change_cells_where_numbers_have_changed(official, atoms):
    rng = np.random.default_rng(5)
    grown = np.maximum(atoms.frame["households"] + rng.integers(-4, 7, 144), 0)
    later = Atoms.from_frame(atoms.frame.assign(households=grown))
    upper = {"cunshe": halves(atoms)}
    near = divide(None, later, NESTED, near=official, upper=upper, counts={"pian": 9, "zu": 31})
    fresh = divide(None, later, NESTED, upper=upper, counts={"pian": 9, "zu": 31}, seed=3)

    def kept(plan):
        same = plan.labels["zu"].to_numpy() == official.labels["zu"].to_numpy()
        return int(later.frame["households"].to_numpy()[same].sum())

    assert len(near.cells("zu")) == 31
    assert all(count in HouseholdBand(low=20, high=60) for count in near.cells("zu")["households"])
    assert set(near.cells("zu").geom_type) == {"Polygon"}
    assert kept(near) > 0.9 * near.households
    assert kept(near) > kept(fresh)


def test_more_or_fewer_cells_than_the_old_plan_had(official, atoms):
    upper = {"cunshe": halves(atoms)}
    for number in (25, 40):
        plan = divide(
            None, atoms, NESTED, near=official, upper=upper, counts={"pian": 9, "zu": number}
        )
        assert len(plan.cells("zu")) == number
        assert set(plan.cells("zu").geom_type) == {"Polygon"}


def test_an_old_plan_of_another_scheme_is_refused(official, atoms):
    other = Scheme(key="x", title="", levels=(Level(key="a", name="甲"),))
    with pytest.raises(InputError, match="old plan has no level"):
        divide(None, atoms, other, near=official)


def test_a_lock_that_starves_the_rest_is_refused(atoms):
    locked = dict.fromkeys(atoms.frame["atom_id"], "A")
    with pytest.raises(InfeasibleError, match="cannot have 5 cells"):
        divide(None, atoms, NESTED, locked=locked, counts={"zu": 5})


def test_two_islands_share_an_exact_number():
    island = grid_frame(4, 4, 3).assign(atom_id=lambda one: "z" + one["atom_id"])
    frame = pd.concat(
        [grid_frame(6, 6, 3), island.set_geometry(island.geometry.translate(5000, 0))]
    )
    plan = divide(None, Atoms.from_frame(frame), NESTED, counts={"zu": 7})
    cells = plan.cells("zu")
    assert len(cells) == 7
    assert set(cells.geom_type) == {"Polygon"}


LISTED = replace(
    NESTED,
    levels=(
        *NESTED.levels,
        Level(key="lin", name="邻", contract=Contract.ROSTER, band=HouseholdBand(low=5, high=15)),
    ),
)


def test_codes_stay_where_lists_come_in_below_or_go(official, atoms):
    upper, numbers = {"cunshe": halves(atoms)}, {"pian": 9, "zu": 31}
    frame = atoms.frame
    homes = frame.assign(geometry=frame.geometry.centroid, household_id=frame["atom_id"])
    listed = divide(
        None, atoms, LISTED, households=homes, near=official, upper=upper, counts=numbers
    )
    pd.testing.assert_frame_equal(listed.labels, official.labels)
    assert len(listed.members("lin"))
    bare = divide(None, atoms, NESTED, near=listed, upper=upper, counts=numbers)
    pd.testing.assert_frame_equal(bare.labels, official.labels)
    history = bare.code_history.set_index("code")
    # The codes of lists that are no more are never given again.
    gone = listed.cell_table.index[listed.cell_table["level"] == "lin"]
    assert (history.loc[gone, "to_version"] != "").all()
    assert (history.loc[official.cell_table.index, "to_version"] == "").all()


def test_levels_put_in_between_get_new_codes_and_that_is_said(official, atoms):
    first, _, last = NESTED.levels
    plan = divide(
        None, atoms, replace(NESTED, levels=(first, last)), near=official,
        upper={"cunshe": halves(atoms)}, counts={"zu": 31},
    )  # fmt: skip
    assert any("codes are new" in note for note in plan.notes)
