//! A real LDAP server for a test: OpenLDAP's slapd on a free port of loopback, with a database of its own that is filled before it starts and
//! removed when the test is over. Tests that need it lie in modules named `slapd`: by that name `npm test` leaves them out where there is no
//! server to be had (see scripts/setup/slapd.mjs).

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread::sleep;
use std::time::Duration;

use rollcall::ldap::{Security, Settings};
use rollcall::secret::Secret;

use super::ldap_writer::Writer;

/// Below this lies everything.
pub const BASE: &str = "dc=example,dc=com";
/// Where the server is.
struct Installation {
    program: PathBuf,
    modules: String,
    schemas: PathBuf,
    libraries: String,
}

impl Installation {
    /// Where `npm test` found it; without that, where Debian or an earlier `npm test` left it.
    fn find() -> Self {
        let variable = |name: &str| std::env::var(name).unwrap_or_default();
        let program = variable("ROLLCALL_SLAPD");
        if !program.is_empty() {
            return Installation {
                program: program.into(),
                modules: variable("ROLLCALL_SLAPD_MODULES"),
                schemas: variable("ROLLCALL_SLAPD_SCHEMAS").into(),
                libraries: variable("ROLLCALL_SLAPD_LIBRARIES"),
            };
        }
        let cache = match variable("ROLLCALL_CACHE").as_str() {
            "" => PathBuf::from(variable("HOME")).join(".cache/rollcall"),
            cache => PathBuf::from(cache),
        };
        let homes = [PathBuf::from("/"), cache.join("slapd")];
        let home = homes
            .iter()
            .find(|home| home.join("usr/sbin/slapd").exists());
        let home = home.expect(
            "there is no LDAP server here. `npm test -- native` gets one where it can, and leaves these tests out where it cannot; by hand: -- --skip ::slapd::",
        );
        let architecture = std::env::consts::ARCH;
        let libraries = home.join(format!("usr/lib/{architecture}-linux-gnu"));
        Installation {
            program: home.join("usr/sbin/slapd"),
            modules: home.join("usr/lib/ldap").display().to_string(),
            schemas: home.join("etc/ldap/schema"),
            libraries: libraries.display().to_string(),
        }
    }

    /// The server's program, which is each of its tools when called by its name.
    fn command(&self, tool: &str) -> Command {
        let mut command = Command::new(&self.program);
        if !self.libraries.is_empty() {
            command.env("LD_LIBRARY_PATH", &self.libraries);
        }
        if tool != "slapd" {
            command.arg(format!("-T{}", tool.trim_start_matches("slap")));
        }
        command
    }
}

/// A running server.
pub struct Slapd {
    process: Child,
    installation: Installation,
    home: PathBuf,
    pub port: u16,
}

impl Slapd {
    /// A server with `tests/fixtures/ldap/directory.ldif`.
    pub fn start() -> Self {
        Slapd::with("", "")
    }

    /// The same with more in its configuration, and more entries.
    pub fn with(configuration: &str, ldif: &str) -> Self {
        let fixture = fs::read_to_string("tests/fixtures/ldap/directory.ldif").expect("a fixture");
        Slapd::of(configuration, &format!("{fixture}\n{ldif}"))
    }

