"""A checked predicate as parameterised SQL, and the statement that pages through what matches it.

Operands and attribute names are always bound, never written into the text.
"""

import re
from dataclasses import dataclass
from typing import Any, NamedTuple

from storage import limits, names
from storage.base.query import Condition, Predicate
from storage.base.sql.items import LIVE
from storage.exact_json import dump
from storage.postgres.caller import Access
from storage.postgres.distribution import items_are_distributed
from storage.postgres.sql.access import access
from storage.postgres.statements import Params, Statement

# Equality over all Bases from one index: wrapping the value in its Base's id keeps one Base's hits apart from another's.
_WRAPPED = "jsonb_set('{}'::jsonb, ARRAY[i.base_id::text], i.value)"


class ScannedItem(NamedTuple):
    base_id: int
    allowed: bool
    key: str | None
    value: str
    revision: int
    position: int | None
    matched: bool
    stopped: bool


class LookedUpItem(NamedTuple):
    base_id: int
    allowed: bool
    key: str | None
    value: str
    revision: int
    position: int | None
    matched: bool
    stopped: bool
    hits: int


@dataclass(frozen=True, slots=True)
class Span:
    """The range of a query: the Base's name, the id it had when last seen, the key to continue after, and the direction.

    The id is a value in the statement, which lets Postgres plan well. The statement also returns the current id; when it
    differs, discard the rows.
    """

    caller: Access
    base: str
    base_id: int
    last: str | None
    descending: bool

    @property
    def order(self) -> str:
        return "DESC" if self.descending else "ASC"


def scan_items(
    span: Span, predicate: Predicate, *, limit: int, max_bytes: int, max_rows: int
) -> Statement[ScannedItem]:
    """Look at items in key order until `limit` + 1 match, or `max_bytes` or `max_rows` were looked at.

    Rows: base_id, allowed, key, value as text, revision, its position among the rows scanned (NULL from an index),
    whether it matches, whether it stopped here (the last row of a scan that was cut, which is there even when it does not
    match). One row with a NULL key when there is nothing to tell.
    """
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    bounds = bounds_of(span, predicate, params)
    matches = f"({LIVE} AND ({any_of(predicate, params)})) IS TRUE"
    bytes_cap = f"{params.add(max_bytes)}::bigint"
    # What lies behind the cap is read up to `enough`. Words are not looked for there: that takes longer than to read it.
    inside, outside = f"{matches} AS matched", "i.matched"
    if predicate.words is not None:
        inside, outside = "i.expires_at", f"{matches} AS matched"
    # Postgres cannot stop at a sum, but it can at a count: the size of the first items shows about how many are needed.
    # The limit inside stands in the text: a known one keeps it to the order of the primary key, whatever it guesses. A window
    # copies whole rows, so these have few columns.
    seen = f"""
        SELECT i.key, i.value, i.size_bytes, i.revision, i.nth, {outside},
               i.bytes_before + i.size_bytes >= {bytes_cap} OR i.nth = (SELECT rows FROM enough) AS stopped
        FROM (
            SELECT i.*, row_number() OVER seen AS nth, sum(i.size_bytes) OVER seen - i.size_bytes AS bytes_before
            FROM (
                SELECT i.key, i.value, i.size_bytes, i.revision, {inside} FROM storage_item i WHERE {bounds}
                ORDER BY i.key {span.order} LIMIT {max_rows:d}
            ) i
            WINDOW seen AS (ORDER BY i.key {span.order} ROWS UNBOUNDED PRECEDING)
            ORDER BY i.key {span.order} LIMIT (SELECT rows FROM enough)
        ) i
        WHERE i.bytes_before < {bytes_cap}
    """
    found = f"({seen}) seen WHERE matched OR stopped"
    # All that is looked at fits into an answer: so does what is found, and nobody needs to add it up.
    is_short = max_bytes <= limits.ANSWER_MAX_BYTES
    answer = short_page_of(found, span, limit, params) if is_short else page_of(found, span, limit, params)
    return Statement(
        f"""{head}, enough AS MATERIALIZED (
            SELECT least({max_rows:d}, greatest(100, {bytes_cap} * 1.25 / greatest(avg(size_bytes), 1)))::bigint AS rows
            FROM (SELECT i.size_bytes FROM storage_item i WHERE {bounds} ORDER BY i.key {span.order} LIMIT 20) first
        )
        SELECT access.base_id, access.allowed, answer.* FROM access LEFT JOIN ({answer}) answer ON access.allowed
    """,
        params,
        ScannedItem,
    )


