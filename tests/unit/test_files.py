from __future__ import annotations

import errno
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from pyogrio.errors import DataSourceError

from geogrid.errors import InputError, MissingFileError, OutputError
from geogrid.io.files import writing, writing_folder

ROOT = Path(__file__).resolve().parents[2]


def test_a_file_appears_only_when_it_is_complete(tmp_path):
    target = tmp_path / "plan.gpkg"
    with writing(target) as draft:
        assert draft.parent == tmp_path
        assert draft.suffix == ".gpkg"
        draft.write_text("half")
        assert not target.exists()
        draft.write_text("whole")
    assert target.read_text() == "whole"
    assert [file.name for file in tmp_path.iterdir()] == ["plan.gpkg"]


def _write_half(target: Path, error: Exception) -> None:
    with writing(target) as draft:
        draft.write_text("half")
        draft.with_name(draft.name + "-journal").write_text("half")
        raise error


def test_a_failure_keeps_the_old_file_and_leaves_no_draft(tmp_path):
    target = tmp_path / "plan.gpkg"
    target.write_text("old")
    with pytest.raises(RuntimeError, match="broken"):
        _write_half(target, RuntimeError("broken"))
    assert target.read_text() == "old"
    assert [file.name for file in tmp_path.iterdir()] == ["plan.gpkg"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (errno.ENOSPC, "the disk is full: free some space"),
        (errno.EDQUOT, "quota is used up"),
        (errno.EACCES, "no permission"),
        (errno.EROFS, "read-only"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_trouble_of_the_disk_is_one_plain_sentence(tmp_path, code, words):
    with pytest.raises(OutputError, match=f"plan.csv cannot be written: .*{words}"):
        _write_half(tmp_path / "plan.csv", OSError(code, "Input/output error"))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_while_flushing_leaves_nothing(tmp_path, monkeypatch):
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="disk is full"), writing(tmp_path / "a.csv") as draft:
        draft.write_text("whole")
    assert list(tmp_path.iterdir()) == []


def test_a_really_full_device_is_reported(tmp_path):
    def fill(target: Path) -> None:
        with writing(target) as draft:
            draft.symlink_to("/dev/full")
            draft.write_text("x" * 100_000)

    with pytest.raises(OutputError, match="disk is full"):
        fill(tmp_path / "a.csv")
    assert list(tmp_path.iterdir()) == []


def test_other_errors_of_geogrid_pass_unchanged(tmp_path):
    for kind in (InputError, MissingFileError):
        with pytest.raises(kind, match=r"^as it was$"):
            _write_half(tmp_path / "a.csv", kind("as it was"))


def test_a_missing_folder_and_a_folder_of_that_name_are_refused(tmp_path):
    with (
        pytest.raises(OutputError, match="does not exist: make it"),
        writing(tmp_path / "no" / "a.csv"),
    ):
        pass
    (tmp_path / "a.csv").mkdir()
    with (
        pytest.raises(OutputError, match="a folder has this name"),
        writing(tmp_path / "a.csv") as f,
    ):
        f.write_text("x")


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ("database or disk is full", "perhaps the disk is full: free some space"),
        ("DRAFT: strange", "choose another name or folder (TARGET: strange)"),
    ],
)
def test_a_library_that_cannot_write_names_the_users_file(tmp_path, said, words):
    target = tmp_path / "plan.gpkg"

    def fail() -> None:
        with writing(target) as draft:
            raise DataSourceError(said.replace("DRAFT", str(draft)))

    with pytest.raises(OutputError) as caught:
        fail()
    expected = f"{target} cannot be written: {words.replace('TARGET', str(target))}"
    assert str(caught.value).startswith(expected)
    assert ".plan-" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_a_library_in_a_folder_without_permission_does_not_blame_the_disk(tmp_path, monkeypatch):
    def refuse(path: Path, *_rest: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(OutputError) as caught:
        _write_half_unmade(tmp_path / "plan.gpkg")
    assert str(caught.value) == (
        f"{tmp_path / 'plan.gpkg'} cannot be written: there is no permission to write there: "
        "choose another folder"
    )


def _write_half_unmade(target: Path) -> None:
    with writing(target) as draft:
        message = f"sqlite3_open({draft}) failed: unable to open database file"
        raise DataSourceError(message)


@pytest.mark.skipif(not Path("/proc/self").is_dir(), reason="needs a folder that takes no file")
def test_a_target_where_no_file_can_be_made_is_refused_plainly():
    with pytest.raises(OutputError, match=r"^/proc/plan\.gpkg cannot be written: no file can be"):
        _write_half_unmade(Path("/proc/plan.gpkg"))


@pytest.mark.parametrize("name", [".", "/", "x" * 300, "a." + "x" * 250])
def test_strange_targets_are_refused_in_one_sentence(tmp_path, name):
    with (
        pytest.raises(OutputError, match=r"cannot be written: (a folder has|the name is too long)"),
        writing(tmp_path / name) as draft,
    ):
        draft.write_text("x")
    assert list(tmp_path.iterdir()) == []


def test_a_block_that_writes_nothing_is_an_error(tmp_path):
    with pytest.raises(OutputError), writing(tmp_path / "a.csv"):
        pass


def test_files_that_belong_together_appear_together(tmp_path):
    target = tmp_path / "shp"
    with writing_folder(target) as draft:
        (draft / "a.shp").write_text("1")
        (draft / "a.dbf").write_text("2")
        assert not target.exists()
    assert sorted(file.name for file in target.iterdir()) == ["a.dbf", "a.shp"]

    def fail() -> None:
        with writing_folder(target) as draft:
            (draft / "b.shp").write_text("1")
            raise OSError(errno.ENOSPC, "full")

    with pytest.raises(OutputError, match="disk is full"):
        fail()
    assert sorted(file.name for file in target.iterdir()) == ["a.dbf", "a.shp"]
    assert [file.name for file in tmp_path.iterdir()] == ["shp"]


QUOTA = """
import resource, sys
import geopandas as gpd
from shapely.geometry import box
from geogrid.errors import OutputError
from geogrid.io.plan_file import _write_layers
layer = gpd.GeoDataFrame({"a": range(3000)}, geometry=[box(i, 0, i + 1, 1) for i in range(3000)])
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
try:
    _write_layers({"atoms": layer}, sys.argv[1])
except OutputError as error:
    print(error)
"""


@pytest.mark.skipif(not hasattr(resource, "RLIMIT_FSIZE"), reason="needs a limit on file sizes")
def test_a_tiny_quota_stops_a_geopackage_and_leaves_nothing(tmp_path):
    run = subprocess.run(
        [sys.executable, "-c", QUOTA, str(tmp_path / "plan.gpkg")],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert run.stdout == (
        f"{tmp_path / 'plan.gpkg'} cannot be written: the file would be larger than allowed here: "
        "choose another folder\n"
    )
    assert list(tmp_path.iterdir()) == []
