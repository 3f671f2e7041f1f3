"""Where a Micro is reached, as seen by the browser that asks."""

from django.http import HttpRequest

from storage import micro_addresses
from storage.models import Micro


def address_of(request: HttpRequest, micro: Micro) -> str:
    """The address of its sub-domain, with the port that the console is reached by."""
    return f"{request.scheme}://{micro_addresses.hostname(micro.subdomain)}{port_of(request)}"


def domain_address(request: HttpRequest, domain: str) -> str:
    """The address of a name of somebody's own: what stands in front of the server chooses the port."""
    return f"{request.scheme}://{domain}{port_of(request)}"


def port_of(request: HttpRequest) -> str:
    """`:8080` when the console is reached by a port that is not the scheme's own."""
    port = request.get_host().rpartition(":")[2]
    return f":{port}" if port.isdigit() else ""
