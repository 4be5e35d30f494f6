//! Clients that do not read: their responses are cut off, and the memory is given back.

use std::io;
use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::routing::get;
use bytes::Bytes;
use gateway::config::shutdown::Shutdown;
use gateway::server::{HttpService, serve};
use gateway::tasks::Tasks;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

const WRITE_TIMEOUT: Duration = Duration::from_millis(300);
const MIB: usize = 1024 * 1024;

/// A server whose only route has a large response, and that counts the responses in memory.
struct Large {
    address: SocketAddr,
    bodies: Arc<AtomicUsize>,
    _stop: DropGuard,
    _tasks: Tasks,
}

/// The bytes of a response, counted until they are dropped.
struct Counted(Vec<u8>, Arc<AtomicUsize>);

impl AsRef<[u8]> for Counted {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.1.fetch_sub(1, Ordering::SeqCst);
    }
}

impl Large {
    async fn start(body_size: usize) -> Self {
        let bodies = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&bodies);
        let large = async move || {
            counted.fetch_add(1, Ordering::SeqCst);
            let body = Counted(vec![b'x'; body_size], Arc::clone(&counted));
            Body::from(Bytes::from_owner(body))
        };
        let service = HttpService {
            router: Router::new().route("/large", get(large)),
            header_timeout: Duration::from_mins(1),
            write_timeout: WRITE_TIMEOUT,
            connections: NonZeroUsize::new(100).unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, tasks) = (CancellationToken::new(), Tasks::default());
        let shutdown = Shutdown {
            notice: Duration::ZERO,
            grace: Duration::from_secs(1),
        };
        let serving = serve(vec![(listener, service)], stop.clone(), shutdown);
        tasks.spawn("server", async {
            let _ = serving.await;
        });
        Self {
            address,
            bodies,
            _stop: stop.drop_guard(),
            _tasks: tasks,
        }
    }

    /// A client whose system takes little for it, with `requests` sent and nothing read.
    async fn client(&self, requests: usize) -> TcpStream {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(16 * 1024).unwrap();
        let mut stream = socket.connect(self.address).await.unwrap();
        let request = "GET /large HTTP/1.1\r\nhost: weir\r\n\r\n".repeat(requests);
        stream.write_all(request.as_bytes()).await.unwrap();
        stream
    }

    async fn until_bodies(&self, is_expected: impl Fn(usize) -> bool) {
        let waiting = async {
            while !is_expected(self.bodies.load(Ordering::SeqCst)) {
                sleep(Duration::from_millis(5)).await;
            }
        };
        timeout(Duration::from_secs(10), waiting)
            .await
            .unwrap_or_else(|_| panic!("{} bodies", self.bodies.load(Ordering::SeqCst)));
    }
}

#[tokio::test]
async fn clients_that_do_not_read_are_cut_off_and_their_memory_is_given_back() {
    let server = Large::start(8 * MIB).await;
    let mut clients = Vec::new();
    for _ in 0..20 {
        clients.push(server.client(1).await);
    }
    server.until_bodies(|bodies| bodies == clients.len()).await;

    server.until_bodies(|bodies| bodies == 0).await;

    for mut client in clients {
        let mut received = Vec::new();
        let error = client.read_to_end(&mut received).await.unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::ConnectionReset);
    }
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_the_whole_response() {
    let server = Large::start(2 * MIB).await;
    let mut client = server.client(1).await;
    let started = Instant::now();
    let mut buffer = vec![0; 64 * 1024];
    let mut received = 0;

    while received < 2 * MIB {
        sleep(WRITE_TIMEOUT / 30).await;
        let read = client.read(&mut buffer).await.unwrap();
        assert!(read > 0, "cut off after {received} bytes");
        received += read;
    }

    assert!(
        started.elapsed() > 2 * WRITE_TIMEOUT,
        "too fast to prove it"
    );
}

#[tokio::test]
async fn a_client_that_sends_more_requests_than_it_reads_costs_one_response() {
    let server = Large::start(8 * MIB).await;
    let _client = server.client(50).await;
    server.until_bodies(|bodies| bodies > 0).await;

    for _ in 0..10 {
        sleep(Duration::from_millis(10)).await;
        assert!(server.bodies.load(Ordering::SeqCst) <= 1);
    }
    server.until_bodies(|bodies| bodies == 0).await;
}
