//! The built-in node types. A node sees its parameters and items through `NodeContext` and the world through
//! `NodeHost`; nothing here opens a socket or a file.
