//! Rules of the engine as data: small graphs in a text notation (see `graph`), and what must come of them.

mod errors;
mod graph;
mod links;
mod order_legacy;
mod order_v1;
mod partial;
mod pauses;
mod random;
mod replay;
mod validation;
