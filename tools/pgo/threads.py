"""Runs a program in two threads at the same time.

    threads.py PROGRAM ARGUMENT...
"""

import os
import sys
import threading


def main():
    del sys.argv[0]
    path = sys.argv[0]
    sys.path[0] = os.path.dirname(path)
    with open(path) as file:
        code = compile(file.read(), path, "exec")
    threads = [threading.Thread(target=exec, args=(code, {"__name__": "__main__"})) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


main()
