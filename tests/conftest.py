"""Fixtures shared by all tests."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from map_plans import make_plan, make_reach, make_stations

from geogrid.io.plan_file import write_plan

ROOT = Path(__file__).resolve().parents[1]
CHROMIUM = Path("/usr/bin/chromium")
SHARED = ROOT.parent / "shared" / "data"
WEB_APP = ROOT / "geogrid" / "web" / "dist" / "app.js"

# The same commit gets the same verdict; "demand" is there to look for what nobody thought of.
settings.register_profile(
    "local",
    max_examples=25,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile(
    "ci",
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("demand", max_examples=500, deadline=None)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE", "ci" if os.environ.get("CI") == "true" else "local")
)


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real extracts that are not committed."""
    if not SHARED.is_dir():
        pytest.skip("the folder of test-only extracts (../shared/data) is not on this machine")
    return SHARED


@pytest.fixture(scope="session")
def helsinki_osm() -> Path:
    """The OSM extract that ships."""
    return ROOT / "data" / "helsinki" / "helsinki.osm.pbf"


@pytest.fixture(scope="module")
def browser():
    """Return Debian's Chromium, started once a file."""
    sync_api = pytest.importorskip("playwright.sync_api")
    if not CHROMIUM.exists():
        if os.environ.get("CI") == "true":
            pytest.fail("Chromium is missing: install the Debian package chromium")
        pytest.skip("Chromium (Debian package chromium) is not installed")
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()


@pytest.fixture(scope="module")
def plan_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small plan as a file, with stations, circles and who is served."""
    plan = make_plan()
    return write_plan(
        plan,
        tmp_path_factory.mktemp("plan") / "plan.gpkg",
        reach=make_reach(plan, unserved={}, near={"a00": 40}),
        stations=make_stations(),
    )


@pytest.fixture
def web_app() -> None:
    """Need the built web app."""
    if not WEB_APP.is_file():
        pytest.skip("the web app is not built: install geogrid from source with Node.js at hand")
