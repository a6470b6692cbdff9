"""Exceptions as schemes, plans and people list them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from map_plans import make_plan

from geogrid import schemes
from geogrid.errors import InputError, MissingFileError
from geogrid.io.exceptions import read_exceptions
from geogrid.io.plan_file import read_plan, write_plan
from geogrid.model.scheme import ALLOWABLE, CellException
from geogrid.vocabulary import DefectKind

SCHEME = """\
key = "mine"
title = "My own"

[[level]]
key = "wangge"
name = "网格"
kinds = ["综合", { name = "专属", in_balance = false }, { name = "特色", may_span_parents = true }]

[[exception]]
code = "4303810001"
allows = ["spans_parents"]
reason = "垦地融合试点"
"""


def load(folder, text):
    path = folder / "mine.toml"
    path.write_text(text, encoding="utf-8")
    return schemes.load(path)


def test_a_scheme_says_which_kinds_differ_and_which_cells_are_exceptions(tmp_path):
    scheme = load(tmp_path, SCHEME)
    level = scheme.levels[0]
    assert level.kinds == ("综合", "专属", "特色")
    assert level.unbalanced_kinds == ("专属",)
    assert level.spanning_kinds == ("特色",)
    assert scheme.exceptions == (
        CellException(code="4303810001", allows=(DefectKind.SPANS_PARENTS,), reason="垦地融合试点"),
    )


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("in_balance = false", "balanced = false", "line 7: a kind takes name, in_balance"),
        ("in_balance = false", 'in_balance = "no"', "line 7: a kind takes name, in_balance"),
        ('{ name = "专属", ', "{ ", "line 7: kinds must be a list of texts"),
        ('"spans_parents"', '"gap"', "line 11: exception 4303810001 must name a cell and allow"),
        ('code = "4303810001"\n', "", "line 9: exception 1 has no code"),
        ('code = "4303810001"', "code = 43", "line 10: code must be text"),
        ("reason", "why", "line 12: exception 1 has an unknown field why"),
        ("[[exception]]", "[exception]", "exception must be a list"),
    ],
)
def test_a_fault_of_an_exception_names_its_line(tmp_path, old, new, says):
    assert old in SCHEME
    with pytest.raises(InputError, match=says):
        load(tmp_path, SCHEME.replace(old, new, 1))


def test_a_plan_file_keeps_what_its_scheme_allows(tmp_path):
    plan = make_plan()
    first, last = plan.scheme.levels
    scheme = replace(
        plan.scheme,
        levels=(first, replace(last, kinds=("普通", "专属"), unbalanced_kinds=("专属",))),
        exceptions=(CellException(code="43020101", reason="飞地"),),
    )
    path = write_plan(replace(plan, scheme=scheme), tmp_path / "plan.gpkg")
    assert read_plan(path).scheme == scheme


def test_the_shipped_special_kinds_stand_outside_the_balance():
    for level in schemes.load("huayang").levels[3:]:
        assert level.unbalanced_kinds == ("街区", "专属")


def test_codes_and_files_are_read_together(tmp_path):
    table = tmp_path / "例外.csv"
    table.write_bytes(
        "网格编码,允许,原因\n430001,跨上级网格、户数超限,园区\n430002,,\n".encode("gb18030")
    )
    plain = tmp_path / "more.txt"
    plain.write_text("430003\n\n430004\n", encoding="utf-8")
    found = read_exceptions(["007", str(table), str(plain)])
    assert [one.code for one in found] == ["007", "430001", "430002", "430003", "430004"]
    assert found[1].allows == (DefectKind.SPANS_PARENTS, DefectKind.OUT_OF_BAND)
    assert found[1].reason == "园区"
    assert found[0].allows == found[2].allows == found[4].allows == ALLOWABLE


def test_what_is_never_allowed_or_not_there_is_refused(tmp_path):
    table = tmp_path / "bad.csv"
    table.write_text("code,allows\n1,gap\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"bad\.csv, row 2: gap cannot be allowed"):
        read_exceptions([str(table)])
    with pytest.raises(MissingFileError, match="no file of exceptions"):
        read_exceptions([str(tmp_path / "none.csv")])
    table.write_bytes(b"\xff\xff\xff")
    with pytest.raises(InputError, match="cannot be decoded"):
        read_exceptions([str(table)])
