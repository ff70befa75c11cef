//! What a query may do, told to SQLite itself: the one place that calls its C interface.
#![expect(unsafe_code, reason = "SQLite's limits and its authorizer have no safe interface here")]

use std::ffi::{c_char, c_int, c_void};
use std::ptr;

use libsqlite3_sys as sqlite;
use sqlx::sqlite::LockedSqliteHandle;

/// Bounds the length of values and rows, in bytes.
pub(super) fn limit(handle: &mut LockedSqliteHandle<'_>, length: c_int) {
    let database = handle.as_raw_handle().as_ptr();
    // SAFETY: the handle is locked, so the connection is open and nobody else uses it; the call only sets a number.
    unsafe {
        sqlite::sqlite3_limit(database, sqlite::SQLITE_LIMIT_LENGTH, length);
        sqlite::sqlite3_limit(database, sqlite::SQLITE_LIMIT_ATTACHED, 0);
    }
}

/// From now on statements may only read.
pub(super) fn only_reading(handle: &mut LockedSqliteHandle<'_>) -> bool {
    let database = handle.as_raw_handle().as_ptr();
    // SAFETY: as above; the callback is a function without state, so it outlives the connection.
    let code = unsafe { sqlite::sqlite3_set_authorizer(database, Some(allow), ptr::null_mut()) };
    code == sqlite::SQLITE_OK
}

/// Reading tables and calling functions; extensions cannot be loaded, as SQLite has that switched off.
unsafe extern "C" fn allow(
    _state: *mut c_void,
    action: c_int,
    _first: *const c_char,
    _second: *const c_char,
    _database: *const c_char,
    _trigger: *const c_char,
) -> c_int {
    match action {
        sqlite::SQLITE_SELECT | sqlite::SQLITE_READ | sqlite::SQLITE_FUNCTION | sqlite::SQLITE_RECURSIVE => {
            sqlite::SQLITE_OK
        }
        _ => sqlite::SQLITE_DENY,
    }
}
