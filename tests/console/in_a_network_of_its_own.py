"""Runs in a network namespace of its own, as root there: a server as `docs/connect.md` has it for clients with a fixed host.

`python -m tests.console.in_a_network_of_its_own HOSTS_FILE [NODE_SCRIPT]`.
"""

import json
import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import httpx

from storage.embedded import ports
from tests.engines import make_data_folder, remove_data_folder
from tests.serving import Server
from tests.waiting import MOMENT_SECONDS


def main(hosts: str, script: str = "") -> None:
    os.environ["DJANGO_SETTINGS_MODULE"] = "console.settings"
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    data = make_data_folder()
    server = Server(data, *ports.free_ports(2), {"HOMEPORT_ORIGINAL_HOSTS": "true", "HOMEPORT_WORKERS": "1"}).start()
    try:
        server.wait_ready()
        collection_id, key = server.make_key("Fixed hosts")
        _ask(server, collection_id, key)
        if script:
            _run_script(server, script, key)
    finally:
        server.stop()
        remove_data_folder(data)


def _ask(server: Server, collection_id: str, key: str) -> None:
    trust = ssl.create_default_context(cafile=str(server.ca_path))
    with httpx.Client(verify=trust, timeout=MOMENT_SECONDS, trust_env=False, headers={"X-API-Key": key}) as client:
        item = {"key": "a", "n": 1}
        put = client.put(f"https://database.deta.sh/v1/{collection_id}/b/items", json={"items": [item]})
        assert put.json() == {"processed": {"items": [item]}}, put.text
        sent = client.post(f"https://drive.deta.sh/v1/{collection_id}/d/files?name=a", content=b"text")
        assert sent.json()["name"] == "a", sent.text


def _run_script(server: Server, script: str, key: str) -> None:
    """The published JavaScript client, told of nothing but the key and whom to trust."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("DETA_")}
    told = {"DETA_PROJECT_KEY": key, "NODE_EXTRA_CA_CERTS": str(server.ca_path)}
    node = shutil.which("node")
    assert node
    done = subprocess.run(
        [node, script],
        env=kept | told,
        cwd=Path(script).parent,
        capture_output=True,
        text=True,
        check=False,
        timeout=MOMENT_SECONDS,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {"item": {"key": "a", "n": 1}, "names": ["a"]}


if __name__ == "__main__":
    main(*sys.argv[1:])
