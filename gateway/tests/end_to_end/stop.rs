//! Shutdown: requests in flight finish, and no new ones begin.

use std::net::SocketAddr;
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Request;
use axum::routing::{get, post};
use gateway::config::shutdown::Shutdown;
use gateway::server::{HttpService, serve};
use gateway::tasks::{Tasks, Unfinished};
use http_body_util::BodyExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::client::{Connection, exchange};
use crate::running::Running;

/// A server with one slow route, which signals when it is entered and waits for a permit.
struct Slow {
    address: SocketAddr,
    entered: Arc<Semaphore>,
    may_finish: Arc<Semaphore>,
    stop: CancellationToken,
    ended: oneshot::Receiver<Result<(), Unfinished>>,
    _tasks: Tasks,
}

impl Slow {
    async fn start(shutdown: Shutdown) -> Self {
        let entered = Arc::new(Semaphore::new(0));
        let may_finish = Arc::new(Semaphore::new(0));
        let (enter, wait) = (Arc::clone(&entered), Arc::clone(&may_finish));
        let slow = async move || {
            enter.add_permits(1);
            wait.acquire().await.unwrap().forget();
            "done"
        };
        let enter = Arc::clone(&entered);
        let length = async move |request: Request| {
            enter.add_permits(1);
            let body = request.into_body().collect().await.unwrap();
            body.to_bytes().len().to_string()
        };
        let routes = Router::new().route("/slow", get(slow));
        let service = HttpService {
            router: routes.route("/length", post(length)),
            header_timeout: Duration::from_mins(1),
            write_timeout: LONG,
            connections: NonZeroUsize::new(10).unwrap(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let stop = CancellationToken::new();
        let (end, ended) = oneshot::channel();
        let serving = serve(vec![(listener, service)], stop.clone(), shutdown);
        let tasks = Tasks::default();
        tasks.spawn("server", async { end.send(serving.await).unwrap() });
        Self {
            address,
            entered,
            may_finish,
            stop,
            ended,
            _tasks: tasks,
        }
    }

    async fn slow_request(&self) -> Connection {
        let mut connection = Connection::open(self.address).await;
        connection.request("GET /slow", &[], "").await;
        self.entered.acquire().await.unwrap().forget();
        connection
    }

    /// Waits until the server has read what was sent, as far as a client can know.
    async fn until_received(&self) {
        for _ in 0..3 {
            let mut later = Connection::open(self.address).await;
            later.request("GET /nothing", &[], "").await;
            assert_eq!(later.answer().await.unwrap().status, 404);
        }
    }

    async fn until_refused(&self) {
        while TcpStream::connect(self.address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

fn without_notice(grace: Duration) -> Shutdown {
    Shutdown {
        notice: Duration::ZERO,
        grace,
    }
}

const LONG: Duration = Duration::from_mins(1);

#[tokio::test]
async fn a_request_in_flight_finishes_while_new_connections_are_refused() {
    let server = Slow::start(without_notice(LONG)).await;
    let mut in_flight = server.slow_request().await;

    server.stop.cancel();
    server.until_refused().await;
    server.may_finish.add_permits(1);
    let answer = in_flight.answer().await.unwrap();

    assert_eq!(
        (answer.status, answer.body.as_slice()),
        (200, b"done".as_slice())
    );
    assert!(in_flight.is_closed().await);
    assert_eq!(server.ended.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn idle_connections_do_not_delay_shutdown() {
    let server = Slow::start(without_notice(LONG)).await;
    let silent = Connection::open(server.address).await;
    server.may_finish.add_permits(1);
    let mut idle = server.slow_request().await;
    assert_eq!(idle.answer().await.unwrap().status, 200);

    server.stop.cancel();

    // The test would time out if it took `LONG`.
    assert_eq!(server.ended.await.unwrap(), Ok(()));
    drop((silent, idle));
}

#[tokio::test]
async fn incomplete_headers_do_not_delay_shutdown() {
    let server = Slow::start(without_notice(LONG)).await;
    let mut one_byte = Connection::open(server.address).await;
    one_byte.send("P").await;
    server.may_finish.add_permits(1);
    let mut second = server.slow_request().await;
    assert_eq!(second.answer().await.unwrap().status, 200);
    second.send("GET /slow HTTP/1.1\r\nhost: we").await;
    server.until_received().await;

    let started = Instant::now();
    server.stop.cancel();
    let ended = server.ended.await.unwrap();

    assert_eq!(ended, Ok(()));
    assert!(started.elapsed() < Duration::from_secs(1));
    assert!(one_byte.is_closed().await);
    assert!(second.is_closed().await);
}

#[tokio::test]
async fn a_request_whose_body_is_incomplete_has_the_grace_to_finish() {
    let server = Slow::start(without_notice(LONG)).await;
    let mut uploading = Connection::open(server.address).await;
    let head = "POST /length HTTP/1.1\r\nhost: weir\r\ncontent-length: 10\r\n\r\n";
    uploading.send(head.to_owned() + "12345").await;
    server.entered.acquire().await.unwrap().forget();

    server.stop.cancel();
    server.until_refused().await;
    uploading.send("67890").await;

    assert_eq!(uploading.answer().await.unwrap().body, b"10");
    assert_eq!(server.ended.await.unwrap(), Ok(()));
}

#[tokio::test]
async fn connections_that_outlive_the_grace_are_reported() {
    let server = Slow::start(without_notice(Duration::from_millis(20))).await;
    let in_flight = server.slow_request().await;

    server.stop.cancel();
    let unfinished = server.ended.await.unwrap().unwrap_err();

    assert_eq!(unfinished.to_string(), "unfinished: 1 × connection");
    drop(in_flight);
}

#[tokio::test]
async fn readiness_fails_before_connections_are_closed() {
    let stop = CancellationToken::new();
    let gateway = Running::stoppable(stop.clone(), |config| {
        config.shutdown = Shutdown {
            notice: LONG,
            grace: LONG,
        };
    })
    .await;
    assert_eq!(
        exchange(gateway.address, "GET /health/ready", &[], "")
            .await
            .status,
        200
    );

    stop.cancel();

    assert_eq!(
        exchange(gateway.address, "GET /health/ready", &[], "")
            .await
            .status,
        503
    );
    assert_eq!(
        exchange(gateway.address, "GET /health/live", &[], "")
            .await
            .status,
        200
    );
}
