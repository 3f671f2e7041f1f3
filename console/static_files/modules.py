"""Modules made whole: a page's script with all modules in it that it imports.

A file is made for each module that stands directly in `js/pages/`, and for each one that another imports when it is needed,
by `import("...")`. Within a file every module is a function of its own, which gives what the module exports. Nothing runs
twice in a page: what the script of all pages holds, others take from it, and what is loaded when it is needed takes from
its page's script what that holds. Modules of `js/lib/` keep nothing and may be in several files.

The modules are written for this, as `tests/console/test_gathered_modules.py` holds them to: their imports and exports stand
at the beginning of a line, in one of the few forms below, and nothing that is exported is given another value later.
"""

import posixpath
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

LAYOUT = "js/pages/layout.js"
# Their pages are for people who have not signed in and have no script but that one: it holds all that it imports.
ALONE = frozenset({"js/pages/passkeys.js", "js/pages/show_password.js"})

_PAGES, _LIB = "js/pages/", "js/lib/"
# A comment that has its lines for itself. None of ours stands in a text of several lines.
_COMMENT = re.compile(r"^[ \t]*(?://[^\n]*|/\*[^*]*\*+(?:[^/*][^*]*\*+)*/)\n", re.M)
_IMPORT = re.compile(r'^import (?:(?:\{([^}]*)\}|\* as (\w+)) from )?"(\.[^"\n]+)";\n', re.M)
_LAZY = re.compile(r'\bimport\("(\.[^"\n]+)"\)')
_EXPORT = re.compile(r"^export (?=(?:async )?function\*? (\w+)|class (\w+)|const (\w+)|const \{([^}]*)\})", re.M)
_PASSED_ON = re.compile(r'^export \{([^}]*)\} from "(\.[^"\n]+)";\n', re.M)
_RENAMED = re.compile(r"\b(\w+) as (\w+)\b")


@dataclass
class _Module:
    """One module: its text without comments, what it imports at once and when needed, and the names of what it exports."""

    name: str
    text: str
    imports: list[str] = field(default_factory=list)
    lazy: list[str] = field(default_factory=list)
    exports: list[str] = field(default_factory=list)


def find_modules(names: Iterable[str]) -> set[str]:
    """Which of these files of `static/` are modules of the pages."""
    return {name for name in names if name.startswith((_PAGES, _LIB)) and name.endswith(".js")}


def gather(texts: Mapping[str, str]) -> dict[str, str]:
    """The files to be made of the modules among `texts` (name below `static/` -> text), by the names that pages ask for.

    Raises ValueError when a module with a state of its own would be in two files that a page loads.
    """
    gathering = _Gathering(texts)
    return {name: gathering.write(file) for name, file in gathering.files.items()}


def find_held(texts: Mapping[str, str]) -> dict[str, list[str]]:
    """The modules in each of these files, in the order in which they run."""
    return {name: file.held for name, file in _Gathering(texts).files.items()}


def find_imported(texts: Mapping[str, str]) -> list[str]:
    """The names of those files that others import: what the pages' import map has to know."""
    gathering = _Gathering(texts)
    return sorted(gathering.lazy | {name for name, file in gathering.files.items() if file.given})


@dataclass
class _File:
    """What is made of `root`: the modules it holds, those it takes from other files, and those that others take from it."""

    root: str
    held: list[str]
    taken: dict[str, list[str]]
    given: set[str] = field(default_factory=set)


