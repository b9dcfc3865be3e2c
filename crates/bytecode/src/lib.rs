//! The 3.14 instruction set, code-object data, line and exception tables, and marshal. Knows nothing of objects.
