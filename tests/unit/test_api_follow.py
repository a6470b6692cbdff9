"""The public sees a new version once it is ready, and of several new ones the newest."""

from __future__ import annotations

import threading

import pytest

from geogrid.api.follow import Follower


def test_what_never_moved_is_shown_as_it_is():
    assert Follower().shown("p", "v1") == "v1"


def test_the_old_version_is_shown_until_the_new_one_is_ready():
    follower, seen = Follower(), []
    follower.moved("p", "v1", "v2")
    assert follower.shown("p", "v2") == "v1"
    assert follower.shown("other", "w2") == "w2"

    def prepare(plan, old, new):
        seen.append((plan, old, new, follower.shown(plan, new)))

    follower.catch_up("p", prepare)
    assert seen == [("p", "v1", "v2", "v1")]
    assert follower.shown("p", "v2") == "v2"
    follower.catch_up("p", prepare)
    assert len(seen) == 1


def test_versions_that_came_in_meanwhile_are_one_step():
    follower, seen = Follower(), []
    follower.moved("p", "v1", "v2")

    def prepare(_, old, new):
        seen.append((old, new))
        if new == "v2":
            follower.moved("p", "v2", "v3")
            follower.moved("p", "v3", "v4")

    follower.catch_up("p", prepare)
    assert seen == [("v1", "v2"), ("v2", "v4")]
    assert follower.shown("p", "v4") == "v4"


def test_nobody_waits_for_whoever_is_at_it():
    follower, begun, goes_on, seen = Follower(), threading.Event(), threading.Event(), []

    def prepare(_, old, new):
        seen.append((old, new))
        begun.set()
        assert goes_on.wait(10)

    follower.moved("p", "v1", "v2")
    first = threading.Thread(target=follower.catch_up, args=("p", prepare))
    first.start()
    assert begun.wait(10)
    follower.moved("p", "v2", "v3")
    follower.catch_up("p", prepare)
    assert seen == [("v1", "v2")]
    goes_on.set()
    first.join()
    assert seen == [("v1", "v2"), ("v2", "v3")]


def test_what_cannot_be_made_ready_is_shown_as_it_is_and_stops_nothing():
    follower = Follower()
    follower.moved("p", "v1", "v2")

    def fails(*_):
        msg = "no room"
        raise ValueError(msg)

    with pytest.raises(ValueError, match="no room"):
        follower.catch_up("p", fails)
    assert follower.shown("p", "v2") == "v2"
    follower.moved("p", "v2", "v3")
    follower.catch_up("p", lambda *_: None)
    assert follower.shown("p", "v3") == "v3"
