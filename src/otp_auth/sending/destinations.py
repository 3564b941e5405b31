"""Where a message may go at all."""

from otp_auth import phone_numbers
from otp_auth.sending.errors import DestinationRefusedError
from otp_auth.settings import SendSettings

EVERYWHERE = "*"


def check_destination(phone_number: str, policy: SendSettings) -> None:
    """Refuse a number of a country that is not served. Raises DestinationRefusedError."""
    if not is_served(phone_number, policy):
        raise DestinationRefusedError


def is_served(phone_number: str, policy: SendSettings) -> bool:
    if EVERYWHERE in policy.countries:
        return True
    region = phone_numbers.region_of(phone_number)
    return region is not None and region in policy.countries
