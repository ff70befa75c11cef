//! Data tables: over the API and by nodes, on whichever database the tests run.

use actix_web::http::Method;
use serde_json::{Value, json};

use crate::flows::chain;
use crate::support::{Client, TestServer};

async fn things(client: &Client) -> String {
    let body = json!({ "name": "things", "columns": [
        { "name": "title", "type": "string" }, { "name": "num", "type": "number" },
        { "name": "ok", "type": "boolean" }, { "name": "day", "type": "date" }] });
    let created = client.post("/api/v1/data-tables", body).await.json(201);
    assert_eq!(created["columns"][1], json!({ "id": "num", "name": "num", "type": "number", "index": 1 }));
    created["id"].as_str().unwrap().to_owned()
}

async fn filled(client: &Client) -> String {
    let id = things(client).await;
    let rows = json!([
        { "title": "Apple", "num": 1, "ok": true, "day": "2024-05-06" },
        { "title": "banana", "num": 2.5, "ok": false, "day": "2024-05-07T08:09:10Z" },
        { "title": null }, { "title": "", "num": 7 }, { "title": "100%_x\\", "num": -1 }]);
    let path = format!("/api/v1/data-tables/{id}/rows");
    let answer = client.post(&path, json!({ "data": rows, "returnType": "id" })).await.json(200);
    assert_eq!(answer, json!([1, 2, 3, 4, 5]));
    id
}

fn query(filter: &Value) -> String {
    let text: String = url::form_urlencoded::byte_serialize(filter.to_string().as_bytes()).collect();
    format!("filter={text}")
}

