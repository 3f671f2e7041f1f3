"""SeaweedFS's certificate and `security.toml`: made once and kept, made anew when it must be, this user's alone."""

import json
import os
import ssl
import stat
import tomllib
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography import x509
from django.conf import settings

from storage.embedded import accounts, paths, ports, process, seaweedfs, seaweedfs_security, state
from storage.embedded.state import EngineTls, engine_tls
from tests.serving import Server, child_of_serve
from tests.waiting import eventually


def written(home: Path) -> tuple[EngineTls, dict[str, bytes]]:
    """The files of a certificate that is good, and what is in them."""
    seaweedfs_security.write(home, None)
    files = engine_tls(home)
    context = ssl.create_default_context(cafile=files.authority)
    context.load_cert_chain(files.certificate, files.key)
    leaf = x509.load_pem_x509_certificate(files.certificate.read_bytes())
    assert leaf.not_valid_after_utc - datetime.now(UTC) > timedelta(days=1825)
    return files, {path.name: path.read_bytes() for path in files.folder.iterdir()}


def test_it_is_kept_and_tokens_are_new_at_each_start(tmp_path: Path) -> None:
    _, first = written(tmp_path)
    _, second = written(tmp_path)
    tokens, others = first.pop("security.toml"), second.pop("security.toml")
    assert first == second
    keys = {tomllib.loads(text.decode())["jwt"]["signing"]["key"] for text in (tokens, others)}
    assert len(keys) == 2
    assert min(map(len, keys)) > 40


def test_nobody_else_can_read_it(tmp_path: Path) -> None:
    previous = os.umask(0)
    try:
        files, _ = written(tmp_path)
    finally:
        os.umask(previous)
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in files.folder.iterdir()} == {0o600}


def test_two_installations_do_not_know_each_other(tmp_path: Path) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "other").mkdir()
    one, other = (x509.load_pem_x509_certificate(written(tmp_path / name)[1]["ca.pem"]) for name in ("one", "other"))
    assert one.public_key() != other.public_key()


@pytest.mark.parametrize("name", ["ca.pem", "seaweedfs.pem", "seaweedfs.key"])
@pytest.mark.parametrize("content", ["", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", None])
def test_what_is_damaged_or_gone_is_made_anew_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, content: str | None
) -> None:
    files, before = written(tmp_path)
    (files.folder / name).unlink()
    if content is not None:
        (files.folder / name).write_text(content)
    _, after = written(tmp_path)
    assert all(after[part] != before[part] for part in after)
    if name != "ca.pem" or content is not None:
        assert "SeaweedFS gets a new certificate" in caplog.text


def test_another_ones_key_is_found_out(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    _, others = written(tmp_path / "other")
    files, _ = written(tmp_path)
    files.key.write_bytes(others["seaweedfs.key"])
    written(tmp_path)
    assert files.key.read_bytes() != others["seaweedfs.key"]


def test_one_that_ends_soon_is_made_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(seaweedfs_security, "_VALID", timedelta(days=1800))
        seaweedfs_security.write(tmp_path, None)
        old = engine_tls(tmp_path).certificate.read_bytes()
    assert written(tmp_path)[1]["seaweedfs.pem"] != old


def test_a_folder_with_odd_characters_is_named_right(tmp_path: Path) -> None:
    home = tmp_path / 'a "quoted" \\ é 🎈'
    home.mkdir()
    files, found = written(home)
    said = tomllib.loads(found["security.toml"].decode())
    assert said["grpc"]["ca"] == str(files.authority)
    assert said["https"]["volume"]["key"] == str(files.key)


def open_s3(kept: state.SeaweedFS, tls: EngineTls | None) -> Any:
    shown = {"client_cert": (str(tls.certificate), str(tls.key))} if tls else {}
    return boto3.session.Session().client(
        "s3",
        endpoint_url=kept.endpoint_url if tls else kept.endpoint_url.replace("https", "http"),
        region_name="us-east-1",
        aws_access_key_id=kept.access_key,
        aws_secret_access_key=kept.secret_key,
        verify=str(tls.authority) if tls else None,
        config=Config(
            s3={"addressing_style": "path"},
            retries={"total_max_attempts": 1},
            request_checksum_calculation="when_required",
            **shown,
        ),
    )


def succeeds(work: Callable[[], object]) -> bool:
    try:
        work()
    except (BotoCoreError, ClientError):
        return False
    return True


@pytest.mark.slow
def test_what_an_unprotected_seaweedfs_stored_is_there(data_folder: Path) -> None:
    """As version 0.1.0 ran it: no certificates, and S3 in plain text."""
    kept = state.ensure(data_folder)
    account, home = accounts.engine_account(settings.ENGINE_USER), kept.home(data_folder)
    paths.prepare_home(data_folder, home, account)
    options: dict[str, Any] = {"binaries": paths.binaries(account), "account": account}
    new = seaweedfs.child(home, kept.s3, marks={}, **options)
    secured = ("-config_dir=", "-s3.cert", "-s3.key", "-s3.cacert", "-s3.tls", "-s3.localSocket", "-filer.localSocket")
    old = process.Child(
        name="SeaweedFS as it was",
        command=[part for part in new.command if not part.startswith(secured)],
        environment=new.environment,
        folder=home,
        account=account,
        prepare=new.prepare,
    )
    try:
        old.start()
        plain = open_s3(kept.s3, None)
        eventually(lambda: succeeds(lambda: plain.put_object(Bucket=kept.s3.bucket, Key="old", Body=b"kept")))
        old.stop()
        new.start()
        closed = open_s3(kept.s3, engine_tls(home))
        eventually(lambda: succeeds(lambda: closed.head_object(Bucket=kept.s3.bucket, Key="old")))
        assert closed.get_object(Bucket=kept.s3.bucket, Key="old")["Body"].read() == b"kept"
        assert not succeeds(lambda: plain.head_object(Bucket=kept.s3.bucket, Key="old"))
        seaweedfs.make_durable(home, kept.s3, **options)
    finally:
        old.stop()
        new.stop()


def test_writes_are_synced_before_they_are_acknowledged(server: Server) -> None:
    kept = state.load(server.data)
    assert kept
    account = accounts.engine_account(settings.ENGINE_USER)
    options: dict[str, Any] = {"binaries": paths.binaries(account), "account": account}

    def places() -> Any:
        said = seaweedfs.run_shell(kept.home(server.data), kept.s3, "fs.configure\n", **options)
        return json.loads(said[said.index("{") : said.rindex("}") + 1])["locations"]

    # It is said once the server answers, and kept.
    (place,) = eventually(places)
    assert (place["locationPrefix"], place["fsync"]) == ("/buckets/", True)


def test_its_sockets_are_its_users_alone(server: Server) -> None:
    weed = child_of_serve(server, " mini ")
    made = {str(each.laddr) for each in weed.net_connections(kind="unix") if each.laddr}
    in_shared = {path for path in made if Path(path).parent == ports.SHARED_SOCKETS}
    assert len(in_shared) == 5
    assert {stat.S_IMODE(Path(path).stat().st_mode) for path in in_shared} == {0o700}
