"""What a new version of a description takes away from who was built against an older one.

Requests and inbound events may ask for nothing more than before, and refuse nothing they took; answers and events that
are read keep every field, with its type, and what was always there stays so.
"""

from collections.abc import Iterator
from typing import Any, Literal

Side = Literal["given", "read"]
LOWER_BOUNDS = ("minLength", "minItems", "minimum", "exclusiveMinimum")
UPPER_BOUNDS = ("maxLength", "maxItems", "maximum", "exclusiveMaximum")


class Comparison:
    """Compares two documents; schemas refer to parts of their own document."""

    def __init__(self, old: Any, new: Any) -> None:
        self.old, self.new = old, new
        self._seen: set[tuple[str, str, Side]] = set()

    def schema(self, old: Any, new: Any, side: Side, at: str) -> Iterator[str]:
        """What breaks between two schemas."""
        pair = (old.get("$ref", ""), new.get("$ref", ""), side)
        if any(pair[:2]):
            if pair in self._seen:
                return
            self._seen.add(pair)
        old, new = resolved(self.old, old), resolved(self.new, new)
        yield from self._kinds(old, new, side, at)
        yield from self._fields(old, new, side, at)
        for name in ("items", "additionalProperties"):
            if isinstance(old.get(name), dict) and isinstance(new.get(name), dict):
                yield from self.schema(old[name], new[name], side, f"{at}[]")
        for name in ("anyOf", "oneOf", "allOf"):
            yield from self._choices(old.get(name, []), new.get(name, []), side, at)

    def _kinds(self, old: Any, new: Any, side: Side, at: str) -> Iterator[str]:
        for name in ("type", "const", "format", "pattern"):
            if name in old and name in new and old[name] != new[name]:
                yield f"{at}: {name} was {old[name]!r}, is {new[name]!r}"
            if side == "given" and name in new and name not in old and name != "type":
                yield f"{at}: {name} {new[name]!r} was not asked for"
        if side == "read":
            return
        if "enum" in new and not set(old.get("enum", [object()])) <= set(new["enum"]):
            yield f"{at}: fewer values are taken: {new['enum']}"
        for names, narrower in ((LOWER_BOUNDS, max), (UPPER_BOUNDS, min)):
            for name in names:
                if name in new and (name not in old or narrower(old[name], new[name]) != old[name]):
                    yield f"{at}: {name} was {old.get(name)}, is {new[name]}"

    def _fields(self, old: Any, new: Any, side: Side, at: str) -> Iterator[str]:
        before, after = old.get("properties", {}), new.get("properties", {})
        for name, schema in before.items():
            if name not in after:
                yield f"{at}.{name} is gone"
            else:
                yield from self.schema(schema, after[name], side, f"{at}.{name}")
        asked, promised = set(new.get("required", ())), set(old.get("required", ()))
        if side == "given":
            yield from (f"{at}.{name} is asked for now" for name in sorted(asked - promised))
        else:
            yield from (f"{at}.{name} may be missing now" for name in sorted(promised - asked))

    def _choices(self, old: list[Any], new: list[Any], side: Side, at: str) -> Iterator[str]:
        """Each choice that there was is still there: the one that differs least is taken for it."""
        for choice in old:
            differences = [list(Comparison(self.old, self.new).schema(choice, one, side, at)) for one in new]
            if not differences:
                yield f"{at}: a choice is gone"
            else:
                yield from min(differences, key=len)


def resolved(document: Any, schema: Any) -> Any:
    """What a schema that only refers to another says."""
    while "$ref" in schema:
        found = document
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def http_breaks(old: Any, new: Any) -> Iterator[str]:
    """What breaks for a client of the HTTP API."""
    both = Comparison(old, new)
    for path, item in old["paths"].items():
        for method, before in item.items():
            after = new["paths"].get(path, {}).get(method)
            at = f"{method.upper()} {path}"
            if after is None:
                yield f"{at} is gone"
                continue
            if before["operationId"] != after["operationId"]:
                yield f"{at}: operationId was {before['operationId']}, is {after['operationId']}"
            if "security" in after and "security" not in before:
                yield f"{at} wants a key now"
            yield from _parameters(both, before, after, at)
            yield from _contents(both, before.get("requestBody", {}), after.get("requestBody", {}), "given", at)
            for status, response in before["responses"].items():
                yield from _contents(both, response, after["responses"].get(status, {}), "read", f"{at} {status}")


def _parameters(both: Comparison, before: Any, after: Any, at: str) -> Iterator[str]:
    known = {(one["name"], one["in"]): one for one in before.get("parameters", ())}
    for one in after.get("parameters", ()):
        old = known.pop((one["name"], one["in"]), None)
        if old is not None:
            yield from both.schema(old["schema"], one["schema"], "given", f"{at} {one['name']}")
        elif one.get("required"):
            yield f"{at}: the parameter {one['name']} is asked for now"
    yield from (f"{at}: the parameter {name} is gone" for name, _ in known)


def _contents(both: Comparison, before: Any, after: Any, side: Side, at: str) -> Iterator[str]:
    if not after:
        if before:
            yield f"{at} is gone"
        return
    if side == "given" and after.get("required") and not before.get("required"):
        yield f"{at}: a body is asked for now"
    for media_type, content in before.get("content", {}).items():
        found = after.get("content", {}).get(media_type)
        if found is None:
            yield f"{at}: no longer as {media_type}"
        else:
            yield from both.schema(content["schema"], found["schema"], side, f"{at} {media_type}")


def topic_breaks(old: Any, new: Any) -> Iterator[str]:
    """What breaks for who writes to topics or reads from them."""
    both = Comparison(old, new)
    inbound = {
        one["channel"]["$ref"].rpartition("/")[2]
        for one in old["operations"].values()
        if one["action"] == "receive" and {"name": "integrations"} in one["tags"]
    }
    for name, channel in old["channels"].items():
        found = new["channels"].get(name)
        if found is None:
            yield f"{name} is gone"
            continue
        if found["bindings"]["kafka"]["partitions"] != channel["bindings"]["kafka"]["partitions"]:
            yield f"{name}: another partition count"
        for message, reference in channel["messages"].items():
            if message not in found["messages"]:
                yield f"{message} is gone"
                continue
            before, after = resolved(old, reference), resolved(new, found["messages"][message])
            side: Side = "given" if name in inbound else "read"
            for part in ("headers", "payload"):
                if part in before:
                    yield from both.schema(before[part], after[part], side, f"{message} {part}")
