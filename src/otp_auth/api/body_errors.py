"""Refusals of a body that nobody has looked into yet."""

from http import HTTPStatus

from otp_auth.errors import AuthError

LARGEST_BODY = 64 * 1024  # bytes


class MalformedRequestError(AuthError):
    status = HTTPStatus.BAD_REQUEST
    code = "malformed_request"
    title = "The body is not JSON"
    detail = "Send one JSON object in UTF-8, without repeated names, NaN or lone surrogates."


class UnsupportedMediaTypeError(AuthError):
    status = HTTPStatus.UNSUPPORTED_MEDIA_TYPE
    code = "unsupported_media_type"
    title = "Only JSON is read"
    detail = "Send the body with Content-Type: application/json."


class PayloadTooLargeError(AuthError):
    status = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    code = "payload_too_large"
    title = "The body is too large"
    detail = f"Send at most {LARGEST_BODY} bytes."
