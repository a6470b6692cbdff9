"""What holds for every small synthetic place."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.errors import InfeasibleError
from geogrid.synthetic import PlaceSpec, Unit, make_place
from geogrid.synthetic._draws import apportion
from geogrid.walking import WalkNetwork


@st.composite
def specs(draw):
    """Small districts of one to three towns, with or without villages, river and railway."""
    towns = draw(st.integers(1, 3))
    units = []
    for town in range(towns):
        communities = draw(st.integers(0 if town else 1, 3))
        villages = draw(st.integers(0 if communities else 1, 3))
        for number in range(communities + villages):
            is_rural = number >= communities
            code = f"9900010{town:02d}{number + (200 if is_rural else 1):03d}"
            units.append(
                Unit(
                    code=code,
                    name=f"试{town}{number}{'村' if is_rural else '社区'}",
                    is_rural=is_rural,
                    town_code=code[:9],
                    town_name=f"试{town}镇",
                )
            )
    return PlaceSpec(
        key="tiny",
        title="试区（合成数据）",
        name="试区",
        code="990001",
        location=(113.1, 27.8),
        area_km2=draw(st.floats(4.0, 12.0)),
        households=draw(st.integers(200, 900)),
        units=tuple(units),
        levels=("zhen", "cun"),
        urban_share=draw(st.floats(0.3, 0.8)),
        density=draw(st.floats(400.0, 2000.0)),
        compounds=draw(st.integers(0, 2)),
        village_style=draw(st.sampled_from(["dispersed", "compact"])),
        river_m=draw(st.sampled_from([0.0, 50.0])),
        bridges=draw(st.integers(1, 3)),
        has_railway=draw(st.booleans()),
    )


def made(spec, seed=0):
    """The place, or skip a spec that its area cannot hold: that is said, never built wrongly."""
    try:
        return make_place(spec, seed=seed)
    except InfeasibleError:
        assume(False)  # noqa: FBT003 - Hypothesis' own signature
        raise


@given(spec=specs(), seed=st.integers(0, 1000))
def test_households_are_exact_and_in_their_buildings(spec, seed):
    place = made(spec, seed)
    assert len(place.households) == spec.households
    assert int(place.buildings["households"].sum()) == spec.households
    homes = place.buildings.set_index("osm_id").geometry.loc[place.households["building"]]
    assert shapely.contains(homes.to_numpy(), place.households.geometry.to_numpy()).all()


@given(spec=specs())
def test_buildings_never_meet_each_other_streets_water_or_the_limit(spec):
    place = made(spec)
    shapes = place.buildings.geometry.to_numpy()
    left, right = shapely.STRtree(shapes).query(shapes, predicate="intersects")
    assert not (left < right).any()
    for table in (place.extract.streets, place.extract.waters, place.extract.rails):
        assert not table.sindex.query(shapes, predicate="intersects").size
    assert shapely.contains_properly(place.district.limit, shapes).all()


@given(spec=specs(), seed=st.integers(0, 1000))
def test_the_same_seed_makes_the_same_place(spec, seed):
    one, two = made(spec, seed), made(spec, seed)
    for name in ("households", "buildings", "stations", "groups", "compounds"):
        left, right = getattr(one, name), getattr(two, name)
        assert left.drop(columns="geometry").equals(right.drop(columns="geometry"))
        assert shapely.to_wkb(left.geometry.to_numpy()).tolist() == (
            shapely.to_wkb(right.geometry.to_numpy()).tolist()
        )


@given(spec=specs())
def test_official_cells_tile_the_limit(spec):
    place = made(spec)
    for cells in place.upper.values():
        assert cells.geometry.area.sum() == pytest.approx(place.district.limit.area, rel=1e-9)
        assert set(cells.geom_type) == {"Polygon"}
        assert int(cells["households"].sum()) == spec.households
    assert {unit.code for unit in spec.units} == set(place.upper["cun"]["code"])


@given(spec=specs())
def test_one_network_reaches_everybody_but_beyond_a_river(spec):
    place = made(spec)
    network = WalkNetwork.from_osm(place.extract)
    links = coo_array((np.ones(len(network.u)), (network.u, network.v)), [len(network.xy)] * 2)
    _, label = connected_components(links, directed=False)
    metres = np.bincount(label[network.u], network.length_m)
    has_bridge = place.extract.streets["is_bridge"].any()
    assert metres.max() / metres.sum() >= 0.97 or (spec.river_m > 0 and not has_bridge)


@given(
    total=st.integers(0, 500),
    rows=st.lists(st.tuples(st.floats(0, 10), st.integers(0, 100)), min_size=1, max_size=20),
)
def test_apportion_gives_all_and_keeps_the_caps(total, rows):
    weights = np.array([weight for weight, _ in rows])
    caps = np.array([cap for _, cap in rows])
    assume(total <= caps.sum())
    shares = apportion(total, weights, caps)
    assert shares.sum() == total
    assert ((shares >= 0) & (shares <= caps)).all()
