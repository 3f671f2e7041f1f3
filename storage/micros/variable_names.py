"""Which names a Micro's variables may have, and which are the server's to set. Pure."""

import re

from storage import limits
from storage.errors import InvalidInput

_NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{limits.MICRO_VARIABLE_NAME_MAX_CHARACTERS - 1}}}", re.ASCII)
# What we set, or what would keep our own programs from starting the app.
_OURS = frozenset(
    """
    deta_base_host deta_drive_host deta_path deta_project_id deta_project_key deta_runtime home http_proxy https_proxy
    ld_library_path ld_preload no_proxy node_extra_ca_certs node_options node_use_env_proxy path pythonhome pythonpath
    pythonsafepath requests_ca_bundle ssl_cert_dir ssl_cert_file
    """.split()  # noqa: SIM905 (a list of words is read sooner)
)


def check_form(name: str) -> None:
    """Raises InvalidInput for what no variable can be called."""
    if _NAME.fullmatch(name) is None:
        raise InvalidInput(
            f"“{name[:100]}” is no name for a variable: it has 1 to {limits.MICRO_VARIABLE_NAME_MAX_CHARACTERS} letters (A-Z), "
            "digits or `_`, and does not begin with a digit"
        )


def is_ours(name: str) -> bool:
    """Whether the server sets it, so that nobody else can."""
    return name.lower() in _OURS or name.lower().startswith("homeport_")
