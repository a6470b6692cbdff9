"""Central Helsinki with its real population grid: people within 5 and 15 minutes of a service."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pyogrio
import pytest
import shapely

from geogrid import WalkNetwork, read_osm, stand_in_stations
from geogrid.io.estimate import estimate_households
from geogrid.io.limit import read_limit
from geogrid.stations import service_summary
from geogrid.stations.links import suggest_links
from geogrid.stations.why import explain_unserved


@pytest.fixture(scope="module")
def extract(helsinki_osm):
    return read_osm(helsinki_osm)


@pytest.fixture(scope="module")
def squares(shared_data, extract):
    """The squares of the grid whose middle lies in the extract; some of them jut out of it."""
    file = shared_data / "population" / "helsinki_population_grid.gpkg"
    grid = pyogrio.read_dataframe(file).to_crs(extract.crs)
    inside = shapely.intersects(extract.box, shapely.centroid(grid.geometry.to_numpy()))
    return grid[inside].reset_index(drop=True)


@pytest.fixture(scope="module")
def people(squares, extract):
    """The people of each square, in its dwellings by their floor area, to the last person."""
    homes = estimate_households(extract.buildings)
    homes = homes[homes["households"] > 0]
    home, square = squares.sindex.query(homes.geometry, predicate="within")
    places = [*homes.geometry.to_numpy()[home], *squares.geometry.centroid.to_numpy()]
    weight = np.concatenate([homes["households"].to_numpy(float)[home], np.zeros(len(squares))])
    owner = np.concatenate([square, np.arange(len(squares))])
    empty = np.bincount(owner, weights=weight)[owner] == 0
    weight[empty] = 1.0
    counts = np.zeros(len(places), dtype=np.int64)
    for number, total in enumerate(squares["population"]):
        rows = np.flatnonzero(owner == number)
        edges = np.rint(np.cumsum(weight[rows]) / weight[rows].sum() * total).astype(np.int64)
        counts[rows] = np.diff(edges, prepend=0)
    frame = gpd.GeoDataFrame({"households": counts}, geometry=places, crs=extract.crs)
    return frame[frame["households"] > 0].reset_index(drop=True)


@pytest.fixture(scope="module")
def stations(extract, helsinki_osm):
    district = read_limit(helsinki_osm.parent / "limit.geojson").district
    return stand_in_stations(extract, district)


@pytest.mark.parametrize("preset", ["adult", "elder", "gb50180"])
def test_everybody_is_served_or_unserved_and_five_minutes_lie_in_fifteen(
    extract, squares, people, stations, preset
):
    assert len(squares) == 19
    assert people["households"].sum() == squares["population"].sum() > 0
    network = WalkNetwork.from_osm(extract)
    reach = network.reach(stations, minutes=(5, 15), preset=preset, households=people)
    summary = service_summary(reach)
    five, fifteen = summary["limits"]
    print(preset, summary["households"], five, fifteen)
    total = int(squares["population"].sum())
    for row in (five, fifteen):
        assert row["served"] + row["unserved"] == summary["households"] == total
        assert 0 < row["served"] <= total
    assert five["served"] <= fifteen["served"]
    inside = reach.households["served_5"] & ~reach.households["served_15"]
    assert not inside.any()
    for limit in (5, 15):
        load = reach.stations[f"nearest_{limit}"].sum()
        assert load == reach.served_households(limit)
        assert reach.stations[f"only_here_{limit}"].sum() <= load
    closest = reach.households["metres"].fillna(np.inf)
    counted = reach.households["households"][closest <= reach.assumptions["limits_m"][0] + 1e-9]
    assert counted.sum() == five["served"]


def test_every_unserved_place_has_its_reason_and_links_never_serve_fewer(extract, people, stations):
    reach = WalkNetwork.from_osm(extract).reach(stations, minutes=(5, 15), households=people)
    unserved = reach.households.index[~reach.households["served_5"]][:10]
    for household in unserved:
        why = explain_unserved(reach, household=household, limit=5)
        assert why.answer != "served"
        assert why.text_zh.startswith("未服务")
    plan = suggest_links(reach, limit=5, extract=extract, k=3)
    assert plan.served_before <= plan.served_after <= plan.total
