"""What only Taipan has: tools that show how it runs Python programs.

    python -m taipan explain FILE

The module `taipan.explain` says more. What the interpreter itself tells is in the module `_taipan`.
"""
