"""The one base class of every refusal. Each subclass is one problem code of the public contract."""

from http import HTTPStatus
from typing import Any, ClassVar, Self


class AuthError(Exception):
    """A refusal with a stable code; the HTTP edge turns it into RFC 9457 problem details."""

    status: ClassVar[HTTPStatus]
    code: ClassVar[str]  # stable: clients switch on it and translate it
    title: ClassVar[str]
    detail: str = ""  # plain English for people; the cause goes to the log

    def __init__(self, detail: str | None = None, **members: Any) -> None:
        """`members` become further members of the problem, such as `attempts_left`."""
        self.detail = detail or self.detail
        self.members = members
        super().__init__(self.detail)

    @classmethod
    def example(cls) -> Self:
        """One as a client meets it, for the documents: with members of made-up values."""
        return cls()


class RetryLaterError(AuthError):
    """A refusal that ends by itself: always answered with `Retry-After` in whole seconds."""

    retry_after = 1

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None, **members: Any) -> None:
        super().__init__(detail, **members)
        self.retry_after = max(1, self.retry_after if retry_after is None else retry_after)


class OverloadedError(RetryLaterError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "overloaded"
    title = "Too much work at once"
    detail = "The service is busy. Try again in a moment."
    retry_after = 2


class NotReadyError(RetryLaterError):
    status = HTTPStatus.SERVICE_UNAVAILABLE
    code = "not_ready"
    title = "The service is not ready"
    detail = "The service can't reach all that it needs. Try again in a moment."
    retry_after = 5
