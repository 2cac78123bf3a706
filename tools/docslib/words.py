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


class Commands:
    """What `caes-sync help` knows."""

    def __init__(self, program):
        self.program, self.helps = program, {}

    def help(self, command):
        if command not in self.helps:
            self.helps[command] = generated.help_of(self.program, command)
        return self.helps[command]

    def fault(self, words):
        """What is wrong with the words behind caes-sync, or None."""
        words = [word for word in words if word not in ("…",)]
        while words and words[0] in ("-c", "--config", "--log-level", "--pipeline"):
            words = words[2:]
        if not words or words[0].startswith("-"):
            return None
        text = self.help(words[0])
        if text is None:
            return f"caes-sync has no command {words[0]}"
        for word in words[1:]:
            if word.startswith("--") and not re.search(rf"^ +(?:-\w, |    )?{word.split('=')[0]}\b",
                                                       text, re.MULTILINE):
                return f"caes-sync {words[0]} has no option {word}"
        return None


def _split(text):
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def check(root, program, tree):
    commands, known, measured = Commands(program), keys(root), metrics(root)
    for page in tree:
        for number, text in page.inline():
            words = _split(text)
            if words[:1] == ["caes-sync"] and len(words) > 1:
                fault = commands.fault([re.split(r"[|\[]", w)[0] or "…" for w in words[1:]])
                if fault:
                    yield page.name, number, fault
            elif KEY.match(text) and text not in known:
                yield page.name, number, f"{text} is no key of the configuration"
            elif METRIC.match(text) and text not in measured and text not in TYPES:
                yield page.name, number, f"{text} is no metric"
