"""A Base that was deleted and made anew: what a worker remembers of the old one must not answer for the new."""

from storage.models import Base, Item
from tests.factories import make_client
from tests.serving import Server


def test_query_after_a_base_was_made_anew_finds_the_new_items(server: Server) -> None:
    client = make_client(server, "remade")
    for generation in ("first", "second", "third"):
        assert client.put({"key": generation, "kind": "a"}).status_code == 207
        for query in ([], [{"kind": "a"}]):
            for _ in range(8):  # more than there are workers, so that each has it in mind
                answer = client.send("POST", "/query", {"query": query}).json()
                assert [item["key"] for item in answer["items"]] == [generation]
        base = Base.objects.get(collection_id=client.collection_id, name="remade")
        Item.objects.filter(base_id=base.id).delete()
        base.delete()
        assert client.send("POST", "/query", {}).json() == {"paging": {"size": 0}, "items": []}
