//! Promises that hold for every operation of the OpenAPI document, so that none is forgotten when one is added.

mod document;
mod documentation;
mod isolation;
mod operation;
mod permissions;

use operation::Operation;
