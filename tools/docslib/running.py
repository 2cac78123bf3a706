"""Runs the blocks of a page, in their order, as somebody would who types them.

A page has a home folder of its own, with /etc/caes-sync in it and a configuration unless the page writes
one. Addresses of the docs (127.0.0.1:9200, 9042, 8686) become those of
the test servers, and the names of keyspaces and indices that the page declares become unique ones.
"""
import json
import os
import re
import subprocess
import time
import uuid

import yaml

BASE = {"ElasticSearchConfig": {"index": "i"},
        "CassandraConfig": {"keyspace": "k", "dataColumnFamily": "d"}}
NOISE = re.compile(r"[-+]+$|WARNING: cqlsh was built against ")
PATIENCE = 60  # seconds for what shows only after a while


class Broken(Exception):
    """A block does not do what its page says."""


def plain(text):
    """Lines without what differs from run to run for no reason: widths of tables, empty lines."""
    lines = (re.sub(r"\s+", " ", line).strip() for line in text.splitlines())
    return [line for line in lines if line and not NOISE.match(line)]


def matches(wanted, shown):
    """Whether lines look as the page says; … stands for anything, alone in a line for any lines."""
    if not wanted:
        return not shown
    if wanted[0] == "…":
        return any(matches(wanted[1:], shown[n:]) for n in range(len(shown) + 1))
    pattern = ".*?".join(map(re.escape, wanted[0].split("…")))
    return bool(shown) and bool(re.fullmatch(pattern, shown[0])) and matches(wanted[1:], shown[1:])


def merged(base, changes):
    both = isinstance(base, dict) and isinstance(changes, dict)
    return {**base, **{k: merged(base.get(k), v) for k, v in changes.items()}} if both else changes


