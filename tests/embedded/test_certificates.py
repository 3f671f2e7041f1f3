"""The server's certificate: issued once, again when it lacks a name or grows old, always by the same authority."""

import os
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from storage.embedded import certificates, durable, homes, state


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


@pytest.mark.parametrize("name", ["server.pem", "server.key"])
@pytest.mark.parametrize("content", [b"", b"-----BEGIN CERTIFICATE-----\n", b"\xff\x00", None])
def test_a_damaged_certificate_of_ours_is_named_and_made_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: bytes | None
) -> None:
    made = certificates.ensure(tmp_path, [])
    authority = made.authority.read_bytes()
    path = tmp_path / "tls" / name
    path.unlink() if content is None else path.write_bytes(content)
    certificates.ensure(tmp_path, [])
    assert f"{path} is damaged or missing" in caplog.text
    leaf = x509.load_pem_x509_certificate(made.certificate.read_bytes())
    leaf.verify_directly_issued_by(x509.load_pem_x509_certificate(authority))
    key = load_pem_private_key(made.key.read_bytes(), password=None)
    assert key.public_key() == leaf.public_key()
    assert made.authority.read_bytes() == authority


@pytest.mark.parametrize("content", [b"", b"-----BEGIN EC PRIVATE KEY-----\n", None, "another"])
def test_a_damaged_key_of_the_authority_is_needed_only_to_issue(tmp_path: Path, content: bytes | str | None) -> None:
    certificates.ensure(tmp_path / "other", [])
    made = certificates.ensure(tmp_path, [])
    authority, key = made.authority.read_bytes(), tmp_path / "tls" / "ca.key"
    if content == "another":
        content = (tmp_path / "other" / "tls" / "ca.key").read_bytes()
    key.unlink() if content is None else key.write_bytes(content)  # type: ignore[arg-type]
    certificates.ensure(tmp_path, [])
    with pytest.raises(certificates.CertificateError, match=r"ca\.key is damaged or missing"):
        certificates.ensure(tmp_path, ["new.example"])
    assert made.authority.read_bytes() == authority


@pytest.mark.parametrize("content", [b"", b"\xff", None])
def test_a_damaged_authority_is_never_replaced(tmp_path: Path, content: bytes | None) -> None:
    made = certificates.ensure(tmp_path, [])
    made.authority.unlink() if content is None else made.authority.write_bytes(content)
    with pytest.raises(certificates.CertificateError, match=r"ca\.pem is damaged or missing"):
        certificates.ensure(tmp_path, [])
    assert content is None or made.authority.read_bytes() == content


def test_what_matters_is_on_the_disk_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace
    monkeypatch.setattr(os, "fsync", lambda file: (done.append("sync"), fsync(file))[1])
    monkeypatch.setattr(Path, "replace", lambda path, to: (done.append(f"name {to.name}"), replace(path, to))[1])
    certificates.ensure(tmp_path, [])
    made = state.ensure(tmp_path)
    (tmp_path / "engines").mkdir()
    homes.write_identity(tmp_path, tmp_path / "engines", instance_id=made.instance_id)
    for name in ("ca.key", "ca.pem", "server.key", "server.pem", "homeport.json", "identity.json"):
        at = done.index(f"name {name}")
        assert (done[at - 1], done[at + 1]) == ("sync", "sync"), name


def test_a_write_that_fails_leaves_the_file_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    durable.write(path, b"before")

    def fail(file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space left"):
        durable.write(path, b"after")
    assert path.read_bytes() == b"before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]
