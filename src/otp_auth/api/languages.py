"""The language of messages: the person's locale, else what the browser prefers."""

import re
from typing import Annotated

from fastapi import Depends, Request

_ACCEPT_LANGUAGE = re.compile(r"[A-Za-z0-9*,;=. -]{1,200}")


async def accepted_languages(request: Request) -> str | None:
    """Return the Accept-Language header if it looks like one (RFC 9110 12.5.4)."""
    value = request.headers.get("accept-language", "")
    return value if _ACCEPT_LANGUAGE.fullmatch(value) else None


AcceptedLanguages = Annotated[str | None, Depends(accepted_languages)]
