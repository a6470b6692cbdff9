"""A stand-in for the service: its routes over one plan in memory, for the web app alone."""

from __future__ import annotations

import json
import re
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from map_plans import SIDE, make_circles, make_extract, make_plan, make_stations
from pyproj import Transformer
from web_office import OFFICE_ROUTES, Office, ok, problem

from geogrid.api.arcs import arcs_of
from geogrid.edit import History, Locks, apply, command_from_dict, live_counts
from geogrid.errors import EditError
from geogrid.model.atoms import Atoms
from geogrid.tiles import TileSet, base_sources, cell_source

DIST = Path(__file__).resolve().parents[1] / "geogrid" / "web" / "dist"
TYPES = {".html": "text/html", ".mjs": "text/javascript", ".js": "text/javascript",
         ".css": "text/css", ".txt": "text/plain"}  # fmt: skip
POLICY = (
    "default-src 'self'; script-src 'self'; style-src 'self'; worker-src 'self'; "
    "img-src 'self' data: blob:"
)
# What share of its households a cell has beyond any limit.
UNSERVED = {"43020101": 0.5, "43020104": 1.0, "43020206": 0.07}
# Of which it is not told.
WITHHELD = {"43020102"}
SLANT = 0.2
BANDS = {-1: "below", 0: "in", 1: "above"}


