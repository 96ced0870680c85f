"""What the portal uses of Reflex, Socket.IO and Engine.IO that these do not promise: attributes with an underscore, names of
handlers and variables, the shape of what they hand over.

Nothing else in the portal names such a thing. Each has a test in `tests/framework/` that is named after the fact: an update of a
library that changes one turns that test red, and this package is the place to repair. What they promise is used directly.
"""