class _Gathering:
    """Which module goes into which file, and the text of each file."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._modules = {name: _read_module(name, texts[name]) for name in sorted(find_modules(texts))}
        self.lazy = {lazy for module in self._modules.values() for lazy in module.lazy}
        of_all_pages = set(self._graph(LAYOUT))
        pages = [name for name in self._modules if _is_of_a_page(name) and name not in of_all_pages - {LAYOUT}]
        self.files = {name: self._plan(name, [] if name == LAYOUT or name in ALONE else [LAYOUT]) for name in pages}
        for name in sorted(self.lazy - self.files.keys()):
            self.files[name] = self._plan(name, [LAYOUT, self._page_of(name, pages)])
        for file in self.files.values():
            for name, taken in file.taken.items():
                self.files[name].given.update(taken)
        for page in pages:
            self._check_states(page)

    def write(self, file: _File) -> str:
        """The text of a file."""
        parts = [
            f'import {{ {", ".join(map(_variable, names))} }} from "{_path_between(file.root, name)}";\n'
            for name, names in file.taken.items()
        ]
        parts += [_write_module(self._modules[name], file.root) for name in file.held]
        if file.given:
            parts.append(f"export {{ {', '.join(map(_variable, sorted(file.given)))} }};\n")
        if file.root in self.lazy and (exports := self._modules[file.root].exports):
            parts.append(f"export const {{ {', '.join(exports)} }} = {_variable(file.root)};\n")
        return "".join(parts)

    def _plan(self, root: str, earlier: list[str]) -> _File:
        """What its file holds, where the modules in the `earlier` files are there already."""
        present = {name: file for file in reversed(earlier) for name in self._graph(file)}
        held = [name for name in self._graph(root) if name not in present]
        taken: dict[str, list[str]] = {}
        imported = {other for name in held for other in self._modules[name].imports}
        for other in sorted(imported - set(held)):
            taken.setdefault(present[other], []).append(other)
        return _File(root, held, taken)

    def _page_of(self, lazy: str, pages: list[str]) -> str:
        """The page whose script imports it when needed."""
        found = [page for page in pages if lazy in self._loaded_later(page)]
        if len(found) != 1:
            raise ValueError(f"{lazy} is imported when needed by {' and '.join(found) or 'no page'}, not by one page")
        return found[0]

    def _check_states(self, page: str) -> None:
        """Of the files that one page loads none may hold a module of pages that another one holds too."""
        held: dict[str, str] = {}
        for file in (self.files[name] for name in [page, *self._loaded_later(page)]):
            for name in file.held:
                if not name.startswith(_LIB) and held.setdefault(name, file.root) != file.root:
                    raise ValueError(f"{name} would be in {held[name]} and in {file.root}")

    def _loaded_later(self, page: str) -> list[str]:
        reached = self._graph(page, with_lazy=True)
        return sorted({lazy for name in reached for lazy in self._modules[name].lazy})

    def _graph(self, root: str, *, with_lazy: bool = False) -> list[str]:
        """The module and all that it imports, each behind what it imports itself."""
        found: dict[str, None] = {}

        def visit(name: str) -> None:
            module = self._modules[name]
            for other in [*module.imports, *(module.lazy if with_lazy else ())]:
                if other not in found:
                    visit(other)
            found[name] = None

        visit(root)
        return list(found)


def _write_module(module: _Module, root: str) -> str:
    """The module as a function within the file of `root`."""

    def take(found: re.Match[str]) -> str:
        names, everything, path = found.groups()
        source = _variable(_resolve(module.name, path))
        if everything:
            return f"const {everything} = {source};\n"
        return f"const {{ {_as_taken_out(names)} }} = {source};\n" if names else ""

    def pass_on(found: re.Match[str]) -> str:
        return f"const {{ {_as_taken_out(found[1])} }} = {_variable(_resolve(module.name, found[2]))};\n"

    def find_later(found: re.Match[str]) -> str:
        return f'import("{_path_between(root, _resolve(module.name, found[1]))}")'

    text = _EXPORT.sub("", _PASSED_ON.sub(pass_on, _IMPORT.sub(take, module.text)))
    text = _LAZY.sub(find_later, text)
    if not module.exports:
        return f"(() => {{\n{text}}})();\n"
    return f"const {_variable(module.name)} = (() => {{\n{text}return {{ {', '.join(module.exports)} }};\n}})();\n"


def _read_module(name: str, text: str) -> _Module:
    text = _COMMENT.sub("", text)
    module = _Module(name, text)
    module.imports = [_resolve(name, found[3]) for found in _IMPORT.finditer(text)]
    module.imports += [_resolve(name, found[2]) for found in _PASSED_ON.finditer(text)]
    module.lazy = [_resolve(name, found[1]) for found in _LAZY.finditer(text)]
    for found in _EXPORT.finditer(text):
        names = next(filter(None, found.groups()))
        module.exports += [each.split(":")[-1].strip() for each in names.split(",") if each.strip()]
    for found in _PASSED_ON.finditer(text):
        module.exports += [each.split(" as ")[-1].strip() for each in found[1].split(",") if each.strip()]
    return module


def _is_of_a_page(name: str) -> bool:
    return posixpath.dirname(name) == _PAGES.rstrip("/")


def _resolve(name: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), path))


def _path_between(name: str, other: str) -> str:
    path = posixpath.relpath(other, posixpath.dirname(name))
    return path if path.startswith(".") else f"./{path}"


def _variable(name: str) -> str:
    """What a module is called in a file: `js/lib/json_text.js` is `lib_json_text`."""
    return name.removeprefix("js/").removesuffix(".js").replace("/", "_")


def _as_taken_out(names: str) -> str:
    """`a, b as c` of an import, as it is taken out of an object."""
    return _RENAMED.sub(r"\1: \2", " ".join(names.split())).rstrip(", ")
