"""Pages that are made, not written: they say what the program, or their source, says today."""
import functools
import json
import subprocess

from . import schema

TOPICS = {"docs/configuration.md": "configuration", "docs/types.md": "types",
          "docs/METRICS.md": "metrics"}
STATUS, STATUS_SOURCE = "docs/status-json.md", "docs/status.schema.json"


@functools.cache
def help_of(program, *words):
    run = subprocess.run([program, "help", *words], capture_output=True, text=True, timeout=60)
    return run.stdout if run.returncode == 0 else None


def make(root, program):
    """{page: its text}"""
    made = {page: help_of(program, topic, "--markdown") for page, topic in TOPICS.items()}
    made[STATUS] = schema.markdown(json.loads((root / STATUS_SOURCE).read_text(encoding="utf-8")))
    return made


def check(root, program):
    for page, text in make(root, program).items():
        path = root / page
        if text is None:
            yield page, 1, f"can't be made: {program} has no help for it"
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            yield page, 1, "is stale; tools/docs-check --write makes it anew"


def write(root, program):
    for page, text in make(root, program).items():
        if text is not None:
            (root / page).write_text(text, encoding="utf-8")
