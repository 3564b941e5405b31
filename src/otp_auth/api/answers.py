"""From the domain's objects to the bodies of the contract."""

from datetime import UTC, datetime
from uuid import UUID

from otp_auth import phone_numbers
from otp_auth.accounts.models import User
from otp_auth.accounts.profile import Profile
from otp_auth.api import schemas
from otp_auth.api.client_address import masked_address
from otp_auth.audit.models import AuditEvent
from otp_auth.ceremonies.methods import OTHER_FACTORS, Factor
from otp_auth.ceremonies.outcomes import Elevated, ResetAllowed
from otp_auth.challenges.models import Challenge
from otp_auth.challenges.views import ChallengeView
from otp_auth.factors.enrolled import Enrolled
from otp_auth.factors.models import FactorKind
from otp_auth.sending.channels import Channel
from otp_auth.sessions.models import Session, TrustedDevice
from otp_auth.sessions.opening import OpenedSession
from otp_auth.tokens.jwt import Tokens


def describe_user(profile: Profile) -> schemas.User:
    user = profile.user
    return schemas.User(
        id=str(user.id),
        phone_number=user.phone_number,
        phone_verified_at=user.phone_verified_at,
        email=user.email,
        display_name=user.display_name,
        locale=user.locale,
        created_at=user.created_at,
        factors=[factor.value for factor in profile.factors],
        preferred_method=user.preferred_method.value,
        password_reset_at=profile.password_reset_at,
    )


def describe_challenge(view: ChallengeView, method: Channel) -> schemas.Challenge:
    challenge = view.challenge
    return schemas.Challenge(
        id=str(challenge.id),
        purpose=challenge.purpose.value,
        method=method.value,
        destination=_mask(challenge),
        delivery=challenge.delivery.value,
        code_length=challenge.code_length,
        code_type=challenge.code_type.value,
        expires_at=challenge.expires_at,
        resend_at=view.resend_at,
        attempts_left=challenge.attempts_left,
        sends_left=challenge.sends_left,
        next_methods=[channel.value for channel in view.next_methods],
    )


def describe_pending(view: ChallengeView, factors: list[Factor]) -> schemas.PendingState:
    method = view.challenge.method  # None while no code was asked for
    return schemas.PendingState(
        expires_in=seconds_until(view.challenge.pending_until),
        methods=[_describe_factor(factor, view.challenge) for factor in factors],
        challenge=describe_challenge(view, method) if method else None,
    )


def _describe_factor(factor: Factor, challenge: Challenge) -> schemas.OfferedMethod:
    goes_to_phone = factor not in OTHER_FACTORS
    destination = _mask(challenge) if goes_to_phone else None
    return schemas.OfferedMethod(method=factor.value, destination=destination)


def _mask(challenge: Challenge) -> str | None:
    """The last two digits; of a reset nothing, for nobody has proved a password."""
    return phone_numbers.mask(challenge.phone_number) if challenge.phone_number else None


def describe_factor(enrolled: Enrolled, user: User, disabled: set[FactorKind]) -> schemas.Factor:
    goes_to_phone = enrolled.kind is FactorKind.PHONE
    return schemas.Factor(
        method=enrolled.kind.value,
        destination=phone_numbers.mask(user.phone_number) if goes_to_phone else None,
        created_at=enrolled.created_at,
        last_used_at=enrolled.last_used_at,
        disabled=enrolled.kind in disabled,
    )


def describe_session(session: Session, current: UUID) -> schemas.Session:
    return schemas.Session(
        id=str(session.id),
        created_at=session.created_at,
        last_used_at=session.last_used_at,
        device=session.device,
        address=masked_address(session.network),
        current=session.id == current,
    )


def describe_device(device: TrustedDevice) -> schemas.Device:
    return schemas.Device(
        id=str(device.id),
        name=device.name,
        created_at=device.created_at,
        last_used_at=device.last_used_at,
        expires_at=device.expires_at,
        address=masked_address(device.network),
    )


def describe_event(event: AuditEvent) -> schemas.Event:
    return schemas.Event(
        id=str(event.id),
        name=event.name,
        at=event.at,
        session_id=str(event.session_id) if event.session_id else None,
        address=masked_address(event.network),
        detail=event.detail,
    )


def issue_pending(tokens: Tokens, view: ChallengeView, factors: list[Factor]) -> schemas.Pending:
    """Hand out the token that opens the `otp` routes of this challenge alone."""
    challenge = view.challenge
    pending_token = tokens.issue_pending(challenge_id=challenge.id, expires_at=challenge.pending_until)
    return schemas.Pending(pending_token=pending_token, **dict(describe_pending(view, factors)))


def issue_tokens(
    tokens: Tokens,
    opened: OpenedSession,
    user: schemas.User,
    recovery_codes: list[str] | None = None,
    device_token: str | None = None,
) -> schemas.Tokens:
    session = opened.session
    return schemas.Tokens(
        access_token=_issue_access(tokens, session),
        expires_in=int(tokens.access_lifetime.total_seconds()),
        refresh_token=opened.refresh_token,
        refresh_expires_in=seconds_until(min(session.idle_until, session.expires_at)),
        session_id=str(session.id),
        user=user,
        recovery_codes=recovery_codes,
        device_token=device_token,
    )


def issue_elevated(tokens: Tokens, elevated: Elevated) -> schemas.Elevated:
    """Hand out the one access token that tells of the new proof; no refresh token goes with it."""
    access_token = tokens.issue_access(
        user_id=elevated.session.user_id,
        session_id=elevated.session.id,
        auth_time=elevated.auth_time,
        amr=elevated.amr,
        acr=elevated.acr,
    )
    return schemas.Elevated(access_token=access_token, expires_in=int(tokens.access_lifetime.total_seconds()))


def describe_reset_allowed(allowed: ResetAllowed) -> schemas.ResetAllowed:
    return schemas.ResetAllowed(
        reset_token=allowed.reset_token,
        expires_in=seconds_until(allowed.expires_at),
        proof_required=allowed.proof_required,
    )


def _issue_access(tokens: Tokens, session: Session) -> str:
    return tokens.issue_access(
        user_id=session.user_id,
        session_id=session.id,
        auth_time=session.auth_time,
        amr=session.amr,
        acr=session.acr,
    )


def seconds_until(moment: datetime) -> int:
    return max(0, round((moment - datetime.now(UTC)).total_seconds()))
