"""What is asked of every system, the right answers, and wrk, which asks."""
