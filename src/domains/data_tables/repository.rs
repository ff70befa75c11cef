//! Queries of data tables. Values of rows lie in JSON: which column a condition reads was checked against the table's
//! columns, whose names are letters, digits and underscores.

use sea_orm::sea_query::{BinOper, Expr, ExprTrait, Func, IntoCondition, LikeExpr, OnConflict};
use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, Condition, ConnectionTrait, DbBackend, DbErr, EntityTrait,
    IntoActiveModel, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};

use super::entities::{row, table};
use super::filter::{Checked, Combination, Comparison, Place, Test};
use super::model::ColumnType;
use crate::common::{DataTableId, TenantId};
use crate::infrastructure::database::Scoped;
use millrace_model::Value;

pub(super) type Table = table::Model;
pub(super) type Row = row::Model;

/// Rows of one statement.
const CHUNK: usize = 500;

/// Tables, newest first, one more than the limit.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    before: Option<DataTableId>,
    limit: u64,
) -> Result<Vec<Table>, DbErr> {
    let mut query = table::Entity::scoped(tenant).order_by_desc(table::Column::Id).limit(limit.saturating_add(1));
    if let Some(before) = before {
        query = query.filter(table::Column::Id.lt(before));
    }
    query.all(connection).await
}

pub(super) async fn find(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: DataTableId,
) -> Result<Option<Table>, DbErr> {
    table::Entity::scoped(tenant).filter(table::Column::Id.eq(id)).one(connection).await
}

pub(super) async fn find_by_name(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    name: &str,
) -> Result<Option<Table>, DbErr> {
    table::Entity::scoped(tenant).filter(table::Column::Name.eq(name)).one(connection).await
}

/// The table, which nobody else changes until the transaction is over.
pub(super) async fn lock(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: DataTableId,
) -> Result<Option<Table>, DbErr> {
    table::Entity::scoped(tenant).filter(table::Column::Id.eq(id)).lock_exclusive().one(connection).await
}

pub(super) async fn count(connection: &impl ConnectionTrait, tenant: TenantId) -> Result<u64, DbErr> {
    use sea_orm::PaginatorTrait;
    table::Entity::scoped(tenant).count(connection).await
}

pub(super) async fn insert(connection: &impl ConnectionTrait, table: Table) -> Result<(), DbErr> {
    table::Entity::insert(table.into_active_model().reset_all()).exec_without_returning(connection).await.map(drop)
}

/// Writes what may change of a table.
pub(super) async fn update(connection: &impl ConnectionTrait, table: Table) -> Result<(), DbErr> {
    let (tenant, id) = (table.tenant_id, table.id);
    let changes = table::ActiveModel {
        name: Set(table.name),
        last_row: Set(table.last_row),
        row_count: Set(table.row_count),
        updated_at: Set(table.updated_at),
        ..Default::default()
    };
    let update = table::Entity::update_scoped(tenant).set(changes).filter(table::Column::Id.eq(id));
    update.exec(connection).await.map(drop)
}

/// Deletes a table with its rows. `false`: it was not there.
pub(super) async fn delete(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    id: DataTableId,
) -> Result<bool, DbErr> {
    row::Entity::delete_scoped(tenant).filter(row::Column::TableId.eq(id)).exec(connection).await?;
    let deleted = table::Entity::delete_scoped(tenant).filter(table::Column::Id.eq(id)).exec(connection).await?;
    Ok(deleted.rows_affected == 1)
}

/// Writes rows: new ones, and new data of those that are there.
pub(super) async fn put_rows(connection: &impl ConnectionTrait, rows: &[Row]) -> Result<(), DbErr> {
    for chunk in rows.chunks(CHUNK) {
        let replaced = OnConflict::columns([row::Column::TableId, row::Column::Id])
            .update_columns([row::Column::Data, row::Column::UpdatedAt])
            .to_owned();
        let models = chunk.iter().map(|row| row.clone().into_active_model().reset_all());
        row::Entity::insert_many(models).on_conflict(replaced).exec_without_returning(connection).await?;
    }
    Ok(())
}

pub(super) async fn delete_rows(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    table: DataTableId,
    ids: &[i64],
) -> Result<(), DbErr> {
    for chunk in ids.chunks(CHUNK) {
        row::Entity::delete_scoped(tenant)
            .filter(row::Column::TableId.eq(table))
            .filter(row::Column::Id.is_in(chunk.iter().copied()))
            .exec(connection)
            .await?;
    }
    Ok(())
}

