import json
from dataclasses import asdict

import pytest

from geogrid import schemes
from geogrid.errors import InputError, MissingFileError
from geogrid.model.scheme import HouseholdBand, Level, Scheme
from geogrid.vocabulary import Contract

SOUND = """\
key = "mine"
title = "My own"

[[level]]
key = "pian"
name = "片"

[[level]]
key = "wangge"
name = "网格"
aliases = ["基础网格"]
households = { low = 300, high = 500, hard = true }
kinds = ["综合", "专属"]
code_width = 3
name_template = "{parent}-{n}"
head_title = "网格长"
may_span_parents = true
"""


def write(folder, text):
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return path


# Levels and counts of the source texts; None where a text states none.
STATED = {
    "lusong": {"qu": 1, "zhenjie": 8, "cunshe": 81, "pian": 470, "zu": 3161, "lin": 8032},
    "guangchang": {"xian": 1, "shequ": 10, "wangge": 68, "loudong": 646, "danyuan": 1841},
    "liuyang": {"shi": 1, "xiang": None, "cun": None, "zhibu": None, "wei": 32000},
    "hetang": {"qu": 1, "zhenjie": None, "shequ": None, "xiaoqu": 244, "loudong": 3800},
    "hulin": {"shi": 1, "cunshe": 90, "wangge": 390},
    "huayang": {"jiedao": 1, "shequ": 24, "zong": 24, "yiban": 307, "wei": 2289},
}
STATED_BANDS = {("lusong", "lin"): (5, 15), ("guangchang", "wangge"): (300, 500)}


def test_the_six_schemes_ship_with_the_levels_and_counts_of_their_texts():
    assert schemes.names() == tuple(sorted(STATED))
    for name, levels in STATED.items():
        scheme = schemes.load(name)
        assert {level.key: level.count for level in scheme.levels} == levels
        assert scheme.counts == {key: count for key, count in levels.items() if count}


@pytest.mark.parametrize("name", schemes.names())
def test_every_shipped_scheme_is_sound_and_names_itself(name):
    scheme = schemes.load(name)
    assert scheme.key == name
    assert scheme.source
    assert scheme.assumptions
    assert scheme.notes
    assert all(level.head_title for level in scheme.area_levels if not level.locked)


@pytest.mark.parametrize("name", schemes.names())
def test_a_band_that_no_text_states_is_soft_and_marked(name):
    for level in schemes.load(name).levels:
        if level.band is None:
            continue
        stated = STATED_BANDS.get((name, level.key))
        assert level.band.is_assumption == (stated is None)
        assert level.band.is_hard == (stated is not None)
        assert stated in (None, (level.band.low, level.band.high))


def test_contracts_are_those_of_the_systems():
    contracts = {
        (name, level.key): level.contract
        for name in schemes.names()
        for level in schemes.load(name).levels
        if level.contract is not Contract.AREA
    }
    assert contracts == {
        ("lusong", "lin"): Contract.ROSTER,
        ("guangchang", "loudong"): Contract.HOUSEHOLD,
        ("guangchang", "danyuan"): Contract.ROSTER,
        ("liuyang", "zhibu"): Contract.ROSTER,
        ("liuyang", "wei"): Contract.HOUSEHOLD,
        ("hetang", "xiaoqu"): Contract.HOUSEHOLD,
        ("hetang", "loudong"): Contract.HOUSEHOLD,
    }


def test_official_levels_are_locked_and_stand_on_top():
    for name in schemes.names():
        locked = [level.locked for level in schemes.load(name).levels]
        assert locked[0]
        assert locked == sorted(locked, reverse=True)


def test_official_levels_that_nobody_supplies_are_left_out():
    scheme = schemes.load("huayang")
    bare, whole = scheme.given(), scheme.given(["社区", "jiedao"])
    assert [level.key for level in bare.levels] == ["zong", "yiban", "wei"]
    assert bare.level("zong").one_to_one == ""
    # The district itself is the 街道.
    assert scheme.left_out(bare)[0].startswith("社区 shequ: official levels that nobody supplied")
    assert whole == scheme
    assert scheme.left_out(whole) == ()
    assert [one.key for one in scheme.given(["shequ"]).locked_levels] == ["shequ"]
    with pytest.raises(InputError, match="has no level nowhere"):
        scheme.without(["nowhere"])


