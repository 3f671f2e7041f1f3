"""A CSV into a Base, by the command that the package brings."""

import os
import subprocess
import sys
from pathlib import Path

from deta import Deta

table = Path("people.csv")
table.write_text("key,name,age\nada,Ada,36\nbob,Bob,7\n", encoding="utf-8")
command = Path(sys.executable).with_name("csvtodeta")
key = os.environ["DETA_PROJECT_KEY"]
told = subprocess.run(
    [command, "csvtodeta", key, str(table), "people"], capture_output=True, text=True, check=True, timeout=120
).stdout
assert "succesfully uploaded 2 data to people Base" in told
assert Deta(key).Base("people").fetch().items == [
    {"key": "ada", "name": "Ada", "age": "36"},
    {"key": "bob", "name": "Bob", "age": "7"},
]
