"""What of one OpenAPI document would break a client of an earlier one.

Written here because oasdiff, the usual tool, is a program that neither pip nor npm installs. Only what this
service's documents use is looked at. A new field of an answer, and a new value of an enumeration in one,
break nobody: clients are told to expect them.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from support.service import Json

PROBLEM = "application/problem+json"
LOWER, UPPER = ("minLength", "minimum", "minItems"), ("maxLength", "maximum", "maxItems")
NOTHING: Json = {}


@dataclass(frozen=True)
class Place:
    """One place of a body that may hold a value."""

    kinds: frozenset[str]
    values: frozenset[str] | None  # None: any
    limits: Json
    required: bool


def breaks(before: Json, now: Json) -> list[str]:
    """Name each thing that a client of `before` can rely on no more."""
    old, new = _operations(before), _operations(now)
    found = [f"{name}: is gone" for name in old.keys() - new.keys()]
    for name in old.keys() & new.keys():
        found += [f"{name}: {what}" for what in _of_operation(before, old[name], now, new[name])]
    return sorted(found)


def _operations(document: Json) -> dict[str, Json]:
    return {
        f"{method.upper()} {path}": operation | {"parameters": operation.get("parameters", [])}
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _of_operation(before: Json, old: Json, now: Json, new: Json) -> Iterator[str]:
    if old["operationId"] != new["operationId"]:
        yield f"is called {new['operationId']}"
    yield from _of_credentials(old, new)
    yield from _of_parameters(before, old, now, new)
    yield from _of_request(before, old.get("requestBody", NOTHING), now, new.get("requestBody", NOTHING))
    for status, answer in old["responses"].items():
        if status not in new["responses"]:
            yield f"answers no {status}"
        else:
            yield from _of_answer(status, before, answer, now, new["responses"][status])


def _of_credentials(old: Json, new: Json) -> Iterator[str]:
    wanted, taken = old.get("security", [{}]), new.get("security", [{}])
    yield from (f"takes no {' and '.join(each) or 'stranger'}" for each in wanted if each not in taken)


def _of_parameters(before: Json, old: Json, now: Json, new: Json) -> Iterator[str]:
    was = {(each["in"], each["name"]): each for each in old["parameters"]}
    has = {(each["in"], each["name"]): each for each in new["parameters"]}
    for key in was.keys() - has.keys():
        yield f"{key[1]}: is gone"
    for key, parameter in has.items():
        earlier = was.get(key)
        if parameter.get("required") and not (earlier and earlier.get("required")):
            yield f"{key[1]}: is required"
        if earlier:
            yield from _taken_less(
                places(before, earlier["schema"], key[1]), places(now, parameter["schema"], key[1])
            )


def _of_request(before: Json, old: Json, now: Json, new: Json) -> Iterator[str]:
    if new.get("required") and not old.get("required"):
        yield "request: is required"
    for kind, body in old.get("content", NOTHING).items():
        if kind not in new.get("content", NOTHING):
            yield f"request: {kind} is gone"
        else:
            after = new["content"][kind]
            yield from _taken_less(
                places(before, body["schema"], "request"), places(now, after["schema"], "request")
            )


def _of_answer(status: str, before: Json, old: Json, now: Json, new: Json) -> Iterator[str]:
    yield from (
        f"{status}: {name} is gone" for name in old.get("headers", {}).keys() - new.get("headers", {})
    )
    for kind, body in old.get("content", NOTHING).items():
        if kind not in new.get("content", NOTHING):
            yield f"{status}: {kind} is gone"
            continue
        after = new["content"][kind]
        if kind == PROBLEM:
            gone = _codes(before, body) - _codes(now, after)
            yield from (f"{status}: {code} is gone" for code in gone)
        yield from _given_less(
            places(before, body.get("schema", {}), status), places(now, after.get("schema", {}), status)
        )


def _codes(document: Json, body: Json) -> set[str]:
    return {_at(document, each)["value"]["code"] for each in body["examples"].values()}


def _taken_less(was: dict[str, Place], has: dict[str, Place]) -> Iterator[str]:
    for where, place in has.items():
        if place.required and not (where in was and was[where].required):
            yield f"{where}: is required"
    for where, old in was.items():
        new = has.get(where)
        if new is None:
            yield f"{where}: is gone"
            continue
        yield from (f"{where}: {kind} is taken no more" for kind in old.kinds - new.kinds)
        yield from _values_gone(where, old, new)
        yield from (f"{where}: {name} is stricter" for name in _stricter(old.limits, new.limits))


def _given_less(was: dict[str, Place], has: dict[str, Place]) -> Iterator[str]:
    for where, old in was.items():
        new = has.get(where)
        if new is None:
            yield f"{where}: is gone"
            continue
        if old.required and not new.required:
            yield f"{where}: may be left out"
        yield from (f"{where}: may be {kind}" for kind in new.kinds - old.kinds)
        yield from _values_gone(where, old, new, ignore_new_bounds=True)


def _values_gone(where: str, old: Place, new: Place, *, ignore_new_bounds: bool = False) -> Iterator[str]:
    if new.values is None or (old.values is None and ignore_new_bounds):
        return
    if old.values is None:
        yield f"{where}: is an enumeration"
    else:
        yield from (f"{where}: {value} is gone" for value in old.values - new.values)


def _stricter(old: Json, new: Json) -> Iterator[str]:
    for name, limit in new.items():
        earlier = old.get(name)
        if name in LOWER:
            is_stricter = limit > (earlier or 0)
        elif name in UPPER:
            is_stricter = earlier is None or limit < earlier
        else:
            is_stricter = limit != earlier  # patterns and formats can't be compared
        if is_stricter:
            yield name


def places(document: Json, schema: Json, where: str, *, required: bool = True) -> dict[str, Place]:
    """Every place of a value of this shape, by its path."""
    found: dict[str, Place] = {}
    kinds: set[str] = set()
    values: set[str] = set()
    limits: Json = {}
    is_open = False
    for name, each in _alternatives(document, schema):
        kinds.add(each.get("type", "anything"))
        limits |= {key: each[key] for key in (*LOWER, *UPPER, "pattern", "format") if key in each}
        allowed = each.get("enum", [each["const"]] if "const" in each else None)
        if allowed is not None:
            values |= {str(value) for value in allowed}
        elif each.get("type") != "null":
            is_open = True
        inside = f"{where}<{name}>" if name else where
        for field, inner in each.get("properties", {}).items():
            needed = field in each.get("required", ())
            found |= places(document, inner, f"{inside}.{field}", required=needed)
        if "items" in each:
            found |= places(document, each["items"], f"{where}[]")
    bounds = None if is_open else frozenset(values)
    return {where: Place(frozenset(kinds), bounds, limits, required)} | found


def _alternatives(document: Json, schema: Json) -> list[tuple[str, Json]]:
    """The shapes that may stand there; those of a union with the name that tells them apart."""
    whole = _at(document, schema)
    if "oneOf" in whole:
        return [(each["$ref"].rpartition("/")[2], _at(document, each)) for each in whole["oneOf"]]
    return [("", _at(document, each)) for each in whole.get("anyOf", [whole])]


def _at(document: Json, node: Json) -> Json:
    found: Any = node
    if "$ref" in node:
        found = document
        for step in node["$ref"].removeprefix("#/").split("/"):
            found = found[step]
    return dict(found)
