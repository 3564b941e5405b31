"""What the messages say, and in which language (RFC 9110 12.5.4)."""

from otp_auth.simulator.methods import Method

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
_FLASHCALL = {
    "en-US": "Missed call from {{CODE}}.",
    "sv-SE": "Missat samtal från {{CODE}}.",
    "de-DE": "Verpasster Anruf von {{CODE}}.",
    "fr-FR": "Appel manqué de {{CODE}}.",
    "es-ES": "Llamada perdida de {{CODE}}.",
}
_TEXTS = {
    Method.SMS: _SMS,
    Method.WHATSAPP: _SMS,
    Method.CALLOUT: _CALLOUT,
    Method.FLASHCALL: _FLASHCALL,
}
_BY_LANGUAGE = {tag.partition("-")[0]: tag for tag in _SMS}


def choose_language(accept_language: str) -> str:
    """Return the tag of the text that a weighted list of languages prefers; the default if none is there."""
    languages = (tag.lower().partition("-")[0] for tag in preferred_tags(accept_language))
    return next((_BY_LANGUAGE[name] for name in languages if name in _BY_LANGUAGE), DEFAULT)


def preferred_tags(accept_language: str) -> list[str]:
    """Return the tags of a weighted list of languages, best first."""
    weighted = [_weigh(part) for part in accept_language.split(",")]
    # sorted() keeps the order of equal weights: first named, first served.
    return [tag for weight, tag in sorted(weighted, key=lambda pair: -pair[0]) if weight > 0 and tag]


def template_of(method: Method, language: str) -> str:
    """Return the text with a place for the code."""
    return _TEXTS[method][language]


def _weigh(part: str) -> tuple[float, str]:
    tag, _, parameter = part.partition(";")
    name, _, value = parameter.partition("=")
    try:
        weight = float(value) if name.strip().lower() == "q" else 1.0
    except ValueError:
        weight = 0.0
    return weight, tag.strip()
