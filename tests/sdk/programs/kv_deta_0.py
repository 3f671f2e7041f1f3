"""A dictionary in a Base. `query`, `keys` and `read` ask a property of the class and fail before they ask any server."""

from kv_deta import KVModel


class Settings(KVModel):
    pass


settings = Settings()
assert settings.get("missing", "default") == "default"
assert settings.incr("visits") == 1
assert settings.incr("visits", 5) == 6
assert settings.decr("visits") == 5
settings["colour"] = "blue"
settings["count"] = 3
settings.save()

again = Settings()
assert again.get("colour") == "blue"
assert again.get("visits") == 5
again.delete("colour")
assert Settings().get("colour") is None
assert Settings().incr2("count", 4) == 7
