//! Rules of the engine as data: small graphs in a text notation, and what must come of them.
