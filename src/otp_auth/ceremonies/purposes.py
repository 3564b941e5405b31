"""Which completion ends which purpose. A new purpose is a file and a line here."""

from functools import partial

from otp_auth.ceremonies.login import complete_login
from otp_auth.ceremonies.password_reset import complete_password_reset
from otp_auth.ceremonies.phone_change import complete_phone_change
from otp_auth.ceremonies.proof import Completion
from otp_auth.ceremonies.register import complete_registration
from otp_auth.ceremonies.step_up import complete_step_up
from otp_auth.challenges.models import Purpose
from otp_auth.settings import PasswordResetSettings

COMPLETIONS: dict[Purpose, Completion] = {
    Purpose.REGISTER: complete_registration,
    Purpose.LOGIN: complete_login,
    Purpose.STEP_UP: complete_step_up,
    Purpose.PHONE_CHANGE: complete_phone_change,
}


def completions(resets: PasswordResetSettings) -> dict[Purpose, Completion]:
    """All of them, each as the settings want it."""
    reset = partial(complete_password_reset, lifetime=resets.token_lifetime)
    return COMPLETIONS | {Purpose.PASSWORD_RESET: reset}
