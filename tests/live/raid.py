"""A daemon behind a port that turns hostile (tests/fake/hostile.py). With AddressSanitizer and UBSan
where that build is there."""
import os
import re
import sys
from pathlib import Path

import support
from support import Caes, eventually, now

sys.path.insert(0, str(support.ROOT / "tests" / "fake"))

SANITIZED = support.ROOT / "build/asan/caes-sync"
MEMORY = 1500  # MiB, under AddressSanitizer; an answer may have 256 MiB and 16 million values


class Raided(Caes):
    """The daemon behind a hostile port."""

    def __init__(self, place, folder, hostile, name):
        super().__init__(place, folder)
        self.hostile, self.name = hostile, name
        self.env["ASAN_OPTIONS"] = "detect_leaks=1:quarantine_size_mb=16"

    def argv(self, *words):
        argv = super().argv(*words)
        if "CAES_SYNC" not in os.environ and SANITIZED.exists():
            argv[0] = str(SANITIZED)
        return argv

    def start(self):
        self.daemon = self.run()
        key = self.place.write_row(now(), user="before")
        eventually(lambda: self.place.doc(key), 30)
        return self

    def peak(self, reset=False):
        """The most memory since the last reset, MiB."""
        proc = Path(f"/proc/{self.daemon.process.pid}")
        if reset:
            (proc / "clear_refs").write_text("5")
        return int(re.search(r"VmHWM:\s+(\d+)", (proc / "status").read_text())[1]) // 1024

    def raid(self, attack, words, meant, timeout=60):
        begin = len(self.daemon.text())
        self.peak(reset=True)
        self.hostile.war(attack, meant)
        row = self.place.write_row(now(), user="during")
        doc = self.place.put_doc(now(), user="during")
        eventually(lambda: self.hostile.attacked, timeout)

        def told():
            lines = [s for s in self.daemon.text()[begin:].splitlines()
                     if self.name in s and (" ERROR " in s or " WARNING " in s)]
            return [s for s in lines if all(w in s for w in words)]

        try:
            line = eventually(told, timeout)[0]
        finally:
            self.hostile.peace()
            print(self.daemon.text()[begin:][-3000:])
        assert len(line) < 900
        eventually(lambda: self.place.doc(row) and self.place.row(doc), 60)
        assert self.daemon.running()
        assert "to the dead letters" not in self.daemon.text()
        print("peak", self.peak(), "MiB")
        assert self.peak() < MEMORY
