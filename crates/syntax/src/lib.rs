//! Source text to tokens to AST: the tokeniser, the parser and `unparse`. Knows nothing of objects.
