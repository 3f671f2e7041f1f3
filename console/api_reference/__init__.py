"""The page that shows what the API is like, out of its description (`console/openapi/`), and lets one try it.

A request is sent by the page's script alone, with a key that the reader types: it is kept nowhere, and no session stands for it.
"""
