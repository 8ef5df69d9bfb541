"""What `serving/deploy` ships: no engine runs here, so it is linted, and nginx is really run."""

import importlib.util
import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import cdss
from cdss.sandbox.client import Client, Unreachable
from cdss.sandbox.play import play
from cdss.sandbox.signing import Signer
from serving import protocol, routes
from serving.addresses import PROBES
from serving.benchmarks.process import served
from tests.security_clients import EMR, signer, site
from tests.serving_process import COMMAND

ROOT = Path(__file__).parents[1]
DEPLOY = ROOT / "serving" / "deploy"
MANIFESTS = sorted((DEPLOY / "kubernetes").glob("*.yaml"))
OBJECTS = [file for file in MANIFESTS if file.stem != "kustomization"]  # that is kubectl's own
PUBLIC = "https://cdss.hospital.example"
VERSIONS = ("1.28", "1.31", "1.34")


def document(name: str) -> Any:
    return yaml.safe_load((DEPLOY / name).read_text(encoding="utf-8"))


def manifest(name: str) -> Any:
    return document(f"kubernetes/{name}.yaml")


def project() -> Any:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def tool(name: str) -> str:
    """A program, beside this Python or on the path."""
    beside = str(Path(sys.executable).parent)
    found = shutil.which(name, path=os.pathsep.join([beside, os.environ["PATH"], "/usr/sbin"]))
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found


# -- the image

DOCKERFILE = (DEPLOY / "Dockerfile").read_text(encoding="utf-8")
INSTRUCTIONS = [
    line.split(maxsplit=1)
    for line in re.sub(r"\\\n", " ", DOCKERFILE).splitlines()
    if line and not line.startswith("#")
]


def last(instruction: str) -> str:
    return [rest for name, rest in INSTRUCTIONS if name == instruction][-1]


