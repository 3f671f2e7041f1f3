"""`Deta`, which creates Bases and Drives, and the functions `Base` and `Drive` for apps that need just one."""

from __future__ import annotations

from functools import lru_cache
from typing import Optional, Union

from deta import base, drive, mail
from deta.config import DataKey, Options, read_key, service_root
from deta.transport import AsyncClient, SyncClient


class Deta:
    """A data key and its connections, shared by all Bases and Drives created from it.

    `project_key` is a data key of the collection, by default the one in `DETA_PROJECT_KEY`. `timeout` is how many seconds
    a single wait on the network may take; `retries` is how often a request is tried again.
    """

    def __init__(
        self,
        project_key: Optional[str] = None,
        *,
        project_id: Optional[str] = None,
        timeout: float = 30.0,
        retries: int = 4,
    ) -> None:
        self._open(read_key(project_key, project_id), Options(timeout, retries))

    @property
    def project_id(self) -> str:
        return self._key.project_id

    @property
    def project_key(self) -> str:
        """The key itself. Do not log it."""
        return self._key.text

    def Base(self, name: str, host: Optional[str] = None) -> base.Base:  # noqa: N802 (the name that apps call)
        """A Base. Its first item creates it on the server."""
        return base.Base.with_client(name, self._sync, self._root("BASE", name, host))

    def AsyncBase(self, name: str, host: Optional[str] = None) -> base.AsyncBase:  # noqa: N802 (the name that apps call)
        """A Base for `await`."""
        return base.AsyncBase.with_client(name, self._async, self._root("BASE", name, host))

    def Drive(self, name: str, host: Optional[str] = None) -> drive.Drive:  # noqa: N802 (the name that apps call)
        """A Drive. Its first file creates it on the server."""
        return drive.Drive.with_client(name, self._sync, self._root("DRIVE", name, host))

    def AsyncDrive(self, name: str, host: Optional[str] = None) -> drive.AsyncDrive:  # noqa: N802 (as the others)
        """A Drive for `await`."""
        return drive.AsyncDrive.with_client(name, self._async, self._root("DRIVE", name, host))

    def send_email(self, to: Union[str, list[str]], subject: str, message: str, charset: str = "UTF-8") -> None:
        """See `deta.send_email`."""
        mail.send_email(to, subject, message, charset)

    def close(self) -> None:
        """Close the connections of its Bases and Drives; the asynchronous ones have a `close` to await."""
        self._sync.close()

    def __enter__(self) -> Deta:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        # A debugger shows this while the key is still being read.
        return f"<Deta with {vars(self).get('_key', 'no key')!r}>"

    def _open(self, key: DataKey, options: Options) -> None:
        self._key = key
        self._sync = SyncClient(key, options)
        self._async = AsyncClient(key, options)

    def _root(self, service: str, name: str, host: Optional[str]) -> str:
        return service_root(service, name, host=host, project_id=self.project_id)


def Base(name: str, host: Optional[str] = None) -> base.Base:  # noqa: N802 (the name that apps import)
    """A Base with the key in `DETA_PROJECT_KEY`."""
    return _default().Base(name, host)


def AsyncBase(name: str, host: Optional[str] = None) -> base.AsyncBase:  # noqa: N802 (the name that apps import)
    """A Base for `await`, with the key in `DETA_PROJECT_KEY`."""
    return _default().AsyncBase(name, host)


def Drive(name: str, host: Optional[str] = None) -> drive.Drive:  # noqa: N802 (the name that apps import)
    """A Drive with the key in `DETA_PROJECT_KEY`."""
    return _default().Drive(name, host)


def AsyncDrive(name: str, host: Optional[str] = None) -> drive.AsyncDrive:  # noqa: N802 (as the others)
    """A Drive for `await`, with the key in `DETA_PROJECT_KEY`."""
    return _default().AsyncDrive(name, host)


def _default() -> Deta:
    return _deta_of(read_key(None, None).text)


@lru_cache(maxsize=16)
def _deta_of(project_key: str) -> Deta:
    """One for each key, so that a call for a Base costs no new connections."""
    return Deta(project_key)
