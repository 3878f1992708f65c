"""The count of benches/segments.rs by DuckDB and PostgreSQL, on the same data with the same result.

    cargo bench -p runner --bench segments -- keep            # prints the store's path, the time and the count
    python3 runner/benches/segments_peers.py STORE COUNT [duckdb] [postgresql]

Needs: pip install duckdb 'psycopg[binary]'; apt-get install postgresql (its programs are looked for under /usr/lib/postgresql).
PostgreSQL is set up in a temporary folder, listens on a socket there, and is stopped and removed at the end. Both get the indexes the query can use,
and both are asked for the same two forms of it; the best of five counts.
"""

import csv
import glob
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

NOW = 1_790_000_000_000
DAY = 86_400_000
ROUNDS = 5
BY_CONTACT = f"""SELECT count(*) FROM contacts c WHERE c.country = 'DE'
    AND (SELECT count(*) FROM events e WHERE e.contact = c.id AND e.name = 'order_completed' AND e.happened BETWEEN {NOW - 30 * DAY} AND {NOW}) >= 3
    AND NOT EXISTS (SELECT 1 FROM events e WHERE e.contact = c.id AND e.name = 'message_opened' AND e.happened BETWEEN {NOW - 14 * DAY} AND {NOW})"""
BY_EVENTS = f"""SELECT count(*) FROM contacts c
    JOIN (SELECT contact FROM events WHERE name = 'order_completed' AND happened BETWEEN {NOW - 30 * DAY} AND {NOW}
          GROUP BY contact HAVING count(*) >= 3) buyer ON buyer.contact = c.id
    LEFT JOIN (SELECT DISTINCT contact FROM events WHERE name = 'message_opened' AND happened BETWEEN {NOW - 14 * DAY} AND {NOW}) opener
        ON opener.contact = c.id
    WHERE c.country = 'DE' AND opener.contact IS NULL"""
TABLES = {
    "contacts": ("id BIGINT PRIMARY KEY, country TEXT", "SELECT id, attributes ->> '$.country' FROM contacts"),
    "events": ("contact BIGINT, name TEXT, happened BIGINT", "SELECT contact, names.name, at FROM events JOIN names ON names.id = events.name ORDER BY events.id"),
}


def export(store, folder):
    """The store's contacts and events as CSV files."""
    source = sqlite3.connect(f"file:{store}?mode=ro", uri=True)
    for table, (_, query) in TABLES.items():
        with open(folder / f"{table}.csv", "w", newline="") as file:
            csv.writer(file).writerows(source.execute(query))
    source.close()


def measure(name, run, expected):
    for form, query in (("by contact", BY_CONTACT), ("by events", BY_EVENTS)):
        best = float("inf")
        for _ in range(ROUNDS):
            begun = time.perf_counter()
            count = run(query)
            best = min(best, time.perf_counter() - begun)
            assert count == expected, f"{name}, {form}: {count} instead of {expected}"
        print(f"{name:<20} {form:<10} {best:.3f} s", flush=True)


def duckdb(folder, expected):
    import duckdb as library

    database = library.connect(str(folder / "peer.duckdb"))
    for table, (columns, _) in TABLES.items():
        database.execute(f"CREATE TABLE {table} ({columns}); COPY {table} FROM '{folder / table}.csv' (HEADER false)")
    database.execute("CHECKPOINT")
    measure(f"DuckDB {library.__version__}", lambda query: database.execute(query).fetchone()[0], expected)
    database.close()


def postgresql(folder, expected):
    import psycopg

    programs = pathlib.Path(sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1])
    cluster = folder / "cluster"
    # PostgreSQL does not run as root.
    user = ["runuser", "-u", "postgres", "--"] if os.getuid() == 0 else []
    if user:
        shutil.chown(folder, "postgres")
    quiet = {"check": True, "stdout": subprocess.DEVNULL}
    subprocess.run([*user, programs / "initdb", "-D", cluster, "-A", "trust", "-U", "postgres"], **quiet)
    options = (
        f"-c listen_addresses='' -c unix_socket_directories={folder} -c shared_buffers=1GB -c work_mem=256MB -c max_wal_size=4GB "
        "-c maintenance_work_mem=512MB -c random_page_cost=1.1 -c jit=off"
    )
    subprocess.run([*user, programs / "pg_ctl", "-D", cluster, "-w", "-l", folder / "log", "-o", options, "start"], **quiet)
    try:
        with psycopg.connect(f"host={folder} user=postgres dbname=postgres", autocommit=True) as database:
            for table, (columns, _) in TABLES.items():
                database.execute(f"CREATE TABLE {table} ({columns})")
                with database.cursor().copy(f"COPY {table} FROM STDIN CSV") as copy, open(folder / f"{table}.csv", "rb") as file:
                    while block := file.read(1 << 20):
                        copy.write(block)
            database.execute("CREATE INDEX ON events (contact, name, happened)")
            database.execute("CREATE INDEX ON events (name, happened) INCLUDE (contact)")
            database.execute("CREATE INDEX ON contacts (country)")
            database.execute("VACUUM ANALYZE")
            version = database.info.server_version // 10_000
            measure(f"PostgreSQL {version}", lambda query: database.execute(query).fetchone()[0], expected)
    finally:
        subprocess.run([*user, programs / "pg_ctl", "-D", cluster, "-w", "-m", "fast", "stop"], **quiet)


def main():
    store, expected, *peers = sys.argv[1:]
    known = {"duckdb": duckdb, "postgresql": postgresql}
    with tempfile.TemporaryDirectory(prefix="segments-peers-") as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        export(store, folder)
        for peer in peers or known:
            known[peer](folder, int(expected))


if __name__ == "__main__":
    main()
