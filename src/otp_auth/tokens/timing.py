"""How long things take that tokens and keys must wait for, or allow for."""

from datetime import timedelta

LEEWAY = timedelta(seconds=5)  # between the clocks of our machines
LOOK_EVERY = timedelta(seconds=1)  # so often a running service looks for other keys
SETTLE = timedelta(seconds=3)  # a new key is in every running service then, and may sign
PICK_UP = timedelta(seconds=10)  # no running service signs with a retired key any more
JWKS_MAX_AGE = timedelta(seconds=300)  # so long others may keep our public keys
