"""All tables in one place, for migrations."""

from otp_auth.accounts.models import KnownNetwork, PasswordReset, User
from otp_auth.audit.models import AuditEvent, OutgoingEvent
from otp_auth.budgets import Spending
from otp_auth.challenges.models import Challenge, ProviderEvent
from otp_auth.database import Base
from otp_auth.factors.models import FactorFailures, RecoveryCode, TotpAuthenticator
from otp_auth.sending.models import Conversion, Cooldown, Price
from otp_auth.sessions.models import RefreshToken, Session, TrustedDevice

__all__ = [
    "AuditEvent",
    "Base",
    "Challenge",
    "Conversion",
    "Cooldown",
    "FactorFailures",
    "KnownNetwork",
    "OutgoingEvent",
    "PasswordReset",
    "Price",
    "ProviderEvent",
    "RecoveryCode",
    "RefreshToken",
    "Session",
    "Spending",
    "TotpAuthenticator",
    "TrustedDevice",
    "User",
]
