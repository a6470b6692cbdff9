"""One picture a station that says by itself what stands behind it."""

from __future__ import annotations

import io

import geopandas as gpd
import numpy as np
import pytest
from walk_cases import grid_streets, points

from geogrid.errors import OutputError
from geogrid.maps import _circle_picture as pictures
from geogrid.maps.circle_sheets import SheetFacts, circle_sheets, require_drawing
from geogrid.walking import WalkNetwork

pytest.importorskip("matplotlib")


def font_or_skip():
    try:
        require_drawing()
    except OutputError:
        pytest.skip("no font with Chinese signs is installed (Debian: fonts-noto-cjk)")


@pytest.fixture(scope="module")
def reach():
    font_or_skip()
    stations = points(
        (500, 500), (500, 480), (5000, 5000), (100, 100),
        station=["a", "A", "far", "../x"], tier=["社区", "站", "站", "站"],
    )  # fmt: skip
    walk = WalkNetwork.from_edges(grid_streets(11))
    homes = points((500, 500), (700, 500), (900, 900), households=[4, 30, 50])
    return walk.reach(stations, households=homes, minutes=(5, 15))


@pytest.fixture
def words(monkeypatch):
    """All words that pictures were given, one list a picture."""
    from matplotlib.figure import Figure  # noqa: PLC0415 - an optional dependency

    said: list[list[str]] = []
    plain = Figure.savefig

    def savefig(figure, *given, **options):
        found = [text.get_text() for text in figure.texts]
        found += [text.get_text() for axes in figure.axes for text in axes.texts]
        said.append(found)
        return plain(figure, *given, **options)

    monkeypatch.setattr(Figure, "savefig", savefig)
    return said


def test_every_station_has_a_picture_with_a_name_of_its_own(reach):
    names = {"A": "中心站", "a": "中心站", "../x": "a/b:c"}
    found = dict(circle_sheets(reach, SheetFacts(names=names)))
    assert sorted(found) == ["A_中心站_2.png", "a_中心站.png", "far.png", "x_a_b_c.png"]
    assert all(picture.startswith(b"\x89PNG") for picture in found.values())


def test_a_picture_says_what_stands_behind_it(reach, words):
    facts = SheetFacts(
        flags=["合成数据", "估算户数"],
        date="2024-05-01",
        is_synthetic=True,
        map_approval="GS(2024)1",
    )
    next(circle_sheets(reach, facts))
    said = "\n".join(words[0]).replace("\n", "")
    for word in (
        "编号 a", "社区", "5分钟、15分钟步行服务圈", "合成数据", "估算户数", "成人步行", "4.8 km/h",
        "5分钟 400 米", "15分钟 1200 米", "由住户走向服务站", "数据日期 2024-05-01",
        "审图号：GS(2024)1", "北 N", "250 米", "服务站 a", "程序生成",
    ):  # fmt: skip
        assert word in said, word
    next(circle_sheets(reach))
    said = "".join(words[1])
    assert "数据日期 未注明" in said
    assert "内部使用" in said
    assert "OpenStreetMap" in said


def test_counts_below_ten_are_not_written_as_numbers(reach, words):
    list(circle_sheets(reach))
    counts = [next(text for text in said if "户" in text or "路网" in text) for said in words]
    assert counts[0] == "5分钟：34 户可达，其中 0 户仅此一站；15分钟：84 户可达，其中 0 户仅此一站"
    lonely = reach.network.reach(
        reach.stations.iloc[[0]][["station", "geometry"]],
        households=points((500, 500), households=[4]),
        minutes=5,
    )
    list(circle_sheets(lonely))
    assert "5分钟：<10 户可达，其中 <10 户仅此一站" in words[-1]


def test_a_station_off_the_network_says_so(reach, words):
    list(circle_sheets(reach))
    said = "".join(words[2])
    assert "离路网过远" in said
    assert "没有服务圈" in said


def test_circles_of_metres_and_a_truncated_or_smoothed_one_are_named(words):
    font_or_skip()
    walk = WalkNetwork.from_edges(grid_streets(5))
    reach = walk.reach(points((0, 0)), minutes=None, metres=250, look="display")
    reach.stations["truncated"] = True
    list(circle_sheets(reach))
    said = "".join(words[0])
    for word in ("250米步行服务圈", "截断", "美化", "未给出住户"):
        assert word in said, word


def test_pictures_are_the_same_each_time_and_small_enough_to_send(reach):
    first, again = (dict(circle_sheets(reach)) for _ in range(2))
    assert first == again
    assert max(map(len, first.values())) < 1_000_000


def test_the_map_is_drawn_where_the_circle_is(reach):
    image = pytest.importorskip("matplotlib.image")
    pixels = image.imread(io.BytesIO(next(circle_sheets(reach))[1]))
    height, width = pixels.shape[:2]
    green = (pixels[..., 1] > pixels[..., 0] + 0.05) & (pixels[..., 1] > pixels[..., 2] + 0.05)
    middle = green[height // 4 : 3 * height // 4, width // 4 : 3 * width // 4]
    assert middle.mean() > 0.5
    assert green[: height // 12].mean() == 0


def test_holes_of_a_circle_stay_holes():
    ring = gpd.GeoSeries.from_wkt(["POLYGON((0 0,9 0,9 9,0 9,0 0),(3 3,6 3,6 6,3 6,3 3))"])
    path = pictures._outline(ring.iloc[0])  # noqa: SLF001 - how a hole is cut out
    turns = [_turn(part) for part in path.to_polygons()]
    assert np.sign(turns[0]) == -np.sign(turns[1])


def _turn(xy):
    return float(np.sum(xy[:-1, 0] * xy[1:, 1] - xy[1:, 0] * xy[:-1, 1]))


def test_a_machine_without_chinese_signs_is_told_what_to_install(reach, monkeypatch):
    monkeypatch.setattr(pictures, "_FONTS", ("No Such Font",))
    with pytest.raises(OutputError, match="fonts-noto-cjk"):
        next(circle_sheets(reach))
