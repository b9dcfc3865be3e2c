"""The deterministic profiler with the interface of `profile`, on the native `_lsprof`."""

import _lsprof
import importlib.machinery
import importlib.util
import io
import profile as _pyprofile

__all__ = ["run", "runctx", "Profile"]


def run(statement, filename=None, sort=-1):
    return _pyprofile._Utils(Profile).run(statement, filename, sort)


def runctx(statement, globals, locals, filename=None, sort=-1):
    return _pyprofile._Utils(Profile).runctx(statement, globals, locals, filename, sort)


run.__doc__ = _pyprofile.run.__doc__
runctx.__doc__ = _pyprofile.runctx.__doc__


class Profile(_lsprof.Profiler):
    """Profile(timer=None, timeunit=None, subcalls=True, builtins=True)

    Profiles with the given timer, by default one of real time. The results of a timer that returns integers are
    multiplied by timeunit, a float, to give seconds.
    """

    def print_stats(self, sort=-1):
        import pstats

        keys = sort if isinstance(sort, tuple) else (sort,)
        pstats.Stats(self).strip_dirs().sort_stats(*keys).print_stats()

    def dump_stats(self, file):
        import marshal

        with open(file, "wb") as out:
            self.create_stats()
            marshal.dump(self.stats, out)

    def create_stats(self):
        self.disable()
        self.snapshot_stats()

    def snapshot_stats(self):
        """Sets self.stats to {function: (primitive calls, calls, own time, cumulative time, callers)}."""
        stats = {}
        callers = {}
        for entry in self.getstats():
            function = label(entry.code)
            total, recursive = entry.callcount, entry.reccallcount
            known = stats.get(function)
            if known is None:
                callers[function] = {}
                stats[function] = (total - recursive, total, entry.inlinetime, entry.totaltime, callers[function])
            else:
                # Several code objects can have one label, such as lambdas on one line.
                stats[function] = (known[0] + total - recursive, known[1] + total, known[2] + entry.inlinetime,
                                   known[3] + entry.totaltime, known[4])
        for entry in self.getstats():
            caller = label(entry.code)
            for call in entry.calls or ():
                of_callee = callers.get(label(call.code))
                if of_callee is None:
                    continue
                counts = (call.callcount, call.callcount - call.reccallcount, call.inlinetime, call.totaltime)
                known = of_callee.get(caller)
                if known is not None:
                    counts = tuple(a + b for a, b in zip(known, counts))
                of_callee[caller] = counts
        self.stats = stats

    def run(self, cmd):
        import __main__

        return self.runctx(cmd, __main__.__dict__, __main__.__dict__)

    def runctx(self, cmd, globals, locals):
        self.enable()
        try:
            exec(cmd, globals, locals)
        finally:
            self.disable()
        return self

    def runcall(self, func, /, *args, **kw):
        self.enable()
        try:
            return func(*args, **kw)
        finally:
            self.disable()

    def __enter__(self):
        self.enable()
        return self

    def __exit__(self, *exc_info):
        self.disable()


def label(code):
    """The key of a function in the statistics; what is native has a text instead of a code object."""
    if isinstance(code, str):
        return ("~", 0, code)
    return (code.co_filename, code.co_firstlineno, code.co_name)


def main():
    import os
    import pstats
    import runpy
    import sys
    from optparse import OptionParser

    usage = "cProfile.py [-o output_file_path] [-s sort] [-m module | scriptfile] [arg] ..."
    parser = OptionParser(usage=usage)
    parser.allow_interspersed_args = False
    parser.add_option("-o", "--outfile", dest="outfile", help="Save stats to <outfile>", default=None)
    parser.add_option("-s", "--sort", dest="sort", default=2, choices=sorted(pstats.Stats.sort_arg_dict_default),
                      help="Sort order when printing to stdout, based on pstats.Stats class")
    parser.add_option("-m", dest="module", action="store_true", help="Profile a library module", default=False)
    if not sys.argv[1:]:
        parser.print_usage()
        sys.exit(2)

    options, arguments = parser.parse_args()
    sys.argv[:] = arguments
    # The program may change the working directory.
    if options.outfile is not None:
        options.outfile = os.path.abspath(options.outfile)
    if not arguments:
        parser.print_usage()
        return parser

    if options.module:
        code = "run_module(modname, run_name='__main__')"
        namespace = {"run_module": runpy.run_module, "modname": arguments[0]}
    else:
        program = arguments[0]
        sys.path.insert(0, os.path.dirname(program))
        with io.open_code(program) as file:
            code = compile(file.read(), program, "exec")
        spec = importlib.machinery.ModuleSpec(name="__main__", loader=None, origin=program)
        module = importlib.util.module_from_spec(spec)
        # The program's module is what `__main__` names, so that it can pickle its classes.
        sys.modules["__main__"] = module
        module.__dict__.update({"__spec__": spec, "__file__": spec.origin, "__name__": spec.name, "__package__": None,
                                "__cached__": None})
        namespace = module.__dict__
    try:
        runctx(code, namespace, None, options.outfile, options.sort)
    except BrokenPipeError as error:
        # Nobody reads the report any more; the shutdown must not complain of that again.
        sys.stdout = None
        sys.exit(error.errno)
    return parser


if __name__ == "__main__":
    main()
