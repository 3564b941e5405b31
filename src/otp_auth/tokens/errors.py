"""What can be wrong with tokens and the keys that sign them."""

from http import HTTPStatus

from otp_auth.errors import AuthError


class InvalidTokenError(AuthError):
    # Forged, expired and meant for something else answer alike.
    status = HTTPStatus.UNAUTHORIZED
    code = "invalid_token"
    title = "The token is not accepted here"
    detail = "The token is missing, has ended, or is not meant for this. Refresh the tokens, or log in again."


class InvalidResetTokenError(InvalidTokenError):
    """The code of any other token, told apart by its words: no refresh and no login brings a new one."""

    detail = "The reset token is missing or has ended. Begin with the forgotten password again."


class RefreshTokenEndedError(InvalidTokenError):
    detail = "This refresh token has ended, or was used before. Log in again."


class NoRefreshTokenError(InvalidTokenError):
    detail = "There is no refresh token here, in the body or in the cookie. Log in."


class SigningKeysError(Exception):
    """The directory of signing keys is not fit for use; the message tells an operator what to do."""


class NoSigningKeysError(SigningKeysError):
    """There is no key that signs."""


class DamagedKeysError(SigningKeysError):
    """The manifest and the key files don't fit together."""


class ForeignKeysError(SigningKeysError):
    """The directory is another user's."""


class UnknownKeyError(SigningKeysError):
    """No key has this kid."""
