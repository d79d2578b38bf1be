//! The queues of messages.

use async_trait::async_trait;
use worker::Env;
use worker::wasm_bindgen::JsValue;

use crate::platform::QueueName;

/// Binding of the queue.
const fn binding(queue: QueueName) -> &'static str {
    match queue {
        QueueName::Jobs => "JOBS",
        QueueName::Deliveries => "DELIVERIES",
    }
}

/// The queues by their bindings, looked up when something is sent: most requests send nothing.
pub struct Queues(pub Env);

#[async_trait(?Send)]
impl crate::platform::Queue for Queues {
    async fn send(
        &self,
        queue: QueueName,
        message: &str,
        delay_seconds: u32,
    ) -> Result<(), String> {
        let queue = self
            .0
            .queue(binding(queue))
            .map_err(|error| error.to_string())?;
        let message = worker::RawMessageBuilder::new(JsValue::from_str(message))
            .delay_seconds(delay_seconds)
            .build_with_content_type(worker::QueueContentType::Text);
        queue
            .send_raw(message)
            .await
            .map_err(|error| error.to_string())
    }
}
