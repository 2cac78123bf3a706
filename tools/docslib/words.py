"""Names in back-ticks: commands and their options, keys of the configuration and metrics exist."""
import re
import shlex

from . import generated

SECTIONS = ("ElasticSearchConfig", "CassandraConfig", "sync", "verify", "http", "log", "deadLetters")
KEY = re.compile(r"^(?:%s)\.[A-Za-z.]+$" % "|".join(SECTIONS))
METRIC = re.compile(r"^caes_\w+$")
SUFFIXES = ("", "_bucket", "_count", "_sum")
TYPES = {"caes_json"}


def metrics(root):
    """{name: its labels}, series of histograms included, as docs/METRICS.md lists them."""
    text = (root / "docs/METRICS.md").read_text(encoding="utf-8")
    found = {}
    for name, kind, labels in re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \|", text, re.MULTILINE):
        own = set(re.findall(r"`(\w+)`", labels))
        for suffix in SUFFIXES if kind == "histogram" else ("",):
            found[name + suffix] = own | ({"le"} if suffix == "_bucket" else set())
    return found


def keys(root):
    text = (root / "docs/configuration.md").read_text(encoding="utf-8")
    names = re.findall(r"^\| `([\w.]+)`", text, re.MULTILINE)
    names += [f"{name}File" for name in re.findall(r"^\| `([\w.]+)`, `…File`", text, re.MULTILINE)]
    whole = {".".join(name.split(".")[:depth]) for name in names for depth in range(1, 5)}
    return whole


def command_fault(program, words):
    """What is wrong with the words behind caes-sync, or None."""
    while words and words[0] in ("-c", "--config", "--log-level", "--pipeline"):
        words = words[2:]
    if not words or words[0].startswith("-") or words[0] == "…":
        return None
    text = generated.help_of(program, words[0])
    if text is None:
        return f"caes-sync has no command {words[0]}"
    for word in words[1:]:
        option = re.escape(word.split("=")[0])
        if word.startswith("--") and not re.search(rf"^ +(?:-\w, )?{option}\b", text, re.MULTILINE):
            return f"caes-sync {words[0]} has no option {word}"
    return None


def _split(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def check(root, program, tree):
    known, measured = keys(root), metrics(root)
    for page in tree:
        for number, text in page.inline():
            words = _split(text)
            if words[:1] == ["caes-sync"] and len(words) > 1:
                fault = command_fault(program, [re.split(r"[|\[]", word)[0] for word in words[1:]])
                if fault:
                    yield page.name, number, fault
            elif KEY.match(text) and text not in known:
                yield page.name, number, f"{text} is no key of the configuration"
            elif METRIC.match(text) and text not in measured and text not in TYPES:
                yield page.name, number, f"{text} is no metric"
