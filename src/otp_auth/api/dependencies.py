"""What routes are given: repositories, the Sinch client, tokens, settings; each by an Annotated name."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Annotated

from fastapi import Depends, Request

from otp_auth.accounts.password_budgets import PasswordBudgets
from otp_auth.accounts.password_renewal import Renewing
from otp_auth.accounts.passwords import PasswordHasher
from otp_auth.accounts.profile import ProfileRepository
from otp_auth.accounts.repository import UserRepository
from otp_auth.api.client_address import client_network
from otp_auth.audit.trail import AuditTrail
from otp_auth.background import Background
from otp_auth.ceremonies.password_reset import Resetting
from otp_auth.ceremonies.proof import Prover
from otp_auth.ceremonies.purposes import completions
from otp_auth.challenges.codes import Codes
from otp_auth.challenges.deliveries import DeliveryRepository
from otp_auth.challenges.guesses import AccountGuesses
from otp_auth.challenges.judging import Judges
from otp_auth.challenges.models import CodeType
from otp_auth.challenges.repository import ChallengeRepository
from otp_auth.challenges.resets import ResetRepository
from otp_auth.challenges.sending import Sending
from otp_auth.challenges.sends import SendRepository
from otp_auth.database import Database
from otp_auth.factors.authenticators import TotpRepository
from otp_auth.factors.enrolled import FactorRepository
from otp_auth.factors.recovery_codes import RecoveryCodeRepository
from otp_auth.factors.totp import Seeds
from otp_auth.sessions.clients import Client, device_of
from otp_auth.sessions.device_repository import DeviceRepository
from otp_auth.sessions.repository import SessionRepository
from otp_auth.sessions.trusted_devices import DeviceTrust
from otp_auth.settings import Settings
from otp_auth.sinch.client import SinchVerificationClient
from otp_auth.tokens.jwt import Tokens

Aside = Callable[[Coroutine[None, None, None]], Awaitable[None]]
# Seconds for which an answer waits that must not tell how long the work beside it took, or whether there was
# any. Most messages are with Sinch by then, so that whoever gets the answer finds the code.
PAD = 0.4


async def get_settings(request: Request) -> Settings:
    settings: Settings = request.app.state.settings
    return settings


async def get_database(request: Request) -> Database:
    database: Database = request.app.state.database
    return database


async def get_sinch(request: Request) -> SinchVerificationClient:
    sinch: SinchVerificationClient = request.app.state.sinch
    return sinch


async def get_hasher(request: Request) -> PasswordHasher:
    hasher: PasswordHasher = request.app.state.hasher
    return hasher


async def get_tokens(request: Request) -> Tokens:
    tokens: Tokens = request.app.state.tokens
    return tokens


CurrentSettings = Annotated[Settings, Depends(get_settings)]
CurrentDatabase = Annotated[Database, Depends(get_database)]
Sinch = Annotated[SinchVerificationClient, Depends(get_sinch)]
Hasher = Annotated[PasswordHasher, Depends(get_hasher)]
CurrentTokens = Annotated[Tokens, Depends(get_tokens)]


async def get_network(request: Request) -> str | None:
    """The network that budgets are counted for; None when the server doesn't know it."""
    return client_network(request)


async def get_audit(database: CurrentDatabase) -> AuditTrail:
    return AuditTrail(database)


async def get_codes(request: Request) -> Codes:
    codes: Codes = request.app.state.codes
    return codes


async def get_client(request: Request, network: Annotated[str | None, Depends(get_network)]) -> Client:
    """Who asks, as a session remembers it."""
    return Client(network, device_of(request.headers.get("user-agent", "")))


CurrentClient = Annotated[Client, Depends(get_client)]
ClientNetwork = Annotated[str | None, Depends(get_network)]
Audit = Annotated[AuditTrail, Depends(get_audit)]
OurCodes = Annotated[Codes, Depends(get_codes)]


async def get_users(database: CurrentDatabase) -> UserRepository:
    return UserRepository(database)


async def get_password_budgets(database: CurrentDatabase, settings: CurrentSettings) -> PasswordBudgets:
    return PasswordBudgets(database, settings.guesses)


async def get_challenges(database: CurrentDatabase, settings: CurrentSettings) -> ChallengeRepository:
    return ChallengeRepository(database, settings.guesses)


async def get_sessions(database: CurrentDatabase, settings: CurrentSettings) -> SessionRepository:
    return SessionRepository(database, settings.session_policy)


async def get_devices(database: CurrentDatabase) -> DeviceRepository:
    return DeviceRepository(database)


