//! The help texts.

/// What is printed after a wrong option.
pub fn short(program: &str) -> String {
    format!(
        "usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `python -h' for more information.\n"
    )
}

/// `-V`; with `details` `-VV`.
pub fn version(details: bool) -> String {
    let version = taipan::version();
    let number = version.split(' ').next().unwrap_or_default();
    format!("Python {}\n", if details { &version } else { number })
}

/// `-h`
pub fn usage(program: &str) -> String {
    format!("usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...\n{OPTIONS}")
}

/// `--help-env`
pub fn environment() -> String {
    ENVIRONMENT.to_string()
}

/// `--help-xoptions`
pub fn xoptions() -> String {
    XOPTIONS.to_string()
}

const OPTIONS: &str = "\
Options (and corresponding environment variables):
-b     : warn about str(bytes) and str(bytearray), and comparing bytes with str
         or int. (-bb: make these errors)
-B     : write no .pyc files on import; also PYTHONDONTWRITEBYTECODE=x
-c cmd : run the program given as a string (ends the list of options)
-d     : parser debugging output (has no effect here); also PYTHONDEBUG=x
-E     : ignore the environment variables PYTHON*
-h     : print this help and exit (also -? or --help)
-i     : become interactive after the program, and show a prompt even if stdin
         is no terminal; also PYTHONINSPECT=x
-I     : isolate from the user's environment (implies -E, -P and -s)
-m mod : run a library module as a program (ends the list of options)
-O     : leave out assert statements and what depends on __debug__;
         also PYTHONOPTIMIZE=x
-OO    : as -O, and leave out docstrings too
-P     : don't put a possibly unsafe path first on sys.path; also
         PYTHONSAFEPATH
-q     : no version and copyright lines at an interactive start
-s     : don't add the user's site directory to sys.path; also
         PYTHONNOUSERSITE=x
-S     : don't import site at the start
-u     : unbuffered stdout and stderr; stdin stays as it is; also
         PYTHONUNBUFFERED=x
-v     : trace imports; also PYTHONVERBOSE=x; may be given several times
-V     : print the version and exit (also --version); given twice, print more
-W arg : control warnings: action:message:category:module:lineno; also
         PYTHONWARNINGS=arg
-x     : skip the first line of the program, for other systems' forms of #!
-X opt : set an option of the implementation
--check-hash-based-pycs always|default|never:
         how .pyc files that carry a hash of their source are validated
--help-env: print help on environment variables and exit
--help-xoptions: print help on -X options and exit
--help-all: print all help and exit

Arguments:
file   : the program, a file
-      : read the program from stdin (the default; interactive on a terminal)
arg ...: arguments of the program, in sys.argv[1:]
";

const ENVIRONMENT: &str = "\
Environment variables that change behavior:
PYTHONASYNCIODEBUG: debug mode of asyncio
PYTHON_BASIC_REPL: the basic interactive session, one line at a time
PYTHONBREAKPOINT: what breakpoint() calls; 0 for nothing
PYTHONCOERCECLOCALE: 0 leaves the C locale as it is; warn says when UTF-8 replaces it
PYTHON_COLORS   : 1 for colored output, 0 for plain output
PYTHONHASHSEED  : 'random', or a number in [0,4294967295] that makes the hashes
                  of str and bytes repeatable
PYTHON_HISTORY  : the file for the history of the interactive session
PYTHONHOME      : <prefix> or <prefix>:<exec_prefix>; the library is in
                  <prefix>/lib/python3.14
PYTHONIOENCODING: encoding[:errors] of stdin, stdout and stderr
PYTHONPATH      : directories that go first on sys.path, separated by ':'
PYTHONPLATLIBDIR: sys.platlibdir
PYTHONSTARTUP   : a file to run at the start of an interactive session
PYTHONUSERBASE  : the user's base directory (site.USER_BASE)

These variables have the same meaning as command line options (see --help):
PYTHON_CONTEXT_AWARE_WARNINGS: warning filters in context variables
                  (-X context_aware_warnings)
PYTHON_CPU_COUNT: what os.cpu_count() returns (-X cpu_count)
PYTHONDEBUG     : parser debugging output (-d)
PYTHONDEVMODE   : development mode (-X dev)
PYTHONDONTWRITEBYTECODE: write no .pyc files (-B)
PYTHONFAULTHANDLER: print tracebacks on fatal errors (-X faulthandler)
PYTHON_FROZEN_MODULES: frozen modules (-X frozen_modules)
PYTHONINSPECT   : become interactive after the program (-i)
PYTHONINTMAXSTRDIGITS: limit of digits in conversions between int and str;
                  0 for none (-X int_max_str_digits=N)
PYTHONNODEBUGRANGES: no columns in code objects (-X no_debug_ranges)
PYTHONNOUSERSITE: no user site directory (-s)
PYTHONOPTIMIZE  : optimization level 1 (-O)
PYTHONPROFILEIMPORTTIME: how long each import takes (-X importtime)
PYTHONPYCACHEPREFIX: the directory for .pyc files (-X pycache_prefix)
PYTHONSAFEPATH  : no possibly unsafe path on sys.path (-P)
PYTHON_THREAD_INHERIT_CONTEXT: threads inherit context variables
                  (-X thread_inherit_context)
PYTHONTRACEMALLOC: trace memory allocations (-X tracemalloc)
PYTHONUNBUFFERED: unbuffered stdout and stderr (-u)
PYTHONUTF8      : the UTF-8 mode (-X utf8)
PYTHONVERBOSE   : trace imports (-v)
PYTHONWARNDEFAULTENCODING: EncodingWarning where no encoding is given
                  (-X warn_default_encoding)
PYTHONWARNINGS  : control warnings (-W)
";

const XOPTIONS: &str = "\
The following implementation-specific options are available:
-X context_aware_warnings=[0|1]: warning filters in context variables (1) or
         in the module (0, the default); also PYTHON_CONTEXT_AWARE_WARNINGS
-X cpu_count=N: what os.cpu_count() returns; 'default' for the real number;
         also PYTHON_CPU_COUNT
-X dev : development mode; also PYTHONDEVMODE
-X faulthandler: print tracebacks on fatal errors; also PYTHONFAULTHANDLER
-X frozen_modules=[on|off]: whether modules of the start are imported as frozen
         modules; on, unless there is a library on the disk; also
         PYTHON_FROZEN_MODULES
-X importtime[=2]: how long each import takes; 2: mention modules that were
         loaded already; also PYTHONPROFILEIMPORTTIME
-X int_max_str_digits=N: limit of digits in conversions between int and str;
         0 for none; also PYTHONINTMAXSTRDIGITS
-X no_debug_ranges: no columns in code objects; also PYTHONNODEBUGRANGES
-X pycache_prefix=PATH: the directory for .pyc files; also PYTHONPYCACHEPREFIX
-X stats: print counters of the interpreter at the end, in builds that have them
         (the Cargo feature stats)
-X thread_inherit_context=[0|1]: whether threads inherit context variables;
         also PYTHON_THREAD_INHERIT_CONTEXT
-X tracemalloc[=N]: trace memory allocations, N frames each (1 by default);
         also PYTHONTRACEMALLOC=N
-X utf8[=0|1]: the UTF-8 mode off or on; also PYTHONUTF8
-X warn_default_encoding: EncodingWarning where no encoding is given;
         also PYTHONWARNDEFAULTENCODING
";
