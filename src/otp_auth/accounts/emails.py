"""E-mail addresses in their one form, so that every spelling leads to the same account."""

import unicodedata

from email_validator import EmailNotValidError, validate_email


class EmailInvalidError(ValueError):
    """This is not an e-mail address."""


def normalize_email(text: str) -> str:
    """Return the address in small letters, NFC, its domain in Unicode. Raises EmailInvalidError."""
    try:
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise EmailInvalidError from None
    # NFC once more: a small letter may compose where its capital did not.
    return unicodedata.normalize("NFC", address.normalized.lower())
