"""Pages are sent compressed; files are sent as stored."""

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PagesOnly(GZipMiddleware):
    """Django's, but for what streams or can be asked for in ranges: compressed, its length and its ranges would be wrong."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if response.streaming or response.has_header("Accept-Ranges"):
            return response
        return super().process_response(request, response)
