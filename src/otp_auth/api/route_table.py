"""What the application's routes look like from outside, with the prefixes of the routers around them."""

from fastapi import FastAPI
from fastapi.routing import iter_route_contexts


def patterns(app: FastAPI) -> dict[int, str]:
    """Return the full pattern of each route, by the route's identity: a route knows only its own part."""
    return {
        id(context.original_route): context.path
        for context in iter_route_contexts(app.routes)
        if context.path is not None
    }


def methods_at(app: FastAPI, path: str) -> list[str]:
    """Return every method that an address takes, whichever of its routes does."""
    taken: set[str] = set()
    for context in iter_route_contexts(app.routes):
        if context.methods and context.path_regex.match(path):
            taken |= context.methods
    return sorted(taken)
