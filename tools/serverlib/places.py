"""Where state lies, and as whom the servers run."""
import hashlib
import os
import pwd
import subprocess
from pathlib import Path

USER = "caes-test"


class Failure(Exception):
    """Said to the user in one line."""


def unprivileged():
    """The account for the servers when we are root (Elasticsearch refuses root), else None."""
    if os.geteuid() != 0:
        return None
    try:
        return pwd.getpwnam(USER)
    except KeyError:
        subprocess.run(["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin",
                        USER], check=False, capture_output=True)
    for name in (USER, "nobody"):  # nobody: where accounts can't be made
        try:
            return pwd.getpwnam(name)
        except KeyError:
            pass
    raise Failure(f"cannot make the account {USER}: make it with useradd --system {USER}")


def can_enter(account, folder):
    """Whether that account may pass through all parents of a folder and read it."""
    child = os.fork()
    if child == 0:
        ok = False
        try:
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            ok = os.access(folder, os.R_OK | os.X_OK)
        finally:
            os._exit(0 if ok else 1)
    return os.waitpid(child, 0)[1] == 0


def reachable(folder):
    """The folder, or where the servers' account can't get there, a link to one where it can."""
    account = unprivileged()
    if folder.is_symlink() and not folder.exists():
        folder.unlink()  # its target was cleaned away
    if not folder.exists():
        folder.parent.mkdir(parents=True, exist_ok=True)
        if account and not can_enter(account, folder.parent):
            name = hashlib.sha256(str(folder).encode()).hexdigest()[:12]
            real = Path("/var/tmp") / f"caes-servers-{name}"
            try:
                real.mkdir(mode=0o755)
            except FileExistsError:
                info = real.lstat()
                if real.is_symlink() or info.st_uid != os.geteuid():
                    raise Failure(f"{real} belongs to somebody else: remove it") from None
            try:
                folder.symlink_to(real)
            except FileExistsError:
                pass  # another start was quicker
        else:
            folder.mkdir(exist_ok=True)
    real = folder.resolve()
    if account and not can_enter(account, real):
        raise Failure(f"{folder}: the account {account.pw_name}, as which the servers run, "
                      "cannot get there: remove this folder or give --dir")
    return real


def hand_over(folder):
    """Makes a folder and all in it writable for the servers' account."""
    account = unprivileged()
    if account:
        for base, _, files in os.walk(folder):
            for path in [base] + [os.path.join(base, f) for f in files]:
                os.chown(path, account.pw_uid, account.pw_gid, follow_symlinks=False)
