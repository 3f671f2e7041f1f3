"""A certificate authority of this server's own, and the certificate it serves https with: `<data>/tls/`.

Clients of the original service speak https only; they are told once to trust `ca.pem`, so the authority is made once and kept.
"""

import ipaddress
import logging
import socket
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key

from storage.embedded import durable

logger = logging.getLogger(__name__)

# Apple's clients refuse certificates that are valid for longer than 825 days. A server restarted once a year never meets the end.
_VALID = timedelta(days=820)
_RENEW_BEFORE = timedelta(days=400)


class CertificateError(Exception):
    """A file of the authority can't be used, and is not ours to make again; the message says which, and what to do."""


@dataclass(frozen=True)
class Certificates:
    """Paths of PEM files: the authority that clients trust, the server's chain, and its key (PKCS#8)."""

    authority: Path
    certificate: Path
    key: Path


def ensure(data: Path, names: Iterable[str]) -> Certificates:
    """Return a certificate for these names and this machine's own, issuing it when it is missing, damaged, old or lacks a name.

    The authority's own files are made once. Raises CertificateError when one of them is needed and damaged or missing: clients
    trust this authority, and would refuse another.
    """
    folder = data / "tls"
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o711)
    paths = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    wanted = {"localhost", "127.0.0.1", "::1", socket.gethostname().lower(), *names}
    authority_key = folder / "ca.key"
    if not paths.authority.exists() and not authority_key.exists():
        _make_authority(paths.authority, authority_key)
    if not _is_good(paths, _read_authority(paths.authority), wanted):
        _issue(paths, _load_authority(paths.authority, authority_key), wanted)
    return paths


def _make_authority(certificate: Path, key: Path) -> None:
    authority = trustme.CA(organization_name="Homeport", organization_unit_name=socket.gethostname())
    durable.write(key, authority.private_key_pem.bytes(), mode=0o600)
    durable.write(certificate, authority.cert_pem.bytes(), mode=0o644)


def _issue(paths: Certificates, authority: trustme.CA, wanted: set[str]) -> None:
    leaf = authority.issue_cert(*sorted(wanted), not_after=datetime.now(UTC) + _VALID)
    key = load_pem_private_key(leaf.private_key_pem.bytes(), password=None)
    durable.write(paths.key, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), mode=0o600)
    durable.write(paths.certificate, b"".join(part.bytes() for part in leaf.cert_chain_pems), mode=0o644)


def _read_authority(certificate: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError) as error:
        raise CertificateError(_lost(certificate)) from error


def _load_authority(certificate: Path, key: Path) -> trustme.CA:
    """The authority, to issue with. Its key is asked for only now: what was issued before needs it no more."""
    known = _read_authority(certificate)
    try:
        private = load_pem_private_key(key.read_bytes(), password=None)
        authority = trustme.CA.from_pem(certificate.read_bytes(), key.read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise CertificateError(_lost(key)) from error
    if private.public_key() != known.public_key():
        raise CertificateError(_lost(key))
    return authority


def _lost(path: Path) -> str:
    return (
        f"{path} is damaged or missing. Restore it from a backup: it is of the authority that clients of this server trust."
        f" Without a backup, remove {path.parent}; another authority is made then, which every client has to be told to trust."
    )


def _is_good(paths: Certificates, issuer: x509.Certificate, wanted: set[str]) -> bool:
    """Whether the certificate that is there was issued by this authority, names everything wanted, and lasts."""
    if not paths.certificate.exists() and not paths.key.exists():
        return False
    leaf = _read(paths.certificate, x509.load_pem_x509_certificate)
    key = _read(paths.key, lambda content: load_pem_private_key(content, password=None))
    if leaf is None or key is None:
        return False
    try:
        leaf.verify_directly_issued_by(issuer)
        alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, TypeError, InvalidSignature, x509.ExtensionNotFound):
        return False
    named = set(alternatives.get_values_for_type(x509.DNSName))
    named |= {str(address) for address in alternatives.get_values_for_type(x509.IPAddress)}
    return (
        key.public_key() == leaf.public_key()
        and {_normal(name) for name in wanted} <= named
        and leaf.not_valid_after_utc - datetime.now(UTC) > _RENEW_BEFORE
    )


def _read(path: Path, parse: Callable[[bytes], Any]) -> Any:
    """What is in the file; None, with a line in the log, when it is damaged or missing: it is made anew then."""
    try:
        return parse(path.read_bytes())
    except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
        logger.warning("%s is damaged or missing, and is made anew: %s", path, error)
        return None


def _normal(name: str) -> str:
    try:
        return str(ipaddress.ip_address(name))
    except ValueError:
        return name