/// Which rows, in which order.
#[derive(Clone, Debug, Default)]
pub(super) struct Selection {
    pub filter: Option<Checked>,
    /// In the order of their ids where it is not said.
    pub order: Option<(Place, bool)>,
    /// Only ids above this one.
    pub after: Option<i64>,
    pub limit: Option<u64>,
}

pub(super) async fn rows(
    connection: &impl ConnectionTrait,
    tenant: TenantId,
    table: DataTableId,
    selection: &Selection,
) -> Result<Vec<Row>, DbErr> {
    let backend = connection.get_database_backend();
    let mut query: Select<row::Entity> = row::Entity::scoped(tenant).filter(row::Column::TableId.eq(table));
    if let Some(filter) = selection.filter.as_ref().filter(|filter| !filter.conditions.is_empty()) {
        let conditions = filter.conditions.iter().map(|test| condition(backend, test));
        let combined = match filter.combination {
            Combination::All => Condition::all(),
            Combination::Any => Condition::any(),
        };
        query = query.filter(conditions.fold(combined, Condition::add));
    }
    if let Some(after) = selection.after {
        // The cast tells the statement from a filter's, which compares with a float: PostgreSQL's driver keeps the types of
        // the first values it saw with a text.
        query = query.filter(row::Column::Id.into_expr().gt(Expr::value(after).cast_as("bigint")));
    }
    if let Some((place, descending)) = &selection.order {
        query = query.order_by(read(backend, place), if *descending { Order::Desc } else { Order::Asc });
    }
    query = query.order_by_asc(row::Column::Id);
    if let Some(limit) = selection.limit {
        query = query.limit(limit);
    }
    query.all(connection).await
}

/// What a place of a row holds, as the database compares it.
fn read(backend: DbBackend, place: &Place) -> Expr {
    let column = match place {
        Place::Id => return row::Column::Id.into_expr(),
        Place::CreatedAt => return row::Column::CreatedAt.into_expr(),
        Place::UpdatedAt => return row::Column::UpdatedAt.into_expr(),
        Place::Column(column) => column,
    };
    let name = &column.name;
    if backend != DbBackend::Postgres {
        return Expr::cust(format!("json_extract(data, '$.{name}')"));
    }
    let text = format!("(data::jsonb ->> '{name}')");
    Expr::cust(match column.kind {
        ColumnType::Text | ColumnType::Date => format!("{text} COLLATE \"C\""),
        ColumnType::Number => format!("{text}::double precision"),
        ColumnType::Boolean => format!("{text}::boolean"),
    })
}

fn condition(backend: DbBackend, test: &Test) -> Condition {
    let place = read(backend, &test.place);
    let value = match &test.value {
        Value::Number(number) => sea_orm::Value::from(*number),
        // SQLite's JSON gives 1 and 0.
        Value::Bool(value) if backend != DbBackend::Postgres => i32::from(*value).into(),
        Value::Bool(value) => (*value).into(),
        Value::String(text) => text.to_string().into(),
        _ if test.comparison == Comparison::Neq => return place.is_not_null().into_condition(),
        _ => return place.is_null().into_condition(),
    };
    let text = test.value.as_str().unwrap_or_default();
    match test.comparison {
        Comparison::Eq => place.eq(value),
        Comparison::Neq => place.clone().ne(value).or(place.is_null()),
        Comparison::Gt => place.gt(value),
        Comparison::Gte => place.gte(value),
        Comparison::Lt => place.lt(value),
        Comparison::Lte => place.lte(value),
        Comparison::Ilike => Expr::expr(Func::lower(place)).like(pattern(backend, &text.to_lowercase())),
        // SQLite's LIKE knows no case.
        Comparison::Like if backend != DbBackend::Postgres => place.binary(BinOper::Custom("GLOB"), glob(text)),
        Comparison::Like => place.like(pattern(backend, text)),
    }
    .into_condition()
}

/// A backslash stands for itself: PostgreSQL would take it for more.
fn pattern(backend: DbBackend, text: &str) -> LikeExpr {
    LikeExpr::new(if backend == DbBackend::Postgres { text.replace('\\', "\\\\") } else { text.to_owned() })
}

/// A pattern of LIKE as one of GLOB.
pub(super) fn glob(pattern: &str) -> String {
    let mut glob = String::with_capacity(pattern.len());
    for letter in pattern.chars() {
        match letter {
            '%' => glob.push('*'),
            '_' => glob.push('?'),
            '*' | '?' | '[' => glob.extend(['[', letter, ']']),
            other => glob.push(other),
        }
    }
    glob
}
