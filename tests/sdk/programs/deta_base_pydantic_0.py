"""Typed Bases over pydantic's models."""

from urllib.error import HTTPError

from deta import Deta
from deta_base_pydantic import BaseModelWithKey, DetaBasePydantic


class Person(BaseModelWithKey):
    name: str
    age: int


people = DetaBasePydantic(Person, "people", Deta())
ada = people.put(Person(name="Ada", age=36))
assert len(ada["key"]) == 12
assert people.insert(Person(key="bob", name="Bob", age=7)) == {"key": "bob", "name": "Bob", "age": 7}
try:
    people.insert(Person(key="bob", name="Bob", age=7))
    raise SystemExit("an item was inserted twice")
except HTTPError as error:
    taken = error.code
assert taken == 409
many = people.put_many([Person(name=f"n{n}", age=n) for n in range(25)], expire_in=300)
assert len(many["processed"]["items"]) == 25
assert people.get("bob") == Person(key="bob", name="Bob", age=7)
people.update({"age": people.util.increment(), "name": "Bobby"}, "bob")
assert people.get("bob") == Person(key="bob", name="Bobby", age=8)
found = people.fetch({"age?gte": 36})
assert (found.count, found.last, found.items) == (1, None, [Person(key=ada["key"], name="Ada", age=36)])
page = people.fetch(limit=10)
assert (page.count, page.last) == (10, page.items[-1].key)
people.delete("bob")
assert people.fetch({"name": "Bobby"}).count == 0
