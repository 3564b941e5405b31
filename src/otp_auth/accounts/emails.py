"""E-mail addresses in their one form, so that every spelling leads to the same account."""

from email_validator import EmailNotValidError, validate_email


class EmailInvalidError(ValueError):
    """This is not an e-mail address."""


def normalize_email(text: str) -> str:
    """Return the address in small letters, NFC, its domain in Unicode. Raises EmailInvalidError."""
    try:
        address = validate_email(text.strip(), check_deliverability=False, test_environment=True)
    except EmailNotValidError:
        raise EmailInvalidError from None
    return address.normalized.lower()
