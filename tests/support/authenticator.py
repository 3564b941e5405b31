"""An authenticator app, as a person holds it in the hand."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pyotp
import time_machine

from support.service import Json, Service

STEP = timedelta(seconds=30)


@dataclass(frozen=True)
class App:
    """It knows the secret, and shows codes."""

    secret: str

    def code(self, steps: int = 0) -> str:
        """What it shows now, or so many steps later."""
        return pyotp.TOTP(self.secret).at(datetime.now(UTC) + steps * STEP)

    def wrong_code(self) -> str:
        """Six digits that it doesn't show around now."""
        shown = {self.code(steps) for steps in range(-3, 4)}
        return next(code for code in map("{:06}".format, range(10)) if code not in shown)


async def enrol(service: Service, tokens: Json) -> App:
    """Begin with an app that doesn't count yet."""
    answer = await service.post("/me/factors/totp", token=tokens["access_token"])
    assert answer.status_code == 201, answer.text
    return App(answer.json()["secret"])


async def add_app(service: Service, tokens: Json) -> App:
    """Enrol an app and confirm it by the code of one step ago, so that the present one is unused."""
    app = await enrol(service, tokens)
    # The clock stands still: were the step to end between the two, that code would be too old.
    with time_machine.travel(datetime.now(UTC), tick=False):
        body = {"code": app.code(-1)}
        answer = await service.post("/me/factors/totp/confirm", body, tokens["access_token"])
    assert answer.status_code == 200, answer.text
    return app
