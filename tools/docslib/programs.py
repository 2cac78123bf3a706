"""Which caes-sync the documents are compared with."""
import os
import sys
from pathlib import Path


def find(root):
    """Path of $CAES_SYNC, else of the one in build/."""
    for path in (os.environ.get("CAES_SYNC"), root / "build/caes-sync", root / "build/asan/caes-sync"):
        if path and Path(path).exists():
            return str(path)
    sys.exit("docs-check: there is no program; run make")
