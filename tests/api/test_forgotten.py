"""An application that nobody holds is gone: hundreds in one process, as in these tests, don't pile up."""

import gc
import weakref

from conftest import NewService


async def test_an_application_is_not_kept_when_it_has_ended(new_service: NewService) -> None:
    async with new_service() as service:
        await service.http.get("/openapi.json")
        application = weakref.ref(service.app)
    del service
    gc.collect()

    assert application() is None
