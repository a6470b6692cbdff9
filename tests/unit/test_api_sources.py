"""Who reads what the files were called that a plan was made from."""

from __future__ import annotations

import pytest
from api_service import service
from map_plans import make_plan

from geogrid.io.plan_file import write_plan
from geogrid.model.source import Source

FILE = "张三上门登记表.xlsx"
STRANGE = "内部督办.csv"


@pytest.fixture
def made(tmp_path):
    sources = (
        Source(role="households", name=FILE, date="2026-05-01", is_estimated=True, note="估算"),
        Source(role="something", name=STRANGE, licence="ODbL-1.0", attribution="© 某局"),
    )
    path = write_plan(make_plan(sources=sources), tmp_path / "plan.gpkg")
    with service(path, tmp_path) as one:
        yield one


@pytest.mark.parametrize("path", ["/", "/map", "/api/plan", "/ogc/{plan}", "/api/v1/plans/{plan}"])
def test_the_public_never_reads_the_name_of_a_file(made, path):
    answer = made.nobody.get(path.format(plan=made.plan), headers={"Accept-Encoding": "identity"})
    assert answer.status_code == 200
    for name in (FILE, STRANGE, FILE.encode("unicode_escape").decode()):
        assert name not in answer.text


def test_the_public_reads_what_each_file_was_for_and_all_that_a_map_must_say(made):
    people, other = made.nobody.get(made.base).json()["sources"]
    assert (people["name"], people["date"], people["note"]) == ("住户", "2026-05-01", "估算")
    assert people["is_estimated"]
    assert (other["name"], other["licence"]) == ("其他资料", "ODbL-1.0")
    assert other["attribution"] == "© 某局"
    viewer = made.program("viewer", ("viewer", ""))
    assert viewer.get(made.base).json()["sources"] == [people, other]
    page = made.nobody.get("/map").text
    assert "© 某局" in page


def test_whoever_plans_reads_which_files_a_plan_was_made_from(made):
    planner = made.program("planner", ("planner", "430201"))
    told = planner.get(made.base).json()["sources"]
    assert [one["name"] for one in told] == [FILE, STRANGE]
