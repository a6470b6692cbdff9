"""Whatever is asked of a division, everybody is in one cell of every level."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from strategies import atom_frames, grid_frame

from geogrid.coverage import verify_plan
from geogrid.divide import divide, rebalance
from geogrid.errors import InfeasibleError
from geogrid.model.atoms import Atoms
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

SCHEME = Scheme(
    key="all",
    title="",
    levels=(
        Level(key="cun", name="村"),
        Level(key="zhibu", name="支部", contract=Contract.ROSTER),
        Level(key="zu", name="组", band=HouseholdBand(low=10, high=30)),
        Level(key="lou", name="楼栋", contract=Contract.HOUSEHOLD),
        Level(key="lin", name="邻", contract=Contract.ROSTER, band=HouseholdBand(low=5, high=15)),
    ),
)


@st.composite
def places(draw):
    """Atoms with household points inside them, some rows of several households, some empty."""
    frame = draw(atom_frames())
    points = shapely.point_on_surface(frame.geometry.to_numpy())
    count = draw(st.integers(1, 60))
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    at = rng.integers(0, len(frame), count)
    homes = gpd.GeoDataFrame(
        {
            "household_id": [f"h{one}" for one in range(count)],
            "households": rng.choice([0, 1, 1, 1, 2, 17], count),
            "building": rng.choice(["", "b1", "b2", "b3"], count),
            "entrance": rng.integers(1, 3, count),
            "floor": rng.integers(1, 12, count),
        },
        geometry=points[at],
    )
    return Atoms.from_frame(frame), homes, rng


@given(places(), st.integers(1, 6), st.integers(1, 12))
def test_every_household_is_in_exactly_one_cell_of_every_level(place, zu, lin):
    atoms, homes, rng = place
    lived = homes[homes["households"] > 0]
    assume(len(lived) >= 1)
    try:
        plan = divide(None, atoms, SCHEME, households=homes, counts={"zu": zu, "lin": lin})
    except InfeasibleError:
        plan = divide(None, atoms, SCHEME, households=homes)
        zu = lin = 0
    for level in ("cun", "zu"):
        cells = plan.cells(level)
        assert cells["households"].sum() == homes["households"].sum()
    for level in ("zhibu", "lou", "lin"):
        members = plan.members(level)
        assert members["household_id"].is_unique
        assert set(lived["household_id"]) <= set(members["household_id"])
        assert members["households"].sum() == homes["households"].sum()
    if zu:
        assert len(plan.cells("zu")) == zu
        assert plan.members("lin")["code"].nunique() == lin
    assert verify_plan(plan).is_proven
    order = rng.permutation(len(homes))
    shuffled = Atoms.from_frame(atoms.frame.iloc[rng.permutation(len(atoms.frame))])
    counts = {"zu": zu, "lin": lin} if zu else None
    again = divide(None, shuffled, SCHEME, households=homes.iloc[order], counts=counts)
    for level in ("zhibu", "lin", "zu"):
        pd.testing.assert_frame_equal(again.members(level), plan.members(level))


@given(st.integers(2, 9), st.integers(1, 8), st.data())
def test_official_and_locked_geometry_stays_to_the_bit(columns, rows, data):
    counts = data.draw(
        st.lists(st.integers(0, 9), min_size=columns * rows, max_size=columns * rows)
    )
    atoms = Atoms.from_frame(grid_frame(columns, rows, counts))
    column = atoms.frame["atom_id"].str[1:4].astype(int).to_numpy()
    at = data.draw(st.integers(1, columns - 1))
    shapes = atoms.frame.geometry.to_numpy()
    official = gpd.GeoDataFrame(
        {"code": ["9", "8"]},
        geometry=[shapely.coverage_union_all(shapes[side]) for side in (column < at, column >= at)],
    )
    first = divide(None, atoms, SCHEME, upper={"cun": official})
    locked = first.labels[["zu"]].loc[lambda one: one["zu"] == one["zu"].iloc[0]]
    second = divide(None, atoms, SCHEME, upper={"cun": official}, locked=locked, seed=1)
    for plan in (first, second):
        cells = plan.cells("cun").set_index("code").geometry
        for code, shape in zip(official["code"], official.geometry, strict=True):
            normal = [shapely.to_wkb(shapely.normalize(one)) for one in (cells[code], shape)]
            assert normal[0] == normal[1]
    home = second.labels.loc[locked.index, "zu"]
    assert len(set(home)) == 1


@given(atom_frames(), st.integers(5, 40), st.integers(1, 4))
def test_rebalancing_keeps_cells_connected_and_what_is_in_the_band_inside(frame, low, parts):
    atoms = Atoms.from_frame(frame)
    assume(parts <= len(frame))
    scheme = Scheme(key="r", title="", levels=(Level(key="zu", name="组"),))
    plan = divide(None, atoms, scheme, counts={"zu": parts})
    before = plan.cells("zu")
    band = HouseholdBand(low=low, high=2 * low)
    try:
        after, moves = rebalance(plan, band=band)
    except InfeasibleError:
        return
    cells = after.cells("zu")
    pieces = [shapely.get_num_geometries(one.geometry.to_numpy()).sum() for one in (before, cells)]
    assert pieces[1] <= pieces[0]
    assert len(cells) == parts
    assert cells["households"].sum() == before["households"].sum()

    def beyond(table):
        counts = table["households"]
        return int((counts - band.high).clip(lower=0).sum() + (low - counts).clip(lower=0).sum())

    assert beyond(cells) == moves.attrs["beyond"]
    assert beyond(cells) <= beyond(before)
    if not beyond(cells):
        again, none = rebalance(after, band=band)
        assert again is after
        assert none.empty
        assert moves.attrs["moved"] >= moves.attrs["bound"]
