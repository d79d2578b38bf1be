//! A sync of changes: what has changed is read, completed by what that does not tell, and taken in as everything is.

use super::digest::Digest;
use super::failure::Failure;
use super::intake::Intake;
use super::lookup;
use super::reading::Reading;
use super::source::Source;

/// Reads what changed since `watermark`, a generalizedTime, and takes it in; false where only a reading of the whole directory can tell,
/// and nothing was taken in then. With `all` also what is known of the entries that were not read is taken in.
pub async fn read(
    intake: &mut Intake<'_>,
    source: &Source,
    watermark: &str,
    all: bool,
) -> Result<bool, Failure> {
    let session = intake.session;
    let Some(mut reading) = Reading::of(session, source, watermark).await? else {
        return Ok(false);
    };
    let Some(facts) = lookup::complete(session, source, &mut reading).await? else {
        return Ok(false);
    };
    if all {
        intake.know_all().await?;
    }
    for (unique_id, link) in &facts.links {
        intake.survey.know(unique_id, link);
    }
    for (key, resource) in facts.outside(&reading) {
        intake.survey.name_outside(key, resource);
    }
    intake.members = facts.members;
    let names = reading.names();
    intake.counts = reading.counts;
    (intake.newest, intake.untimed) = (reading.newest, reading.untimed);
    intake.left = reading
        .left
        .iter()
        .map(|id| Digest::of(id.as_bytes()))
        .collect();
    for note in reading.unusable {
        intake.note_unusable(note).await?;
    }
    for (index, object) in reading.objects.into_iter().enumerate() {
        let strangers = object.members.iter();
        let strangers =
            strangers.filter_map(|key| Some((*key, reading.strangers.get(key)?.clone())));
        let strangers = strangers.collect();
        let number = intake.take(object, strangers).await?;
        for key in names.get(&index).into_iter().flatten() {
            intake.survey.alias(*key, number);
        }
    }
    Ok(true)
}
