//! The benchmark's floor: a worker that does nothing but cross over to KV and to D1, as often as it is told to.
//!
//! `GET /{trips}/{rows}` looks a key up in KV, reads so many rows in each of so many batches, and sends the last batch's texts.
//! `POST /{trips}` reads its body, looks the key up, and reads one row in all batches but the last, which writes one row.

use serde::Deserialize;
use worker::{D1Database, Env, Request, Response, Result, RouteContext, Router, event};

#[derive(Deserialize)]
struct Item {
    resource: String,
}

#[event(fetch)]
async fn fetch(request: Request, env: Env, _context: worker::Context) -> Result<Response> {
    Router::new()
        .get_async("/:trips/:rows", read)
        .post_async("/:trips", write)
        .run(request, env)
        .await
}

async fn read(_request: Request, route: RouteContext<()>) -> Result<Response> {
    look_up(&route).await?;
    let database = route.env.d1("DB")?;
    let mut items = Vec::new();
    for _ in 0..number(&route, "trips") {
        items = select(&database, number(&route, "rows")).await?;
    }
    let texts: Vec<String> = items.into_iter().map(|item| item.resource).collect();
    Response::ok(texts.join(","))
}

async fn write(mut request: Request, route: RouteContext<()>) -> Result<Response> {
    let body = request.text().await?;
    look_up(&route).await?;
    let database = route.env.d1("DB")?;
    for _ in 1..number(&route, "trips") {
        select(&database, 1).await?;
    }
    let insert = database
        .prepare("insert into written (resource) values (?1)")
        .bind(&[body.into()])?;
    database.batch(vec![insert]).await?;
    Response::empty()
}

async fn look_up(route: &RouteContext<()>) -> Result<Option<String>> {
    Ok(route.env.kv("TOKENS")?.get("key").text().await?)
}

async fn select(database: &D1Database, rows: u32) -> Result<Vec<Item>> {
    let select = database
        .prepare("select resource from items order by id limit ?1")
        .bind(&[f64::from(rows).into()])?;
    let results = database.batch(vec![select]).await?;
    match results.first() {
        Some(result) => result.results(),
        None => Ok(Vec::new()),
    }
}

fn number(route: &RouteContext<()>, name: &str) -> u32 {
    route
        .param(name)
        .and_then(|text| text.parse().ok())
        .unwrap_or(1)
}
