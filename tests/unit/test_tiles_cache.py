"""The cache of tiles: what it keeps, what it drops, what later versions find in it."""

from __future__ import annotations

import gzip
import threading
from functools import partial

import numpy as np
import pytest
from tile_cases import cell_table, tiles_of, wound_lattice

from geogrid.errors import InputError
from geogrid.planar.edges import dissolve
from geogrid.tiles import TileCache, TileKey, TileSet, TouchedTiles, cell_source


def key(version="v1", x=3, y=4, *, layer="cells", plan="plan"):
    return TileKey(plan, version, layer, 12, x, y)


def touching(*tiles, layer="cells", zoom=12):
    boxes = [[x * 4096 + 900, y * 4096 + 900, x * 4096 + 950, y * 4096 + 950] for x, y in tiles]
    return TouchedTiles({(layer, zoom): np.array(boxes)})


def no_tile(*place):
    pytest.fail(f"tile {place} was made again")


def test_a_tile_is_made_once():
    cache = TileCache()
    made = []

    def make(*place):
        made.append(place)
        return b"tile"

    assert [cache.get_or_make(key(), make) for _ in range(3)] == [b"tile"] * 3
    assert made == [(12, 3, 4)]


def test_an_empty_tile_is_kept_too():
    cache = TileCache()
    assert cache.get(key()) is None
    cache.put(key(), b"")
    assert cache.get(key()) == b""
    assert cache.get_or_make(key(), no_tile) == b""


def test_the_tiles_used_longest_ago_go_first():
    cache = TileCache(room=3 * (1000 + 400))
    for x in range(3):
        cache.put(key(x=x), bytes(1000))
    cache.get(key(x=0))
    cache.put(key(x=3), bytes(1000))
    assert [cache.get(key(x=x)) is not None for x in range(4)] == [True, False, True, True]
    assert cache.used <= cache.room
    assert len(cache) == 3


def test_a_tile_larger_than_all_the_room_is_given_but_not_kept():
    cache = TileCache(room=100)
    assert cache.get_or_make(key(), lambda *_: bytes(1000)) == bytes(1000)
    assert (len(cache), cache.used) == (0, 0)


def test_putting_a_tile_again_counts_it_once():
    cache = TileCache()
    cache.put(key(), bytes(1000))
    cache.put(key(), bytes(10))
    assert cache.used == 10 + 400


def test_a_later_version_finds_every_tile_but_those_an_edit_touched():
    cache = TileCache()
    for x in range(4):
        cache.put(key(x=x), b"old %d" % x)
    used = cache.used
    cache.carry_over("plan", "v1", "v2", touching((1, 4)))
    assert [cache.get(key("v2", x=x)) for x in range(4)] == [b"old 0", None, b"old 2", b"old 3"]
    assert cache.used == used
    cache.put(key("v2", x=1), b"new 1")
    assert (cache.get(key("v1", x=1)), cache.get(key("v2", x=1))) == (b"old 1", b"new 1")


def test_tiles_are_carried_over_many_edits_and_along_two_branches():
    cache = TileCache()
    cache.put(key("v0"), b"first")
    for number in range(200):
        cache.carry_over("plan", f"v{number}", f"v{number + 1}", touching((9, 9)))
    cache.carry_over("plan", "v0", "other", touching((3, 4)))
    assert cache.get(key("v200")) == b"first"
    assert cache.get(key("other")) is None
    # What a late version makes of an untouched tile is there for the early ones.
    cache.put(key("v200", x=5), b"late")
    assert cache.get(key("v0", x=5)) == b"late"


