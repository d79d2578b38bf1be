//! Real TCP on loopback, without TLS: what is said is tested here, and TLS with the built worker.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream as Socket, ToSocketAddrs};
use std::rc::Rc;
use std::time::Duration;

use async_trait::async_trait;
use rollcall::platform::{Clock, Tcp, TcpError, TcpSecurity, TcpStream};

use super::outside::TestClock;

/// The machine's own network.
pub struct Loopback;

#[async_trait(?Send)]
impl Tcp for Loopback {
    async fn connect(
        &self,
        host: &str,
        port: u16,
        security: TcpSecurity,
        timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        if security == TcpSecurity::Tls {
            return Err(TcpError::Tls("there is no TLS in this test".to_owned()));
        }
        let addresses = (host, port)
            .to_socket_addrs()
            .map_err(|error| failure(&error, timeout_ms))?;
        let address = addresses.into_iter().next().expect("an address");
        let limit = Duration::from_millis(timeout_ms.into());
        let socket = Socket::connect_timeout(&address, limit)
            .map_err(|error| failure(&error, timeout_ms))?;
        socket.set_nodelay(true).expect("an option");
        Ok(Box::new(Stream(socket)))
    }
}

struct Stream(Socket);

#[async_trait(?Send)]
impl TcpStream for Stream {
    async fn write_all(&mut self, bytes: &[u8], timeout_ms: u32) -> Result<(), TcpError> {
        let limit = Duration::from_millis(timeout_ms.into());
        self.0.set_write_timeout(Some(limit)).expect("an option");
        let written = self.0.write_all(bytes);
        written.map_err(|error| failure(&error, timeout_ms))
    }

    async fn read(&mut self, timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        let limit = Duration::from_millis(timeout_ms.into());
        self.0.set_read_timeout(Some(limit)).expect("an option");
        let mut bytes = vec![0; 64 * 1024];
        let length = self.0.read(&mut bytes);
        let length = length.map_err(|error| failure(&error, timeout_ms))?;
        bytes.truncate(length);
        Ok(bytes)
    }

    async fn start_tls(self: Box<Self>, _timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        Err(TcpError::Tls("there is no TLS in this test".to_owned()))
    }

    async fn close(self: Box<Self>) {
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

fn failure(error: &std::io::Error, timeout_ms: u32) -> TcpError {
    match error.kind() {
        ErrorKind::WouldBlock | ErrorKind::TimedOut => TcpError::Timeout(timeout_ms),
        _ => TcpError::Other(error.to_string()),
    }
}

/// The machine's clock, for what has to end by itself.
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(
        clippy::disallowed_methods,
        reason = "a test's own process has a clock"
    )]
    fn now(&self) -> i64 {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .expect("a time after 1970");
        i64::try_from(now.as_millis()).expect("a time of this age")
    }
}

/// The machine's own network to somebody who does not wait: where nothing comes for a moment, the wait is over and the test's clock has gone on by as long
/// as it might have taken; what comes has taken a second.
pub struct Impatient(pub Rc<TestClock>);

/// The moment.
const MOMENT_MS: u32 = 200;

#[async_trait(?Send)]
impl Tcp for Impatient {
    async fn connect(
        &self,
        host: &str,
        port: u16,
        security: TcpSecurity,
        timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        let stream = Loopback.connect(host, port, security, timeout_ms).await?;
        let clock = Rc::clone(&self.0);
        Ok(Box::new(ImpatientStream { stream, clock }))
    }
}

struct ImpatientStream {
    stream: Box<dyn TcpStream>,
    clock: Rc<TestClock>,
}

#[async_trait(?Send)]
impl TcpStream for ImpatientStream {
    async fn write_all(&mut self, bytes: &[u8], timeout_ms: u32) -> Result<(), TcpError> {
        self.stream.write_all(bytes, timeout_ms).await
    }

    async fn read(&mut self, timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        match self.stream.read(timeout_ms.min(MOMENT_MS)).await {
            Err(TcpError::Timeout(_)) => {
                self.clock.advance_seconds(i64::from(timeout_ms / 1_000));
                Err(TcpError::Timeout(timeout_ms))
            }
            read => {
                self.clock.advance_seconds(1);
                read
            }
        }
    }

    async fn start_tls(self: Box<Self>, timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        self.stream.start_tls(timeout_ms).await
    }

    async fn close(self: Box<Self>) {
        self.stream.close().await;
    }
}
