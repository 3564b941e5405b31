"""Why a message doesn't go out."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Reason(StrEnum):
    """What stands in the way of a message, for the audit trail and metrics."""

    COUNTRY = "country"  # not on the list
    NUMBER_TYPE = "number_type"
    NUMBER = "number"  # from here to `cost`: its budget is spent
    ACCOUNT = "account"
    ADDRESS = "address"
    BLOCK = "block"
    COUNTRY_BUDGET = "country_budget"
    GLOBAL = "global"
    COST = "cost"
    BLOCK_CONVERSION = "block_conversion"  # too few of its messages were proved
    COUNTRY_CONVERSION = "country_conversion"


@dataclass(frozen=True)
class Refusal:
    """One reason, and when it ends by itself; None: it doesn't."""

    reason: Reason
    retry_at: datetime | None
