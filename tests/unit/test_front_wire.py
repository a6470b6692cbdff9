"""The wire between front and application: what is sent arrives, whole and in order."""

from __future__ import annotations

import asyncio
import socket
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geogrid.front.mirror import Mirror, shown_frame, tile_frame, touched_frame
from geogrid.front.wire import Frame, Kind, Wire
from geogrid.tiles.cache import TileKey
from geogrid.tiles.touched import TouchedTiles

FRAMES = st.lists(
    st.builds(
        Frame,
        kind=st.sampled_from(list(Kind)),
        stream=st.integers(0, 2**32 - 1),
        head=st.dictionaries(st.text(max_size=5), st.one_of(st.integers(), st.text(max_size=9))),
        body=st.binary(max_size=200),
    ),
    max_size=6,
)


def wire_of(taken):
    async def make():
        return Wire(taken.append, lambda: None)

    return asyncio.run(make())


@given(FRAMES, st.lists(st.integers(1, 60), min_size=1, max_size=30))
def test_frames_arrive_whole_and_in_order_however_bytes_are_cut(frames, cuts):
    taken = []
    wire = wire_of(taken)
    said = b"".join(one.to_bytes() for one in frames)
    at, turn = 0, 0
    while at < len(said):
        size = cuts[turn % len(cuts)]
        wire.data_received(said[at : at + size])
        at, turn = at + size, turn + 1
    assert taken == frames


def test_what_is_sent_from_any_thread_arrives_in_its_order():
    taken, lost = [], []

    async def talk():
        one, other = socket.socketpair()
        loop = asyncio.get_running_loop()
        _, mine = await loop.create_connection(lambda: Wire(taken.append, print), sock=one)
        done = asyncio.Event()
        ends = (taken.append, lambda: (lost.append(1), done.set()))
        _, theirs = await loop.create_connection(lambda: Wire(*ends), sock=other)

        def say():
            for number in range(500):
                theirs.send_soon(Frame(Kind.TILE, number, body=b"x" * 1000))

        await asyncio.gather(asyncio.to_thread(say))
        while len(taken) < 500:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)
        mine.close()
        await asyncio.wait_for(done.wait(), 10)
        # Nobody is there: nothing is sent, and nobody waits for room.
        theirs.send(Frame(Kind.TILE))
        await asyncio.wait_for(theirs.room(), 10)
        assert not theirs.is_open

    asyncio.run(talk())
    assert [one.stream for one in taken] == list(range(500))
    assert lost == [1]


def test_the_mirror_gives_what_it_was_told_of_the_public_version_alone():
    mirror = Mirror()
    assert mirror.layer("p", "head", "cells") is None
    assert mirror.watched() == ["p"]
    assert mirror.take(shown_frame("p", "v1", {"cells": "v1~m", "base": ""}))
    assert mirror.layer("p", "head", "cells").name == "v1~m"
    assert mirror.layer("p", "v1", "base").name == ""
    for plan, word, layer in (("p", "v2", "cells"), ("p", "head", "homes"), ("q", "head", "cells")):
        assert mirror.layer(plan, word, layer) is None
    assert mirror.take(shown_frame("p", "", {}))
    assert mirror.watched() == ["q"]
    assert mirror.layer("p", "head", "cells") is None
    assert not mirror.take(Frame(Kind.STARTED, 1))


def test_the_mirror_has_the_tiles_of_a_version_that_an_edit_did_not_touch():
    mirror = Mirror()
    keys = [TileKey("p", "v1", "cells", 14, x, 5) for x in (3, 9)]
    for key in keys:
        mirror.take(tile_frame(key, f"{key.x}".encode()))
    box = np.array([[9 * 4096 + 10, 5 * 4096 + 10, 9 * 4096 + 20, 5 * 4096 + 20]])
    touched = TouchedTiles({("cells", 14): box, ("cells", 15): np.zeros((0, 4), dtype=np.int64)})
    mirror.take(touched_frame("p", "v1", "v2", touched))
    newer = [key._replace(version="v2") for key in keys]
    assert [mirror.cache.get(key) for key in newer] == [b"3", None]
    assert [mirror.cache.touched_in(key) for key in newer] == ["v1", "v2"]
    assert mirror.cache.lost_by("p", "cells", "v1", touched) == keys[1:]
    # What the version before had no more is not lost again.
    mirror.take(touched_frame("p", "v2", "v3", touched))
    assert mirror.cache.lost_by("p", "cells", "v2", touched) == []
    mirror.take(tile_frame(newer[1], b"new"))
    assert mirror.cache.lost_by("p", "cells", "v2", touched) == newer[1:]


def test_what_was_not_told_again_is_no_longer_taken_for_true(monkeypatch):
    clock = [100.0]
    monkeypatch.setattr("geogrid.front.mirror.time.monotonic", lambda: clock[0])
    mirror = Mirror()
    mirror.take(shown_frame("p", "v1", {"cells": "v1"}))
    assert mirror.layer("p", "head", "cells").version == "v1"
    clock[0] += 4.9
    assert mirror.layer("p", "head", "cells") is not None
    clock[0] += 0.2
    assert mirror.layer("p", "head", "cells") is None
    assert mirror.watched() == ["p"]
    clock[0] += 31
    assert mirror.watched() == []


def test_names_that_strangers_make_up_do_not_fill_the_memory():
    mirror = Mirror()
    for number in range(5000):
        mirror.layer(f"plan{number}", "head", "cells")
    assert len(mirror.watched()) == 1000
    # Whoever looks at a plan is heard all the same.
    mirror.layer("real", "head", "cells")
    assert "real" in mirror.watched()
    mirror.take(shown_frame("plan4999", "", {}))
    assert "plan4999" not in mirror.watched()


def test_a_version_that_leads_in_a_circle_is_no_longer_shown():
    mirror = Mirror()
    mirror.take(touched_frame("p", "v1", "v2", TouchedTiles({})))
    mirror.take(shown_frame("p", "v2", {"cells": "v2"}))
    assert mirror.take(touched_frame("p", "v2", "v1", TouchedTiles({})))
    assert mirror.layer("p", "head", "cells") is None


def test_an_unforeseen_error_at_a_frame_ends_the_wire_without_a_word(caplog):
    def fail(_):
        words = "张三"
        raise KeyError(words)

    async def talk():
        one, other = socket.socketpair()
        loop, lost = asyncio.get_running_loop(), asyncio.Event()
        await loop.create_connection(lambda: Wire(fail, lost.set), sock=one)
        _, theirs = await loop.create_connection(lambda: Wire(print, print), sock=other)
        theirs.send(Frame(Kind.TILE))
        theirs.send(Frame(Kind.TILE))
        await asyncio.wait_for(lost.wait(), 10)

    asyncio.run(talk())
    assert "KeyError" in caplog.text
    assert "张三" not in caplog.text


@pytest.mark.slow
def test_the_front_starts_without_engines_and_databases():
    heavy = ("pandas", "geopandas", "shapely", "sqlalchemy", "fastapi", "numba")
    words = f"import sys, geogrid.front.process; print([m for m in {heavy!r} if m in sys.modules])"
    said = subprocess.run([sys.executable, "-c", words], check=True, capture_output=True, text=True)
    assert said.stdout.strip() == "[]"