def test_old_versions_are_given_up_and_what_is_still_shown_of_them_stays():
    cache = TileCache(steps=8)
    for x in range(4):
        cache.put(key("v0", x=x), b"first %d" % x)
    cache.put(key("v0", x=9), b"touched once and never asked for again")
    lengths = []
    for number in range(100):
        touched = [(number % 3, 4)] + [(9, 4)] * (number == 3)
        cache.carry_over("plan", f"v{number}", f"v{number + 1}", touching(*touched))
        newest = f"v{number + 1}"
        assert cache.get(key(newest, x=3)) == b"first 3"
        assert cache.get(key(newest, x=number % 3)) is None
        cache.put(key(newest, x=number % 3), b"%d" % number)
        lengths.append(len(cache))
    assert [cache.get(key("v100", x=x)) for x in range(4)] == [b"99", b"97", b"98", b"first 3"]
    assert max(lengths) <= 5 + 8
    assert cache.used <= (5 + 8) * (400 + len(b"first 3"))
    assert cache.get(key("v100", x=9)) is None
    # Whoever still looks at an old version has its tiles made again.
    assert cache.get(key("v0", x=0)) is None


def test_touched_tiles_of_one_layer_leave_the_others_alone():
    cache = TileCache()
    for layer in ("cells", "base"):
        cache.put(key(layer=layer), b"old")
    cache.carry_over("plan", "v1", "v2", touching((3, 4)))
    assert cache.get(key("v2")) is None
    assert cache.get(key("v2", layer="base")) == b"old"
    assert cache.get(key("v2", plan="another plan", layer="base")) is None


@pytest.mark.parametrize("new", ["v1", "v2", "v3"])
def test_a_version_is_not_carried_over_to_one_before_it(new):
    cache = TileCache()
    cache.carry_over("plan", "v1", "v2", TouchedTiles())
    cache.carry_over("plan", "v2", "v3", TouchedTiles())
    with pytest.raises(InputError, match="is not newer than"):
        cache.carry_over("plan", "v3", new, TouchedTiles())


def test_tiles_in_a_folder_outlive_the_process(tmp_path):
    TileCache(folder=tmp_path).put(key(), b"tile")
    later = TileCache(folder=tmp_path)
    assert later.get_or_make(key(), no_tile) == b"tile"
    assert later.get(key("v2")) is None
    later.carry_over("plan", "v1", "v2", TouchedTiles())
    assert later.get(key("v2")) == b"tile"


def test_no_name_of_a_plan_leads_out_of_the_folder(tmp_path):
    folder = tmp_path / "tiles"
    cache = TileCache(folder=folder)
    cache.put(key("../../v1", plan="../../../etc/plan", layer="/cells"), b"tile")
    assert [path.name for path in tmp_path.iterdir()] == ["tiles"]
    assert [path.read_bytes() for path in folder.rglob("*") if path.is_file()] == [b"tile"]


def test_a_folder_that_cannot_be_written_to_costs_no_tile(tmp_path, caplog):
    blocked = tmp_path / "file"
    blocked.write_text("no folder")
    cache = TileCache(folder=blocked)
    assert cache.get_or_make(key(), lambda *_: b"tile") == b"tile"
    assert cache.get(key()) == b"tile"
    assert "kept in memory only" in caplog.text


def test_a_write_that_fails_leaves_no_half_tile(tmp_path, monkeypatch):
    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pathlib.Path.replace", fail)
    TileCache(folder=tmp_path).put(key(), b"tile")
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_many_askers_at_once_get_one_tile_made_once():
    cache = TileCache()
    made, found = [], []
    started = threading.Event()

    def make(*place):
        started.wait(5)
        made.append(place)
        return b"tile"

    askers = [
        threading.Thread(target=lambda: found.append(cache.get_or_make(key(), make)))
        for _ in range(8)
    ]
    for one in askers:
        one.start()
    started.set()
    for one in askers:
        one.join()
    assert (len(made), found) == (1, [b"tile"] * 8)


