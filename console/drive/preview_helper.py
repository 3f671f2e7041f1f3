"""`python -m console.drive.preview_helper`: the process that reads strangers' files for the previews, in bounded time."""

from console.bounded_work.helper_process import Tasks, serve
from console.drive.content_sniffing import measure
from console.drive.pdfs import judge_pdf
from console.drive.text_layout import lay_out

TASKS: Tasks = {"measure": measure, "judge_pdf": judge_pdf, "lay_out": lay_out}

if __name__ == "__main__":
    serve(TASKS)
