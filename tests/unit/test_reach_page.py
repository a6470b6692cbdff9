"""A page of circles without a plan: offline, labelled, and without a small count."""

from __future__ import annotations

import re

import pytest
from walk_cases import grid_streets, points

from geogrid.errors import OutputError
from geogrid.maps.circle_sheets import require_drawing
from geogrid.maps.reach_page import reach_page
from geogrid.model.source import Source
from geogrid.walking import WalkNetwork

pytest.importorskip("matplotlib")


@pytest.fixture(scope="module")
def walk():
    try:
        require_drawing()
    except OutputError:
        pytest.skip("no font with Chinese signs is installed (Debian: fonts-noto-cjk)")
    return WalkNetwork.from_edges(grid_streets(6))


def without_picture(page):
    return re.sub(r'src="data:[^"]*"', "", page)


def test_a_page_says_who_is_served_and_hides_small_counts(walk):
    homes = points((0, 0), (500, 500), households=[7, 40])
    stations = points((0, 0), (500, 400), station=["<b>", "B"])
    reach = walk.reach(stations, households=homes, minutes=(5, 15))
    sources = [Source(role="osm", name="x", date="2024-03-01", is_synthetic=True)]
    page = without_picture(
        reach_page(reach, names={"B": "二号站"}, sources=sources, told={"坡度": "无"})
    )
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    assert "二号站" in page
    assert "合成数据" in page
    assert "成人步行" in page
    assert "内部使用" in page
    assert '<td class="n">7</td>' not in page
    assert page.count('<td class="n">&lt;10</td>') == 2
    assert "5分钟：已服务 47 / 47 户（100.0%），盲区 0 户" in page
    assert "http" + "://" not in page
    assert "script" not in page


def test_a_small_blind_spot_cannot_be_computed_from_the_rest(walk):
    homes = points((0, 0), (500, 500), households=[40, 7])
    reach = walk.reach(points((0, 0)), households=homes, minutes=(5, 15))
    page = without_picture(reach_page(reach))
    assert "5分钟：盲区 &lt;10 户<" in page
    assert not re.search(r"\b(7|47)\b", page.split("15分钟：")[0].split("<ul>")[1])


def test_the_picture_of_all_stations_says_what_it_leaves_out(walk, monkeypatch):
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency

    said = []
    plain = Figure.savefig

    def savefig(figure, *given, **options):
        said.extend(text.get_text() for text in figure.texts)
        return plain(figure, *given, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    reach = walk.reach(points((0, 0), (500, 500)), look="display")
    reach.stations["truncated"] = [True, False]
    reach_page(reach)
    text = "".join(said)
    for word in ("2 个服务站", "1 个服务圈", "截断", "美化", "5分钟 400 米"):
        assert word in text, word


def test_a_page_without_households_or_circles_is_drawn(walk):
    page = reach_page(walk.reach(points((9000, 0), station=["far"]), minutes=None, metres=300))
    assert "未给出住户" in page
    assert "离路网过远" in without_picture(page)
    assert "data:image/png" in page
