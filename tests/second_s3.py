"""Another S3 beside the bundled one, from the package index, so that nothing leans on one engine's habits."""

import contextlib
import os
import shutil
import subprocess
import sysconfig
from collections.abc import Iterator
from pathlib import Path

import urllib3

from storage.embedded import ports
from tests.waiting import MOMENT_SECONDS, eventually

ACCESS_KEY, SECRET_KEY, BUCKET = "second", "second-secret", "homeport"


@contextlib.contextmanager
def serve_second_s3(folder: Path) -> Iterator[dict[str, str]]:
    """rclone's S3 over this folder, with a bucket; the settings that point Homeport to it."""
    port = ports.free_ports(1)[0]
    program = shutil.which("rclone", path=os.pathsep.join([sysconfig.get_path("scripts"), os.environ["PATH"]]))
    assert program, "rclone is not installed: it comes with the test dependencies"
    command = [program, "serve", "s3", str(folder), f"--addr=127.0.0.1:{port}", f"--auth-key={ACCESS_KEY},{SECRET_KEY}"]
    (folder / BUCKET).mkdir(parents=True)
    environment = os.environ | {"RCLONE_CONFIG": str(folder.with_name("rclone.conf"))}
    with subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            settings = {
                "S3_ENDPOINT_URL": f"http://127.0.0.1:{port}",
                "S3_BUCKET": BUCKET,
                "S3_ACCESS_KEY_ID": ACCESS_KEY,
                "S3_SECRET_ACCESS_KEY": SECRET_KEY,
                "S3_REGION": "us-east-1",
            }
            _wait(settings["S3_ENDPOINT_URL"])
            yield settings
        finally:
            process.kill()


def _wait(url: str) -> None:
    def answers() -> bool:
        try:
            return urllib3.request("GET", url, retries=False, timeout=MOMENT_SECONDS).status > 0
        except urllib3.exceptions.HTTPError:
            return False

    eventually(answers, what="rclone's S3 does not answer")
