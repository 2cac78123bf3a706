"""Server artifacts from Maven Central, and the Java to run them."""
import fcntl
import os
import re
import shutil
import subprocess
import time
import zipfile
from pathlib import Path

from .places import Failure

PLUGIN = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
<modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>fetch</artifactId>
<version>1</version><packaging>pom</packaging><dependencies><dependency>
<groupId>{0}</groupId><artifactId>{1}</artifactId><version>{2}</version>
</dependency></dependencies></project>
"""


def java_homes():
    """Every JDK on the machine: {major: home}, the first found of each."""
    homes = [os.environ[k] for k in sorted(os.environ) if re.fullmatch(r"JAVA\d*_HOME", k)]
    if shutil.which("java"):
        homes.append(str(Path(shutil.which("java")).resolve().parent.parent))
    homes += sorted(str(p) for p in Path("/usr/lib/jvm").glob("*") if not p.is_symlink())
    found = {}
    for home in homes:
        release = Path(home) / "release"
        if release.is_file() and (Path(home) / "bin" / "java").exists():
            hit = re.search(r'^JAVA_VERSION="(\d+)', release.read_text(), re.M)
            if hit:
                found.setdefault(int(hit[1]), home)
    return found


def java_home(low, high):
    """The oldest JDK in a range of versions, or None."""
    fits = sorted((major, home) for major, home in java_homes().items() if low <= major <= high)
    return fits[0][1] if fits else None


def maven(what, args):
    if not shutil.which("mvn"):
        raise Failure(f"{what}: mvn is missing: run tools/setup")
    for attempt in range(3):
        run = subprocess.run(["mvn", "-q", "-B", "-ntp", *args], capture_output=True, text=True,
                             stdin=subprocess.DEVNULL)
        if run.returncode == 0:
            return
        time.sleep(2 + 5 * attempt)
    errors = [s for s in (run.stdout + run.stderr).splitlines() if "ERROR" in s] or ["no message"]
    raise Failure(f"{what} could not be downloaded: {errors[0][:300]}")


def fetch(cache, group, artifact, version, kind):
    """The unpacked server (kind zip) or a folder of jars (kind jars), downloaded when missing."""
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"{artifact}-{version}"
    if home.is_dir():
        return home
    with open(cache / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # also: Maven 3 does not share its repository safely
        if home.is_dir():
            return home
        work = cache / f".{artifact}-{version}"
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir()
        what = f"{artifact} {version}"
        if kind == "jars":
            pom = work / "pom.xml"
            pom.write_text(POM.format(group, artifact, version))
            maven(what, ["-f", str(pom), f"{PLUGIN}:copy-dependencies", "-DincludeScope=runtime",
                         f"-DoutputDirectory={work / 'lib'}"])
            work.rename(home)
            return home
        maven(what, [f"{PLUGIN}:copy", f"-Dartifact={group}:{artifact}:{version}:zip",
                     f"-DoutputDirectory={work}"])
        with zipfile.ZipFile(next(work.glob("*.zip"))) as archive:
            for member in archive.infolist():
                path = archive.extract(member, work)
                if not member.is_dir() and "/bin/" in member.filename:
                    os.chmod(path, 0o755)
        next(p for p in work.iterdir() if p.is_dir()).rename(home)
        shutil.rmtree(work)
    return home
