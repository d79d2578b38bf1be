//! TCP connections by the runtime's `connect()`.
//!
//! The runtime sets no time limits, so every wait here races one. It tells a certificate that does not hold from nothing else: where TLS is
//! asked for from the start its error is that of a port where nobody listens, and later it is `internal error`, at the first read or write.
//! So a connection that fails by TLS is tried without, and nothing said on it: where that opens, it was TLS. And what fails between
//! asking for TLS and the first byte that arrives by it is taken for a failure of TLS. The reason names what may be behind it.

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use worker::{SecureTransport, Socket};

use super::runtime::{plain, within};
use crate::platform::{Tcp, TcpError, TcpSecurity, TcpStream};

/// Most bytes that one read gives.
const READ_BYTES: usize = 64 * 1024;
/// How long closing is waited for, in milliseconds. The runtime may never answer it.
const CLOSE_MS: u32 = 1_000;

/// What it may be where the runtime says nothing.
const FAILED: &str = "the connection failed";

/// The runtime's sockets.
pub struct Sockets;

#[async_trait(?Send)]
impl Tcp for Sockets {
    async fn connect(
        &self,
        host: &str,
        port: u16,
        security: TcpSecurity,
        timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        match open(host, port, security, timeout_ms).await {
            Ok(stream) => Ok(Box::new(stream)),
            Err(reason @ TcpError::Tls(_)) => {
                let without = open(host, port, TcpSecurity::Plain, timeout_ms).await?;
                Box::new(without).close().await;
                Err(reason)
            }
            Err(reason) => Err(reason),
        }
    }
}

/// A connection that the runtime says is open.
async fn open(
    host: &str,
    port: u16,
    security: TcpSecurity,
    timeout_ms: u32,
) -> Result<RuntimeStream, TcpError> {
    let (transport, tls) = match security {
        TcpSecurity::Plain => (SecureTransport::Off, Tls::Proven),
        TcpSecurity::StartTls => (SecureTransport::StartTls, Tls::Proven),
        TcpSecurity::Tls => (SecureTransport::On, Tls::Untried),
    };
    let socket = Socket::builder()
        .secure_transport(transport)
        .connect(host, port)
        .map_err(|error| TcpError::Other(plain(&error.to_string(), FAILED)))?;
    let stream = RuntimeStream { socket, tls };
    let reason = match within(timeout_ms, stream.socket.opened()).await {
        Some(Ok(_)) => return Ok(stream),
        Some(Err(error)) => stream.failure(&error.to_string()),
        None => TcpError::Timeout(timeout_ms),
    };
    Box::new(stream).close().await;
    Err(reason)
}

/// Whether a byte has arrived by TLS yet; a connection without TLS has nothing to prove.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tls {
    Untried,
    Proven,
}

struct RuntimeStream {
    socket: Socket,
    tls: Tls,
}

#[async_trait(?Send)]
impl TcpStream for RuntimeStream {
    async fn write_all(&mut self, bytes: &[u8], timeout_ms: u32) -> Result<(), TcpError> {
        let written = within(timeout_ms, self.socket.write_all(bytes)).await;
        match written {
            Some(Ok(())) => Ok(()),
            Some(Err(error)) => Err(self.failure(&error.to_string())),
            None => Err(TcpError::Timeout(timeout_ms)),
        }
    }

    async fn read(&mut self, timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        let mut bytes = vec![0; READ_BYTES];
        let read = within(timeout_ms, self.socket.read(&mut bytes)).await;
        match read {
            Some(Ok(length)) => {
                bytes.truncate(length);
                if length == 0 && self.tls == Tls::Untried {
                    return Err(self.failure("it was closed"));
                }
                self.tls = Tls::Proven;
                Ok(bytes)
            }
            Some(Err(error)) => Err(self.failure(&error.to_string())),
            None => Err(TcpError::Timeout(timeout_ms)),
        }
    }

    // No read or write is under way here: each is waited for to its end, and one that was given up leaves a stream good for nothing.
    async fn start_tls(self: Box<Self>, _timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(Box::new(RuntimeStream {
            socket: self.socket.start_tls(),
            tls: Tls::Untried,
        }))
    }

    async fn close(mut self: Box<Self>) {
        let _ = within(CLOSE_MS, self.socket.close()).await;
    }
}

impl RuntimeStream {
    fn failure(&self, reason: &str) -> TcpError {
        let reason = plain(reason, FAILED);
        match self.tls {
            Tls::Proven => TcpError::Other(reason),
            Tls::Untried => TcpError::Tls(format!(
                "{reason}. The certificate is not issued by a public authority, does not name this host, or has expired; or this port does not speak TLS"
            )),
        }
    }
}
