"""The successor's first Python client. It has a fixed host, which a proxy of the environment stands in for."""

import os

from contiguity_base import connect

key = os.environ["DETA_PROJECT_KEY"]
base = connect(key, key.split("_")[0]).Base("first")

stored = base.put({"n": 1, "words": ["x"], "line": ["y"], "gone": 1}, "a")
assert stored["processed"]["items"] == [{"key": "a", "n": 1, "words": ["x"], "line": ["y"], "gone": 1}]
assert len(base.put({"n": 2})["processed"]["items"][0]["key"]) == 12
assert base.insert({"n": 3}, "b") == {"key": "b", "n": 3}
assert base.insert({"n": 4}, "b") is None
assert base.get("b") == {"key": "b", "n": 3}
assert base.get("nobody") is None

changed = base.update(
    {
        "n": base.util.increment(-1),
        "words": base.util.append("awesome"),
        "line": base.util.prepend("Alice"),
        "gone": {"__op": "delete"},
        "level": 9001,
    },
    "a",
    options={"expireIn": 300},
)
assert changed.pop("__expires") > 0
assert changed == {"key": "a", "n": 0, "words": ["x", "awesome"], "line": ["Alice", "y"], "level": 9001}
assert base.update({"n": 1}, "nobody") is None

base.put_many([{"key": f"k{n}", "n": n, "many": True} for n in range(5)])
assert base.fetch({"many": True}, limit=2) == {
    "items": [{"key": "k0", "n": 0, "many": True}, {"key": "k1", "n": 1, "many": True}],
    "last": "k1",
    "count": 2,
}
assert [item["n"] for item in base.fetch({"many": True}, last="k1")["items"]] == [2, 3, 4]
everything = base.fetch()
assert (everything["count"], everything["last"]) == (8, None)
first = base.fetch(limit=3)
assert base.fetch(last=first["last"])["count"] == 5
assert base.delete("a") == {"key": "a"}
assert base.get("a") is None