class FakeService(Office):
    """One plan, its versions by number, and what was asked of it."""

    def __init__(self, *, user="planner", plan=None, extract=None, **office):
        super().__init__(**office)
        self.user = user
        self.history = History(start=make_fine_plan() if plan is None else plan)
        self.versions = [self.history.plan]
        self.state = "draft"
        self.commands = []
        self.extract = make_extract() if extract is None else extract
        self.tiles = {}
        self.broken = set()
        # Whether the service finds too much in any box.
        self.crowded = False
        self._lock = threading.RLock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.address = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    @property
    def head(self):
        return f"v{len(self.versions)}"

    @property
    def plan(self):
        return self.versions[-1]

    def plan_at(self, version):
        return self.plan if version == "head" else self.versions[int(version[1:]) - 1]

    def answer(self, method, path, query, body, headers, raw=b""):
        """Return status, headers and body."""
        if path in self.broken:
            return problem(503, "the service is being repaired: try again in a minute")
        for (verb, pattern), act in ROUTES.items():
            found = re.fullmatch(pattern, path)
            if verb == method and found:
                with self._lock:
                    return act(self, query=query, body=body, headers=headers, raw=raw,
                               **found.groupdict())  # fmt: skip
        return problem(404, f"there is nothing at {path}")

    def me(self, **_):
        roles = [{"role": role, "project": "p", "parents": []} for role in self.roles]
        user = {"name": self.user, "roles": roles, "has_password": True} if self.user else None
        return ok({"user": user, "csrf": "secret", "anonymous_viewing": True, "synthetic": True,
                   "sign_in": {"password": True, "oidc": self.oidc}})  # fmt: skip

    def login(self, *, body, **_):
        if body.get("password") != "right":
            return problem(401, "")
        self.user = body["name"]
        return 204, {}, b""

    def projects(self, **_):
        entry = {"id": "plan", "name": "芦淞区建设街道", "branch": "main", "head": self.head,
                 "state": self.state}  # fmt: skip
        return ok([{"id": "p", "name": "芦淞区", "plans": [entry]}])

    def info(self, **_):
        plan = self.plan
        west, south, east, north = degrees(plan.district.limit, plan).bounds
        levels = [
            {
                "key": level.key, "name": level.name, "head_title": level.head_title,
                "band": level.band and {
                    "low": level.band.low, "high": level.band.high, "is_hard": False},
                "cells": int(plan.labels[level.key].nunique()), "contract": "area",
                "kinds": list(level.kinds),
            }
            for level in plan.scheme.area_levels
        ]  # fmt: skip
        return ok({
            "id": "plan", "name": plan.district.name, "project": "p", "branch": "main",
            "head": self.head, "state": self.state, "levels": levels,
            "scheme": {"key": plan.scheme.key, "title": plan.scheme.title},
            "bounds": [west, south, east, north], "households_text": str(plan.households),
            "is_proven": True, "is_synthetic": True, "is_estimated": True, "limits": [5, 15],
            "locks": self.history.locks.to_dict(),
            "steps": {"can_undo": bool(self.history.done), "can_redo": bool(self.history.undone)},
            "sources": [{"name": one.name, "date": one.date, "licence": one.licence,
                         "attribution": one.attribution} for one in plan.sources],
        })  # fmt: skip

    def table(self, version, level):
        plan = self.plan_at(version)
        cells = plan.cells(level)
        band = plan.scheme.level(level).band
        states = [
            None if band is None else 0 if count in band else -1 if count < band.low else 1
            for count in cells["households"]
        ]
        served = [None if code in WITHHELD else 1 - UNSERVED.get(code, 0) for code in cells["code"]]
        return cells.assign(
            public=cells["households"], band=states, served_5=served, served_15=served
        )

    def features(self, version, level, rows=None):
        table = self.table(version, level)
        table = table if rows is None else table[table["code"].isin(rows)]
        shapes = table.geometry.to_crs(4326)
        return [
            feature(shape, {
                "code": row.code, "name": row.name, "kind": row.kind, "parent": row.parent,
                "level": level, "households": int(row.households),
                "households_text": str(row.households), "area_m2": float(row.area_m2),
                "band": BANDS.get(None if pd.isna(row.band) else int(row.band)),
                "served_5": 1 - UNSERVED.get(row.code, 0),
                "served_15": 1 - UNSERVED.get(row.code, 0),
            })
            for row, shape in zip(plan_rows(table), shapes, strict=True)
        ]  # fmt: skip

    def cells(self, *, version, query, **_):
        return ok(collection(self.features(version, query["level"])))

    def cell(self, *, version, code, **_):
        table = self.plan_at(version).cell_table
        if code not in table.index:
            return problem(404, f"this version has no cell {code}: check the code")
        return ok(self.features(version, str(table.loc[code, "level"]), [code])[0])

    def search(self, *, version, query, **_):
        plan, words, found = self.plan_at(version), query["q"], []
        for level in plan.scheme.area_levels:
            cells = plan.cells(level.key)
            middles = cells.geometry.representative_point().to_crs(4326)
            for row, at in zip(plan_rows(cells), middles, strict=True):
                if words in row.name or row.code.startswith(words):
                    found.append({"code": row.code, "name": row.name, "level": level.key,
                                  "centre": [at.x, at.y]})  # fmt: skip
        return ok(found)

    def where(self, *, version, query, **_):
        plan = self.plan_at(version)
        place = gpd.GeoSeries([shapely.Point(float(query["lon"]), float(query["lat"]))], crs=4326)
        at, chain = place.to_crs(plan.district.crs).iloc[0], []
        for level in plan.scheme.area_levels:
            cells = plan.cells(level.key)
            chain += [
                {"level": level.key, "level_name": level.name, "code": row.code,
                 "name": row.name, "head_title": level.head_title}
                for row in plan_rows(cells[cells.geometry.contains(at)])
            ]  # fmt: skip
        return ok({"chain": chain, "station": None})

    def stations(self, **_):
        frame = make_stations().to_crs(4326)
        return ok(json.loads(frame.to_json()))

    def circles(self, *, query, **_):
        frame = make_circles().to_crs(4326)
        return ok(json.loads(frame[frame["minutes"] == float(query["minutes"])].to_json()))

    def unserved(self, *, version, query, **_):
        names = self.plan_at(version).cell_table["name"]
        rows = [
            {"code": code, "name": names[code], "unserved_text": f"{round(share * 40)}",
             "share": share}
            for code, share in UNSERVED.items() if code in names.index
        ] if query["level"] == "wei" else []  # fmt: skip
        return ok(rows)

    def defects(self, **_):
        spot = shapely.box(
            *degrees(self.plan.district.limit, self.plan).centroid.buffer(2e-4).bounds
        )
        facts = {"kind": "gap", "kind_zh": "缝隙", "level": "wei", "cells": ["43020104"],
                 "area_m2": 12.5}  # fmt: skip
        return ok(collection([feature(spot, facts)]))

    def tile(self, *, version, layer, z, x, y, **_):
        version = self.head if version == "head" else version
        key = "" if layer == "base" else version
        if (layer, key) not in self.tiles:
            levels = self.plan_at(version).scheme.area_levels
            sources = (
                base_sources(self.extract)
                if layer == "base"
                else tuple(
                    cell_source(level.key, self.table(version, level.key)) for level in levels
                )
            )
            self.tiles[layer, key] = TileSet({layer: sources})
        tile = self.tiles[layer, key].encode(layer, int(z), int(x), int(y))
        if not tile:
            return 204, {}, b""
        return 200, {"content-type": "application/vnd.mapbox-vector-tile",
                     "content-encoding": "gzip"}, tile  # fmt: skip

    def arcs(self, *, version, **_):
        plan = self.plan_at(version)
        if self.crowded:
            return problem(422, "3000 cells lie in this box: zoom in (放大后编辑)")
        cells = plan.cells(plan.scheme.area_levels[-1].key)
        return ok({"arcs": arcs_of(plan, range(len(cells)))})

    def atoms(self, *, version, **_):
        plan = self.plan_at(version)
        frame = plan.atoms.frame.to_crs(4326)
        finest = plan.scheme.area_levels[-1].key
        owner = plan.labels[finest]
        return ok(collection([
            feature(shape, {"atom_id": atom, "cell": owner[atom], "households_text": str(homes)})
            for atom, homes, shape in zip(
                frame["atom_id"], frame["households"], frame.geometry, strict=True)
        ]))  # fmt: skip

    def command(self, values):
        to_plan = Transformer.from_crs(4326, self.plan.district.crs, always_xy=True)
        moved = dict(values)
        for name in {"at", "to", "line", "run", "path"} & set(values):
            places = np.array(values[name], dtype=float)
            moved[name] = np.column_stack(to_plan.transform(*np.atleast_2d(places).T)).tolist()
            moved[name] = moved[name][0] if places.ndim == 1 else moved[name]
        return command_from_dict(moved)

    def preview(self, *, body, **_):
        command, drawn = self.command(body["command"]), []
        try:
            table = live_counts(self.plan, command)
            if body.get("prove"):
                made = apply(self.plan, command, locks=self.history.locks)
                drawn = self.outlines(made)
        except EditError as fault:
            return ok({"cells": [], "refused": str(fault), "drawn": []})
        rows = [{"level": row.level, "code": row.code, "before": int(row.before),
                 "households": int(row.after), "band": row.band_after or None}
                for row in table.itertuples()]  # fmt: skip
        return ok({"cells": rows, "refused": None, "drawn": drawn})

    def outlines(self, made):
        finest = made.plan.scheme.area_levels[-1].key
        cells = made.plan.cells(finest)
        changed = cells[cells["code"].isin(made.change.touched.get(finest, ()))]
        return [shape.__geo_interface__ for shape in changed.geometry.to_crs(4326)]

    def step(self, headers, act):
        stale = self.stale(headers)
        if stale:
            return stale
        before = self.history
        try:
            self.history = act(before)
        except EditError as fault:
            return problem(409, str(fault))
        self.versions.append(self.history.plan)
        edit = self.history.last if len(self.history.done) > len(before.done) else before.last
        cells = [
            {"level": level.level, "code": cell.code, "before": cell.before, "after": cell.after,
             "band": cell.band_after or None}
            for level in edit.change.levels for cell in level.cells
        ]  # fmt: skip
        pairs = {
            name: [{"level": level.level, "code": code} for level in edit.change.levels
                   for code in getattr(level, of)]
            for name, of in (("retired", "retired"), ("created", "new"))
        }  # fmt: skip
        change = {"cells": cells, **pairs, "households_moved": 0, "notes": []}
        return ok({"version": self.head, "is_proven": True, "certificate": None, "change": change})

    def edit(self, *, body, headers, **_):
        self.commands.append(body["command"])
        return self.step(headers, lambda history: history.apply(self.command(body["command"])))

    def undo(self, *, headers, **_):
        return self.step(headers, lambda history: history.undo())

    def redo(self, *, headers, **_):
        return self.step(headers, lambda history: history.redo())

    def lock(self, *, body, headers, **_):
        stale = self.stale(headers)
        if stale:
            return stale
        cells = frozenset((level, code) for level, code in body["cells"])
        self.history = self.history.with_locks(Locks(levels=frozenset(body["levels"]), cells=cells))
        return ok(self.history.locks.to_dict())

    def stale(self, headers):
        if headers.get("x-csrf-token") != "secret":
            return problem(403, "the token of the session is missing")
        if headers.get("if-match") == f'"{self.head}"':
            return None
        return problem(409, "", head=self.head, changed_cells={"wei": ["43020101"]})

    def somebody_else_edits(self, values):
        """Commit a command as another planner would."""
        self.history = self.history.apply(command_from_dict(values))
        self.versions.append(self.history.plan)


