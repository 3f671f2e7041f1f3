"""The server's certificate: issued once, again when it lacks a name or grows old, always by the same authority."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import trustme
from cryptography import x509

from storage.embedded import certificates


def names_in(path: Path) -> set[str]:
    leaf = x509.load_pem_x509_certificate(path.read_bytes())
    alternatives = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    addresses = alternatives.get_values_for_type(x509.IPAddress)
    return {*alternatives.get_values_for_type(x509.DNSName), *(str(address) for address in addresses)}


def test_ensure_names_this_machine_and_what_was_asked(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, ["box.example", "192.0.2.7"])
    assert {"localhost", "127.0.0.1", "::1", "box.example", "192.0.2.7"} <= names_in(made.certificate)


def test_ensure_keeps_a_good_certificate(tmp_path: Path) -> None:
    before = certificates.ensure(tmp_path, ["box.example"]).certificate.read_bytes()
    assert certificates.ensure(tmp_path, []).certificate.read_bytes() == before


def test_ensure_issues_anew_for_a_new_name_by_the_same_authority(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, [])
    authority, leaf = made.authority.read_bytes(), made.certificate.read_bytes()
    certificates.ensure(tmp_path, ["box.example"])
    assert made.authority.read_bytes() == authority
    assert made.certificate.read_bytes() != leaf


def test_ensure_replaces_a_certificate_that_ends_soon(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path, [])
    authority = trustme.CA.from_pem(made.authority.read_bytes(), (tmp_path / "tls" / "ca.key").read_bytes())
    names = sorted(names_in(made.certificate))
    soon = authority.issue_cert(*names, not_after=datetime.now(UTC) + timedelta(days=20))
    soon.cert_chain_pems[0].write_to_path(str(made.certificate))
    certificates.ensure(tmp_path, [])
    leaf = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    assert leaf.not_valid_after_utc - datetime.now(UTC) > timedelta(days=700)


def test_ensure_replaces_a_certificate_whose_key_is_another(tmp_path: Path) -> None:
    made = certificates.ensure(tmp_path / "one", [])
    other = certificates.ensure(tmp_path / "other", [])
    made.key.write_bytes(other.key.read_bytes())
    before = made.certificate.read_bytes()
    certificates.ensure(tmp_path / "one", [])
    assert made.certificate.read_bytes() != before


def test_ensure_keeps_the_keys_to_the_owner(tmp_path: Path) -> None:
    certificates.ensure(tmp_path, [])
    for name in ("ca.key", "server.key"):
        assert stat.S_IMODE((tmp_path / "tls" / name).stat().st_mode) == 0o600