def test_an_edit_makes_only_its_own_tiles_anew():
    cells = wound_lattice(12, wander=0.01)
    groups = np.arange(len(cells))
    moved = groups.copy()
    moved[0] = 1
    names, after = np.unique(moved, return_inverse=True)
    codes = [f"4301{name:03d}" for name in range(len(cells))]
    older, newer = (
        TileSet({"cells": (cell_source("wei", cell_table(shapes, some), zooms=(16, 16)),)})
        for shapes, some in (
            (cells, codes),
            (dissolve(cells, after), [codes[name] for name in names]),
        )
    )
    cache = TileCache()
    tiles = list(tiles_of(older.groups["cells"][0], 16))
    for x, y in tiles:
        cache.get_or_make(TileKey("plan", "v1", "cells", 16, x, y), partial(older.encode, "cells"))
    touched = newer.touched_since(older)
    cache.carry_over("plan", "v1", "v2", touched)
    made = []

    def make(zoom, x, y):
        made.append((x, y))
        return newer.encode("cells", zoom, x, y)

    for x, y in tiles:
        tile = cache.get_or_make(TileKey("plan", "v2", "cells", 16, x, y), make)
        assert tile == newer.encode("cells", 16, x, y)
    assert made
    assert set(made) == set(touched.tiles("cells", 16)) & set(tiles)
    assert len(made) < len(tiles) / 4


def test_a_level_that_is_new_or_gone_touches_the_tiles_where_it_lies():
    table = cell_table(wound_lattice(2, wander=0.0))
    one = TileSet({"cells": (cell_source("wei", table, zooms=(14, 15)),)})
    none = TileSet({"cells": ()})
    for touched in (one.touched_since(none), none.touched_since(one)):
        for zoom in (14, 15):
            (source,) = one.groups["cells"]
            assert all(touched.has("cells", zoom, x, y) for x, y in tiles_of(source, zoom))
    assert not one.touched_since(one).boxes
    assert list(one.touched_since(one).tiles("cells", 14)) == []


def test_a_new_name_touches_the_tiles_of_its_cell():
    table = cell_table(wound_lattice(3, wander=0.0))
    renamed = table.assign(name=["和平里", *table["name"][1:]])
    one, other = (
        TileSet({"cells": (cell_source("wei", each, zooms=(16, 16)),)}) for each in (table, renamed)
    )
    (boxes,) = other.touched_since(one).boxes.values()
    row = list(one.groups["cells"][0].table["name"]).index(table["name"][0])
    assert (boxes == one.groups["cells"][0].shapes(16).boxes[row]).all()


def test_a_cell_that_is_gone_touches_the_tiles_where_it_was():
    table = cell_table(wound_lattice(6, wander=0.0))
    older, newer = (
        TileSet({"cells": (cell_source("wei", some, zooms=(16, 16)),)})
        for some in (table, table.iloc[1:])
    )
    (boxes,) = newer.touched_since(older).boxes.values()
    assert boxes.tolist() == [older.groups["cells"][0].shapes(16).boxes[0].tolist()]


def test_a_block_is_made_once_and_leaves_what_is_at_hand_as_it_is():
    cache, asked = TileCache(), []

    def make(zoom, x, y, side):
        asked.append((zoom, x, y, side))
        return [f"{x + at % side}/{y + at // side}".encode() for at in range(side**2)]

    known = key()._replace(zoom=5, x=6, y=9)
    cache.put(known, b"known")
    found = cache.get_or_make_block(known._replace(x=7, y=10), 4, make)
    assert gzip.decompress(found) == b"7/10"
    assert asked == [(5, 4, 8, 4)]
    assert cache.get(known) == b"known"
    assert gzip.decompress(cache.get_or_make_block(known._replace(x=4, y=11), 4, make)) == b"4/11"
    assert len(asked) == 1


def test_a_block_is_answered_even_where_there_is_room_for_nothing():
    cache = TileCache(room=0)
    found = cache.get_or_make_block(key(), 2, lambda *_: [b"tile"] * 4)
    assert gzip.decompress(found) == b"tile"
