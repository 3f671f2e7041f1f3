"""A certificate authority of this server's own, and the certificate it serves https with: `<data>/tls/`.

Clients of the original service speak https only; they are told once to trust `ca.pem`, so the authority is made once and kept.
"""

import ipaddress
import os
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

# Apple's clients refuse certificates that are valid for longer than 825 days. A server restarted once a year never meets the end.
_VALID = timedelta(days=820)
_RENEW_BEFORE = timedelta(days=400)


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files: the authority that clients trust, the server's chain, and its key (PKCS#8)."""

    authority: Path
    certificate: Path
    key: Path


def ensure(data: Path, names: Iterable[str]) -> Certificates:
    """Return a certificate for these names and this machine's own, issuing it when it is missing, old or lacks a name."""
    folder = data / "tls"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    paths = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    wanted = {"localhost", "127.0.0.1", "::1", socket.gethostname().lower(), *names}
    authority = _authority(paths.authority, folder / "ca.key")
    if not _is_good(paths, authority, wanted):
        leaf = authority.issue_cert(*sorted(wanted), not_after=datetime.now(UTC) + _VALID)
        key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
        _write(paths.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
        _write(paths.certificate, b"".join(part.bytes() for part in leaf.cert_chain_pems), mode=0o644)
    return paths


def _authority(certificate: Path, key: Path) -> trustme.CA:
    if certificate.is_file() and key.is_file():
        return trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    authority = trustme.CA(organization_name="Homeport", organization_unit_name=socket.gethostname())
    _write(key, authority.private_key_pem.bytes(), mode=0o600)
    _write(certificate, authority.cert_pem.bytes(), mode=0o644)
    return authority


def _is_good(paths: Certificates, authority: trustme.CA, wanted: set[str]) -> bool:
    """Whether the certificate that is there was issued by this authority, names everything wanted, and lasts."""
    if not (paths.certificate.is_file() and paths.key.is_file()):
        return False
    leaf = x509.load_pem_x509_certificate(paths.certificate.read_bytes())
    issuer = x509.load_pem_x509_certificate(authority.cert_pem.bytes())
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    named = set(alternatives.get_values_for_type(x509.DNSName))
    named |= {str(address) for address in alternatives.get_values_for_type(x509.IPAddress)}
    key = load_pem_private_key(paths.key.read_bytes(), password=None)
    return (
        leaf.issuer == issuer.subject
        and key.public_key() == leaf.public_key()
        and {_normal(name) for name in wanted} <= named
        and leaf.not_valid_after_utc - datetime.now(UTC) > _RENEW_BEFORE
    )


def _normal(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name


def _write(path: Path, content: bytes, *, mode: int) -> None:
    """Write a file that has its mode from the first moment, replacing an older one in one step."""
    new = path.with_name(f".{path.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        # Whatever the umask takes away: others read what is public.
        os.fchmod(file.fileno(), mode)
        file.write(content)
    new.replace(path)
