"""Addresses of public git repositories, as people paste them: which one is fetched, which branch, which folder of it. Pure."""

import re
from urllib.parse import SplitResult, unquote, urlsplit

from storage import limits
from storage.errors import InvalidInput
from storage.micro_host import GitSource

_HOST = re.compile(r"[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?", re.ASCII)
_PATH = re.compile(r"/[A-Za-z0-9._~%+@/-]+", re.ASCII)
# `git check-ref-format` says what else no branch is called; a branch that is not there is told of anyway.
_BRANCH = re.compile(r"[^\s~^:?*\[\\]+")
_SCP = re.compile(r"[A-Za-z0-9._-]+@([A-Za-z0-9.-]+):(.+)", re.ASCII)
# How pages of well-known hosts say which branch, and which folder, they show: behind the repository's own path.
_TREES = ("/-/tree/", "/tree/", "/src/branch/", "/src/")


def read_address(text: str) -> GitSource:
    """What an address means. `#branch`, `#branch:folder` or `#:folder` may stand behind it, and the addresses of pages that show
    a branch or a folder are understood.

    Raises InvalidInput, which says what to write instead.
    """
    text = text.strip()
    if not text:
        raise InvalidInput("Write the address of a public git repository, such as https://github.com/you/app")
    if len(text) > limits.GIT_ADDRESS_MAX_CHARACTERS:
        raise InvalidInput(f"An address has at most {limits.GIT_ADDRESS_MAX_CHARACTERS} characters")
    if scp := _SCP.fullmatch(text):
        raise InvalidInput(f"Only https and http are understood: write https://{scp[1]}/{scp[2]}")
    parts = _split(text if "://" in text else f"https://{text}")
    named, _, folder = unquote(parts.fragment).partition(":")
    branch = _check_branch(named)
    path = parts.path.rstrip("/")
    for tree in _TREES:
        before, found, behind = path.partition(tree)
        # `owner/src/...` is a repository's name: two steps come before what a page adds.
        if found and before.count("/") >= 2 and not parts.fragment:
            path, (named, _, folder) = before, behind.partition("/")
            branch = _check_branch(unquote(named))
            break
    if _PATH.fullmatch(path) is None or ".." in path.split("/"):
        raise InvalidInput("The address names no repository: write one such as https://github.com/you/app")
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    place = f"{host}:{parts.port}" if parts.port else host
    return GitSource(f"{parts.scheme}://{place}{path}", branch, _check_folder(unquote(folder)))


def name_of(source: GitSource) -> str:
    """What the repository is called: the last step of its address, or of its folder."""
    return (source.folder or source.address).rstrip("/").rsplit("/", 1)[-1].removesuffix(".git")


def shown(source: GitSource) -> str:
    """The address as a person may write it, which `read_address` reads as the same."""
    place = f"{source.branch}:{source.folder}" if source.folder else source.branch
    return f"{source.address}#{place}" if place else source.address


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise InvalidInput("This is no address: write one such as https://github.com/you/app") from None
    if parts.scheme.lower() not in ("http", "https"):
        raise InvalidInput(f"Only https and http are understood, not {parts.scheme[:20]}")
    if parts.username is not None or parts.password is not None:
        raise InvalidInput("Leave the user name and password out: only public repositories are fetched")
    if parts.query:
        raise InvalidInput("Leave out what stands behind the question mark")
    host = (parts.hostname or "").lower()
    if port == 0 or (":" not in host and _HOST.fullmatch(host) is None) or "%" in host:
        raise InvalidInput("The address names no server: write one such as https://github.com/you/app")
    return parts


def _check_branch(name: str) -> str:
    if not name:
        return ""
    is_odd = name.startswith(("-", "/")) or name.endswith(("/", ".lock", ".")) or ".." in name or "@{" in name
    if is_odd or len(name) > limits.GIT_BRANCH_MAX_CHARACTERS or not name.isprintable() or not _BRANCH.fullmatch(name):
        raise InvalidInput(f"“{name[:100]}” can't be a branch")
    return name


def _check_folder(folder: str) -> str:
    folder = folder.strip("/")
    if any(step in ("", ".", "..") for step in folder.split("/")) and folder:
        raise InvalidInput(f"“{folder[:100]}” can't be a folder")
    if not folder.isprintable():
        raise InvalidInput("The folder's name holds invisible characters")
    return folder
