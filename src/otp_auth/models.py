"""All tables in one place, for migrations."""

from otp_auth.accounts.models import User
from otp_auth.budgets import Spending
from otp_auth.challenges.models import Challenge
from otp_auth.database import Base
from otp_auth.factors.models import RecoveryCode
from otp_auth.sending.models import Cooldown
from otp_auth.sessions.models import RefreshToken, Session

__all__ = ["Base", "Challenge", "Cooldown", "RecoveryCode", "RefreshToken", "Session", "Spending", "User"]
