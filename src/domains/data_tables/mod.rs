//! Data tables: rows that a tenant's workflows keep and share, with columns of a type each.
//!
//! Owns `data_tables` and `data_table_rows`. Invariants: a name is one table of its tenant; a row has values of its table's
//! columns alone, each of the column's type or null; whoever changes rows holds their table, so that two upserts of one key
//! make one row; numbers of rows and tables are limited.

mod archive;
mod calls;
mod dto;
mod editing;
mod entities;
mod error;
mod filter;
mod handlers;
mod model;
mod repository;
mod rows;
mod service;
#[cfg(test)]
mod tests;

use utoipa_actix_web::service_config::ServiceConfig;

pub use error::Error;
pub use service::Service;

/// Routes under `/api/v1`.
pub fn configure(config: &mut ServiceConfig) {
    config
        .service(handlers::list_data_tables)
        .service(handlers::create_data_table)
        .service(handlers::get_data_table)
        .service(handlers::rename_data_table)
        .service(handlers::delete_data_table)
        .service(handlers::list_data_table_rows)
        .service(handlers::insert_data_table_rows)
        .service(handlers::update_data_table_rows)
        .service(handlers::upsert_data_table_row)
        .service(handlers::delete_data_table_rows);
}
