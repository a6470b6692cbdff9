"""Errors as RFC 9457 problem details, from one table."""

from __future__ import annotations

import logging
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from geogrid.errors import (
    CoverageError,
    EditError,
    GeogridError,
    InputError,
    MissingFileError,
    NotStoredError,
    StaleVersionError,
    StateError,
    StoreError,
    UnreachableError,
)
from geogrid.front.answers import problem
from geogrid.front.guard import TooLargeError

if TYPE_CHECKING:
    from fastapi import FastAPI, Request
    from starlette.responses import JSONResponse

__all__ = [
    "STATUS_OF_ERROR",
    "AccessError",
    "BadQueryError",
    "NotInPlanError",
    "PreconditionError",
    "SignInError",
    "TooLargeError",
    "TooManyError",
    "UpstreamError",
    "add_problem_handlers",
    "problem",
]

_LOG = logging.getLogger(__name__)


class NotInPlanError(InputError):
    """What was asked for is not in this plan."""


class BadQueryError(InputError):
    """A parameter of the standard interface is none that it knows, or has no such value."""


class SignInError(GeogridError):
    """Nobody is signed in, or name and password do not belong together."""


class AccessError(GeogridError):
    """Whoever asks may not do this."""


class PreconditionError(GeogridError):
    """A write does not say which version it starts from."""


class TooManyError(GeogridError):
    """Too many tries: ``wait_s`` says after how many seconds to try again."""

    def __init__(self, message: str, wait_s: int) -> None:
        super().__init__(message)
        self.wait_s = wait_s


class UpstreamError(GeogridError):
    """Another service does not answer, or not as it should: ``status`` is its own, 0 if none."""

    def __init__(self, message: str, status: int = 0) -> None:
        super().__init__(message)
        self.status = status


# The first class that fits decides; narrower ones come first.
STATUS_OF_ERROR: dict[type[GeogridError], HTTPStatus] = {
    NotInPlanError: HTTPStatus.NOT_FOUND,
    NotStoredError: HTTPStatus.NOT_FOUND,
    BadQueryError: HTTPStatus.BAD_REQUEST,
    SignInError: HTTPStatus.UNAUTHORIZED,
    AccessError: HTTPStatus.FORBIDDEN,
    PreconditionError: HTTPStatus.PRECONDITION_REQUIRED,
    TooManyError: HTTPStatus.TOO_MANY_REQUESTS,
    TooLargeError: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    UpstreamError: HTTPStatus.BAD_GATEWAY,
    EditError: HTTPStatus.CONFLICT,
    StaleVersionError: HTTPStatus.CONFLICT,
    StateError: HTTPStatus.CONFLICT,
    CoverageError: HTTPStatus.CONFLICT,
    UnreachableError: HTTPStatus.SERVICE_UNAVAILABLE,
    StoreError: HTTPStatus.UNPROCESSABLE_ENTITY,
    MissingFileError: HTTPStatus.SERVICE_UNAVAILABLE,
    InputError: HTTPStatus.UNPROCESSABLE_ENTITY,
    GeogridError: HTTPStatus.INTERNAL_SERVER_ERROR,
}


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every error of an application as a problem."""

    @app.exception_handler(GeogridError)
    async def _on_geogrid(request: Request, fault: GeogridError) -> JSONResponse:
        status = next(code for kind, code in STATUS_OF_ERROR.items() if isinstance(fault, kind))
        words = str(fault)
        if isinstance(fault, UnreachableError):
            # It says where the database is, which is for whoever keeps it.
            _LOG.error("%s", fault)
            words = "the store does not answer: try again in a moment (数据库暂无响应，请稍后再试)"
        found = problem(request.url.path, status, words, more=_more(fault))
        if isinstance(fault, TooManyError):
            found.headers["Retry-After"] = str(fault.wait_s)
        return found

    @app.exception_handler(RequestValidationError)
    async def _on_validation(request: Request, fault: RequestValidationError) -> JSONResponse:
        first = fault.errors()[0]
        name = str(first["loc"][-1])
        words = f"{name}: {first['msg']}"
        return problem(request.url.path, HTTPStatus.UNPROCESSABLE_ENTITY, words)

    @app.exception_handler(HTTPException)
    async def _on_http(request: Request, fault: HTTPException) -> JSONResponse:
        return problem(request.url.path, HTTPStatus(fault.status_code), str(fault.detail))


def _more(fault: GeogridError) -> dict[str, Any]:
    """Return what a program needs to go on from an error."""
    if isinstance(fault, EditError) and fault.cells:
        return {"cells": _cells(fault.cells)}
    if isinstance(fault, StaleVersionError):
        changed = {level: list(codes) for level, codes in fault.changed.items()}
        found: dict[str, Any] = {"head": fault.current, "changed_cells": changed}
        if isinstance(fault.conflict, EditError):
            found |= {"conflict": str(fault.conflict), "cells": _cells(fault.conflict.cells)}
        elif fault.conflict is not None:
            found |= {"conflict": str(fault.conflict)}
        return found
    return {}


def _cells(cells: tuple[tuple[str, str], ...]) -> list[dict[str, str]]:
    return [{"level": level, "code": code} for level, code in cells]
