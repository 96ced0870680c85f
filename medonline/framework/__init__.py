"""Everything that the portal uses of Reflex, Socket.IO and Engine.IO although they do not promise it: attributes with an underscore, names
of handlers and variables, shapes of arguments.

No other part of the portal uses such things. Each has a test in `tests/framework/` that is named after the fact. If an update of a library
changes the fact, its test turns red, and this package is the place to repair. Documented interfaces are used directly.
"""
