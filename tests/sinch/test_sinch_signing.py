import pytest
from sinch_answers import KEY, SECRET, VERIFICATIONS

from otp_auth.sinch.signing import decode_secret, signature

TIMESTAMP = "2026-01-02T03:04:05.678Z"
CONTENT_TYPE = "application/json; charset=UTF-8"
START_BODY = b'{"identity": {"type": "number", "endpoint": "+46700000000"}, "method": "sms"}'
CALLBACK_BODY = (
    b'{"id":"018c25e1-7163-5677-b8fb-467d7b1cffa5","event":"VerificationRequestEvent","method":"sms",'
    b'"identity":{"type":"number","endpoint":"+46700000000"},"price":{"currencyId":"EUR","amount":0.0453}}'
)


@pytest.mark.parametrize(
    ("verb", "path", "body", "content_type", "timestamp", "expected"),
    [
        pytest.param(
            "POST",
            VERIFICATIONS,
            START_BODY,
            CONTENT_TYPE,
            TIMESTAMP,
            "ViX8RWRuRbFtZtzLxJa7xvn8h8FKHRCs7D84eEgTxuY=",
            id="start",
        ),
        pytest.param(
            "GET",
            f"{VERIFICATIONS}/sms/number/+46700000000",
            b"",
            CONTENT_TYPE,
            TIMESTAMP,
            "P+4X6PHCegJ5Mues4JWO7uPdFAH6o/KfIUmCRVk/KnI=",
            id="status without a body",
        ),
        pytest.param(
            "POST",
            "/hooks/sinch/verification",
            CALLBACK_BODY,
            "application/json; charset=utf-8",
            "2026-01-02T03:04:05.6789012Z",
            "jWBz5MAlMMd+3gw8iNf2V32tRVRDezeNTW3EdqpiG5o=",
            id="callback",
        ),
    ],
)
def test_worked_vectors(
    verb: str, path: str, body: bytes, content_type: str, timestamp: str, expected: str
) -> None:
    key = decode_secret(SECRET)

    signed = signature(key, verb=verb, path=path, body=body, content_type=content_type, timestamp=timestamp)

    assert signed == expected


def test_the_verb_is_signed_in_upper_case() -> None:
    rest = {"path": VERIFICATIONS, "body": b"", "content_type": CONTENT_TYPE, "timestamp": TIMESTAMP}

    assert signature(b"key", verb="put", **rest) == signature(b"key", verb="PUT", **rest)  # type: ignore[arg-type]


def test_a_secret_is_decoded() -> None:
    assert decode_secret(SECRET) == bytes(range(16))


@pytest.mark.parametrize(
    "secret",
    [
        pytest.param(KEY, id="the key instead"),
        pytest.param("AAECAwQFBgcICQoLDA0ODw", id="padding cut off"),
        pytest.param("AAECAwQF BgcICQoLDA0ODw==", id="space inside"),
        pytest.param("hemlighet-på-svenska", id="outside ASCII"),
    ],
)
def test_a_secret_that_is_not_base64_is_refused_without_being_quoted(secret: str) -> None:
    with pytest.raises(ValueError, match="is not base64: copy it from the dashboard") as refusal:
        decode_secret(secret)

    assert secret not in str(refusal.value)
