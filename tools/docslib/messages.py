"""docs/operations.md knows every warning and error of the log, every state and every alert."""
import json
import re

import yaml

from . import prometheus

PAGE = "docs/operations.md"
CALL = re.compile(r'\blog_(?:error|warning)\([^,"]+,\s*((?:"(?:[^"\\]|\\.)*"\s*)+)')
LEVEL = re.compile(r'\blog_line\([^"]*LOG_ERROR[^"]*((?:"(?:[^"\\]|\\.)*"\s*)+)')
PLACE = re.compile(r"%[-.*0-9]*(?:ll|z)?[a-z]")
SHORT = 6  # letters: what is shorter is glue between values


def texts(source):
    """The longest piece without a value of each message in a C file."""
    for call in [*CALL.finditer(source), *LEVEL.finditer(source)]:
        whole = "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', call[1])).replace('\\"', '"')
        piece = max(PLACE.split(whole), key=len).strip(" :;,()")
        if len(piece) >= SHORT:
            yield piece


def check(root):
    page = " ".join((root / PAGE).read_text(encoding="utf-8").split())
    for file in sorted((root / "src").rglob("*.c")):
        for piece in texts(file.read_text(encoding="utf-8")):
            if piece not in page:
                yield PAGE, 1, f'does not tell what "{piece}" means ({file.relative_to(root)})'
    schema = json.loads((root / "docs/status.schema.json").read_text(encoding="utf-8"))
    state = schema["$defs"]["pipeline"]["properties"]["state"]["properties"]["name"]
    for name in state["enum"]:
        if f"| `{name}` |" not in page:
            yield PAGE, 1, f"does not tell what the state {name} means"
    for name in _alerts(root):
        if name not in page:
            yield PAGE, 1, f"does not tell what to do at the alert {name}"


def _alerts(root):
    try:
        tree = yaml.safe_load((root / prometheus.RULES).read_text(encoding="utf-8"))
        return [rule["alert"] for group in tree["groups"] for rule in group["rules"]]
    except (yaml.YAMLError, KeyError, TypeError):  # told by prometheus.check
        return []
