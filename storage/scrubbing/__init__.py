"""Bytes that lie still are read again, slowly: what is damaged or gone is found before somebody wants it, named and healed.

`scrubber.py` says when which blob is read, `checking.py` what is wrong with one, `healing.py` where good bytes come from, and
`problems.py` what people are told.
"""
