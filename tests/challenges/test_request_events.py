"""What Sinch is told when the database is slow or away: no, and in time."""

import asyncio
from uuid import uuid4

import pytest
from sqlalchemy.exc import OperationalError

from otp_auth.challenges import callbacks
from otp_auth.challenges.callbacks import answer_request
from otp_auth.challenges.codes import Codes
from otp_auth.challenges.deliveries import DeliveryRepository
from otp_auth.challenges.models import Challenge
from otp_auth.sinch.events import DENY, RequestEvent

EVENT = RequestEvent.model_validate(
    {
        "id": "0192f5a0",
        "event": "VerificationRequestEvent",
        "method": "sms",
        "identity": {"type": "number", "endpoint": "+46701740605"},
        "reference": str(uuid4()),
        "price": {"amount": 0.05, "currencyId": "EUR"},
    }
)


class Slow(DeliveryRepository):
    """A database that never answers."""

    def __init__(self) -> None:
        pass

    async def announce(self, event: RequestEvent) -> Challenge | None:  # noqa: ARG002 - asked in vain
        await asyncio.Event().wait()
        return None


class Broken(Slow):
    async def announce(self, event: RequestEvent) -> Challenge | None:
        raise OperationalError("SELECT", {}, OSError(f"no route to the database of {event.id}"))


async def test_a_slow_database_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(callbacks, "DEADLINE", 0.01)

    async with asyncio.timeout(10):
        assert await answer_request(Slow(), Codes("a-secret"), EVENT) == DENY


async def test_a_broken_one_sends_nothing() -> None:
    assert await answer_request(Broken(), Codes("a-secret"), EVENT) == DENY
