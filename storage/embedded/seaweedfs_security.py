"""What closes the ports of the bundled SeaweedFS to everybody but its own user: certificates and `security.toml`.

By itself SeaweedFS asks nobody who speaks gRPC to it, or HTTP to its volumes, who they are. With these files each of its ports
wants a client's certificate of an authority that issued one certificate only, whose key this user alone can read. Signed
tokens close the bytes a second time: SeaweedFS goes on in plain text when it cannot read a certificate.

The authority's own key is kept nowhere, so nobody can issue a second certificate; a new one comes with a new authority.
"""

import json
import logging
import secrets
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from storage.embedded import paths
from storage.embedded.accounts import Account
from storage.embedded.state import EngineTls, engine_tls

logger = logging.getLogger(__name__)

# No browser sees it. It is looked at before each start of SeaweedFS, so what runs has years left.
_VALID = timedelta(days=3650)
_RENEW_BEFORE = timedelta(days=1825)

_GRPC = ("master", "volume", "filer", "s3", "admin", "worker", "client", "msg_broker", "msg_agent", "mq")
_HTTPS = ("master", "volume", "filer", "admin")
_TOKENS = ("jwt.signing", "jwt.signing.read", "jwt.filer_signing", "jwt.filer_signing.read")


def write(home: Path, account: Account | None) -> None:
    """Write `security.toml` with new secrets for tokens, and a certificate when there is none or it ends soon.

    Call it before each start of SeaweedFS, whose tokens end with it.
    """
    files = engine_tls(home)
    paths.make_private_folder(files.folder, account)
    fault = _find_fault(files)
    if fault and files.authority.exists():
        logger.warning("SeaweedFS gets a new certificate: %s.", fault)
    if fault:
        _issue(files, account)
    paths.write_private_file(files.folder / "security.toml", _configuration(files), account)


def _find_fault(files: EngineTls) -> str | None:
    """Why the certificate can't be used any longer; None when it can."""
    try:
        authority = x509.load_pem_x509_certificate(files.authority.read_bytes())
        leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        key = load_pem_private_key(files.key.read_bytes(), password=None)
        leaf.verify_directly_issued_by(authority)
    except FileNotFoundError as error:
        return f"{error.filename} is not there"
    except (ValueError, TypeError, InvalidSignature) as error:
        return f"what is in {files.folder} is damaged ({error})"
    if key.public_key() != leaf.public_key():
        return f"{files.key} is the key of another one"
    if min(leaf.not_valid_after_utc, authority.not_valid_after_utc) - datetime.now(UTC) < _RENEW_BEFORE:
        return f"the one it has ends on {leaf.not_valid_after_utc:%Y-%m-%d}"
    return None


def _issue(files: EngineTls, account: Account | None) -> None:
    authority = trustme.CA(organization_name="Homeport", organization_unit_name="SeaweedFS")
    until = datetime.now(UTC) + _VALID
    leaf = authority.issue_cert("127.0.0.1", "localhost", common_name="seaweedfs", not_after=until)
    paths.write_private_file(files.authority, authority.cert_pem.bytes().decode(), account)
    paths.write_private_file(files.key, leaf.private_key_pem.bytes().decode(), account)
    chain = b"".join(part.bytes() for part in leaf.cert_chain_pems)
    paths.write_private_file(files.certificate, chain.decode(), account)


def _configuration(files: EngineTls) -> str:
    """The file's text. SeaweedFS has no one section for all: each part of it is named, as server and as client."""
    authority, certificate, key = (_quote(str(path)) for path in (files.authority, files.certificate, files.key))
    pair = f"cert = {certificate}\nkey = {key}\n"
    sections = [f"[{name}]\nkey = {_quote(secrets.token_urlsafe(32))}\n" for name in _TOKENS]
    sections += [f"[grpc]\nca = {authority}\n"]
    sections += [f"[grpc.{name}]\n{pair}" for name in _GRPC]
    sections += [f"[https.{name}]\n{pair}ca = {authority}\n" for name in _HTTPS]
    sections += [f"[https.client]\nenabled = true\n{pair}ca = {authority}\n"]
    return "\n".join(sections)


def _quote(text: str) -> str:
    """A string of TOML: JSON's escapes are TOML's too, but for those of characters above U+FFFF, which need none."""
    return json.dumps(text, ensure_ascii=False)
