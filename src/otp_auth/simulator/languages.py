"""What the messages say, and in which language (RFC 9110 12.5.4)."""

from otp_auth.sinch.schemas import VerificationMethod

DEFAULT = "en-US"
PLACE_OF_CODE = "{{CODE}}"
_SMS = {
    "en-US": "Your verification code is {{CODE}}.",
    "sv-SE": "Din verifieringskod är {{CODE}}.",
    "de-DE": "Ihr Bestätigungscode lautet {{CODE}}.",
    "fr-FR": "Votre code de vérification est {{CODE}}.",
    "es-ES": "Su código de verificación es {{CODE}}.",
}
_CALLOUT = {
    "en-US": "Hello. Your verification code is {{CODE}}. Goodbye.",
    "sv-SE": "Hej. Din verifieringskod är {{CODE}}. Hej då.",
    "de-DE": "Guten Tag. Ihr Bestätigungscode lautet {{CODE}}. Auf Wiederhören.",
    "fr-FR": "Bonjour. Votre code de vérification est {{CODE}}. Au revoir.",
    "es-ES": "Hola. Su código de verificación es {{CODE}}. Adiós.",
}
_BY_LANGUAGE = {tag.partition("-")[0]: tag for tag in _SMS}


def choose_language(accept_language: str) -> str:
    """Return the tag of the text that a weighted list of languages prefers; the default if none is there."""
    weighted = [_weigh(part) for part in accept_language.split(",")]
    # sorted() keeps the order of equal weights: first named, first served.
    for weight, language in sorted(weighted, key=lambda pair: -pair[0]):
        if weight > 0 and language in _BY_LANGUAGE:
            return _BY_LANGUAGE[language]
    return DEFAULT


def template_of(method: VerificationMethod, language: str) -> str:
    """Return the text with a place for the code."""
    texts = _SMS if method is VerificationMethod.SMS else _CALLOUT
    return texts[language]


def _weigh(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip().lower().partition("-")[0]
