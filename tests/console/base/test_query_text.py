"""What the bar makes of what is typed or pasted into it, and every message it has. Pure."""

import pytest

from console.base.query_snippets import write_snippets
from console.base.query_text import understand
from console.base.relaxed_json import TextPosition
from storage import limits
from storage.exact_json import parse
from tests.processor_time import call_within


@pytest.mark.parametrize(
    "text, query",
    [
        # As the API takes it: nothing changes but white space.
        ('{"age?gt": 1}', '{"age?gt":1}'),
        (' [ {"a" : [1, 2]} ] ', '[{"a":[1,2]}]'),
        ("{}", "{}"),
        ('{"a": "True, None # // x"}', '{"a":"True, None # // x"}'),
        # Digits stay.
        ('{"a": 12345678901234567890, "b": 0.1234567890123456789, "c": 1.0}',) * 1
        + ('{"a":12345678901234567890,"b":0.1234567890123456789,"c":1.0}',),
    ],
)
def test_strict_json_is_understood_as_it_is(text: str, query: str) -> None:
    understood = understand(text)
    assert (understood.kind, understood.query, understood.changed) == ("query", query, False)
    assert understood.mistake is None


@pytest.mark.parametrize(
    "text, query",
    [
        # Python
        ("{'active': True, 'left': None, 'gone': False}", '{"active":true,"left":null,"gone":false}'),
        ("{'a': 1}  # all of them", '{"a":1}'),
        ("{'age?r': (1, 2)}", '{"age?r":[1,2]}'),
        ("{'n': 1_000_000}", '{"n":1000000}'),
        ("[{'name?contains': \"it's\"}, {'a': 'say \"x\"'}]", '[{"name?contains":"it\'s"},{"a":"say \\"x\\""}]'),
        # JavaScript
        ("{age: 1, 'b': 2,}", '{"age":1,"b":2}'),
        ("[{age?gt: 1000}, {likes_ramen: false}]", '[{"age?gt":1000},{"likes_ramen":false}]'),
        ("{home.city?pfx: 'P'}", '{"home.city?pfx":"P"}'),
        ("{a?>=: 5, b?!=: 6}", '{"a?>=":5,"b?!=":6}'),
        ("{a: undefined, b: 10n, c: .5, d: 0x1F, e: +1}", '{"a":null,"b":10,"c":0.5,"d":31,"e":1}'),
        ("{ // which\n a: 1, /* and\n more */ b: [1, 2, ] }", '{"a":1,"b":[1,2]}'),
        (r"{a: 'it\'s \x41\u00e9\ud83d\ude00\n'}", '{"a":"it\'s Aé😀\\n"}'),
        ("{a: 'one \\\nline', b: (), c: -0x10, d: 5., e: -.5e1}", '{"a":"one line","b":[],"c":-16,"d":5,"e":-5}'),
        # Word processors
        ("{“name”: ‘Ada’}", '{"name":"Ada"}'),  # noqa: RUF001
        # Digits stay in all of them.
        ("{a: 12345678901234567890, b: 0.1234567890123456789}", '{"a":12345678901234567890,"b":0.1234567890123456789}'),
    ],
)
def test_pasted_code_is_forgiven_and_shown_strictly(text: str, query: str) -> None:
    understood = understand(text)
    assert (understood.kind, understood.query, understood.changed) == ("query", query, True)
    assert understood.mistake is None
    assert understood.predicate is not None


