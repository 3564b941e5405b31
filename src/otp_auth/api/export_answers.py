"""What a person gets who asks for all that is stored: the bodies, and how they are filled."""

from typing import Annotated, Literal

from pydantic import Field

from otp_auth.accounts.export import Holdings
from otp_auth.accounts.models import PasswordReset
from otp_auth.accounts.profile import Profile
from otp_auth.api import schemas
from otp_auth.api.answers import describe_event, describe_user
from otp_auth.api.bodies import Answer, Moment
from otp_auth.api.client_address import masked_address
from otp_auth.api.fields import ChannelName
from otp_auth.challenges.models import Challenge
from otp_auth.factors.models import FactorFailures, RecoveryCode, TotpAuthenticator
from otp_auth.sessions.models import Session, TrustedDevice

Address = Annotated[
    str | None, Field(description="no more of it is stored than this", examples=["203.0.113.•••"])
]
Ended = Annotated[Moment | None, Field(description="null: not yet, or by its time alone")]


class ExportedSession(Answer):
    id: str
    device: str
    address: Address
    created_at: Moment
    auth_time: Moment
    amr: Annotated[list[str], Field(description="what was proved at the login (RFC 8176)")]
    acr: str
    last_used_at: Moment
    idle_until: Moment
    expires_at: Moment
    ended_at: Ended
    refreshes: Annotated[int, Field(description="how often its tokens were renewed")]


class ExportedDevice(Answer):
    id: str
    name: str
    address: Address
    created_at: Moment
    last_used_at: Moment
    expires_at: Moment
    ended_at: Ended


class ExportedApp(Answer):
    """An authenticator app. Its secret stays where it is."""

    created_at: Moment
    confirmed_at: Annotated[Moment | None, Field(description="null: it doesn't count yet")]
    last_used_at: Moment | None


class ExportedRecoveryCode(Answer):
    """A recovery code. Nobody can read it again, neither here."""

    created_at: Moment
    used_at: Moment | None


class ExportedFailures(Answer):
    """Wrong codes in a row of one factor."""

    method: Literal["sms", "totp", "recovery_code"]
    in_a_row: int
    disabled_at: Moment | None


class ExportedNetwork(Answer):
    """A network that logins have come from."""

    address: Address
    last_used_at: Moment


class ExportedReset(Answer):
    """A reset of the password that somebody with the phone has asked for."""

    id: str
    created_at: Moment
    expires_at: Moment
    held_until: Annotated[
        Moment | None, Field(description="when the new password takes effect, or would have")
    ]
    ended_at: Ended


class ExportedChallenge(Answer):
    """A code that was asked for; those that are over are deleted within about a day."""

    id: str
    purpose: Literal["register", "login", "step_up", "phone_change", "password_reset"]
    session_id: str | None
    destination: Annotated[str, Field(description="where the code goes", examples=["+46701740605"])]
    accept_language: str | None
    method: ChannelName | None
    tried_methods: list[ChannelName]
    delivery: Literal["not_sent", "sending", "sent", "delivered", "failed", "unknown"]
    created_at: Moment
    first_sent_at: Moment | None
    sent_at: Moment | None
    expires_at: Moment
    closed_at: Moment | None
    attempts_left: int
    sends_left: int


class Export(Answer):
    """All that is stored about a person, the newest of each list first. Hashes and secrets are left out."""

    exported_at: Moment
    user: schemas.User
    sessions: list[ExportedSession]
    devices: list[ExportedDevice]
    authenticator_app: ExportedApp | None
    recovery_codes: list[ExportedRecoveryCode]
    wrong_codes: list[ExportedFailures]
    known_networks: list[ExportedNetwork]
    password_resets: list[ExportedReset]
    challenges: list[ExportedChallenge]
    events: Annotated[list[schemas.Event], Field(description="the audit trail, as in `/me/events`")]


def describe_export(profile: Profile, found: Holdings) -> Export:
    return Export(
        exported_at=found.collected_at,
        user=describe_user(profile),
        sessions=[_session(each, found.refreshes.get(each.id, 0)) for each in found.sessions],
        devices=[_device(each) for each in found.devices],
        authenticator_app=_app(found.app) if found.app else None,
        recovery_codes=[_recovery_code(each) for each in found.recovery_codes],
        wrong_codes=[_failures(each) for each in found.failures],
        known_networks=[
            ExportedNetwork(address=masked_address(each.network), last_used_at=each.last_used_at)
            for each in found.networks
        ],
        password_resets=[_reset(each) for each in found.resets],
        challenges=[_challenge(each) for each in found.challenges],
        events=[describe_event(each) for each in found.events],
    )


def _session(session: Session, refreshes: int) -> ExportedSession:
    return ExportedSession(
        id=str(session.id),
        device=session.device,
        address=masked_address(session.network),
        created_at=session.created_at,
        auth_time=session.auth_time,
        amr=session.amr,
        acr=session.acr,
        last_used_at=session.last_used_at,
        idle_until=session.idle_until,
        expires_at=session.expires_at,
        ended_at=session.ended_at,
        refreshes=refreshes,
    )


def _device(device: TrustedDevice) -> ExportedDevice:
    return ExportedDevice(
        id=str(device.id),
        name=device.name,
        address=masked_address(device.network),
        created_at=device.created_at,
        last_used_at=device.last_used_at,
        expires_at=device.expires_at,
        ended_at=device.ended_at,
    )


def _app(app: TotpAuthenticator) -> ExportedApp:
    return ExportedApp(
        created_at=app.created_at, confirmed_at=app.confirmed_at, last_used_at=app.last_used_at
    )


def _recovery_code(code: RecoveryCode) -> ExportedRecoveryCode:
    return ExportedRecoveryCode(created_at=code.created_at, used_at=code.used_at)


def _failures(failures: FactorFailures) -> ExportedFailures:
    return ExportedFailures(
        method=failures.factor.value, in_a_row=failures.in_a_row, disabled_at=failures.disabled_at
    )


def _reset(reset: PasswordReset) -> ExportedReset:
    return ExportedReset(
        id=str(reset.id),
        created_at=reset.created_at,
        expires_at=reset.expires_at,
        held_until=reset.held_until,
        ended_at=reset.ended_at,
    )


def _challenge(challenge: Challenge) -> ExportedChallenge:
    return ExportedChallenge(
        id=str(challenge.id),
        purpose=challenge.purpose.value,
        session_id=str(challenge.session_id) if challenge.session_id else None,
        destination=challenge.phone_number,
        accept_language=challenge.accept_language,
        method=challenge.method.value if challenge.method else None,
        tried_methods=challenge.tried_methods,
        delivery=challenge.delivery.value,
        created_at=challenge.created_at,
        first_sent_at=challenge.first_sent_at,
        sent_at=challenge.sent_at,
        expires_at=challenge.expires_at,
        closed_at=challenge.closed_at,
        attempts_left=challenge.attempts_left,
        sends_left=challenge.sends_left,
    )