def test_hadolint_has_nothing_to_say() -> None:
    done = subprocess.run(
        [tool("hadolint"), "--no-fail", str(DEPLOY / "Dockerfile")],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert "" == done.stdout


def test_the_image_is_made_of_a_plain_name_and_is_not_root() -> None:
    bases = [rest.split()[0] for name, rest in INSTRUCTIONS if name == "FROM"]
    assert ["python:3.11-slim"] * 2 == bases
    assert "10001:10001" == last("USER")
    assert "SIGTERM" == last("STOPSIGNAL")
    assert "/ready" in last("HEALTHCHECK")
    assert '["python", "-m", "serving", "--host", "0.0.0.0", "--port", "3000"]' == last("CMD")


def test_everything_that_is_copied_is_there_and_let_in() -> None:
    copied = {
        source
        for name, rest in INSTRUCTIONS
        if name == "COPY" and not rest.startswith("--from")
        for source in rest.split()[:-1]
    }
    let_in = {
        line.removeprefix("!")
        for line in (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    assert copied == let_in
    assert all((ROOT / name).exists() for name in copied)
    extras = re.findall(r"\[([a-z,]+)\]", last("RUN") + DOCKERFILE)[0].split(",")
    assert set(extras) <= set(project()["optional-dependencies"])


def test_the_bento_has_what_the_extra_has() -> None:
    bento = document("bentofile.yaml")
    assert bento["python"]["packages"] == project()["optional-dependencies"]["serve"]
    assert [f"./dist/cdss-{cdss.__version__}-py3-none-any.whl"] == bento["python"]["wheels"]
    module, name = bento["service"].split(":")
    assert f"class {name}:" in (ROOT / f"{module.replace('.', '/')}.py").read_text()


def test_bentoml_understands_the_bentofile() -> None:
    from bentoml.bentos import BentoBuildConfig

    with (DEPLOY / "bentofile.yaml").open() as stream:
        config = BentoBuildConfig.from_yaml(stream)
    assert ("serving.service:Cdss", "3.11") == (config.service, config.docker.python_version)


# -- Kubernetes


def test_every_manifest_is_applied_but_the_example() -> None:
    names = {file.name for file in MANIFESTS}
    applied = set(manifest("kustomization")["resources"])
    assert names - applied == {"kustomization.yaml", "clients.example.yaml"}
    assert applied <= names


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("file", OBJECTS, ids=lambda file: file.stem)
def test_a_manifest_is_as_kubernetes_has_it(file: Path, version: str) -> None:
    if importlib.util.find_spec("kubernetes_validate") is None:
        pytest.skip("kubernetes-validate is not installed")
    import kubernetes_validate

    data = yaml.safe_load(file.read_text(encoding="utf-8"))
    kubernetes_validate.validate(data, version, strict=True)


def test_names_and_labels_fit_together() -> None:
    pods = manifest("deployment")["spec"]["template"]
    labels, spec = pods["metadata"]["labels"], pods["spec"]
    (container,) = spec["containers"]
    assert labels == manifest("deployment")["spec"]["selector"]["matchLabels"]
    assert labels == manifest("service")["spec"]["selector"]
    assert labels == manifest("network")["spec"]["podSelector"]["matchLabels"]
    assert [{"configMapRef": {"name": manifest("config")["metadata"]["name"]}}] == (
        container["envFrom"]
    )
    sources = {v["name"]: v for v in spec["volumes"]}
    assert (
        sources["clients"]["secret"]["secretName"]
        == (manifest("clients.example")["metadata"]["name"])
    )
    assert (
        sources["audit"]["persistentVolumeClaim"]["claimName"]
        == (manifest("storage")["metadata"]["name"])
    )
    assert {mount["name"] for mount in container["volumeMounts"]} == set(sources)
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert {"http": 3000} == ports
    assert [3000] == [p["port"] for p in manifest("network")["spec"]["ingress"][0]["ports"]]
    assert "http" == manifest("service")["spec"]["ports"][0]["targetPort"]


def test_a_pod_may_do_nothing_it_does_not_need() -> None:
    spec = manifest("deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    assert spec["automountServiceAccountToken"] is False
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert last("USER") == "{runAsUser}:{runAsGroup}".format_map(spec["securityContext"])
    assert {"type": "RuntimeDefault"} == spec["securityContext"]["seccompProfile"]
    assert {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    } == container["securityContext"]
    assert container["resources"].keys() == {"requests", "limits"}
    writable = {m["mountPath"] for m in container["volumeMounts"] if not m.get("readOnly")}
    assert {"/tmp", "/var/lib/cdss"} == writable
    assert ["Ingress", "Egress"] == manifest("network")["spec"]["policyTypes"]


def test_a_pod_is_asked_and_drained() -> None:
    spec = manifest("deployment")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] in PROBES
    assert "/ready" not in container["livenessProbe"]["httpGet"]["path"]
    waits = int(container["lifecycle"]["preStop"]["exec"]["command"][1])
    answers = re.search(r"TIMEOUT_SECONDS = (\d+)", (ROOT / "serving/service.py").read_text())
    assert answers is not None
    assert waits + int(answers[1]) < spec["terminationGracePeriodSeconds"]


def test_what_is_configured_is_understood(tmp_path: Path) -> None:
    from serving.settings import read_settings

    given = dict(manifest("config")["data"])
    assert all(isinstance(value, str) for value in given.values())
    folder = tmp_path / "etc"
    folder.mkdir()
    for name, text in manifest("clients.example")["stringData"].items():
        (folder / name).write_text(text)
    given["CDSS_CLIENTS"] = str(folder / Path(given["CDSS_CLIENTS"]).name)

    settings = read_settings(given)

    assert settings.clients is not None
    assert (PUBLIC, "6000/minute") == (settings.base_url, settings.rate)


# -- nginx

NGINX = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")


def certificate(
    folder: Path, name: str, issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None
) -> tuple[x509.Certificate, ec.EllipticCurvePrivateKey]:
    """Make a certificate and write it, alone, with its key, and the key alone."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=True, key_cert_sign=issuer is None, crl_sign=issuer is None,
                content_commitment=False, key_encipherment=False, data_encipherment=False,
                key_agreement=False, encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
        .add_extension(
            x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False
        )
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(
                (issuer[1] if issuer else key).public_key()
            ),
            critical=False,
        )
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )  # fmt: skip
    alone = made.public_bytes(serialization.Encoding.PEM)
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / f"{name}.pem").write_bytes(alone)
    (folder / f"{name}.key").write_bytes(secret)
    (folder / f"{name}.both.pem").write_bytes(alone + secret)
    return made, key


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])


class Proxy:
    """A server behind nginx, and who may call it."""

    def __init__(self, folder: Path, port: int, behind: int) -> None:
        self.folder, self.url, self.behind = folder, f"https://localhost:{port}", behind

    def client(self, cert: str | None = "emr", **options: Any) -> Client:
        tls = ssl.create_default_context(cafile=self.folder / "authority.pem")
        if cert:
            tls.load_cert_chain(self.folder / f"{cert}.both.pem")
        key = (self.folder / "site" / "sandbox.key").read_text()
        return Client(self.url, public_url=PUBLIC, key=key, tls=tls, **options)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    program = tool("nginx")
    folder = tmp_path_factory.mktemp("nginx")
    ours, theirs = (certificate(folder, name, None) for name in ("authority", "stranger"))
    certificate(folder, "server", ours)
    certificate(folder, "emr", ours)
    certificate(folder, "impostor", theirs)
    shutil.copy(folder / "authority.pem", folder / "clients.pem")
    clients = site(folder / "site", sandbox="assess fhir read")
    settings = {"CDSS_CLIENTS": str(clients), "CDSS_URL": PUBLIC, "CDSS_UNGATED_MODELS": "1",
                "CDSS_AUDIT": str(folder / "audit.sqlite")}  # fmt: skip
    with served([*COMMAND, "--port", "0"], settings) as server:
        port = free_port()
        config = NGINX
        for old, new in (
            ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
            ("listen 80;", f"listen 127.0.0.1:{free_port()};"),
            ("127.0.0.1:3000", f"127.0.0.1:{server.port}"),
            ("/etc/nginx/cdss", str(folder)),
            ("/var/log/nginx", str(folder)),
            ("/run/nginx.pid", f"{folder}/nginx.pid"),
            ("worker_processes auto;", "worker_processes 1; daemon off;"),
            ("server_tokens off;", "server_tokens off; " + temporary(folder)),
        ):
            assert old in config, old
            config = config.replace(old, new)
        file = folder / "nginx.conf"
        file.write_text(config)
        command = [program, "-e", str(folder / "start.log"), "-c", str(file)]
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, check=False)
        assert 0 == tested.returncode, tested.stderr
        assert "warn" not in tested.stderr
        running = subprocess.Popen(command, stderr=subprocess.DEVNULL)
        try:
            wait_for(port)
            yield Proxy(folder, port, server.port)
        finally:
            running.terminate()
            running.wait(10)


def temporary(folder: Path) -> str:
    """Where nginx may write what it never should: seen by the test."""
    return " ".join(
        f"{name}_temp_path {folder}/{name};"
        for name in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )


def wait_for(port: int) -> None:
    end = monotonic() + 10
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert monotonic() < end, "nginx does not listen"
            sleep(0.05)


def test_the_contract_holds_through_nginx(proxy: Proxy) -> None:
    played = play(proxy.client(signer=Signer(signer("emr-1").as_dict(private=True), EMR)),
                  datetime.now().date())  # fmt: skip

    assert [] == played.report.failed
    assert 36 <= played.report.count("passed")


@pytest.mark.parametrize("cert", [None, "impostor"])
def test_a_machine_without_our_certificate_is_refused(proxy: Proxy, cert: str | None) -> None:
    try:
        answer = proxy.client(cert).get("/v1/models")
    except Unreachable:
        return  # nginx may also close before it has answered
    assert 400 == answer.status


def test_what_is_too_large_is_refused_as_cdss_does(proxy: Proxy) -> None:
    answer = proxy.client().post("/v1/assess/batch", b" " * 4_300_000)

    assert (413, "application/problem+json") == (answer.status, answer.type)
    assert "body_too_large" == answer.object()["problems"][0]["code"]
    assert ["type", "title", "status", "detail", "problems"] == list(answer.object())
    assert f"client_max_body_size {routes.MOST_BATCH_BYTES // 10**6}m;" in NGINX
    count, size = re.findall(r"large_client_header_buffers (\d+) (\d+)k;", NGINX)[0]
    assert int(count) * int(size) * 1024 == protocol.MOST_HEAD


def test_operators_addresses_stay_inside(proxy: Proxy) -> None:
    assert 404 == proxy.client().get("/metrics").status


def test_nothing_of_a_patient_is_on_disk_or_in_logs(proxy: Proxy) -> None:
    canary = "Canary-Tran-Thi-Hoa"
    said = {"index_date": "2026-11-22", "values": {"age": 54}, "note": canary * 100_000}
    proxy.client().post(f"/v1/assess/batch?patient={canary}", said)
    sleep(0.2)

    files = [f for f in proxy.folder.rglob("*") if f.is_file() and "audit" not in f.name]
    assert any(f.name == "access.log" and "/v1/assess/batch" in f.read_text() for f in files)
    assert [] == [f.name for f in files if canary.encode() in f.read_bytes()]
    assert [] == [f for name in ("client_body", "proxy") for f in (proxy.folder / name).rglob("*")
                  if f.is_file()]  # fmt: skip
    errors = (proxy.folder / "error.log").read_text()
    assert "buffered to a temporary file" not in errors


def test_the_page_names_files_that_are_there() -> None:
    page = (DEPLOY / "README.md").read_text(encoding="utf-8")
    targets = re.findall(r"\]\(([^)#]+?)\)", page)
    assert 4 <= len(targets)
    assert [] == [target for target in targets if not (DEPLOY / target).exists()]
    assert "the image was not built" in page
