"""The one shape of every error: `{"error": {"code", "message", "what_to_do"}}`. Codes are for programs, the rest for people."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from callserver.control import CommandRefused, Unavailable
from callserver.web.headers import HEADERS


class ErrorBody(BaseModel):
    """What went wrong."""

    code: str
    message: str
    what_to_do: str


class ErrorAnswer(BaseModel):
    """Every answer of 400 and above."""

    error: ErrorBody


class ApiError(Exception):
    """An answer that is an error; `what_to_do` is for the person who reads it."""

    def __init__(
        self, status: int, code: str, message: str, what_to_do: str = "", headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.what_to_do = what_to_do
        self.headers = dict(headers or {})


def not_found(what: str, name: str) -> ApiError:
    """404 for a thing that is named and is not there."""
    return ApiError(404, "not-found", f"There is no {what} {name}.", "Check the id, or list them first.")


def answer(error: ApiError) -> JSONResponse:
    """The error as a response."""
    body = {"error": {"code": error.code, "message": error.message, "what_to_do": error.what_to_do}}
    return JSONResponse(body, error.status, error.headers)


_HTTP_WORDS = {
    404: ("not-found", "There is nothing at this address.", "See /openapi.json for what there is."),
    405: ("method-not-allowed", "This address does not serve that method.", "See /openapi.json for what it serves."),
}
_REFUSALS = {"not-found": 404, "bad-arguments": 422, "internal": 500}


def _http_error(_request: Request, error: HTTPException) -> JSONResponse:
    code, message, what_to_do = _HTTP_WORDS.get(
        error.status_code, (HTTPStatus(error.status_code).phrase.lower().replace(" ", "-"), str(error.detail), "")
    )
    return answer(ApiError(error.status_code, code, message, what_to_do, error.headers))


def _invalid(_request: Request, error: RequestValidationError) -> JSONResponse:
    faults = "; ".join(f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors())
    return answer(ApiError(422, "invalid", f"The request does not fit: {faults}", "See /openapi.json for its shape."))


def _refused(_request: Request, error: CommandRefused) -> JSONResponse:
    status = _REFUSALS.get(error.code, 409)
    return answer(ApiError(status, error.code or "refused", error.message, "Look at the present state, then decide again."))


def _unavailable(_request: Request, error: Unavailable) -> JSONResponse:
    what_to_do = "Try again in a few seconds; conversations go on meanwhile."
    return answer(ApiError(503, "switchboard-unavailable", str(error), what_to_do, {"Retry-After": "2"}))


def _store_failed(_request: Request, _error: SQLAlchemyError) -> JSONResponse:
    what_to_do = "Look at the disk (callserver doctor). Calls do not depend on it."
    return answer(ApiError(503, "store-unreadable", "The store cannot be read now.", what_to_do, {"Retry-After": "5"}))


def _failed(_request: Request, _error: Exception) -> JSONResponse:
    """Made outside of every middleware, so it brings the headers itself."""
    what_to_do = "Its log on standard error says why."
    return answer(ApiError(500, "internal", "The web service failed on this request.", what_to_do, HEADERS))


def install(app: FastAPI) -> None:
    """Give every error of the app the one shape."""
    answers: dict[type[Exception], Any] = {
        ApiError: lambda _request, error: answer(error),
        HTTPException: _http_error,
        RequestValidationError: _invalid,
        CommandRefused: _refused,
        Unavailable: _unavailable,
        SQLAlchemyError: _store_failed,
        Exception: _failed,
    }
    for kind, one in answers.items():
        app.add_exception_handler(kind, one)
