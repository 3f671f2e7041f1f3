"""`python -m console.drive.preview_helper`: the process that reads strangers' files for the previews, in bounded time."""

from console.bounded_work.helper_process import Tasks, serve
from console.drive.content_sniffing import measure
from console.drive.highlight import highlight
from console.drive.pdfs import judge_pdf
from console.drive.text_layout import lay_out

TASKS: Tasks = {"measure": measure, "judge_pdf": judge_pdf, "lay_out": lay_out}

# What Pygments looks up and compiles at first is shared by all pieces of work if it is there before they fork.
_COMMON = ("a.html", "a.js", "a.json", "a.py", "a.xml", "a.yaml")

if __name__ == "__main__":
    for name in _COMMON:
        highlight("a", name=name, content_type="text/plain")
    serve(TASKS)
