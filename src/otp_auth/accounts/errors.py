"""Refusals about who someone is."""

from http import HTTPStatus

from otp_auth.challenges.errors import TooManyAttemptsError
from otp_auth.errors import AuthError


class InvalidCredentialsError(AuthError):
    # Unknown person and wrong password answer alike.
    status = HTTPStatus.UNAUTHORIZED
    code = "invalid_credentials"
    title = "Wrong login or password"
    detail = "That login and password don't belong together."


class WrongPasswordError(AuthError):
    # To somebody who is logged in: no secret which of the two was wrong.
    status = HTTPStatus.BAD_REQUEST
    code = "wrong_password"
    title = "Wrong password"
    detail = "That is not the present password."


class TooManyPasswordsError(TooManyAttemptsError):
    """The code of too many wrong codes, told apart by its words. The password was not looked at."""

    title = "Too many wrong passwords"
    detail = "There were too many wrong passwords. Try again after the time in Retry-After."


class ProofRequiredError(AuthError):
    # The token stays good: only the holder of a second factor can use it.
    status = HTTPStatus.FORBIDDEN
    code = "proof_required"
    title = "A second proof is needed"
    detail = "This account has an authenticator app: send one of its codes, or a recovery code, in `proof`."


class AccountExistsError(AuthError):
    # Said only to the person who proved the phone.
    status = HTTPStatus.CONFLICT
    code = "account_exists"
    title = "There is an account already"
    detail = "An account with this phone number or e-mail address exists. Log in instead."


class ConflictError(AuthError):
    status = HTTPStatus.CONFLICT
    code = "conflict"
    title = "Not possible as things stand"
    detail = "The change doesn't fit the account as it is."


class EmailTakenError(ConflictError):
    # By whom is not told, nor by how many.
    detail = "This e-mail address can't be used."


class NoAppToPreferError(ConflictError):
    detail = "No authenticator app is enrolled, so it can't be preferred."


class SameNumberError(ConflictError):
    detail = "The account has this phone number already."


class AppEnrolledError(ConflictError):
    detail = "An authenticator app is enrolled already. Remove it first."


class NoAppWaitsError(ConflictError):
    detail = "No authenticator app waits to be confirmed."


class AppReplacedError(ConflictError):
    detail = "This authenticator app was confirmed or replaced meanwhile."
