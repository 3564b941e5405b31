"""What a verification's status says of its message."""

import pytest

from otp_auth.challenges.deliveries import Fate, fate_of


@pytest.mark.parametrize(
    ("status", "fate"),
    [
        ("PENDING", None),
        ("SUCCESSFUL", None),
        ("FAIL", None),  # a code that was tried: it had arrived, or it expired
        ("DENIED", Fate.FAILED),
        ("ERROR", Fate.FAILED),
        ("ABORTED", Fate.REPLACED),
        ("UNHEARD_OF", None),
        (None, None),
    ],
)
def test_fates(status: str | None, fate: Fate | None) -> None:
    assert fate_of(status) is fate
