"""What the programs of this directory share: trying something that may fail in any ordinary way."""

import sys


def attempt(what, function, *arguments, **keywords):
    """Calls `function`; what it raises is given back. `-v` tells what is being tried, to find what crashed."""
    if "-v" in sys.argv:
        print(what, file=sys.stderr, flush=True)
    try:
        return function(*arguments, **keywords)
    except Exception as exception:
        # The traceback of a deep recursion keeps its frames.
        return exception.with_traceback(None)


def raises(kind, what, function, *arguments, **keywords):
    """As `attempt`, and the exception has to be of this kind."""
    outcome = attempt(what, function, *arguments, **keywords)
    if not isinstance(outcome, kind):
        raise AssertionError(f"{what}: {kind} expected, not {str(outcome)[:200]}")
