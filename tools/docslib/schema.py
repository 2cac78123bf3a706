"""The page about /status.json, made from its JSON Schema."""


def _type(node):
    kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
    words = [f"{_type(node['items'])}s" if kind == "array" else kind for kind in kinds]
    return " or ".join(words)


def _rows(node, path, definitions):
    """(path, type, meaning) of each member, in their order."""
    if "$ref" in node:
        node = definitions[node["$ref"].rsplit("/", 1)[1]] | {
            k: v for k, v in node.items() if k != "$ref"}
    if path:
        values = ", ".join(f"`{value}`" for value in node.get("enum", []))
        meaning = node["description"] + (f" {values}." if values else "")
        yield path, _type(_open(node, definitions)), meaning
    inner = _open(node, definitions)
    if "items" in inner:
        inner, path = _open(inner["items"], definitions), path + "[]"
    for name, member in inner.get("properties", {}).items():
        yield from _rows(member, f"{path}.{name}" if path else name, definitions)


def _open(node, definitions):
    if "$ref" in node:
        node = definitions[node["$ref"].rsplit("/", 1)[1]]
    if "items" in node and "$ref" in node["items"]:
        node = node | {"items": definitions[node["items"]["$ref"].rsplit("/", 1)[1]]}
    return node


def markdown(schema):
    lines = ["# /status.json", "",
             "Made by `tools/docs-check --write` from [status.schema.json](status.schema.json), a "
             "JSON Schema that the answer of a running daemon is tested against.", "",
             schema["description"], "",
             "| member | type | meaning |", "| --- | --- | --- |"]
    lines += [f"| `{path}` | {kind} | {meaning} |"
              for path, kind, meaning in _rows(schema, "", schema["$defs"])]
    return "\n".join(lines) + "\n"