_PLAN = "/api/v1/plans/plan"
_AT = _PLAN + r"/versions/(?P<version>\w+)"
ROUTES = {
    ("GET", "/api/v1/me"): FakeService.me,
    ("POST", "/api/v1/login"): FakeService.login,
    ("GET", "/api/v1/projects"): FakeService.projects,
    ("GET", _PLAN): FakeService.info,
    ("GET", _AT + "/cells"): FakeService.cells,
    ("GET", _AT + r"/cells/(?P<code>\w+)"): FakeService.cell,
    ("GET", _AT + "/search"): FakeService.search,
    ("GET", _AT + "/where"): FakeService.where,
    ("GET", _AT + "/stations"): FakeService.stations,
    ("GET", _AT + "/circles"): FakeService.circles,
    ("GET", _AT + "/unserved"): FakeService.unserved,
    ("GET", _AT + "/defects"): FakeService.defects,
    ("GET", _AT + r"/tiles/(?P<layer>\w+)/(?P<z>\d+)/(?P<x>\d+)/(?P<y>\d+)\.mvt"): FakeService.tile,
    ("GET", _AT + "/arcs"): FakeService.arcs,
    ("GET", _AT + "/atoms"): FakeService.atoms,
    ("POST", _PLAN + "/preview"): FakeService.preview,
    ("POST", _PLAN + "/edits"): FakeService.edit,
    ("POST", _PLAN + "/undo"): FakeService.undo,
    ("POST", _PLAN + "/redo"): FakeService.redo,
    ("PUT", _PLAN + "/locks"): FakeService.lock,
} | OFFICE_ROUTES


