"""How a verification travels, in Sinch's words. The service itself never uses the last of them."""

from enum import StrEnum


class Method(StrEnum):
    """The values of `method`."""

    SMS = "sms"
    CALLOUT = "callout"
    FLASHCALL = "flashcall"
    WHATSAPP = "whatsapp"
    SEAMLESS = "seamless"  # the phone opens an address over its mobile data: no code travels

    @property
    def member(self) -> str:
        """The JSON member that carries this method's details."""
        return "flashCall" if self is Method.FLASHCALL else self.value


CALLS = frozenset({Method.CALLOUT, Method.FLASHCALL})
