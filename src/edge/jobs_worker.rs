//! Asking the jobs worker, over a service binding.

use async_trait::async_trait;
use futures_util::{StreamExt, TryStreamExt, stream};
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};
use wasm_bindgen::JsValue;
use worker::js_sys::Uint8Array;
use worker::{Env, Fetcher, Headers, Method, RequestInit, RequestRedirect};

use crate::platform::{Chunks, OtherWorker};

/// Binding of the jobs worker. The jobs worker itself has none.
const JOBS_WORKER: &str = "JOBS_WORKER";

/// The service binding.
pub struct Bound(Fetcher);

impl Bound {
    /// The binding, where there is one.
    pub fn of(env: &Env) -> Option<Self> {
        env.service(JOBS_WORKER).ok().map(Bound)
    }
}

#[async_trait(?Send)]
impl OtherWorker for Bound {
    async fn ask(
        &self,
        request: &http::Request<Vec<u8>>,
    ) -> Result<http::Response<Chunks>, String> {
        let asked = self.fetch(request).await;
        let mut response = asked.map_err(|error| error.to_string())?;
        let mut converted = http::Response::builder().status(response.status_code());
        for (name, value) in response.headers().entries() {
            converted = converted.header(name, value);
        }
        // A reply without a body has no stream.
        let body = match response.stream() {
            Ok(body) => body.map_err(|error| error.to_string()).boxed_local(),
            Err(_) => stream::empty().boxed_local(),
        };
        converted.body(body).map_err(|error| error.to_string())
    }
}

impl Bound {
    async fn fetch(&self, request: &http::Request<Vec<u8>>) -> worker::Result<worker::Response> {
        let headers = Headers::new();
        for (name, value) in request.headers() {
            // The body may have been cut: its length is told anew.
            let is_length = [CONTENT_LENGTH, TRANSFER_ENCODING].contains(name);
            let value = std::str::from_utf8(value.as_bytes());
            if let (Ok(value), false) = (value, is_length) {
                headers.append(name.as_str(), value)?;
            }
        }
        let mut init = RequestInit::new();
        init.with_method(Method::from(request.method().as_str().to_owned()))
            .with_headers(headers)
            .with_redirect(RequestRedirect::Manual);
        if !request.body().is_empty() {
            let body = Uint8Array::from(request.body().as_slice());
            init.with_body(Some(JsValue::from(body)));
        }
        let url = request.uri().to_string();
        self.0.fetch(url, Some(init)).await
    }
}
