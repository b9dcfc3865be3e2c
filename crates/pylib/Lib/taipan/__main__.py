"""The command `python -m taipan`."""

import argparse
import sys

from . import explain


def main():
    parser = argparse.ArgumentParser(prog="python -m taipan", description="Tools that show how Python programs run.")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    explain.add_arguments(commands)
    arguments = parser.parse_args()
    sys.exit(arguments.main(arguments))


if __name__ == "__main__":
    main()