def look_up_items(span: Span, predicate: Predicate, *, limit: int, max_hits: int) -> Statement[LookedUpItem]:
    """Find the matches by the equality index.

    Rows: as in `scan_items`, and last the number of hits. There is one row with a NULL key when nothing matches, or
    when there are more than `max_hits` hits: sorting them all for one page would take longer than a scan.
    """
    params = Params()
    head = access(span.caller, span.base, write=False, params=params)
    bounds = bounds_of(span, predicate, params)
    # OFFSET 0 keeps the two conditions apart: Postgres, which plans without the values (see DATABASES in the settings),
    # would otherwise take a large Base for one of average size and walk through all of it.
    hits = f"""
        SELECT i.key, i.value, i.size_bytes, i.revision FROM (
            SELECT * FROM storage_item i WHERE {indexed_hits(predicate, span.base_id, params)} OFFSET 0
        ) i
        WHERE {bounds} AND {LIVE} LIMIT {params.add(max_hits + 1)}
    """
    matches = f"""(
        SELECT key, value, size_bytes, revision, NULL::bigint AS nth, true AS matched, false AS stopped
        FROM hits i WHERE {any_of(predicate, params)}
    ) m"""
    return Statement(
        f"""{head}, hits AS MATERIALIZED ({hits})
        SELECT access.base_id, access.allowed, answer.*, counted.hits
        FROM access CROSS JOIN (SELECT count(*) AS hits FROM hits) counted
        LEFT JOIN ({page_of(matches, span, limit, params)}) answer
        ON access.allowed AND counted.hits <= {params.add(max_hits)}
    """,
        params,
        LookedUpItem,
    )


def page_of(rows: str, span: Span, limit: int, params: Params) -> str:
    """The first `limit` + 1 of the rows in key order, cut where their matches have grown to a full answer."""
    bytes_cap = f"{params.add(limits.ANSWER_MAX_BYTES)}::bigint"
    return f"""
        SELECT key, value::text, revision, nth, matched, stopped OR answered >= {bytes_cap} AS stopped FROM (
            SELECT *, coalesce(sum(size_bytes) FILTER (WHERE matched) OVER answer, 0) AS answered FROM {rows}
            WINDOW answer AS (ORDER BY key {span.order} ROWS UNBOUNDED PRECEDING)
            ORDER BY key {span.order} LIMIT {params.add(limit + 1)}
        ) answered
        WHERE answered - CASE WHEN matched THEN size_bytes ELSE 0 END < {bytes_cap}
        ORDER BY key {span.order}
    """


def short_page_of(rows: str, span: Span, limit: int, params: Params) -> str:
    """As `page_of`, of rows that are no more than a full answer."""
    return f"""
        SELECT key, value::text, revision, nth, matched, stopped FROM {rows}
        ORDER BY key {span.order} LIMIT {params.add(limit + 1)}
    """


def bounds_of(span: Span, predicate: Predicate, params: Params) -> str:
    """The bounds by key: the Base, the key to continue after, and the key condition."""
    return " AND ".join([f"i.base_id = {params.add(span.base_id)}", *key_bounds(span, predicate, params)])


def key_bounds(span: Span, predicate: Predicate, params: Params) -> list[str]:
    """The key to continue after, and the key condition."""
    bounds = []
    if span.last is not None:
        bounds.append(f"i.key {'<' if span.descending else '>'} {params.add(span.last)}")
    if predicate.key is not None:
        bounds.append(_key_condition(predicate.key, params))
    return bounds


def answered_by_index(predicate: Predicate) -> bool:
    """Whether the equality index finds every match: each ORed group then has a condition it can look up."""
    return bool(predicate.any_of) and all(map(has_equality, predicate.any_of))


def has_equality(group: tuple[Condition, ...]) -> bool:
    """Whether the equality index finds every match of an ORed group."""
    return any(map(_is_indexed, group))


def any_of(predicate: Predicate, params: Params) -> str:
    """Everything but the key condition, as one condition on `i`; NULL counts as no match."""
    if predicate.words is not None:
        return _holds(predicate.words, params)
    groups = (" AND ".join(_condition(condition, params) for condition in group) for group in predicate.any_of)
    return " OR ".join(f"({group})" for group in groups) or "true"


def indexed_hits(predicate: Predicate, base_id: int, params: Params) -> str:
    """The condition for the index: it finds every match, and others that merely contain the value."""
    return " OR ".join(group_hits(group, base_id, params) for group in predicate.any_of)


def group_hits(group: tuple[Condition, ...], base_id: int, params: Params) -> str:
    """Likewise of one ORed group. Where items are distributed, the Base's id leads to the server that has them."""
    wanted = [condition for condition in group if _is_indexed(condition)]
    hit = f"{_WRAPPED} @> {params.add(_wrapped(base_id, wanted))}::jsonb"
    return f"i.base_id = {params.add(base_id)}::bigint AND {hit}" if items_are_distributed() else hit


def _is_indexed(condition: Condition) -> bool:
    """Whether the equality index can look this up: it has an entry for every scalar, and none for what holds no scalar."""
    return condition.operator == "eq" and _has_scalar(condition.operand)


def _has_scalar(value: Any) -> bool:
    if isinstance(value, dict | list):
        return any(map(_has_scalar, value.values() if isinstance(value, dict) else value))
    return True


def _wrapped(base_id: int, conditions: list[Condition]) -> str:
    """The JSON that contains every condition's path and value, as the index expression has it.

    Of `a` and `a.b`, both asked for, one is enough to look up: the conditions themselves decide.
    """
    root: dict[str, Any] = {}
    operands = {id(condition.operand) for condition in conditions}
    for condition in conditions:
        branch = root
        for step in condition.path[:-1]:
            below = branch.setdefault(step, {})
            if not isinstance(below, dict) or id(below) in operands:
                break  # an operand is here, and must not change
            branch = below
        else:
            branch.setdefault(condition.path[-1], condition.operand)
    return dump({str(base_id): root}).decode()