    fn of(configuration: &str, ldif: &str) -> Self {
        let installation = Installation::find();
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let home = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("slapd-{}-{number}", std::process::id()));
        fs::create_dir_all(home.join("database")).expect("a folder");
        let config = home.join("slapd.conf");
        fs::write(&config, text_of(&installation, &home, configuration)).expect("a file");
        fill(&installation, &config, ldif);
        let (process, port) = serve(&installation, &config, &home);
        Slapd {
            process,
            installation,
            home,
            port,
        }
    }

    /// A server with the tree of the fixture, its services, and these entries.
    pub fn only(ldif: &str) -> Self {
        Slapd::only_with("", ldif)
    }

    /// The same with more in its configuration: overlays, say.
    pub fn only_with(configuration: &str, ldif: &str) -> Self {
        let fixture = fs::read_to_string("tests/fixtures/ldap/directory.ldif").expect("a fixture");
        let tree = fixture.split("\n\n").filter(|entry| {
            !entry.contains("entryUUID: ") && !entry.contains("objectClass: referral")
        });
        Slapd::of(
            configuration,
            &(tree.collect::<Vec<_>>().join("\n\n") + "\n\n" + ldif),
        )
    }

    /// Adds entries while the server runs: its database takes more than one process.
    pub fn add(&self, ldif: &str) {
        fill(&self.installation, &self.home.join("slapd.conf"), ldif);
    }

    /// A connection that writes.
    pub fn writer(&self) -> Writer {
        Writer::open(self.port)
    }

    /// Settings that read everything, with small pages.
    pub fn settings(&self) -> Settings {
        self.as_service("reader")
    }

    /// Settings of one of the accounts below `ou=services`.
    pub fn as_service(&self, name: &str) -> Settings {
        Settings {
            host: "127.0.0.1".to_owned(),
            port: self.port,
            security: Security::Plain,
            bind_dn: format!("cn={name},ou=services,{BASE}"),
            bind_password: Secret::new(format!("{name}-password").into_bytes()),
            page_size: 5,
            timeout_ms: 5_000,
            local_development: true,
        }
    }
}

impl Drop for Slapd {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.home);
    }
}

fn text_of(installation: &Installation, home: &Path, more: &str) -> String {
    let fixtures = std::env::current_dir()
        .expect("a folder")
        .join("tests/fixtures/ldap");
    let modules = match installation.modules.as_str() {
        "" => String::new(),
        folder => {
            let overlays = more
                .lines()
                .filter_map(|line| line.strip_prefix("overlay "));
            let loads = ["back_mdb"].into_iter().chain(overlays);
            let loads: String = loads.map(|it| format!("moduleload {it}\n")).collect();
            format!("modulepath {folder}\n{loads}")
        }
    };
    fs::read_to_string(fixtures.join("slapd.conf"))
        .expect("a fixture")
        .replace("@SCHEMAS@", &installation.schemas.display().to_string())
        .replace("@FIXTURES@", &fixtures.display().to_string())
        .replace("@MODULES@", &modules)
        .replace("@HOME@", &home.display().to_string())
        .replace("@GLOBAL@", "")
        .replace("@DATABASE@", more)
}

/// Fills a database that no server has open, which takes a fraction of the time.
fn fill(installation: &Installation, config: &Path, ldif: &str) {
    let tool = "slapadd";
    let mut adding = installation
        .command(tool)
        .arg("-q")
        .arg("-f")
        .arg(config)
        .stdin(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect(tool);
    let mut stdin = adding.stdin.take().expect("a pipe");
    // A failure to write is the tool's, and it says why.
    let _ = stdin.write_all(ldif.as_bytes());
    drop(stdin);
    let output = adding.wait_with_output().expect(tool);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{tool}: {said}");
}

/// Starts the server on a port that was free a moment ago; where somebody else took it meanwhile, on another.
fn serve(installation: &Installation, config: &Path, home: &Path) -> (Child, u16) {
    for _ in 0..5 {
        let port = TcpListener::bind(("127.0.0.1", 0))
            .and_then(|listener| listener.local_addr())
            .expect("a free port")
            .port();
        let log = fs::File::create(home.join("log")).expect("a file");
        let mut process = installation
            .command("slapd")
            // With a debugging level, even none, it stays in the foreground and is the child that we end.
            .args(["-d", "0", "-h", &format!("ldap://127.0.0.1:{port}"), "-f"])
            .arg(config)
            .stderr(log)
            .spawn()
            .expect("slapd");
        for _ in 0..500 {
            if process.try_wait().expect("a state").is_some() {
                break;
            }
            if TcpStream::connect(("127.0.0.1", port)).is_ok() {
                return (process, port);
            }
            sleep(Duration::from_millis(10));
        }
        let _ = process.kill();
        let _ = process.wait();
    }
    let said = fs::read_to_string(home.join("log")).unwrap_or_default();
    panic!("slapd does not start: {said}");
}
