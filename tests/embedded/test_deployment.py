"""The files that deploy Homeport: they name settings that exist and programs that the package brings."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.serving import ROOT

UNIT = ROOT / "deploy" / "homeport.service"


def settings() -> set[str]:
    texts = ((ROOT / "console" / name).read_text() for name in ("settings.py", "environment.py"))
    return {name for text in texts for name in re.findall(r'env\.\w+\(\s*"([A-Z0-9_]+)"', text)}


def compose(name: str) -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / name).read_text())
    return loaded


def test_compose_gives_homeport_settings_that_it_reads() -> None:
    given = compose("compose.engines.yaml")["services"]["homeport"]["environment"]
    assert {"DATABASE_URL", "S3_ENDPOINT_URL"} <= set(given) <= settings()


def test_the_image_and_the_compose_file_mean_the_same_volume_and_ports() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text()
    service = compose("compose.yaml")["services"]["homeport"]
    assert service["volumes"] == ["homeport-data:/data"]
    assert "HOMEPORT_DATA=/data" in dockerfile
    assert "VOLUME /data" in dockerfile
    ports = [port.rsplit(":", 1)[1] for port in service["ports"]]
    assert f"EXPOSE {' '.join(ports)}" in dockerfile


def test_the_image_is_built_from_all_that_the_wheel_needs() -> None:
    """What `.dockerignore` lets through, compared with what the build names."""
    let_through = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    build = (ROOT / "pyproject.toml").read_text()
    (named,) = re.findall(r"^only-include = \[(.*)\]$", build, re.M)
    folders = {folder.split("/")[0] for folder in re.findall(r'"([^"]+)"', named)}
    assert let_through == folders | {"pyproject.toml", "constraints.txt", "README.md", "LICENSE"}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    text = UNIT.read_text()
    assert "ExecStart=/opt/homeport/bin/homeport serve\n" in text
    assert set(re.findall(r"HOMEPORT_[A-Z_]+", text)) <= settings()
    # It looks whether the program is there.
    unit = tmp_path / UNIT.name
    unit.write_text(text.replace("/opt/homeport/bin/homeport", "/bin/true"))
    done = subprocess.run(["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
