//! A connection to a directory: opened, protected, bound, and then asked one thing after the other.

use std::rc::Rc;

use super::error::{Error, Result, readable};
use super::frames::Frames;
use super::message::{self, LdapResult, MessageId, Request, Response};
use super::settings::{Security, Settings};
use crate::connection::address::judge_host;
use crate::platform::{Clock, Platform, TcpError, TcpStream};
use crate::secret::Secret;

/// `success` of RFC 4511.
const SUCCESS: i64 = 0;

/// A connection to a directory. Whoever is done with it [closes](Connection::close) it: a worker has six.
pub struct Connection {
    stream: Box<dyn TcpStream>,
    frames: Frames,
    clock: Rc<dyn Clock>,
    /// For errors: host and port.
    peer: String,
    /// For keeping it out of errors.
    bind_password: Secret,
    pub(super) page_size: u32,
    pub(super) timeout_ms: u32,
    last_id: MessageId,
}

impl Connection {
    /// A connection that is protected as the settings say, and bound.
    pub async fn open(platform: &Platform, settings: &Settings) -> Result<Connection> {
        let mut connection = Connection::connect(platform, settings).await?;
        if settings.security == Security::StartTls {
            connection = connection.start_tls().await?;
        }
        match connection.bind(&settings.bind_dn).await {
            Ok(()) => Ok(connection),
            Err(error) => {
                connection.close().await;
                Err(error)
            }
        }
    }

    /// A connection on which nothing was said yet; with [`Security::StartTls`] not protected yet either.
    pub async fn connect(platform: &Platform, settings: &Settings) -> Result<Connection> {
        let peer = match settings.host.contains(':') {
            true => format!("[{}]:{}", settings.host, settings.port),
            false => format!("{}:{}", settings.host, settings.port),
        };
        judge_host(&settings.host, settings.local_development).map_err(Error::Invalid)?;
        let stream = platform
            .tcp
            .connect(
                &settings.host,
                settings.port,
                settings.security,
                settings.timeout_ms,
            )
            .await
            .map_err(|error| match error {
                TcpError::Tls(reason) => Error::Tls {
                    peer: peer.clone(),
                    reason,
                },
                other => Error::Unreachable {
                    peer: peer.clone(),
                    reason: other.to_string(),
                },
            })?;
        Ok(Connection {
            stream,
            frames: Frames::default(),
            clock: Rc::clone(&platform.clock),
            peer,
            bind_password: settings.bind_password.clone(),
            page_size: settings.page_size,
            timeout_ms: settings.timeout_ms,
            last_id: 0,
        })
    }

    /// Goes on by TLS (RFC 4511 §4.14). Where the server does not want to, that is the end: nothing is ever said in the open instead.
    pub async fn start_tls(mut self) -> Result<Connection> {
        const OPERATION: &str = "StartTLS request";
        let answered = match self.ask(OPERATION, &Request::StartTls).await {
            Ok(Response::Extended(result)) => self.succeeded(OPERATION, &result),
            Ok(_) => Err(self.unexpected(OPERATION)),
            Err(error) => Err(error),
        };
        // What came behind the answer came in the open, from anybody; taken for an answer, it would be trusted like one by TLS.
        let answered = answered.and_then(|()| match self.frames.is_empty() {
            true => Ok(()),
            false => Err(self.protocol("more than the answer to StartTLS before TLS was there")),
        });
        if let Err(error) = answered {
            self.close().await;
            return Err(error);
        }
        let timeout_ms = self.timeout_ms;
        match self.stream.start_tls(timeout_ms).await {
            Ok(stream) => Ok(Connection { stream, ..self }),
            Err(error) => Err(Error::Tls {
                peer: self.peer,
                reason: error.to_string(),
            }),
        }
    }

    /// A simple bind (RFC 4511 §4.2, RFC 4513 §5.1) with the settings' password.
    pub async fn bind(&mut self, dn: &str) -> Result<()> {
        const OPERATION: &str = "bind";
        let password = self.bind_password.clone();
        // RFC 4513 §5.1.2: a name without a password is an anonymous bind that looks like a success. A password without a name would be
        // told to a server that may take that for nobody as well.
        let half = match (dn.is_empty(), password.expose().is_empty()) {
            (false, true) => {
                "the bind DN has no password, and a server would take it for anonymous: give bind_password"
            }
            (true, false) => "the password has no bind DN; a server would take it for anonymous",
            _ => "",
        };
        if !half.is_empty() {
            return Err(Error::Invalid(half.to_owned()));
        }
        let request = Request::Bind {
            dn,
            password: password.expose(),
        };
        match self.ask(OPERATION, &request).await? {
            Response::Bind(result) => self.succeeded(OPERATION, &result),
            _ => Err(self.unexpected(OPERATION)),
        }
    }

