"""A to-do tool on sqlite3 in memory: schema, queries, transactions, adapters, user functions, row factories, backups."""

import datetime as dt
import shlex
import sqlite3
import sys

SCHEMA = """
PRAGMA foreign_keys = ON;
CREATE TABLE project (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
CREATE TABLE task (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    project_id INTEGER NOT NULL REFERENCES project ON DELETE CASCADE,
    title TEXT NOT NULL CHECK (length(title) > 2),
    priority INTEGER NOT NULL DEFAULT 5 CHECK (priority BETWEEN 1 AND 9),
    due DAY,
    effort REAL,
    done INTEGER NOT NULL DEFAULT 0,
    extra BLOB
);
CREATE INDEX task_due ON task (due) WHERE NOT done;
CREATE TABLE log (task_id INTEGER, what TEXT, at INTEGER DEFAULT 0);
CREATE TRIGGER task_done AFTER UPDATE OF done ON task WHEN new.done AND NOT old.done
BEGIN INSERT INTO log (task_id, what) VALUES (new.id, 'done: ' || new.title); END;
CREATE VIEW open_task AS
    SELECT task.id, name AS project, title, priority, due, effort FROM task JOIN project ON project.id = project_id
    WHERE NOT done ORDER BY priority DESC, due IS NULL, due, task.id;
"""


class Effort:
    def __init__(self, hours):
        self.hours = hours

    def __conform__(self, protocol):
        if protocol is sqlite3.PrepareProtocol:
            return self.hours


class Median:
    def __init__(self):
        self.values = []

    def step(self, value):
        if value is not None:
            self.values.append(value)

    def finalize(self):
        if not self.values:
            return None
        self.values.sort()
        middle = len(self.values) // 2
        return self.values[middle] if len(self.values) % 2 else sum(self.values[middle - 1:middle + 1]) / 2


class Todo:
    def __init__(self):
        sqlite3.register_adapter(dt.date, dt.date.isoformat)
        sqlite3.register_converter("day", lambda data: dt.date.fromisoformat(data.decode()))
        self.db = sqlite3.connect(":memory:", detect_types=sqlite3.PARSE_DECLTYPES)
        self.db.row_factory = sqlite3.Row
        self.db.executescript(SCHEMA)
        self.db.create_function("initials", 1, lambda text: "".join(word[0].upper() for word in text.split()), deterministic=True)
        self.db.create_function("explode", 0, lambda: 1 / 0)
        self.db.create_aggregate("median", 1, Median)
        self.db.create_collation("backwards", lambda a, b: (a[::-1] > b[::-1]) - (a[::-1] < b[::-1]))
        self.today = dt.date(2024, 5, 1)

    def project(self, name):
        self.db.execute("INSERT INTO project (name) VALUES (?) ON CONFLICT DO NOTHING", (name,))
        return self.db.execute("SELECT id FROM project WHERE name = ?", (name,)).fetchone()["id"]

    def do_add(self, project, title, *options):
        values = {"priority": 5, "due": None, "effort": None} | dict(option.split("=") for option in options)
        if values["due"]:
            values["due"] = self.today + dt.timedelta(days=int(values["due"]))
        if values["effort"]:
            values["effort"] = Effort(float(values["effort"]))
        with self.db:
            cursor = self.db.execute("INSERT INTO task (project_id, title, priority, due, effort) VALUES (:project, :title, :priority, "
                                     ":due, :effort) RETURNING id", values | {"project": self.project(project), "title": title})
            return f"added {cursor.fetchone()[0]}"

    def do_list(self, *projects):
        marks = ", ".join("?" * len(projects))
        rows = self.db.execute("SELECT * FROM open_task" + (f" WHERE project IN ({marks})" if projects else ""), projects)
        lines = []
        for row in rows:
            due = "-" if row["due"] is None else f"{row['due']:%d %b}"
            lines.append(f"{row['id']:>3} {row['project']:<8} {row['title']:<22} p{row['priority']} {due:>6} {row['effort'] or '':>5}")
        return "\n".join(lines) or "nothing to do"

    def do_done(self, *ids):
        with self.db:
            cursor = self.db.executemany("UPDATE task SET done = 1 WHERE id = ?", [(number,) for number in ids])
        return f"{cursor.rowcount} done, log: {[tuple(row) for row in self.db.execute('SELECT task_id, what FROM log')]}"

    def do_move(self, task, project):
        with self.db:
            self.db.execute("UPDATE task SET project_id = ? WHERE id = ?", (project, task))
        return "moved"

    def do_drop(self, project):
        with self.db:
            count = self.db.execute("DELETE FROM project WHERE name = ?", [project]).rowcount
        return f"dropped {count}, {self.db.execute('SELECT count(*) FROM task').fetchone()[0]} tasks left"

    def do_stats(self):
        query = """SELECT name, count(*) AS n, sum(done) AS done, round(avg(priority), 2) AS mean, median(effort) AS median, max(due) AS "due [day]",
                          group_concat(initials(title), '/') AS titles FROM task JOIN project p ON p.id = project_id GROUP BY 1 HAVING n > 0"""
        return "\n".join(str(dict(row)) for row in self.db.execute(query))

    def do_rank(self):
        query = """WITH RECURSIVE days(n) AS (VALUES (0) UNION ALL SELECT n + 1 FROM days WHERE n < 3)
                   SELECT n, (SELECT count(*) FROM task WHERE due <= date(?, '+' || n || ' days')), row_number() OVER (ORDER BY n DESC) FROM days"""
        return [tuple(row) for row in self.db.execute(query, (self.today,))]

    def do_sql(self, statement):
        cursor = self.db.execute(statement)
        names = [column[0] for column in cursor.description or ()]
        return names, [tuple(row) for row in cursor.fetchmany(5)]