async fn ids(client: &Client, table: &str, kind: &str, filters: Value) -> Vec<u64> {
    let filter = query(&json!({ "type": kind, "filters": filters }));
    let page = client.get(&format!("/api/v1/data-tables/{table}/rows?{filter}")).await.json(200);
    page["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

#[actix_web::test]
async fn filters_find_what_they_say() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let table = filled(&acme.operator).await;
    let one = |column: &str, condition: &str, value: Value| json!([{ "columnName": column, "condition": condition, "value": value }]);
    for (filters, expected) in [
        (json!([]), vec![1, 2, 3, 4, 5]),
        (one("title", "eq", json!("Apple")), vec![1]),
        (one("title", "neq", json!("Apple")), vec![2, 3, 4, 5]),
        (one("title", "eq", json!(null)), vec![3]),
        (one("title", "neq", json!(null)), vec![1, 2, 4, 5]),
        (one("title", "eq", json!("")), vec![4]),
        (one("title", "like", json!("%pp%")), vec![1]),
        (one("title", "like", json!("%PP%")), vec![]),
        (one("title", "ilike", json!("%PP%")), vec![1]),
        (one("title", "like", json!("_pple")), vec![1]),
        (one("title", "like", json!("100%\\")), vec![5]),
        (one("title", "ilike", json!("%\\")), vec![5]),
        (one("title", "gt", json!("a")), vec![2]),
        (one("num", "eq", json!(1)), vec![1]),
        (one("num", "gt", json!(1)), vec![2, 4]),
        (one("num", "gte", json!(1)), vec![1, 2, 4]),
        (one("num", "lt", json!(1)), vec![5]),
        (one("num", "lte", json!(1)), vec![1, 5]),
        (one("num", "neq", json!(1)), vec![2, 3, 4, 5]),
        (one("ok", "eq", json!(true)), vec![1]),
        (one("ok", "eq", json!(false)), vec![2]),
        (one("ok", "eq", json!(null)), vec![3, 4, 5]),
        (one("day", "gt", json!("2024-05-06T12:00:00Z")), vec![2]),
        (one("day", "eq", json!("2024-05-06T02:00:00+02:00")), vec![1]),
        (one("id", "gt", json!(3)), vec![4, 5]),
        (one("createdAt", "gt", json!("2020-01-01")), vec![1, 2, 3, 4, 5]),
        (one("updatedAt", "gt", json!("2990-01-01")), vec![]),
    ] {
        assert_eq!(ids(&acme.viewer, &table, "and", filters.clone()).await, expected, "{filters}");
    }
    let both = json!([{ "columnName": "num", "value": 1 }, { "columnName": "title", "value": "banana" }]);
    assert_eq!(ids(&acme.viewer, &table, "and", both.clone()).await, Vec::<u64>::new());
    assert_eq!(ids(&acme.viewer, &table, "or", both).await, [1, 2]);

    // Page by page.
    let path = format!("/api/v1/data-tables/{table}/rows?limit=2");
    let (mut seen, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = acme.viewer.get(&format!("{path}{cursor}")).await.json(200);
        seen.extend(page["data"].as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()));
        match page["nextCursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
    }
    assert_eq!(seen, [1, 2, 3, 4, 5]);
}

#[actix_web::test]
async fn rows_are_changed_added_and_deleted() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let table = filled(&acme.operator).await;
    let rows = format!("/api/v1/data-tables/{table}/rows");
    let by = |column: &str, value: Value| json!({ "filters": [{ "columnName": column, "condition": "eq", "value": value }] });
    let send = async |method: Method, what: &str, body: Value| {
        acme.operator.send(method, &format!("{rows}/{what}"), Some(body)).await.json(200)
    };
    let tried = json!({ "filter": by("num", json!(1)), "data": { "title": "Tried" }, "dryRun": true });
    assert_eq!(send(Method::PATCH, "update", tried).await[0]["title"], "Tried");
    assert_eq!(ids(&acme.viewer, &table, "and", json!([{ "columnName": "title", "value": "Tried" }])).await, [0u64; 0]);

    let change = json!({ "filter": by("num", json!(1)), "data": { "title": "Apricot", "ok": null } });
    assert_eq!(send(Method::PATCH, "update", change).await, json!(true));
    let again = json!({ "filter": by("title", json!("Apricot")), "data": { "num": 11 }, "returnData": true });
    let changed = send(Method::PATCH, "update", again).await;
    assert_eq!(
        (&changed[0]["num"], &changed[0]["ok"], &changed[0]["day"]),
        (&json!(11), &json!(null), &json!("2024-05-06T00:00:00.000Z"))
    );
    let upsert = |title: &str| json!({ "filter": by("num", json!(99)), "data": { "num": 99, "title": title }, "returnData": true });
    assert_eq!(send(Method::POST, "upsert", upsert("New")).await[0]["id"], 6);
    let second = send(Method::POST, "upsert", upsert("Newer")).await;
    assert_eq!((&second[0]["id"], &second[0]["title"]), (&json!(6), &json!("Newer")));

    let filter = query(&by("num", json!(99)));
    let path = format!("{rows}/delete?{filter}");
    assert_eq!(acme.operator.delete(&format!("{path}&dryRun=true")).await.json(200)[0]["id"], 6);
    assert_eq!(acme.operator.delete(&format!("{path}&returnData=true")).await.json(200)[0]["id"], 6);
    let audited = acme.owner.get("/api/v1/audit?limit=1").await.json(200);
    assert_eq!(audited["data"][0]["action"], "dataTable.deleteRows");
    acme.operator.delete(&format!("{rows}/delete")).await.problem(422, "invalid_body");
    assert_eq!(acme.operator.delete(&path).await.json(200), json!(true));
    // A number is given once.
    let inserted = acme.operator.post(&rows, json!({ "data": [{}], "returnType": "all" })).await.json(200);
    assert_eq!((&inserted[0]["id"], &inserted[0]["title"]), (&json!(7), &json!(null)));

    let renamed =
        acme.operator.patch(&format!("/api/v1/data-tables/{table}"), json!({ "name": "stuff" })).await.json(200);
    assert_eq!(renamed["name"], "stuff");
    acme.operator.delete(&format!("/api/v1/data-tables/{table}")).await.expect(204);
    acme.operator.get(&rows).await.problem(404, "data_table_not_found");
}

