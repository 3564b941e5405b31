"""What the simulator plays: the settings `OTP_AUTH_SIMULATOR__…`."""

from datetime import timedelta
from typing import Annotated, Literal

from pydantic import Field

from otp_auth.setting_types import LONGEST, Seconds, Section

LONGEST_SECONDS = int(LONGEST.total_seconds())
WholeSeconds = Annotated[int, Field(ge=0, le=LONGEST_SECONDS)]  # 0 has a meaning of its own


class SimulatorSettings(Section):
    """How the Sinch simulator plays what Sinch does not publish. Never read in production."""

    code_lifetime: Seconds = timedelta(seconds=300)
    wrong_tries: Annotated[int, Field(ge=1)] = 3  # the last of them closes the verification
    # What answers the wrong code that closes a verification: 200 with FAIL, or 400 with 40003.
    last_wrong_answer: Literal["fail", "error"] = "fail"
    start_gap: WholeSeconds = 0  # seconds between two starts for one number
    flash_call_lifetime: Seconds = timedelta(seconds=75)
    # Where events are sent, signed, as to the URL in Sinch's dashboard. Empty: nowhere.
    callback_url: str = ""
    callback_timeout: Seconds = timedelta(seconds=5)
    # Seconds from a message to the event that says it has arrived.
    delivery_delay: Annotated[float, Field(ge=0, le=LONGEST_SECONDS)] = 0.2
    # The application's lowest level of authentication, as in Sinch's dashboard.
    minimum_level: Literal["public", "basic", "signed"] = "basic"
    timestamp_window: Seconds = timedelta(seconds=300)  # of a signature, either way
    code_length: Annotated[int, Field(ge=4, le=10)] = 4
    starts_per_minute: Annotated[int, Field(ge=0)] = 0  # of all numbers together. 0: no limit
    seamless: bool = False  # Sinch has it only by agreement
    # What answers a report after the end. `usual`: 200 with FAIL if it expired and is named by its id, else
    # 400 with 40003; `error`: always that; `not_found`: 404; `answer`: 200 and how it ended, if badly.
    late_report: Literal["usual", "error", "not_found", "answer"] = "usual"
    # Seconds for which a number leads to its latest verification. 0: for ever.
    look_up_by_number: WholeSeconds = 0
    price_delay: WholeSeconds = 0  # seconds from the end until a status tells the price
    termination_debiting: bool = False  # calls cost minutes too
