"""Pages of documentation: their text, headings, links and fenced blocks with what is said of them."""
import re
from dataclasses import dataclass, field
from pathlib import Path

FENCE = re.compile(r"^( *)(`{3,}|~{3,})(\w*)\s*$")
REMARK = re.compile(r"<!--\s*([\w-]+)(?::\s*(.*?))?\s*-->\s*$")
INLINE = re.compile(r"`([^`\n]+)`")
RUN = ("sh", "yaml", "cql", "json")
ALIASES = {"shell": "sh", "bash": "sh", "yml": "yaml", "sql": "cql"}
REMARKS = {"not-run": True, "exit": True, "file": True, "screen": True, "eventually": False}


@dataclass
class Block:
    """A fenced block; line is that of its first line of text."""
    language: str
    line: int
    text: str
    remarks: dict = field(default_factory=dict)

    @property
    def runs(self):
        return self.language in RUN and "not-run" not in self.remarks


@dataclass
class Page:
    path: Path
    name: str                                    # as people call it: docs/load.md
    blocks: list = field(default_factory=list)
    prose: list = field(default_factory=list)    # (line number, text) outside of blocks
    options: dict = field(default_factory=dict)  # of <!-- docs: … -->, for the whole page
    faults: list = field(default_factory=list)   # (line number, what is wrong with the markup)

    @property
    def runs(self):
        return any(block.runs for block in self.blocks)

    def anchors(self):
        """The names that GitHub gives to the headings."""
        seen, names = {}, set()
        for _, line in self.prose:
            heading = re.match(r"#{1,6} +(.*?)(?: +#+)?$", line)
            if heading:
                slug = slug_of(heading[1])
                count = seen[slug] = seen.get(slug, -1) + 1
                names.add(f"{slug}-{count}" if count else slug)
            names.update(re.findall(r'<a (?:id|name)="([^"]+)"', line))
        return names

    def links(self):
        """(line number, target) of links and pictures."""
        for number, line in self.prose:
            bare = INLINE.sub("", line)
            for target in re.findall(r"\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)", bare):
                yield number, target
            for target in re.findall(r"\b(?:src|href|srcset)=\"([^\"]+)\"", bare):
                yield number, target

    def inline(self):
        """(line number, text) of all that stands between back-ticks."""
        for number, line in self.prose:
            for text in INLINE.findall(line):
                yield number, text


def slug_of(heading):
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "")
    return re.sub(r"[^\w\- ]", "", text.lower()).replace(" ", "-")


def _remark(page, number, line, waiting):
    """A comment that stands alone in its line: about the next block, or about the page."""
    found = REMARK.match(line.strip())
    if not found:
        return False
    name, value = found[1], found[2]
    if name == "docs":
        word, _, rest = (value or "").partition(" ")
        page.options[word] = rest.split()
    elif name in REMARKS and bool(value) == REMARKS[name]:
        waiting[name] = value or ""
    elif name in REMARKS:
        page.faults.append((number, f"{name} {'says nothing' if not value else 'takes no value'}"))
    return True


def read(path, name):
    page, block, fence, indent, waiting = Page(path, name), None, "", "", {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        if block is not None:
            if line.strip() == fence:
                reason = re.match(r"# not-run: (.+)", block.text)
                if reason:
                    block.remarks["not-run"] = reason[1]
                page.blocks.append(block)
                block = None
            else:
                block.text += line.removeprefix(indent) + "\n"
            continue
        opening = FENCE.match(line)
        if line == "<!-- before":
            indent, fence, block = "", "-->", Block("sh", number + 1, "")
        elif opening:
            indent, fence = opening[1], opening[2]
            language = ALIASES.get(opening[3], opening[3])
            block, waiting = Block(language, number + 1, "", waiting), {}
        elif not _remark(page, number, line, waiting):
            if waiting and line.strip():
                page.faults.append((number, f"{next(iter(waiting))} is not followed by a block"))
                waiting = {}
            page.prose.append((number, line))
    if block is not None:
        page.faults.append((block.line - 1, "the block has no end"))
    return page


def all_pages(root):
    """README.md and its like, and everything below docs/."""
    paths = sorted(root.glob("*.md")) + sorted((root / "docs").rglob("*.md"))
    return [read(path, str(path.relative_to(root))) for path in paths]
