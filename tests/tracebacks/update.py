"""Writes expected.txt: what CPython 3.14, which runs this, writes to standard error for each program of cases.txt."""

import os
import re
import subprocess
import sys
import tempfile

HOME = os.path.dirname(os.path.abspath(__file__))


def neutral(text, directory):
    text = text.replace(directory + "/", "")
    text = re.sub("0x[0-9a-f]+", "0x", text)
    return re.sub(r'File "[^"]*/lib/python3\.14/([^"]*)", line \d+', r'File "lib/\1", line N', text)


def main():
    with open(os.path.join(HOME, "cases.txt"), encoding="utf-8") as file:
        parts = file.read().split("=== ")[1:]
    environment = {"PYTHONHASHSEED": "0", "LANG": "C.UTF-8", "NO_COLOR": "1", "TZ": "UTC", "PATH": os.environ["PATH"]}
    with tempfile.TemporaryDirectory() as directory, open(os.path.join(HOME, "expected.txt"), "w") as output:
        for part in parts:
            name, program = part.split("\n", 1)
            with open(os.path.join(directory, name + ".py"), "w", encoding="utf-8") as file:
                file.write(program)
            command = [sys.executable, name + ".py"]
            done = subprocess.run(
                command, cwd=directory, env=environment, stdin=subprocess.DEVNULL, capture_output=True
            )
            errors = neutral(done.stderr.decode("utf-8", "replace"), directory).rstrip("\n")
            output.write(f"=== {name}\nstatus {done.returncode}\n{errors}\n")


main()
