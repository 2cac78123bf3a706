"""Manual pages, completion in the shells themselves, colours. Needs no server."""
import os
import pty
import re
import select
import shutil
import subprocess
import time
from pathlib import Path

import pytest
from support import PROGRAM

ENV = {**os.environ, "LC_ALL": "C.UTF-8", "TERM": "xterm"}
ENV.pop("NO_COLOR", None)


def tell(*words, **more):
    run = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=60,
                         env={**ENV, **more})
    assert run.returncode == 0, run.stderr
    return run.stdout


def commands():
    part = tell("help").split("Commands:\n")[1].split("\n\n")[0]
    return [line.split()[0] for line in part.splitlines()]


def options(command):
    return re.findall(r"^  (?:-\w, |    )(--[a-z-]+)", tell("help", command), re.M)


def needs(program):
    if not shutil.which(program):
        pytest.skip(f"{program} is not installed")


# --- help and manual


def test_every_command_has_an_example():
    for command in commands():
        assert re.search(rf"^  caes-sync .*{command}", tell("help", command), re.M), command


@pytest.fixture(params=[("caes-sync.1", ["help", "--man"]),
                        ("caes-sync.yaml.5", ["help", "configuration", "--man"])],
                ids=lambda p: p[0])
def page(request, tmp_path):
    name, words = request.param
    file = tmp_path / name
    file.write_text(tell(*words))
    return file


def test_manual_pages_are_clean(page):
    needs("man")
    run = subprocess.run(["man", "--warnings", "-l", str(page)], capture_output=True, text=True,
                         env={**ENV, "MANWIDTH": "100"}, check=True)
    assert run.stderr == ""
    assert len(run.stdout.splitlines()) > 100
    needs("mandoc")
    run = subprocess.run(["mandoc", "-Tlint", "-Wwarning", str(page)], capture_output=True,
                         text=True)
    assert (run.stdout, run.stderr, run.returncode) == ("", "", 0)


def shown(file):
    needs("mandoc")
    plain = subprocess.run(["mandoc", "-Tutf8", "-Owidth=1000", str(file)], capture_output=True,
                           text=True, check=True).stdout
    return re.sub(".\b", "", plain)


def test_manual_shows_what_help_says(tmp_path):
    file = tmp_path / "caes-sync.1"
    file.write_text(tell("help", "--man"))
    text = " ".join(shown(file).split())
    for command in commands():
        for line in tell("help", command).splitlines():
            words = re.sub(r"^caes-sync (\S+)[^:]*: ", "", " ".join(line.split()))
            if words != "Options:":
                assert words in text, line


def test_manual_shows_every_key(tmp_path):
    file = tmp_path / "caes-sync.yaml.5"
    file.write_text(tell("help", "configuration", "--man"))
    text = " ".join(shown(file).split())
    keys = re.findall(r"^\| `([^`]+)`", tell("help", "configuration", "--markdown"), re.M)
    assert len(keys) > 80
    assert [key for key in keys if f" {key} " not in text and f" {key}, " not in text] == []


def test_date_of_the_manual():
    assert "1970-01-02" in tell("help", "--man", SOURCE_DATE_EPOCH="86400").splitlines()[0]


@pytest.mark.parametrize("words,error", [
    (["help", "types", "--man"], "types has no manual page of its own"),
    (["completion"], "name one of them"),
    (["completion", "csh"], "name one of them"),
])
def test_mistakes(words, error):
    run = subprocess.run([PROGRAM, *words], capture_output=True, text=True)
    assert run.returncode == 2 and error in run.stderr and run.stdout == ""


# --- completion: (the line so far, what is offered)
CASES = [
    ("caes-sync sy", {"sync"}),
    ("caes-sync init", {"init", "init-config"}),
    ("caes-sync -c /dev/null --log-level error verif", {"verify"}),
    ("caes-sync --log-level ", {"debug", "info", "warning", "error"}),
    ("caes-sync repair --policy c", {"cassandra"}),
    ("caes-sync load --from e", {"elasticsearch"}),
    ("caes-sync load --re", {"--resume", "--relax"}),
    ("caes-sync dlq ", {"list", "show", "retry", "purge"}),
    ("caes-sync dlq show x", set()),
    ("caes-sync help ty", {"types"}),
    ("caes-sync completion z", {"zsh"}),
    ("caes-sync -c ", {"one.yaml"}),
    ("caes-sync repair --keys on", {"one.yaml"}),
    ("caes-sync-daemon ", {"start", "stop", "restart"}),
]


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "one.yaml").touch()
    (tmp_path / "bin").mkdir()
    for name in ("caes-sync", "caes-sync-daemon"):
        (tmp_path / "bin" / name).symlink_to(PROGRAM)
    return tmp_path


