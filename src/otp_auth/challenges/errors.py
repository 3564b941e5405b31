"""Refusals of a code."""

from http import HTTPStatus
from typing import Self

from otp_auth.errors import AuthError, RetryLaterError


class WrongCodeError(AuthError):
    status = HTTPStatus.BAD_REQUEST
    code = "wrong_code"
    title = "Wrong code"
    detail = "That is not the code we sent."

    @classmethod
    def example(cls) -> Self:
        return cls(attempts_left=2)


class NoCodeYetError(WrongCodeError):
    """No message of this challenge went out, so no code can be right: told apart only by its words."""

    detail = "No code was sent for this attempt yet. Ask for one, or go on with the attempt that has one."


class WrongAppCodeError(WrongCodeError):
    """Of an authenticator app, which no message brings: told apart only by its words."""

    detail = "That is not a code that the app shows now, or it was used already. Wait for the next one."


class WrongRecoveryCodeError(WrongCodeError):
    """Told apart only by its words."""

    detail = "That is no unused recovery code of this account."


class ChallengeClosedError(AuthError):
    # Expired, spent, superseded, exhausted and unknown answer alike: the difference helps only an attacker.
    status = HTTPStatus.GONE
    code = "challenge_closed"
    title = "This attempt is over"
    detail = "This code is no longer valid. Start again."


class TooManyAttemptsError(RetryLaterError):
    # The code was not looked at. Sending again, logging in again or another channel doesn't help.
    status = HTTPStatus.TOO_MANY_REQUESTS
    code = "too_many_attempts"
    title = "Too many wrong tries"
    detail = "There were too many wrong codes. Try again after the time in Retry-After."


class MethodNotOfferedError(AuthError):
    """The body asks for a channel or factor that this challenge doesn't take; answered as a field error."""

    status = HTTPStatus.UNPROCESSABLE_ENTITY
    code = "validation_failed"
    title = "Some fields are not valid"
    detail = "This method is not offered here. Take one of `methods` or `next_methods`."

    def __init__(self) -> None:
        super().__init__(errors=[{"field": "body.method", "rule": "not_offered", "message": self.detail}])
