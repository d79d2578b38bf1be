//! Names that people and directories know somebody or something by, as they are taken: user names, names of groups, e-mail addresses.

use super::error::{Error, Result};
use super::forgiven::{Forgiven, note};
use super::profile::Profile;

/// A name as it is stored. Whatever cannot be seen and makes two names look like one, or one like another, is refused. White space around
/// it is cut off in `compat` and refused in `strict`. `at` names the attribute in error messages.
pub fn read(text: String, at: &str, profile: Profile) -> Result<String> {
    if let Some((index, c)) = text.chars().enumerate().find(|(_, c)| is_unseen(*c)) {
        let what = match c.is_control() {
            true => "a control character",
            false => "a character that cannot be seen",
        };
        return Err(Error::value(format!(
            "{at} has {what}, U+{:04X}, in place {}",
            u32::from(c),
            index + 1
        )));
    }
    let trimmed = text.trim();
    match trimmed.len() == text.len() {
        true => Ok(text),
        false if profile.is_strict() => Err(Error::value(format!(
            "{at} has white space at its beginning or end"
        ))),
        false => {
            note(Forgiven::SpaceAround);
            Ok(trimmed.to_owned())
        }
    }
}

/// Control characters, ends of lines, and what RFC 8264 §9.13 calls ignorable: what turns the direction of writing, what has no width,
/// fillers, tags. The two joiners and the variation selectors are not among them: Persian, Hindi and others, and emoji, are written with
/// them (RFC 5892 appendix A.1).
pub fn is_unseen(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{00AD}'
                | '\u{034F}'
                | '\u{061C}'
                | '\u{115F}'..='\u{1160}'
                | '\u{17B4}'..='\u{17B5}'
                | '\u{180E}'
                | '\u{200B}'
                | '\u{200E}'..='\u{200F}'
                | '\u{2028}'..='\u{202E}'
                | '\u{2060}'..='\u{206F}'
                | '\u{3164}'
                | '\u{FEFF}'
                | '\u{FFA0}'
                | '\u{FFF9}'..='\u{FFFB}'
                | '\u{1D173}'..='\u{1D17A}'
                | '\u{E0000}'..='\u{E007F}'
        )
}
