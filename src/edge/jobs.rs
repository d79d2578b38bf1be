//! What the jobs worker has besides requests: messages of the queue, and the clock.

use std::rc::Rc;

use futures_util::future::join_all;
use worker::{
    Context, Env, MessageBatch, MessageExt, QueueRetryOptionsBuilder, RawMessage, Result,
    ScheduleContext, ScheduledEvent, event,
};

use super::{app, runtime};
use crate::jobs::Verdict;

/// Every tick of the clock (see the cron trigger in `wrangler.jobs.toml`).
#[event(scheduled)]
async fn scheduled(_tick: ScheduledEvent, env: Env, context: ScheduleContext) {
    match app(&env, Rc::new(runtime::AfterTick(context))) {
        Ok(app) => app.tick().await,
        Err(reason) => worker::console_error!("configuration: {reason}"),
    }
}

/// Messages, side by side, each acknowledged or delivered again for itself.
#[event(queue)]
async fn queue(batch: MessageBatch<serde_json::Value>, env: Env, context: Context) -> Result<()> {
    let background = Rc::new(runtime::AfterReply(Rc::new(context)));
    // Where it is not configured, all are delivered again.
    let app = app(&env, background).map_err(worker::Error::RustError)?;
    let queue = batch.queue();
    let all = batch.raw_iter().map(async |message| {
        let text = text(&message);
        match app.receive(&queue, &text).await {
            Verdict::Done => message.ack(),
            Verdict::Again { seconds } => {
                let wait = QueueRetryOptionsBuilder::new().with_delay_seconds(seconds);
                message.retry_with_options(&wait.build());
            }
        }
    });
    join_all(all).await;
    Ok(())
}

/// What a message says; nothing where it is no text.
fn text(message: &RawMessage) -> String {
    message.body().as_string().unwrap_or_default()
}
