//! The command: start, printed URLs, and shutdown.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};

#[test]
fn all_services_start_respond_and_stop_at_sigterm() {
    let ports = [
        "--users-port=0",
        "--products-port=0",
        "--orders-port=0",
        "--reviews-port=0",
    ];
    let mut running = start(["all"].iter().chain(&ports));
    let mut lines = BufReader::new(running.0.stdout.take().unwrap()).lines();
    for _ in 0..4 {
        let line = lines.next().unwrap().unwrap();
        let address = line.split("http://").nth(1).unwrap();
        assert!(
            http_get(address, "/health").ends_with(r#"{"status":"ok"}"#),
            "{line}"
        );
    }
    assert_eq!(lines.next().unwrap().unwrap(), "Ctrl-C stops.");
    running.signal("-TERM");
    assert_eq!(running.0.wait().unwrap().code(), Some(0));
}

#[test]
fn orders_call_products_at_the_configured_url() {
    let mut products = start(["products", "--port", "0"].iter());
    let products_url = first_url(&mut products);
    let mut orders = start(["orders", "--port", "0", "--products", &products_url].iter());
    let orders_url = first_url(&mut orders);
    let order = r#"{"userId":"60","items":[{"productId":"1","quantity":1}]}"#;
    let address = orders_url.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /orders HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{order}",
        order.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 201 Created"), "{answer}");
    orders.signal("-INT");
    assert_eq!(orders.0.wait().unwrap().code(), Some(0));
}

#[test]
fn the_cache_control_flag_sets_the_header() {
    let flags = ["--cache-control", "products=public, max-age=7"];
    let flags = flags.iter().chain(&["--cache-control", "missing="]);
    let mut products = start(["products", "--port", "0"].iter().chain(flags));
    let url = first_url(&mut products);
    let address = url.trim_start_matches("http://");
    let one = http_get(address, "/products/1");
    assert!(
        one.contains("cache-control: public, max-age=7\r\n"),
        "{one}"
    );
    let none = http_get(address, "/products/1001");
    assert!(none.starts_with("HTTP/1.1 404 "), "{none}");
    assert!(!none.contains("cache-control"), "{none}");
}

#[test]
fn invalid_options_are_rejected() {
    for (option, value, message) in [
        ("--cache-control", "products", "`=` is missing"),
        (
            "--cache-control",
            "prices=private",
            "invalid variant: prices",
        ),
        (
            "--cache-control",
            "products=a\nb",
            "lifetime of products cannot be a header",
        ),
        ("--events", "nowhere", "cannot start: "),
        ("--events-stream", "changes", "--events <URL>"),
    ] {
        let output = Command::new(BINARY)
            .args(["products", "--port", "0", option, value])
            .output()
            .unwrap();
        assert!(!output.status.success(), "{value}");
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(text.contains(message), "{text}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    let output = Command::new(BINARY)
        .args(["users", "--port", &port])
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8_lossy(&output.stderr),
        format!(
            "mocks: 127.0.0.1:{port} is in use; stop the process that listens there, or choose another port\n"
        )
    );
}

#[test]
fn each_service_has_a_default_port() {
    for (service, port) in [
        ("users", 5_001),
        ("products", 5_002),
        ("orders", 5_003),
        ("reviews", 5_004),
    ] {
        let output = Command::new(BINARY)
            .args([service, "--help"])
            .output()
            .unwrap();
        let help = String::from_utf8(output.stdout).unwrap();
        assert!(help.contains(&format!("[default: {port}]")), "{help}");
    }
}

/// A process that is killed when dropped.
struct Running(Child);

impl Running {
    fn signal(&self, signal: &str) {
        let pid = self.0.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status().unwrap();
        assert!(sent.success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Fails if the process has already ended.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start<'a>(arguments: impl Iterator<Item = &'a &'a str>) -> Running {
    let child = Command::new(BINARY)
        .args(arguments)
        .stdout(Stdio::piped())
        .spawn();
    Running(child.unwrap())
}

fn first_url(running: &mut Running) -> String {
    let mut line = String::new();
    let stdout = running.0.stdout.as_mut().unwrap();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    line.split_whitespace().last().unwrap().to_owned()
}

fn http_get(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

const BINARY: &str = env!("CARGO_BIN_EXE_mocks");
