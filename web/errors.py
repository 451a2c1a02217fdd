"""Errors over HTTP: one JSON form both ways, so that a client raises what the server raised."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException

from tools.domain.errors import BadInput, Conflict, IntegrityBroken, JitError, NotAllowed, NotFound, OutOfReach
from tools.domain.plain_json import sayable


class ErrorBody(BaseModel):
    """What an answer of 400 and above holds."""

    code: str
    message: str
    remedy: str
    context: dict[str, str | int | float] = Field(default_factory=dict)


def error_answers(*statuses: int) -> dict[int | str, dict[str, object]]:
    """The description of a route's error answers."""
    return {status: {"model": ErrorBody, "description": MEANING_OF[status]} for status in statuses}


MEANING_OF: Mapping[int, str] = {
    400: "The request is malformed or asks for something impossible; the message names the field.",
    401: "No key, an unknown key, or a signature that does not hold.",
    403: "The person's role, or their part in the order, does not allow it.",
    404: "There is no such thing.",
    409: "Done or changed already.",
    413: "The body is too large.",
    500: "A fault in this program or broken integrity.",
    503: "A part that this needs is out of reach.",
}


class SignInNeeded(NotAllowed):
    """No key, or one that nobody holds; for a webhook, no valid signature."""

    code = "JIT-210"


class TooLarge(BadInput):
    """A request body beyond the limit."""

    code = "JIT-110"


FORM = "See /openapi.json for its form."
STATUS_OF: tuple[tuple[type[JitError], int], ...] = (
    (SignInNeeded, 401),
    (TooLarge, 413),
    (NotFound, 404),
    (BadInput, 400),
    (Conflict, 409),
    (NotAllowed, 403),
    (OutOfReach, 503),
    (IntegrityBroken, 500),
    (JitError, 500),
)
"""The first class that fits gives the status."""


def status_of(error: JitError) -> int:
    """HTTP status of an error."""
    return next(status for kind, status in STATUS_OF if isinstance(error, kind))


def error_body(error: JitError) -> dict[str, object]:
    """The JSON form: code, message, remedy and the ids concerned."""
    context = {
        sayable(key): value if isinstance(value, int | float) else sayable(str(value))
        for key, value in error.context.items()
    }
    return {
        "code": error.code,
        "message": sayable(error.message),
        "remedy": sayable(error.remedy),
        "context": context,
    }


def error_response(error: JitError) -> JSONResponse:
    """The answer to a request that ended in an error."""
    return JSONResponse(error_body(error), status_code=status_of(error))


def error_from(status: int, body: Mapping[str, object]) -> JitError:
    """The error that a server answered with: the same class by status, and the same code."""
    base = next((kind for kind, known in STATUS_OF if known == status and status < 500), JitError)
    if status == 503:
        base = OutOfReach
    elif str(body.get("code", "")).startswith(IntegrityBroken.code[:5]):
        base = IntegrityBroken
    context = body.get("context")
    known = {str(k): v for k, v in context.items()} if isinstance(context, Mapping) else {}
    known = {key: value for key, value in known.items() if key not in ("message", "remedy", "self")}
    message = str(body.get("message", f"The server answered {status}."))
    error = base(message, remedy=str(body.get("remedy", "See the server's log.")), **known)
    vars(error)["code"] = str(body.get("code", base.code))
    return error


def answer_errors_as_json(app: FastAPI) -> None:
    """Turn every error of ours, every malformed request and every fault into the JSON form."""

    def ours(_request: Request, error: Exception) -> JSONResponse:
        return error_response(error if isinstance(error, JitError) else JitError(str(error), remedy=""))

    def malformed(_request: Request, error: Exception) -> JSONResponse:
        found = error.errors() if isinstance(error, RequestValidationError) else []
        where = "; ".join(_wrong_part(one) for one in found)
        return error_response(BadInput(f"The request is malformed: {where}.", remedy=FORM))

    def unrouted(request: Request, error: Exception) -> JSONResponse:
        status, headers = (error.status_code, error.headers) if isinstance(error, HTTPException) else (400, None)
        return JSONResponse(error_body(_unrouted(request, status, str(error))), status_code=status, headers=headers)

    def fault(_request: Request, _error: Exception) -> JSONResponse:
        return error_response(JitError("This is a fault of the program.", remedy="The server's log says more."))

    app.add_exception_handler(JitError, ours)
    app.add_exception_handler(RequestValidationError, malformed)
    app.add_exception_handler(HTTPException, unrouted)
    app.add_exception_handler(Exception, fault)


def _wrong_part(found: Mapping[str, Any]) -> str:
    """A field and what is wrong with it; of a body that cannot be read at all, where."""
    if found["type"] == "json_invalid":
        return f"body: no JSON at character {found['loc'][-1]}: {found['ctx']['error']}"
    if found["type"] == "misfit":
        return str(found["msg"])
    place = ".".join(str(part) for part in found["loc"][1:]) or str(found["loc"][0])
    return f"{place}: {found['msg']}"


def _unrouted(request: Request, status: int, reason: str) -> JitError:
    if status == 404:
        return NotFound(f"There is nothing at {request.url.path}.", remedy=FORM)
    if status == 405:
        return BadInput(f"{request.url.path} takes no {request.method}.", remedy=FORM)
    return BadInput(f"The request cannot be read: {reason}.", remedy=FORM)


def describe_malformed(app: FastAPI) -> None:
    """Leave out of the description the framework's own answer to a malformed request, which is 400 here."""
    made = app.openapi

    def described() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        schema = made()
        if fresh:
            for path in schema["paths"].values():
                for operation in path.values():
                    operation["responses"].pop("422", None)
        return schema

    app.openapi = described