def test_kinds_say_what_they_count_and_may_do():
    huayang, hulin = schemes.load("huayang").level("wei"), schemes.load("hulin").level("wangge")
    assert huayang.counted_in("街区") == "merchants"
    assert huayang.counted_in("居住") == "households"
    assert hulin.kinds == ("综合", "专属", "区域特色")
    assert hulin.spanning_kinds == ("区域特色",)
    assert dict(hulin.kind_totals) == {"专属": 2}


def test_huayang_has_three_area_levels_with_assumed_bands():
    scheme = schemes.load("huayang").given()
    assert [level.name for level in scheme.levels] == ["总网格", "一般网格", "微网格"]
    bands = [(level.band.low, level.band.high) for level in scheme.levels]
    assert bands == [(3800, 6400), (300, 500), (30, 100)]
    assert all(level.contract is Contract.AREA for level in scheme.levels)
    kinds = ("居住", "街区", "专属")
    assert [level.kinds for level in scheme.levels] == [("居住",), kinds, kinds]


@pytest.mark.parametrize("name", schemes.names())
def test_the_text_of_a_scheme_can_be_copied_and_read_again(name, tmp_path):
    path = tmp_path / "我的方案.toml"
    # Notepad on Windows writes a mark first.
    path.write_text(schemes.text(name), encoding="utf-8-sig")
    assert schemes.load(path) == schemes.load(name)


def test_a_scheme_survives_a_plan_file_s_json():
    for name in schemes.names():
        scheme = schemes.load(name)
        values = json.loads(json.dumps(asdict(scheme)))
        levels = [
            Level(
                **{
                    **one,
                    "aliases": tuple(one["aliases"]),
                    "kinds": tuple(one["kinds"]),
                    "contract": Contract(one["contract"]),
                    "band": None if one["band"] is None else HouseholdBand(**one["band"]),
                }
            )
            for one in values["levels"]
        ]
        assert Scheme(**{**values, "levels": tuple(levels)}) == scheme


def test_a_level_answers_to_its_alias():
    scheme = schemes.load("huayang")
    assert scheme.level("基础网格") is scheme.level("一般网格") is scheme.level("yiban")


def test_a_users_own_file_is_read_whole(tmp_path):
    scheme = schemes.load(write(tmp_path, SOUND))
    level = scheme.level("基础网格")
    assert scheme.key == "mine"
    assert scheme.levels[0].band is None
    assert (level.band.low, level.band.high, level.band.is_hard) == (300, 500, True)
    assert not level.band.is_assumption
    assert level.kinds == ("综合", "专属")
    assert level.code_width == 3
    assert level.head_title == "网格长"
    assert level.may_span_parents


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            'key = "pian"',
            'key = "pian"\nhead = "片长"',
            "line 6: level 1 has an unknown field head",
        ),
        ("title", "tittle", "line 2: the scheme has an unknown field tittle"),
        ('name = "片"\n', "", "line 4: level 1 has no name"),
        ('title = "My own"\n', "", "the scheme has no title"),
        ("code_width = 3", 'code_width = "3"', "line 14: code_width must be a whole number"),
        ("code_width = 3", "code_width = true", "line 14: code_width must be a whole number"),
        ("code_width = 3", "code_width = 0", "line 14: code_width must be 1 to 9 digits"),
        ('name = "网格"', 'name = "片"', "line 10: the name 片 is already used by level 1"),
        ('["基础网格"]', '["片"]', "line 11: the name 片 is already used by level 1"),
        ("low = 300", "low = 600", "line 12: the household band 600-500 is upside down"),
        ("low = 300", "low = -3", "line 12: a household band cannot have a negative end"),
        ("low = 300", "from = 300", "line 12: households takes low and high"),
        ("low = 300", 'low = "300"', "line 12: households takes low and high"),
        ("low = 300", "lowest = 300", r"line 12: .* \(did you mean low\?\)"),
        ("code_width", "codewidth", r"line 14: .*codewidth \(did you mean code_width\?\)"),
        ("code_width = 3", "count = 0", "line 14: count must be at least 1"),
        ("code_width = 3", 'locked = "yes"', "line 14: locked must be true or false"),
        ("code_width = 3", "locked = true", "line 14: 网格 is locked, an official level, but"),
        ("code_width = 3", 'one_to_one = "wei"', "line 14: one_to_one must be the key of the l"),
        ('"专属"]', '{ name = "专属", counts = "shops" }]', "line 13: a kind takes name, in_bal"),
        (
            '["综合", "专属"]',
            '[\n  "综合",\n  { name = "专属", in_balanc = false },\n]',
            r"line 15: a kind takes .*did you mean in_balance",
        ),
        ("{parent}-{n}", "{组}{n}", "line 15: name_template .* has the unknown field {组}"),
        (
            'name = "片"',
            'name = "片"\ncontract = "roster"',
            "line 9: area level 网格 lies below 片, a roster level",
        ),
        (
            'name = "片"',
            'name = "片"\nhouseholds = { low = 100, high = 400 }',
            "line 13: the band of 网格 is above that of its parent 片: low is 300 here and 100",
        ),
        (
            'name = "片"',
            'name = "片"\ncount = 700',
            "line 4: code_width 2 is too small: 700 cells in 1 of the district .* 3 digits",
        ),
        ('["综合", "专属"]', "[]", "line 13: kinds must be a list of texts"),
        ('["综合", "专属"]', "[1]", "line 13: kinds must be a list of texts"),
        ("{parent}-{n}", "{parent}", "line 15: name_template"),
        ("{parent}-{n}", "{number}", "line 15: name_template"),
        ("{parent}-{n}", "{n", "line 15: name_template"),
        ('"pian"', '"片"', "line 5: the key '片' must be small ASCII letters"),
        ('name = "片"', 'name = "片"\ncontract = "areal"', "line 7: contract must be one of area"),
        ('key = "mine"', 'key = "mine', "is not TOML.*line 1"),
    ],
)
def test_a_fault_names_its_line_and_what_is_wrong(tmp_path, old, new, says):
    assert old in SOUND
    path = write(tmp_path, SOUND.replace(old, new, 1))
    with pytest.raises(InputError, match=says) as caught:
        schemes.load(path)
    assert "mine.toml" in str(caught.value)
    assert "mine.toml 第 " in str(caught.value) or "不是 TOML" in str(caught.value)


