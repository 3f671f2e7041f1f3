"""The mark that items are distributed over several servers: a table that is there, or is not.

A look into the catalogues is all it takes, in a database without any tables of ours as well.
"""

MARK = "storage_distribution"
IS_MARKED = f"SELECT to_regclass('{MARK}') IS NOT NULL"
# Without the values, a plan asks every server for the items of each.
PLAN_WITH_VALUES = "SET plan_cache_mode = auto"
