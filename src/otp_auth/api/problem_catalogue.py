"""What each problem code means to a frontend: the one source of `/problems/{code}` and of docs/errors.md."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Lesson:
    """One code, taught. The texts are Markdown without links."""

    meaning: str
    when: str
    show: str  # on the screen
    next_step: str  # of the frontend


_MISTAKE = "Nothing of its own: a mistake in the client. Say that something went wrong."

LESSONS: dict[str, Lesson] = {
    "malformed_request": Lesson(
        meaning="The body is not one JSON object, or it did not arrive whole within ten seconds.",
        when="Any route with a body: broken JSON, a name that stands twice, NaN, text that isn't UTF-8.",
        show=_MISTAKE,
        next_step="Build bodies with a JSON library, and send them at once.",
    ),
    "wrong_password": Lesson(
        meaning="The present password is another one.",
        when="`POST /me/password`, to somebody who is logged in.",
        show="At the field of the present password: that is not your password.",
        next_step="Let them try again. After too many tries the answer is `too_many_attempts`.",
    ),
    "wrong_code": Lesson(
        meaning="The code was looked at, and it is not the one.",
        when=(
            "`otp/verify`, `factors/totp/confirm`, and a reset with a second proof. Where no message went "
            "out on this attempt, `detail` says so, and no try is taken (but for a reset, which never "
            "tells)."
        ),
        show=(
            "At the code field: wrong code, and how many tries are left (`attempts_left`, where it is there)."
        ),
        next_step=(
            "Empty the field and keep the focus in it. With no tries left, start again; offer another "
            "channel from `next_methods`."
        ),
    ),
    "invalid_credentials": Lesson(
        meaning="Login and password don't belong together. Which of the two is wrong is not told.",
        when="`login`: an unknown name, another password, or an account that is locked.",
        show="Login or password is wrong. Offer the forgotten password.",
        next_step="Let them try again. Never say that there is no such account: the service doesn't either.",
    ),
    "invalid_token": Lesson(
        meaning="The token is missing, forged, over, or meant for other routes.",
        when=(
            "Any route that wants a token; also `token/refresh` with a token that has ended or was used "
            "before."
        ),
        show="Nothing at first. When the refresh is refused too: please log in again.",
        next_step=(
            "On a route with an access token refresh once, then repeat. On refresh or an `otp` route go "
            "to the login. With a reset token begin with the forgotten password again."
        ),
    ),
    "insufficient_user_authentication": Lesson(
        meaning="The access token is good, but tells of no recent proof, or of one factor only (RFC 9470).",
        when=(
            "What matters: a new phone number, the app, recovery codes, the export, the deletion. A new "
            "password, and to cancel a reset, after a login by a trusted device."
        ),
        show="The code screen: to go on, prove that it is you.",
        next_step=(
            "`POST /auth/step-up`, `otp/verify`, then repeat the refused request once with the access "
            "token of that answer. `max_age` says how recent the proof must be."
        ),
    ),
    "proof_required": Lesson(
        meaning="The account has an authenticator app, so the phone alone does not reset its password.",
        when="`password/reset` without `proof`. `proof_required` in the answer of verify tells beforehand.",
        show="A field for a code of the app, and a way to use a recovery code instead.",
        next_step="Repeat with `proof`: the reset token is still good.",
    ),
    "not_allowed": Lesson(
        meaning="The refresh cookie came alone, as the form of another site would send it.",
        when="`token/refresh` and `logout` in cookie mode, without the header.",
        show=_MISTAKE,
        next_step="Send `X-Token-Transport: cookie` along with the cookie.",
    ),
    "not_found": Lesson(
        meaning="There is nothing at this address, or it is not yours.",
        when="An unknown path; a session, device, app or reset that is gone already or somebody else's.",
        show="In a list: it is gone. Otherwise nothing of its own.",
        next_step="Read the list again: what should be ended has ended.",
    ),
    "method_not_allowed": Lesson(
        meaning="The address is right, the method is not.",
        when="Any path; the header `Allow` lists its methods.",
        show=_MISTAKE,
        next_step="Take a method of `Allow`.",
    ),
    "account_exists": Lesson(
        meaning="The phone is proved, and its number, or the e-mail address, has an account.",
        when="`otp/verify` after a registration or a phone change. Never earlier, and to nobody else.",
        show="You have an account already. Offer the login and the forgotten password.",
        next_step="Go to the login with the name filled in; after a phone change ask for another number.",
    ),
    "conflict": Lesson(
        meaning="The change doesn't fit the account as it is; `detail` says why.",
        when="A taken e-mail address, the app preferred without one, a second app, the same phone number.",
        show="At the field: this address can't be used, or whatever the field is about.",
        next_step="Read the account again, and let them change the field.",
    ),
    "challenge_closed": Lesson(
        meaning="This attempt is over: expired, used, out of tries, or a newer one has taken its place.",
        when="The `otp` routes; `password/reset` with a token that was used or is void.",
        show="This code is no longer valid. One button: start again.",
        next_step=(
            "Forget the pending token and go back to where the walk began: register, login, step-up, the "
            "phone change or the forgotten password."
        ),
    ),
    "payload_too_large": Lesson(
        meaning="The body has more than 64 kB.",
        when="Any route with a body.",
        show=_MISTAKE,
        next_step="Send the fields of the route and nothing else.",
    ),
    "unsupported_media_type": Lesson(
        meaning="The body isn't announced as JSON.",
        when="Any route with a body.",
        show=_MISTAKE,
        next_step="Send `Content-Type: application/json`.",
    ),
    "validation_failed": Lesson(
        meaning="Some fields are not valid. `errors` names each with a `rule`; no value is repeated.",
        when=(
            "Any route with fields: one is missing, unknown, too short, of another form, or a method that "
            "isn't offered here (`not_offered`)."
        ),
        show=(
            "Each message at its field (`body.password` is the field `password`), in your own words by "
            "`rule`."
        ),
        next_step="Let them correct it. `unknown_field` and `required` are mistakes in the client.",
    ),
    "weak_password": Lesson(
        meaning="This password is among those that are tried first; `errors` says by which `rule`.",
        when=(
            "A new password: common (`common`), one character over and over (`repeated`), a plain run "
            "(`sequence`), or their own name, number or address (`context`)."
        ),
        show="At the field: this password is too easy to guess, and why.",
        next_step="Ask for another one. Let password managers fill it in.",
    ),
    "phone_number_invalid": Lesson(
        meaning="There is no such phone number.",
        when="`register` and `me/phone`.",
        show="At the field: this is not a phone number. With a list of countries: check the country too.",
        next_step="Send the number with `+` and country code, or with `region`.",
    ),
    "destination_refused": Lesson(
        meaning="No codes are sent to this country or kind of number.",
        when=(
            "`register`, `me/phone`, `otp/send`: a country that isn't served, or a number that isn't a "
            "mobile."
        ),
        show="At the field: we can't send codes to this number. Use a mobile number.",
        next_step="Let them enter another number; offer the countries that you serve.",
    ),
    "rate_limited": Lesson(
        meaning="Too many requests from one network.",
        when="Any route below `/api/v1`; service clients with a wrong secret.",
        show="Too many requests: try again in a moment. Keep what was typed.",
        next_step="Wait for `Retry-After` seconds. If it happens to people, poll less often.",
    ),
    "resend_too_soon": Lesson(
        meaning="A message went to this number a moment ago.",
        when="`otp/send` before `resend_at`.",
        show="The button with a countdown.",
        next_step=(
            "Wake the button at `resend_at` of the challenge and this is never seen. Otherwise wait for "
            "`Retry-After` seconds."
        ),
    ),
    "too_many_attempts": Lesson(
        meaning=(
            "There were too many wrong codes of this account, or passwords for this login. This one was "
            "not looked at."
        ),
        when="`otp/verify`, `factors/totp/confirm`, `password/reset`; `login` and `me/password`.",
        show="Too many wrong tries: try again in so many minutes.",
        next_step=(
            "Wait for `Retry-After` seconds. Another code, channel or login doesn't help; a recovery code "
            "may, for it has a budget of its own."
        ),
    ),
    "too_many_sends": Lesson(
        meaning="No more messages now: those of this attempt are used up, or too many went out.",
        when="`otp/send`.",
        show="No more codes can be sent now: try again in so many minutes.",
        next_step=(
            "Keep the field open, for the last code is still good. Start again after `Retry-After` seconds."
        ),
    ),
    "internal_error": Lesson(
        meaning="Something went wrong on our side.",
        when="Any route.",
        show="Something went wrong. Show the `request_id`, small, for support.",
        next_step="Report the `request_id`. Don't repeat by yourself what changes something.",
    ),
    "not_ready": Lesson(
        meaning="The service can't reach all that it needs: the database, mostly.",
        when="Any route; `/health/ready` names what is `missing`.",
        show="We are back in a moment. Keep what was typed.",
        next_step="Try again after `Retry-After` seconds.",
    ),
    "overloaded": Lesson(
        meaning="Too much work at once.",
        when="Any route, mostly those with a password.",
        show="We are busy: try again in a moment. Keep what was typed.",
        next_step="Try again after `Retry-After` seconds.",
    ),
    "provider_unavailable": Lesson(
        meaning="Sinch, who sends the messages, does not answer.",
        when="`otp/send`; `otp/verify` where Sinch made the code.",
        show="We can't send or check codes just now: try again soon. Offer the app and recovery codes.",
        next_step=(
            "Try again after `Retry-After` seconds. Where Sinch made the code, a try may be gone, and a "
            "code whose answer was lost is used up: ask for a new one."
        ),
    ),
}
