"""Runs one of CPython's test files and writes a line per event to a file.

    driver.py RESULTS WORKDIR SKIP MODULE

RESULTS is appended to. Each line is a letter, and fields separated by tabs:
    S id            a test method begins
    R id outcome    its outcome: pass, fail, error, skip, xfail or uxpass
    X outcome text  the file as a whole: skip or error; nothing more follows
    D               the file has been run to its end
SKIP names a file with the ids of methods that an earlier process dealt with, one a line.
"""

import os
import sys

# From the best outcome of a method's parts (its subtests) to the worst.
SEVERITY = ["skip", "pass", "xfail", "uxpass", "fail", "error"]


class Report:
    """The results file. It is opened for each line: tests close descriptors, and fork."""

    def __init__(self, path):
        self.path = path
        self.pid = os.getpid()
        self.write, self.open, self.close, self.getpid = os.write, os.open, os.close, os.getpid
        self.flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT

    def line(self, *fields):
        if self.getpid() != self.pid:
            return
        text = "\t".join(field.replace("\t", " ").replace("\n", " ") for field in fields) + "\n"
        fd = self.open(self.path, self.flags, 0o666)
        try:
            self.write(fd, text.encode("utf-8", "backslashreplace"))
        finally:
            self.close(fd)


def monitoring_tools():
    """The numbers of `sys.monitoring`'s tools that are in use."""
    if not hasattr(sys, "monitoring"):
        return set()
    return {tool for tool in range(6) if sys.monitoring.get_tool(tool) is not None}


def result_class(unittest, report, prefix, log):
    class Result(unittest.TestResult):
        def __init__(self):
            super().__init__()
            self.outcome = None

        def name(self, test):
            name = test.id()
            return name.removeprefix(prefix)

        def startTest(self, test):
            super().startTest(test)
            self.tools = monitoring_tools()
            self.outcome = None
            report.line("S", self.name(test))

        def stopTest(self, test):
            super().stopTest(test)
            # One that skips itself in its set-up leaves the tool that it had taken to those that follow.
            for tool in monitoring_tools() - self.tools:
                sys.monitoring.free_tool_id(tool)
            report.line("R", self.name(test), self.outcome or "pass")

        def record(self, test, outcome, detail=None):
            if detail is not None:
                log(f"\n{outcome.upper()}: {self.name(test)}\n{detail}\n")
            if not hasattr(test, "countTestCases") or test.countTestCases() == 0:
                # What unittest makes for a failed setUpClass, setUpModule and their counterparts.
                report.line("R", self.name(test), outcome)
            elif self.outcome is None or SEVERITY.index(outcome) > SEVERITY.index(self.outcome):
                self.outcome = outcome

        def describe(self, err, test):
            try:
                return self._exc_info_to_string(err, test)
            except Exception as exc:
                return f"{err[0].__name__}: {err[1]} (formatting the traceback: {type(exc).__name__}: {exc})"

        def addSuccess(self, test):
            self.record(test, "pass")

        def addError(self, test, err):
            self.record(test, "error", self.describe(err, test))

        def addFailure(self, test, err):
            self.record(test, "fail", self.describe(err, test))

        def addSkip(self, test, reason):
            self.record(test, "skip")

        def addExpectedFailure(self, test, err):
            self.record(test, "xfail")

        def addUnexpectedSuccess(self, test):
            self.record(test, "uxpass", "unexpected success")

        def addSubTest(self, test, subtest, err):
            if err is not None:
                outcome = "fail" if issubclass(err[0], test.failureException) else "error"
                self.record(test, outcome, f"{subtest.id()}\n{self.describe(err, test)}")

    return Result


def drop(unittest, suite, skipped, prefix):
    """Takes the tests whose ids are in `skipped` out of `suite`, which may be of a class with a set-up of its own."""
    kept = []
    for test in suite:
        if isinstance(test, unittest.TestSuite):
            drop(unittest, test, skipped, prefix)
            kept.append(test)
        elif test.id().removeprefix(prefix) not in skipped:
            kept.append(test)
    suite._tests = kept


