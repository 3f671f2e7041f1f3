"""`python -m bench.capacity [RUN] [--where TEXT]`: a run's figures into the model of docs/scaling.md, and its tables anew.

RUN is a file with what `python -m bench` printed; without it the figures stay. TEXT says on which machine it ran.
"""

import argparse
import sys
from pathlib import Path

from bench.capacity.model import UnreadableRun, figures_of_run, read_figures, write_figures
from bench.capacity.tables import rewrite

PAGE = Path(__file__).parents[2] / "docs" / "scaling.md"


def main() -> int:
    """0 when the page is as the figures make it; 2 when the run could not be read."""
    parser = argparse.ArgumentParser(prog="python -m bench.capacity", description=__doc__)
    parser.add_argument("run", nargs="?", type=Path, help="a file with what `python -m bench` printed")
    parser.add_argument("--where", default="`python -m bench` on two cores", help="on which machine, for the table")
    options = parser.parse_args()
    if options.run:
        try:
            write_figures(figures_of_run(options.run.read_text(), where=options.where))
        except (UnreadableRun, OSError) as error:
            print(error, file=sys.stderr)
            return 2
    PAGE.write_text(rewrite(PAGE.read_text(), read_figures()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
