"""Only events that Sinch signed, and just now, are authentic. Nothing is parsed before that is clear."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import SecretStr
from sinch_answers import KEY, SECRET, sinch_settings

from otp_auth.sinch.events import EventNotAuthenticError, authenticate_event
from otp_auth.sinch.signing import decode_secret, signature

# Third vector of the notes on Sinch's API.
PATH = "/hooks/sinch/verification"
CONTENT_TYPE = "application/json; charset=utf-8"
TIMESTAMP = "2026-01-02T03:04:05.6789012Z"
BODY = (
    b'{"id":"018c25e1-7163-5677-b8fb-467d7b1cffa5","event":"VerificationRequestEvent","method":"sms",'
    b'"identity":{"type":"number","endpoint":"+46700000000"},"price":{"currencyId":"EUR","amount":0.0453}}'
)
SIGNATURE = "jWBz5MAlMMd+3gw8iNf2V32tRVRDezeNTW3EdqpiG5o="
SIGNED_AT = datetime(2026, 1, 2, 3, 4, 5, 678901, UTC)
WINDOW = timedelta(seconds=300)
HEADERS = {
    "host": "auth.example",
    "authorization": f"application {KEY}:{SIGNATURE}",
    "content-type": CONTENT_TYPE,
    "x-timestamp": TIMESTAMP,
}


def raw(headers: dict[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]


def authenticate(headers: dict[str, str] | None = None, settings: Any = None, **changes: Any) -> None:
    """Check the vector, with some things altered."""
    request: dict[str, Any] = {
        "method": "POST",
        "paths": {PATH},
        "headers": raw(HEADERS | (headers or {})),
        "body": BODY,
        "now": SIGNED_AT,
    }
    authenticate_event(settings or sinch_settings(), **(request | changes))


def authenticate_raw(headers: list[tuple[bytes, bytes]]) -> None:
    authenticate_event(
        sinch_settings(), method="POST", paths={PATH}, headers=headers, body=BODY, now=SIGNED_AT
    )


def signed(secret: str = SECRET, **changes: Any) -> str:
    """Sign the vector as Sinch would, with some things altered."""
    request = {
        "verb": "POST",
        "path": PATH,
        "body": BODY,
        "content_type": CONTENT_TYPE,
        "timestamp": TIMESTAMP,
    }
    return f"application {KEY}:{signature(decode_secret(secret), **(request | changes))}"


class TestAuthentic:
    def test_the_vector(self) -> None:
        authenticate()

    @pytest.mark.parametrize("scheme", ["application", "Application", "APPLICATION"])
    def test_the_scheme_in_any_case(self, scheme: str) -> None:
        authenticate({"authorization": f"{scheme} {KEY}:{SIGNATURE}"})

    def test_header_names_in_any_case(self) -> None:
        authenticate_raw([(name.upper(), value) for name, value in raw(HEADERS)])

    @pytest.mark.parametrize("paths", [[PATH, "/other"], ["/other", PATH], ["/a", PATH, "/b"]])
    def test_any_of_the_paths_may_be_the_signed_one(self, paths: list[str]) -> None:
        authenticate(paths=paths)

    def test_the_secret_as_basic_authentication_uses_it_signs_too(self) -> None:
        authenticate(settings=sinch_settings(authentication="basic"))

    @pytest.mark.parametrize("body", [b"", b"not JSON", b"\xff\x00"])
    def test_what_the_body_says_does_not_matter(self, body: bytes) -> None:
        authenticate({"authorization": signed(body=body)}, body=body)


class TestTime:
    @pytest.mark.parametrize("sign", [1, -1], ids=["stale", "future"])
    def test_within_the_window(self, sign: int) -> None:
        authenticate(now=SIGNED_AT + sign * WINDOW)

    @pytest.mark.parametrize("sign", [1, -1], ids=["stale", "future"])
    def test_outside_of_the_window(self, sign: int) -> None:
        now = SIGNED_AT + sign * (WINDOW + timedelta(microseconds=1))

        with pytest.raises(EventNotAuthenticError, match="stale or in the future"):
            authenticate(now=now)

    def test_the_window_is_a_setting(self) -> None:
        with pytest.raises(EventNotAuthenticError, match="stale"):
            authenticate(
                settings=sinch_settings(callback_window=timedelta(seconds=1)),
                now=SIGNED_AT + timedelta(seconds=2),
            )

    @pytest.mark.parametrize(
        "timestamp",
        [
            pytest.param("2026-01-02T03:04:05Z", id="whole seconds"),
            pytest.param("2026-01-02T03:04:05.6Z", id="one digit"),
            pytest.param("2026-01-02T03:04:05.67Z", id="two digits"),
            pytest.param("2026-01-02T03:04:05.678Z", id="milliseconds"),
            pytest.param("2026-01-02T03:04:05.6789Z", id="four digits"),
            pytest.param("2026-01-02T03:04:05.678901Z", id="microseconds"),
            pytest.param("2026-01-02T03:04:05.6789012Z", id="seven digits"),
            pytest.param("2026-01-02T03:04:05.6789012+00:00", id="offset"),
            pytest.param("2026-01-02T05:34:05.6789012+02:30", id="offset east"),
            pytest.param("2026-01-01T22:04:05-05:00", id="offset west"),
        ],
    )
    def test_spellings(self, timestamp: str) -> None:
        authorization = signed(timestamp=timestamp)
        settings = sinch_settings(callback_window=timedelta(seconds=1))

        authenticate({"authorization": authorization, "x-timestamp": timestamp}, settings)

    @pytest.mark.parametrize(
        "timestamp",
        [
            pytest.param("2026-01-02T03:04:05", id="no offset"),
            pytest.param("2026-01-02T03:04:05.67890123Z", id="eight digits"),
            pytest.param("2026-01-02T03:04:05.Z", id="no digits"),
            pytest.param("2026-01-02 03:04:05Z", id="space"),
            pytest.param("2026-01-02T03:04Z", id="no seconds"),
            pytest.param("2026-01-02", id="date"),
            pytest.param("2026-02-30T03:04:05Z", id="no such day"),
            pytest.param("2026-01-02T25:04:05Z", id="no such hour"),
            pytest.param("2026-01-02T03:04:05+99:00", id="no such offset"),
            pytest.param("1767323045", id="seconds since 1970"),
            pytest.param("soon", id="words"),
            pytest.param("", id="empty"),
        ],
    )
    def test_what_is_no_time_is_refused_though_signed(self, timestamp: str) -> None:
        authorization = signed(timestamp=timestamp)

        with pytest.raises(EventNotAuthenticError, match="x-timestamp"):
            authenticate({"authorization": authorization, "x-timestamp": timestamp})

    @pytest.mark.parametrize("timestamp", ["0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"])
    def test_the_ends_of_time(self, timestamp: str) -> None:
        authorization = signed(timestamp=timestamp)

        with pytest.raises(EventNotAuthenticError, match="stale"):
            authenticate({"authorization": authorization, "x-timestamp": timestamp})

    def test_now_may_be_told_in_any_zone(self) -> None:
        authenticate(now=SIGNED_AT.astimezone(timezone(timedelta(hours=-8))))


class TestForged:
    @pytest.mark.parametrize(
        "changes",
        [
            pytest.param({"body": BODY.replace(b"sms", b"SMS")}, id="altered body"),
            pytest.param({"body": BODY + b"\n"}, id="body with a line feed more"),
            pytest.param({"body": b""}, id="no body"),
            pytest.param({"paths": {"/hooks/sinch/other"}}, id="altered path"),
            pytest.param({"paths": {PATH + "/"}}, id="path with a slash more"),
            pytest.param({"paths": {PATH + "?a=b"}}, id="path with a query"),
            pytest.param({"paths": set()}, id="no path"),
            pytest.param({"method": "PUT"}, id="other verb"),
            pytest.param({"headers": {"content-type": "application/json"}}, id="altered content type"),
            pytest.param({"headers": {"content-type": CONTENT_TYPE.upper()}}, id="content type in capitals"),
            pytest.param({"headers": {"x-timestamp": "2026-01-02T03:04:05.6789013Z"}}, id="altered time"),
            pytest.param(
                {"headers": {"x-timestamp": "2026-01-02T03:04:05.678901Z"}}, id="same time, other text"
            ),
        ],
    )
    def test_altered(self, changes: dict[str, Any]) -> None:
        with pytest.raises(EventNotAuthenticError, match="signature does not match"):
            authenticate(**changes)

    @pytest.mark.parametrize(
        "forged",
        [
            pytest.param("A" * 43 + "=", id="made up"),
            pytest.param("", id="empty"),
            pytest.param(SIGNATURE[:-1], id="cut short"),
            pytest.param(f" {SIGNATURE}", id="space before"),
            pytest.param(SIGNATURE.lower(), id="other case"),
            pytest.param(f"{SIGNATURE}:{SIGNATURE}", id="twice"),
        ],
    )
    def test_forged(self, forged: str) -> None:
        with pytest.raises(EventNotAuthenticError, match="signature does not match"):
            authenticate({"authorization": f"application {KEY}:{forged}"})

    def test_no_signature(self) -> None:
        with pytest.raises(EventNotAuthenticError, match="signature does not match"):
            authenticate({"authorization": f"application {KEY}"})

    def test_signed_with_another_secret(self) -> None:
        with pytest.raises(EventNotAuthenticError, match="signature does not match"):
            authenticate({"authorization": signed(secret="EBESExQVFhcYGRobHB0eHw==")})

    @pytest.mark.parametrize("key", ["1f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0", KEY.upper(), KEY[:-1], ""])
    def test_another_key(self, key: str) -> None:
        with pytest.raises(EventNotAuthenticError, match="application key"):
            authenticate({"authorization": f"application {key}:{SIGNATURE}"})

    @pytest.mark.parametrize(
        "authorization",
        [
            pytest.param(f"Basic {KEY}:{SECRET}", id="Basic in clear"),
            pytest.param("Basic MGYxZTJkM2M6QUFFQ0F3", id="Basic"),
            pytest.param(f"Bearer {KEY}:{SIGNATURE}", id="Bearer"),
            pytest.param(f"{KEY}:{SIGNATURE}", id="no scheme"),
            pytest.param("", id="empty"),
        ],
    )
    def test_another_scheme(self, authorization: str) -> None:
        with pytest.raises(EventNotAuthenticError, match="scheme"):
            authenticate({"authorization": authorization})

    @pytest.mark.parametrize("name", ["authorization", "x-timestamp", "content-type"])
    def test_a_missing_header(self, name: str) -> None:
        headers = raw({key: value for key, value in HEADERS.items() if key != name})

        with pytest.raises(EventNotAuthenticError, match=f"{name} is missing"):
            authenticate_raw(headers)

    @pytest.mark.parametrize("name", ["authorization", "x-timestamp", "content-type"])
    @pytest.mark.parametrize("spelling", [str.lower, str.title])
    def test_a_repeated_header(self, name: str, spelling: Any) -> None:
        again = (spelling(name).encode(), HEADERS[name].encode())

        with pytest.raises(EventNotAuthenticError, match=f"{name} is repeated"):
            authenticate_raw([*raw(HEADERS), again])

    @pytest.mark.parametrize("name", ["authorization", "x-timestamp", "content-type"])
    def test_a_header_outside_of_ascii(self, name: str) -> None:
        with pytest.raises(EventNotAuthenticError, match=f"{name} is not ASCII"):
            authenticate({name: f"{HEADERS[name]}é"})

    @pytest.mark.parametrize("secret", ["", "not base64!"])
    def test_without_a_secret_of_ours_nobody_is_authentic(self, secret: str) -> None:
        """An empty key signs as well as any other."""
        settings = sinch_settings(application_secret=SecretStr(secret), authentication="basic")

        with pytest.raises(EventNotAuthenticError, match="no application secret"):
            authenticate({"authorization": signed(secret="")}, settings)

    def test_the_reason_quotes_nothing(self) -> None:
        with pytest.raises(EventNotAuthenticError) as refusal:
            authenticate({"authorization": f"application {KEY}:forged"})

        assert all(part not in str(refusal.value) for part in (KEY, "forged", SIGNATURE, "4670"))
