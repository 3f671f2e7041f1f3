"""The files of a machine of a cluster, filled in, are ones that their programs can read."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml

from deploy.cluster import certificates
from deploy.cluster.one_machine import NAMES, ROOT, Settings, fill

SETTINGS = Settings(network="127.9.9")
PLACES = {
    "network": "127.0.0.0/8",
    "etc": "/etc/homeport-cluster",
    "data": "/var/lib/homeport-cluster",
    "postgres": "/opt/postgres/bin",
    "shared_buffers": "4GB",
}


@pytest.mark.parametrize("name", NAMES)
def test_each_file_is_well_formed_and_names_its_machine(name: str) -> None:
    files = fill(SETTINGS, name, **PLACES)
    me = SETTINGS.address(name)
    for file in ("etcd.yaml", "patroni.yaml"):
        assert yaml.safe_load(files[file])["name"] == name
    assert tomllib.loads(files["filer.toml"])["postgres2"]["hostname"] == me
    assert tomllib.loads(files["security.toml"])["jwt"]["signing"]["key"] == SETTINGS.volume_token
    assert json.loads(files["s3.json"])["identities"][0]["credentials"][0]["secretKey"] == SETTINGS.s3_secret_key
    assert f"HOMEPORT_HOST={me}\n" in files["homeport.env"]
    for file in ("master", "volume", "filer"):
        assert f"ip={me}\n" in files[f"{file}.options"]


def test_what_patroni_is_told_keeps_what_was_acknowledged() -> None:
    told = yaml.safe_load(fill(SETTINGS, "one", **PLACES)["patroni.yaml"])["bootstrap"]["dcs"]
    assert told["synchronous_mode"] is told["synchronous_mode_strict"] is True
    assert told["loop_wait"] + 2 * told["retry_timeout"] <= told["ttl"]
    assert told["postgresql"]["parameters"]["synchronous_commit"] == "on"


def test_haproxy_reads_its_file(tmp_path: Path) -> None:
    haproxy = shutil.which("haproxy", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    if haproxy is None:
        pytest.skip("HAProxy is not installed.")
    files = fill(SETTINGS, "one", **PLACES | {"etc": str(tmp_path)})
    for name, text in {**files, **certificates.issue({"one": "127.9.9.1"})["one"]}.items():
        (tmp_path / name).write_text(text)
    done = subprocess.run([haproxy, "-c", "-f", tmp_path / "haproxy.cfg"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr, done.stderr


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
@pytest.mark.parametrize("unit, instance", [("patroni", ""), ("seaweedfs@", "master"), ("seaweedfs@", "filer")])
def test_systemd_understands_the_units(unit: str, instance: str, tmp_path: Path) -> None:
    text = (ROOT / "deploy" / "cluster" / "systemd" / f"{unit}.service").read_text()
    # It looks whether the programs are there.
    (tmp_path / f"{unit}.service").write_text(re.sub(r"/opt/homeport/bin/\w+", "/bin/true", text))
    named = tmp_path / f"{unit}{instance}.service"
    done = subprocess.run(["systemd-analyze", "verify", named], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
