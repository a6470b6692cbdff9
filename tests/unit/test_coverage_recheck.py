"""The plain second proof agrees with the verifier, and both see a millimetre."""

# ruff: noqa: S608 - names of the layers of a file that the test has written
from __future__ import annotations

import inspect
import shutil
import sqlite3
from dataclasses import replace

import numpy as np
import pytest
import shapely
from map_plans import make_plan

from geogrid.coverage import verify_levels, verify_plan
from geogrid.coverage.recheck import recheck
from geogrid.io.plan_file import write_plan
from geogrid.io.stored_plan import read_stored_plan


@pytest.fixture
def plan_file(tmp_path):
    plan = make_plan(slant=0.125)
    certified = replace(plan, certificate=verify_plan(plan).certificate)
    return write_plan(certified, tmp_path / "plan.gpkg")


def verdicts(path):
    """What the verifier says of the layers as they lie in the file."""
    stored = read_stored_plan(path)
    report = verify_levels(stored.levels, stored.limit, limit_is_noded=True)
    area = report.certificate.limit_twice_area_mm2
    return {
        proof.level: proof.uncancelled == 0 and proof.twice_area_mm2 == area
        for proof in report.certificate.levels
    }


def shift_vertex(path, layer, step):
    with sqlite3.connect(path) as file:
        fid, blob = file.execute(f'SELECT fid, geom FROM "{layer}"').fetchone()
        head = 8 + (0, 32, 48, 48, 64)[blob[3] >> 1 & 7]
        xy = shapely.get_coordinates(shapely.from_wkb(blob[head:]))
        moved = np.where((xy == xy[0]).all(axis=1, keepdims=True), xy + step, xy)
        shape = shapely.set_coordinates(shapely.from_wkb(blob[head:]), moved)
        # The spatial index is kept by functions that only GDAL brings.
        for (name,) in file.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        new = blob[:head] + shapely.to_wkb(shape)
        file.execute(f'UPDATE "{layer}" SET geom = ? WHERE fid = ?', (new, fid))


def test_both_proofs_agree_on_a_sound_plan(plan_file):
    assert all(recheck(plan_file).values())
    assert recheck(plan_file) == verdicts(plan_file)


@pytest.mark.parametrize("step", [(0.001, 0), (0, -0.001)])
def test_a_millimetre_breaks_both_proofs(plan_file, tmp_path, step):
    for layer in recheck(plan_file):
        broken = shutil.copy(plan_file, tmp_path / f"{layer}.gpkg")
        shift_vertex(broken, layer, step)
        assert (
            recheck(broken)
            == verdicts(broken)
            == {name: name != layer for name in recheck(plan_file)}
        )


def test_a_limit_moved_by_a_millimetre_breaks_every_level(plan_file):
    shift_vertex(plan_file, "district", (0.001, 0))
    assert not any(recheck(plan_file).values())
    assert recheck(plan_file) == verdicts(plan_file)


def test_a_renamed_cell_is_not_the_one_that_was_certified(plan_file):
    level = next(iter(recheck(plan_file)))
    with sqlite3.connect(plan_file) as file:
        for (name,) in file.execute(
            "SELECT name FROM sqlite_master WHERE type='trigger'"
        ).fetchall():
            file.execute(f'DROP TRIGGER "{name}"')
        file.execute(f'UPDATE "{level}" SET code = code || "x" WHERE fid = 1')
    assert not recheck(plan_file)[level]


def test_the_second_proof_is_short():
    assert len(inspect.getsource(recheck).splitlines()) < 60
