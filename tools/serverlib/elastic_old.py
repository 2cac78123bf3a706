"""Elasticsearch before 7. Its start scripts know no Java after 8 or 13; the class itself runs."""
import json
import subprocess
from pathlib import Path

from .elastic import Elasticsearch
from .places import Failure
from .server import Server

AGENT = Path(__file__).resolve().parents[2] / "tests/agent/BootClassPathAgent.java"
ASM = ["--add-exports", "java.base/jdk.internal.org.objectweb.asm=ALL-UNNAMED"]


class ElasticsearchOld(Elasticsearch):
    transport_key = "transport.tcp.port"
    demand_logins = Server.demand_logins

    def program(self, instance):
        """Where the configuration is, in the words of this version: Java's options, arguments."""
        raise NotImplementedError

    def prepare(self, instance):
        self.configure(instance)
        home, folder = instance.state["home"], instance.folder
        options, arguments = self.program(instance)
        return [f"{self.java}/bin/java", f"-Xms{self.heap}", f"-Xmx{self.heap}",
                "-Djava.awt.headless=true", "-Dfile.encoding=UTF-8",
                "-Djava.security.manager=allow",
                "--add-opens=java.base/java.lang=ALL-UNNAMED",
                "--add-opens=java.base/java.util=ALL-UNNAMED",
                f"-Djava.io.tmpdir={folder}/tmp", f"-Des.path.home={home}", *options,
                "-cp", f"{home}/lib/*", "org.elasticsearch.bootstrap.Elasticsearch",
                *arguments], {}


class Elasticsearch6(ElasticsearchOld):
    def program(self, instance):
        return ["-Dio.netty.noUnsafe=true", "-Dio.netty.noKeySetOptimization=true",
                "-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true",
                f"-Des.path.conf={instance.folder}/config", "-Des.distribution.flavor=oss",
                "-Des.distribution.type=zip"], []


class Elasticsearch5(ElasticsearchOld):
    def program(self, instance):
        return ["-Dio.netty.noUnsafe=true", "-Dio.netty.noKeySetOptimization=true",
                "-Dlog4j.shutdownHookEnabled=false", "-Dlog4j2.disable.jmx=true"], [
                    f"-Epath.conf={instance.folder}/config"]


class Elasticsearch2(ElasticsearchOld):
    def discovery(self, home):
        return {"discovery.zen.ping.unicast.hosts": []}

    def settings(self, instance):
        # It wants to make this folder, by default in its home.
        return super().settings(instance) | {"path.plugins": str(instance.folder / "tmp/plugins")}

    def program(self, instance):
        return [f"-Des.path.conf={instance.folder}/config"], ["start"]


class Elasticsearch1(ElasticsearchOld):
    """A jar with all in it, and no distribution around it."""

    def discovery(self, home):
        return {"discovery.zen.ping.multicast.enabled": False}

    def configure(self, instance):
        text = json.dumps(self.settings(instance), indent=1)
        (instance.folder / "config/elasticsearch.yml").write_text(text)

    def agent(self, folder):
        classes, manifest, jar = folder / "agent", folder / "agent/manifest", folder / "agent.jar"
        classes.mkdir(exist_ok=True)
        manifest.write_text("Premain-Class: BootClassPathAgent\nCan-Retransform-Classes: true\n")
        for command in ([f"{self.java}/bin/javac", *ASM, "-d", str(classes), str(AGENT)],
                        [f"{self.java}/bin/jar", "cfm", str(jar), str(manifest), "-C",
                         str(classes), "."]):
            try:
                subprocess.run(command, check=True, capture_output=True, text=True)
            except (OSError, subprocess.CalledProcessError) as failed:
                said = getattr(failed, "stderr", None) or str(failed)
                raise Failure(f"{self.name} {self.version}: {Path(command[0]).name} fails (it needs "
                              f"a whole JDK, not only a JRE): {said.splitlines()[0]}") from None
        return jar

    def program(self, instance):
        config = instance.folder / "config"
        return [*ASM, f"-javaagent:{self.agent(config)}", "-Des.foreground=yes",
                f"-Des.config={config}/elasticsearch.yml"], []
