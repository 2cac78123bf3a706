# long
"""The package's units under a real systemd: a Debian of its own is booted in namespaces, with the
network of this machine. Needs root, and a control group that may be divided."""
import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import debian
import pytest
import support
from support import eventually, free_port

BOOT = Path(__file__).with_name("boot.sh")
pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="namespaces need root")


def hierarchies():
    """Where the control groups of version 2, and those that systemd names, are mounted."""
    lines = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    return [Path(where) for _, where, kind, options, *_ in lines
            if kind == "cgroup2" or (kind == "cgroup" and "name=systemd" in options.split(","))]


class Machine:
    """A tree that is booted."""

    def __init__(self, tree):
        self.tree, self.name = tree, f"caes-sync-test-{os.getpid()}"
        self.groups = [where / self.name for where in hierarchies()]
        self.process = self.systemd = None

    def __enter__(self):
        try:
            for group in self.groups:
                group.mkdir()
        except OSError as why:
            self.remove_groups()
            pytest.skip(f"no control group of its own: {why}")
        if not self.groups:
            pytest.skip("no control groups here")
        self.process = subprocess.Popen(
            ["unshare", "--cgroup", "--pid", "--mount", "--uts", "--ipc", "--fork", BOOT,
             self.tree.root], preexec_fn=self.join)
        self.systemd = eventually(self.child)
        # reached, or with a unit of Debian's own that can't work here
        eventually(lambda: self("systemctl", "is-system-running").stdout.strip()
                   in ("running", "degraded"), 60, 0.5)
        return self

    def join(self):
        for group in self.groups:
            (group / "cgroup.procs").write_text(str(os.getpid()))

    def child(self):
        assert self.process.poll() is None, "the tree could not be booted"
        words = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(words[0]) if words else None

    def remove_groups(self):
        for group in self.groups:
            for folder, _, _ in os.walk(group, topdown=False):
                with contextlib.suppress(FileNotFoundError):
                    eventually(lambda: self.removed(folder))

    @staticmethod
    def removed(folder):
        """A process that was killed may take a moment to leave."""
        try:
            os.rmdir(folder)
        except OSError:
            return not os.path.exists(folder)
        return True

    def __exit__(self, *unused):
        print(self("journalctl", "--no-pager", "-u", "caes-sync*").stdout[-20000:])
        os.kill(self.systemd, signal.SIGKILL)  # and with it all of its namespace
        self.process.wait(30)
        self.remove_groups()

    def __call__(self, *words):
        return debian.run("nsenter", "-t", self.systemd, "-m", "-u", "-i", "-p", "-C", "-r", "-w",
                          "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *words, timeout=120)

    def must(self, *words):
        done = self(*words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def show(self, unit, name):
        return self.must("systemctl", "show", unit, "-P", name).strip()

    def lines(self, unit, *words):
        """[(priority, text)] of the journal."""
        text = self.must("journalctl", "--no-pager", "-o", "json", "-u", unit, *words)
        entries = [json.loads(line) for line in text.splitlines()]
        return [(int(one["PRIORITY"]), one["MESSAGE"]) for one in entries]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    made = debian.plant(tmp_path_factory.mktemp("machine") / "debian", debian.build())
    made.must("apt-get", "-q", "install", "-y", "--no-install-recommends", "systemd",
              "systemd-sysv", "/tmp/caes-sync.deb")
    with Machine(made) as booted:
        yield booted
    shutil.rmtree(made.root)


@pytest.fixture
def service(machine, place, tmp_path):
    """Configured as an operator would, and not started."""
    config = support.Caes(place, tmp_path).config | {
        "http": {"listen": f"127.0.0.1:{free_port()}"}}
    del config["pidFile"], config["state"]
    file = machine.tree.root / "etc/caes-sync/config.yaml"
    file.write_text(json.dumps(config))
    place.make()
    yield file
    machine("systemctl", "stop", "caes-sync")
    machine("systemctl", "reset-failed", "caes-sync")


def arrives(place):
    key = place.put_doc(support.now(), message="a document")
    row = place.write_row(support.now(), message="a row")
    eventually(lambda: place.row(key) == {"message": "a document"}, 30)
    eventually(lambda: place.doc(row)[1] == {"message": "a row"}, 30)


def main_process(machine):
    return machine.show("caes-sync", "MainPID")


def test_it_starts_syncs_reloads_and_stops(machine, service, place):
    machine.must("systemctl", "enable", "--now", "caes-sync")  # returns when it is ready
    assert machine.show("caes-sync", "ActiveState") == "active"
    assert machine.show("caes-sync", "SubState") == "running"
    arrives(place)
    assert machine.must("stat", "-c", "%A %U:%G", "/var/lib/caes-sync/state.db").strip() == \
        "-rw------- caes-sync:caes-sync"
    pid = main_process(machine)
    assert machine.must("stat", "-c", "%U", f"/proc/{pid}").strip() == "caes-sync"
    assert machine.show("caes-sync", "StatusText")

    config = json.loads(service.read_text()) | {"interval": 0.7}
    service.write_text(json.dumps(config))
    machine.must("systemctl", "reload", "caes-sync")
    assert main_process(machine) == pid
    assert any("reload" in text for _, text in machine.lines("caes-sync"))
    service.write_text("interval: [")
    assert machine("systemctl", "reload", "caes-sync").returncode != 0  # and goes on as it was
    service.write_text(json.dumps(config))
    arrives(place)
    assert main_process(machine) == pid

    start = time.monotonic()
    machine.must("systemctl", "disable", "--now", "caes-sync")
    assert time.monotonic() - start < 30
    assert machine.show("caes-sync", "Result") == "success"
    assert machine.show("caes-sync", "ActiveState") == "inactive"


def test_a_killed_one_is_started_again(machine, service, place):
    machine.must("systemctl", "start", "caes-sync")
    pid = main_process(machine)
    os.kill(int(outer(machine, pid)), signal.SIGKILL)
    eventually(lambda: main_process(machine) not in ("0", pid), 30, 0.5)
    eventually(lambda: machine.show("caes-sync", "ActiveState") == "active", 30, 0.5)
    arrives(place)


def outer(machine, pid):
    """The number outside of what is pid in there."""
    for status in Path("/proc").glob("[0-9]*/status"):
        with contextlib.suppress(OSError):
            lines = dict(line.split(":", 1) for line in status.read_text().splitlines())
            inner = lines.get("NSpid", "").split()
            if len(inner) == 2 and inner[1] == pid and lines["Name"].strip() == "caes-sync":
                return status.parent.name
    raise AssertionError(f"no process {pid} in there")


def test_the_watchdog_restarts_one_that_hangs(machine, service, place):
    changes = machine.tree.root / "etc/systemd/system/caes-sync.service.d"
    changes.mkdir(parents=True)
    (changes / "watchdog.conf").write_text("[Service]\nWatchdogSec=4\nRestartSec=1\n")
    machine.must("systemctl", "daemon-reload")
    try:
        machine.must("systemctl", "start", "caes-sync")
        pid = main_process(machine)
        time.sleep(6)  # fed: it stays
        assert main_process(machine) == pid
        os.kill(int(outer(machine, pid)), signal.SIGSTOP)
        eventually(lambda: main_process(machine) not in ("0", pid), 40, 0.5)
        eventually(lambda: machine.show("caes-sync", "ActiveState") == "active", 30, 0.5)
        assert machine.show("caes-sync", "NRestarts") == "1"
        arrives(place)
    finally:
        shutil.rmtree(changes)
        machine("systemctl", "daemon-reload")


def test_a_configuration_that_can_not_work(machine, service):
    """Told once, at the right priority, and not tried for ever."""
    service.write_text("interval: never\n")
    assert machine("systemctl", "start", "caes-sync").returncode != 0
    time.sleep(7)  # longer than RestartSec
    assert machine.show("caes-sync", "ActiveState") == "failed"
    assert machine.show("caes-sync", "NRestarts") == "0"
    assert machine.show("caes-sync", "ExecMainStatus") == "2"
    assert any("interval" in text for _, text in machine.lines("caes-sync"))


def test_one_of_several(machine, service, place):
    """caes-sync@NAME has its own configuration and state."""
    shutil.move(service, service.with_name("orders.yaml"))
    try:
        machine.must("systemctl", "start", "caes-sync@orders")
        arrives(place)
        assert machine.must("stat", "-c", "%U", "/var/lib/caes-sync/orders/state.db").strip() == \
            "caes-sync"
    finally:
        machine.must("systemctl", "stop", "caes-sync@orders")
        shutil.move(service.with_name("orders.yaml"), service)


def test_its_hardening(machine):
    text = machine.must("systemd-analyze", "security", "--no-pager", "caes-sync")
    exposure = float(text.splitlines()[-1].split(":")[1].split()[0])
    assert exposure < 2, text
