"""Fenced blocks: each one either runs, or says why it doesn't."""
import re

from . import pages

SHOWN = ("", "text")
COMMAND = re.compile(r"^\$ ?|^(?:caes-sync|curl|make|tools/)\b", re.MULTILINE)


def _fault(block, before):
    if block.language in pages.RUN:
        if "exit" in block.remarks and not block.remarks["exit"].isdigit():
            return "exit is no number"
        return None
    if "not-run" in block.remarks:
        return None
    if block.language not in SHOWN:
        return f"a block of {block.language}: say sh, yaml, cql or json, or nothing"
    if block.language == "text":
        asked = before and before.language in ("sh", "cql")
        return None if asked else "a text block is what the sh or cql block before it prints"
    if COMMAND.search(block.text) and not "screen" in block.remarks:
        return "a command that nothing runs: say sh, or why not (not-run: reason)"
    return None


def check(root, tree):
    tool = root / "tools/screens"
    screens = tool.read_text(encoding="utf-8") if tool.exists() else ""
    for page in tree:
        for before, block in zip([None, *page.blocks], page.blocks):
            fault = _fault(block, before)
            if fault:
                yield page.name, block.line, fault
            elif block.remarks.get("screen") and f'"{block.remarks["screen"]}"' not in screens:
                yield page.name, block.line, f"tools/screens makes no {block.remarks['screen']}"
