"""A report tool: argparse with subcommands, csv in several dialects, grouping, formatting, and its own usage errors."""

import argparse
import configparser
import contextlib
import csv
import io
import locale
import re
import shlex
import statistics
import string
import sys
from collections import defaultdict
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

DATA = '''date,region,product,units,price,note
2024-01-03,north,"widget, large",10,2.50,
2024-01-03,south,widget,3,1.25,"said ""ok"""
2024-01-17,north,gadget,1,19.99,"two
lines"
2024-02-02,east,widget,7,1.25,
2024-02-29,south,"widget, large",2,2.75,sale
2024-03-05,east,gadget,4,18.5,
2024-03-31,north,widget,40,1.1,bulk
bad-date,west,widget,1,1,x
2024-03-31,west,widget,many,1,x
'''


def day(text):
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no date") from None


class KeyValue(argparse.Action):
    def __call__(self, parser, namespace, value, option_string=None):
        key, equals, rest = value.partition("=")
        if not equals:
            parser.error(f"{option_string} wants KEY=VALUE")
        setattr(namespace, self.dest, (getattr(namespace, self.dest) or {}) | {key: rest})


def make_parser():
    parser = argparse.ArgumentParser(prog="report", description="Reports on sales.", epilog="Have fun.", color=False)
    parser.add_argument("-v", "--verbose", action="count", default=0, help="say more (repeatable)")
    parser.add_argument("--version", action="version", version="%(prog)s 1.0")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")

    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--since", type=day, default=date.min, metavar="DAY")
    common.add_argument("--until", type=day, default=date.max, metavar="DAY")
    common.add_argument("--only", action=KeyValue, metavar="K=V", help="rows with this value")

    summary = commands.add_parser("summary", parents=[common], aliases=["sum"], help="totals by a column", color=False)
    summary.add_argument("by", choices=["region", "product", "month"], nargs="?", default="region")
    style = summary.add_mutually_exclusive_group()
    style.add_argument("--csv", action="store_const", dest="style", const="csv")
    style.add_argument("--markdown", action="store_const", dest="style", const="markdown")
    summary.add_argument("--top", type=int, default=None)

    export = commands.add_parser("export", parents=[common], color=False)
    export.add_argument("columns", nargs="*", default=["date", "units"])
    export.add_argument("--delimiter", "-d", default=",")
    export.add_argument("--quoting", choices=["minimal", "all", "nonnumeric", "none"], default="minimal")
    export.add_argument("--header", action=argparse.BooleanOptionalAction, default=True)
    commands.add_parser("stats", parents=[common], color=False)
    return parser


