"""A device that an account trusts: how it came to be, and logins with it."""

from typing import Any

import httpx

from support.service import API, PASSWORD, Json, Service, new_number

ON = {"enabled": True}
# One number logs in again and again.
WIDE = {
    "resend_gap": "0",
    **{f"per_{whose}_{time}": 1000 for whose in ("number", "account") for time in ("hour", "day")},
}


async def register_trusted(service: Service, number: str = "", **fields: Any) -> Json:
    """Return the Tokens of a new account, with the token of the device that it trusts."""
    number = number or new_number()
    pending = await service.start_registration(number, **fields)
    return await verify_trusted(service, pending, number)


async def trust_another(service: Service, number: str, name: str | None = None) -> Json:
    """Log in with a code, and return the Tokens with that of another device."""
    return await verify_trusted(service, await service.start_login(number), number, name)


async def verify_trusted(service: Service, pending: Json, number: str, name: str | None = None) -> Json:
    code = await service.simulator.code(number)
    answer = await service.verify(pending, code, trust_device=True, device_name=name)
    assert answer.status_code == 200, answer.text
    tokens: Json = answer.json()
    assert tokens["device_token"]
    return tokens


async def show(
    service: Service,
    tokens: Json,
    device_token: str | None = None,
    password: str = PASSWORD,
    address: str = "203.0.113.7",
) -> httpx.Response:
    """Log in to the account of these tokens with their device, or with another token. No message goes out."""
    body = {
        "identifier": tokens["user"]["phone_number"],
        "password": password,
        "method": "none",
        "device_token": device_token or tokens["device_token"],
    }
    return await service.http.post(f"{API}/auth/login", json=body, headers={"X-Forwarded-For": address})


async def let_in(service: Service, tokens: Json, device_token: str | None = None) -> Json:
    """Return the Tokens of a login with a device."""
    answer = await show(service, tokens, device_token)
    body: Json = answer.json()
    assert (answer.status_code, body["status"]) == (200, "authenticated"), answer.text
    return body


async def is_asked_for_a_code(service: Service, tokens: Json, *device_tokens: str) -> bool:
    """Whether each of these tokens, or that of the device, gets Pending as a login without any would."""
    answers = [await show(service, tokens, each) for each in device_tokens or (tokens["device_token"],)]
    assert {answer.status_code for answer in answers} == {200}
    return {answer.json()["status"] for answer in answers} == {"otp_required"}
