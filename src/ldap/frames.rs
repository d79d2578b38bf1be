//! Cuts what arrives into messages by their BER lengths (X.690 §8.1.3), however the network cut it.

/// Longest message in bytes, its header included. A group of a hundred thousand members has about this much.
pub const MAX_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// The tag of every LDAP message: SEQUENCE, constructed.
const SEQUENCE: u8 = 0x30;
/// Most bytes that a length may take. Active Directory always takes four.
const MAX_LENGTH_BYTES: u8 = 4;

/// Bytes that arrived and are no message yet.
#[derive(Default)]
pub struct Frames {
    bytes: Vec<u8>,
    /// Where the next message begins.
    start: usize,
}

impl Frames {
    pub fn push(&mut self, bytes: &[u8]) {
        // What was handed out goes before more comes in, so that the buffer never holds more than a message and what was read with its end.
        self.bytes.drain(..self.start);
        self.start = 0;
        self.bytes.extend_from_slice(bytes);
    }

    pub fn is_empty(&self) -> bool {
        self.start == self.bytes.len()
    }

    /// The next whole message; none until more has arrived. The error says why what arrived can be no message.
    pub fn next(&mut self) -> Result<Option<&[u8]>, String> {
        let rest = self.bytes.get(self.start..).unwrap_or_default();
        let Some(length) = length(rest)? else {
            return Ok(None);
        };
        let length = match usize::try_from(length) {
            Ok(length) if length <= MAX_MESSAGE_BYTES => length,
            _ => {
                return Err(format!(
                    "a message of {length} bytes; {MAX_MESSAGE_BYTES} are allowed"
                ));
            }
        };
        let message = self.bytes.get(self.start..self.start + length);
        if message.is_some() {
            self.start += length;
        }
        Ok(message)
    }
}

/// How long the message that begins here is, its header included; none while the header is incomplete.
fn length(bytes: &[u8]) -> Result<Option<u64>, String> {
    let Some((tag, rest)) = bytes.split_first() else {
        return Ok(None);
    };
    if *tag != SEQUENCE {
        return Err(format!(
            "the byte {tag:#04x} where a message begins, which is always {SEQUENCE:#04x}"
        ));
    }
    let Some((first, rest)) = rest.split_first() else {
        return Ok(None);
    };
    if *first < 0x80 {
        return Ok(Some(2 + u64::from(*first)));
    }
    let count = first & 0x7f;
    if count == 0 || count > MAX_LENGTH_BYTES {
        return Err(format!(
            "a message's length in {count} bytes; 1 to {MAX_LENGTH_BYTES} are allowed"
        ));
    }
    let Some(digits) = rest.get(..usize::from(count)) else {
        return Ok(None);
    };
    // Beyond what a usize of the worker holds, where it is one of 32 bits.
    let length = digits
        .iter()
        .fold(0_u64, |length, byte| length << 8 | u64::from(*byte));
    Ok(Some(2 + u64::from(count) + length))
}
