"""What `otp-auth doctor` says of guessed codes: who makes them, and how good a guesser's odds are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from operator import itemgetter

from sqlalchemy import select

from otp_auth.challenges.models import Challenge, CodeMaker
from otp_auth.cli.findings import Finding, judged, note, ok
from otp_auth.database import Database
from otp_auth.odds import (
    OUR_CODES,
    SINCH_ALPHANUMERIC_CODES,
    SINCH_NUMERIC_CODES,
    guessed_registrations,
    guesses_a_year,
    takeover_odds,
)
from otp_auth.sending.channels import Channel
from otp_auth.settings import Settings

CALLED_BACK = (Channel.SMS, Channel.VOICE)  # Sinch takes a code of ours for these
LOOKED_AT = 20  # of the newest messages
WITHIN = timedelta(days=30)


@dataclass(frozen=True)
class Makers:
    """Who made the codes of the newest texts and calls."""

    ours: int = 0
    sinchs: int = 0

    @property
    def are_we(self) -> bool:
        """One code of Sinch's among them is what a guesser would wait for. None at all: nothing was sent."""
        return self.sinchs == 0


async def find_makers(database: Database) -> Makers:
    """Look at the newest messages that may carry a code of ours."""
    newest = (
        select(Challenge.code_maker)
        .where(
            Challenge.code_maker.is_not(None),
            Challenge.verification_method.in_(CALLED_BACK),
            Challenge.created_at > datetime.now(UTC) - WITHIN,
        )
        .order_by(Challenge.id.desc())
        .limit(LOOKED_AT)
    )
    async with database.read() as tx:
        makers = list(await tx.scalars(newest))
    return Makers(ours=makers.count(CodeMaker.WE), sinchs=makers.count(CodeMaker.SINCH))


def callback_findings(makers: Makers) -> Iterator[Finding]:
    """Say whether Sinch's request callback reaches us."""
    total = makers.ours + makers.sinchs
    if not total:
        yield note("no text or call went out of late: whether Sinch's callbacks arrive isn't known yet")
    elif makers.are_we:
        yield ok(f"Sinch's callbacks arrive: the last {total} texts and calls carried codes of our own")
    else:
        yield note(
            f"Sinch's callbacks don't all arrive: of the last {total} texts and calls {makers.sinchs} "
            "carried a code of Sinch's; name <public URL>/webhooks/sinch as callback URL in Sinch's dashboard"
        )


def odds_findings(settings: Settings, makers: Makers) -> Iterator[Finding]:
    """Say what the budgets are worth, with the codes that really go out by the weakest channel on offer."""
    policy, tries = settings.guesses, settings.challenge.attempts
    guesses = guesses_a_year(policy)
    channel, codes = _weakest(settings, we_make_them=makers.are_we)
    odds = takeover_odds(guesses, codes, tries)
    yield judged(
        f"somebody who has the password guesses a code within a year with odds of {odds:.2g}: "
        f"{guesses:.0f} guesses among {codes:,} codes ({channel}); the limit is {policy.yearly_odds:.2g}",
        is_safe=odds <= policy.yearly_odds,
    )
    in_a_row = takeover_odds(min(guesses, policy.consecutive), codes, tries)
    yield ok(
        f"while the owner never logs in the odds end at {in_a_row:.2g}: "
        f"{policy.consecutive} wrong codes in a row shut the factor off"
    )
    yield ok(
        f"{guessed_registrations(policy, codes):.3g} guessed registrations a year are to be expected over "
        f"all, with {policy.passwordless_day} wrong codes let through a day"
    )
    if makers.are_we:
        channel, codes = _weakest(settings, we_make_them=False)
        odds = takeover_odds(guesses, codes, tries)
        yield note(f"without callbacks the odds would be {odds:.2g}: {codes:,} codes of Sinch's ({channel})")


def _weakest(settings: Settings, *, we_make_them: bool) -> tuple[Channel, int]:
    """The channel with the fewest codes, and how many those are: a guesser chooses it."""
    offered = map(Channel, chain(settings.send.methods, *settings.send.methods_by_country.values()))
    codes = {channel: _how_many(channel, settings, we_make_them=we_make_them) for channel in offered}
    return min(codes.items(), key=itemgetter(1))


def _how_many(channel: Channel, settings: Settings, *, we_make_them: bool) -> int:
    if we_make_them and channel in CALLED_BACK:
        return OUR_CODES
    # Calls speak digits, whatever the setting. From how many numbers a flash call may come isn't published:
    # taken for as few as four digits.
    has_letters = settings.sinch.code_type == "alphanumeric" and channel in {Channel.SMS, Channel.WHATSAPP}
    return SINCH_ALPHANUMERIC_CODES if has_letters else SINCH_NUMERIC_CODES
