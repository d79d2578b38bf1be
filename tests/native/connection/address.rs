//! Hosts that a tenant may name, and those inside that he may not.

use rollcall::connection::address::judge_host;

#[test]
fn hosts_inside_are_told_however_they_are_written() {
    for host in [
        "localhost",
        "LOCALHOST.",
        "a.localhost",
        "dc01",
        "dc01.corp.local",
        "ldap.internal",
        "printer.home.arpa",
        "",
        "127.0.0.1",
        "127.255.0.1",
        "127.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "10.0.0.1",
        "172.16.0.1",
        "172.31.255.255",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "100.127.1.1",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "198.18.0.1",
        "192.0.2.1",
        "::1",
        "[::1]",
        "::",
        "fe80::1",
        "fc00::1",
        "fd12:3456::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:10.0.0.1",
        "64:ff9b::10.0.0.1",
        "2002:a00:1::1",
        "2001:db8::1",
        "::127.0.0.1",
    ] {
        assert!(judge_host(host, false).is_err(), "{host}");
    }
    for host in [
        "ldap.example.com",
        "ldap.example.com.",
        "local.example.com",
        "mylocal",
        "internal.example.org",
        "8.8.8.8",
        "172.32.0.1",
        "100.128.0.1",
        "192.169.0.1",
        "2606:4700::1111",
        "[2606:4700::1111]",
        "::ffff:8.8.8.8",
        "64:ff9b::8.8.8.8",
        "notlocalhost.example.com",
        "1.example.com",
        "a.notlocal",
    ] {
        // One label alone leads nowhere outside.
        assert_eq!(
            judge_host(host, false).is_err(),
            !host.contains(['.', ':']),
            "{host}"
        );
    }
}
