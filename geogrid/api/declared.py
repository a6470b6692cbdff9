"""What every route may answer, said once for all of them in the description of the service.

Handlers that answer a ready text have no type that FastAPI could read a description from.
"""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from geogrid.api.answers import GEOJSON
from geogrid.api.files import MEDIA
from geogrid.api.ogc import OPENAPI
from geogrid.api.ogc_tiles import MVT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from fastapi import FastAPI

__all__ = ["declare_answers"]

_JSON = "application/json"
_PROBLEM = "application/problem+json"
_SCHEMA = {"$ref": "#/components/schemas/ProblemOut"}
_ANY = {"type": "string", "format": "binary"}
_TEXT = {"type": "string"}


def _object(*names: str, **constants: str) -> dict[str, Any]:
    """Return the schema of an object that has at least some members."""
    known = {name: {"const": value} for name, value in constants.items()}
    return {"type": "object", "required": [*names, *constants], "properties": known}


def _list_of(*names: str) -> dict[str, Any]:
    return {"type": "array", "items": _object(*names)}


_FEATURES = _object("features", type="FeatureCollection")
_FEATURE = _object("geometry", "properties", type="Feature")
_OGC_FEATURES = _object("features", "links", "numberMatched", "numberReturned", "timeStamp",
                        type="FeatureCollection")  # fmt: skip
# What routes answer that do not say it by themselves; the first pattern that fits a path decides.
_ANSWERS: tuple[tuple[str, dict[str, Any]], ...] = (
    (r"/ogc/.*/items", {GEOJSON: _OGC_FEATURES}),
    (r".*/(cells/\{code\}|items/\{item\})", {GEOJSON: _FEATURE}),
    (r".*/(cells|stations|circles|defects|atoms|households)", {GEOJSON: _FEATURES}),
    (r".*(\.mvt|/\{col\})", {MVT: _ANY}),
    (r".*/tile(s|json)\.json", {_JSON: _object("tiles", "vector_layers", tilejson="3.0.0")}),
    (r".*/export", {media: _ANY for media, _ in MEDIA.values()}),
    (r".*/events", {"text/event-stream": _TEXT}),
    (r".*/(search)", {_JSON: _list_of("code", "name", "level", "centre")}),
    (r".*/(unserved)", {_JSON: _list_of("code", "name", "unserved_text", "share")}),
    (r".*/where", {_JSON: _object("chain", "station", "lon", "lat")}),
    (r".*/compare(/.*)?", {_JSON: _object("levels", "cells")}),
    (r".*/arcs", {_JSON: _object("arcs")}),
    (r".*/certificate", {_JSON: _object("levels")}),
    (r"/ogc/\{plan\}/api", {OPENAPI: _object("openapi", "paths")}),
    (r"/ogc/\{plan\}/conformance", {_JSON: _object("conformsTo")}),
    (r"/ogc/.*/collections", {_JSON: _object("collections", "links")}),
    (r"/ogc/.*/tileMatrixSets", {_JSON: _object("tileMatrixSets")}),
    (r"/ogc/.*/tileMatrixSets/\{tms\}", {_JSON: _object("tileMatrices", "crs")}),
    (r"/ogc/.*/tiles", {_JSON: _object("tilesets", "links")}),
    (r"/ogc/.*", {_JSON: _object("links")}),
)
# Besides these, a route answers what its own declaration says.
_ALWAYS = (401, 403, 404, 422, 429, 503)
_OF_WRITES = (409, 413, 428)
_OF_STANDARD = (400,)
_OF_PROVIDER = (400, 409, 502)
_SIGN_IN_ELSEWHERE = "/api/v1/login/oidc"


def declare_answers(app: FastAPI) -> None:
    """Let an application describe what all of its routes answer, its problems among it."""
    make = app.openapi

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = make()
            for path, verbs in found["paths"].items():
                for verb, operation in verbs.items():
                    operation["responses"] = _answers(path, verb, operation["responses"])
            app.openapi_schema = found
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def _answers(path: str, verb: str, known: dict[str, Any]) -> dict[str, Any]:
    found = {code: one for code, one in known.items() if int(code) < HTTPStatus.BAD_REQUEST}
    own = next((kinds for form, kinds in _ANSWERS if re.fullmatch(form, path)), None)
    if own is not None and "200" in found:
        said = _schema(found["200"])
        content = {media: {"schema": said or schema} for media, schema in own.items()}
        found["200"] = {"description": "OK", "content": content}
    if own is not None and MVT in own:
        found["204"] = {"description": "There is nothing in this tile"}
    if verb == "get":
        found["304"] = {"description": "The caller has it"}
    if path.startswith(_SIGN_IN_ELSEWHERE):
        found = {"302": {"description": "Go on there"}}
    if path == "/":
        found["307"] = {"description": "The web app is at /app/"}
    return found | _problems(_codes(path, verb))


def _schema(answer: dict[str, Any]) -> dict[str, Any]:
    """Return what a route says of its answer; nothing where a handler makes the text."""
    found: dict[str, Any] = answer.get("content", {}).get(_JSON, {}).get("schema", {})
    return found


def _codes(path: str, verb: str) -> tuple[int, ...]:
    codes: tuple[int, ...] = _ALWAYS
    if verb != "get":
        codes += _OF_WRITES
    if path.startswith("/ogc/"):
        codes += _OF_STANDARD
    if path.startswith(_SIGN_IN_ELSEWHERE):
        codes += _OF_PROVIDER
    return codes


def _problems(codes: Iterable[int]) -> dict[str, Any]:
    return {
        str(code): {
            "description": HTTPStatus(code).phrase,
            "content": {_PROBLEM: {"schema": _SCHEMA}},
        }
        for code in sorted(codes)
    }
