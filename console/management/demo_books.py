"""A tidy data set, to look around in: a shelf of old books. Every attribute has one type, and a few items lack one or two."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

# Name, author, year, pages, read, rating (None where nobody has one yet), tags, shelf.
_BOOKS: list[tuple[str, str, int, int, bool, str | None, str, str]] = [
    ("Anna Karenina", "Leo Tolstoy", 1878, 864, True, "4.5", "novel russian", "hall 1"),
    ("Around the World in Eighty Days", "Jules Verne", 1872, 252, True, "4.0", "novel french travel", "hall 2"),
    ("Candide", "Voltaire", 1759, 129, True, "4.1", "satire french", "hall 2"),
    ("Cranford", "Elizabeth Gaskell", 1853, 257, False, None, "novel english", "study 1"),
    ("Don Quixote", "Miguel de Cervantes", 1605, 1023, False, "4.3", "novel spanish", "hall 3"),
    ("Dracula", "Bram Stoker", 1897, 418, True, "4.0", "novel irish horror", "study 2"),
    ("Effi Briest", "Theodor Fontane", 1895, 351, True, "3.6", "novel german", "hall 1"),
    ("Emma", "Jane Austen", 1815, 474, True, "4.2", "novel english", "study 1"),
    ("Faust", "Johann Wolfgang von Goethe", 1808, 158, True, "3.9", "play german", "hall 1"),
    ("Frankenstein", "Mary Shelley", 1818, 280, True, "4.4", "novel english horror", "study 2"),
    ("Germinal", "Émile Zola", 1885, 592, False, None, "novel french", "hall 2"),
    ("Gulliver's Travels", "Jonathan Swift", 1726, 306, True, "3.8", "satire irish travel", "study 2"),
    ("Jane Eyre", "Charlotte Brontë", 1847, 532, True, "4.6", "novel english", "study 1"),
    ("Kristin Lavransdatter", "Sigrid Undset", 1920, 1168, False, "4.7", "novel norwegian", "hall 3"),
    ("Madame Bovary", "Gustave Flaubert", 1857, 359, False, "3.9", "novel french", "hall 2"),
    ("Middlemarch", "George Eliot", 1871, 880, False, None, "novel english", "study 1"),
    ("Moby-Dick", "Herman Melville", 1851, 635, True, "3.7", "novel american sea", "study 3"),
    ("Niels Lyhne", "Jens Peter Jacobsen", 1880, 224, False, None, "novel danish", "hall 3"),
    ("Oblomov", "Ivan Goncharov", 1859, 586, True, "4.2", "novel russian", "hall 1"),
    ("Pinocchio", "Carlo Collodi", 1883, 212, True, "4.0", "tale italian", "study 3"),
    ("Robinson Crusoe", "Daniel Defoe", 1719, 304, True, "3.5", "novel english sea", "study 3"),
    ("The Cherry Orchard", "Anton Chekhov", 1904, 96, True, "4.3", "play russian", "hall 1"),
    ("The Pillow Book", "Sei Shōnagon", 1002, 419, True, "4.5", "diary japanese", "hall 3"),
    ("The Tale of Genji", "Murasaki Shikibu", 1010, 1216, False, "4.1", "novel japanese", "hall 3"),
    ("The Time Machine", "H. G. Wells", 1895, 118, True, "4.2", "novel english", "study 2"),
    ("Treasure Island", "Robert Louis Stevenson", 1883, 292, True, "4.3", "novel scottish sea", "study 3"),
    ("Walden", "Henry David Thoreau", 1854, 352, False, None, "essay american", "study 3"),
    ("Wuthering Heights", "Emily Brontë", 1847, 416, True, "4.1", "novel english", "study 1"),
]


def book_items() -> Iterator[dict[str, Any]]:
    """The books as items; numbers are `int` or `Decimal`."""
    for name, author, year, pages, is_read, rating, tags, shelf in _BOOKS:
        room, row = shelf.split()
        key = name.lower().replace(" ", "-").replace("'", "")
        item: dict[str, Any] = {
            "key": key,
            "name": name,
            "author": author,
            "year": year,
            "pages": pages,
            "read": is_read,
        }
        item |= {"tags": tags.split(), "shelf": {"room": room, "row": int(row)}}
        yield item if rating is None else item | {"rating": Decimal(rating)}
