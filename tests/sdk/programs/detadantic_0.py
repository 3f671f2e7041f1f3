"""Active records: `db.put(model.dict())`, with a null key for each new one.

`update_all` mixes its arguments up, wherever it asks.
"""

from detadantic import DetaModel, DetaTimestampModel


class User(DetaModel, db_name="users"):
    name: str
    age: int | None = None


class Note(DetaTimestampModel):
    text: str


ada = User(name="Ada", age=36)
saved = ada.save()
assert saved.key == ada.key
assert len(ada.key) == 12
User.create({"key": "bob", "name": "Bob", "age": 7})
User.create({"name": "Cy"}, expire_in=300)
assert User.get(ada.key).name == "Ada"
assert User.get("nobody") is None
assert User.count() == 3
assert [user.name for user in User.fetch({"age?gt": 10})] == ["Ada"]
assert User.first({"name": "Bob"}).key == "bob"
User.update("bob", {"age": 8})
assert User.get("bob").age == 8
ada.name = "Ada L."
ada.save()
ada.refresh()
assert User.get(ada.key).name == ada.name == "Ada L."
note = Note(text="x")
note.save()
assert Note.get(note.key).updated_at
ada.delete()
assert User.get(ada.key) is None
User.truncate()
assert User.count() == 0
