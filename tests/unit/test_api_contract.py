"""Every route keeps to the description of the service, whoever asks for whatever."""

from __future__ import annotations

import json
import tempfile
from functools import cache
from pathlib import Path

import pytest
import schemathesis
from api_service import service
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from map_plans import make_plan, make_reach, make_stations
from schemathesis.checks import not_a_server_error
from schemathesis.core.transport import Response
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from geogrid.io.plan_file import write_plan

CHECKS = [
    not_a_server_error, status_code_conformance, content_type_conformance,
    response_schema_conformance,
]  # fmt: skip
# What a file holds is looked at in a process of its own, and a password is hashed slowly.
EXAMPLES = min(10, settings().max_examples // 5)
SLOW = ("/files", "/login", "/password", "/accounts")
# Ask for what is there as often as for what is not.
KNOWN = {
    "v": ["head"], "code": ["43020101", "430202"], "other": ["head"], "name": ["wei", "stations"],
    "layer": ["cells", "reach", "base"], "z": ["14", "16"], "x": ["13340"], "y": ["6878"],
    "row": ["6878"], "col": ["13340"], "tms": ["WebMercatorQuad"], "item": ["43020101"],
}  # fmt: skip


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = tmp_path_factory.mktemp("contract")
    plan = make_plan()
    path = write_plan(
        plan, folder / "plan.gpkg", reach=make_reach(plan, unserved={}, near={"a00": 40}),
        stations=make_stations(),
    )  # fmt: skip
    with service(path, folder, requests_a_minute=10**9) as one:
        yield one


@pytest.fixture(scope="module")
def clients(made):
    planner = made.program("planner", ("planner", ""))
    return {
        role: TestClient(made.app, headers=dict(client.headers), raise_server_exceptions=False)
        for role, client in (("nobody", made.nobody), ("planner", planner))
    }


@cache
def described():
    """Return the description of the service, which no plan changes."""
    with tempfile.TemporaryDirectory() as folder:
        path = write_plan(make_plan(), Path(folder) / "plan.gpkg")
        with service(path, folder) as one:
            text = one.nobody.get("/openapi.json").json()
    return schemathesis.openapi.from_dict(text)


def operations():
    return [found.ok() for found in described().get_all_operations()]


def answered(client, case):
    """Send a case to the application and return what Schemathesis reads."""
    asked = case.as_transport_kwargs(base_url="http://testserver")
    asked = {key: value for key, value in asked.items() if value is not None}
    body = asked.pop("data", None)
    if body is not None:
        asked["content"] = body
    asked.pop("cookies", None)
    answer = client.request(**asked, follow_redirects=False)
    return Response(
        status_code=answer.status_code,
        headers={name: [value] for name, value in answer.headers.items()},
        content=answer.content, request=_prepared(answer.request), elapsed=0.0, verify=False,
        http_version="1.1", encoding="utf-8",
    )  # fmt: skip


def _prepared(request):
    import requests  # noqa: PLC0415 - what Schemathesis keeps a request as

    return requests.Request(request.method, str(request.url)).prepare()


@pytest.mark.parametrize("operation", operations(), ids=lambda one: one.label)
@pytest.mark.parametrize("role", ["nobody", "planner"])
def test_every_route_keeps_to_the_description(made, clients, role, operation):
    @settings(
        max_examples=2 if operation.path.endswith(SLOW) else EXAMPLES, database=None,
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(data=st.data())
    def ask(data):
        case = data.draw(operation.as_strategy())
        known = KNOWN | {"plan": [made.plan], "project": [made.store.projects()[0].id]}
        for name in case.path_parameters or {}:
            if name in known and data.draw(st.booleans()):
                case.path_parameters[name] = data.draw(st.sampled_from(known[name]))
        case.validate_response(answered(clients[role], case), checks=CHECKS)

    ask()


def test_every_problem_that_there_is_is_declared(made):
    found = json.loads(made.nobody.get("/openapi.json").text)
    for path, verbs in found["paths"].items():
        for operation in verbs.values():
            wrong = {code for code in operation["responses"] if code >= "400"}
            assert {"401", "403", "404", "422", "429"} <= wrong, path
            for code in wrong:
                assert list(operation["responses"][code]["content"]) == ["application/problem+json"]