# Modules of CPython that only its own tests use, to reach into what its C code keeps.
INTERNALS = {"_testcapi", "_testinternalcapi", "_testlimitedcapi", "_testmultiphase", "_testsinglephase", "_testclinic"}


def absent_module(unittest, name):
    """A module whose functions skip the test that calls them: a file that imports it unasked can then be run."""
    import types

    module = types.ModuleType(name)

    def absent(attribute):
        def skip(*arguments, **keywords):
            raise unittest.SkipTest(f"{name}.{attribute} looks into CPython's own objects")

        # The support package does without the module if it is not there.
        if attribute.startswith("__") or sys._getframe(1).f_globals.get("__name__", "").startswith("test.support"):
            raise AttributeError(attribute)
        return skip

    module.__getattr__ = absent
    return module


def load(importlib, unittest, module_name):
    try:
        return importlib.import_module(module_name)
    except ModuleNotFoundError as exc:
        if exc.name not in INTERNALS:
            raise
        sys.modules[exc.name] = absent_module(unittest, exc.name)
        return load(importlib, unittest, module_name)


def provide_internals(unittest, import_helper):
    """Files that ask `import_helper` for such a module before anything else are run, too."""
    original = import_helper.import_module

    def import_module(name, *arguments, **keywords):
        try:
            return original(name, *arguments, **keywords)
        except unittest.SkipTest:
            if name not in INTERNALS or sys._getframe(1).f_code.co_name != "<module>":
                raise
            return absent_module(unittest, name)

    import_helper.import_module = import_module


def prepare():
    """What CPython's own runner sets up, as far as the interpreter has it."""
    try:
        import faulthandler
        faulthandler.enable(all_threads=True)
    except Exception:
        pass
    try:
        import signal
        signal.signal(signal.SIGINT, signal.default_int_handler)
    except Exception:
        pass
    try:
        sys.stdout.reconfigure(errors="backslashreplace")
    except Exception:
        pass
    from test import support
    support.verbose = 0
    # As in a plain run of CPython's suite: nothing slow, large, or beyond this machine.
    support.use_resources = {}
    support.LOOPBACK_TIMEOUT = 10.0
    support.SHORT_TIMEOUT = 30.0
    support.LONG_TIMEOUT = 60.0
    try:
        support.record_original_stdout(sys.stdout)
    except Exception:
        pass


def run(report, skip, module_name):
    import importlib
    import unittest

    skipped = set()
    if os.path.exists(skip):
        with open(skip, encoding="utf-8", errors="surrogateescape") as file:
            skipped = set(file.read().splitlines())

    def log(text):
        try:
            print(text, file=sys.__stderr__, flush=True)
        except Exception:
            pass

    def problem(exc):
        import traceback
        text = "".join(traceback.format_exception(exc))
        log(text)
        return text.rstrip().rpartition("\n")[2]

    prefix = module_name + "."
    try:
        prepare()
        provide_internals(unittest, importlib.import_module("test.support.import_helper"))
        module = load(importlib, unittest, module_name)
    except unittest.SkipTest as exc:
        report.line("X", "skip", str(exc))
        return
    except BaseException as exc:
        report.line("X", "error", problem(exc))
        return
    try:
        loader = unittest.TestLoader()
        suite = loader.loadTestsFromModule(module)
        for error in loader.errors:
            log(error)
        if loader.errors:
            report.line("X", "error", "errors while loading tests")
            return
        if skipped:
            drop(unittest, suite, skipped, prefix)
        suite.run(result_class(unittest, report, prefix, log)())
    except unittest.SkipTest as exc:
        report.line("X", "skip", str(exc))
        return
    except BaseException as exc:
        report.line("X", "error", problem(exc))
        return
    report.line("D")


def main():
    results, workdir, skip, module_name = sys.argv[1:]
    sys.argv[1:] = []
    if sys.path and sys.path[0] == os.path.dirname(os.path.abspath(__file__)):
        del sys.path[0]
    os.chdir(workdir)
    # Some tests want the working directory's files to be importable, as they are for CPython's runner.
    sys.path.insert(0, workdir)
    run(Report(results), skip, module_name)


if __name__ == "__main__":
    main()
