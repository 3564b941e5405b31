"""Running services follow their directory of keys: what a command changes there needs no restart."""

import asyncio
from pathlib import Path

from loguru import logger

from otp_auth.tokens.errors import SigningKeysError
from otp_auth.tokens.jwt import Tokens
from otp_auth.tokens.key_files import Version, manifest_version
from otp_auth.tokens.keys import KeySet, load_keys
from otp_auth.tokens.timing import LOOK_EVERY


async def follow_keys(directory: Path, tokens: Tokens) -> None:
    """Replace `tokens.keys` within about a second of each change, until cancelled.

    Keys that can't be read change nothing: the old ones go on, and the directory is tried again.
    """
    watch = KeyWatch(directory, tokens.keys.version)
    while True:
        await asyncio.sleep(LOOK_EVERY.total_seconds())
        # In a thread: RSA keys take long to check, and a disk may hang.
        changed = await asyncio.to_thread(watch.look)
        if changed is not None:
            tokens.keys = changed


class KeyWatch:
    """What was seen of the directory."""

    def __init__(self, directory: Path, version: Version | None) -> None:
        self._directory = directory
        self._loaded = version
        self._complaint: tuple[Version | None, str] | None = None

    def look(self) -> KeySet | None:
        """Return the keys if they have changed. Says in the log what can't be read, once for each change."""
        version = manifest_version(self._directory)
        if version == self._loaded:
            self._complaint = None
            return None
        try:
            keys = load_keys(self._directory)
        except SigningKeysError as error:
            self._complain(version, str(error))
        except Exception as error:  # noqa: BLE001 - one look that fails must not end all later ones
            self._complain(version, type(error).__name__)
        else:
            self._loaded, self._complaint = keys.version, None
            logger.info("signing keys changed", kid=keys.signing.kid, keys=len(keys.verifying))
            return keys
        return None

    def _complain(self, version: Version | None, cause: str) -> None:
        if self._complaint != (version, cause):
            logger.error("signing keys can't be read: the old ones stay", cause=cause)
        self._complaint = version, cause
