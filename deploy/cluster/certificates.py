"""An authority for a cluster, and a certificate for each of its machines.

    python -m deploy.cluster.certificates FOLDER one=10.0.0.1 two=10.0.0.2 three=10.0.0.3

makes FOLDER/one and so on, each with `ca.pem`, `machine.pem`, `machine.key`, and both of these as one file, which HAProxy wants.
The authority's own key is kept nowhere: whoever had it could issue more. New machines come with new certificates.
"""

import sys
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme

_VALID = timedelta(days=3650)


def issue(addresses: Mapping[str, str]) -> dict[str, dict[str, str]]:
    """For each machine the text of each of its files, by the file's name."""
    authority = trustme.CA(organization_name="Homeport", organization_unit_name="cluster")
    made = {}
    for name, address in addresses.items():
        leaf = authority.issue_cert(
            address, name, "127.0.0.1", "localhost", common_name=name, not_after=datetime.now(UTC) + _VALID
        )
        chain = b"".join(part.bytes() for part in leaf.cert_chain_pems).decode()
        key = leaf.private_key_pem.bytes().decode()
        made[name] = {
            "ca.pem": authority.cert_pem.bytes().decode(),
            "machine.pem": chain,
            "machine.key": key,
            "machine-and-key.pem": chain + key,
        }
    return made


def main(folder: str, *machines: str) -> None:
    """Write them all; only their owner can read them."""
    for name, files in issue(dict(machine.split("=", 1) for machine in machines)).items():
        place = Path(folder, name)
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        for file, text in files.items():
            path = place / file
            path.touch(mode=0o600)
            path.write_text(text, encoding="ascii")


if __name__ == "__main__":
    main(*sys.argv[1:])
