"""Refusals of a message."""

from datetime import UTC, datetime
from http import HTTPStatus

from otp_auth.errors import AuthError, RetryLaterError


class DestinationRefusedError(AuthError):
    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "destination_refused"
    title = "No codes to this destination"
    detail = "Codes can't be sent to this number. Use a mobile number of a country that is served."


class SendLaterError(RetryLaterError):
    """A message may not go out yet."""

    def __init__(self, opens_at: datetime | None = None) -> None:
        """`opens_at` is when it may; Retry-After is rounded up to whole seconds."""
        self.opens_at = opens_at or datetime.now(UTC)
        super().__init__(retry_after=-int(-(self.opens_at - datetime.now(UTC)).total_seconds() // 1))


class ResendTooSoonError(SendLaterError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "resend_too_soon"
    title = "The last message is too recent"
    detail = "A message went to this number a moment ago. Ask again after the time in Retry-After."


class TooManySendsError(SendLaterError):
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_sends"
    title = "No more messages"
    detail = (
        "No more messages can be sent now: those of this attempt are used up, or too many went out. "
        "Start again after the time in Retry-After."
    )


class ProviderUnavailableError(RetryLaterError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "provider_unavailable"
    title = "The message provider can't be reached"
    detail = "The provider of messages does not answer. Try again in a moment."
    retry_after = 15