    /// Takes leave and closes. It never fails, and never waits long.
    pub async fn close(mut self) {
        let unbind = message::encode(self.last_id + 1, &Request::Unbind);
        let _ = self.stream.write_all(&unbind, self.timeout_ms).await;
        self.stream.close().await;
    }

    /// Sends a request and waits for the one answer to it.
    async fn ask(&mut self, operation: &'static str, request: &Request<'_>) -> Result<Response> {
        let id = self.send(operation, request).await?;
        let until = self.deadline(self.timeout_ms);
        self.receive(operation, id, until).await
    }

    pub(super) async fn send(
        &mut self,
        operation: &'static str,
        request: &Request<'_>,
    ) -> Result<MessageId> {
        self.last_id += 1;
        let bytes = message::encode(self.last_id, request);
        match self.stream.write_all(&bytes, self.timeout_ms).await {
            Ok(()) => Ok(self.last_id),
            Err(error) => Err(self.broken(operation, error)),
        }
    }

    /// When a wait that begins now is over.
    pub(super) fn deadline(&self, milliseconds: u32) -> i64 {
        self.clock.now().saturating_add(milliseconds.into())
    }

    /// The next response to that request. It has to be there whole before `until`, however many other messages and single bytes
    /// come in between, and no byte may take longer than the settings' timeout.
    pub(super) async fn receive(
        &mut self,
        operation: &'static str,
        id: MessageId,
        until: i64,
    ) -> Result<Response> {
        loop {
            match self.message()? {
                // Answers to what was given up: a search of which not every page was wanted.
                Some((other, _)) if other > 0 && other < id => {}
                Some((0, Response::Disconnection(result))) => {
                    return Err(self.disconnected(operation, &result));
                }
                Some((0, Response::Other)) => {}
                Some((found, Response::Other)) if found == id => {}
                Some((found, response)) if found == id => return Ok(response),
                Some((found, _)) => {
                    return Err(self.protocol(&format!(
                        "an answer to message {found}, which was never sent"
                    )));
                }
                None => {
                    self.read(operation, until).await?;
                    continue;
                }
            }
            if self.clock.now() >= until {
                return Err(self.timeout(operation));
            }
        }
    }

    fn message(&mut self) -> Result<Option<(MessageId, Response)>> {
        let decoded = match self.frames.next() {
            Ok(Some(bytes)) => message::decode(bytes).map(Some),
            Ok(None) => Ok(None),
            Err(reason) => Err(reason),
        };
        decoded.map_err(|reason| self.protocol(&reason))
    }

    async fn read(&mut self, operation: &'static str, until: i64) -> Result<()> {
        let left = u32::try_from(until.saturating_sub(self.clock.now())).unwrap_or(0);
        if left == 0 {
            return Err(self.timeout(operation));
        }
        match self.stream.read(left.min(self.timeout_ms)).await {
            Ok(bytes) if bytes.is_empty() => Err(Error::Closed {
                peer: self.peer.clone(),
                operation,
                reason: String::new(),
            }),
            Ok(bytes) => {
                self.frames.push(&bytes);
                Ok(())
            }
            Err(error) => Err(self.broken(operation, error)),
        }
    }

    pub(super) fn succeeded(&self, operation: &'static str, result: &LdapResult) -> Result<()> {
        match result.code {
            SUCCESS => Ok(()),
            _ => Err(Error::refused(
                operation,
                result,
                self.bind_password.expose(),
            )),
        }
    }

    pub(super) fn unexpected(&self, operation: &'static str) -> Error {
        self.protocol(&format!(
            "the answer to something else than the {operation}"
        ))
    }

    pub(super) fn protocol(&self, reason: &str) -> Error {
        Error::Protocol {
            peer: self.peer.clone(),
            reason: reason.to_owned(),
        }
    }

    pub(super) fn timeout(&self, operation: &'static str) -> Error {
        Error::Timeout {
            peer: self.peer.clone(),
            operation,
            milliseconds: self.timeout_ms,
        }
    }

    fn broken(&self, operation: &'static str, error: TcpError) -> Error {
        let peer = self.peer.clone();
        match error {
            TcpError::Timeout(_) => self.timeout(operation),
            TcpError::Tls(reason) => Error::Tls { peer, reason },
            TcpError::Other(reason) => Error::Closed {
                peer,
                operation,
                reason: format!(": {reason}"),
            },
        }
    }

    /// RFC 4511 §4.4.1.
    fn disconnected(&self, operation: &'static str, result: &LdapResult) -> Error {
        let words = readable(&result.diagnostic, self.bind_password.expose());
        let reason = match words.as_str() {
            "" => format!(": it gave notice with code {}", result.code),
            words => format!(": it gave notice with code {}, {words}", result.code),
        };
        Error::Closed {
            peer: self.peer.clone(),
            operation,
            reason,
        }
    }
}
