//! A world outside that says what the fuzzer wants: documents and directories are its bytes, and the database is never there.

use std::rc::Rc;

use async_trait::async_trait;
use rollcall::api::App;
use rollcall::config::Config;
use rollcall::platform::{
    Answered, Asset, Assets, Background, Clock, Database, Entropy, HttpClient, HttpError, Limit,
    LocalFuture, Log, Platform, PublicKey, Queue, QueueName, RateLimiter, Signatures, Signer, Tcp,
    TcpError, TcpSecurity, TcpStream, Timer, TokenCache,
};
use rollcall::store::{self, Rows, Statement};

/// 2026-01-02T03:04:05Z: no time passes.
const NOW: i64 = 1_767_323_045_000;
/// What signs the administrator's token below.
const SECRET: &str = "a-local-secret-of-more-than-32-bytes";
/// A token for tenant `acme` with all scopes, good until 2100: `sub` is a user's id.
pub const TOKEN: &str = include_str!("token.txt");

/// Everything outside.
#[derive(Clone)]
pub struct Outside {
    bytes: Rc<[u8]>,
}

impl Outside {
    /// A platform whose documents and directories are these bytes.
    pub fn platform(bytes: &[u8]) -> Platform {
        let outside = Rc::new(Outside {
            bytes: bytes.into(),
        });
        Platform {
            database: outside.clone(),
            others: Rc::new(()),
            homes: Rc::default(),
            token_cache: outside.clone(),
            clock: outside.clone(),
            entropy: outside.clone(),
            http: outside.clone(),
            signatures: outside.clone(),
            signer: outside.clone(),
            tcp: outside.clone(),
            limiter: outside.clone(),
            assets: outside.clone(),
            background: outside.clone(),
            queue: outside.clone(),
            jobs_worker: None,
            timer: outside.clone(),
            log: outside,
        }
    }

    /// The application in such a world.
    pub fn app(bytes: &[u8]) -> App {
        let key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
        let config = Config::read(|name| match name {
            "JWT_ISSUER" => Some("https://issuer.example.com".to_owned()),
            "JWT_AUDIENCE" => Some("rollcall-test".to_owned()),
            "JWT_LOCAL_SECRET" => Some(SECRET.to_owned()),
            "CURSOR_KEY" | "ENCRYPTION_KEY" => Some(key.to_owned()),
            _ => None,
        });
        App {
            config: config.expect("a configuration"),
            platform: Outside::platform(bytes),
            memory: Rc::default(),
            recent: Rc::default(),
        }
    }
}

#[async_trait(?Send)]
impl Database for Outside {
    async fn run(&self, _batch: Vec<Statement>) -> store::Result<Vec<Rows>> {
        Err(store::Error::Overloaded("it is never there".to_owned()))
    }
}

#[async_trait(?Send)]
impl Signatures for Outside {
    async fn verify(&self, _key: &PublicKey, _message: &[u8], _signature: &[u8]) -> bool {
        false
    }
}

#[async_trait(?Send)]
impl Signer for Outside {
    async fn generate(&self) -> Result<String, String> {
        Err("no keys here".to_owned())
    }

    async fn sign(&self, _private: &str, _message: &[u8]) -> Result<Vec<u8>, String> {
        Err("no keys here".to_owned())
    }
}

#[async_trait(?Send)]
impl TokenCache for Outside {
    async fn get(&self, _key: &str) -> Option<String> {
        None
    }

    async fn put(&self, _key: &str, _value: &str, _seconds: u64) {}

    async fn delete(&self, _key: &str) {}
}

impl Clock for Outside {
    fn now(&self) -> i64 {
        NOW
    }
}

#[async_trait(?Send)]
impl Queue for Outside {
    async fn send(
        &self,
        _queue: QueueName,
        _message: &str,
        _delay_seconds: u32,
    ) -> Result<(), String> {
        Err("it takes nothing".to_owned())
    }
}

#[async_trait(?Send)]
impl Timer for Outside {
    async fn sleep(&self, _ms: u32) {}
}

impl Entropy for Outside {
    fn fill(&self, buffer: &mut [u8]) -> Result<(), String> {
        buffer.fill(7);
        Ok(())
    }
}

#[async_trait(?Send)]
impl HttpClient for Outside {
    async fn get(
        &self,
        _url: &str,
        _max_bytes: usize,
        _timeout_ms: u32,
    ) -> Result<Vec<u8>, HttpError> {
        Ok(self.bytes.to_vec())
    }

    async fn post(
        &self,
        _url: &str,
        _headers: &[(&str, String)],
        _body: String,
        _max_reply: usize,
        _timeout_ms: u32,
    ) -> Result<Answered, HttpError> {
        Ok(Answered::default())
    }
}

#[async_trait(?Send)]
impl Assets for Outside {
    async fn get(&self, _path: &str) -> Result<Option<Asset>, String> {
        Ok(None)
    }
}

#[async_trait(?Send)]
impl Tcp for Outside {
    async fn connect(
        &self,
        _host: &str,
        _port: u16,
        _security: TcpSecurity,
        _timeout_ms: u32,
    ) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(Box::new(Speaking(self.bytes.to_vec())))
    }
}

/// Says its bytes, whatever it is told, in pieces whose first byte is their length; and then closes.
struct Speaking(Vec<u8>);

#[async_trait(?Send)]
impl TcpStream for Speaking {
    async fn write_all(&mut self, _bytes: &[u8], _timeout_ms: u32) -> Result<(), TcpError> {
        Ok(())
    }

    async fn read(&mut self, _timeout_ms: u32) -> Result<Vec<u8>, TcpError> {
        let length = usize::from(self.0.first().copied().unwrap_or_default()) + 1;
        let piece: Vec<u8> = self.0.drain(..length.min(self.0.len())).skip(1).collect();
        Ok(piece)
    }

    async fn start_tls(self: Box<Self>, _timeout_ms: u32) -> Result<Box<dyn TcpStream>, TcpError> {
        Ok(self)
    }

    async fn close(self: Box<Self>) {}
}

#[async_trait(?Send)]
impl RateLimiter for Outside {
    async fn allows(&self, _limit: Limit, _key: &str) -> bool {
        true
    }
}

impl Background for Outside {
    fn defer(&self, _work: LocalFuture<'static, ()>) {}
}

impl Log for Outside {
    fn line(&self, _line: &str) {}
}
