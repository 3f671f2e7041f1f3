"""Whether an S3 of somebody's own has synced to its disks what it confirms, as far as that can be known.

S3 has no word for it. SeaweedFS confirms first unless its filer is told otherwise, and only the filer's own HTTP API says which
(`HOMEPORT_SEAWEEDFS_FILER_URL`); the bundled one is told so at each start. Of other services nothing is asked.
"""

import json

import urllib3
from django.conf import settings

from storage.findings import Finding
from storage.s3 import blobs

_RULES = "/etc/seaweedfs/filer.conf"
_TURN_ON = "Run `fs.configure -locationPrefix=/buckets/ -fsync -apply` in `weed shell`"
_SECONDS = 0.4
_MAX_BYTES = 1_048_576


def find_problems() -> list[Finding]:
    """What is wrong with how the S3 keeps files, or can't be known. Takes less than a second."""
    if settings.S3_IS_BUNDLED or not _is_seaweedfs():
        return []
    if not settings.SEAWEEDFS_FILER_URL:
        return [
            _unknown("", "set HOMEPORT_SEAWEEDFS_FILER_URL to the filer's HTTP address, so that it can be looked at")
        ]
    try:
        syncs = _syncs_files(_read_rules())
    except (urllib3.exceptions.HTTPError, ValueError):
        return [_unknown(" Its filer does not answer.", "see that HOMEPORT_SEAWEEDFS_FILER_URL is its HTTP address")]
    if syncs:
        return []
    return [
        Finding(
            "s3_fsync_off",
            "bad",
            "SeaweedFS confirms files before they are on its disks: a power cut loses some.",
            f"{_TURN_ON}.",
        )
    ]


def _unknown(why: str, to_do: str) -> Finding:
    title = f"Whether SeaweedFS syncs files to its disks before it confirms them is not known.{why}"
    return Finding("s3_fsync_unknown", "warn", title, f"{_TURN_ON}, and {to_do}.")


def _is_seaweedfs() -> bool:
    return blobs.find_server_name(seconds=_SECONDS).startswith("SeaweedFS")


def _read_rules() -> object:
    """What the filer was told about folders. Raises urllib3's errors and ValueError."""
    answer = urllib3.request(
        "GET",
        settings.SEAWEEDFS_FILER_URL.rstrip("/") + _RULES,
        timeout=urllib3.Timeout(total=_SECONDS),
        retries=False,
        preload_content=False,
    )
    try:
        if answer.status == 404:
            return {}  # it was never told anything
        if answer.status != 200:
            raise ValueError(answer.status)
        return json.loads(answer.read(_MAX_BYTES))
    finally:
        answer.close()


def _syncs_files(rules: object) -> bool:
    """Whether one of the rules has our folder synced; as SeaweedFS does, a longer prefix takes nothing back.

    Raises ValueError.
    """
    folder = f"/buckets/{settings.S3_BUCKET}/{blobs.FOLDER}"
    if not isinstance(rules, dict):
        raise ValueError("no object")
    found = rules.get("locations") or []
    if not isinstance(found, list):
        raise ValueError("no list")
    return any(
        isinstance(each, dict) and each.get("fsync") is True and folder.startswith(str(each.get("locationPrefix")))
        for each in found
    )
