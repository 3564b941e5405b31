"""How long the longest tests run: `OTP_AUTH_TEST_FULL=1 ./dev test` takes all the time that they want."""

import os

FULL = bool(os.environ.get("OTP_AUTH_TEST_FULL"))
