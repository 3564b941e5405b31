"""Every refusal as RFC 9457 problem details, in answers and in the OpenAPI document."""

import re
from collections.abc import Iterable
from http import HTTPStatus
from typing import Any, Self, cast

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from loguru import logger
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as CheckoutTimeoutError
from starlette.exceptions import HTTPException

from otp_auth.api.body_errors import MalformedRequestError, PayloadTooLargeError, UnsupportedMediaTypeError
from otp_auth.api.examples import EXAMPLE_REQUEST_ID, EXAMPLE_URL, FIELD_ERROR
from otp_auth.api.field_errors import field_errors
from otp_auth.api.route_table import methods_at
from otp_auth.ceremonies.step_up import InsufficientAuthenticationError
from otp_auth.errors import AuthError, NotReadyError, OverloadedError, RetryLaterError
from otp_auth.logs import request_id

MEDIA_TYPE = "application/problem+json"


class ValidationFailedError(AuthError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "validation_failed"
    title = "Some fields are not valid"
    detail = "Correct the fields named in `errors`."

    @classmethod
    def example(cls) -> Self:
        return cls(errors=[FIELD_ERROR])


class NotAllowedError(AuthError):
    status = HTTPStatus.FORBIDDEN
    code = "not_allowed"
    title = "Not allowed"
    detail = "Send the header X-Token-Transport: cookie along with the refresh cookie."


class NotFoundError(AuthError):
    status = HTTPStatus.NOT_FOUND
    code = "not_found"
    title = "Not found"
    detail = "There is nothing here, or it is not yours."


class MethodNotAllowedError(AuthError):
    status = HTTPStatus.METHOD_NOT_ALLOWED
    code = "method_not_allowed"
    title = "Method not allowed"
    detail = "This address does not take this method; see the Allow header."


class InternalError(AuthError):
    status = HTTPStatus.INTERNAL_SERVER_ERROR
    code = "internal_error"
    title = "Something went wrong"
    detail = "That is our fault. Tell us the request_id if it happens again."


# What FastAPI itself may say; anything else is an address that isn't there.
_ROUTE_REFUSALS: dict[int, type[AuthError]] = {
    HTTPStatus.METHOD_NOT_ALLOWED: MethodNotAllowedError,
    HTTPStatus.BAD_REQUEST: MalformedRequestError,
}


def problem(error: AuthError, public_url: str) -> dict[str, Any]:
    """Build the body of a refusal. Members of the error can't replace the standard ones."""
    return {
        **error.members,
        "type": f"{public_url}/problems/{error.code}",
        "title": error.title,
        "status": int(error.status),
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id.get(),
    }


def add_problem_handlers(app: FastAPI) -> None:
    """Answer every exception that can leave a route with a problem."""
    app.add_exception_handler(AuthError, _refuse)
    app.add_exception_handler(RequestValidationError, _refuse_fields)
    app.add_exception_handler(HTTPException, _refuse_route)
    app.add_exception_handler(DBAPIError, _report_database)
    app.add_exception_handler(CheckoutTimeoutError, _report_full_pool)
    app.add_exception_handler(OSError, _report_database)  # a refused connection reaches us bare from asyncpg


def answer(request: Request, error: AuthError) -> JSONResponse:
    public_url = request.app.state.settings.public_url
    return JSONResponse(
        problem(error, public_url),
        status_code=error.status,
        headers=_headers(request, error),
        media_type=MEDIA_TYPE,
    )


def _headers(request: Request, error: AuthError) -> dict[str, str]:
    headers = {}
    if isinstance(error, RetryLaterError):
        headers["Retry-After"] = str(error.retry_after)
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = _challenge(request, error)
    return headers


def _challenge(request: Request, error: AuthError) -> str:
    """What a client has to show instead (RFC 6750 3)."""
    if isinstance(error, InsufficientAuthenticationError):  # RFC 9470 3
        parameters = {"error": error.code, "error_description": error.detail, **error.members}
        return "Bearer " + ", ".join(f'{name}="{value}"' for name, value in parameters.items())
    # RFC 6750 3.1: no error code for whoever showed no token, or whose password was wrong.
    showed_one = request.headers.get("authorization", "").lower().startswith("bearer")
    has_token_error = error.code == "invalid_token" and showed_one
    return 'Bearer error="invalid_token"' if has_token_error else "Bearer"


async def _refuse(request: Request, error: Exception) -> JSONResponse:
    return answer(request, cast("AuthError", error))


async def _refuse_fields(request: Request, error: Exception) -> JSONResponse:
    failures = cast("RequestValidationError", error).errors()
    return answer(request, ValidationFailedError(errors=field_errors(failures)))


async def _refuse_route(request: Request, error: Exception) -> JSONResponse:
    error = cast("HTTPException", error)
    refusal = _ROUTE_REFUSALS.get(error.status_code, NotFoundError)()
    response = answer(request, refusal)
    if refusal.status == HTTPStatus.METHOD_NOT_ALLOWED:
        # FastAPI names the methods of the first route alone.
        response.headers["Allow"] = ", ".join(methods_at(request.app, request.scope["path"]))
    return response


async def _report_database(request: Request, error: Exception) -> JSONResponse:
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        raise error  # the database is well: this is our own mistake
    logger.error("database: {}", _cause(error))
    return answer(request, NotReadyError())


def _cause(error: BaseException) -> str:
    """The name of the driver's own error, such as LockNotAvailableError: its words might hold values."""
    wrapped = getattr(error, "orig", None) or error
    return type(wrapped.__cause__ or wrapped).__name__


async def _report_full_pool(request: Request, _error: Exception) -> JSONResponse:
    logger.error("database: no free connection")
    return answer(request, OverloadedError())


def internal_error(request: Request) -> JSONResponse:
    return answer(request, InternalError())


# What any route with a body can answer.
BODY_REFUSALS = (
    MalformedRequestError,
    UnsupportedMediaTypeError,
    PayloadTooLargeError,
    ValidationFailedError,
)


def refusals(*errors: type[AuthError] | AuthError) -> dict[int | str, dict[str, Any]]:
    """Describe refusals for `responses=`: one entry for each status, an example for each shape of a code.

    Of a class it is its own example; where a route says less or more, it passes what it says.
    """
    described: dict[int | str, dict[str, Any]] = {}
    for each in errors:
        error = each if isinstance(each, AuthError) else each.example()
        entry = described.setdefault(int(error.status), _new_entry())
        entry["content"][MEDIA_TYPE]["examples"][_example_name(error)] = example_of(error)
    for entry in described.values():
        codes = {name.partition(".")[0]: None for name in entry["content"][MEDIA_TYPE]["examples"]}
        entry["description"] = ", ".join(f"`{code}`" for code in codes)
    return described


def example_of(error: AuthError) -> dict[str, Any]:
    """Describe what is answered, in the shape of OpenAPI."""
    value = problem(error, EXAMPLE_URL) | {"request_id": EXAMPLE_REQUEST_ID}
    sentence = re.split(r"[.:;] ", error.detail, maxsplit=1)[0].rstrip(".")
    return {"summary": error.title if _stands_for_its_code(error) else sentence, "value": value}


def _example_name(error: AuthError) -> str:
    """The code. Others of the same code say behind a dot which they are."""
    if _stands_for_its_code(error):
        return error.code
    words = re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__.removesuffix("Error"))
    return f"{error.code}.{words.lower()}"


def _stands_for_its_code(error: AuthError) -> bool:
    return all_refusals()[error.code] is type(error)


def _new_entry() -> dict[str, Any]:
    schema = {"$ref": "#/components/schemas/Problem"}
    return {"content": {MEDIA_TYPE: {"schema": schema, "examples": {}}}}


def all_refusals(roots: Iterable[type[AuthError]] = (AuthError,)) -> dict[str, type[AuthError]]:
    """Every refusal there is, by its code."""
    found: dict[str, type[AuthError]] = {}
    for root in roots:
        for error in root.__subclasses__():
            if hasattr(error, "code"):
                found.setdefault(error.code, error)
            found |= {code: each for code, each in all_refusals((error,)).items() if code not in found}
    # Others say more narrowly what is not valid, under the same code.
    return found | {ValidationFailedError.code: ValidationFailedError}
