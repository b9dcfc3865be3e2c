"""What a process is denied before it runs inputs: they may do anything that Python can do, but not to the machine."""

import os
import resource
import shutil
import sys

# Modules from which nothing is wanted, or whose work is to reach outside.
FORBIDDEN_MODULES = {
    "ctypes", "_ctypes", "resource", "_posixsubprocess", "signal", "_signal", "fcntl", "termios", "pty", "tty", "syslog",
    "socket", "_socket", "faulthandler", "subprocess", "multiprocessing", "_multiprocessing", "webbrowser", "ensurepip",
    "venv", "shutil", "readline", "curses", "_curses", "antigravity", "idlelib", "turtle", "tkinter", "pdb", "_pyrepl",
    "_testcapi", "_testinternalcapi", "_xxtestfuzz", "_interpreters", "posix",
}
# Of events that are audited, the first part.
FORBIDDEN_EVENTS = {
    "os", "shutil", "subprocess", "socket", "ctypes", "signal", "fcntl", "pty", "syslog", "resource", "_thread", "ftplib",
    "glob", "http", "imaplib", "nntplib", "poplib", "smtplib", "telnetlib", "urllib", "webbrowser", "tempfile", "mmap",
    "ensurepip", "setopencodehook",
}
ALLOWED_EVENTS = {"os.listdir", "os.scandir", "os.walk", "os.fwalk"}
# In `posix`, and not audited.
HARMFUL = {
    "abort", "_exit", "close", "closerange", "dup", "dup2", "write", "writev", "pwrite", "pwritev", "sendfile", "splice",
    "copy_file_range", "read", "readv", "pread", "preadv", "pipe", "pipe2", "fork", "forkpty", "wait", "waitpid", "waitid", "wait3",
    "wait4", "ftruncate", "lockf", "lseek", "mkfifo", "mknod", "nice", "setsid", "setpgid", "setpriority", "sched_setaffinity",
    "sched_setscheduler", "sched_setparam", "sync", "fsync", "fdatasync", "umask", "chroot", "set_inheritable", "set_blocking",
    "login_tty", "openpty", "eventfd", "memfd_create", "timerfd_create", "pidfd_open", "setns", "unshare", "register_at_fork",
    "sysconf", "getrandom", "urandom",
}


def limit_resources(seconds, memory):
    with open("/proc/self/statm") as file:
        mapped = int(file.read().split()[0]) * resource.getpagesize()
    if mapped > memory:
        # The address sanitizer's own memory is beyond any such limit.
        import _taipan

        _taipan.limit_memory(memory)
        memory = resource.RLIM_INFINITY
    for kind, size in [("CPU", seconds), ("AS", memory), ("FSIZE", 1 << 20), ("CORE", 0), ("NOFILE", 200)]:
        hard = resource.getrlimit(getattr(resource, f"RLIMIT_{kind}"))[1]
        resource.setrlimit(getattr(resource, f"RLIMIT_{kind}"), (size, size if kind != "CPU" else hard))


def confine():
    import time

    for module in (os, sys.modules["posix"]):
        for name in HARMFUL:
            if hasattr(module, name):
                delattr(module, name)
    time.sleep = None
    sys.modules["time"].sleep = None
    for name in list(sys.modules):
        if name.partition(".")[0] in FORBIDDEN_MODULES:
            del sys.modules[name]
    # The frozen set cannot be reached from the hook.
    forbidden, allowed, modules = frozenset(FORBIDDEN_EVENTS), frozenset(ALLOWED_EVENTS), frozenset(FORBIDDEN_MODULES)
    write_flags, dirname = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC, os.path.dirname

    def hook(event, arguments):
        if event == "import":
            if arguments[0].partition(".")[0] in modules:
                raise ImportError("out of bounds")
        elif event == "open":
            path, mode, flags = arguments
            writing = isinstance(flags, int) and flags & write_flags
            if not isinstance(path, str) or writing and dirname(path) or path.startswith(("/dev", "/proc", "/sys")):
                raise PermissionError("out of bounds")
        elif event == "mmap.__new__" and arguments[0] == -1:
            return
        elif event.partition(".")[0] in forbidden and event not in allowed:
            raise PermissionError("out of bounds")

    sys.addaudithook(hook)


def remove(name):
    """Away with what an input has left in the working directory."""
    try:
        if os.path.isdir(name) and not os.path.islink(name):
            shutil.rmtree(name, ignore_errors=True)
        else:
            os.unlink(name)
    except OSError:
        pass
