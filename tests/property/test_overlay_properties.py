"""What must hold of any two layers over the same or other ground."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from shapely import box
from strategies import cell_frames

from geogrid.compare import align, compare, unify
from geogrid.compare.overlay import overlay

LIMIT = box(0, 0, 1000, 1000)
shifts = st.sampled_from([(0.0, 0.0), (0.37, -1.25), (40.0, 13.0), (39_500_000.0, 3_076_603.0)])
points = st.lists(
    st.tuples(st.integers(-100, 1100), st.integers(-100, 1100), st.integers(0, 9)),
    min_size=1,
    max_size=20,
)


def layer(frame):
    return frame.rename(columns={"atom_id": "code"})[["code", "geometry"]]


def homes(rows, shift=(0.0, 0.0)):
    x, y, counts = np.array(rows, dtype=int).reshape(-1, 3).T
    table = gpd.GeoDataFrame({"households": counts}, geometry=gpd.points_from_xy(x, y))
    return table.set_geometry(table.translate(*shift))


@given(cell_frames(), points)
def test_identical_layers_change_nothing(frame, rows):
    same = layer(frame)
    answer = compare(same, same, households=homes(rows))
    assert answer.is_unchanged
    assert (answer.crosswalk["old"] == answer.crosswalk["new"]).all()
    assert (answer.crosswalk["share"] == 1).all()
    one = unify({"a": same, "b": same}, LIMIT, households=homes(rows))
    # The strategy leaves out specks of a hundredth of a square metre: they are true gaps.
    assert set(one.conflicts["kind"]) <= {"unclaimed"}
    assert one.conflicts["area_m2"].sum() < 0.1
    assert (one.crosswalk.query("area_m2 > 0")["weight"] == 1).all()
    assert (one.crosswalk["old"] == one.crosswalk["new"]).all()
    fitted = align(same, same, tolerance_m=5)
    assert fitted.is_fitted
    assert fitted.changes.empty
    for cells in (one.cells, fitted.cells):
        moved = shapely.symmetric_difference(cells.geometry.to_numpy(), same.geometry.to_numpy())
        assert shapely.area(moved).sum() <= one.conflicts["area_m2"].sum()


@given(cell_frames(), points, st.randoms(use_true_random=False))
def test_new_numbers_in_any_order_are_renumberings_and_nothing_else(frame, rows, random):
    old = layer(frame)
    codes = list(old["code"])
    random.shuffle(codes)
    new = old.assign(code=codes).sample(frac=1, random_state=random.randrange(999))
    answer = compare(old, new, households=homes([row for row in rows if on_no_border(row, old)]))
    given_codes = dict(zip(old["code"], codes, strict=True))
    pairs = dict(zip(answer.crosswalk["old"], answer.crosswalk["new"], strict=True))
    assert pairs == given_codes
    changed = {one: two for one, two in given_codes.items() if one != two}
    assert dict(answer.renumbered.to_numpy().tolist()) == changed
    assert set(answer.unchanged) == set(given_codes) - set(changed)
    assert answer.frame.empty


def on_no_border(row, cells):
    place = shapely.Point(row[:2])
    return not shapely.intersects(shapely.boundary(cells.geometry.to_numpy()), place).any()


@given(cell_frames(), cell_frames(), shifts, points)
def test_a_comparison_adds_up(one, two, shift, rows):
    old, new = layer(one), layer(two)
    new = new.set_geometry(new.translate(*(shift if shift[0] < 1e6 else (0.0, 0.0))))
    people = homes(rows)
    answer = compare(old, new, households=people)
    table = answer.crosswalk
    sums = table[table["old"] != ""].groupby("old")["share"].sum()
    assert sorted(sums.index) == sorted(old["code"])
    assert sums.to_numpy() == pytest.approx(1)
    by_old = table.groupby("old")["area_m2"].sum().drop("", errors="ignore")
    # Noding moves each border by less than a millimetre.
    assert np.allclose(by_old, old.set_index("code").area.sort_index(), atol=0.001 * 4000)
    held = shapely.intersects(shapely.union_all([*old.geometry, *new.geometry]), people.geometry)
    assert table["households"].sum() == people.loc[held, "households"].sum()
    assert answer.moved["households"].sum() <= table["households"].sum()


@given(cell_frames(), cell_frames(), shifts, points)
def test_a_unification_is_proven_and_its_weights_sum_to_one(one, two, shift, rows):
    inner = shift if shift[0] < 1e6 else (0.0, 0.0)
    base = shift if shift[0] > 1e6 else (0.0, 0.0)
    first, second = layer(one), layer(two)
    second = second.set_geometry(second.translate(*inner))
    layers = {
        "a": first.iloc[1:] if len(first) > 1 else first,
        "b": second,
    }
    moved = {name: table.set_geometry(table.translate(*base)) for name, table in layers.items()}
    limit = shapely.transform(LIMIT, lambda xy: xy + base)
    people = homes(rows, base)
    answer = unify(moved, limit, households=people)
    assert answer.report.certificate.is_proof
    sums = answer.crosswalk.groupby(["layer", "old"])["weight"].sum()
    assert len(sums) == sum(len(table) for table in layers.values())
    assert sums.to_numpy() == pytest.approx(1)
    inside = shapely.intersects(answer.limit, people.geometry.to_numpy())
    assert answer.cells["households"].sum() == people.loc[inside, "households"].sum()
    assert answer.cells["area_m2"].sum() == pytest.approx(limit.area, abs=4)


@given(cell_frames(), cell_frames(), st.sampled_from([0.5, 5.0, 60.0]))
def test_aligned_cells_are_proven_and_what_does_not_fit_is_listed(one, two, tolerance):
    cells, reference = layer(one), layer(two)
    answer = align(cells, reference, tolerance_m=tolerance)
    assert answer.report.certificate.is_proof
    assert answer.cells["code"].tolist() == sorted(cells["code"])
    assert not answer.cells.geometry.is_empty.any()
    assert answer.cells["area_m2"].sum() == pytest.approx(cells.area.sum(), abs=4)
    left = misfit_area(answer, reference)
    assert left <= answer.unfitted["area_m2"].sum() + 4
    assert (answer.changes["width_m"] <= tolerance * 1.01).all()


def misfit_area(answer, reference):
    """Area of fitted cells outside the main counterpart of the finer side."""
    faces = overlay([answer.cells.geometry.to_numpy(), reference.geometry.to_numpy()])
    key, other = faces.owner.T if answer.direction == "cells_in_reference" else faces.owner.T[::-1]
    area = np.zeros((key.max() + 2, other.max() + 2))
    np.add.at(area, (key, other), shapely.area(faces.faces))
    return area.sum() - area.max(axis=1).sum()