def bash(line, folder):
    """Completes as bash does: words split at COMP_WORDBREAKS, "=" among them."""
    words = [w for w in re.split(r"(=)|\s+", line) if w]
    if line.endswith(" "):
        words.append("")
    quoted = " ".join(f"'{w}'" for w in words)
    last = "" if words[-1] == "=" else words[-1]
    script = f"""
        source /dev/stdin
        COMP_WORDS=({quoted}) COMP_CWORD={len(words) - 1}
        _caes_sync '{words[0]}' '{last}' '{words[-2]}'
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    run = subprocess.run(["bash", "--norc", "-c", script], input=tell("completion", "bash"),
                         capture_output=True, text=True, cwd=folder, timeout=60)
    assert run.stderr == "" and run.returncode == 0, run.stderr
    return set(run.stdout.split()) - {"bin"}


@pytest.mark.parametrize("line,offered", CASES + [
    ("caes-sync --log-level=w", {"warning"}),
    ("caes-sync --log-level=", {"debug", "info", "warning", "error"}),
    ("caes-sync --config=/dev/null sta", {"start", "status"}),
])
def test_bash(folder, line, offered):
    assert bash(line, folder) == offered


def test_bash_offers_everything(folder):
    assert bash("caes-sync ", folder) == set(commands())
    for command in commands():
        assert bash(f"caes-sync {command} --", folder) == set(options(command))


def fish(line, folder):
    run = subprocess.run(["fish", "--no-config", "-c",
                          "source $argv[2]; complete -C $argv[1]",
                          line, str(folder / "caes-sync.fish")],
                         capture_output=True, text=True, cwd=folder, timeout=60,
                         env={**ENV, "HOME": str(folder), "PATH": f"{folder}/bin:{ENV['PATH']}"})
    assert run.stderr == "" and run.returncode == 0, run.stderr
    found = {line.split("\t")[0] for line in run.stdout.splitlines()}
    return found - {"bin/", "caes-sync.fish", ".cache/", ".local/", ".config/"}


@pytest.mark.parametrize("line,offered", CASES)
def test_fish(folder, line, offered):
    needs("fish")
    (folder / "caes-sync.fish").write_text(tell("completion", "fish"))
    assert fish(line, folder) == offered


def test_fish_offers_everything(folder):
    needs("fish")
    (folder / "caes-sync.fish").write_text(tell("completion", "fish"))
    assert fish("caes-sync ", folder) == set(commands())
    for command in commands():
        assert fish(f"caes-sync {command} --", folder) >= set(options(command))


class Terminal:
    """A program on a terminal of its own."""

    def __init__(self, argv, cwd, env):
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.chdir(cwd)
            os.execvpe(argv[0], argv, env)

    def read_until(self, mark, timeout=60):
        seen = b""
        deadline = time.monotonic() + timeout
        while mark not in seen:
            left = deadline - time.monotonic()
            assert left > 0 and select.select([self.fd], [], [], left)[0], (mark, seen)
            try:
                seen += os.read(self.fd, 65536)
            except OSError:  # it ended
                break
        return seen.decode(errors="replace")

    def send(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        os.close(self.fd)
        os.waitpid(self.pid, 0)


@pytest.fixture
def zsh(folder):
    """Completes a line in an interactive zsh: what would be offered is collected from compadd."""
    needs("zsh")
    (folder / "functions").mkdir()
    (folder / "functions" / "_caes-sync").write_text(tell("completion", "zsh"))
    (folder / ".zshrc").write_text(f"""
        PS1= PROMPT_EOL_MARK=
        fpath=({folder}/functions $fpath)
        autoload -Uz compinit && compinit -u -d {folder}/dump
        collect() {{
            compadd() {{
                local -a found
                builtin compadd -O found "$@"
                print -rl -- $found >>{folder}/found
                builtin compadd "$@"
            }}
            _main_complete
            compstate[insert]= compstate[list]=
            unfunction compadd
            print -n DONE >>{folder}/found
        }}
        zle -C collect complete-word collect
        bindkey '^T' collect
        print READ''Y
    """)
    terminal = Terminal(["zsh", "-i"], folder,
                        {**ENV, "HOME": str(folder), "ZDOTDIR": str(folder),
                         "PATH": f"{folder}/bin:{ENV['PATH']}"})
    terminal.read_until(b"READY")

    def complete(line):
        found = Path(folder / "found")
        found.unlink(missing_ok=True)
        terminal.send(f"\x15{line}\x14")
        deadline = time.monotonic() + 60
        while not (found.exists() and found.read_text().endswith("DONE")):
            assert time.monotonic() < deadline, "zsh did not complete"
            time.sleep(0.05)
        words = set(found.read_text().removesuffix("DONE").split("\n")) - {""}
        return words - {"bin", "functions", "found", "dump"}

    yield complete
    terminal.close()


def test_zsh(zsh):
    assert zsh("caes-sync ") >= set(commands())
    for line, offered in CASES:
        if not line.startswith("caes-sync-daemon"):
            assert zsh(line) == offered, line
    for command in commands():
        assert {w.rstrip("=") for w in zsh(f"caes-sync {command} --")} >= set(options(command))


# --- colours


def on_a_terminal(*words, folder, **more):
    terminal = Terminal([PROGRAM, *words], folder, {**ENV, "HOME": str(folder), **more})
    text = terminal.read_until(b"never")
    terminal.close()
    return text


def test_colours_only_on_a_terminal(tmp_path):
    assert "\033[1mCommands:\033[0m\r\n" in on_a_terminal("help", folder=tmp_path)
    assert "\033[1mOptions:\033[0m\r\n" in on_a_terminal("sync", "--help", folder=tmp_path)
    assert "\033[31mcaes-sync: " in on_a_terminal("sink", folder=tmp_path)
    for quiet in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        for words in (["help"], ["sink"]):
            text = on_a_terminal(*words, folder=tmp_path, **quiet)
            assert "\033" not in text and "caes-sync" in text
    assert "\033" not in tell("help")
    assert "\033[1m" in on_a_terminal("help", folder=tmp_path, NO_COLOR="")
