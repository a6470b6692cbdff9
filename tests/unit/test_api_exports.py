"""How many files are made at once: few, and never strangers alone."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Event, Semaphore

import pytest
from api_service import service
from fastapi.testclient import TestClient

from geogrid.api import exports, outputs

PATIENCE_S = 30


class Making:
    """Files that take as long as a test wants."""

    def __init__(self):
        self.begun, self.may_end = Semaphore(0), Event()
        self.now = self.most = 0

    def __call__(self, *_):
        self.now += 1
        self.most = max(self.most, self.now)
        self.begun.release()
        assert self.may_end.wait(PATIENCE_S)
        self.now -= 1
        return b"file"

    def wait_for(self, count):
        for _ in range(count):
            assert self.begun.acquire(timeout=PATIENCE_S)


@pytest.fixture
def made(plan_file, tmp_path, monkeypatch):
    """A service that makes slow files, in one loop for all who ask."""
    making = Making()
    monkeypatch.setattr(outputs, "public_file", making)
    monkeypatch.setattr(exports, "_LOOK_S", 0.01)
    with service(plan_file, tmp_path) as one, TestClient(one.app) as nobody:
        one.making, one.nobody = making, nobody
        one.key = dict(one.program("viewer", ("viewer", "")).headers)["authorization"]
        with ThreadPoolExecutor(8) as pool:
            one.ask = lambda headers=None, **more: pool.submit(
                nobody.get, f"{one.at_head}/export", headers=headers, **more
            )
            try:
                yield one
            finally:
                making.may_end.set()


def test_two_files_are_made_at_a_time_and_the_others_wait_for_their_turn(made):
    signed_in = {"Authorization": made.key}
    asked = [made.ask(signed_in) for _ in range(6)]
    made.making.wait_for(2)
    assert not made.making.begun.acquire(timeout=0.3)
    made.making.may_end.set()
    assert [one.result().status_code for one in asked] == [200] * 6
    assert made.making.most == 2


def test_whoever_waits_too_long_is_told_when_to_come_again(made, monkeypatch):
    monkeypatch.setattr(exports, "_PATIENCE_S", 0.0)
    signed_in = {"Authorization": made.key}
    held = [made.ask(signed_in) for _ in range(2)]
    made.making.wait_for(2)
    refused = made.ask(signed_in).result()
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "10")
    assert "导出繁忙" in refused.json()["detail"]
    made.making.may_end.set()
    assert [one.result().status_code for one in held] == [200, 200]
    # Every place is free again, that of the one who was refused too.
    assert made.ask(signed_in).result().status_code == 200


def test_strangers_leave_a_place_to_those_who_signed_in(made, monkeypatch):
    monkeypatch.setattr(exports, "_PATIENCE_S", 0.0)
    held = [made.ask()]
    made.making.wait_for(1)
    assert made.ask().result().status_code == 429
    held.append(made.ask({"Authorization": made.key}))
    made.making.wait_for(1)
    made.making.may_end.set()
    assert [one.result().status_code for one in held] == [200, 200]


def test_a_file_that_cannot_be_made_gives_its_place_back(made, monkeypatch):
    def fails(*_):
        raise RuntimeError

    monkeypatch.setattr(exports, "_PATIENCE_S", 0.0)
    monkeypatch.setattr(outputs, "public_file", fails)
    assert [made.ask().result().status_code for _ in range(3)] == [500] * 3


def test_a_stranger_has_so_many_files_made_and_then_waits(made):
    made.making.may_end.set()
    tag = made.ask().result().headers["etag"]
    answers = [made.ask().result() for _ in range(20)]
    assert [one.status_code for one in answers] == [200] * 19 + [429]
    assert answers[-1].headers["retry-after"] == "30"
    assert "登录" in answers[-1].json()["detail"]
    # Who has the file, and who signed in, is not counted.
    assert made.ask({"If-None-Match": tag}).result().status_code == 304
    assert made.ask({"Authorization": made.key}).result().status_code == 200
