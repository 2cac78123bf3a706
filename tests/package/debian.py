"""A Debian of its own, and our package: what the tests of the package share."""
import hashlib
import os
import shutil
import stat
import subprocess
from pathlib import Path

from support import ROOT

BASE = ROOT / "build/package/base"
# What apt and dpkg keep of every package that ever was there.
ADMINISTRATION = ("var/cache/", "var/log/apt/", "var/log/dpkg.log", "var/lib/apt/", "var/lib/dpkg/", "run/", "tmp/",
                  "etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-", "etc/.pwd.lock",
                  "etc/ld.so.cache")


def run(*words, timeout=1500, **more):
    done = subprocess.run([str(w) for w in words], capture_output=True, text=True,
                          timeout=timeout, stdin=subprocess.DEVNULL, **more)
    print(f"$ {' '.join(map(str, words))} -> {done.returncode}\n{done.stdout[-4000:]}{done.stderr[-4000:]}")
    return done


def must(*words, **more):
    done = run(*words, **more)
    assert done.returncode == 0, done.stderr
    return done.stdout


def build():
    """The package of the tree that is tested."""
    must("make", "-s", "deb", cwd=ROOT)
    found = list((ROOT / "build/deb").glob("caes-sync_*.deb"))
    assert len(found) == 1
    return found[0]


def mirror():
    """Where this machine's own packages come from."""
    for line in must("apt-cache", "policy", "base-files").splitlines():
        words = line.split()
        if len(words) > 1 and words[1].startswith("http") and "security" not in words[1]:
            return words[1]
    return "http://deb.debian.org/debian"


class Tree:
    """A Debian of its own."""

    def __init__(self, folder):
        self.root = folder

    def __call__(self, *words, user="root", **more):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive",
               "LC_ALL": "C.UTF-8", "HOME": "/nonexistent"}
        return run("chroot", f"--userspec={user}:{user}", self.root, *words, env=env, **more)

    def must(self, *words, **more):
        done = self(*words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def files(self):
        """{path: what it is}"""
        found = {}
        for folder, folders, names in os.walk(self.root):
            for name in folders + names:
                path = Path(folder, name)
                inside = str(path.relative_to(self.root))
                if inside.startswith(ADMINISTRATION):
                    continue
                state = path.lstat()
                content = os.readlink(path) if path.is_symlink() else \
                    hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else ""
                found[inside] = (stat.filemode(state.st_mode), state.st_uid, state.st_gid, content)
        return found

    def mode(self, path):
        return self.must("stat", "-c", "%A %U:%G", path).strip()


def plant(folder, deb):
    """A tree in folder, with the package at /tmp/caes-sync.deb, not installed."""
    done = BASE.with_suffix(".done")
    if not done.exists():
        shutil.rmtree(BASE, ignore_errors=True)
        BASE.parent.mkdir(parents=True, exist_ok=True)
        must("debootstrap", "--variant=minbase", "bookworm", BASE, mirror())
        done.touch()
    must("cp", "-aH", BASE, folder)
    tree = Tree(folder)
    shutil.copy(deb, folder / "tmp" / "caes-sync.deb")
    shutil.copy("/etc/resolv.conf", folder / "etc/resolv.conf")
    tree.must("apt-get", "-q", "update")
    return tree
