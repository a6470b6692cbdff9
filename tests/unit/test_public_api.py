"""The public names, pinned; and what importing them costs."""

from __future__ import annotations

import subprocess
import sys

import geogrid

NAMES = [
    "Atoms",
    "District",
    "GridPlan",
    "Reach",
    "Siting",
    "TileService",
    "WalkNetwork",
    "align",
    "barriers_of",
    "build_atoms",
    "compare",
    "divide",
    "divide_district",
    "errors",
    "estimate_households",
    "explain_unserved",
    "fetch_place",
    "limits_as_barriers",
    "make_place",
    "measure_quality",
    "measure_service",
    "number_plan",
    "partition_atoms",
    "read_households",
    "read_layer",
    "read_limit",
    "read_osm",
    "read_stations",
    "rebalance",
    "repair_coverage",
    "schemes",
    "site_stations",
    "stand_in_stations",
    "suggest_links",
    "unify",
    "verify_coverage",
    "verify_plan",
    "vocabulary",
    "what_if",
    "write_map",
]


def test_the_public_names_are_these():
    assert geogrid.__all__ == NAMES


def test_every_public_name_is_there_and_documented():
    for name in NAMES:
        assert getattr(geogrid, name).__doc__, name


def test_a_function_is_not_hidden_by_the_package_of_its_name():
    code = (
        "import geogrid.workflow, geogrid.compare.align, geogrid; "
        "assert all(map(callable, (geogrid.divide, geogrid.compare, geogrid.align)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_importing_geogrid_alone_loads_nothing_heavy():
    code = (
        "import sys, geogrid; "
        "assert not {'folium', 'osmnx', 'fastapi', 'geopandas', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_the_parts_for_analysts_need_no_web_library():
    code = (
        "import sys, geogrid; geogrid.divide, geogrid.verify_coverage, geogrid.WalkNetwork; "
        "assert not {'folium', 'osmnx', 'fastapi', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_server_starts_without_what_only_jobs_need():
    code = (
        "import sys, geogrid.cli.plan_commands, geogrid.api.app; "
        "assert not {'folium', 'highspy', 'matplotlib', 'numba', 'scipy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
