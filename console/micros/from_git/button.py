"""The button that people put into a README. It is drawn here, reads well on light and on dark, and is the same for everybody."""

from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_cache_control
from django.views.decorators.http import require_safe

_SECONDS = 86_400
# Its own colours: an image in a page of somebody else's has no style sheet, and a README may be light or dark.
SVG = """\
<svg xmlns="http://www.w3.org/2000/svg" width="180" height="36" viewBox="0 0 180 36" role="img" aria-label="Deploy to Homeport">
<title>Deploy to Homeport</title>
<rect x=".5" y=".5" width="179" height="35" rx="8" fill="#2b2140" stroke="#8f7fb0"/>
<g transform="translate(8 6) scale(.75)">
<path d="M16 4 5 13v4h22v-4z" fill="#ef6dad"/>
<g fill="none" stroke-width="2.6" stroke-linecap="round">
<path d="M6 21c3.3 0 3.3 2.2 6.6 2.2s3.3-2.2 6.6-2.2 3.3 2.2 6.6 2.2" stroke="#f6d9e8"/>
<path d="M6 27c3.3 0 3.3 2.2 6.6 2.2s3.3-2.2 6.6-2.2 3.3 2.2 6.6 2.2" stroke="#b79ad6"/>
</g>
</g>
<text x="40" y="23" fill="#ffffff" font-family="system-ui,-apple-system,'Segoe UI','Noto Sans','DejaVu Sans',sans-serif"
 font-size="13.5" font-weight="600" textLength="130" lengthAdjust="spacingAndGlyphs">Deploy to Homeport</text>
</svg>
"""


@login_not_required
@require_safe
def button(request: HttpRequest) -> HttpResponse:
    """The image, for anybody and any page."""
    response = HttpResponse(SVG, content_type="image/svg+xml")
    response["Cross-Origin-Resource-Policy"] = "cross-origin"
    patch_cache_control(response, public=True, max_age=_SECONDS)
    return response
