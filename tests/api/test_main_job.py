"""The main job: register, prove the phone, log in, prove the code, be in."""

from support.service import PASSWORD, Service, new_number


async def test_a_person_registers_logs_in_and_is_in(service: Service) -> None:
    number = new_number()
    registered = await service.register(number, email="Ada@Example.com", display_name="Ada", locale="sv-SE")
    logged_in = await service.log_in(number)

    me = (await service.get("/me", logged_in["access_token"])).json()

    assert registered["status"] == logged_in["status"] == "authenticated"
    assert me["id"] == registered["user"]["id"]
    assert me["phone_number"] == number
    assert me["email"] == "ada@example.com"
    assert len(set(registered["recovery_codes"])) == 10
    assert "recovery_codes" not in logged_in
    assert PASSWORD not in str(me)
