"""QR codes as SVG that stands in the page, coloured by its stylesheet."""

from django.utils.safestring import SafeString, mark_safe


def draw(text: str) -> SafeString:
    """The `<svg>` element of a QR code of this text."""
    import qrcode  # with its parts it takes a megabyte of each process

    code = qrcode.QRCode(border=4, error_correction=qrcode.constants.ERROR_CORRECT_L)
    code.add_data(text)
    rows = code.get_matrix()
    path = "".join(f"M{x} {y}h1v1h-1z" for y, row in enumerate(rows) for x, is_dark in enumerate(row) if is_dark)
    size = len(rows)
    return mark_safe(  # noqa: S308 (numbers alone)
        f'<svg class="qr-code" viewBox="0 0 {size} {size}" role="img" aria-label="QR code of the secret">'
        f'<path d="{path}"/></svg>'
    )
