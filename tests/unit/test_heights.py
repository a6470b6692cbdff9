"""Grids of heights: evened out between cells, unknown where nothing is known, read from .asc."""

from __future__ import annotations

import numpy as np
import pytest

from geogrid.errors import InputError, MissingFileError
from geogrid.io.heights import read_heights
from geogrid.model.heights import HeightGrid

GRID = """ncols 3
nrows 2
xllcorner 100
yllcorner 200
cellsize 10
NODATA_value -9999
1 2 3
5 6 -9999
"""


@pytest.fixture
def write(tmp_path):
    def write_text(text, name="dem.asc"):
        file = tmp_path / name
        file.write_text(text, encoding="utf-8")
        return file

    return write_text


def test_heights_rise_evenly_between_the_middles_of_cells(write):
    grid = read_heights(write(GRID))
    places = np.array([(105, 205), (105, 215), (110, 215), (105, 210), (110, 210), (100, 220)])
    assert grid.at(places.astype(float)).tolist() == [5, 1, 1.5, 3, 3.5, 1]
    assert grid.name == "dem.asc"


def test_heights_are_unknown_outside_and_beside_unknown_cells(write):
    grid = read_heights(write(GRID))
    places = np.array([(99, 205), (131, 215), (105, 199), (105, 221), (121, 205), (125, 214)])
    assert np.isnan(grid.at(places.astype(float))).all()
    assert grid.at(np.array([[125.0, 215.0], [115.0, 205.0]])).tolist() == [3, 6]


def test_a_grid_may_be_placed_by_the_middle_of_its_corner_cell(write):
    text = GRID.replace("xllcorner 100", "xllcenter 105").replace("yllcorner 200", "yllcenter 205")
    assert read_heights(write(text)).west == 100
    assert read_heights(write(text)).south == 200


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (GRID.replace("cellsize 10\n", ""), "no line cellsize"),
        (GRID.replace("yllcorner 200\n", ""), "no line yllcorner"),
        (GRID.replace("nrows 2", "nrows 3"), "holds 6 heights instead of 3 x 3"),
        (GRID.replace("5 6", "5 high"), "no number"),
        (GRID.replace("10\n", "0.001\n").replace("100", "113.1"), "in degrees"),
        (GRID.replace("cellsize 10", "cellsize -10"), "lie nowhere"),
    ],
)
def test_grids_that_cannot_be_used_are_refused(write, text, reason):
    with pytest.raises(InputError, match=reason):
        read_heights(write(text))


def test_other_formats_and_missing_files_are_refused(write, tmp_path):
    with pytest.raises(InputError, match=r"no \.asc grid"):
        read_heights(write("", "dem.tif"))
    with pytest.raises(MissingFileError):
        read_heights(tmp_path / "none.asc")


def test_heights_need_rows_and_columns():
    with pytest.raises(InputError, match="rows and columns"):
        HeightGrid(values=np.zeros(4), west=0, south=0, cell_m=10)
