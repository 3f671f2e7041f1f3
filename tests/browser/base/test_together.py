"""Two people, or a person and an app, at the same item: what merges, what clashes, and every way out of a clash."""

import re

import pytest
from playwright.sync_api import expect

from storage.base import items
from storage.base.updates import parse_patch
from storage.collections import keys
from tests.browser.base.page import BasePage, StoredBase, make_base, open_base
from tests.browser.conftest import Pages
from tests.people import Cast


@pytest.fixture
def base(cast: Cast) -> StoredBase:
    return make_base(
        cast, {"key": "a", "age": 22, "name": "Ada", "note": "x"}, {"key": "b", "age": 1}, {"key": "c", "age": 2}
    )


@pytest.fixture
def mine(base: StoredBase, pages: Pages) -> BasePage:
    """Held still, so that nothing is known of what others do until one saves."""
    view = open_base(pages, base)
    view.page.get_by_role("button", name="Hold still").click()
    return view


@pytest.fixture
def theirs(base: StoredBase, pages: Pages, mine: BasePage) -> BasePage:
    """The owner, who has loaded the same rows."""
    return open_base(pages, base, base.cast.owner)


def clash(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    """Both change the age: theirs is saved, mine meets it."""
    theirs.edit("a", "age", "24")
    theirs.save()
    mine.edit("a", "age", "23")
    mine.edit("a", "name", "Ada L.")
    mine.edit("b", "age", "9")
    mine.press("Control+s")
    expect(mine.page.get_by_role("dialog", name="Somebody else changed this item")).to_be_visible()
    assert base.get("a")["age"] == 24
    assert base.get("a")["name"] == "Ada", "nothing of a row that clashes is saved"
    assert base.get("b")["age"] == 9, "other rows are"


def test_different_attributes_merge_silently(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    theirs.edit("a", "name", "Ada L.")
    theirs.save()
    mine.edit("a", "age", "23")
    mine.save()
    expect(mine.live).to_have_text("Saved 1")
    assert base.get("a") == {"key": "a", "age": 23, "name": "Ada L.", "note": "x"}
    expect(mine.cell("a", "name")).to_have_text("Ada L.")
    expect(mine.page.get_by_text("had other changes too, which were kept")).to_be_visible()


def test_clash_shows_loaded_theirs_and_mine_and_who(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    clash(base, mine, theirs)
    dialog = mine.page.get_by_role("dialog")
    line = dialog.get_by_role("row", name=re.compile("^age"))
    expect(line.get_by_role("cell")).to_have_text(["22", re.compile("24"), re.compile("23")])
    expect(dialog).to_contain_text(f"by {base.cast.owner.username}")
    expect(dialog).to_contain_text("UTC")
    expect(dialog).to_contain_text("Your other edit of this item does not conflict")
    expect(mine.live).to_have_text("Saved 1, 1 failed")
    dialog.get_by_role("button", name="Later").click()
    expect(mine.row("a")).to_have_class(re.compile("is-edited"))
    mine.row("a").get_by_role("button", name=re.compile("Not saved")).click()
    expect(dialog).to_be_visible()


def test_clash_settled_as_mine(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    clash(base, mine, theirs)
    mine.page.get_by_role("dialog").get_by_role("button", name="Save my choice").click()
    expect(mine.live).to_have_text("Saved 1")
    assert base.get("a") == {"key": "a", "age": 23, "name": "Ada L.", "note": "x"}
    assert mine.staged() == {}


@pytest.mark.slow
def test_clash_settled_as_theirs(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    clash(base, mine, theirs)
    dialog = mine.page.get_by_role("dialog")
    dialog.get_by_role("radio", name="Theirs: 24").check()
    dialog.get_by_role("button", name="Save my choice").click()
    expect(mine.live).to_have_text("Saved 1")
    assert base.get("a") == {"key": "a", "age": 24, "name": "Ada L.", "note": "x"}
    expect(mine.cell("a", "age")).to_have_text("24")


@pytest.mark.slow
def test_clash_settled_with_another_value(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    clash(base, mine, theirs)
    dialog = mine.page.get_by_role("dialog")
    dialog.get_by_label("Another value for age, as JSON").fill("12345678901234567890")
    dialog.get_by_role("button", name="Save my choice").click()
    expect(mine.live).to_have_text("Saved 1")
    assert base.get("a")["age"] == 12345678901234567890


@pytest.mark.slow
def test_all_of_theirs_is_taken(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    clash(base, mine, theirs)
    mine.page.get_by_role("dialog").get_by_role("button", name="Use all of theirs").click()
    expect(mine.cell("a", "age")).to_have_text("24")
    mine.save()
    assert base.get("a") == {"key": "a", "age": 24, "name": "Ada L.", "note": "x"}


@pytest.mark.slow
def test_clash_after_a_clash_is_asked_about_again(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    clash(base, mine, theirs)
    theirs.edit("a", "age", "25")
    theirs.save()
    mine.page.get_by_role("dialog").get_by_role("button", name="Save my choice").click()
    expect(mine.page.get_by_role("row", name=re.compile("^age")).get_by_role("cell").nth(1)).to_contain_text("25")
    assert base.get("a")["age"] == 25


@pytest.mark.slow
def test_data_key_changes_the_item_while_it_is_staged(base: StoredBase, mine: BasePage) -> None:
    _, text = keys.create_key(collection_id=base.cast.collection.id, name="web app")
    mine.edit("a", "age", "23")
    patch = parse_patch({"set": {"age": 30}})
    items.update_item(access=keys.read_key(text), base=base.name, key="a", operations=patch)
    mine.press("Control+s")
    dialog = mine.page.get_by_role("dialog", name="Somebody else changed this item")
    expect(dialog).to_contain_text("web app")
    expect(dialog.get_by_role("radio", name="Theirs: 30")).to_be_visible()
    dialog.get_by_role("button", name="Save my choice").click()
    expect(mine.live).to_have_text("Saved 1")
    assert base.get("a")["age"] == 23


def test_item_is_gone_and_added_again_with_the_edits(base: StoredBase, mine: BasePage) -> None:
    mine.edit("a", "age", "23")
    base.delete("a")
    mine.press("Control+s")
    dialog = mine.page.get_by_role("dialog", name="This item no longer exists")
    dialog.get_by_role("button", name="Add it again with my edits").click()
    mine.save()
    assert base.get("a") == {"key": "a", "age": 23, "name": "Ada", "note": "x"}


@pytest.mark.slow
def test_deletion_of_what_somebody_changed_asks_again(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    theirs.edit("a", "age", "24")
    theirs.save()
    mine.select("a")
    mine.delete_button.click()
    mine.page.get_by_role("dialog").get_by_role("button", name="Delete 1 item").click()
    dialog = mine.page.get_by_role("dialog", name="Changed by somebody else")
    expect(dialog).to_contain_text("was not deleted")
    assert base.get("a")["age"] == 24
    dialog.get_by_role("button", name="Delete anyway").click()
    mine.page.get_by_role("dialog").get_by_role("button", name="Delete 1 item").click()
    expect(mine.live).to_have_text("Deleted 1")
    assert base.get("a") is None


@pytest.mark.slow
def test_undo_of_a_save_never_overwrites_what_came_after(base: StoredBase, mine: BasePage, theirs: BasePage) -> None:
    mine.edit("a", "age", "23")
    mine.save()
    theirs.page.get_by_role("button", name="Refresh").click()
    expect(theirs.cell("a", "age")).to_have_text("23")
    theirs.edit("a", "age", "50")
    theirs.save()
    mine.page.get_by_role("button", name="Undo", exact=True).click()
    expect(mine.page.get_by_role("dialog", name="Somebody else changed this item")).to_be_visible()
    assert base.get("a")["age"] == 50
