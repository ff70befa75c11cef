//! HTTP of node types.

use actix_web::get;
use actix_web::web::{Data, Path, Query};

use super::dto::{ListNodeTypesQuery, NodeTypeDetailResponse, NodeTypePage};
use super::service::Service;
use crate::common::Problem;
use crate::common::permission::grants::NodesRead;
use crate::infrastructure::web::{Can, Guarded, Json, NotFound};

/// List node types
///
/// What workflows can be made of, by name. All filters must hold.
#[utoipa::path(
    tag = "nodes",
    params(ListNodeTypesQuery),
    responses((status = 200, description = "A page of node types.", body = NodeTypePage), Guarded<NodesRead>)
)]
#[get("/node-types")]
pub(super) async fn list_node_types(
    _ctx: Can<NodesRead>,
    query: Query<ListNodeTypesQuery>,
    nodes: Data<Service>,
) -> Result<Json<NodeTypePage>, Problem> {
    Ok(Json(nodes.list(&query)?))
}

/// Get a node type
///
/// Its description with all parameters. An unknown name is answered with names close to it.
#[utoipa::path(
    tag = "nodes",
    params(("name" = String, Path, description = "Full name.", example = "n8n-nodes-base.set")),
    responses(
        (status = 200, description = "The node type.", body = NodeTypeDetailResponse),
        Guarded<NodesRead>, NotFound
    )
)]
#[get("/node-types/{name}")]
pub(super) async fn get_node_type(
    _ctx: Can<NodesRead>,
    name: Path<String>,
    nodes: Data<Service>,
) -> Result<Json<NodeTypeDetailResponse>, Problem> {
    Ok(Json(nodes.get(&name)?))
}
