"""What a verification's status says of its message."""

import pytest

from otp_auth.challenges.deliveries import fate_of
from otp_auth.challenges.models import Delivery


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ("PENDING", None),
        ("SUCCESSFUL", None),
        ("FAIL", None),  # a code that was tried: it had arrived, or it expired
        ("DENIED", Delivery.FAILED),
        ("ERROR", Delivery.FAILED),
        ("ABORTED", Delivery.FAILED),
        ("UNHEARD_OF", None),
        (None, None),
    ],
)
def test_fates(status: str | None, fate: Delivery | None) -> None:
    assert fate_of(status) is fate
