"""Addresses of repositories as people paste them, and what is said to those that are none."""

import pytest

from storage.errors import InvalidInput
from storage.git_sources.addresses import name_of, read_address, shown
from storage.micro_host import GitSource


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://github.com/you/app", GitSource("https://github.com/you/app")),
        ("  https://github.com/you/app.git/ ", GitSource("https://github.com/you/app.git")),
        ("github.com/you/app", GitSource("https://github.com/you/app")),
        ("HTTP://Example.ORG:8080/~ada/app.git", GitSource("http://example.org:8080/~ada/app.git")),
        ("https://github.com/you/app#some/branch", GitSource("https://github.com/you/app", "some/branch")),
        ("https://github.com/you/app#v1.2:sub/folder/", GitSource("https://github.com/you/app", "v1.2", "sub/folder")),
        ("https://github.com/you/app#:sub", GitSource("https://github.com/you/app", "", "sub")),
        ("https://github.com/you/app/tree/main", GitSource("https://github.com/you/app", "main")),
        ("https://github.com/you/app/tree/main/a/b%20c", GitSource("https://github.com/you/app", "main", "a/b c")),
        ("https://github.com/you/tree", GitSource("https://github.com/you/tree")),
        ("https://gitlab.com/group/sub/app/-/tree/dev/x", GitSource("https://gitlab.com/group/sub/app", "dev", "x")),
        ("https://bitbucket.org/you/app/src/main/", GitSource("https://bitbucket.org/you/app", "main")),
        ("https://codeberg.org/you/app/src/branch/main/x", GitSource("https://codeberg.org/you/app", "main", "x")),
        ("https://[2001:db8::1]:8443/app.git", GitSource("https://[2001:db8::1]:8443/app.git")),
    ],
)
def test_what_people_paste_is_understood(text: str, expected: GitSource) -> None:
    assert read_address(text) == expected
    assert read_address(shown(expected)) == expected


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "Write the address of a public git repository"),
        ("x" * 501, "An address has at most 500 characters"),
        ("git@github.com:you/app.git", "Only https and http are understood: write https://github.com/you/app.git"),
        ("ssh://git@github.com/you/app", "Only https and http are understood, not ssh"),
        ("file:///etc/passwd", "Only https and http are understood, not file"),
        ("ext::sh -c id", "This is no address"),
        ("https://you:secret@github.com/you/app", "Leave the user name and password out"),
        ("https://token@github.com/you/app", "Leave the user name and password out"),
        ("https://github.com/you/app?x=1", "Leave out what stands behind the question mark"),
        ("https://github.com", "The address names no repository"),
        ("https://github.com/", "The address names no repository"),
        ("https:///you/app", "The address names no server"),
        ("https://-x/you/app", "The address names no server"),
        ("https://github.com:0/you/app", "The address names no server"),
        ("https://github.com:99999/you/app", "This is no address"),
        ("https://github.com/you/../app", "The address names no repository"),
        ("https://github.com/you/app\n--upload-pack=x", "The address names no repository"),
        ("https://github.com/you/a pp", "The address names no repository"),
        ("https://github.com/you/app#-x", "“-x” can't be a branch"),
        ("https://github.com/you/app#a..b", "“a..b” can't be a branch"),
        ("https://github.com/you/app#a%00b", "can't be a branch"),
        ("https://github.com/you/app#a%20b", "“a b” can't be a branch"),
        ("https://github.com/you/app#main:../x", "“../x” can't be a folder"),
        ("https://github.com/you/app/tree/main/..%2fx", "“../x” can't be a folder"),
        ("https://github.com/you/app#main:a%0ab", "The folder's name holds invisible characters"),
    ],
)
def test_what_is_no_address_says_what_to_write(text: str, sentence: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read_address(text)
    assert sentence in refused.value.messages[0]


@pytest.mark.parametrize(
    ("source", "name"),
    [
        (GitSource("https://github.com/you/app.git"), "app"),
        (GitSource("https://github.com/you/app", "main", "a/back"), "back"),
    ],
)
def test_a_repository_has_a_name(source: GitSource, name: str) -> None:
    assert name_of(source) == name
