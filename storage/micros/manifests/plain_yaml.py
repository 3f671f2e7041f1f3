"""YAML as texts, lists and mappings alone: no aliases, no tags, no types, no depth without an end.

What is left out is what makes YAML dangerous: an alias lets a few lines stand for a billion, a tag names a type to be made, and
a bare `no` or `012` becomes something else than what was written.
"""

from typing import Any

import yaml
from yaml.events import AliasEvent
from yaml.nodes import Node

from storage.errors import InvalidInput

_DEPTH_MAX = 20


class _Loader(yaml.BaseLoader):
    """PyYAML's, of which every scalar is a text, made to refuse the rest."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        if self.check_event(AliasEvent):
            raise yaml.MarkedYAMLError(problem="aliases are not taken", problem_mark=self.peek_event().start_mark)
        self._depth += 1
        if self._depth > _DEPTH_MAX:
            raise yaml.MarkedYAMLError(problem="it nests too deep", problem_mark=self.peek_event().start_mark)
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node


def load(content: bytes) -> Any:
    """One document; None when it is empty. The caller bounds its size. Raises InvalidInput, with the line."""
    try:
        return yaml.load(content.decode("utf-8-sig"), _Loader)  # noqa: S506 (texts alone)
    except UnicodeDecodeError:
        raise InvalidInput("it is not in UTF-8") from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        where = f"line {mark.line + 1}: " if mark else ""
        raise InvalidInput(f"it is no YAML that can be read: {where}{(error.problem or '')[:200]}") from None
    except (yaml.YAMLError, ValueError):
        raise InvalidInput("it is no YAML that can be read") from None
