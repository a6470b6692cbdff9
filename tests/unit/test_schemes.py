import pytest

from geogrid import schemes
from geogrid.errors import InputError, MissingFileError
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


def test_huayang_ships():
    assert "huayang" in schemes.names()
    assert list(schemes.names()) == sorted(schemes.names())


@pytest.mark.parametrize("name", schemes.names())
def test_every_shipped_scheme_is_sound_and_names_itself(name):
    scheme = schemes.load(name)
    assert scheme.key == name
    assert scheme.source
    assert all(level.head_title for level in scheme.area_levels)


def test_huayang_has_three_area_levels_with_assumed_bands():
    scheme = schemes.load("huayang")
    assert [level.name for level in scheme.levels] == ["总网格", "一般网格", "微网格"]
    bands = [(level.band.low, level.band.high) for level in scheme.levels]
    assert bands == [(3800, 6400), (300, 500), (30, 100)]
    assert all(level.band.is_assumption and not level.band.is_hard for level in scheme.levels)
    assert all(level.contract is Contract.AREA for level in scheme.levels)
    assert all(level.kinds == ("居住", "街区", "专属") for level in scheme.levels)


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
        ("low = 300", "from = 300", "line 12: households takes low, high"),
        ("low = 300", 'low = "300"', "line 12: households takes low, high"),
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