class Runner:
    """elasticsearch: URL; cassandra: (host, port); listen: host:port for the page's daemon."""

    def __init__(self, page, folder, program, venv, elasticsearch, cassandra, listen):
        self.page, self.home, self.program, self.listen = page, folder, program, listen
        self.elasticsearch, self.cassandra = elasticsearch, cassandra
        self.names = {name: f"{name}_{uuid.uuid4().hex[:8]}" for name in
                      page.options.get("names", [])}
        bin_ = folder / "bin"
        bin_.mkdir()
        (bin_ / "caes-sync").symlink_to(program)
        (bin_ / "caes-sync-daemon").symlink_to(program)
        self._script(bin_ / "cqlsh", f'exec {venv}/bin/python -W ignore {venv}/bin/cqlsh '
                     f'--no-color --connect-timeout=30 --request-timeout=60 {cassandra[0]} {cassandra[1]} "$@"')
        self.env = {**os.environ, "HOME": str(folder), "PATH": f"{bin_}:{os.environ['PATH']}",
                    "TZ": "UTC", "LC_ALL": "C.UTF-8", "CQLSH_NO_BUNDLED": "1"}
        self.env.pop("CAES_CONFIG", None)
        self.etc = folder / "etc/caes-sync"
        self.etc.mkdir(parents=True)
        default = folder / ".caes/config.yaml"
        default.parent.mkdir()
        default.write_text(json.dumps(self._located(BASE)))

    @staticmethod
    def _script(path, text):
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def close(self):
        """Ends the page's daemon and drops what it made."""
        self.shell("caes-sync stop", timeout=60)
        for name in self.names.values():
            self.cqlsh(f"DROP KEYSPACE IF EXISTS {name};")
            subprocess.run(["curl", "-s", "-XDELETE", f"{self.elasticsearch}/{name}"],
                           capture_output=True, timeout=60, check=False)

    def here(self, text):
        """Text of the page as it is meant for these servers."""
        for name, own in self.names.items():
            text = re.sub(rf"\b{name}\b", own, text)
        text = text.replace("http://127.0.0.1:9200", self.elasticsearch)
        text = text.replace("127.0.0.1:9200", self.elasticsearch.split("//")[1])
        text = text.replace("127.0.0.1:9042", "%s:%d" % self.cassandra)
        text = text.replace("/etc/caes-sync/", f"{self.etc}/")
        return text.replace("127.0.0.1:8686", self.listen)

    def file(self, name):
        path = name.replace("~", str(self.home), 1) if name.startswith("~/") else self.home / name
        return os.path.normpath(path)

    def _located(self, config):
        """A configuration with what the docs leave to its defaults: ports."""
        ours = {"CassandraConfig": {"contactPoints": [self.cassandra[0]], "port": self.cassandra[1]},
                "ElasticSearchConfig": {"hosts": [self.elasticsearch]},
                "http": {"listen": self.listen}}
        for side in ("CassandraConfig", "ElasticSearchConfig"):
            if "driver" in (config.get(side) or {}):
                ours.pop(side)
        return merged(ours, config)

    def _run(self, argv, stdin=None, timeout=120):
        try:
            run = subprocess.run(argv, cwd=self.home, env=self.env, text=True, timeout=timeout,
                                 input=stdin, stdin=None if stdin is not None else subprocess.DEVNULL,
                                 stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        except subprocess.TimeoutExpired:
            return None, f"still running after {timeout} s"
        return run.returncode, run.stdout

    def shell(self, text, timeout=120):
        return self._run(["bash", "-euo", "pipefail", "-c", text], timeout=timeout)

    def cqlsh(self, text):
        return self._run(["cqlsh"], stdin=text)

    # --- blocks

    def _write(self, block, text):
        path = self.file(self.here(block.remarks["file"]))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if block.language == "yaml":
            config = yaml.safe_load(text)
            if isinstance(config, dict) and {"CassandraConfig", "pipelines"} & set(config):
                self._fragment(text)  # the text itself; what is written is its JSON, which is YAML
                text = json.dumps(self._located(config), indent=1)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text)

    def _fragment(self, text):
        """A part of a configuration: the program must take it."""
        for name in re.findall(re.escape(f"{self.etc}/") + r"([\w.-]+)", text):
            (self.etc / name).touch(0o600)  # a secret or a certificate: the program wants to read it
            (self.etc / name).write_text("x\n")
        path = self.home / "fragment.yaml"
        config = yaml.safe_load(text)
        whole = merged(BASE, config)
        path.write_text(text if whole == config or "pipelines" in config else json.dumps(whole))
        code, said = self._run([self.program, "-c", str(path), "status"])
        if code not in (0, 1, 4):
            raise Broken(f"is no configuration: {said.strip()}")

    def _once(self, block, text, expected):
        wanted = int(block.remarks.get("exit", 0))
        code, said = self.cqlsh(text) if block.language == "cql" else self.shell(text)
        if code != wanted:
            raise Broken(f"exit code {code}, not {wanted}:\n{said}")
        if expected is not None and not matches(plain(expected), plain(said)):
            raise Broken(f"prints\n{said}not\n{expected}")

    def _execute(self, block, text, expected):
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return self._once(block, text, expected)
            except Broken:
                if "eventually" not in block.remarks or time.monotonic() > deadline:
                    raise
            time.sleep(0.5)

    def block(self, block, expected=None):
        text = self.here(block.text)
        if "file" in block.remarks:
            self._write(block, text)
        elif block.language == "yaml":
            self._fragment(text)
        elif block.language == "json":
            json.loads(text)
        else:
            self._execute(block, text, None if expected is None else self.here(expected))

    def all(self):
        """Runs the page; returns how many blocks ran."""
        ran = 0
        for block, after in zip(self.page.blocks, [*self.page.blocks[1:], None]):
            if not block.runs:
                continue
            expected = after.text if after and after.language == "text" else None
            try:
                self.block(block, expected)
            except (Broken, ValueError, yaml.YAMLError) as fault:
                raise AssertionError(f"{self.page.name}:{block.line}: {fault}") from fault
            ran += 1
        return ran
