"""What people are told of a PDF that is not shown. `pdfs.py` decides it."""

ACTS = "This PDF contains scripts or actions, so it is not shown here. Download it to read it."
UNREADABLE = (
    "This PDF is damaged, encrypted or unusual and could not be checked for scripts, so it is not shown here. "
    "Download it to read it."
)
TOO_MUCH = "This PDF is too large to be checked for scripts, so it is not shown here. Download it to read it."