@pytest.mark.parametrize(
    "text, message, at",
    [
        ('{"age?gtt": 3}', 'Unknown operator `?gtt` on "age". Did you mean `?gt`?', (1, 3)),
        ("{'age?gtt': 3}", 'Unknown operator `?gtt` on "age". Did you mean `?gt`?', (1, 3)),
        ("{age?gtt: 3}", 'Unknown operator `?gtt` on "age". Did you mean `?gt`?', (1, 2)),
        ('{"a": 1, "b?startswith": "x"}', 'Unknown operator `?startswith` on "b". Did you mean `?pfx`?', (1, 11)),
        ('{"b?contain": "x"}', 'Unknown operator `?contain` on "b". Did you mean `?contains`?', (1, 3)),
        ('{"b?xyz": "x"}', 'Unknown operator `?xyz` on "b".', (1, 3)),
        ('[{"a": 1},\n {"b?": 1}]', 'The operator after `?` is missing on "b"', (2, 4)),
        ('{"?": 1}', "The operator after `?` is missing", (1, 3)),
        ('{"a?r": [1]}', "`a?r`: a range is a list of exactly two numbers or two strings", (1, 3)),
        ('[{"b": 1}, {"a?gt": true}]', "Object 2: `a?gt`: only a number or a string has an order", (1, 14)),
        ('{"a?pfx": 1}', "`a?pfx`: the value must be a string", (1, 3)),
        ('{"key": 1}', "`key`: a key is compared with strings only", (1, 3)),
        ('{"key?contains": "a"}', "`key?contains`: this operator cannot be used on the key", (1, 3)),
        (
            '[{"key": "a"}, {"b": 1}]',
            "When one object of a query has a condition on the key, all must have the same one",
            None,
        ),
        ("[1]", "A query is a list of objects", None),
        ('{"age": ', "The text ends too early: “}” is missing", (1, 8)),
        ('[{"a": [1', "The text ends too early: “]}]” is missing", (1, 10)),
        ('{"age" 1}', "“1” was not expected here: a comma or colon may be missing before it", (1, 8)),
        ('{\n  "a": 1\n  "b": 2\n}', '“"b"” was not expected here: a comma or colon may be missing before it', (3, 3)),
        ('{"a": ]}', "“]” was not expected here", (1, 7)),
        ("{a: foo}", "“foo” is not a value: put quotation marks around a text", (1, 5)),
        ("{a: NaN}", "NaN is not a JSON number", (1, 5)),
        ("{a: -Infinity}", "-Infinity is not a JSON number", (1, 5)),
        ("{'a': 'x", "The text that starts here has no end", (1, 7)),
        ("{a: 1 /* x", "The comment that starts here has no end", (1, 7)),
        ("[1,,2]", "“,” was not expected here", (1, 4)),
        ("{,}", "“,” was not expected here", (1, 2)),
        ('{"a": 1}}', "“}” was not expected here", (1, 9)),
        ('{"a": (1}', "“}” was not expected here", (1, 9)),
        ("{a: 007}", "“007” is not a value: put quotation marks around a text", (1, 5)),
        ('{"a": "\\u12"}', "“\\u” in a text is followed by four hexadecimal digits", (1, 7)),
        ("{a: 1e99999999999999999999}", "A number's exponent is beyond +-125", (1, 5)),
        ("[" * 150 + "]" * 150, "A query is a list of objects", None),
        ('{"a": 1e400}', "`a`: A number's exponent is beyond +-125", (1, 3)),
        ('{"a": ' + "1" * 501 + "}", "A number has more than 38 digits", (1, 7)),
        ('{"a": "\\ud800"}', "A text holds half of a character (a lone surrogate)", None),
        ("[" * 100_000, f"The text is longer than {limits.QUERY_TEXT_MAX_CHARACTERS:,} characters", None),
        ("[" * 50_000, "The query is nested too deeply", None),
        ("x" * 1001, "A search has 1 to 1,000 characters", None),
        ("a\x00b", "A text holds the character \\u0000, which cannot be stored", None),
    ],
)
def test_mistakes_say_what_and_where(text: str, message: str, at: tuple[int, int] | None) -> None:
    understood = understand(text)
    assert understood.predicate is None
    assert understood.mistake is not None
    assert understood.mistake.message == message
    assert (understood.mistake.at and understood.mistake.at[:2]) == at


LONGEST = limits.QUERY_TEXT_MAX_CHARACTERS


@pytest.mark.parametrize(
    "text",
    [
        "[" + "1," * (LONGEST // 2 - 1),
        "[{" + "a:1," * (LONGEST // 4 - 1) + "}]",
        "[" + "{}," * (LONGEST // 3 - 1) + "]",
        '{"a":"' + "\\x41" * (LONGEST // 4 - 4) + '"}',
        "[" + "/**/" * (LONGEST // 4 - 1),
        "[" + "/*" * (LONGEST // 2 - 1),
        '{"' + '\\"' * (LONGEST // 2 - 2),
        "[" + '"' * (LONGEST - 1),
        "[" + " " * (LONGEST - 1),
        "{a: " + "9" * (LONGEST - 5) + "}",
        '{"a?' + "eq" * (LONGEST // 2 - 10) + '": 1}',
        "a" * LONGEST,
    ],
    ids=lambda text: text[:6],
)
def test_the_longest_texts_take_little_time(text: str) -> None:
    call_within(1, understand, text)


@pytest.mark.parametrize(
    "text, words", [("ada", "ada"), ("  two words ", "two words"), ('"quoted"', '"quoted"'), ("%", "%")]
)
def test_anything_else_is_a_search(text: str, words: str) -> None:
    understood = understand(text)
    assert understood.kind == "search"
    assert understood.predicate is not None
    assert understood.predicate.words == words


@pytest.mark.parametrize("text", ["", "  ", "\n"])
def test_nothing_is_everything(text: str) -> None:
    assert understand(text).kind == "empty"
    assert understand(text).mistake is None


def test_place_is_that_of_the_typed_text_behind_what_was_rewritten() -> None:
    mistake = understand("{aa: True, # c\n bb: None, 'c' 1}").mistake
    assert mistake is not None
    assert mistake.at == TextPosition(line=2, column=16, offset=30)


def test_snippets_are_code_with_every_digit() -> None:
    query = parse(b'[{"it\'s?gt": 12345678901234567890, "a": [true, null, {"x": 1.50}]}]')
    code = write_snippets(query, base="things", address="http://h/v1/c/things")
    found: dict[str, object] = {}
    exec(code["python"].split("fetch")[1].join(["x = ", ""]), {}, found)
    assert found["x"] == [{"it's?gt": 12345678901234567890, "a": [True, None, {"x": 1.5}]}]
    assert code["javascript"].splitlines() == [
        "// A number here has more digits than JavaScript keeps.",
        'const base = deta.Base("things")',
        'const result = await base.fetch([{"it\'s?gt": 12345678901234567890, "a": [true, null, {"x": 1.50}]}])',
    ]
    assert (
        'Q: base.Query{{"it\'s?gt": json.Number("12345678901234567890"), "a": []any{true, nil, map[string]any{"x": 1.50}}}}'
        in code["go"]
    )
    assert code["curl"].startswith("curl http://h/v1/c/things/query -H ")
    assert code["curl"].endswith("""'{"query":[{"it'"'"'s?gt":12345678901234567890,"a":[true,null,{"x":1.50}]}]}'""")