class Report:
    def __init__(self, path, options):
        self.options, self.problems = options, []
        with open(path, newline="", encoding="utf-8") as file:
            self.rows = list(self.read(csv.DictReader(file)))

    def read(self, reader):
        for row in reader:
            try:
                row |= {"date": date.fromisoformat(row["date"]), "units": int(row["units"]), "price": float(row["price"])}
            except ValueError as error:
                self.problems.append(f"line {reader.line_num}: {error}")
                continue
            row["month"] = f"{row['date']:%b %y}"
            row["value"] = row["units"] * row["price"]
            if not self.options.since <= row["date"] <= self.options.until:
                continue
            if all(row.get(key) == value for key, value in (self.options.only or {}).items()):
                yield row

    def summary(self):
        groups = defaultdict(list)
        for row in self.rows:
            groups[row[self.options.by]].append(row)
        table = [(key, len(rows), sum(r["units"] for r in rows), sum(r["value"] for r in rows)) for key, rows in groups.items()]
        table.sort(key=lambda line: -line[3])
        table = table[:self.options.top]
        header = (self.options.by, "sales", "units", "value")
        match self.options.style:
            case "csv":
                csv.writer(sys.stdout, lineterminator="\n").writerows([header, *table])
            case "markdown":
                print("|".join(["", *header, ""]), "|---" * 4 + "|", sep="\n")
                for key, *numbers in table:
                    print(f"|{key}|" + "|".join(f"{number:,.2f}".rstrip("0").rstrip(".") for number in numbers) + "|")
            case None:
                width = max([len(header[0]), *(len(line[0]) for line in table)], default=10)
                print(f"{header[0]:<{width}}{header[1]:>7}{header[2]:>7}{header[3]:>12}")
                print("=" * (width + 26))
                for key, sales, units, value in table:
                    print(f"{key:<{width}}{sales:>7}{units:>7}{value:>12,.2f}")
                print(f"{'':=<{width + 26}}\n{sum(line[3] for line in table):>{width + 26},.2f}")

    def export(self):
        quoting = getattr(csv, f"QUOTE_{self.options.quoting.upper()}")
        writer = csv.DictWriter(sys.stdout, self.options.columns, delimiter=self.options.delimiter, quoting=quoting,
                                extrasaction="ignore", lineterminator="\n", escapechar="\\")
        if self.options.header:
            writer.writeheader()
        writer.writerows(self.rows)

    def stats(self):
        values = [row["value"] for row in self.rows]
        for name in ("mean", "median", "stdev", "pvariance", "geometric_mean", "harmonic_mean"):
            print(f"{name:>15}: {getattr(statistics, name)(values):.6g}")
        print("correlation", round(statistics.correlation([r["units"] for r in self.rows], values), 6), statistics.mode("aabbb"))


def run(line, path):
    print("$ report", line)
    try:
        options = make_parser().parse_args(shlex.split(line))
        report = Report(path, options)
        getattr(report, {"sum": "summary"}.get(options.command, options.command))()
        if options.verbose:
            print(*report.problems, sep="\n")
    except SystemExit as error:
        print("exit", error.code)
    except (csv.Error, TypeError) as error:
        print("csv:", error)


def main():
    with TemporaryDirectory() as directory, contextlib.redirect_stderr(sys.stdout):
        path = Path(directory, "sales.csv")
        path.write_text(DATA, encoding="utf-8")
        for line in sys.stdin:
            if line.strip():
                run(line.strip(), path)

    dialect = csv.Sniffer().sniff("a;b;c\n1;2;3\n4;5;6\n")
    print(repr(dialect.delimiter), csv.list_dialects(), list(csv.reader(["1|'a|b'|\n"], delimiter="|", quotechar="'")))
    print(list(csv.reader(io.StringIO('a,"b\nc",d\n\n"""",\r\ne'), strict=True)))
    config = configparser.ConfigParser()
    config.read_string("[DEFAULT]\nroot = /srv\n[paths]\nlog = %(root)s/log\nflag = yes\nn = 3\n[empty]\n")
    print({section: dict(config[section]) for section in config}, config.getboolean("paths", "flag"), config.getint("paths", "n"))
    print(string.Template("$who owes $${amount} ${amount}").safe_substitute(who="Ann"), re.sub(r"(?m)^", "> ", "a\nb"))
    moment = datetime(2024, 2, 29, 13, 5, 9, 7000)
    print(moment, moment + timedelta(days=366), f"{moment:%A %d %B %Y %I:%M:%S.%f %p %j %U}", datetime.strptime("29/02/24", "%d/%m/%y"))
    print(moment.isocalendar(), date(2024, 12, 30).isocalendar().week, (date(2025, 1, 1) - moment.date()).days, locale.getlocale()[1])
    for spec in ["{:>10}|{:^10}|{:*<10}", "{0:+.3e} {1:08.3f} {2:,}", "{:%}", "{0!r:>8} {0!s} {0!a}", "{:_b} {:#o} {:X}"]:
        try:
            print(spec.format(*{1: [0.256], 4: []}.get(len(spec) % 5, ["ä", 3.14159, 1234567])))
        except (ValueError, IndexError) as error:
            print(f"{spec}: {type(error).__name__}: {error}")


main()
