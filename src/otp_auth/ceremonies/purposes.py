"""Which completion ends which purpose. A new purpose is a file and a line here."""

from otp_auth.ceremonies.login import complete_login
from otp_auth.ceremonies.proof import Completion
from otp_auth.ceremonies.register import complete_registration
from otp_auth.challenges.models import Purpose

COMPLETIONS: dict[Purpose, Completion] = {
    Purpose.REGISTER: complete_registration,
    Purpose.LOGIN: complete_login,
}