def make_fine_plan():
    """The small plan with every atom cut into four."""
    plan = make_plan(slant=SLANT)
    frame = plan.atoms.frame
    rows = []
    for row in frame.itertuples():
        corner = shapely.get_coordinates(row.geometry).min(axis=0)
        part = shapely.affinity.scale(row.geometry, 0.5, 0.5, origin=tuple(corner))
        for number in range(4):
            right, up = number % 2, number // 2
            step = ((right + up * SLANT) * SIDE / 2, up * SIDE / 2)
            shape = shapely.affinity.translate(part, *step)
            homes = row.households // 4 + (number < row.households % 4)
            rows.append((f"{row.atom_id}{number}", homes, row.kind, shape, row.atom_id))
    names = ["atom_id", "households", "kind", "geometry", "whole"]
    fine = gpd.GeoDataFrame(pd.DataFrame(rows, columns=names), crs=frame.crs)
    labels = plan.labels.loc[fine.pop("whole")].set_axis(pd.Index(fine["atom_id"]))
    return replace(plan, atoms=Atoms.from_frame(fine), labels=labels)


def plan_rows(cells):
    return cells.drop(columns="geometry").itertuples(index=False)


def degrees(shape, plan):
    return gpd.GeoSeries([shape], crs=plan.district.crs).to_crs(4326).iloc[0]


def feature(shape, properties):
    return {"type": "Feature", "properties": properties, "geometry": shape.__geo_interface__}


def collection(features):
    return {"type": "FeatureCollection", "features": features}


def _page(path, service):
    name = path.lstrip("/") or "index.html"
    file = DIST / name
    if file.parent != DIST or not file.is_file():
        return problem(404, f"there is nothing at {path}")
    more = " https://*.tianditu.gov.cn" if service.tianditu_key else ""
    policy = (
        POLICY.replace("img-src 'self'", f"img-src 'self'{more}") + f"; connect-src 'self'{more}"
    )
    head = {"content-type": TYPES[file.suffix], "content-security-policy": policy}
    return 200, head, file.read_bytes()


def _handler(service):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self):
            size = int(self.headers.get("content-length") or 0)
            raw = self.rfile.read(size)
            is_json = "json" in self.headers.get("content-type", "json")
            body = json.loads(raw or "{}") if is_json else {}
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            if parts.path.startswith("/api/"):
                headers = {name.lower(): value for name, value in self.headers.items()}
                found = service.answer(self.command, parts.path, query, body, headers, raw)
            else:
                found = _page(parts.path, service)
            status, head, content = found
            self.send_response(status)
            if not isinstance(content, bytes):
                self.stream(head, content)
                return
            for name, value in {**head, "content-length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def stream(self, head, texts):
            for name, value in {**head, "connection": "close"}.items():
                self.send_header(name, value)
            self.end_headers()
            self.close_connection = True
            for text in texts:
                self.wfile.write(text.encode())
                self.wfile.flush()

        do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 - names of the standard library

        def log_message(self, *_):
            pass

    return Handler


if __name__ == "__main__":
    with FakeService() as running:
        print(running.address, flush=True)
        threading.Event().wait()
