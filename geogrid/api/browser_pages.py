"""A refusal as a page: whoever is sent from one page to the next must not end at bare JSON."""

from __future__ import annotations

import html
import json
import re
from typing import TYPE_CHECKING, Any

from fastapi.responses import HTMLResponse
from fastapi.routing import APIRoute

from geogrid.errors import GeogridError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from fastapi import Request
    from fastapi.responses import JSONResponse
    from starlette.responses import Response

__all__ = ["BrowserRoute"]

# A sentence of the service, with what it says in Chinese behind it.
_BOTH = re.compile(r"(?P<english>.*\S)\s*\((?P<chinese>[^()]*[\u4e00-\u9fff][^()]*)\)", re.DOTALL)
_PAGE = """<!DOCTYPE html>
<html lang="zh-CN">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
</head>
<body>
<main>
<h1>{title}</h1>
{lines}
<p><a href="/app/">返回网格地图 / Back to the map</a></p>
</main>
</body>
</html>
"""


class BrowserRoute(APIRoute):
    """A route that browsers are sent to: its refusals are pages for them, of the same status.

    Programs, which do not ask for a page, get the same problem as everywhere.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return what answers a request."""
        usual = super().get_route_handler()

        async def answered(request: Request) -> Response:
            try:
                return await usual(request)
            except GeogridError as fault:
                if "text/html" not in request.headers.get("accept", ""):
                    raise
                # Whoever turns errors into problems knows their status, and what not to tell.
                told: JSONResponse = await request.app.exception_handlers[GeogridError](
                    request, fault
                )
                return _page(told)

        return answered


def _page(told: JSONResponse) -> HTMLResponse:
    detail = str(json.loads(bytes(told.body))["detail"])
    found = _BOTH.fullmatch(detail)
    said = (found["chinese"], found["english"]) if found else (detail,)
    lines = "\n".join(f"<p>{html.escape(one)}</p>" for one in said)
    kept = {"Cache-Control": "no-store"}
    if "retry-after" in told.headers:
        kept["Retry-After"] = told.headers["retry-after"]
    page = _PAGE.format(title="登录未成功", lines=lines)
    return HTMLResponse(page, status_code=told.status_code, headers=kept)
