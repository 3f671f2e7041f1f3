"""Thin wheels under the name `deta`, for libraries that ask for the original client: they only bring `homeport-client`.

Their versions carry a label of ours behind the original's. No index may carry such a version, so what is pinned to it can't
be the foreign package of that name; and `deta==1.2.0`, which a library may ask for, is content with it (PEP 440).
"""

import base64
import hashlib
import io
import zipfile
from functools import lru_cache

from console.connect.python_client import Wheel

VERSIONS = ("1.1.0", "1.2.0")
LATEST = VERSIONS[-1]
_LABEL = "+homeport"
# One archive, one hash: the earliest moment that a zip can tell.
_MOMENT = (1980, 1, 1, 0, 0, 0)
_README = """\
This package holds nothing. It stands for the client `deta` 1.x and brings `homeport-client`, which is imported by the same name.
"""


def full_version(version: str) -> str:
    """As pip shows it: 1.2.0+homeport."""
    return version + _LABEL


def file_name(version: str) -> str:
    return f"deta-{full_version(version)}-py3-none-any.whl"


def version_of(name: str) -> str | None:
    """The version whose wheel has this file name."""
    return next((version for version in VERSIONS if file_name(version) == name), None)


@lru_cache(maxsize=64)
def make_wheel(version: str, client_url: str) -> Wheel:
    """The wheel of one of `VERSIONS`; `client_url` is where pip gets `homeport-client`, with its hash.

    The same arguments make the same bytes.
    """
    folder = f"deta-{full_version(version)}.dist-info"
    files = {
        f"{folder}/METADATA": _metadata(version, client_url),
        f"{folder}/WHEEL": "Wheel-Version: 1.0\nGenerator: homeport\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = f"{folder}/RECORD"
    files[record] = "".join(f"{name},{_hash_for_record(text)},{len(text.encode())}\n" for name, text in files.items())
    files[record] += f"{record},,\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, text in files.items():
            entry = zipfile.ZipInfo(name, _MOMENT)
            entry.external_attr = 0o644 << 16
            archive.writestr(entry, text)
    content = packed.getvalue()
    return Wheel(file_name(version), content, hashlib.sha256(content).hexdigest())


def _metadata(version: str, client_url: str) -> str:
    return "\n".join(
        (
            "Metadata-Version: 2.1",
            "Name: deta",
            f"Version: {full_version(version)}",
            "Summary: Stands for the client deta 1.x, and brings homeport-client.",
            "License: MIT",
            "Requires-Python: >=3.9",
            f"Requires-Dist: homeport-client @ {client_url}",
            "Provides-Extra: async",
            'Requires-Dist: aiohttp<4,>=3; extra == "async"',
            "Description-Content-Type: text/markdown",
            "",
            _README,
        )
    )


def _hash_for_record(text: str) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
    return f"sha256={digest.rstrip(b'=').decode()}"