SESSION = """
add home "water the plants" priority=7 due=1
add home "fix the door" effort=2.5
add work "write report" priority=9 due=3 effort=8
add work "call Bob" due=0 effort=0.25
add work "sort mail" priority=1
add idle "learn the piano" effort=300
list
list work idle
add work ""
add work "too urgent" priority=10
add work "odd option" colour=red
move 1 99
done 1 4 77
list
stats
rank
sql "SELECT title FROM task ORDER BY title COLLATE backwards LIMIT 3"
sql "SELECT typeof(due), typeof(effort), quote(extra), x'00ff', 1.5e300 * 1e10, 9223372036854775807 + 0, NULL FROM task LIMIT 1"
sql "SELECT nothing FROM task"
sql "SELEC"
sql "SELECT explode()"
sql "SELECT 1; SELECT 2"
sql "SELECT ?"
drop work
list
fly
"""


def main():
    todo = Todo()
    for line in SESSION.strip().splitlines():
        command, *arguments = shlex.split(line)
        print("$", line)
        try:
            print(getattr(todo, f"do_{command}")(*arguments))
        except sqlite3.IntegrityError as error:
            print(f"refused: {error} ({error.sqlite_errorname})")
        except (sqlite3.Error, AttributeError) as error:
            print(f"{type(error).__name__}: {error}")

    db = todo.db
    print(db.in_transaction, db.total_changes, db.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
    copy = sqlite3.connect(":memory:")
    db.backup(copy)
    print(copy.execute("SELECT group_concat(name, '+') FROM project").fetchall())
    print([line for line in copy.iterdump() if line.startswith("INSERT INTO \"project\"")])
    copy.execute("CREATE TABLE t (a, b)")
    try:
        with copy:
            copy.executemany("INSERT INTO t VALUES (?, ?)", ((i, bytes([i])) for i in range(3)))
            raise RuntimeError("change of mind")
    except RuntimeError as error:
        print(error, copy.execute("SELECT count(*) FROM t").fetchone())
    copy.executemany("INSERT INTO t VALUES (?, ?)", [(1, b"\x00\x01"), (2.5, "é"), (None, memoryview(b"mv"))])
    copy.commit()
    copy.row_factory = lambda cursor, row: {column[0]: value for column, value in zip(cursor.description, row)}
    print(copy.execute("SELECT rowid, * FROM t ORDER BY rowid").fetchall())
    copy.row_factory = None
    copy.text_factory = bytes
    print(copy.execute("SELECT b FROM t WHERE a > 2").fetchone(), next(copy.execute("SELECT 1, 'x'")))
    with copy.blobopen("t", "b", 1) as blob:
        blob[0:1] = b"Z"
        print(len(blob), blob.read())
    copy.close()
    try:
        copy.execute("SELECT 1")
    except sqlite3.ProgrammingError as error:
        print(error)
    steps = []
    db.set_progress_handler(lambda: steps.append(1), 1000)
    db.set_trace_callback(steps.append)
    db.execute("SELECT count(*) FROM task")
    print(steps, sqlite3.threadsafety, sqlite3.paramstyle, sqlite3.apilevel, isinstance(sqlite3.sqlite_version_info, tuple))
    db.close()


if __name__ == "__main__":
    sys.exit(main())
