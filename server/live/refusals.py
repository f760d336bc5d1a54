"""What a request is answered that cannot be done: an error document, whatever went wrong."""

from __future__ import annotations

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from server.live.documents import ErrorBody, ErrorDocument
from server.live.errors import Busy, LiveError
from server.live.mistakes import in_words
from server.live.service import Service

log = logging.getLogger("visavis.live")

RETRY_AFTER_S = 3
"""After which a client that was turned away may ask again."""
_CODES = {404: "not_found", 405: "method_not_allowed", 413: "too_large", 415: "wrong_type"}


def add_refusals(app: FastAPI) -> None:
    """Have the application answer errors with documents."""
    app.add_exception_handler(LiveError, _live_error)
    app.add_exception_handler(RequestValidationError, _bad_request)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(Exception, _unforeseen)


def _answer(request: Request, error: LiveError) -> JSONResponse:
    service: Service | None = getattr(request.app.state, "service", None)
    if service is not None:
        service.metrics.errors.labels(error.code).inc()
    document = ErrorDocument(error=ErrorBody(**error.document()))
    if isinstance(error, Busy):
        document = document.model_copy(update={"ahead": error.ahead, "ticket": error.ticket or None})
    headers = {"Retry-After": str(RETRY_AFTER_S)} if error.status in (429, 503) else {}
    if error.status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    return JSONResponse(document.model_dump(exclude_none=True), error.status, headers)


async def _live_error(request: Request, error: Any) -> JSONResponse:
    return _answer(request, error)


async def _bad_request(request: Request, error: Any) -> JSONResponse:
    said = in_words(error.errors())
    return _answer(request, LiveError("bad_request", said, "see /docs for what is taken", status=422))


async def _http_error(request: Request, error: Any) -> JSONResponse:
    code = _CODES.get(error.status_code, "http_error")
    answer = _answer(request, LiveError(code, str(error.detail)[:200], "see /docs", status=error.status_code))
    answer.headers.update(error.headers or {})
    return answer


async def _unforeseen(request: Request, error: Any) -> JSONResponse:
    log.error("%s %s failed", request.method, request.scope.get("route", ""), exc_info=error)
    return _answer(
        request,
        LiveError("internal", "something went wrong here", "try again; the operators were told", status=500),
    )
