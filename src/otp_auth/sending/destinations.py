"""Where a message may go at all."""

from otp_auth import phone_numbers
from otp_auth.sending.errors import DestinationRefusedError
from otp_auth.settings import SendSettings

EVERYWHERE = "*"


def check_destination(phone_number: str, policy: SendSettings) -> None:
    """Refuse a number of a country that is not served. Raises DestinationRefusedError."""
    served = policy.countries
    if EVERYWHERE not in served and phone_numbers.region_of(phone_number) not in served:
        raise DestinationRefusedError
