use worker::*;
#[event(fetch)]
async fn fetch(req: Request, env: Env, _ctx: Context) -> Result<Response> {
    let _ = req; let db = env.d1("DB")?;
    let r = db.prepare("select 1 as one").first::<serde_json::Value>(None).await.map_err(|e| Error::from(e.to_string()))?;
    Response::ok(format!("{r:?}"))
}
