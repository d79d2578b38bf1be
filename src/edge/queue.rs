//! The queue of jobs.

use async_trait::async_trait;
use worker::Env;
use worker::wasm_bindgen::JsValue;

/// Binding of the queue.
const JOBS: &str = "JOBS";

/// The queue by its binding, looked up when something is sent: most requests send nothing.
pub struct Jobs(pub Env);

#[async_trait(?Send)]
impl crate::platform::Queue for Jobs {
    async fn send(&self, message: &str, delay_seconds: u32) -> Result<(), String> {
        let queue = self.0.queue(JOBS).map_err(|error| error.to_string())?;
        let message = worker::RawMessageBuilder::new(JsValue::from_str(message))
            .delay_seconds(delay_seconds)
            .build_with_content_type(worker::QueueContentType::Text);
        queue
            .send_raw(message)
            .await
            .map_err(|error| error.to_string())
    }
}
