"""Processes by id and start time, so that a recycled id is never touched; ports."""
import os
import random
import signal
import socket
import time


def start_time(pid):
    """Clock ticks since boot at which the process began; None when there is no such process."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as stat:
            fields = stat.read().rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


def group_alive(pid):
    """Whether any process that is not a zombie is left in the session that pid leads."""
    for entry in os.listdir("/proc"):
        if entry.isdigit():
            try:
                with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as stat:
                    fields = stat.read().rpartition(")")[2].split()
            except OSError:
                continue
            if fields[0] not in "ZX" and int(fields[3]) == pid:
                return True
    return False


def signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:
        pass


def end(pid, patience):
    """SIGTERM to the whole group, SIGKILL to what is left after some seconds."""
    signal_group(pid, signal.SIGTERM)
    signal_group(pid, signal.SIGCONT)  # it may be paused
    deadline = time.monotonic() + patience
    while group_alive(pid):
        if time.monotonic() > deadline:
            signal_group(pid, signal.SIGKILL)
            deadline += 60
        time.sleep(0.1)


def is_free(address, port):
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True


def free_port(addresses, taken):
    """A port below the range of outgoing connections, so that it stays free over a restart."""
    for _ in range(500):
        port = random.randint(21000, 31999)
        if port not in taken and all(is_free(a, port) for a in addresses):
            return port
    raise OSError("no free port found")


def answers(address, port):
    try:
        socket.create_connection((address, port), 1).close()
    except OSError:
        return False
    return True
