"""What Sinch says no with: five digits (the first three are the HTTP status), a message and a support id."""

from enum import Enum
from uuid import uuid4

from fastapi import Request
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException


class SinchAnswer(JSONResponse):
    """JSON with the content type that Sinch writes."""

    media_type = "application/json; charset=utf-8"


class Refusal(Enum):
    """Sinch's error codes, each with its message; where Sinch shows only a name, with words of that name."""

    INVALID_PARAMETER = 40001, "Parameter validation failed."
    MISSING_PARAMETER = 40002, "Parameter is missing."
    INVALID_CODE = 40003, "Invalid identity or code."
    INVALID_KEY = 40004, "Invalid authorization key"
    MISSING_PLUS = 40005, "Phone number missing leading plus sign"
    INVALID_HEADER = 40100, "Invalid authorization header"
    TIMESTAMP = 40101, "X-Timestamp required"
    INVALID_SIGNATURE = 40102, "Invalid signature"
    ALREADY_AUTHORIZED = 40103, "Already authorized"
    NO_AUTHORIZATION = 40104, "Authorization required"
    AUTHORIZATION_EXPIRED = 40105, "Expired"
    USER_BARRED = 40106, "User barred"
    INVALID_AUTHORIZATION = 40107, "Invalid authorization"
    INVALID_CREDENTIALS = 40108, "Invalid credentials"
    NO_CREDIT = 40200, "Not enough credit"
    BLACKLISTED = 40300, "Identity is blacklisted."
    NO_SEAMLESS = 40300, "Seamless verification not available for given destination."
    INVALID_SCHEME = 40301, "Invalid scheme"
    INSUFFICIENT_PRIVILEGES = 40302, "Insufficient privileges"
    LEVEL = 40303, "Authorization requirement not met."
    NO_CALLBACK = 40303, "Callback URL must be set when using public authorization method."
    DENIED_BY_CALLBACK = 40303, "Verification denied by callback."
    NOT_FOUND = 40400, "Requested resource was not found."
    REFERENCE_TAKEN = 40900, "Reference already defined"
    NOT_CONFIGURED = 42200, "Application name has not been configured"
    NO_ROUTE = 42201, "No route to destination."
    INVALID_CALLBACK = 42202, "Invalid callback response."
    CAPACITY = 42900, "Request capacity exceeded"
    TOO_SOON = 42901, "Cannot initiate verification to the same number too quickly"
    INTERNAL_ERROR = 50000, "Internal server error."
    NO_SUCH_METHOD = 50100, "Method not implemented"
    NO_SUCH_STATUS = 50101, "Status not implemented"
    DOWN = 50300, "Service is temporarily unavailable, please try again later."
    CONFIGURATION = 50301, "Configuration error, please contact support."

    def __init__(self, error_code: int, message: str) -> None:
        self.error_code = error_code
        self.message = message


# Of a code with several messages, the first.
MESSAGES = {refusal.error_code: refusal.message for refusal in reversed(Refusal)}


class RefusalError(Exception):
    """The request gets an error instead of an answer."""

    def __init__(self, refusal: Refusal, message: str | None = None) -> None:
        self.refusal = refusal
        self.message = message or refusal.message
        super().__init__(self.message)


def error_answer(error_code: int, message: str) -> SinchAnswer:
    """Write an error as Sinch does; `reference` is for its support and has nothing to do with a caller's."""
    body = {"errorCode": error_code, "message": message, "reference": str(uuid4())}
    return SinchAnswer(body, status_code=error_code // 100)


async def answer_refusal(_: Request, error: Exception) -> SinchAnswer:
    """Turn a RefusalError into Sinch's JSON."""
    if not isinstance(error, RefusalError):
        raise error
    return error_answer(error.refusal.error_code, error.message)


async def answer_http_error(_: Request, error: Exception) -> SinchAnswer:
    """Turn what the router refuses (no such path, wrong verb) into Sinch's JSON."""
    if not isinstance(error, HTTPException):
        raise error
    message = Refusal.NOT_FOUND.message if error.status_code == Refusal.NOT_FOUND.error_code // 100 else ""
    return error_answer(error.status_code * 100, message or error.detail)


async def answer_crash(_: Request, __: Exception) -> SinchAnswer:
    """Answer for a mistake of the simulator itself."""
    return error_answer(Refusal.INTERNAL_ERROR.error_code, Refusal.INTERNAL_ERROR.message)
