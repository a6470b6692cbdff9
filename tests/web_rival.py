"""The stand-in for the service with a second plan, to compare the first with."""

from __future__ import annotations

from dataclasses import replace

from map_plans import make_plan
from web_office import ok, problem
from web_service import SLANT, FakeService, collection

from geogrid.api.plan_pairs import compared
from geogrid.errors import InputError

RIVAL = "/api/v1/plans/rival"


def make_rival(*, joined=True):
    """The small plan of whole atoms, of which one belongs to the cell beside it."""
    plan = make_plan(slant=SLANT)
    if not joined:
        return plan
    labels = plan.labels.copy()
    labels.loc["a10", "wei"] = "43020101"
    labels.loc["a11", "wei"] = "43020103"
    gone = ["43020102", "43020104"]
    return replace(plan, labels=labels, cell_table=plan.cell_table.drop(index=gone))


class TwoPlans(FakeService):
    """Two plans of one project; the second is a stand-in of its own behind the same address."""

    def __init__(self, *, rival=None, **office):
        super().__init__(**office)
        self.rival = FakeService(plan=make_rival() if rival is None else rival)
        self.asked = []
        # Levels that the second plan is said to lack.
        self.lacks = set()

    def __enter__(self):
        self.rival.__enter__()
        return super().__enter__()

    def __exit__(self, *fault):
        super().__exit__(*fault)
        self.rival.__exit__(*fault)

    def answer(self, method, path, query, body, headers, raw=b""):
        if path in self.broken:
            return problem(503, "the service is being repaired: try again in a minute")
        if path == "/api/v1/projects":
            return self.both_plans()
        if path.startswith(RIVAL):
            of_rival = path.replace(RIVAL, "/api/v1/plans/plan", 1)
            return self.rival.answer(method, of_rival, query, body, headers, raw)
        if path.endswith("/compare"):
            self.asked.append(query)
            return self.compare_plans(query)
        return super().answer(method, path, query, body, headers, raw)

    def both_plans(self):
        entry = {"branch": "main", "state": "draft"}
        plans = [
            entry | {"id": "plan", "name": "方案甲", "head": self.head},
            entry | {"id": "rival", "name": "方案乙", "head": self.rival.head},
        ]
        return ok([{"id": "p", "name": "芦淞区", "plans": plans}])

    def compare_plans(self, query):
        version = self.rival.head if query["version"] == "head" else query["version"]
        one, two = self.plan, self.rival.plan_at(version)
        try:
            pair = compared(one, two, None)
        except InputError as fault:
            return problem(422, str(fault))
        levels, moves, before, after = {}, [], [], []
        for level in pair.levels:
            key = level.levels[0].key
            if key in self.lacks:
                continue
            table = level.groups.table
            moved = table[table["is_move"]].sort_values("households", ascending=False)
            levels[key] = level.to_dict() | {
                "moved_households_text": str(int(moved["households"].sum()))
            }
            moves += [
                {"level": key, "from": a, "to": b, "households_text": f"{n}" if n > 9 else "<10"}
                for a, b, n in zip(moved["from"], moved["to"], moved["households"], strict=True)
            ]
            before += self.features(self.head, key, level.codes[0])
            after += self.rival.features(version, key, level.codes[1])
        return ok({
            "sides": [self.side("plan", "方案甲", one, self.head),
                      self.side("rival", "方案乙", two, version)],
            "levels": levels, "moves": moves, "notes": list(pair.notes),
            "cells_before": collection(before), "cells": collection(after),
        })  # fmt: skip

    @staticmethod
    def side(key, name, plan, version):
        return {
            "plan": key, "name": name, "version": version, "number": int(version[1:]),
            "state": "draft",
            "levels": [{"key": one.key, "name": one.name} for one in plan.scheme.area_levels],
        }  # fmt: skip
