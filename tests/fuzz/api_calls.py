"""What clients call: the public API, below `/v1/` and a collection's id."""

# Method, path below the collection, and the fields of the query and the body.
API_CALLS = (
    ("PUT", "things/items", (), ("items",)),
    ("POST", "things/items", (), ("item",)),
    ("GET", "things/items/a", (), ()),
    ("DELETE", "things/items/a", (), ()),
    ("PATCH", "things/items/a", (), ("set", "increment", "append", "prepend", "delete")),
    ("POST", "things/query", (), ("query", "limit", "last", "sort", "as_of")),
    ("GET", "things/history", ("key", "limit", "last"), ()),
    ("POST", "files/files", ("name",), ()),
    ("GET", "files/files", ("limit", "prefix", "last", "recursive"), ()),
    ("DELETE", "files/files", (), ("names",)),
    ("GET", "files/files/download", ("name",), ()),
    ("POST", "files/uploads", ("name",), ()),
    ("PATCH", "files/uploads/x", ("name",), ()),
    ("DELETE", "files/uploads/x", ("name",), ()),
    ("POST", "files/uploads/x/parts", ("name", "part"), ()),
)
