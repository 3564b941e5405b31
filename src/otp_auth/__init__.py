"""A password and a code on the phone: the login service."""

__version__ = "0.1.0"
