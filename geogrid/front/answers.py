"""Parts of answers that need nothing but what was asked: tags, and errors as RFC 9457 problems."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http import HTTPStatus

__all__ = ["has_already", "kept_headers", "problem", "tag_of"]


def tag_of(version: str) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def kept_headers(tag: str) -> dict[str, str]:
    """Return the headers of what a tag names.

    It is asked for again each time: who is served may be counted anew for the same version.
    """
    return {
        "ETag": tag_of(tag),
        "Cache-Control": "private, no-cache",
        "Vary": "Cookie, Authorization, Accept-Encoding",
    }


def has_already(known: str | None, tag: str) -> bool:
    """Tell whether a caller has what a tag names; ``known`` is their ``If-None-Match``."""
    return tag_of(tag) in (known or "").replace("W/", "")


def problem(
    path: str, status: HTTPStatus, detail: str, *, more: Mapping[str, Any] | None = None
) -> JSONResponse:
    """Return an error as an answer.

    Parameters
    ----------
    path
        What was asked for.
    status, detail
        What is wrong, as a number and as a plain sentence.
    more
        Members besides those of the standard.
    """
    return JSONResponse(
        {
            "type": "about:blank",
            "title": status.phrase,
            "status": status.value,
            "detail": detail,
            "instance": path,
            **(more or {}),
        },
        status_code=status.value,
        media_type="application/problem+json",
    )
