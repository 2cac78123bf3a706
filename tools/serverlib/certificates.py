"""Certificates of an authority of our own, for servers that speak TLS."""
import subprocess

PASSWORD = "certificates"  # of the Java stores: they take none without one
DAYS = "30"
NAMES = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:127.0.0.2,IP:127.0.0.3"


def run(*argv):
    subprocess.run(argv, check=True, stdin=subprocess.DEVNULL, capture_output=True)


def sign(folder, name, extension):
    run("openssl", "req", "-newkey", "rsa:2048", "-nodes", "-keyout", f"{folder}/{name}.key",
        "-subj", f"/CN={name}", "-out", f"{folder}/{name}.csr")
    (folder / f"{name}.ext").write_text(extension + "\n")
    run("openssl", "x509", "-req", "-in", f"{folder}/{name}.csr", "-CA", f"{folder}/ca.pem",
        "-CAkey", f"{folder}/ca.key", "-CAcreateserial", "-days", DAYS,
        "-extfile", f"{folder}/{name}.ext", "-out", f"{folder}/{name}.pem")


def make(folder, java):
    """ca, server and client as .pem and .key, and what Java servers read: server.p12, trust.p12."""
    if (folder / "trust.p12").exists():
        return
    folder.mkdir(exist_ok=True)
    run("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", DAYS,
        "-subj", "/CN=authority of the tests", "-keyout", f"{folder}/ca.key",
        "-out", f"{folder}/ca.pem")
    sign(folder, "server", NAMES)
    sign(folder, "client", "extendedKeyUsage=clientAuth")
    run("openssl", "pkcs12", "-export", "-in", f"{folder}/server.pem", "-inkey",
        f"{folder}/server.key", "-passout", f"pass:{PASSWORD}", "-out", f"{folder}/server.p12")
    run(f"{java}/bin/keytool", "-importcert", "-noprompt", "-alias", "authority",
        "-file", f"{folder}/ca.pem", "-keystore", f"{folder}/trust.p12", "-storetype", "PKCS12",
        "-storepass", PASSWORD)