def test_a_scheme_without_levels_is_refused(tmp_path):
    with pytest.raises(InputError, match="no level"):
        schemes.load(write(tmp_path, 'key = "mine"\ntitle = "x"\n'))
    with pytest.raises(InputError, match="line 3: no level is given"):
        schemes.load(write(tmp_path, 'key = "mine"\ntitle = "x"\nlevel = []\n'))


def test_an_unknown_name_lists_the_shipped_ones():
    with pytest.raises(MissingFileError, match="huayang"):
        schemes.load("nowhere")


def test_a_file_in_another_encoding_is_refused_plainly(tmp_path):
    path = tmp_path / "gbk.toml"
    path.write_bytes('key = "网格"'.encode("gbk"))
    with pytest.raises(InputError, match="UTF-8"):
        schemes.load(path)


def two_counts(folder, above, below, **more):
    lines = [f"count = {below}", *(f"{key} = {value!r}" for key, value in more.items())]
    text = SOUND.replace('name = "片"', f'name = "片"\ncount = {above}')
    return write(folder, text.replace("code_width = 3", "\n".join(lines)))


@pytest.mark.parametrize(
    ("above", "below", "more", "says"),
    [
        (70, 7000, {"code_width": 2}, "line 16: code_width 2 is too small: 7000 cells in 70 of 片"),
        (70, 60, {}, "line 15: count 60 of 网格 is below the 70 cells of 片"),
        (70, 71, {"one_to_one": "pian"}, "line 15: 网格 is one-to-one with 片, but counts 71"),
    ],
)
def test_counts_must_fit_their_parents_and_codes(tmp_path, above, below, more, says):
    with pytest.raises(InputError, match=says):
        schemes.load(two_counts(tmp_path, above, below, **more))


def test_counts_that_fit_are_read(tmp_path):
    path = two_counts(tmp_path, 70, 70, one_to_one="pian")
    assert schemes.load(path).counts == {"pian": 70, "wangge": 70}


def test_a_misspelt_name_is_guessed():
    with pytest.raises(MissingFileError, match="did you mean lusong"):
        schemes.load("Lusang")


def test_levels_of_households_keep_the_district_as_their_ground():
    for name, left in (("hetang", "区 小区 楼栋"), ("liuyang", "市 党支部 微网格")):
        given = schemes.load(name).given()
        assert [level.name for level in given.levels] == left.split()
        assert given.given() == given
    assert [level.name for level in schemes.load("lusong").given().levels] == ["片", "组", "邻"]
