"""A shop's purchase log made from a seed, and what traits and segments come to over it, worked out in SQL alone: nothing here knows the program."""

import contextlib
import random
import sqlite3

DAY = 86_400_000
MINUTE = 60_000
DAYS = 400
WINDOWS = (14, 30, 60, 90, 180, 365)
GAP = 60 * DAY
# How long before the end of the log the last random event is: late, but by less than `grace`.
LATEST = 2 * MINUTE


def purchase_log(end, seed=2026, customers=400):
    """Events of `customers` over the 400 days before `end` (ms since 1970), in no order, some of them twice: id, contact, name, at, cents,
    category, coupon."""
    return Log(end, random.Random(seed), customers).events()


class Log:
    def __init__(self, end, chance, customers):
        self.end, self.chance = end, chance
        self.names = [f"c{number:03}" for number in range(customers)]
        self.rows = {}

    def events(self):
        crafted = self.at_the_edges(iter(self.names))
        for name in crafted:
            self.somebody(name)
        rows = [
            (f"{name}-{count}", name, *row)
            for name, at in self.rows.items()
            for count, row in enumerate(sorted(at.values(), key=lambda row: row[1]))
        ]
        rows += self.chance.sample(rows, len(rows) // 20)
        self.chance.shuffle(rows)
        return rows

    def add(self, name, event, at, cents=None):
        """Adds an event, unless there is one of the contact in the same millisecond: which is the last would be anybody's guess."""
        chance = self.chance
        category = chance.choice(["shoes", "shirts", "hats", None])
        coupon = chance.choice(["SPRING", "WELCOME10", None, None]) if event == "order_completed" else None
        self.rows.setdefault(name, {}).setdefault(at, (event, at, cents, category, coupon))

    def order(self, name, at, cents):
        self.add(name, "order_completed", at, cents)

    def at_random(self, oldest=DAYS, newest=LATEST):
        """A time that is not by chance within ten minutes of the edge of a window."""
        at = self.end - self.chance.randint(newest, oldest * DAY)
        for window in WINDOWS:
            if abs(self.end - at - window * DAY) < 10 * MINUTE:
                at -= 30 * MINUTE
        return at

    def cents(self):
        # Now and then a replacement, which has no total.
        return None if self.chance.random() < 0.02 else self.chance.choice([self.chance.randint(5, 30000), 10, 20, 4990, 1999, 3333])

    def somebody(self, name):
        """No orders, one, or many; the looking around goes with it or not."""
        chance = self.chance
        oldest = chance.choice([DAYS, DAYS, 300, 120, 20])
        newest = chance.choice([LATEST, LATEST, 19 * DAY])
        for _ in range(chance.choice([0, 0, 1, 1, 2, 3, 4, 6, 9, 25])):
            self.order(name, self.at_random(oldest, newest), self.cents())
        for _ in range(chance.choice([0, 0, 1, 4, 8, 16])):
            self.add(name, "product_viewed", self.at_random(chance.choice([oldest, 20])))
        if chance.random() < 0.05:
            self.order(name, self.end - chance.randint(LATEST, 50 * MINUTE), self.cents())

    def at_the_edges(self, names):
        """Times to the millisecond where something is about to count or not, and sums that are exactly a limit. Gives the names that are left."""
        for window in WINDOWS:
            for off in (-1, 0, 1, 2):
                name = next(names)
                self.order(name, self.end - 390 * DAY, 9990)
                self.order(name, self.end - window * DAY + off, 5010)
                for back in (0, 1, 2):
                    self.add(name, "product_viewed", self.end - window * DAY + off - back * 1000)
        for gap in (GAP - 1, GAP, GAP + 1, GAP + 2, GAP + DAY, 180 * DAY, 180 * DAY + 1):
            name = next(names)
            first = self.end - 350 * DAY + self.chance.randint(0, DAY)
            for number in range(4 if gap < 70 * DAY else 2):
                self.order(name, first + number * gap, 3334 if number == 1 else 3333)
        # Added up as doubles, 20 times 0.1 is more than 2.
        for amounts in ([7010, 2990], [7010, 2989], [10] * 20 + [49800], [4990, 5005, 5005], [4990, 5005, 5004], [49999, 1], [49999]):
            name = next(names)
            for number, cents in enumerate(amounts):
                self.order(name, self.end - 85 * DAY + number * 3600_000, cents)
        # What is there already when the year begins, what begins with it, and who orders at that very moment.
        year = self.end - 365 * DAY
        for at in (year - GAP - 2, year - GAP - 1, year - GAP, year - GAP + 1):
            # Older than the log is otherwise.
            name = next(names)
            self.order(name, at - DAY, 20000)
            self.order(name, at, 20000)
            if at % 2:
                self.order(name, year, 1)
        name = next(names)
        self.order(name, year - GAP - 5 * DAY, 20000)
        self.order(name, year - GAP - 4 * DAY, 20000)
        self.order(name, year, 10)
        return names


# What is known of a contact at each of their moments: `at` is the time, `upto` up to when events have come in.
FACTS = """
CREATE TABLE facts AS
SELECT m.contact, m.at, m.upto,
  count(*) FILTER (WHERE o) AS orders,
  count(*) FILTER (WHERE o AND e.at >= m.at - 30 * :day) AS orders_30d,
  count(*) FILTER (WHERE o AND e.at >= m.at - 60 * :day) AS orders_60d,
  count(*) FILTER (WHERE o AND e.at >= m.at - 90 * :day) AS orders_90d,
  count(*) FILTER (WHERE v AND e.at >= m.at - 14 * :day) AS views_14d,
  count(*) FILTER (WHERE o AND cents >= 8000) AS big_orders,
  count(*) FILTER (WHERE o AND cents >= 8000 AND e.at >= m.at - 30 * :day) AS big_orders_30d,
  coalesce(sum(cents) FILTER (WHERE o), 0) AS spent,
  coalesce(sum(cents) FILTER (WHERE o AND e.at >= m.at - 90 * :day), 0) AS spent_90d,
  coalesce(sum(cents) FILTER (WHERE o AND e.at >= m.at - 180 * :day), 0) AS spent_180d,
  avg(cents) FILTER (WHERE o) AS avg_order,
  avg(cents) FILTER (WHERE o AND e.at >= m.at - 90 * :day) AS avg_order_90d,
  min(cents) FILTER (WHERE o) AS smallest_order,
  max(cents) FILTER (WHERE o AND e.at >= m.at - 365 * :day) AS largest_order_365d,
  min(cents) FILTER (WHERE o AND category = 'shoes' AND e.at >= m.at - 60 * :day) AS smallest_shoes_60d,
  min(e.at) FILTER (WHERE o) AS first_order_at,
  max(e.at) FILTER (WHERE o) AS last_order_at,
  max(e.at) FILTER (WHERE o AND category = 'shoes') AS last_shoes_at,
  max(e.at) FILTER (WHERE v AND e.at >= m.at - 30 * :day) AS last_view_30d
FROM moments m LEFT JOIN (SELECT *, name = 'order_completed' AS o, name = 'product_viewed' AS v FROM log) e
  ON e.contact = m.contact AND e.at <= m.upto
GROUP BY m.contact, m.at, m.upto;

CREATE VIEW base AS SELECT *,
  orders >= 2 AND orders_60d = 0 AND spent >= 10000 AS win_back,
  views_14d >= 3 AND orders_30d = 0 AS window_shoppers,
  orders_90d > 0 AND spent_90d >= 15000 AS big_quarter
FROM facts;

CREATE VIEW members AS SELECT *,
  win_back AND spent_180d > 0 AS fading,
  win_back OR (window_shoppers AND NOT big_quarter) AS worth_a_word
FROM base;
"""

# Every time at which something may change for a contact: what happens, and what leaves a window, a millisecond after it is that old.
MOMENTS = """
INSERT INTO moments SELECT contact, :from, :from - 1 FROM customers;
INSERT OR IGNORE INTO moments
SELECT contact, at + age, at + age FROM log, (SELECT 0 AS age UNION SELECT value * :day + 1 FROM json_each('[14, 30, 60, 90, 180]'))
WHERE at + age >= :from AND at + age < :until;
"""

# A lapse begins 60 days and 1 ms after the last order before a gap, and ends with the order after it.
LAPSES = """
SELECT contact, at + :gap + 1 AS begins, next AS ends FROM (
  SELECT contact, at,
    row_number() OVER earlier AS number,
    sum(coalesce(cents, 0)) OVER earlier AS spent,
    lead(at) OVER (PARTITION BY contact ORDER BY at) AS next
  FROM log WHERE name = 'order_completed'
  WINDOW earlier AS (PARTITION BY contact ORDER BY at ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
) WHERE number >= 2 AND spent >= 10000 AND (next IS NULL OR next > at + :gap + 1)
"""

# NTILE; who has the same value is in the same group, the higher one; who came since then is where their value is among the others'.
RANK = """
WITH tiles AS (SELECT {value} AS value, ntile(5) OVER (ORDER BY {value}) AS tile FROM facts WHERE at = :cuts AND {value} IS NOT NULL)
SELECT contact, max(1, coalesce((SELECT max(tile) FROM tiles WHERE value <= {value_now}), 1))
FROM facts now WHERE at = :at AND {value_now} IS NOT NULL
"""

FIGURES = """
SELECT *,
  (SELECT category FROM log WHERE contact = m.contact AND name = 'order_completed' AND at <= m.at AND category IS NOT NULL ORDER BY at LIMIT 1)
    AS first_category,
  (SELECT coupon FROM log WHERE contact = m.contact AND name = 'order_completed' AND at <= m.at AND at >= m.at - 90 * :day AND coupon IS NOT NULL
    ORDER BY at DESC LIMIT 1) AS last_coupon_90d,
  CASE WHEN spent >= 50000 THEN 'high' WHEN spent >= 10000 THEN 'medium' ELSE 'low' END AS value_tier,
  (SELECT coalesce(sum(points * half((m.at - at) / (30.0 * :day))), 0) FROM (
    SELECT at, CASE name WHEN 'product_viewed' THEN 1 ELSE CASE WHEN cents >= 8000 THEN 15 ELSE 10 END END AS points FROM log
    WHERE contact = m.contact AND at <= m.at)) AS engagement
FROM members m WHERE at = :at
"""

CENTS = (
    "spent", "spent_180d", "avg_order", "avg_order_90d", "smallest_order", "largest_order_365d", "smallest_shoes_60d",
)
SAME = (
    "orders", "orders_90d", "big_orders", "big_orders_30d", "first_order_at", "last_order_at", "last_shoes_at", "last_view_30d", "first_category",
    "last_coupon_90d", "value_tier", "engagement",
)
SEGMENTS = ("win_back", "fading", "window_shoppers", "big_quarter", "worth_a_word")


class Shop:
    """The raw log in a database of its own, and questions to it."""

    def __init__(self, events):
        self.db = sqlite3.connect(":memory:")
        self.db.row_factory = sqlite3.Row
        self.db.create_function("half", 1, lambda age: 0.5**age, deterministic=True)
        self.db.executescript(
            "CREATE TABLE raw (id, contact, name, at INTEGER, cents INTEGER, category, coupon);"
            "CREATE TABLE moments (contact, at INTEGER, upto INTEGER, PRIMARY KEY (contact, at, upto)) WITHOUT ROWID;"
            "CREATE TABLE customers (contact);"
        )
        self.db.executemany("INSERT INTO raw VALUES (?, ?, ?, ?, ?, ?, ?)", events)
        self.db.executescript("CREATE TABLE log AS SELECT DISTINCT * FROM raw; CREATE UNIQUE INDEX log_by_contact ON log (contact, at);")

    def ask(self, sql, **values):
        return self.db.execute(sql, {"day": DAY, "gap": GAP, **values}).fetchall()

    def with_customers(self, names):
        self.db.executemany("INSERT INTO customers VALUES (?)", ((name,) for name in names))
        return self

    def look(self, fill, **values):
        """Works out the facts at other moments."""
        self.db.executescript("DELETE FROM moments; DROP VIEW IF EXISTS members; DROP VIEW IF EXISTS base; DROP TABLE IF EXISTS facts;")
        for sql in (*fill.split(";"), *FACTS.split(";")):
            self.ask(sql, **values)

    def ids(self):
        return {row["id"] for row in self.ask("SELECT id FROM log")}

    def lapses(self, start, until):
        """Who comes into win_back by time alone, and who leaves it by an order, each with when, after `start` and before `until`."""
        rows = self.ask(LAPSES)
        begins = {(row["contact"], row["begins"]) for row in rows if start < row["begins"] < until}
        ends = {(row["contact"], row["ends"]) for row in rows if row["ends"] is not None and start < row["ends"] < until}
        return begins, ends

    def crossings(self, start, until):
        """For each segment who enters it and who leaves it, each with when; what is so at the start is no crossing."""
        self.look(MOMENTS, **{"from": start, "until": until})
        found = {}
        for segment in SEGMENTS:
            rows = self.ask(
                f"SELECT contact, at, inside FROM (SELECT contact, at, {segment} AS inside,"
                f" lag({segment}) OVER (PARTITION BY contact ORDER BY at, upto) AS before FROM members) WHERE inside != before"
            )
            for change, inside in (("enter", 1), ("leave", 0)):
                found[segment, change] = {(row["contact"], row["at"]) for row in rows if row["inside"] == inside}
        return found

    def figures(self, at, cuts):
        """The traits of every customer at a time, with ranks whose groups were found at `cuts`; and who is in which segment."""
        self.look("INSERT INTO moments SELECT contact, :at, :at FROM customers UNION SELECT contact, :cuts, :cuts FROM customers", at=at, cuts=cuts)
        rows = self.ask(FIGURES, at=at)
        traits = {row["contact"]: {name: row[name] for name in SAME} for row in rows}
        for row in rows:
            for name in CENTS:
                traits[row["contact"]][name] = None if row[name] is None else row[name] / 100
        for name, value in (("recency", "last_order_at"), ("frequency", "orders"), ("monetary", "spent")):
            ranks = dict(map(tuple, self.ask(RANK.format(value=value, value_now=f"now.{value}"), at=at, cuts=cuts)))
            for contact, known in traits.items():
                known[name] = ranks.get(contact)
        segments = {segment: {row["contact"] for row in rows if row[segment]} for segment in SEGMENTS}
        least = {contact: min(known["recency"] or 0, known["frequency"], known["monetary"]) for contact, known in traits.items()}
        segments["champions"] = {contact for contact, rank in least.items() if rank >= 4}
        for row in rows:
            known = traits[row["contact"]]
            known["warmth"] = next(tier for tier, least in (("hot", 20), ("warm", 5), ("cold", 0)) if known["engagement"] >= least)
            known["lifecycle"] = (
                "lapsed" if row["win_back"] else "champion" if row["contact"] in segments["champions"]
                else "active" if row["orders_30d"] else "customer" if row["orders"] else "prospect"
            )
        return traits, segments

    def close(self):
        self.db.close()


def shop(events, customers):
    return contextlib.closing(Shop(events).with_customers(customers))
