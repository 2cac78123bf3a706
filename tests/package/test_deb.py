# long
"""The Debian package in a fresh Debian: installed, it syncs; purged, it leaves nothing. Builds it
(minutes), and needs root for the chroot."""
import json
import os
import shutil

import debian
import pytest
import support
from debian import run
from support import ROOT, eventually, free_port

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a chroot needs root")


@pytest.fixture(scope="module")
def deb():
    return debian.build()


@pytest.fixture(scope="module")
def tree(deb, tmp_path_factory):
    """With what the package depends on, before the package itself."""
    made = debian.plant(tmp_path_factory.mktemp("tree") / "debian", deb)
    plan = made.must("apt-get", "-s", "install", "--no-install-recommends", "/tmp/caes-sync.deb")
    needed = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    needed.remove("caes-sync")
    made.must("apt-get", "-q", "install", "-y", "--no-install-recommends", *needed)
    yield made
    shutil.rmtree(made.root)


def test_lintian(deb):
    done = run("lintian", "--allow-root", "--fail-on", "error,warning", deb)
    assert (done.stdout, done.returncode) == ("", 0)


UNITS = [unit.name for unit in (ROOT / "packaging/systemd").glob("*.service")]


class Systemctl:
    """Writes down what the package's scripts ask of systemd, which does not run in the tree."""

    def __init__(self, tree):
        self.tool, self.running = tree.root / "bin/systemctl", tree.root / "run/systemd/system"
        self.log = tree.root / "tmp/systemctl"

    def __enter__(self):
        self.running.mkdir(parents=True)
        self.tool.write_text('#!/bin/sh\necho "$*" >>/tmp/systemctl\n')
        self.tool.chmod(0o755)
        return self

    def __exit__(self, *unused):
        self.tool.unlink()
        self.running.rmdir()
        self.running.parent.rmdir()

    def asked(self):
        return self.log.read_text() if self.log.exists() else ""


def test_it_is_installed_works_and_goes(tree, place, tmp_path):
    before = tree.files()
    tree.must("dpkg", "-i", "/tmp/caes-sync.deb")
    assert tree.mode("/etc/caes-sync/config.yaml") == "-rw-r----- root:caes-sync"
    assert tree.mode("/var/lib/caes-sync") == "drwxr-x--- caes-sync:caes-sync"
    assert tree.must("dpkg-query", "-W", "-f", "${Conffiles}", "caes-sync").count("config.yaml")
    assert tree.must("readlink", "/usr/bin/caes-sync-daemon").strip() == "caes-sync"
    for unit in UNITS:
        assert (tree.root / "lib/systemd/system" / unit).read_text() == \
            (ROOT / "packaging/systemd" / unit).read_text()
        assert not list((tree.root / "etc/systemd").rglob(unit))  # not enabled

    caes = lambda *words, **more: tree("caes-sync", *words, user="caes-sync", **more)  # noqa: E731
    refused = caes("check")
    assert refused.returncode == 2
    assert refused.stderr.startswith("/etc/caes-sync/config.yaml:")
    assert "index: is missing" in refused.stderr

    syncs(tree, caes, place, tmp_path)
    an_upgrade_keeps_the_configuration(tree)

    (tree.root / "var/log/caes-sync/caes.log").touch()
    (tree.root / "etc/caes-sync/other.yaml").touch()
    with Systemctl(tree) as systemctl:
        tree.must("apt-get", "-q", "remove", "-y", "caes-sync")
    assert not UNITS or "stop caes-sync.service" in systemctl.asked()
    assert (tree.root / "etc/caes-sync/config.yaml").exists()
    assert (tree.root / "var/lib/caes-sync/state.db").exists()
    assert not (tree.root / "usr/bin/caes-sync").exists()
    tree.must("apt-get", "-q", "purge", "-y", "caes-sync")
    after = tree.files()
    assert {name: (before.get(name), after.get(name)) for name in before.keys() | after.keys()
            if before.get(name) != after.get(name)} == {}
    assert "caes-sync" not in tree.must("dpkg", "-l")


def syncs(tree, caes, place, folder):
    """The main job: what the README tells, as the service's user, with the package's configuration."""
    config = support.Caes(place, folder).config | {
        "state": "/var/lib/caes-sync/state.db", "http": {"listen": f"127.0.0.1:{free_port()}"}}
    del config["pidFile"]
    (tree.root / "etc/caes-sync/config.yaml").write_text(json.dumps(config))  # keeps its mode
    place.make()
    key = place.put_doc(support.now(), message="from Elasticsearch")
    row = place.write_row(support.now(), message="from Cassandra")
    assert caes("check").returncode == 0
    done = caes("sync", "--once", "--json", "--since", "1")
    assert done.returncode == 0
    counts = json.loads(done.stdout.splitlines()[-1])
    assert counts["to_cassandra"]["copied"] == counts["to_elasticsearch"]["copied"] == 1
    assert place.row(key) == {"message": "from Elasticsearch"}
    assert place.doc(row)[1] == {"message": "from Cassandra"}

    assert caes("start").returncode == 0
    key = place.put_doc(support.now(), message="to the daemon")
    try:
        eventually(lambda: place.row(key) == {"message": "to the daemon"})
        assert tree("caes-sync", "status").returncode == 0  # root asks the service's daemon
    finally:
        assert caes("stop").returncode == 0
    assert tree.mode("/var/lib/caes-sync/state.db") == "-rw------- caes-sync:caes-sync"


def an_upgrade_keeps_the_configuration(tree):
    edited = (tree.root / "etc/caes-sync/config.yaml").read_text()
    tree.must("chmod", "0600", "/etc/caes-sync/config.yaml")
    with Systemctl(tree) as systemctl:
        tree.must("dpkg", "-i", "/tmp/caes-sync.deb")
    assert not UNITS or "try-restart caes-sync.service" in systemctl.asked()
    assert " start " not in systemctl.asked()
    assert (tree.root / "etc/caes-sync/config.yaml").read_text() == edited
    assert tree.mode("/etc/caes-sync/config.yaml") == "-rw------- root:caes-sync"