def condition_of(condition: Condition, params: Params) -> str:
    """Any one condition, on the key or on an attribute."""
    return _key_condition(condition, params) if condition.path == ("key",) else _condition(condition, params)


def attribute_of(path: tuple[str, ...], params: Params) -> str:
    """The value at a path, NULL where it is missing."""
    return "(i.value" + "".join(f" -> {params.add(step)}::text" for step in path) + ")"


def _condition(condition: Condition, params: Params) -> str:
    """One condition on an attribute; NULL counts as no match. Comparison never crosses types (contract: Base)."""
    path, operand = condition.path, condition.operand
    match condition.operator:
        case "eq":
            return f"{attribute_of(path, params)} = {_json(operand, params)}"
        case "ne":
            return f"{attribute_of(path, params)} IS DISTINCT FROM {_json(operand, params)}"
        case "contains":
            return _contains(attribute_of(path, params), operand, params)
        case "not_contains":
            return f"({_contains(attribute_of(path, params), operand, params)}) IS NOT TRUE"
        case "pfx":
            return _compared(path, [("starts with", operand)], params)
        case "r":
            low, high = operand
            return _compared(path, [(">=", low), ("<=", high)], params)
        case operator:
            return _compared(path, [(_COMPARISONS[operator], operand)], params)


def _holds(words: str, params: Params) -> str:
    """Whether the key or any value, at any depth, holds the words whole; letters compare without case.

    Most items are ruled out by their text alone: whatever holds the words has them in its JSON as JSON writes them. Case is
    what the database's locale makes of it, for every letter unless that is the plain C locale.
    """
    pattern, exact = f"{params.add(_whole(words))}::text", f"{params.add(words)}::text"
    written = f"{params.add(dump(words).decode()[1:-1])}::text"
    return f"""((i.key COLLATE "default") ~* {pattern} OR (strpos(lower(i.value::text), lower({written})) > 0 AND EXISTS (
        SELECT 1 FROM jsonb_path_query(i.value, 'strict $.**') v WHERE CASE jsonb_typeof(v)
            WHEN 'string' THEN v #>> '{{}}' ~* {pattern}
            WHEN 'object' THEN false WHEN 'array' THEN false
            ELSE lower(v::text) = lower({exact}) END)))"""


def _whole(words: str) -> str:
    """The words as a regular expression that finds them between anything but letters, digits and underscores."""
    return (r"\y" if _is_letter(words[0]) else "") + re.escape(words) + (r"\y" if _is_letter(words[-1]) else "")


def _is_letter(character: str) -> bool:
    return character.isalnum() or character == "_"


_COMPARISONS = {"lt": "<", "gt": ">", "lte": "<=", "gte": ">=", "eq": "="}


def _compared(path: tuple[str, ...], comparisons: list[tuple[str, Any]], params: Params) -> str:
    """All of these hold of the attribute, and it is of their operands' type.

    As a path of JSON it is looked up and compared in one step, numbers whole and strings by bytes: each `->` and `jsonb_typeof`
    on the way would make a value of its own. The path is a value like any other, of strings that are written as JSON writes
    them; `strict`, because it would look into lists otherwise.
    """
    attribute = "$" + "".join(f".{dump(step).decode()}" for step in path)
    holds = " && ".join(f"{attribute} {sign} {dump(operand).decode()}" for sign, operand in comparisons)
    return f"(i.value @@ {params.add(f'strict {holds}')}::jsonpath)"


def _text(attribute: str) -> str:
    """A string attribute as text that compares by bytes; NULL for any other type."""
    return f"(CASE WHEN jsonb_typeof({attribute}) = 'string' THEN {attribute} #>> '{{}}' END COLLATE \"C\")"


def _contains(attribute: str, operand: str, params: Params) -> str:
    wanted = params.add(operand)
    return (
        f"(strpos({_text(attribute)}, {wanted}::text) > 0"
        f" OR (jsonb_typeof({attribute}) = 'array' AND {attribute} ? {wanted}::text))"
    )


def _json(operand: Any, params: Params) -> str:
    return f"{params.add(dump(operand).decode())}::jsonb"


def _key_condition(condition: Condition, params: Params) -> str:
    match condition.operator:
        case "pfx":
            return _starts_with(condition.operand, params)
        case "r":
            low, high = condition.operand
            return f"i.key BETWEEN {params.add(low)} AND {params.add(high)}"
        case operator:
            return f"i.key {_COMPARISONS[operator]} {params.add(condition.operand)}"


def _starts_with(prefix: str, params: Params) -> str:
    """Bounds, which the primary key can look up; `^@` it can only where the value is known when planning."""
    end = names.end_of_prefix(prefix)
    upper = "" if end is None else f" AND i.key < {params.add(end)}"
    return f"i.key >= {params.add(prefix)}{upper} AND i.key ^@ {params.add(prefix)}"
