"""Parameters that are assigned: what they hold dies with the call, whatever was passed."""

import weakref


class Thing:
    pass


class Problem(Exception):
    pass


def assigned(parameter):
    parameter = Thing()
    return weakref.ref(parameter)


def deleted(parameter):
    del parameter
    parameter = Thing()
    return weakref.ref(parameter)


def caught(parameter):
    error = Problem()
    reference = weakref.ref(error)
    try:
        raise error
    except Problem as parameter:
        error = None
    return reference


def looped(first, parameter):
    for parameter in (Thing() for _ in range(3)):
        pass
    return weakref.ref(parameter)


def kept(parameter):
    parameter = parameter
    return parameter


for argument in (None, True, 1, 1.5, "text", (), Thing()):
    local = argument
    print(
        type(argument).__name__,
        assigned(argument)(),
        assigned(local)(),
        assigned(parameter=argument)(),
        deleted(argument)(),
        caught(argument)(),
        looped(argument, argument)(),
        kept(argument) is argument,
    )
print(assigned(None)(), deleted(1)(), caught(None)(), looped(1, None)())
