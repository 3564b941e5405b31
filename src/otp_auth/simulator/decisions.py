"""What the answer to a request event decides (Sinch Verification API, "Callbacks")."""

import re
from dataclasses import dataclass, field
from http import HTTPStatus

from otp_auth.simulator.callbacks import Reply
from otp_auth.simulator.members import invalid, member, optional_text, read_object, texts
from otp_auth.simulator.members import text as required_text
from otp_auth.simulator.methods import Method
from otp_auth.simulator.options import Options, read_options
from otp_auth.simulator.records import Reason
from otp_auth.simulator.refusals import Refusal, RefusalError
from otp_auth.simulator.requests import read_number

_OWN_CODE = re.compile(r"[A-Za-z0-9-]{1,10}")
_WITH_OWN_CODE = {Method.SMS, Method.CALLOUT}


@dataclass(frozen=True)
class Allowed:
    """The message may go out, with what the application wishes for it."""

    code: str | None = None  # its own; of a flash call: the caller's number. None: Sinch makes one
    options: Options = field(default_factory=Options)
    languages: tuple[str, ...] = ()


@dataclass(frozen=True)
class Denied:
    """No message goes out."""

    reason: Reason
    refusal: Refusal  # what the start answers


DENIED = Denied(Reason.DENIED_BY_CALLBACK, Refusal.DENIED_BY_CALLBACK)
INVALID = Denied(Reason.INVALID_CALLBACK, Refusal.INVALID_CALLBACK)
Decision = Allowed | Denied


def read_decision(method: Method, reply: Reply) -> Decision:
    """Return what a reply decides; one that cannot be understood denies."""
    if reply.status != HTTPStatus.OK:
        return INVALID
    try:
        return _read(method, reply.body)
    except RefusalError:
        return INVALID


def _read(method: Method, body: bytes) -> Decision:
    content = read_object(body)
    action = required_text(content, "action", "Action")
    if action == "deny":
        return DENIED
    if action != "allow":
        raise invalid(f"Action {action} is unknown.")
    wishes = member(content, method.member)
    if method is Method.FLASHCALL:
        cli = optional_text(wishes, "cli")
        return Allowed(read_number(cli) if cli else None, read_options(method, wishes))
    code = optional_text(wishes, "code") if method in _WITH_OWN_CODE else None
    if code is not None and not _OWN_CODE.fullmatch(code):
        raise invalid("An own code has at most 10 characters of A-Z a-z 0-9 and dash.")
    return Allowed(code, read_options(method, wishes), texts(wishes, "acceptLanguage"))
