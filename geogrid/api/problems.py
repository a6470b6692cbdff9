"""Errors as RFC 9457 problem details, from one table."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING

from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from geogrid.errors import GeogridError, InputError, MissingFileError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request

__all__ = ["STATUS_OF_ERROR", "NotInPlanError", "add_problem_handlers"]

_LOG = logging.getLogger(__name__)


class NotInPlanError(InputError):
    """What was asked for is not in this plan."""


# The first class that fits decides; narrower ones come first.
STATUS_OF_ERROR: dict[type[GeogridError], HTTPStatus] = {
    NotInPlanError: HTTPStatus.NOT_FOUND,
    MissingFileError: HTTPStatus.SERVICE_UNAVAILABLE,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    GeogridError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an application as a problem."""

    @app.exception_handler(GeogridError)
    async def _on_geogrid(request: Request, fault: GeogridError) -> JSONResponse:
        status = next(code for kind, code in STATUS_OF_ERROR.items() if isinstance(fault, kind))
        return _problem(request, status, str(fault))

    @app.exception_handler(RequestValidationError)
    async def _on_validation(request: Request, fault: RequestValidationError) -> JSONResponse:
        first = fault.errors()[0]
        name = str(first["loc"][-1])
        return _problem(request, HTTPStatus.UNPROCESSABLE_ENTITY, f"{name}: {first['msg']}")

    @app.exception_handler(HTTPException)
    async def _on_http(request: Request, fault: HTTPException) -> JSONResponse:
        return _problem(request, HTTPStatus(fault.status_code), str(fault.detail))

    @app.exception_handler(Exception)
    async def _on_other(request: Request, fault: Exception) -> JSONResponse:
        # The text of an unforeseen error may hold a path or a row: it goes to the log alone.
        _LOG.error("unforeseen error at %s", request.url.path, exc_info=fault)
        return _problem(
            request, HTTPStatus.INTERNAL_SERVER_ERROR, "the service failed: look at its log"
        )


def _problem(request: Request, status: HTTPStatus, detail: str) -> JSONResponse:
    return JSONResponse(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "instance": request.url.path,
        },
        status_code=status.value,
        media_type="application/problem+json",
    )
