"""The parts of `make bench`: each measures some of the goals, on systems that run already."""