async def get_trust(request: Request) -> DeviceTrust:
    trust: DeviceTrust = request.app.state.device_trust
    return trust


CurrentTrust = Annotated[DeviceTrust, Depends(get_trust)]


async def get_factors(database: CurrentDatabase) -> FactorRepository:
    return FactorRepository(database)


async def get_seeds(request: Request) -> Seeds:
    seeds: Seeds = request.app.state.seeds
    return seeds


CurrentSeeds = Annotated[Seeds, Depends(get_seeds)]


async def get_apps(database: CurrentDatabase, seeds: CurrentSeeds) -> TotpRepository:
    return TotpRepository(database, seeds)


async def get_account_guesses(database: CurrentDatabase, settings: CurrentSettings) -> AccountGuesses:
    return AccountGuesses(database, settings.guesses)


async def get_recovery_codes(database: CurrentDatabase) -> RecoveryCodeRepository:
    return RecoveryCodeRepository(database)


async def get_profiles(database: CurrentDatabase) -> ProfileRepository:
    return ProfileRepository(database)


Profiles = Annotated[ProfileRepository, Depends(get_profiles)]
Users = Annotated[UserRepository, Depends(get_users)]
Passwords = Annotated[PasswordBudgets, Depends(get_password_budgets)]
Challenges = Annotated[ChallengeRepository, Depends(get_challenges)]
Devices = Annotated[DeviceRepository, Depends(get_devices)]
Sessions = Annotated[SessionRepository, Depends(get_sessions)]
RecoveryCodes = Annotated[RecoveryCodeRepository, Depends(get_recovery_codes)]
Factors = Annotated[FactorRepository, Depends(get_factors)]
Apps = Annotated[TotpRepository, Depends(get_apps)]
Guesses = Annotated[AccountGuesses, Depends(get_account_guesses)]


async def get_deliveries(database: CurrentDatabase, settings: CurrentSettings) -> DeliveryRepository:
    return DeliveryRepository(database, settings.send, CodeType(settings.sinch.code_type))


Deliveries = Annotated[DeliveryRepository, Depends(get_deliveries)]


async def get_sending(
    database: CurrentDatabase,
    challenges: Challenges,
    audit: Audit,
    sinch: Sinch,
    settings: CurrentSettings,
    network: ClientNetwork,
) -> Sending:
    sends = SendRepository(database, settings.challenge)
    texts = CodeType(settings.sinch.code_type)
    return Sending(challenges, sends, audit, sinch, settings.send, texts, network)


async def get_prover(
    database: CurrentDatabase,
    challenges: Challenges,
    factors: Factors,
    recovery_codes: RecoveryCodes,
    apps: Apps,
    sinch: Sinch,
    codes: OurCodes,
    audit: Audit,
    trust: CurrentTrust,
    settings: CurrentSettings,
) -> Prover:
    return Prover(
        database,
        challenges,
        factors,
        recovery_codes,
        apps,
        Judges(codes, sinch),
        audit,
        settings.send,
        settings.session_policy,
        trust,
        completions(settings.password_reset),
    )


async def get_resetting(
    database: CurrentDatabase,
    settings: CurrentSettings,
    users: Users,
    sending: Annotated[Sending, Depends(get_sending)],
) -> Resetting:
    return Resetting(sending, ResetRepository(database, settings.challenge, settings.send), users)


async def get_renewing(
    database: CurrentDatabase,
    hasher: Hasher,
    apps: Apps,
    recovery_codes: RecoveryCodes,
    audit: Audit,
    settings: CurrentSettings,
    network: ClientNetwork,
) -> Renewing:
    hold = settings.password_reset.hold
    return Renewing(database, hasher, settings.guesses, apps, recovery_codes, audit, hold, network)


async def get_background(request: Request) -> Background:
    background: Background = request.app.state.background
    return background


async def get_aside(background: Annotated[Background, Depends(get_background)]) -> Aside:
    """Begin work that nobody waits for, and answer at a fixed moment after the request came."""
    now = asyncio.get_running_loop().time
    answers_at = now() + PAD

    async def begin(work: Coroutine[None, None, None]) -> None:
        background.spawn(work)
        await asyncio.sleep(answers_at - now())

    return begin


CodeSending = Annotated[Sending, Depends(get_sending)]
CodeProver = Annotated[Prover, Depends(get_prover)]
CodeResetting = Annotated[Resetting, Depends(get_resetting)]
PasswordRenewing = Annotated[Renewing, Depends(get_renewing)]
DoAside = Annotated[Aside, Depends(get_aside)]
