"""Which host runs this server's Micros."""

from storage.micros.host import MicroHost


def the_host() -> MicroHost:
    """What runs Micros here, as every process of the server reaches it."""
    from storage.embedded.micros.client import EmbeddedHost

    return EmbeddedHost()