#[actix_web::test]
async fn upserts_of_one_key_make_one_row() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let table = things(&acme.operator).await;
    let path = format!("/api/v1/data-tables/{table}/rows/upsert");
    let upsert = |num: u32| {
        let filter = json!({ "filters": [{ "columnName": "title", "value": "key" }] });
        let body = json!({ "filter": filter, "data": { "title": "key", "num": num } });
        let (client, path) = (acme.operator.clone(), path.clone());
        async move { client.post(&path, body).await.expect(200) }
    };
    futures_util::future::join_all((0..8).map(upsert)).await;
    assert_eq!(ids(&acme.viewer, &table, "and", json!([])).await, [1]);
}

#[actix_web::test]
async fn what_does_not_fit_is_named() {
    let server = TestServer::start().await;
    let acme = server.tenant("acme").await;
    let table = filled(&acme.operator).await;
    let rows = format!("/api/v1/data-tables/{table}/rows");
    for (body, pointer) in [
        (json!({ "name": "", "columns": [] }), "/name"),
        (json!({ "name": "x".repeat(129), "columns": [] }), "/name"),
        (json!({ "name": "a", "columns": [{ "name": "1a", "type": "string" }] }), "/columns/0/name"),
        (json!({ "name": "a", "columns": [{ "name": "id", "type": "string" }] }), "/columns/0/name"),
        (
            json!({ "name": "a", "columns": [{ "name": "b", "type": "string" }, { "name": "B", "type": "string" }] }),
            "/columns/1/name",
        ),
        (json!({ "name": "a", "columns": [{ "name": "b", "type": "json" }] }), "/columns/0/type"),
    ] {
        let problem = acme.operator.post("/api/v1/data-tables", body.clone()).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    let taken = json!({ "name": "things", "columns": [] });
    acme.operator.post("/api/v1/data-tables", taken).await.problem(409, "data_table_name_taken");
    for (body, pointer) in [
        (json!({ "data": [] }), "/data"),
        (json!({ "data": [{ "title": "good" }, { "num": "1" }] }), "/data/1/num"),
        (json!({ "data": [{ "nope": 1 }] }), "/data/0/nope"),
        (json!({ "data": [{ "id": 1 }] }), "/data/0/id"),
        (json!({ "data": [{ "day": "tomorrow" }] }), "/data/0/day"),
    ] {
        let problem = acme.operator.post(&rows, body.clone()).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    assert_eq!(ids(&acme.viewer, &table, "and", json!([])).await.len(), 5, "a row that does not fit keeps all out");
    for (body, pointer) in [
        (json!({ "filter": { "filters": [] }, "data": { "num": 1 } }), "/filter/filters"),
        (
            json!({ "filter": { "filters": [{ "columnName": "no", "value": 1 }] }, "data": { "num": 1 } }),
            "/filter/filters/0/columnName",
        ),
        (
            json!({ "filter": { "filters": [{ "columnName": "num", "value": "1" }] }, "data": { "num": 1 } }),
            "/filter/filters/0/value",
        ),
        (json!({ "filter": { "filters": [{ "columnName": "num", "value": 1 }] }, "data": {} }), "/data"),
        (
            json!({ "filter": { "filters": [{ "columnName": "num", "value": 1 }] }, "data": { "num": true } }),
            "/data/num",
        ),
    ] {
        let path = format!("{rows}/update");
        let problem = acme.operator.patch(&path, body.clone()).await.problem(422, "invalid_body");
        assert_eq!(problem["errors"][0]["pointer"], pointer, "{body}");
    }
    for filter in ["nonsense", "%7B%22filters%22%3A%5B%7B%22columnName%22%3A%22a'%22%7D%5D%7D"] {
        acme.operator.get(&format!("{rows}?filter={filter}")).await.problem(422, "invalid_body");
    }
}

#[actix_web::test]
async fn tables_are_their_tenants_and_for_writing_to_those_who_may() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let table = filled(&acme.operator).await;
    // The same name is another table elsewhere.
    let other = things(&globex.operator).await;
    assert_eq!(ids(&globex.viewer, &other, "and", json!([])).await, [0u64; 0]);
    let rows = format!("/api/v1/data-tables/{table}/rows");
    globex.owner.get(&rows).await.problem(404, "data_table_not_found");
    globex.owner.post(&rows, json!({ "data": [{}] })).await.problem(404, "data_table_not_found");
    globex.owner.delete(&format!("/api/v1/data-tables/{table}")).await.problem(404, "data_table_not_found");
    acme.viewer.get(&rows).await.expect(200);
    acme.viewer.post(&rows, json!({ "data": [{}] })).await.expect(403);
    acme.viewer.post("/api/v1/data-tables", json!({ "name": "a", "columns": [] })).await.expect(403);
    let listed = globex.viewer.get("/api/v1/data-tables").await.json(200);
    assert_eq!(listed["data"].as_array().unwrap().len(), 1);
}

#[actix_web::test]
async fn nodes_keep_and_find_rows() {
    let server = TestServer::start().await;
    let (acme, globex) = (server.tenant("acme").await, server.tenant("globex").await);
    let named = json!({ "__rl": true, "mode": "name", "value": "seen" });
    let condition = json!({ "conditions": [{ "keyName": "url", "condition": "eq", "keyValue": "={{ $json.url }}" }] });
    let workflow = chain(
        "Seen",
        &[
            ("Begin", "manualTrigger", 1.0, json!({})),
            (
                "Table",
                "dataTable",
                1.1,
                json!({ "resource": "table", "operation": "create", "tableName": "seen",
                "columns": { "column": [{ "name": "url", "type": "string" }, { "name": "n", "type": "number" }] }, "options": { "createIfNotExists": true } }),
            ),
            ("Items", "code", 2.0, json!({ "jsCode": "return $('Begin').all();" })),
            (
                "New",
                "dataTable",
                1.1,
                json!({ "operation": "rowNotExists", "dataTableId": named, "filters": condition }),
            ),
            (
                "Keep",
                "dataTable",
                1.1,
                json!({ "operation": "insert", "dataTableId": named,
                "columns": { "mappingMode": "defineBelow", "value": { "url": "={{ $json.url }}", "n": "={{ '7' }}" } } }),
            ),
        ],
    );
    let imported = acme.developer.post("/api/v1/workflows/import", workflow.clone()).await.json(201);
    let path = format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap());
    let run = async |urls: Value| {
        let ended = acme.operator.post(&path, json!({ "inputData": urls, "wait": true })).await.json(200);
        assert_eq!(ended["status"], "success", "{}", ended["data"]["resultData"]["error"]);
        let kept = &ended["data"]["resultData"]["runData"]["Keep"][0]["data"]["main"][0];
        kept.as_array().map(|kept| kept.iter().map(|item| item["json"]["url"].clone()).collect()).unwrap_or_default()
    };
    let first: Vec<Value> = run(json!([{ "url": "a" }, { "url": "b" }])).await;
    assert_eq!(first, ["a", "b"]);
    assert_eq!(run(json!([{ "url": "b" }, { "url": "c" }])).await, ["c"]);
    assert_eq!(run(json!([{ "url": "a" }])).await, [""; 0]);
    let listed = acme.viewer.get("/api/v1/data-tables").await.json(200);
    let table = listed["data"][0]["id"].as_str().unwrap();
    let page = acme.viewer.get(&format!("/api/v1/data-tables/{table}/rows")).await.json(200);
    assert_eq!((page["data"].as_array().unwrap().len(), &page["data"][0]["n"]), (3, &json!(7)));

    // Neither its name nor its id leads another tenant to it.
    for locator in [named, json!({ "__rl": true, "mode": "id", "value": table })] {
        let get = json!({ "operation": "get", "dataTableId": locator, "returnAll": true });
        let workflow = chain("Get", &[("Begin", "manualTrigger", 1.0, json!({})), ("Get", "dataTable", 1.1, get)]);
        let imported = globex.developer.post("/api/v1/workflows/import", workflow).await.json(201);
        let path = format!("/api/v1/workflows/{}/trigger", imported["id"].as_str().unwrap());
        let ended = globex.operator.post(&path, json!({ "inputData": {}, "wait": true })).await.json(200);
        let error = &ended["data"]["resultData"]["error"];
        assert_eq!((&ended["status"], &error["node"]), (&json!("error"), &json!("Get")), "{error}");
        assert!(error["message"].as_str().unwrap().to_lowercase().contains("data table"), "{error}");
    }
}
