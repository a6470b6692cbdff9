"""The stand-in for the service over a plan with lists of households."""

from __future__ import annotations

import json

from list_plans import listed, points_of
from web_office import ok
from web_service import FakeService, collection, make_fine_plan

from geogrid.edit.change import band_state

_PLAN = "/api/v1/plans/plan"
_AT = _PLAN + "/versions/"


class ListService(FakeService):
    """The stand-in with 组 and 邻; ``has_points`` says whether their households have places."""

    def __init__(self, *, has_points=True, plan=None, **more):
        super().__init__(plan=listed(make_fine_plan()) if plan is None else plan, **more)
        points = points_of(self.plan).to_crs(4326) if has_points else None
        self.places = (
            {}
            if points is None
            else {
                name: [point.x, point.y]
                for name, point in zip(points["household_id"], points.geometry, strict=True)
            }
        )
        self.asked_lists = []

    def answer(self, method, path, query, body, headers, raw=b""):
        if (method, path) == ("GET", _PLAN):
            return self.info()
        if method == "GET" and path.startswith(_AT):
            version, _, name = path.removeprefix(_AT).partition("/")
            if name in {"lists", "members"}:
                self.asked_lists.append((name, query))
                return getattr(self, name)(version, query)
        return super().answer(method, path, query, body, headers, raw)

    def info(self, **more):
        status, head, body = super().info(**more)
        told = json.loads(body)
        levels = {level.key: level for level in self.plan.scheme.levels}
        for one in told["levels"]:
            one["is_official"] = levels[one["key"]].locked
        told["levels"] += [
            {
                "key": key, "name": level.name, "head_title": "", "contract": "roster",
                "band": level.band and {
                    "low": level.band.low, "high": level.band.high, "is_hard": True},
                "cells": int(self.plan.rosters[key]["code"].nunique()),
                "kinds": list(level.kinds), "is_official": False,
            }
            for key, level in levels.items() if key in self.plan.rosters
        ]  # fmt: skip
        return status, head, ok(told)[2]

    def rows(self, version, query):
        plan = self.plan_at(version)
        rows = plan.rosters[query["level"]]
        rows = rows.assign(cell=plan.leaf.reindex(rows["atom_id"]).to_numpy())
        if "cell" in query:
            key = plan.cell_table.loc[query["cell"], "level"]
            area = plan.labels[key].reindex(rows["atom_id"]).to_numpy()
            rows = rows[area == query["cell"]]
        return rows.sort_values(["code", "household_id"])

    def lists(self, version, query):
        plan = self.plan_at(version)
        held = self.rows(version, query).groupby("code")
        band = plan.scheme.level(query["level"]).band
        rows = [
            {
                "code": code, "name": plan.cell_table.loc[code, "name"],
                "kind": plan.cell_table.loc[code, "kind"],
                "parent": plan.cell_table.loc[code, "parent"], "cell": part["cell"].iloc[0],
                "households": int(part["households"].sum()), "rows": len(part),
                "band": band_state(int(part["households"].sum()), band, is_judged=True) or None,
            }
            for code, part in held
        ]  # fmt: skip
        return ok({"lists": _page(rows, query), "numberMatched": len(rows)})

    def members(self, version, query):
        rows = self.rows(version, query)
        if "bbox" in query:
            west, south, east, north = map(float, query["bbox"].split(","))
            rows = rows[[
                west <= place[0] <= east and south <= place[1] <= north
                for place in (self.places.get(name, [999, 999]) for name in rows["household_id"])
            ]]  # fmt: skip
        features = [
            {
                "type": "Feature",
                "properties": {
                    "household_id": row.household_id, "households": int(row.households),
                    "list": row.code, "cell": row.cell,
                },
                "geometry": {"type": "Point", "coordinates": self.places[row.household_id]}
                if row.household_id in self.places else None,
            }
            for row in rows.itertuples()
        ]  # fmt: skip
        return ok(collection(_page(features, query)) | {"numberMatched": len(features)})

    def list_of(self, home, key="lin"):
        rows = self.plan.rosters[key].set_index("household_id")
        return rows.loc[home, "code"]


def _page(rows, query):
    first = int(query["offset"])
    return rows[first : first + int(query["limit"])]
