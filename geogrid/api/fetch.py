"""Asking another service for a small JSON document, and trusting none of its answers further.

The standard library is enough for three short requests a sign-in, so nothing more is installed.
Redirects are not followed: the addresses are exact, and a secret goes to no other place.
"""

from __future__ import annotations

import json
import time
from contextlib import closing
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode, urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from geogrid.api.problems import UpstreamError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from http.client import HTTPResponse

__all__ = ["fetch_json"]

_TIMEOUT_S = 10.0
_MOST_BYTES = 1 << 20
_STEP = 1 << 16
_OK = 200


def fetch_json(
    address: str,
    *,
    form: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Return a JSON object from an address.

    Parameters
    ----------
    address
        ``https``, or ``http`` on this computer; who calls has checked it.
    form
        What to send as a form by POST; GET without it.
    headers
        More headers.

    Raises
    ------
    UpstreamError
        If nothing answers in time, or something else than a JSON object of at most 1 MiB comes.
    """
    host = urlsplit(address).netloc
    body = None if form is None else urlencode(form).encode()
    known = {"Accept": "application/json", "User-Agent": "geogrid"} | dict(headers or {})
    asked = Request(address, data=body, headers=known)  # noqa: S310 - the scheme is checked
    try:
        with closing(_opener().open(asked, timeout=_TIMEOUT_S)) as answer:
            found = json.loads(_read(answer, host))
    except HTTPError as fault:
        fault.close()
        msg = f"{host} answered {fault.code}: look at its settings for this service"
        raise UpstreamError(msg, fault.code) from fault
    except (OSError, HTTPException) as fault:
        msg = f"{host} does not answer: try again later (统一认证服务无响应)"
        raise UpstreamError(msg) from fault
    except ValueError as fault:
        msg = f"{host} did not answer with JSON: look at the address in the settings"
        raise UpstreamError(msg) from fault
    if not isinstance(found, dict):
        msg = f"{host} did not answer with a JSON object: look at the address in the settings"
        raise UpstreamError(msg)
    return found


def _opener() -> OpenerDirector:
    """Return what speaks http and https alone: no files, no redirects."""
    opener = OpenerDirector()
    kinds = (ProxyHandler, HTTPHandler, HTTPSHandler, HTTPDefaultErrorHandler, HTTPErrorProcessor)
    for kind in kinds:
        opener.add_handler(kind())
    return opener


def _read(answer: HTTPResponse, host: str) -> bytes:
    """Read an answer that may come in drops, but neither for ever nor without end."""
    ends = time.monotonic() + _TIMEOUT_S
    body = b""
    while piece := answer.read1(_STEP):
        body += piece
        if len(body) > _MOST_BYTES or time.monotonic() > ends:
            msg = f"{host} sends too much or too slowly: try again later (统一认证服务无响应)"
            raise UpstreamError(msg)
    return body
