"""What an app says of itself in its `deta.json` or Spacefile, for a Micro to begin with. Pure."""

from dataclasses import dataclass

from storage import limits
from storage.errors import InvalidInput
from storage.micros.runtimes import read_runtime
from storage.micros.variable_names import check_form, is_ours
from storage.names import is_text


@dataclass(frozen=True, slots=True)
class Variable:
    """One that the app reads from its environment; `value` is what it has unless somebody says otherwise."""

    name: str
    description: str = ""
    value: str = ""
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Manifest:
    """What was declared; empty where nothing was.

    `source` is the file that says so, `runtime` a name that `read_runtime` knows, `cron` an expression in one of the original's
    two forms. Of a Spacefile, `part` is the Micro in it that counts, `folder` where its code lies in the bundle (`a/b`, without
    slashes around it), and `other_parts` are those that could be deployed in its place.
    """

    source: str = ""
    name: str = ""
    description: str = ""
    runtime: str = ""
    variables: tuple[Variable, ...] = ()
    cron: str = ""
    part: str = ""
    folder: str = ""
    other_parts: tuple[str, ...] = ()

    def missing(self, values: dict[str, str]) -> list[str]:
        """The names of required variables that have no value among these."""
        return [each.name for each in self.variables if each.is_required and not values.get(each.name)]


class Checked:
    """Collects what is wrong with a file, a sentence each, while its parts are read."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.faults: list[str] = []

    def complain(self, sentence: str) -> None:
        self.faults.append(f"{self.source}: {sentence}")

    def text(self, value: object, what: str, *, most: int) -> str:
        """A text on one line; empty when it is missing or wrong."""
        if value is None:
            return ""
        if not isinstance(value, str):
            self.complain(f"{what} is not a text")
            return ""
        value = " ".join(value.split())
        if not value.isprintable():
            self.complain(f"{what} holds invisible characters")
            return ""
        if len(value) > most:
            self.complain(f"{what} has more than {most:,} characters")
            return ""
        return value

    def description(self, value: object, what: str) -> str:
        """A text for people, who get its beginning when it is long."""
        if value is None or isinstance(value, str):
            kept = " ".join((value or "").split())[: limits.MICRO_TEXT_MAX_CHARACTERS]
            return "".join(each if each.isprintable() else " " for each in kept)
        self.complain(f"{what} is not a text")
        return ""

    def runtime(self, value: object, what: str) -> str:
        """The name of a runtime; empty when it is missing or wrong."""
        found = self.text(value, what, most=100)
        try:
            return str(read_runtime(found)) if found else ""
        except InvalidInput as error:
            self.complain(f"{what}: {error.messages[0]}")
            return ""

    def boolean(self, value: object, what: str) -> bool:
        """True or false; false when it is missing or wrong."""
        if value in (True, "true"):
            return True
        if value not in (None, False, "false", ""):
            self.complain(f"{what} is neither true nor false")
        return False

    def variable(
        self, name: object, place: str, *, description: object, value: str, is_required: bool
    ) -> Variable | None:
        """One variable; None for what is no variable, and for what the server sets itself."""
        if not isinstance(name, str) or not name.strip():
            self.complain(f"{place} has no name")
            return None
        name = name.strip()
        try:
            check_form(name)
        except InvalidInput as error:
            self.complain(error.messages[0])
            return None
        if not is_text(value):
            self.complain(f"the value of {name} holds a character that no environment can")
            return None
        if is_ours(name):
            return None
        told = self.description(description, f"the description of {name}")
        return Variable(name, told, value, is_required)

    def variables(self, found: list[Variable | None]) -> tuple[Variable, ...]:
        """All of them together, each name once."""
        kept: dict[str, Variable] = {}
        for each in found:
            if each is None:
                continue
            if each.name in kept:
                self.complain(f"it names {each.name} twice")
            kept[each.name] = each
        if len(kept) > limits.MICRO_VARIABLES_MAX:
            self.complain(f"it names more than {limits.MICRO_VARIABLES_MAX} variables")
        return tuple(kept.values())[: limits.MICRO_VARIABLES_MAX]
