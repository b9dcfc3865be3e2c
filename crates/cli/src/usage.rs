//! The help texts.

/// What is printed after a wrong option.
pub fn short(program: &str) -> String {
    format!(
        "usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `{program} -h' for more information.\n"
    )
}

/// `-V`; with `details` `-VV`.
pub fn version(details: bool) -> String {
    if details {
        format!("Python 3.14.0 (Taipan {}, built with Rust)\n", env!("CARGO_PKG_VERSION"))
    } else {
        "Python 3.14.0\n".to_string()
    }
}

/// `-h`
pub fn usage(program: &str) -> String {
    format!(
        "usage: {program} [option] ... [-c cmd | -m mod | file | -] [arg] ...
Options (and corresponding environment variables):
-b     : warn about str(bytes), str(bytearray), comparing bytes with str; -bb: error
-B     : don't write .pyc files on import (PYTHONDONTWRITEBYTECODE=x)
-c cmd : run the program given as a string; ends the list of options
-d     : parser debugging output (PYTHONDEBUG=x)
-E     : ignore PYTHON* environment variables
-h     : print this help and exit (also -? or --help)
-i     : become interactive after the program (PYTHONINSPECT=x)
-I     : isolate from the user's environment (implies -E, -P and -s)
-m mod : run a library module as a program; ends the list of options
-O     : without assert statements (PYTHONOPTIMIZE=x); -OO: without docstrings too
-P     : don't put a possibly unsafe path first on sys.path (PYTHONSAFEPATH)
-q     : no version and copyright lines at interactive start
-s     : don't add the user's site directory to sys.path (PYTHONNOUSERSITE=x)
-S     : don't import site
-u     : unbuffered stdout and stderr (PYTHONUNBUFFERED=x)
-v     : trace imports (PYTHONVERBOSE=x)
-V     : print the version and exit (also --version)
-W arg : control warnings: action:message:category:module:lineno (PYTHONWARNINGS=arg)
-x     : skip the first line of the source
-X opt : an option of this implementation
--help-env, --help-xoptions, --help-all: further help
Arguments:
file   : a program read from a file
-      : a program read from standard input (default; interactive on a terminal)
arg ...: passed to the program in sys.argv[1:]
"
    )
}

/// `--help-env`
pub const ENVIRONMENT: &str = "Environment variables that change behavior:
PYTHONDONTWRITEBYTECODE : don't write .pyc files (-B)
PYTHONHASHSEED          : 'random', or a number that makes hashes of str and bytes repeatable
PYTHONHOME              : the directory that holds the library
PYTHONINTMAXSTRDIGITS   : limit of digits in int <-> str conversions
PYTHONIOENCODING        : encoding[:errors] of stdin, stdout and stderr
PYTHONNOUSERSITE        : no user site directory (-s)
PYTHONOPTIMIZE          : level of optimisation (-O)
PYTHONPATH              : directories that go first on sys.path, separated by ':'
PYTHONPYCACHEPREFIX     : where the .pyc files go
PYTHONSAFEPATH          : no unsafe path on sys.path (-P)
PYTHONUNBUFFERED        : unbuffered stdout and stderr (-u)
PYTHONVERBOSE           : trace imports (-v)
PYTHONWARNINGS          : warning filters (-W)
";

/// `--help-xoptions`
pub const XOPTIONS: &str = "The following -X options are known:
-X dev                   : development mode
-X importtime            : how long each import takes
-X int_max_str_digits=N  : limit of digits in int <-> str conversions
-X pycache_prefix=PATH   : where the .pyc files go
-X utf8[=0|1]            : UTF-8 mode
-X warn_default_encoding : warn of text files opened without encoding
";
